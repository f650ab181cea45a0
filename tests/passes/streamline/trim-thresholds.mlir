// RUN: irc-opt %s -p trim-thresholds | filecheck %s

// Thresholds that all channels share go when none of them decides; the steps of each go with them.
// CHECK-LABEL: @steps
// CHECK:        bnn.threshold %x at <tensor<1x1xui1>, [1]> steps <tensor<1x1xui2>, [2]> bias 3
func.func @steps(%x: tensor<3xui2>) -> tensor<3xui3> {
  %0 = bnn.threshold %x at <tensor<1x3xui4>, [0, 1, 9]> steps <tensor<1x3xsi3>, [3, 2, -1]> bias 0 : tensor<3xui2> -> tensor<3xui3>
  func.return %0 : tensor<3xui3>
}

// One stays, though it decides nothing.
// CHECK-LABEL: @last
// CHECK:        bnn.threshold %x at <tensor<1x1xui4>, [9]> bias 0
func.func @last(%x: tensor<3xui2>) -> tensor<3x!bnn.bipolar> {
  %0 = bnn.threshold %x at <tensor<1x1xui4>, [9]> bias 0 : tensor<3xui2> -> tensor<3x!bnn.bipolar>
  func.return %0 : tensor<3x!bnn.bipolar>
}
