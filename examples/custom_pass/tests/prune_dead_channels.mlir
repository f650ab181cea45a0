// RUN: irc-opt %s -p prune-dead-channels | filecheck %s
// RUN: irc-opt %s -p 'prune-dead-channels{multiple=3}' | filecheck %s --check-prefix=THREE
// RUN: not irc-opt %s -p 'prune-dead-channels{multiple=0}' 2>&1 | filecheck %s --check-prefix=WRONG

// The second layer multiplies channels 1 and 3 of the first by zero.
// CHECK:      bnn.linear %x, <tensor<2x2xsi2>, [-1, 1, 1, -1]>
// CHECK-NEXT: bnn.threshold {{.*}} at <tensor<2x1xsi2>, [0, 1]>
// CHECK-NEXT: bnn.linear {{.*}}, <tensor<2x2xsi2>, [1, -1, 1, 1]>
// THREE:      bnn.linear %x, <tensor<3x2xsi2>, [-1, 1, 1, 1, 1, -1]>
// WRONG: multiple=0: it must be 1 or more
func.func @net(%x: tensor<2x!bnn.bipolar>) -> tensor<2xsi3> {
  %0 = bnn.linear %x, <tensor<4x2xsi2>, [-1, 1, 1, 1, 1, -1, -1, -1]> : tensor<2x!bnn.bipolar> -> tensor<4xsi3>
  %1 = bnn.threshold %0 at <tensor<4x1xsi2>, [0, 1, 1, 0]> bias 0 : tensor<4xsi3> -> tensor<4x!bnn.bipolar>
  %2 = bnn.linear %1, <tensor<2x4xsi2>, [1, 0, -1, 0, 1, 0, 1, 0]> : tensor<4x!bnn.bipolar> -> tensor<2xsi3>
  func.return %2 : tensor<2xsi3>
}
