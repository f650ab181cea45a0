// RUN: irc-opt %s -p merge-equal-operations | filecheck %s

// Other weights make other layers.
// CHECK-LABEL: @others
// CHECK-COUNT-2: bnn.linear
func.func @others(%x: tensor<4x!bnn.bipolar>) -> (tensor<1xsi4>, tensor<1xsi4>) {
  %0 = bnn.linear %x, <tensor<1x4x!bnn.bipolar>, [1, 1, 1, 1]> : tensor<4x!bnn.bipolar> -> tensor<1xsi4>
  %1 = bnn.linear %x, <tensor<1x4x!bnn.bipolar>, [1, 1, 1, -1]> : tensor<4x!bnn.bipolar> -> tensor<1xsi4>
  func.return %0, %1 : tensor<1xsi4>, tensor<1xsi4>
}

// A stream has one reader: units stay two.
// CHECK-LABEL: @streams
// CHECK-COUNT-2: dataflow.fifo
func.func @streams(%x: tensor<4xui2>) -> tensor<4xui3> {
  %0 = dataflow.to_stream %x : tensor<4xui2> -> !dataflow.stream<tensor<4xui2>, 1>
  %1, %2 = dataflow.fork %0 : !dataflow.stream<tensor<4xui2>, 1> -> !dataflow.stream<tensor<4xui2>, 1>, !dataflow.stream<tensor<4xui2>, 1>
  %3 = dataflow.fifo %1 depth 2 : !dataflow.stream<tensor<4xui2>, 1> -> !dataflow.stream<tensor<4xui2>, 1>
  %4 = dataflow.fifo %2 depth 2 : !dataflow.stream<tensor<4xui2>, 1> -> !dataflow.stream<tensor<4xui2>, 1>
  %5 = dataflow.add "sum" %3, %4 : !dataflow.stream<tensor<4xui2>, 1>, !dataflow.stream<tensor<4xui2>, 1> -> !dataflow.stream<tensor<4xui3>, 1>
  %6 = dataflow.from_stream %5 : !dataflow.stream<tensor<4xui3>, 1> -> tensor<4xui3>
  func.return %6 : tensor<4xui3>
}

// In hardware, equal registers of equal values hold the same.
// CHECK-LABEL: hw.module @registers
// CHECK-NEXT:   %[[A:.*]] = comb.add %a, %b
// CHECK-NEXT:   %[[R:.*]] = seq.compreg %[[A]]
// CHECK-NEXT:   %[[X:.*]] = comb.xor %[[R]], %[[R]]
// CHECK-NEXT:   hw.output %[[X]]
hw.module @registers(in %a : i4, in %b : i4, in %clk : !seq.clock, out y : i4) {
  %0 = comb.add %a, %b : i4
  %1 = comb.add %a, %b : i4
  %2 = seq.compreg %0, %clk : i4
  %3 = seq.compreg %1, %clk : i4
  %4 = comb.xor %2, %3 : i4
  hw.output %4 : i4
}
