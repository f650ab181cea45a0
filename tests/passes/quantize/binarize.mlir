// RUN: irc-opt %s -p 'binarize{layers="middle" uncalibrated=true}' | filecheck %s
// RUN: irc-opt %s -p 'binarize{edges=true uncalibrated=true}' | filecheck %s --check-prefix=ALL
// RUN: not irc-opt %s -p 'binarize' 2>&1 | filecheck %s --check-prefix=BLIND
// RUN: not irc-opt %s -p 'binarize{layers="last"}' 2>&1 | filecheck %s --check-prefix=UNKNOWN

// The mean magnitudes 0.75 and 2.0 are behind the sum, the bias behind them; 0 counts as +1.
// CHECK-LABEL: @net
// CHECK:        %[[L:.*]] = bnn.linear %{{.*}}, <tensor<2x2xf32>
// CHECK-NEXT:   %[[S:.*]] = bnn.linear %[[L]], <tensor<2x2x!bnn.bipolar>, [1, -1, 1, 1]> : tensor<2xf32> -> tensor<2xf32>
// CHECK-NEXT:   %[[M:.*]] = bnn.ewise "mul" %[[S]], <tensor<2xf32>, [0.75, 2.0]>
// CHECK-NEXT:   %[[A:.*]] = bnn.ewise "add" %[[M]], <tensor<2xf32>, [0.5, 0.25]>
// CHECK-NEXT:   bnn.linear %[[A]], <tensor<1x2xf32>, [1.0, 2.0]>

// ALL-LABEL: @net
// ALL:          bnn.linear %{{.*}}, <tensor<2x2x!bnn.bipolar>, [1, 1, -1, 1]>
// ALL:          bnn.linear %{{.*}}, <tensor<1x2x!bnn.bipolar>, [1, 1]>
// ALL-NEXT:     bnn.ewise "mul" %{{.*}}, <tensor<f32>, [1.5]>

// BLIND:      binarize: without calibration data nothing tells what this does to the network:
// BLIND-NEXT:   'middle': weights of 1 bit, {{[0-9.]+}} dB signal to noise
// BLIND-NEXT: give data="calib.npz" (inputs as x) to correct each bias by, or uncalibrated=true

// UNKNOWN: binarize: there is no layer 'last'
// UNKNOWN: the layers with weights are: layer 1, middle, layer 3
func.func @net(%x: tensor<2xf32>) -> tensor<1xf32> {
  %0 = bnn.linear %x, <tensor<2x2xf32>, [1.0, 2.0, -3.0, 4.0]> : tensor<2xf32> -> tensor<2xf32>
  %1 = bnn.linear %0, <tensor<2x2xf32>, [0.5, -1.0, 0.0, 4.0]> offsets <tensor<2xf32>, [0.5, 0.25]> : tensor<2xf32> -> tensor<2xf32> loc("middle")
  %2 = bnn.linear %1, <tensor<1x2xf32>, [1.0, 2.0]> : tensor<2xf32> -> tensor<1xf32>
  func.return %2 : tensor<1xf32>
}
