// RUN: irc-opt %s -p 'fold-layers{target-cycles=12}' | filecheck %s

// 48 products in 12 cycles take 4 lanes; 12 products one.

// CHECK: dataflow.to_stream %x : {{.*}} -> !dataflow.stream<tensor<8x!bnn.bipolar>, 4>
// CHECK: dataflow.mvu "fc1" {{.*}} pe 1 simd 4 memory "auto" : {{.*}} -> !dataflow.stream<tensor<6x!bnn.bipolar>, 1>
// CHECK: dataflow.mvu "fc2" {{.*}} pe 1 simd 1 memory "auto"

func.func @net(%x: tensor<8x!bnn.bipolar>) -> tensor<2xsi4> {
  %s = dataflow.to_stream %x : tensor<8x!bnn.bipolar> -> !dataflow.stream<tensor<8x!bnn.bipolar>, 1>
  %a = dataflow.mvu "fc1" %s weights <tensor<6x8x!bnn.bipolar>, "0x0f3c5a96c3f0"> at <tensor<1x1xui1>, [0]> bias 0 pe 1 simd 1 memory "auto" : !dataflow.stream<tensor<8x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<6x!bnn.bipolar>, 1>
  %b = dataflow.mvu "fc2" %a weights <tensor<2x6x!bnn.bipolar>, [1, 1, -1, 1, -1, 1, 1, -1, 1, 1, -1, -1]> pe 1 simd 1 memory "auto" : !dataflow.stream<tensor<6x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<2xsi4>, 1>
  %y = dataflow.from_stream %b : !dataflow.stream<tensor<2xsi4>, 1> -> tensor<2xsi4>
  func.return %y : tensor<2xsi4>
}
