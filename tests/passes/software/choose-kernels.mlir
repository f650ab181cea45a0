// RUN: irc-opt %s -p convert-bnn-to-packed,choose-kernels{least-results=2} | filecheck %s
// RUN: irc-opt %s -p convert-bnn-to-packed,choose-kernels | filecheck %s --check-prefix=FEW
// RUN: irc-opt %s -p 'convert-bnn-to-packed,choose-kernels{least-results=2 unroll=64}' | filecheck %s --check-prefix=SMALL
// RUN: irc-opt %s -p 'convert-bnn-to-packed,choose-kernels{least-results=2 popcount=builtin}' | filecheck %s --check-prefix=BUILTIN
// RUN: not irc-opt %s -p 'convert-bnn-to-packed,choose-kernels{popcount=fast}' 2>&1 | filecheck %s --check-prefix=FAST
// RUN: not irc-opt %s -p 'convert-bnn-to-packed,choose-kernels{unroll=-1}' 2>&1 | filecheck %s --check-prefix=BYTES

// RUN: irc-opt %s -p 'convert-bnn-to-packed{word=8},choose-kernels{least-results=2}' | filecheck %s --check-prefix=BYTE

// FAST: choose-kernels: popcount must be one of auto, tree, swar, table, builtin, not fast
// BYTES: choose-kernels: unroll must be bytes of code, not -1

// A threshold on the sum becomes a limit of the count: 70 - 2 count >= 3 is count < 34. The second
// word of the tree's weights, 0, is stored as its difference from the first.
// CHECK-LABEL: func.func @dense
// FEW-LABEL: func.func @dense
// SMALL-LABEL: func.func @dense
// BUILTIN-LABEL: func.func @dense
func.func @dense(%x: tensor<70x!bnn.bipolar>) -> tensor<2xsi4> {
  // CHECK: packed.xnor_dense "dense" {{.*}}, <tensor<2x3xui32>, [255, 255, 0, 0, 0, 0]>
  // CHECK-SAME: limits = #bnn.dense<tensor<2xui7>, [34, 71]>, kernel = "tree", block = 3 : i64, pairs
  // FEW: packed.xnor_dense "dense"
  // FEW-SAME: limits = #bnn.dense<tensor<2xui7>, [34, 71]>} :
  // SMALL: kernel = "tree", block = 2 : i64
  // BUILTIN: packed.xnor_dense "dense" {{.*}}, <tensor<2x3xui32>, [255, 0, 0, 0, 0, 0]>
  // BUILTIN-SAME: popcount = "builtin"
  // BUILTIN-SAME: kernel = "unrolled"
  %0 = bnn.linear %x, <tensor<2x70x!bnn.bipolar>, "0xff0000000000000000000000000000000000"> : tensor<70x!bnn.bipolar> -> tensor<2xsi8>
  %1 = bnn.threshold %0 at <tensor<2x1xsi8>, [3, -71]> bias 0 : tensor<2xsi8> -> tensor<2x!bnn.bipolar>
  %2 = bnn.linear %1, <tensor<2x2x!bnn.bipolar>, [1, 1, 1, -1]> : tensor<2x!bnn.bipolar> -> tensor<2xsi4>
  func.return %2 : tensor<2xsi4>
}

// Two planes by one of weights go into one tree. Wide activations are looked up, here all five in one
// table. Trees take words of 32 bits.
// CHECK-LABEL: func.func @wide
// BYTE-LABEL: func.func @wide
func.func @wide(%x: tensor<5xui8>, %y: tensor<5xui2>) -> (tensor<16xsi12>, tensor<2xsi5>) {
  // CHECK: packed.sign_dense "dense" {{.*}}, <tensor<16x1xui8>, [31, 31,
  // CHECK-SAME: lookup = 5
  %0 = bnn.linear %x, <tensor<16x5x!bnn.bipolar>, "0xffffffffffffffffffff"> : tensor<5xui8> -> tensor<16xsi12>
  // CHECK: packed.plane_dense "dense_2"
  // CHECK-SAME: kernel = "tree", block = 1 : i64
  // BYTE: packed.plane_dense "dense_2"
  // BYTE-SAME: popcount = "swar"} :
  %1 = bnn.linear %y, <tensor<2x5x!bnn.bipolar>, [1, 1, 1, 1, 1, -1, -1, -1, -1, 1]> : tensor<5xui2> -> tensor<2xsi5>
  func.return %0, %1 : tensor<16xsi12>, tensor<2xsi5>
}
