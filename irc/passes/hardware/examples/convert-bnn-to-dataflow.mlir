// RUN: irc-opt %s -p convert-bnn-to-dataflow | filecheck %s

// The reshape before the first layer and the cast after the last stay on the host; thresholds that
// alone read sums are fused with them.

// CHECK:      func.func @net(%x: tensor<2x2xui8>) -> tensor<2xf32> {
// CHECK-NEXT:   %f = bnn.reshape %x : tensor<2x2xui8> -> tensor<4xui8>
// CHECK-NEXT:   %0 = dataflow.to_stream %f : tensor<4xui8> -> !dataflow.stream<tensor<4xui8>, 1>
// CHECK-NEXT:   %a = dataflow.threshold "sign" %0 at <tensor<1x1xui8>, [128]> bias 0 pe 1 memory "auto" : !dataflow.stream<tensor<4xui8>, 1> -> !dataflow.stream<tensor<4x!bnn.bipolar>, 1>
// CHECK-NEXT:   %c = dataflow.mvu "fc1" %a weights <tensor<2x4x!bnn.bipolar>, [1, 1, -1, 1, -1, 1, 1, -1]> at <tensor<2x1xui1>, [0, 1]> bias 0 pe 1 simd 1 memory "auto" : !dataflow.stream<tensor<4x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<2x!bnn.bipolar>, 1>
// CHECK-NEXT:   %d = dataflow.mvu "fc2" %c weights <tensor<2x2x!bnn.bipolar>, [1, 1, -1, 1]> pe 1 simd 1 memory "auto" : !dataflow.stream<tensor<2x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<2xsi3>, 1>
// CHECK-NEXT:   %[[T:.*]] = dataflow.from_stream %d : !dataflow.stream<tensor<2xsi3>, 1> -> tensor<2xsi3>
// CHECK-NEXT:   %e = bnn.cast %[[T]] : tensor<2xsi3> -> tensor<2xf32>
// CHECK-NEXT:   func.return %e : tensor<2xf32>

func.func @net(%x: tensor<2x2xui8>) -> tensor<2xf32> {
  %f = bnn.reshape %x : tensor<2x2xui8> -> tensor<4xui8>
  %a = bnn.threshold %f at <tensor<1x1xui8>, [128]> bias 0 : tensor<4xui8> -> tensor<4x!bnn.bipolar> loc("sign")
  %b = bnn.linear %a, <tensor<2x4x!bnn.bipolar>, [1, 1, -1, 1, -1, 1, 1, -1]> : tensor<4x!bnn.bipolar> -> tensor<2xsi4> loc("fc1")
  %c = bnn.threshold %b at <tensor<2x1xui1>, [0, 1]> bias 0 : tensor<2xsi4> -> tensor<2x!bnn.bipolar>
  %d = bnn.linear %c, <tensor<2x2x!bnn.bipolar>, [1, 1, -1, 1]> : tensor<2x!bnn.bipolar> -> tensor<2xsi3> loc("fc2")
  %e = bnn.cast %d : tensor<2xsi3> -> tensor<2xf32>
  func.return %e : tensor<2xf32>
}
