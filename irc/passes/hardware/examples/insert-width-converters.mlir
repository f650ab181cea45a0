// RUN: irc-opt %s -p 'set-folding{file="%S/insert-width-converters.fold"},insert-width-converters' | filecheck %s

// 2 lanes to 3 go by way of 6; where lanes agree, nothing is inserted.

// CHECK:      %a = dataflow.mvu "fc1"
// CHECK-NEXT: %[[W:.*]] = dataflow.width_converter %a : !dataflow.stream<tensor<6x!bnn.bipolar>, 2> -> !dataflow.stream<tensor<6x!bnn.bipolar>, 6>
// CHECK-NEXT: %[[N:.*]] = dataflow.width_converter %[[W]] : !dataflow.stream<tensor<6x!bnn.bipolar>, 6> -> !dataflow.stream<tensor<6x!bnn.bipolar>, 3>
// CHECK-NEXT: %b = dataflow.mvu "fc2" %[[N]]
// CHECK-NOT:  dataflow.width_converter

func.func @net(%x: tensor<8x!bnn.bipolar>) -> tensor<2xsi4> {
  %s = dataflow.to_stream %x : tensor<8x!bnn.bipolar> -> !dataflow.stream<tensor<8x!bnn.bipolar>, 1>
  %a = dataflow.mvu "fc1" %s weights <tensor<6x8x!bnn.bipolar>, "0x0f3c5a96c3f0"> at <tensor<1x1xui1>, [0]> bias 0 pe 1 simd 1 memory "auto" : !dataflow.stream<tensor<8x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<6x!bnn.bipolar>, 1>
  %b = dataflow.mvu "fc2" %a weights <tensor<2x6x!bnn.bipolar>, [1, 1, -1, 1, -1, 1, 1, -1, 1, 1, -1, -1]> pe 1 simd 1 memory "auto" : !dataflow.stream<tensor<6x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<2xsi4>, 1>
  %y = dataflow.from_stream %b : !dataflow.stream<tensor<2xsi4>, 1> -> tensor<2xsi4>
  func.return %y : tensor<2xsi4>
}
