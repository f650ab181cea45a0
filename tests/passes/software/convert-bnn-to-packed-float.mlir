// RUN: irc-opt %s -p convert-bnn-to-packed | filecheck %s

// Floats come in: what is done to them before they are quantized takes no memory of its own, and
// the codes go straight into the bits that the first layer reads. Floats go out: softmax.
// CHECK-LABEL: func.func @floats
func.func @floats(%x: tensor<40xf32>) -> tensor<2xf32> {
  // CHECK: packed.float_quantize "quantize" {{.*}} ["mul"] of [#bnn.dense<tensor<1xf32>, [4.0]>]
  // CHECK-SAME: rounding "half_even" min 0 max 3 : !packed.array<40xf32> -> !packed.bits<1x40xui2, 32>
  %0 = bnn.ewise "mul" %x, <tensor<f32>, [4.0]> : tensor<40xf32> -> tensor<40xf32>
  %1 = bnn.quantize "half_even" %0 : tensor<40xf32> -> tensor<40xui2>
  // CHECK-NEXT: packed.plane_dense
  %2 = bnn.linear %1, <tensor<2x40x!bnn.bipolar>, "0x0123456789abcdef0123">
    : tensor<40xui2> -> tensor<2xsi8>
  // CHECK-NEXT: packed.float_chain
  %3 = bnn.cast %2 : tensor<2xsi8> -> tensor<2xf32>
  // CHECK-NEXT: packed.softmax "softmax" "log_softmax" {{.*}} rows 1
  %4 = bnn.softmax "log_softmax" %3 : tensor<2xf32> -> tensor<2xf32>
  func.return %4 : tensor<2xf32>
}

// Thresholds on floats, and a sum of two floats.
// CHECK-LABEL: func.func @compared
func.func @compared(%x: tensor<2xf32>) -> (tensor<2xui2>, tensor<2xf32>) {
  // CHECK: packed.float_threshold "quantize" {{.*}} [] of [] at <tensor<1x2xf32>, [0.5, 1.5]>
  %0 = bnn.float_threshold %x at <tensor<1x2xf32>, [0.5, 1.5]> : tensor<2xf32> -> tensor<2xui2>
  // CHECK-NEXT: packed.float_add "add"
  %1 = bnn.add %x, %x : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
  func.return %0, %1 : tensor<2xui2>, tensor<2xf32>
}
