// RUN: irc-opt %s -p streamline-reshapes | filecheck %s

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

// Before a quantizer it goes behind it, so that the constant is not repeated.
// CHECK-LABEL: @not_repeated
// CHECK-NEXT:   bnn.cast %x
// CHECK-NEXT:   bnn.ewise "add" %{{.*}}, <tensor<2xf32>, [1.0, 2.0]>
// CHECK-NEXT:   bnn.quantize
// CHECK-NEXT:   bnn.reshape
func.func @not_repeated(%x: tensor<2x2xui8>) -> tensor<4xsi4> {
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

// A sum of branches keeps its shape: the reshape goes behind the quantizer, and other readers of
// the sum see no difference.
// CHECK-LABEL: @sum_of_branches
// CHECK-NEXT:   %[[S:.*]] = bnn.add %x, %y
// CHECK-NEXT:   %[[M:.*]] = bnn.ewise "mul" %[[S]], <tensor<3xf32>, [1.0, 2.0, 3.0]> : tensor<1x3xf32> -> tensor<1x3xf32>
// CHECK-NEXT:   %[[A:.*]] = bnn.quantize "half_even" %[[M]] : tensor<1x3xf32> -> tensor<1x3xsi4>
// CHECK-NEXT:   %[[R:.*]] = bnn.reshape %[[A]] : tensor<1x3xsi4> -> tensor<3xsi4>
// CHECK-NEXT:   %[[B:.*]] = bnn.quantize "floor" %[[S]] : tensor<1x3xf32> -> tensor<1x3xsi4>
// CHECK-NEXT:   func.return %[[R]], %[[B]]
func.func @sum_of_branches(%x: tensor<1x3xf32>, %y: tensor<1x3xf32>) -> (tensor<3xsi4>, tensor<1x3xsi4>) {
  %0 = bnn.add %x, %y : tensor<1x3xf32>, tensor<1x3xf32> -> tensor<1x3xf32>
  %1 = bnn.reshape %0 : tensor<1x3xf32> -> tensor<3xf32>
  %2 = bnn.ewise "mul" %1, <tensor<3xf32>, [1.0, 2.0, 3.0]> : tensor<3xf32> -> tensor<3xf32>
  %3 = bnn.quantize "half_even" %2 : tensor<3xf32> -> tensor<3xsi4>
  %4 = bnn.quantize "floor" %0 : tensor<1x3xf32> -> tensor<1x3xsi4>
  func.return %3, %4 : tensor<3xsi4>, tensor<1x3xsi4>
}

// So it does where the reshape stands in front of the functions that follow the sum.
// CHECK-LABEL: @in_the_chain
// CHECK-NEXT:   %[[S:.*]] = bnn.add %x, %x
// CHECK-NEXT:   %[[N:.*]] = bnn.ewise "neg" %[[S]] : tensor<2x2xf32> -> tensor<2x2xf32>
// CHECK-NEXT:   %[[M:.*]] = bnn.ewise "mul" %[[N]], <tensor<2xf32>, [1.0, 2.0]> : tensor<2x2xf32> -> tensor<2x2xf32>
// CHECK-NEXT:   %[[Q:.*]] = bnn.quantize "half_even" %[[M]] : tensor<2x2xf32> -> tensor<2x2xsi4>
// CHECK-NEXT:   bnn.reshape %[[Q]] : tensor<2x2xsi4> -> tensor<4xsi4>
func.func @in_the_chain(%x: tensor<2x2xf32>) -> tensor<4xsi4> {
  %0 = bnn.add %x, %x : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  %1 = bnn.ewise "neg" %0 : tensor<2x2xf32> -> tensor<2x2xf32>
  %2 = bnn.reshape %1 : tensor<2x2xf32> -> tensor<4xf32>
  %3 = bnn.ewise "mul" %2, <tensor<4xf32>, [1.0, 2.0, 1.0, 2.0]> : tensor<4xf32> -> tensor<4xf32>
  %4 = bnn.quantize "half_even" %3 : tensor<4xf32> -> tensor<4xsi4>
  func.return %4 : tensor<4xsi4>
}

// Between a sum and its quantizer it would keep them apart.
// CHECK-LABEL: @behind_sum
// CHECK-NEXT:   %[[S:.*]] = bnn.conv %x
// CHECK-NEXT:   %[[F:.*]] = bnn.cast %[[S]] : tensor<1x2xsi4> -> tensor<1x2xf32>
// CHECK-NEXT:   %[[A:.*]] = bnn.ewise "add" %[[F]]
// CHECK-NEXT:   %[[Q:.*]] = bnn.quantize "bipolar" %[[A]] : tensor<1x2xf32>
// CHECK-NEXT:   bnn.reshape %[[Q]] : tensor<1x2x!bnn.bipolar> -> tensor<2x!bnn.bipolar>
func.func @behind_sum(%x: tensor<2x1xsi3>) -> tensor<2x!bnn.bipolar> {
  %0 = bnn.conv %x, <tensor<2x2x1x!bnn.bipolar>, [1, 1, 1, -1]> strides [1 : i64] dilations [1 : i64] groups 1 : tensor<2x1xsi3> -> tensor<1x2xsi4>
  %1 = bnn.reshape %0 : tensor<1x2xsi4> -> tensor<2xsi4>
  %2 = bnn.cast %1 : tensor<2xsi4> -> tensor<2xf32>
  %3 = bnn.ewise "add" %2, <tensor<2xf32>, [0.5, 1.5]> : tensor<2xf32> -> tensor<2xf32>
  %4 = bnn.quantize "bipolar" %3 : tensor<2xf32> -> tensor<2x!bnn.bipolar>
  func.return %4 : tensor<2x!bnn.bipolar>
}
