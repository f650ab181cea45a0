// RUN: not irc-opt %s -p convert-bnn-to-packed 2>&1 | filecheck %s
// RUN: not irc-opt %s -p 'convert-bnn-to-packed{word=12}' 2>&1 | filecheck %s --check-prefix=WORD
// RUN: not irc-opt %s -p 'convert-bnn-to-packed{popcount=fast}' 2>&1 | filecheck %s --check-prefix=COUNT

// Every obstacle is named, not only the first.
// CHECK: 'bnn.quantize': floats are quantized to integers beyond 2^24
// CHECK: 'bnn.linear': targets c and host need quantized weights and inputs
// WORD: word must be 8, 16, 32 or 64, not 12
// COUNT: popcount must be one of swar, table, builtin, not fast
func.func @net(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = bnn.quantize "floor" %x : tensor<2xf32> -> tensor<2xui25>
  %1 = bnn.cast %0 : tensor<2xui25> -> tensor<2xf32>
  %2 = bnn.linear %1, <tensor<2x2xui4>, [1, 2, 3, 4]> : tensor<2xf32> -> tensor<2xf32>
  func.return %2 : tensor<2xf32>
}
