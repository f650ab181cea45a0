// RUN: irc-opt %s -p 'pipeline-to-clock{mhz=5 device=up5k}' | filecheck %s --check-prefix=SLOW
// RUN: irc-opt %s -p 'pipeline-to-clock{mhz=60 device=up5k}' | filecheck %s --check-prefix=FAST
// RUN: irc-opt %s -p pipeline-to-clock | filecheck %s --check-prefix=SAME

// Eight products are added up in a cycle of a slow clock; fc2 says itself how many stages it has.

// SLOW: dataflow.mvu "fc1" {{.*}} pe 1 simd 8 memory "auto" stages 0 :
// SLOW: dataflow.mvu "fc2" {{.*}} pe 1 simd 1 memory "auto" stages 3 :

// FAST: dataflow.mvu "fc1" {{.*}} pe 1 simd 8 memory "auto" stages {{[1-9]}} :
// FAST: dataflow.mvu "fc2" {{.*}} pe 1 simd 1 memory "auto" stages 3 :

// SAME: dataflow.mvu "fc1" {{.*}} pe 1 simd 8 memory "auto" :

func.func @net(%x: tensor<8x!bnn.bipolar>) -> tensor<2xsi4> {
  %s = dataflow.to_stream %x : tensor<8x!bnn.bipolar> -> !dataflow.stream<tensor<8x!bnn.bipolar>, 8>
  %a = dataflow.mvu "fc1" %s weights <tensor<6x8x!bnn.bipolar>, "0x0f3c5a96c3f0"> at <tensor<1x1xui1>, [0]> bias 0 pe 1 simd 8 memory "auto" : !dataflow.stream<tensor<8x!bnn.bipolar>, 8> -> !dataflow.stream<tensor<6x!bnn.bipolar>, 1>
  %b = dataflow.mvu "fc2" %a weights <tensor<2x6x!bnn.bipolar>, [1, 1, -1, 1, -1, 1, 1, -1, 1, 1, -1, -1]> pe 1 simd 1 memory "auto" stages 3 : !dataflow.stream<tensor<6x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<2xsi4>, 1>
  %y = dataflow.from_stream %b : !dataflow.stream<tensor<2xsi4>, 1> -> tensor<2xsi4>
  func.return %y : tensor<2xsi4>
}
