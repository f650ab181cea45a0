// RUN: irc-opt %s -p choose-interface | filecheck %s --check-prefix=MODEL
// RUN: irc-opt %s -p 'choose-interface{input=int8}' | filecheck %s --check-prefix=SIGNED
// RUN: irc-opt %s -p 'choose-interface{input=bits output=class}' | filecheck %s --check-prefix=BITS
// RUN: irc-opt %s -p 'choose-interface{input=bits},convert-bnn-to-packed' | filecheck %s --check-prefix=WORDS
// RUN: not irc-opt %s -p 'choose-interface{input=words}' 2>&1 | filecheck %s --check-prefix=FORM

// FORM: choose-interface: input must be one of model, uint8, int8, bits, not words

// MODEL-LABEL: func.func @net
// SIGNED-LABEL: func.func @net
// BITS-LABEL: func.func @net
// WORDS-LABEL: func.func @net
// MODEL-SAME: tensor<2x4xui8>
// A threshold of 100 on bytes is one of -28 on the same bytes around -128.
// SIGNED-SAME: tensor<2x4xsi8> {packed.zero_point = -128 : i64}
// BITS-SAME: tensor<2x4x!bnn.bipolar> {packed.form = "bits", packed.threshold = 100 : i64}
// BITS-SAME: -> tensor<ui1>
// SIGNED: bnn.threshold %{{.*}} at <tensor<1x1xsi6>, [-28]>
// BITS-NOT: bnn.threshold
// BITS: bnn.argmax
// WORDS: packed.input %{{.*}} : tensor<2x4x!bnn.bipolar> -> !packed.bits<1x8x!bnn.bipolar, 32>
func.func @net(%x: tensor<2x4xui8>) -> tensor<2xsi5> {
  %0 = bnn.reshape %x : tensor<2x4xui8> -> tensor<8xui8>
  %1 = bnn.threshold %0 at <tensor<1x1xui7>, [100]> bias 0 : tensor<8xui8> -> tensor<8x!bnn.bipolar>
  %2 = bnn.linear %1, <tensor<2x8x!bnn.bipolar>, "0xff0f"> : tensor<8x!bnn.bipolar> -> tensor<2xsi5>
  func.return %2 : tensor<2xsi5>
}
