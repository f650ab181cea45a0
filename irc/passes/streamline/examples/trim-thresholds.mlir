// RUN: irc-opt %s -p trim-thresholds | filecheck %s

// Sums of four products lie from -4 to 4. Both channels always have -4 behind them and never reach
// 5; of -3 and 9 the first channel decides one, the second the other.
// CHECK-LABEL: @columns
// CHECK:        bnn.threshold %{{.*}} at <tensor<2x2xsi5>, [-3, 9, 9, 0]> bias 1
func.func @columns(%x: tensor<4x!bnn.bipolar>) -> tensor<2xui3> {
  %0 = bnn.linear %x, <tensor<2x4x!bnn.bipolar>, [1, 1, 1, 1, 1, -1, 1, -1]> : tensor<4x!bnn.bipolar> -> tensor<2xsi4>
  %1 = bnn.threshold %0 at <tensor<2x4xsi5>, [-4, -3, 9, 5, -4, 9, 0, 5]> bias 0 : tensor<2xsi4> -> tensor<2xui3>
  func.return %1 : tensor<2xui3>
}
