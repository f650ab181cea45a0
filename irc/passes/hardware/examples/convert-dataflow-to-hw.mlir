// RUN: irc-opt %s -p 'convert-dataflow-to-hw' | filecheck %s

// Each unit is a module; the top connects them by ready/valid streams.

// CHECK:      hw.module @net(in %aclk: !seq.clock, in %aresetn: i1, in %s_axis_tdata: i8, in %s_axis_tvalid: i1, out s_axis_tready: i1, in %s_axis_tlast: i1, out m_axis_tdata: i8, out m_axis_tvalid: i1, in %m_axis_tready: i1, out m_axis_tlast: i1)
// CHECK:        hw.instance "fc1" @net_fc1
// CHECK:        hw.instance "fifo_1x6" @net_fifo_1x6
// CHECK:        hw.instance "fc2" @net_fc2
// CHECK:      hw.module private @net_fc1(in %aclk: !seq.clock, in %aresetn: i1, in %s_axis_tdata: i1,
// CHECK:        rtl.ram "buffer" depth 8
// CHECK:        rtl.rom "weights"
// CHECK:      hw.module private @net_fifo_1x6
// CHECK:      hw.module private @net_fc2
// CHECK-NOT:  func.func

func.func @net(%x: tensor<8x!bnn.bipolar>) -> tensor<2xsi4> {
  %s = dataflow.to_stream %x : tensor<8x!bnn.bipolar> -> !dataflow.stream<tensor<8x!bnn.bipolar>, 1>
  %a = dataflow.mvu "fc1" %s weights <tensor<6x8x!bnn.bipolar>, "0x0f3c5a96c3f0"> at <tensor<1x1xui1>, [0]> bias 0 pe 1 simd 1 memory "auto" : !dataflow.stream<tensor<8x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<6x!bnn.bipolar>, 1>
  %q = dataflow.fifo %a depth 6 : !dataflow.stream<tensor<6x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<6x!bnn.bipolar>, 1>
  %b = dataflow.mvu "fc2" %q weights <tensor<2x6x!bnn.bipolar>, [1, 1, -1, 1, -1, 1, 1, -1, 1, 1, -1, -1]> pe 1 simd 1 memory "auto" : !dataflow.stream<tensor<6x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<2xsi4>, 1>
  %y = dataflow.from_stream %b : !dataflow.stream<tensor<2xsi4>, 1> -> tensor<2xsi4>
  func.return %y : tensor<2xsi4>
}
