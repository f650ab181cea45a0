// RUN: irc-opt %s -p fold-residual-adds | filecheck %s

// Else the smallest multipliers that give every pair its code, a channel each; the code falls
// in the second.
// CHECK-LABEL: @by_channel
// CHECK-NEXT:   %[[S:.*]] = bnn.add %x, %y multipliers <tensor<2x2xsi3>, [2, 2, 1, -3]> : tensor<2xsi4>, tensor<2x!bnn.bipolar> -> tensor<2xsi6>
// CHECK-NEXT:   bnn.threshold %[[S]] at <tensor<2x{{.*}}> steps {{.*}} {bnn.margin = "exact"} : tensor<2xsi6> -> tensor<2x!bnn.bipolar>
func.func @by_channel(%x: tensor<2xsi4>, %y: tensor<2x!bnn.bipolar>) -> tensor<2x!bnn.bipolar> {
  %0 = bnn.cast %x : tensor<2xsi4> -> tensor<2xf32>
  %1 = bnn.ewise "mul" %0, <tensor<2xf32>, [0.7, -0.4]> : tensor<2xf32> -> tensor<2xf32>
  %2 = bnn.cast %y : tensor<2x!bnn.bipolar> -> tensor<2xf32>
  %3 = bnn.ewise "mul" %2, <tensor<f32>, [0.5]> : tensor<2xf32> -> tensor<2xf32>
  %4 = bnn.add %1, %3 : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
  %5 = bnn.quantize "bipolar" %4 : tensor<2xf32> -> tensor<2x!bnn.bipolar>
  func.return %5 : tensor<2x!bnn.bipolar>
}

// A branch that is no scale and offset of few integers is looked up first.
// CHECK-LABEL: @looked_up
// CHECK-NEXT:   %[[T:.*]] = bnn.threshold %y at {{.*}} {bnn.margin = "exact"} : tensor<1xsi3> ->
// CHECK-NEXT:   %[[S:.*]] = bnn.add %x, %[[T]]
// CHECK-NEXT:   bnn.threshold %[[S]]
// CHECK-NEXT:   func.return
func.func @looked_up(%x: tensor<1xsi6>, %y: tensor<1xsi3>) -> tensor<1xsi4> {
  %0 = bnn.cast %x : tensor<1xsi6> -> tensor<1xf32>
  %1 = bnn.cast %y : tensor<1xsi3> -> tensor<1xf32>
  %2 = bnn.ewise "mul" %1, <tensor<f32>, [1.5]> : tensor<1xf32> -> tensor<1xf32>
  %3 = bnn.ewise "relu" %2 : tensor<1xf32> -> tensor<1xf32>
  %4 = bnn.add %0, %3 : tensor<1xf32>, tensor<1xf32> -> tensor<1xf32>
  %5 = bnn.ewise "mul" %4, <tensor<f32>, [0.5]> : tensor<1xf32> -> tensor<1xf32>
  %6 = bnn.quantize "floor" %5 : tensor<1xf32> -> tensor<1xsi4>
  func.return %6 : tensor<1xsi4>
}

// Both branches of one integer are one function of it.
// CHECK-LABEL: @one_integer
// CHECK-NEXT:   bnn.threshold %x
// CHECK-NEXT:   func.return
func.func @one_integer(%x: tensor<1xsi4>) -> tensor<1xui3> {
  %0 = bnn.cast %x : tensor<1xsi4> -> tensor<1xf32>
  %1 = bnn.ewise "relu" %0 : tensor<1xf32> -> tensor<1xf32>
  %2 = bnn.ewise "abs" %0 : tensor<1xf32> -> tensor<1xf32>
  %3 = bnn.add %1, %2 : tensor<1xf32>, tensor<1xf32> -> tensor<1xf32>
  %4 = bnn.quantize "floor" %3 : tensor<1xf32> -> tensor<1xui3>
  func.return %4 : tensor<1xui3>
}

// What does not quantize the sum reads its scale; a quantizer beside it shares the integers.
// CHECK-LABEL: @two_readers
// CHECK-NEXT:   %[[S:.*]] = bnn.add %x, %y multipliers <tensor<2x1xui2>, [1, 2]>
// CHECK-NEXT:   %[[T:.*]] = bnn.add %x, %y multipliers <tensor<2x1xui2>, [1, 2]>
// CHECK-NEXT:   %[[C:.*]] = bnn.cast %[[T]]
// CHECK-NEXT:   %[[M:.*]] = bnn.ewise "mul" %[[C]], <tensor<f32>, [0.25]>
// CHECK-NEXT:   %[[Q:.*]] = bnn.threshold %[[S]]
// CHECK-NEXT:   func.return %[[Q]], %[[M]]
func.func @two_readers(%x: tensor<1xsi4>, %y: tensor<1xsi4>) -> (tensor<1x!bnn.bipolar>, tensor<1xf32>) {
  %0 = bnn.cast %x : tensor<1xsi4> -> tensor<1xf32>
  %1 = bnn.ewise "mul" %0, <tensor<f32>, [0.25]> : tensor<1xf32> -> tensor<1xf32>
  %2 = bnn.cast %y : tensor<1xsi4> -> tensor<1xf32>
  %3 = bnn.ewise "mul" %2, <tensor<f32>, [0.5]> : tensor<1xf32> -> tensor<1xf32>
  %4 = bnn.add %1, %3 : tensor<1xf32>, tensor<1xf32> -> tensor<1xf32>
  %5 = bnn.quantize "bipolar" %4 : tensor<1xf32> -> tensor<1x!bnn.bipolar>
  func.return %5, %4 : tensor<1x!bnn.bipolar>, tensor<1xf32>
}

// What cannot be exact stays, with the reason and a way round.
// CHECK-LABEL: @refused
// CHECK:        bnn.add %{{.*}} {bnn.reason = "neither branch is a function that always rises or always falls in every channel; put a quantizer of few bits on each branch, or let them share a scale"}
func.func @refused(%x: tensor<1xsi4>, %y: tensor<1xsi4>) -> tensor<1x!bnn.bipolar> {
  %0 = bnn.cast %x : tensor<1xsi4> -> tensor<1xf32>
  %1 = bnn.ewise "abs" %0 : tensor<1xf32> -> tensor<1xf32>
  %2 = bnn.cast %y : tensor<1xsi4> -> tensor<1xf32>
  %3 = bnn.ewise "abs" %2 : tensor<1xf32> -> tensor<1xf32>
  %4 = bnn.add %1, %3 : tensor<1xf32>, tensor<1xf32> -> tensor<1xf32>
  %5 = bnn.quantize "bipolar" %4 : tensor<1xf32> -> tensor<1x!bnn.bipolar>
  func.return %5 : tensor<1x!bnn.bipolar>
}
