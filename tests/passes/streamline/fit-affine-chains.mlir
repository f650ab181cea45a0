// RUN: irc-opt %s -p fit-affine-chains | filecheck %s

// A ReLU behind a quantizer gives multiples of its scale: it is another quantizer.
// CHECK-LABEL: @quantizer
// CHECK:        %[[R:.*]] = bnn.ewise "relu"
// CHECK-NEXT:   %[[D:.*]] = bnn.ewise "div" %[[R]], <tensor<f32>, [0.5]>
// CHECK-NEXT:   %[[Q:.*]] = bnn.quantize "half_even" %[[D]] min 0 max 1 : tensor<2xf32> -> tensor<2xui1>
// CHECK-NEXT:   %[[C:.*]] = bnn.cast %[[Q]]
// CHECK-NEXT:   %[[M:.*]] = bnn.ewise "mul" %[[C]], <tensor<f32>, [0.5]>
// CHECK-NEXT:   bnn.linear %[[M]]
func.func @quantizer(%x: tensor<2xsi2>) -> tensor<1xf32> {
  %0 = bnn.cast %x : tensor<2xsi2> -> tensor<2xf32>
  %1 = bnn.ewise "mul" %0, <tensor<f32>, [0.5]> : tensor<2xf32> -> tensor<2xf32>
  %2 = bnn.ewise "relu" %1 : tensor<2xf32> -> tensor<2xf32>
  %3 = bnn.linear %2, <tensor<1x2x!bnn.bipolar>, [1, -1]> : tensor<2xf32> -> tensor<1xf32>
  func.return %3 : tensor<1xf32>
}

// Squares are no multiples of few: the function stays. So does what is exact already.
// CHECK-LABEL: @neither
// CHECK:        bnn.ewise "softsign"
// CHECK-NEXT:   bnn.linear
// CHECK-NEXT:   bnn.linear %x
func.func @neither(%x: tensor<2xui8>) -> (tensor<1xf32>, tensor<1xsi10>) {
  %0 = bnn.cast %x : tensor<2xui8> -> tensor<2xf32>
  %1 = bnn.ewise "softsign" %0 : tensor<2xf32> -> tensor<2xf32>
  %2 = bnn.linear %1, <tensor<1x2x!bnn.bipolar>, [1, -1]> : tensor<2xf32> -> tensor<1xf32>
  %3 = bnn.linear %x, <tensor<1x2x!bnn.bipolar>, [1, -1]> : tensor<2xui8> -> tensor<1xsi10>
  func.return %2, %3 : tensor<1xf32>, tensor<1xsi10>
}
