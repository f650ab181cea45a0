// RUN: irc-opt %s -p 'binarize{layers="middle" uncalibrated=true}' | filecheck %s

// The mean magnitudes 0.75 and 2.0 are behind the sum, the bias behind them; 0 counts as +1.
// CHECK-LABEL: @net
// CHECK:        %[[L:.*]] = bnn.linear %{{.*}}, <tensor<2x2xf32>
// CHECK-NEXT:   %[[S:.*]] = bnn.linear %[[L]], <tensor<2x2x!bnn.bipolar>, [1, -1, 1, 1]> : tensor<2xf32> -> tensor<2xf32>
// CHECK-NEXT:   %[[M:.*]] = bnn.ewise "mul" %[[S]], <tensor<2xf32>, [0.75, 2.0]>
// CHECK-NEXT:   %[[A:.*]] = bnn.ewise "add" %[[M]], <tensor<2xf32>, [0.5, 0.25]>
// CHECK-NEXT:   bnn.linear %[[A]], <tensor<1x2xf32>, [1.0, 2.0]>

func.func @net(%x: tensor<2xf32>) -> tensor<1xf32> {
  %0 = bnn.linear %x, <tensor<2x2xf32>, [1.0, 2.0, -3.0, 4.0]> : tensor<2xf32> -> tensor<2xf32>
  %1 = bnn.linear %0, <tensor<2x2xf32>, [0.5, -1.0, 0.0, 4.0]> offsets <tensor<2xf32>, [0.5, 0.25]> : tensor<2xf32> -> tensor<2xf32> loc("middle")
  %2 = bnn.linear %1, <tensor<1x2xf32>, [1.0, 2.0]> : tensor<2xf32> -> tensor<1xf32>
  func.return %2 : tensor<1xf32>
}
