// RUN: irc-opt %s -p erase-unused-operations | filecheck %s

// CHECK-NOT: @helper
func.func private @helper(%x: tensor<4xui2>) -> tensor<4xui2> {
  func.return %x : tensor<4xui2>
}

// A layer that nobody reads goes, and with it the quantizer that it alone read.
// CHECK-LABEL: @layers
// CHECK-NEXT:   %[[S:.*]] = bnn.linear
// CHECK-NEXT:   func.return %[[S]]
func.func @layers(%x: tensor<4x!bnn.bipolar>) -> tensor<1xsi4> {
  %0 = bnn.linear %x, <tensor<1x4x!bnn.bipolar>, [1, 1, 1, 1]> : tensor<4x!bnn.bipolar> -> tensor<1xsi4>
  %1 = bnn.threshold %0 at <tensor<1x1xsi2>, [1]> bias 0 : tensor<1xsi4> -> tensor<1x!bnn.bipolar>
  %2 = bnn.linear %1, <tensor<1x1x!bnn.bipolar>, [1]> : tensor<1x!bnn.bipolar> -> tensor<1xsi2>
  func.return %0 : tensor<1xsi4>
}

// A unit goes as well, and the stream that it read ends there.
// CHECK-LABEL: @units
// CHECK-NOT:    dataflow
func.func @units(%x: tensor<4xui2>) -> tensor<4xui2> {
  %0 = dataflow.to_stream %x : tensor<4xui2> -> !dataflow.stream<tensor<4xui2>, 1>
  %1 = dataflow.fifo %0 depth 2 : !dataflow.stream<tensor<4xui2>, 1> -> !dataflow.stream<tensor<4xui2>, 1>
  func.return %x : tensor<4xui2>
}

// In hardware, a counter that only it itself reads goes; what an instance reads stays.
// CHECK-LABEL: hw.module @top
// CHECK-NEXT:   %[[S:.*]] = comb.add
// CHECK-NEXT:   hw.instance "inner" @inner(a: %[[S]]
// CHECK-NEXT:   hw.output %a
hw.module @top(in %a : i4, in %clk : !seq.clock, out y : i4) {
  %0 = comb.add %a, %a : i4
  %one = hw.constant 1 : i4
  %next = comb.add %count, %one : i4
  %count = seq.compreg %next, %clk : i4
  %y = hw.instance "inner" @inner(a: %0: i4) -> (y: i4)
  hw.output %a : i4
}

// CHECK-LABEL: hw.module private @inner
hw.module private @inner(in %a : i4, out y : i4) {
  hw.output %a : i4
}

// CHECK-NOT: @nobody
hw.module private @nobody(in %a : i4, out y : i4) {
  hw.output %a : i4
}

// What calls only itself, or each other, goes.
// CHECK-NOT: @itself
func.func private @itself(%x: tensor<4xui2>) -> tensor<4xui2> {
  %0 = func.call @itself(%x) : (tensor<4xui2>) -> tensor<4xui2>
  func.return %0 : tensor<4xui2>
}
// CHECK-NOT: @ping
func.func private @ping(%x: tensor<4xui2>) -> tensor<4xui2> {
  %0 = func.call @pong(%x) : (tensor<4xui2>) -> tensor<4xui2>
  func.return %0 : tensor<4xui2>
}
// CHECK-NOT: @pong
func.func private @pong(%x: tensor<4xui2>) -> tensor<4xui2> {
  %0 = func.call @ping(%x) : (tensor<4xui2>) -> tensor<4xui2>
  func.return %0 : tensor<4xui2>
}

// Others refer to a register by its inner symbol, whether anything here reads it or not.
// CHECK-LABEL: hw.module @probed
// CHECK-NEXT:   seq.compreg sym @probe %a
// CHECK-NEXT:   hw.output %a
hw.module @probed(in %a : i4, in %clk : !seq.clock, out y : i4) {
  %0 = seq.compreg sym @probe %a, %clk : i4
  hw.output %a : i4
}
