// RUN: irc-opt %s -p convert-bnn-to-dataflow | filecheck %s

// The hardware reads the input in two orders, which the host sends one after the other, and gives
// sums and bits, of which the host makes two results again.

// CHECK:      %[[T:.*]] = bnn.transpose %x
// CHECK-NEXT: %[[A:.*]] = bnn.reshape %x : tensor<2x3xui4> -> tensor<6xui4>
// CHECK-NEXT: %[[B:.*]] = bnn.reshape %[[T]] : tensor<3x2xui4> -> tensor<6xui4>
// CHECK-NEXT: %[[J:.*]] = bnn.concat %[[A]], %[[B]] axis 0 : tensor<6xui4>, tensor<6xui4> -> tensor<12xui4>
// CHECK-NEXT: %[[X:.*]] = dataflow.to_stream %[[J]]
// CHECK-NEXT: %[[X1:.*]], %[[X2:.*]] = dataflow.fork %[[X]]
// CHECK-NEXT: dataflow.slice %[[X1]] offsets [0 : i64] sizes [6 : i64]
// CHECK-NEXT: dataflow.reshape
// CHECK-NEXT: dataflow.slice %[[X2]] offsets [6 : i64] sizes [6 : i64]
// CHECK-NEXT: dataflow.reshape
// CHECK-NEXT: %a = dataflow.mvu
// CHECK-NEXT: %b = dataflow.threshold
// CHECK-NEXT: dataflow.reshape %a
// CHECK-NEXT: dataflow.reshape %b
// CHECK-NEXT: dataflow.pad
// CHECK-SAME: -> !dataflow.stream<tensor<1x6xsi7>, 1>
// CHECK-NEXT: dataflow.reshape
// CHECK-NEXT: %[[S:.*]] = dataflow.concat
// CHECK-NEXT: %[[Y:.*]] = dataflow.from_stream %[[S]]
// CHECK-NEXT: bnn.slice %[[Y]] offsets [0 : i64] sizes [4 : i64]
// CHECK-NEXT: bnn.reshape
// CHECK-NEXT: bnn.slice %[[Y]] offsets [4 : i64] sizes [6 : i64]
// CHECK-NEXT: bnn.threshold
// CHECK-NEXT: bnn.reshape
// CHECK-SAME: -> tensor<3x2x!bnn.bipolar>
// CHECK-NOT:  dataflow

func.func @net(%x: tensor<2x3xui4>) -> (tensor<2x2xsi7>, tensor<3x2x!bnn.bipolar>) {
  %t = bnn.transpose %x perm [1 : i64, 0 : i64] : tensor<2x3xui4> -> tensor<3x2xui4>
  %a = bnn.linear %x, <tensor<2x3x!bnn.bipolar>, [1, 1, -1, 1, -1, 1]> : tensor<2x3xui4> -> tensor<2x2xsi7> loc("fc")
  %b = bnn.threshold %t at <tensor<1x1xui3>, [5]> bias 0 : tensor<3x2xui4> -> tensor<3x2x!bnn.bipolar>
  func.return %a, %b : tensor<2x2xsi7>, tensor<3x2x!bnn.bipolar>
}
