// RUN: irc-opt %s -p 'insert-width-converters,insert-fifos' | filecheck %s
// RUN: irc-opt %s -p 'set-folding{file="%S/insert-fifos.fold"},insert-width-converters,insert-fifos' | filecheck %s --check-prefix=WIDE
// RUN: irc-opt %s -p 'fold-layers{target-cycles=1},insert-fifos' | filecheck %s --check-prefix=NONE

// One vector of fc2, 6 beats; none before fc1, which the host feeds.

// CHECK:      dataflow.to_stream
// CHECK-NEXT: %a = dataflow.mvu "fc1"
// CHECK-NEXT: %[[F:.*]] = dataflow.fifo %a depth 6 : !dataflow.stream<tensor<6x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<6x!bnn.bipolar>, 1>
// CHECK-NEXT: %b = dataflow.mvu "fc2" %[[F]]

// After the converter to wider beats, so that fc2 gets one a cycle.

// WIDE:      %[[C:.*]] = dataflow.width_converter %a
// WIDE-NEXT: %[[F:.*]] = dataflow.fifo %[[C]] depth 2 : !dataflow.stream<tensor<6x!bnn.bipolar>, 3>
// WIDE-NEXT: dataflow.mvu "fc2" %[[F]]

// With one neuron fold, fc2 always takes what comes.

// NONE-NOT: dataflow.fifo

func.func @net(%x: tensor<8x!bnn.bipolar>) -> tensor<2xsi4> {
  %s = dataflow.to_stream %x : tensor<8x!bnn.bipolar> -> !dataflow.stream<tensor<8x!bnn.bipolar>, 1>
  %a = dataflow.mvu "fc1" %s weights <tensor<6x8x!bnn.bipolar>, "0x0f3c5a96c3f0"> at <tensor<1x1xui1>, [0]> bias 0 pe 1 simd 1 memory "auto" : !dataflow.stream<tensor<8x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<6x!bnn.bipolar>, 1>
  %b = dataflow.mvu "fc2" %a weights <tensor<2x6x!bnn.bipolar>, [1, 1, -1, 1, -1, 1, 1, -1, 1, 1, -1, -1]> pe 1 simd 1 memory "auto" : !dataflow.stream<tensor<6x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<2xsi4>, 1>
  %y = dataflow.from_stream %b : !dataflow.stream<tensor<2xsi4>, 1> -> tensor<2xsi4>
  func.return %y : tensor<2xsi4>
}
