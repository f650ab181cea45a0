// RUN: irc-opt %s --load %S/my_pass.py -p fold-double-negation | filecheck %s

// CHECK-LABEL: @layer
// CHECK-NEXT:    [[R:%.*]] = bnn.ewise "relu" %x
// CHECK-NEXT:    func.return [[R]]
func.func @layer(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = bnn.ewise "neg" %x : tensor<8xf32> -> tensor<8xf32>
  %1 = bnn.ewise "neg" %0 : tensor<8xf32> -> tensor<8xf32>
  %2 = bnn.ewise "relu" %1 : tensor<8xf32> -> tensor<8xf32>
  func.return %2 : tensor<8xf32>
}
