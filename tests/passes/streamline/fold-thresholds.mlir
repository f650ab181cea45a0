// RUN: irc-opt %s -p fold-thresholds | filecheck %s

// Two quantizers read the same sums: the weights stay, and one of them steps down.
// CHECK-LABEL: @shared
// CHECK-NEXT:   %[[S:.*]] = bnn.linear %x, <tensor<1x2x!bnn.bipolar>, [1, 1]>
// CHECK-NEXT:   bnn.threshold %[[S]] at <tensor<1x1xui1>, [0]> bias 0 {bnn.margin = "exact"}
// CHECK-NEXT:   bnn.threshold %[[S]] at <tensor<1x1xui2>, [2]> steps <tensor<1x1xsi1>, [-1]> bias 1 {bnn.margin = "exact"}
// CHECK-NEXT:   func.return
func.func @shared(%x: tensor<2x!bnn.bipolar>) -> (tensor<1x!bnn.bipolar>, tensor<1x!bnn.bipolar>) {
  %0 = bnn.linear %x, <tensor<1x2x!bnn.bipolar>, [1, 1]> : tensor<2x!bnn.bipolar> -> tensor<1xsi3>
  %1 = bnn.cast %0 : tensor<1xsi3> -> tensor<1xf32>
  %2 = bnn.quantize "bipolar" %1 : tensor<1xf32> -> tensor<1x!bnn.bipolar>
  %3 = bnn.ewise "neg" %1 : tensor<1xf32> -> tensor<1xf32>
  %4 = bnn.quantize "bipolar" %3 : tensor<1xf32> -> tensor<1x!bnn.bipolar>
  func.return %2, %4 : tensor<1x!bnn.bipolar>, tensor<1x!bnn.bipolar>
}

// Several levels, ties to even: 0.5 and 2.5 down, 1.5 up.
// CHECK-LABEL: @levels
// CHECK-NEXT:   bnn.threshold %x at <tensor<1x3xui3>, [2, 3, 6]> bias 0 {bnn.margin = "exact"} : tensor<4xui3> -> tensor<4xui2>
func.func @levels(%x: tensor<4xui3>) -> tensor<4xui2> {
  %0 = bnn.cast %x : tensor<4xui3> -> tensor<4xf32>
  %1 = bnn.ewise "div" %0, <tensor<f32>, [2.0]> : tensor<4xf32> -> tensor<4xf32>
  %2 = bnn.quantize "half_even" %1 : tensor<4xf32> -> tensor<4xui2>
  func.return %2 : tensor<4xui2>
}

// A chain that is not monotone is tabulated.
// CHECK-LABEL: @tabulated
// CHECK-NEXT:   bnn.threshold %x at <tensor<1x2xsi3>, [-1, 2]> steps <tensor<1x2xsi2>, [-1, 1]> bias 1 {bnn.margin = "exact"} : tensor<4xsi4> -> tensor<4x!bnn.bipolar>
func.func @tabulated(%x: tensor<4xsi4>) -> tensor<4x!bnn.bipolar> {
  %0 = bnn.cast %x : tensor<4xsi4> -> tensor<4xf32>
  %1 = bnn.ewise "abs" %0 : tensor<4xf32> -> tensor<4xf32>
  %2 = bnn.ewise "sub" %1, <tensor<f32>, [1.5]> : tensor<4xf32> -> tensor<4xf32>
  %3 = bnn.quantize "bipolar" %2 : tensor<4xf32> -> tensor<4x!bnn.bipolar>
  func.return %3 : tensor<4x!bnn.bipolar>
}

// Sign gives 0 at 0. An odd sum is never 0, so that two levels, hence one bit, are left.
// CHECK-LABEL: @sign
// CHECK:        bnn.threshold %{{.*}} at <tensor<1x2xui2>, [0, 2]> bias -1 {bnn.margin = "exact"} : tensor<1xsi3> -> tensor<1xsi2>
// CHECK:        bnn.threshold %{{.*}} at <tensor<1x1xui1>, [1]> bias 0 {bnn.margin = "exact"} : tensor<1xsi3> -> tensor<1x!bnn.bipolar>
func.func @sign(%x: tensor<2x!bnn.bipolar>, %y: tensor<3x!bnn.bipolar>) -> (tensor<1xf32>, tensor<1xf32>) {
  %0 = bnn.linear %x, <tensor<1x2x!bnn.bipolar>, [1, 1]> : tensor<2x!bnn.bipolar> -> tensor<1xsi3>
  %1 = bnn.cast %0 : tensor<1xsi3> -> tensor<1xf32>
  %2 = bnn.quantize "sign" %1 : tensor<1xf32> -> tensor<1xsi2>
  %3 = bnn.cast %2 : tensor<1xsi2> -> tensor<1xf32>
  %4 = bnn.linear %y, <tensor<1x3x!bnn.bipolar>, [1, 1, 1]> : tensor<3x!bnn.bipolar> -> tensor<1xsi3>
  %5 = bnn.cast %4 : tensor<1xsi3> -> tensor<1xf32>
  %6 = bnn.quantize "sign" %5 : tensor<1xf32> -> tensor<1xsi2>
  %7 = bnn.cast %6 : tensor<1xsi2> -> tensor<1xf32>
  func.return %3, %7 : tensor<1xf32>, tensor<1xf32>
}

// A result whose type others depend on keeps it.
// CHECK-LABEL: @returned
// CHECK-NEXT:   bnn.threshold {{.*}} -> tensor<1xsi2>
// CHECK-NEXT:   func.return %{{.*}} : tensor<1xsi2>
func.func @returned(%x: tensor<1x!bnn.bipolar>) -> tensor<1xsi2> {
  %0 = bnn.cast %x : tensor<1x!bnn.bipolar> -> tensor<1xf32>
  %1 = bnn.quantize "sign" %0 : tensor<1xf32> -> tensor<1xsi2>
  func.return %1 : tensor<1xsi2>
}
