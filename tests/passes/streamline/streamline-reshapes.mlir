// RUN: irc-opt %s -p streamline-reshapes | filecheck %s

// A flatten moves in front of what is computed element by element.
// CHECK-LABEL: @before_elementwise
// CHECK-NEXT:   %[[R:.*]] = bnn.reshape %x : tensor<1x2x2xui8> -> tensor<4xui8>
// CHECK-NEXT:   %[[F:.*]] = bnn.cast %[[R]] : tensor<4xui8> -> tensor<4xf32>
// CHECK-NEXT:   %[[M:.*]] = bnn.ewise "mul" %[[F]], <tensor<f32>, [2.0]>
// CHECK-NEXT:   %[[Q:.*]] = bnn.quantize "floor" %[[M]] min -3 : tensor<4xf32> -> tensor<4xsi4>
// CHECK-NEXT:   func.return %[[Q]]
func.func @before_elementwise(%x: tensor<1x2x2xui8>) -> tensor<4xsi4> {
  %0 = bnn.cast %x : tensor<1x2x2xui8> -> tensor<1x2x2xf32>
  %1 = bnn.ewise "mul" %0, <tensor<f32>, [2.0]> : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %2 = bnn.quantize "floor" %1 min -3 : tensor<1x2x2xf32> -> tensor<1x2x2xsi4>
  %3 = bnn.reshape %2 : tensor<1x2x2xsi4> -> tensor<4xsi4>
  func.return %3 : tensor<4xsi4>
}

// Behind a quantizer it stays where in front of it a constant by channel would grow.
// CHECK-LABEL: @behind_quantizer
// CHECK-NEXT:   bnn.cast %x : tensor<2x2xui8> -> tensor<2x2xf32>
// CHECK-NEXT:   bnn.ewise "add" %{{.*}}, <tensor<2xf32>, [1.0, 2.0]>
// CHECK-NEXT:   bnn.quantize
// CHECK-NEXT:   bnn.reshape
// CHECK-NEXT:   bnn.cast
func.func @behind_quantizer(%x: tensor<2x2xui8>) -> tensor<4xf32> {
  %0 = bnn.cast %x : tensor<2x2xui8> -> tensor<2x2xf32>
  %1 = bnn.ewise "add" %0, <tensor<2xf32>, [1.0, 2.0]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %2 = bnn.quantize "floor" %1 : tensor<2x2xf32> -> tensor<2x2xsi4>
  %3 = bnn.cast %2 : tensor<2x2xsi4> -> tensor<2x2xf32>
  %4 = bnn.reshape %3 : tensor<2x2xf32> -> tensor<4xf32>
  func.return %4 : tensor<4xf32>
}

// In front of a quantizer there is no choice: the constant is repeated.
// CHECK-LABEL: @repeated
// CHECK-NEXT:   bnn.reshape %x
// CHECK-NEXT:   bnn.cast
// CHECK-NEXT:   bnn.ewise "add" %{{.*}}, <tensor<4xf32>, [1.0, 2.0, 1.0, 2.0]>
// CHECK-NEXT:   bnn.quantize
func.func @repeated(%x: tensor<2x2xui8>) -> tensor<4xsi4> {
  %0 = bnn.cast %x : tensor<2x2xui8> -> tensor<2x2xf32>
  %1 = bnn.ewise "add" %0, <tensor<2xf32>, [1.0, 2.0]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %2 = bnn.reshape %1 : tensor<2x2xf32> -> tensor<4xf32>
  %3 = bnn.quantize "floor" %2 : tensor<4xf32> -> tensor<4xsi4>
  func.return %3 : tensor<4xsi4>
}

// One number a channel must not become one a pixel: no threshold could absorb that.
// CHECK-LABEL: @channels_stay
// CHECK-NEXT:   bnn.ewise "add" %x
// CHECK-NEXT:   bnn.reshape
func.func @channels_stay(%x: tensor<4xf32>) -> tensor<2x2xf32> {
  %0 = bnn.ewise "add" %x, <tensor<4xf32>, [1.0, 2.0, 3.0, 4.0]> : tensor<4xf32> -> tensor<4xf32>
  %1 = bnn.reshape %0 : tensor<4xf32> -> tensor<2x2xf32>
  func.return %1 : tensor<2x2xf32>
}

// What a pass noted on an operation moves with it.
// CHECK-LABEL: @notes
// CHECK:        bnn.threshold %{{.*}} at <tensor<1x1xsi8>, [3]> bias 0 {bnn.margin = "exact"} : tensor<4xsi8>
func.func @notes(%x: tensor<2x2xsi8>) -> tensor<4xui1> {
  %0 = bnn.threshold %x at <tensor<1x1xsi8>, [3]> bias 0 {bnn.margin = "exact"} : tensor<2x2xsi8> -> tensor<2x2xui1>
  %1 = bnn.reshape %0 : tensor<2x2xui1> -> tensor<4xui1>
  func.return %1 : tensor<4xui1>
}

// Casts and float functions that others read too are there twice then; quantizers are not.
// CHECK-LABEL: @two_readers
// CHECK-NEXT:   %[[F:.*]] = bnn.cast %x : tensor<2x2xui8>
// CHECK-NEXT:   %[[Q:.*]] = bnn.quantize "floor" %[[F]]
// CHECK-NEXT:   %[[R:.*]] = bnn.reshape %[[Q]]
// CHECK-NEXT:   %[[X:.*]] = bnn.reshape %x
// CHECK-NEXT:   %[[G:.*]] = bnn.cast %[[X]]
// CHECK-NEXT:   func.return %[[Q]], %[[R]], %[[G]]
func.func @two_readers(%x: tensor<2x2xui8>) -> (tensor<2x2xui4>, tensor<4xui4>, tensor<4xf32>) {
  %0 = bnn.cast %x : tensor<2x2xui8> -> tensor<2x2xf32>
  %1 = bnn.quantize "floor" %0 : tensor<2x2xf32> -> tensor<2x2xui4>
  %2 = bnn.reshape %1 : tensor<2x2xui4> -> tensor<4xui4>
  %3 = bnn.reshape %0 : tensor<2x2xf32> -> tensor<4xf32>
  func.return %1, %2, %3 : tensor<2x2xui4>, tensor<4xui4>, tensor<4xf32>
}

// CHECK-LABEL: @merged
// CHECK-NEXT:   func.return %x
func.func @merged(%x: tensor<4xui8>) -> tensor<4xui8> {
  %0 = bnn.reshape %x : tensor<4xui8> -> tensor<2x2xui8>
  %1 = bnn.reshape %0 : tensor<2x2xui8> -> tensor<1x4xui8>
  %2 = bnn.transpose %1 perm [1, 0] : tensor<1x4xui8> -> tensor<4x1xui8>
  %3 = bnn.reshape %2 : tensor<4x1xui8> -> tensor<4xui8>
  func.return %3 : tensor<4xui8>
}
