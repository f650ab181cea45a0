// RUN: irc-opt %s -p streamline-pools | filecheck %s

// One that falls in some channel stays behind it.
// CHECK-LABEL: @falling
// CHECK-NEXT:   bnn.max_pool %x
// CHECK-NEXT:   bnn.ewise "mul"
// CHECK-NEXT:   bnn.quantize
func.func @falling(%x: tensor<4x2xf32>) -> tensor<2x2x!bnn.bipolar> {
  %0 = bnn.max_pool %x kernel [2 : i64] strides [2 : i64] dilations [1 : i64] : tensor<4x2xf32> -> tensor<2x2xf32>
  %1 = bnn.ewise "mul" %0, <tensor<2xf32>, [2.0, -1.0]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %2 = bnn.quantize "bipolar" %1 : tensor<2x2xf32> -> tensor<2x2x!bnn.bipolar>
  func.return %2 : tensor<2x2x!bnn.bipolar>
}

// So does one that differs between the pixels of a window.
// CHECK-LABEL: @by_pixel
// CHECK-NEXT:   bnn.max_pool %x
// CHECK-NEXT:   bnn.ewise "add"
func.func @by_pixel(%x: tensor<4x1xf32>) -> tensor<2x1xf32> {
  %0 = bnn.max_pool %x kernel [2 : i64] strides [2 : i64] dilations [1 : i64] : tensor<4x1xf32> -> tensor<2x1xf32>
  %1 = bnn.ewise "add" %0, <tensor<2x1xf32>, [2.0, -1.0]> : tensor<2x1xf32> -> tensor<2x1xf32>
  func.return %1 : tensor<2x1xf32>
}

// The border that keeps windows whole is the least value of what is quantized.
// CHECK-LABEL: @border
// CHECK-NEXT:   %[[A:.*]] = bnn.ewise "add" %x, <tensor<f32>, [0.5]>
// CHECK-NEXT:   %[[Q:.*]] = bnn.quantize "half_even" %[[A]] min -1 max 1 : tensor<2x1xf32> -> tensor<2x1xsi2>
// CHECK-NEXT:   %[[P:.*]] = bnn.pad %[[Q]] before [1 : i64] after [0 : i64] value -1.000000e+00 : tensor<2x1xsi2> -> tensor<3x1xsi2>
// CHECK-NEXT:   bnn.max_pool %[[P]]
func.func @border(%x: tensor<2x1xf32>) -> tensor<2x1xsi2> {
  %0 = bnn.pad %x before [1 : i64] after [0 : i64] value -3.4028234663852886e+38 : tensor<2x1xf32> -> tensor<3x1xf32>
  %1 = bnn.max_pool %0 kernel [2 : i64] strides [1 : i64] dilations [1 : i64] : tensor<3x1xf32> -> tensor<2x1xf32>
  %2 = bnn.ewise "add" %1, <tensor<f32>, [0.5]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %3 = bnn.quantize "half_even" %2 min -1 max 1 : tensor<2x1xf32> -> tensor<2x1xsi2>
  func.return %3 : tensor<2x1xsi2>
}

// Without a quantizer the pool goes to the exact values behind scales and offsets.
// CHECK-LABEL: @to_exact
// CHECK-NEXT:   %[[P:.*]] = bnn.max_pool %x {{.*}} : tensor<2x1xsi4> -> tensor<1x1xsi4>
// CHECK-NEXT:   %[[C:.*]] = bnn.cast %[[P]]
// CHECK-NEXT:   bnn.ewise "mul" %[[C]], <tensor<f32>, [0.5]>
func.func @to_exact(%x: tensor<2x1xsi4>) -> tensor<1x1xf32> {
  %0 = bnn.cast %x : tensor<2x1xsi4> -> tensor<2x1xf32>
  %1 = bnn.ewise "mul" %0, <tensor<f32>, [0.5]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %2 = bnn.max_pool %1 kernel [2 : i64] strides [2 : i64] dilations [1 : i64] : tensor<2x1xf32> -> tensor<1x1xf32>
  func.return %2 : tensor<1x1xf32>
}

// Where the scale falls, the least sum decides: that is the largest of the negated sums.
// CHECK-LABEL: @negated
// CHECK-NEXT:   %[[S:.*]] = bnn.conv %x, <tensor<2x1x1xsi2>, [1, -1]>
// CHECK-NEXT:   %[[P:.*]] = bnn.max_pool %[[S]]
// CHECK-NEXT:   %[[C:.*]] = bnn.cast %[[P]]
// CHECK-NEXT:   %[[N:.*]] = bnn.ewise "mul" %[[C]], <tensor<2xf32>, [1.0, -1.0]>
// CHECK-NEXT:   bnn.ewise "mul" %[[N]], <tensor<2xf32>, [3.0, -3.0]>
func.func @negated(%x: tensor<2x1xsi4>) -> tensor<1x2xf32> {
  %0 = bnn.conv %x, <tensor<2x1x1xsi2>, [1, 1]> strides [1 : i64] dilations [1 : i64] groups 1 : tensor<2x1xsi4> -> tensor<2x2xsi4>
  %1 = bnn.cast %0 : tensor<2x2xsi4> -> tensor<2x2xf32>
  %2 = bnn.ewise "mul" %1, <tensor<2xf32>, [3.0, -3.0]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %3 = bnn.max_pool %2 kernel [2 : i64] strides [2 : i64] dilations [1 : i64] : tensor<2x2xf32> -> tensor<1x2xf32>
  func.return %3 : tensor<1x2xf32>
}

// Of few values thresholds give the negative ones.
// CHECK-LABEL: @negated_bits
// CHECK-NEXT:   %[[N:.*]] = bnn.threshold %x at <tensor<1x2xsi2>, [-1, 1]> steps <tensor<1x2xsi2>, [1, -1]> bias 0 {bnn.margin = "exact"} : tensor<2x1x!bnn.bipolar> -> tensor<2x1x!bnn.bipolar>
// CHECK-NEXT:   %[[P:.*]] = bnn.max_pool %[[N]]
// CHECK-NEXT:   %[[C:.*]] = bnn.cast %[[P]]
// CHECK-NEXT:   %[[M:.*]] = bnn.ewise "mul" %[[C]], <tensor<1xf32>, [-1.0]>
// CHECK-NEXT:   bnn.ewise "neg" %[[M]]
func.func @negated_bits(%x: tensor<2x1x!bnn.bipolar>) -> tensor<1x1xf32> {
  %0 = bnn.cast %x : tensor<2x1x!bnn.bipolar> -> tensor<2x1xf32>
  %1 = bnn.ewise "neg" %0 : tensor<2x1xf32> -> tensor<2x1xf32>
  %2 = bnn.max_pool %1 kernel [2 : i64] strides [2 : i64] dilations [1 : i64] : tensor<2x1xf32> -> tensor<1x1xf32>
  func.return %2 : tensor<1x1xf32>
}
