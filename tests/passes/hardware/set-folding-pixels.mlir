// RUN: irc-opt %s -p 'convert-bnn-to-dataflow,set-folding{file="%S/set-folding-pixels.fold"}' | filecheck %s
// RUN: irc-opt %s -p 'convert-bnn-to-dataflow,set-folding{file="%S/set-folding-pixels.fold"}' | irc-opt | filecheck %s
// RUN: irc-opt %s -p 'convert-bnn-to-dataflow,set-folding{file="%S/set-folding-pixels.fold"},convert-dataflow-to-hw' | filecheck %s --check-prefix=HW
// RUN: irc-opt %s -p 'convert-bnn-to-dataflow,convert-dataflow-to-hw' | filecheck %s --check-prefix=PLANES

// The windows before the layer leave two at a time, with all their elements, those of the first at
// even places and those of the second at odd ones.

// CHECK:      %0 = dataflow.to_stream %x : {{.*}} -> !dataflow.stream<tensor<3x5x1xui2>, 1>
// CHECK-NEXT: %1 = dataflow.window %0 kernel [2 : i64, 2 : i64] strides [1 : i64, 1 : i64] dilations [1 : i64, 1 : i64] taps [2 : i64, 2 : i64] mmv 2 : !dataflow.stream<tensor<3x5x1xui2>, 1> -> !dataflow.stream<tensor<2x2x8xui2>, 8>
// CHECK-NEXT: %a = dataflow.mvu "conv1" %1 weights <tensor<2x4xsi2>, [1, -2, 0, 1, 1, 1, -1, 0]> pe 2 simd 4 memory "auto" mmv 2 products "multiply" : !dataflow.stream<tensor<2x2x8xui2>, 8> -> !dataflow.stream<tensor<2x4x2xsi5>, 4>

// Six banks of the buffer give any two windows in a cycle. Weights of two bits are multiplied with
// inputs of two, unless nobody asks for it.

// HW:      hw.module private @net_window_3x5x1
// HW:        rtl.ram "bank0_0"
// HW:        rtl.ram "bank1_2"
// HW:      hw.module private @net_conv1
// HW:        comb.mul

// PLANES:     hw.module private @net_window_3x5x1
// PLANES:       rtl.ram "{{[a-z]+}}" depth
// PLANES:     hw.module private @net_conv1
// PLANES-NOT: comb.mul

func.func @net(%x: tensor<3x5x1xui2>) -> tensor<2x4x2xsi5> {
  %a = bnn.conv %x, <tensor<2x2x2x1xsi2>, [1, -2, 0, 1, 1, 1, -1, 0]> strides [1 : i64, 1 : i64] dilations [1 : i64, 1 : i64] groups 1 : tensor<3x5x1xui2> -> tensor<2x4x2xsi5> loc("conv1")
  func.return %a : tensor<2x4x2xsi5>
}
