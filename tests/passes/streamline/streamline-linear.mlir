// RUN: irc-opt %s -p streamline-linear | filecheck %s

// Nothing is 0.3 in float32: what the sums may be off by is recorded. Weights may have scales
// and offsets of either sign, the inputs one number a channel to add.
// CHECK-LABEL: @rounded
// CHECK-NEXT:   bnn.linear %x, <tensor<2x2xsi2>, [1, 0, -1, 1]> : tensor<2x!bnn.bipolar> -> tensor<2xsi3>
// CHECK-NEXT:   bnn.cast
// CHECK-NEXT:   bnn.ewise "mul" %{{.*}}, <tensor<2xf32>, [0.30000001192092896, -0.6000000238418579]> result_error <tensor<2xf32>, [{{[1-9].*}}, {{[1-9].*}}]>
// CHECK-NEXT:   bnn.ewise "add" %{{.*}}, <tensor<2xf32>, [2.0, -1.0]>
func.func @rounded(%x: tensor<2x!bnn.bipolar>) -> tensor<2xf32> {
  %0 = bnn.cast %x : tensor<2x!bnn.bipolar> -> tensor<2xf32>
  %1 = bnn.ewise "mul" %0, <tensor<f32>, [0.3]> : tensor<2xf32> -> tensor<2xf32>
  %2 = bnn.ewise "add" %1, <tensor<2xf32>, [1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %3 = bnn.linear %2, <tensor<2x2xsi2>, [1, 0, -1, 1]> scales <tensor<2xf32>, [1.0, -2.0]> offsets <tensor<f32>, [1.0]> : tensor<2xf32> -> tensor<2xf32>
  func.return %3 : tensor<2xf32>
}

// (x + 2^24) - 2^24 is x in real numbers, but not in float32: that is an error to record.
// CHECK-LABEL: @cancelled
// CHECK:        bnn.ewise "mul" %{{.*}}, <tensor<f32>, [1.0]> result_error <tensor<f32>, [{{[4-9].*}}]>
func.func @cancelled(%x: tensor<2x!bnn.bipolar>) -> tensor<1xf32> {
  %0 = bnn.cast %x : tensor<2x!bnn.bipolar> -> tensor<2xf32>
  %1 = bnn.ewise "add" %0, <tensor<f32>, [16777216.0]> : tensor<2xf32> -> tensor<2xf32>
  %2 = bnn.ewise "sub" %1, <tensor<f32>, [16777216.0]> : tensor<2xf32> -> tensor<2xf32>
  %3 = bnn.linear %2, <tensor<1x2x!bnn.bipolar>, [1, 1]> : tensor<2xf32> -> tensor<1xf32>
  func.return %3 : tensor<1xf32>
}

// A scale by channel is not a scale of the sum, and a square not affine.
// CHECK-LABEL: @left_alone
// CHECK:        bnn.linear %{{.*}} : tensor<2xf32> -> tensor<1xf32>
// CHECK:        bnn.linear %{{.*}} : tensor<2xf32> -> tensor<1xf32>
func.func @left_alone(%x: tensor<2xsi4>) -> (tensor<1xf32>, tensor<1xf32>) {
  %0 = bnn.cast %x : tensor<2xsi4> -> tensor<2xf32>
  %1 = bnn.ewise "mul" %0, <tensor<2xf32>, [1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %2 = bnn.linear %1, <tensor<1x2x!bnn.bipolar>, [1, 1]> : tensor<2xf32> -> tensor<1xf32>
  %3 = bnn.ewise "pow" %0, <tensor<f32>, [2.0]> : tensor<2xf32> -> tensor<2xf32>
  %4 = bnn.linear %3, <tensor<1x2x!bnn.bipolar>, [1, 1]> : tensor<2xf32> -> tensor<1xf32>
  func.return %2, %4 : tensor<1xf32>, tensor<1xf32>
}
