// RUN: irc-opt %s -p streamline-pads | filecheck %s

// A border of one of the two values leaves it bipolar, also where 0 would do too.
// CHECK-LABEL: @bipolar
// CHECK-NEXT:   bnn.pad %x {{.*}} value -1.000000e+00 : tensor<2x1x!bnn.bipolar> -> tensor<3x1x!bnn.bipolar>
func.func @bipolar(%x: tensor<2x1x!bnn.bipolar>) -> tensor<3x1xf32> {
  %0 = bnn.cast %x : tensor<2x1x!bnn.bipolar> -> tensor<2x1xf32>
  %1 = bnn.ewise "relu" %0 : tensor<2x1xf32> -> tensor<2x1xf32>
  %2 = bnn.pad %1 before [1 : i64] after [0 : i64] value 0.000000e+00 : tensor<2x1xf32> -> tensor<3x1xf32>
  func.return %2 : tensor<3x1xf32>
}

// The zero point stands for 0, inside of the type or not.
// CHECK-LABEL: @zero_point
// CHECK-NEXT:   bnn.pad %x {{.*}} value -2.000000e+00 : tensor<2x1xui4> -> tensor<3x1xsi5>
func.func @zero_point(%x: tensor<2x1xui4>) -> tensor<3x1xf32> {
  %0 = bnn.cast %x : tensor<2x1xui4> -> tensor<2x1xf32>
  %1 = bnn.ewise "add" %0, <tensor<f32>, [2.0]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %2 = bnn.ewise "mul" %1, <tensor<f32>, [0.1]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %3 = bnn.pad %2 before [1 : i64] after [0 : i64] value 0.000000e+00 : tensor<2x1xf32> -> tensor<3x1xf32>
  func.return %3 : tensor<3x1xf32>
}

// No integer stands for it: in one channel it is another than in the other, or it is none.
// CHECK-LABEL: @no_such_integer
// CHECK:        bnn.pad %{{.*}} value 0.000000e+00 : tensor<2x2xf32> -> tensor<3x2xf32>
// CHECK:        bnn.pad %{{.*}} value 5.000000e-01 : tensor<2x2xf32> -> tensor<3x2xf32>
func.func @no_such_integer(%x: tensor<2x2xui4>) -> (tensor<3x2xf32>, tensor<3x2xf32>) {
  %0 = bnn.cast %x : tensor<2x2xui4> -> tensor<2x2xf32>
  %1 = bnn.ewise "sub" %0, <tensor<2xf32>, [2.0, 3.0]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %2 = bnn.pad %1 before [1 : i64] after [0 : i64] value 0.000000e+00 : tensor<2x2xf32> -> tensor<3x2xf32>
  %3 = bnn.pad %0 before [1 : i64] after [0 : i64] value 5.000000e-01 : tensor<2x2xf32> -> tensor<3x2xf32>
  func.return %2, %3 : tensor<3x2xf32>, tensor<3x2xf32>
}

// Around a max-pool the least integer is as good as the least float, if functions rise.
// CHECK-LABEL: @guard
// CHECK-NEXT:   bnn.pad %x {{.*}} value -8.000000e+00 : tensor<2x1xsi4> -> tensor<3x1xsi4>
func.func @guard(%x: tensor<2x1xsi4>) -> tensor<2x1xf32> {
  %0 = bnn.cast %x : tensor<2x1xsi4> -> tensor<2x1xf32>
  %1 = bnn.pad %0 before [1 : i64] after [0 : i64] value -3.4028234663852886e+38 : tensor<2x1xf32> -> tensor<3x1xf32>
  %2 = bnn.max_pool %1 kernel [2 : i64] strides [1 : i64] dilations [1 : i64] : tensor<3x1xf32> -> tensor<2x1xf32>
  func.return %2 : tensor<2x1xf32>
}

// CHECK-LABEL: @no_guard
// CHECK-NEXT:   bnn.cast %x
// CHECK-NEXT:   bnn.ewise "neg"
// CHECK-NEXT:   bnn.pad
func.func @no_guard(%x: tensor<2x1xsi8>) -> tensor<2x1xf32> {
  %0 = bnn.cast %x : tensor<2x1xsi8> -> tensor<2x1xf32>
  %1 = bnn.ewise "neg" %0 : tensor<2x1xf32> -> tensor<2x1xf32>
  %2 = bnn.pad %1 before [1 : i64] after [0 : i64] value -3.4028234663852886e+38 : tensor<2x1xf32> -> tensor<3x1xf32>
  %3 = bnn.max_pool %2 kernel [2 : i64] strides [1 : i64] dilations [1 : i64] : tensor<3x1xf32> -> tensor<2x1xf32>
  func.return %3 : tensor<2x1xf32>
}

// Under a function that falls it is the least of the negative values, of which there are few.
// CHECK-LABEL: @falling_guard
// CHECK-NEXT:   %[[N:.*]] = bnn.threshold %x
// CHECK-NEXT:   bnn.pad %[[N]] before [1 : i64] after [0 : i64] value -1.000000e+00 : tensor<2x1x!bnn.bipolar> -> tensor<3x1x!bnn.bipolar>
func.func @falling_guard(%x: tensor<2x1x!bnn.bipolar>) -> tensor<2x1xf32> {
  %0 = bnn.cast %x : tensor<2x1x!bnn.bipolar> -> tensor<2x1xf32>
  %1 = bnn.ewise "neg" %0 : tensor<2x1xf32> -> tensor<2x1xf32>
  %2 = bnn.pad %1 before [1 : i64] after [0 : i64] value -3.4028234663852886e+38 : tensor<2x1xf32> -> tensor<3x1xf32>
  %3 = bnn.max_pool %2 kernel [2 : i64] strides [1 : i64] dilations [1 : i64] : tensor<3x1xf32> -> tensor<2x1xf32>
  func.return %3 : tensor<2x1xf32>
}
