// RUN: irc-opt %s -p convert-bnn-to-dataflow | filecheck %s

// What two layers read goes through a fork, the input too. The reshape is part of the hardware
// here, for another layer reads what it reshapes. Sums that are read twice keep their thresholds
// apart. The cast of the result, and what nobody reads, do not become hardware.

// CHECK:      %[[X:.*]] = dataflow.to_stream %x
// CHECK-NEXT: %[[X1:.*]], %[[X2:.*]] = dataflow.fork %[[X]] : !dataflow.stream<tensor<2x2x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<2x2x!bnn.bipolar>, 1>, !dataflow.stream<tensor<2x2x!bnn.bipolar>, 1>
// CHECK-NEXT: %r = dataflow.reshape %[[X1]]
// CHECK-NEXT: %a = dataflow.mvu "fc" %r
// CHECK-NEXT: %[[A1:.*]], %[[A2:.*]], %[[A3:.*]] = dataflow.fork %a
// CHECK-NEXT: %b = dataflow.threshold "threshold" %[[A1]]
// CHECK-NEXT: %c = dataflow.add "twice" %[[A2]], %[[A3]] : !dataflow.stream<tensor<4xsi4>, 1>, !dataflow.stream<tensor<4xsi4>, 1> -> !dataflow.stream<tensor<4xsi5>, 1>
// CHECK-NEXT: %d = dataflow.threshold "threshold_2" %c
// CHECK-NEXT: %e = dataflow.concat %b, %d axis 0 :
// CHECK-NEXT: %f = dataflow.slice %[[X2]] offsets {{.*}} : !dataflow.stream<tensor<2x2x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<1x2x!bnn.bipolar>, 1>
// CHECK-NEXT: %g = dataflow.upsample %f factors {{.*}} -> !dataflow.stream<tensor<4x2x!bnn.bipolar>, 1>
// CHECK-NEXT: %h = dataflow.reshape %g
// CHECK-NEXT: %k = dataflow.add "sum" %e, %h multipliers <tensor<2x1xui2>, [2, 1]> :
// CHECK-NEXT: %[[Y:.*]] = dataflow.from_stream %k
// CHECK-NEXT: bnn.cast %[[Y]]
// CHECK-NOT:  dataflow

func.func @net(%x: tensor<2x2x!bnn.bipolar>) -> tensor<8xf32> {
  %r = bnn.reshape %x : tensor<2x2x!bnn.bipolar> -> tensor<4x!bnn.bipolar>
  %a = bnn.linear %r, <tensor<4x4x!bnn.bipolar>, "0x0f3c"> : tensor<4x!bnn.bipolar> -> tensor<4xsi4> loc("fc")
  %unread = bnn.threshold %a at <tensor<1x1xui1>, [1]> bias 0 : tensor<4xsi4> -> tensor<4x!bnn.bipolar>
  %b = bnn.threshold %a at <tensor<1x1xui1>, [0]> bias 0 : tensor<4xsi4> -> tensor<4x!bnn.bipolar>
  %c = bnn.add %a, %a : tensor<4xsi4>, tensor<4xsi4> -> tensor<4xsi5> loc("twice")
  %d = bnn.threshold %c at <tensor<1x1xui1>, [1]> bias 0 : tensor<4xsi5> -> tensor<4x!bnn.bipolar>
  %e = bnn.concat %b, %d axis 0 : tensor<4x!bnn.bipolar>, tensor<4x!bnn.bipolar> -> tensor<8x!bnn.bipolar>
  %f = bnn.slice %x offsets [1 : i64, 0 : i64] sizes [1 : i64, 2 : i64] strides [1 : i64, 1 : i64] : tensor<2x2x!bnn.bipolar> -> tensor<1x2x!bnn.bipolar>
  %g = bnn.upsample %f factors [4 : i64, 1 : i64] : tensor<1x2x!bnn.bipolar> -> tensor<4x2x!bnn.bipolar>
  %h = bnn.reshape %g : tensor<4x2x!bnn.bipolar> -> tensor<8x!bnn.bipolar>
  %k = bnn.add %e, %h multipliers <tensor<2x1xui2>, [2, 1]> : tensor<8x!bnn.bipolar>, tensor<8x!bnn.bipolar> -> tensor<8xsi3> loc("sum")
  %m = bnn.cast %k : tensor<8xsi3> -> tensor<8xf32>
  func.return %m : tensor<8xf32>
}
