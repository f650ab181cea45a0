// RUN: not irc-opt %s --split-input-file -p fold-thresholds 2>&1 | filecheck %s

// CHECK: function 'log' gives NaN or infinity for a value that can occur
func.func @infinite(%x: tensor<1xui4>) -> tensor<1xui4> {
  %0 = bnn.cast %x : tensor<1xui4> -> tensor<1xf32>
  %1 = bnn.ewise "log" %0 : tensor<1xf32> -> tensor<1xf32>
  %2 = bnn.quantize "floor" %1 : tensor<1xf32> -> tensor<1xui4>
  func.return %2 : tensor<1xui4>
}
