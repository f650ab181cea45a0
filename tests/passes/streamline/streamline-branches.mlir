// RUN: irc-opt %s -p streamline-branches | filecheck %s

// What no quantizer follows is joined as integers of one type, with a scale a channel behind;
// what one of the branches lacks is an identity.
// CHECK-LABEL: @scales_behind
// CHECK-NEXT:   %[[W:.*]] = bnn.threshold %y at <tensor<1x1xui1>, [1]> steps <tensor<1x1xui2>, [2]> bias -1 {bnn.margin = "exact"} : tensor<1x!bnn.bipolar> -> tensor<1xsi4>
// CHECK-NEXT:   %[[J:.*]] = bnn.concat %x, %[[W]] axis 0
// CHECK-NEXT:   %[[C:.*]] = bnn.cast %[[J]]
// CHECK-NEXT:   %[[M:.*]] = bnn.ewise "mul" %[[C]], <tensor<3xf32>, [0.5, 0.5, 1.0]>
// CHECK-NEXT:   %[[A:.*]] = bnn.ewise "add" %[[M]], <tensor<3xf32>, [-0.0, -0.0, 3.0]>
// CHECK-NEXT:   func.return %[[A]]
func.func @scales_behind(%x: tensor<2xsi4>, %y: tensor<1x!bnn.bipolar>) -> tensor<3xf32> {
  %0 = bnn.cast %x : tensor<2xsi4> -> tensor<2xf32>
  %1 = bnn.ewise "mul" %0, <tensor<f32>, [0.5]> : tensor<2xf32> -> tensor<2xf32>
  %2 = bnn.cast %y : tensor<1x!bnn.bipolar> -> tensor<1xf32>
  %3 = bnn.ewise "add" %2, <tensor<f32>, [3.0]> : tensor<1xf32> -> tensor<1xf32>
  %4 = bnn.concat %1, %3 axis 0 : tensor<2xf32>, tensor<1xf32> -> tensor<3xf32>
  func.return %4 : tensor<3xf32>
}

// CHECK-LABEL: @slices_first
// CHECK-NEXT:   %[[S:.*]] = bnn.slice %x offsets [1 : i64] sizes [2 : i64] strides [2 : i64] : tensor<4xsi4> -> tensor<2xsi4>
// CHECK-NEXT:   %[[C:.*]] = bnn.cast %[[S]]
// CHECK-NEXT:   bnn.ewise "mul" %[[C]], <tensor<2xf32>, [2.0, 4.0]>
func.func @slices_first(%x: tensor<4xsi4>) -> tensor<2xf32> {
  %0 = bnn.cast %x : tensor<4xsi4> -> tensor<4xf32>
  %1 = bnn.ewise "mul" %0, <tensor<4xf32>, [1.0, 2.0, 3.0, 4.0]> : tensor<4xf32> -> tensor<4xf32>
  %2 = bnn.slice %1 offsets [1 : i64] sizes [2 : i64] strides [2 : i64] : tensor<4xf32> -> tensor<2xf32>
  func.return %2 : tensor<2xf32>
}

// Each element is quantized before it is repeated; without a quantizer its scale comes behind.
// CHECK-LABEL: @upsampled
// CHECK-NEXT:   %[[C:.*]] = bnn.cast %x : tensor<1x1xsi4> -> tensor<1x1xf32>
// CHECK-NEXT:   %[[Q:.*]] = bnn.quantize "floor" %[[C]]
// CHECK-NEXT:   %[[U:.*]] = bnn.upsample %[[Q]] factors [2 : i64, 1 : i64] : tensor<1x1xui2> -> tensor<2x1xui2>
// CHECK-NEXT:   %[[V:.*]] = bnn.upsample %x factors [2 : i64, 1 : i64] : tensor<1x1xsi4> -> tensor<2x1xsi4>
// CHECK-NEXT:   %[[D:.*]] = bnn.cast %[[V]]
// CHECK-NEXT:   func.return %[[U]], %[[D]]
func.func @upsampled(%x: tensor<1x1xsi4>) -> (tensor<2x1xui2>, tensor<2x1xf32>) {
  %0 = bnn.cast %x : tensor<1x1xsi4> -> tensor<1x1xf32>
  %1 = bnn.upsample %0 factors [2 : i64, 1 : i64] : tensor<1x1xf32> -> tensor<2x1xf32>
  %2 = bnn.quantize "floor" %1 : tensor<2x1xf32> -> tensor<2x1xui2>
  %3 = bnn.cast %x : tensor<1x1xsi4> -> tensor<1x1xf32>
  %4 = bnn.upsample %3 factors [2 : i64, 1 : i64] : tensor<1x1xf32> -> tensor<2x1xf32>
  func.return %2, %4 : tensor<2x1xui2>, tensor<2x1xf32>
}

// A slice of one operand of a join reads that, even if both are padded.
// CHECK-LABEL: @one_operand
// CHECK-NEXT:   %[[P:.*]] = bnn.pad %y
// CHECK-NEXT:   func.return %[[P]]
func.func @one_operand(%x: tensor<2x2xsi4>, %y: tensor<2x1xsi4>) -> tensor<3x1xsi4> {
  %0 = bnn.concat %x, %y axis 1 : tensor<2x2xsi4>, tensor<2x1xsi4> -> tensor<2x3xsi4>
  %1 = bnn.pad %0 before [1 : i64] after [0 : i64] value 0.0 : tensor<2x3xsi4> -> tensor<3x3xsi4>
  %2 = bnn.slice %1 offsets [0 : i64, 2 : i64] sizes [3 : i64, 1 : i64] strides [1 : i64, 1 : i64] : tensor<3x3xsi4> -> tensor<3x1xsi4>
  func.return %2 : tensor<3x1xsi4>
}
