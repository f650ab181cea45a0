// RUN: irc-opt %s -p 'insert-width-converters,insert-fifos' | filecheck %s

// fc1 gives a beat each 8 cycles. fc2 takes the 6 beats of a vector and then nothing for 30 cycles:
// 4 beats wait. The sum waits for the other branch longer.

// CHECK:      %n, %f = dataflow.fork %a
// CHECK-NEXT: %[[N:.*]] = dataflow.fifo %n depth 4 : !dataflow.stream<tensor<6x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<6x!bnn.bipolar>, 1>
// CHECK-NEXT: %b = dataflow.mvu "fc2" %[[N]]
// CHECK-NEXT: %[[F:.*]] = dataflow.fifo %f depth 6
// CHECK-NEXT: dataflow.add "sum" %b, %[[F]]

func.func @net(%x: tensor<8x!bnn.bipolar>) -> tensor<6xsi5> {
  %s = dataflow.to_stream %x : tensor<8x!bnn.bipolar> -> !dataflow.stream<tensor<8x!bnn.bipolar>, 1>
  %a = dataflow.mvu "fc1" %s weights <tensor<6x8x!bnn.bipolar>, "0x0f3c5a96c3f0"> at <tensor<1x1xui1>, [0]> bias 0 pe 1 simd 1 memory "auto" : !dataflow.stream<tensor<8x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<6x!bnn.bipolar>, 1>
  %n, %f = dataflow.fork %a : !dataflow.stream<tensor<6x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<6x!bnn.bipolar>, 1>, !dataflow.stream<tensor<6x!bnn.bipolar>, 1>
  %b = dataflow.mvu "fc2" %n weights <tensor<6x6x!bnn.bipolar>, "0x0f3c5a9603"> pe 1 simd 1 memory "auto" : !dataflow.stream<tensor<6x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<6xsi4>, 1>
  %y = dataflow.add "sum" %b, %f : !dataflow.stream<tensor<6xsi4>, 1>, !dataflow.stream<tensor<6x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<6xsi5>, 1>
  %z = dataflow.from_stream %y : !dataflow.stream<tensor<6xsi5>, 1> -> tensor<6xsi5>
  func.return %z : tensor<6xsi5>
}
