// RUN: irc-opt %s -p 'quantize-activations{bits=2 range=3}' | filecheck %s
// RUN: irc-opt %s -p 'quantize-activations{bits=2 uncalibrated=true}' | filecheck %s --check-prefix=RANDOM
// RUN: not irc-opt %s -p 'quantize-activations{bits=2}' 2>&1 | filecheck %s --check-prefix=BLIND
// RUN: not irc-opt %s -p 'quantize-activations{range=1 uncalibrated=true}' 2>&1 | filecheck %s --check-prefix=BOTH
// RUN: not irc-opt %s -p 'quantize-activations{range=0}' 2>&1 | filecheck %s --check-prefix=RANGE
// RUN: not irc-opt %s -p 'quantize-activations{method=best range=1}' 2>&1 | filecheck %s --check-prefix=METHOD

// Behind a ReLU without a sign; the float input at 8 bits; scales go behind the sums of integers.
// CHECK-LABEL: @dense
// CHECK:        bnn.ewise "div" %x
// CHECK-NEXT:   %[[Q:.*]] = bnn.quantize "half_even" %{{.*}} : tensor<2xf32> -> tensor<2xsi8>
// CHECK-NEXT:   %[[C:.*]] = bnn.cast %[[Q]]
// CHECK-NEXT:   %[[L:.*]] = bnn.linear %[[C]], <tensor<2x2xsi3>
// CHECK-NEXT:   %[[M:.*]] = bnn.ewise "mul" %[[L]], <tensor<f32>
// CHECK-NEXT:   %[[R:.*]] = bnn.ewise "relu" %[[M]]
// CHECK-NEXT:   %[[D:.*]] = bnn.ewise "div" %[[R]], <tensor<f32>, [0.75]>
// CHECK-NEXT:   %[[P:.*]] = bnn.quantize "half_even" %[[D]] : tensor<2xf32> -> tensor<2xui2>
// CHECK-NEXT:   %[[E:.*]] = bnn.cast %[[P]]
// CHECK-NEXT:   %[[F:.*]] = bnn.linear %[[E]]
// CHECK-NEXT:   bnn.ewise "mul" %[[F]], <tensor<f32>, [0.75]>
// CHECK-NEXT:   func.return

// RANDOM-LABEL: @dense
// RANDOM:       bnn.quantize "half_even" %{{.*}} : tensor<2xf32> -> tensor<2xui2>

// BLIND:      quantize-activations: 2 activations would be rounded to 2 or 8 bits, but without calibration data
// BLIND-NEXT: give data="calib.npz" (inputs as x), or range=NUMBER for all of them, or uncalibrated=true
// BOTH: quantize-activations: range and uncalibrated exclude each other
// RANGE: quantize-activations: range=0; expected a positive number
// METHOD: quantize-activations: unknown method 'best'; expected mse, max, percentile
func.func @dense(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = bnn.linear %x, <tensor<2x2xsi3>, [1, 2, -3, 3]> : tensor<2xf32> -> tensor<2xf32>
  %1 = bnn.ewise "relu" %0 : tensor<2xf32> -> tensor<2xf32>
  %2 = bnn.linear %1, <tensor<2x2xsi3>, [1, 2, -3, 3]> : tensor<2xf32> -> tensor<2xf32>
  func.return %2 : tensor<2xf32>
}

// What is a number times an integer already stays as it is; a border of 0 and a pool move nothing.
// CHECK-LABEL: @exact_already
// CHECK:        %[[C:.*]] = bnn.cast %x
// CHECK-NEXT:   %[[P:.*]] = bnn.pad %[[C]]
// CHECK-NEXT:   %[[S:.*]] = bnn.sum_pool %[[P]]
// CHECK-NEXT:   bnn.ewise "div" %[[S]], <tensor<f32>, [255.0]>
// CHECK-NEXT:   func.return
func.func @exact_already(%x: tensor<4x1xui8>) -> tensor<5x1xf32> {
  %0 = bnn.cast %x : tensor<4x1xui8> -> tensor<4x1xf32>
  %1 = bnn.ewise "div" %0, <tensor<f32>, [255.0]> : tensor<4x1xf32> -> tensor<4x1xf32>
  %2 = bnn.pad %1 before [1] after [1] value 0.0 : tensor<4x1xf32> -> tensor<6x1xf32>
  %3 = bnn.sum_pool %2 kernel [2] strides [1] dilations [1] : tensor<6x1xf32> -> tensor<5x1xf32>
  func.return %3 : tensor<5x1xf32>
}

// Both operands of an addition, at two bits more; the value that a layer reads, once for all.
// CHECK-LABEL: @residual
// CHECK:        %[[R:.*]] = bnn.ewise "relu"
// CHECK:        %[[Q:.*]] = bnn.quantize "half_even" %{{.*}} : tensor<2xf32> -> tensor<2xui2>
// CHECK:        %[[C:.*]] = bnn.cast %[[Q]]
// CHECK-NEXT:   %[[X:.*]] = bnn.ewise "mul" %[[C]], <tensor<f32>, [0.75]>
// CHECK:        bnn.linear %[[C]]
// CHECK:        bnn.quantize "half_even" %{{.*}} : tensor<2xf32> -> tensor<2xsi4>
// CHECK:        %[[B:.*]] = bnn.ewise "mul" %{{.*}}, <tensor<f32>, [0.375]>
// CHECK-NEXT:   bnn.add %[[B]], %[[X]]
func.func @residual(%x: tensor<2xsi4>) -> tensor<2xf32> {
  %0 = bnn.cast %x : tensor<2xsi4> -> tensor<2xf32>
  %1 = bnn.ewise "relu" %0 : tensor<2xf32> -> tensor<2xf32>
  %2 = bnn.ewise "add" %1, <tensor<f32>, [0.5]> : tensor<2xf32> -> tensor<2xf32>
  %3 = bnn.linear %2, <tensor<2x2xsi3>, [1, 2, -3, 3]> : tensor<2xf32> -> tensor<2xf32>
  %4 = bnn.ewise "relu" %3 : tensor<2xf32> -> tensor<2xf32>
  %5 = bnn.linear %4, <tensor<2x2xsi3>, [1, 2, -3, 3]> : tensor<2xf32> -> tensor<2xf32>
  %6 = bnn.add %5, %4 : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
  func.return %6 : tensor<2xf32>
}
