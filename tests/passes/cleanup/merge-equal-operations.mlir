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

// ROMs of the same contents at the same address are one, whatever they are called; other contents
// or another address make another.
// CHECK-LABEL: hw.module @roms
// CHECK-NEXT:   %[[A:.*]] = rtl.rom "first"[%a] {{.*}}[1, 0]
// CHECK-NEXT:   %[[B:.*]] = rtl.rom "third"[%a] {{.*}}[0, 1]
// CHECK-NEXT:   %[[C:.*]] = rtl.rom "fourth"[%b] {{.*}}[1, 0]
// CHECK-NEXT:   hw.output %[[A]], %[[A]], %[[B]], %[[C]]
hw.module @roms(in %a : i1, in %b : i1, in %clk : !seq.clock, in %en : i1, out w : i1, out x : i1, out y : i1, out z : i1) {
  %0 = rtl.rom "first"[%a] clock %clk enable %en style "auto" init "auto" <tensor<2x1xui1>, [1, 0]> : i1 -> i1
  %1 = rtl.rom "second"[%a] clock %clk enable %en style "auto" init "auto" <tensor<2x1xui1>, [1, 0]> : i1 -> i1
  %2 = rtl.rom "third"[%a] clock %clk enable %en style "auto" init "auto" <tensor<2x1xui1>, [0, 1]> : i1 -> i1
  %3 = rtl.rom "fourth"[%b] clock %clk enable %en style "auto" init "auto" <tensor<2x1xui1>, [1, 0]> : i1 -> i1
  hw.output %0, %1, %2, %3 : i1, i1, i1, i1
}
