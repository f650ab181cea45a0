// RUN: irc-opt %s -p convert-bnn-to-packed | filecheck %s

// Sums are thresholded and packed where they are computed; two-bit codes go by two planes; the
// logits are stored in the caller's type; the float functions become one chain.
// CHECK-LABEL: func.func @layers
func.func @layers(%x: tensor<2x5xui8>) -> tensor<2xf32> {
  // CHECK: packed.input %x : tensor<2x5xui8> -> !packed.array<10xui8>
  %0 = bnn.reshape %x : tensor<2x5xui8> -> tensor<10xui8>
  // CHECK-NEXT: packed.quantize "quantize" {{.*}} at <tensor<1x1xui8>, [128]> bias 0
  // CHECK-SAME: -> !packed.bits<1x10x!bnn.bipolar, 32>
  %1 = bnn.threshold %0 at <tensor<1x1xui8>, [128]> bias 0
    : tensor<10xui8> -> tensor<10x!bnn.bipolar>
  // Thresholds are clipped to what the sums reach: -10 to 10.
  // CHECK-NEXT: packed.xnor_dense "dense" {{.*}}, <tensor<3x1xui32>, [1023, 0, 336]>
  // CHECK-SAME: at <tensor<3x2xsi5>, [-10, 0, 2, 11, 4, 4]> bias -1
  // CHECK-SAME: accumulator = si16, popcount = "swar"
  // CHECK-SAME: -> !packed.bits<1x3xsi2, 32>
  %2 = bnn.linear %1, <tensor<3x10x!bnn.bipolar>, "0xff030015"> : tensor<10x!bnn.bipolar> -> tensor<3xsi5>
  %3 = bnn.threshold %2 at <tensor<3x2xsi16>, [-100, 0, 2, 100, 4, 4]> bias -1
    : tensor<3xsi5> -> tensor<3xsi2>
  // CHECK-NEXT: packed.plane_dense "dense_2"
  // CHECK-SAME: weight_type = !bnn.bipolar
  // CHECK-SAME: -> !packed.array<2xsi4>
  %4 = bnn.linear %3, <tensor<2x3xsi4>, [1, 1, -1, -1, -1, 1]> : tensor<3xsi2> -> tensor<2xsi4>
  // CHECK-NEXT: packed.float_chain "scale" {{.*}} ["mul", "add"] of
  // CHECK-SAME: [#bnn.dense<tensor<1xf32>, [0.5]>, #bnn.dense<tensor<2xf32>, [1.0, 2.0]>]
  %5 = bnn.cast %4 : tensor<2xsi4> -> tensor<2xf32>
  %6 = bnn.ewise "mul" %5, <tensor<f32>, [0.5]> : tensor<2xf32> -> tensor<2xf32>
  %7 = bnn.ewise "add" %6, <tensor<2xf32>, [1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  // CHECK-NEXT: packed.output
  // CHECK-NEXT: func.return
  func.return %7 : tensor<2xf32>
}
