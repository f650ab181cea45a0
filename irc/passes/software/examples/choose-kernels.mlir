// RUN: irc-opt %s -p convert-bnn-to-packed,choose-kernels{least-results=2} | filecheck %s

// A threshold on the sum becomes a limit of the count: 70 - 2 count >= 3 is count < 34. The second
// word of the tree's weights, 0, is stored as its difference from the first.
// CHECK-LABEL: func.func @dense
func.func @dense(%x: tensor<70x!bnn.bipolar>) -> tensor<2xsi4> {
  // CHECK: packed.xnor_dense "dense" {{.*}}, <tensor<2x3xui32>, [255, 255, 0, 0, 0, 0]>
  // CHECK-SAME: limits = #bnn.dense<tensor<2xui7>, [34, 71]>, kernel = "tree", block = 3 : i64, pairs
  %0 = bnn.linear %x, <tensor<2x70x!bnn.bipolar>, "0xff0000000000000000000000000000000000"> : tensor<70x!bnn.bipolar> -> tensor<2xsi8>
  %1 = bnn.threshold %0 at <tensor<2x1xsi8>, [3, -71]> bias 0 : tensor<2xsi8> -> tensor<2x!bnn.bipolar>
  %2 = bnn.linear %1, <tensor<2x2x!bnn.bipolar>, [1, 1, 1, -1]> : tensor<2x!bnn.bipolar> -> tensor<2xsi4>
  func.return %2 : tensor<2xsi4>
}
