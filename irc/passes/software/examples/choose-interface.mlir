// RUN: irc-opt %s -p 'choose-interface{input=bits output=class}' | filecheck %s

// The caller gives bits, bytes compared with 100, and gets the number of the class.

// CHECK-LABEL: func.func @net
// A threshold of 100 on bytes is one of -28 on the same bytes around -128.
// CHECK-SAME: tensor<2x4x!bnn.bipolar> {packed.form = "bits", packed.threshold = 100 : i64}
// CHECK-SAME: -> tensor<ui1>
// CHECK-NOT: bnn.threshold
// CHECK: bnn.argmax
func.func @net(%x: tensor<2x4xui8>) -> tensor<2xsi5> {
  %0 = bnn.reshape %x : tensor<2x4xui8> -> tensor<8xui8>
  %1 = bnn.threshold %0 at <tensor<1x1xui7>, [100]> bias 0 : tensor<8xui8> -> tensor<8x!bnn.bipolar>
  %2 = bnn.linear %1, <tensor<2x8x!bnn.bipolar>, "0xff0f"> : tensor<8x!bnn.bipolar> -> tensor<2xsi5>
  func.return %2 : tensor<2xsi5>
}
