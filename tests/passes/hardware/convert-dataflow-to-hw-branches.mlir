// RUN: irc-opt %s -p 'convert-dataflow-to-hw' | filecheck %s
// RUN: irc-opt %s -p 'convert-dataflow-to-hw' | irc-opt | filecheck %s

// CHECK:      hw.module @net(in %aclk: !seq.clock, in %aresetn: i1, in %s_axis_tdata: i8,
// CHECK:        [[R0:%.*]] = rtl.wire "fork_2x2_ready0"
// CHECK:        [[R1:%.*]] = rtl.wire "fork_2x2_ready1"
// CHECK:        hw.instance "fork_2x2" @net_fork_2x2({{.*}}m_axis0_tready: [[R0]]: i1, m_axis1_tready: [[R1]]: i1)
// CHECK:        hw.instance "slice_to_2x2" @net_slice_to_2x2(
// CHECK:        hw.instance "upsample_2x2" @net_upsample_2x2(
// CHECK:        hw.instance "concat_to_6x2" @net_concat_to_6x2(
// CHECK-SAME:   s_axis0_tready:
// CHECK-SAME:   s_axis1_tready:
// CHECK:        hw.instance "fork_2x2_2" @net_fork_2x2(
// CHECK:        hw.instance "fifo_2x2" @net_fifo_2x2(
// CHECK:        hw.instance "sum" @net_sum(
// CHECK:      hw.module private @net_fork_2x2(
// CHECK-SAME: in %s_axis_tdata: i2,
// CHECK-SAME: out m_axis0_tdata: i2, out m_axis0_tvalid: i1, in %m_axis0_tready: i1,
// CHECK-SAME: out m_axis1_tdata: i2, out m_axis1_tvalid: i1, in %m_axis1_tready: i1)
// CHECK:      hw.module private @net_upsample_2x2(
// CHECK:        rtl.ram "blocks" depth 4
// CHECK:      hw.module private @net_sum(
// CHECK:        rtl.rom "multipliers"
// CHECK-NOT:  func.func

func.func @net(%x: tensor<4x2xui2>) -> tensor<6x2xsi6> {
  %s = dataflow.to_stream %x : tensor<4x2xui2> -> !dataflow.stream<tensor<4x2xui2>, 1>
  %a, %b = dataflow.fork %s : !dataflow.stream<tensor<4x2xui2>, 1> -> !dataflow.stream<tensor<4x2xui2>, 1>, !dataflow.stream<tensor<4x2xui2>, 1>
  %half = dataflow.slice %a offsets [0, 0] sizes [2, 2] strides [2, 1] : !dataflow.stream<tensor<4x2xui2>, 1> -> !dataflow.stream<tensor<2x2xui2>, 1>
  %c = dataflow.slice %b offsets [1, 0] sizes [2, 2] strides [1, 1] : !dataflow.stream<tensor<4x2xui2>, 1> -> !dataflow.stream<tensor<2x2xui2>, 1>
  %d = dataflow.upsample %half factors [2, 1] : !dataflow.stream<tensor<2x2xui2>, 1> -> !dataflow.stream<tensor<4x2xui2>, 1>
  %e = dataflow.concat %d, %c axis 0 : !dataflow.stream<tensor<4x2xui2>, 1>, !dataflow.stream<tensor<2x2xui2>, 1> -> !dataflow.stream<tensor<6x2xui2>, 1>
  %f, %g = dataflow.fork %e : !dataflow.stream<tensor<6x2xui2>, 1> -> !dataflow.stream<tensor<6x2xui2>, 1>, !dataflow.stream<tensor<6x2xui2>, 1>
  %h = dataflow.fifo %g depth 2 : !dataflow.stream<tensor<6x2xui2>, 1> -> !dataflow.stream<tensor<6x2xui2>, 1>
  %y = dataflow.add "sum" %f, %h multipliers <tensor<2x2xsi4>, [1, -2, 3, 4]> : !dataflow.stream<tensor<6x2xui2>, 1>, !dataflow.stream<tensor<6x2xui2>, 1> -> !dataflow.stream<tensor<6x2xsi6>, 1>
  %r = dataflow.from_stream %y : !dataflow.stream<tensor<6x2xsi6>, 1> -> tensor<6x2xsi6>
  func.return %r : tensor<6x2xsi6>
}
