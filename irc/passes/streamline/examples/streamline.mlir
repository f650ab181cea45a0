// RUN: irc-opt %s -p streamline | filecheck %s

// A pool of a sum of a pool: each waits for what it reads, and all of it is of integers in the end.
// CHECK-LABEL: @waiting
// CHECK-NEXT:   %[[A:.*]] = bnn.sum_pool %x {{.*}} : tensor<4x1xsi4> -> tensor<2x1xsi5>
// CHECK-NEXT:   %[[B:.*]] = bnn.conv %[[A]]
// CHECK-NEXT:   %[[P:.*]] = bnn.max_pool %[[B]] {{.*}} : tensor<2x1xsi5> -> tensor<1x1xsi5>
// CHECK-NEXT:   %[[C:.*]] = bnn.cast %[[P]]
// CHECK-NEXT:   %[[M:.*]] = bnn.ewise "mul" %[[C]], <tensor<f32>, [0.5]>
// CHECK-NEXT:   func.return %[[M]]
func.func @waiting(%x: tensor<4x1xsi4>) -> tensor<1x1xf32> {
  %0 = bnn.cast %x : tensor<4x1xsi4> -> tensor<4x1xf32>
  %1 = bnn.sum_pool %0 kernel [2 : i64] strides [2 : i64] dilations [1 : i64] : tensor<4x1xf32> -> tensor<2x1xf32>
  %2 = bnn.ewise "mul" %1, <tensor<f32>, [0.5]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %3 = bnn.conv %2, <tensor<1x1x1x!bnn.bipolar>, [1]> strides [1 : i64] dilations [1 : i64] groups 1 : tensor<2x1xf32> -> tensor<2x1xf32>
  %4 = bnn.max_pool %3 kernel [2 : i64] strides [2 : i64] dilations [1 : i64] : tensor<2x1xf32> -> tensor<1x1xf32>
  func.return %4 : tensor<1x1xf32>
}
