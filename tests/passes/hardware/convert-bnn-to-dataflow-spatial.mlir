// RUN: irc-opt %s -p convert-bnn-to-dataflow | filecheck %s
// RUN: irc-opt %s -p convert-bnn-to-dataflow | irc-opt | filecheck %s

// A convolution is a matrix-vector unit on windows, in groups where it has some. Windows of a pool
// that overlap are laid out first, each as a row of an image of its own.

// CHECK:      %0 = dataflow.to_stream %x : tensor<4x4x2x!bnn.bipolar> -> !dataflow.stream<tensor<4x4x2x!bnn.bipolar>, 1>
// CHECK-NEXT: %a = dataflow.pad %0 before [1 : i64, 1 : i64] after [1 : i64, 1 : i64] value 0.000000e+00 : !dataflow.stream<tensor<4x4x2x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<6x6x2xsi2>, 1>
// CHECK-NEXT: %1 = dataflow.window %a kernel [3 : i64, 3 : i64] strides [1 : i64, 1 : i64] dilations [1 : i64, 1 : i64] : !dataflow.stream<tensor<6x6x2xsi2>, 1> -> !dataflow.stream<tensor<4x4x18xsi2>, 1>
// CHECK-NEXT: %c = dataflow.mvu "conv1" %1 weights <tensor<2x18x!bnn.bipolar>, "0x0f3c5a9603"> at <tensor<2x1xui1>, [0, 1]> bias 0 pe 1 simd 1 memory "auto" : !dataflow.stream<tensor<4x4x18xsi2>, 1> -> !dataflow.stream<tensor<4x4x2x!bnn.bipolar>, 1>
// CHECK-NEXT: %2 = dataflow.window %c kernel [2 : i64, 2 : i64] strides [1 : i64, 1 : i64] dilations [1 : i64, 1 : i64] : !dataflow.stream<tensor<4x4x2x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<3x3x8x!bnn.bipolar>, 1>
// CHECK-NEXT: %3 = dataflow.reshape %2 : !dataflow.stream<tensor<3x3x8x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<9x4x2x!bnn.bipolar>, 1>
// CHECK-NEXT: %4 = dataflow.max_pool %3 kernel [1 : i64, 4 : i64] strides [1 : i64, 4 : i64] : !dataflow.stream<tensor<9x4x2x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<9x1x2x!bnn.bipolar>, 1>
// CHECK-NEXT: %d = dataflow.reshape %4 : !dataflow.stream<tensor<9x1x2x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<3x3x2x!bnn.bipolar>, 1>
// CHECK-NEXT: %5 = dataflow.window %d kernel [2 : i64, 2 : i64] strides [1 : i64, 1 : i64] dilations [1 : i64, 1 : i64] groups 2 : !dataflow.stream<tensor<3x3x2x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<2x2x8x!bnn.bipolar>, 1>
// CHECK-NEXT: %f = dataflow.mvu "conv2" %5 weights <tensor<2x4x!bnn.bipolar>, [1, 1, -1, 1, -1, 1, 1, -1]> groups 2 channels 1 at <tensor<1x1xui1>, [1]> bias 0 pe 1 simd 1 memory "auto" : !dataflow.stream<tensor<2x2x8x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<2x2x2xui1>, 1>
// CHECK-NEXT: %g = dataflow.sum_pool %f kernel [2 : i64, 2 : i64] strides [2 : i64, 2 : i64] : !dataflow.stream<tensor<2x2x2xui1>, 1> -> !dataflow.stream<tensor<1x1x2xui3>, 1>
// CHECK-NEXT: %g_1 = dataflow.from_stream %g : !dataflow.stream<tensor<1x1x2xui3>, 1> -> tensor<1x1x2xui3>

func.func @net(%x: tensor<4x4x2x!bnn.bipolar>) -> tensor<1x1x2xui3> {
  %a = bnn.pad %x before [1 : i64, 1 : i64] after [1 : i64, 1 : i64] value 0.0 : tensor<4x4x2x!bnn.bipolar> -> tensor<6x6x2xsi2>
  %b = bnn.conv %a, <tensor<2x3x3x2x!bnn.bipolar>, "0x0f3c5a9603"> strides [1 : i64, 1 : i64] dilations [1 : i64, 1 : i64] groups 1 : tensor<6x6x2xsi2> -> tensor<4x4x2xsi6> loc("conv1")
  %c = bnn.threshold %b at <tensor<2x1xui1>, [0, 1]> bias 0 : tensor<4x4x2xsi6> -> tensor<4x4x2x!bnn.bipolar>
  %d = bnn.max_pool %c kernel [2 : i64, 2 : i64] strides [1 : i64, 1 : i64] dilations [1 : i64, 1 : i64] : tensor<4x4x2x!bnn.bipolar> -> tensor<3x3x2x!bnn.bipolar>
  %e = bnn.conv %d, <tensor<2x2x2x1x!bnn.bipolar>, [1, 1, -1, 1, -1, 1, 1, -1]> strides [1 : i64, 1 : i64] dilations [1 : i64, 1 : i64] groups 2 : tensor<3x3x2x!bnn.bipolar> -> tensor<2x2x2xsi4> loc("conv2")
  %f = bnn.threshold %e at <tensor<1x1xui1>, [1]> bias 0 : tensor<2x2x2xsi4> -> tensor<2x2x2xui1>
  %g = bnn.sum_pool %f kernel [2 : i64, 2 : i64] strides [2 : i64, 2 : i64] dilations [1 : i64, 1 : i64] : tensor<2x2x2xui1> -> tensor<1x1x2xui3>
  func.return %g : tensor<1x1x2xui3>
}
