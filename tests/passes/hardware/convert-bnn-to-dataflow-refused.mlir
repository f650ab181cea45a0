// RUN: not irc-opt %s -p convert-bnn-to-dataflow 2>&1 | filecheck %s

// Both obstacles are reported, each with its node.

// CHECK: node 'Transpose_1' (bnn.transpose): transposing by [1, 0] reorders a stream, which hardware has no unit for
// CHECK: node 'Argmax_2' (bnn.argmax): hardware has no unit for it

func.func @net(%x: tensor<2x3x!bnn.bipolar>) -> tensor<3x!bnn.bipolar> {
  %a = bnn.threshold %x at <tensor<1x1xui1>, [0]> bias 0 : tensor<2x3x!bnn.bipolar> -> tensor<2x3x!bnn.bipolar>
  %b = bnn.transpose %a perm [1, 0] : tensor<2x3x!bnn.bipolar> -> tensor<3x2x!bnn.bipolar> loc("Transpose_1")
  %c = bnn.argmax %b : tensor<3x2x!bnn.bipolar> -> tensor<3xui1> loc("Argmax_2")
  %d = bnn.threshold %c at <tensor<1x1xui1>, [1]> bias 0 : tensor<3xui1> -> tensor<3x!bnn.bipolar>
  func.return %d : tensor<3x!bnn.bipolar>
}
