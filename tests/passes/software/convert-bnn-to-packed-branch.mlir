// RUN: irc-opt %s -p convert-bnn-to-packed | filecheck %s

// A low-bit value that a layer reads as bits is read as bits by the sum, too; the sum's thresholds
// are applied as it is computed. Multipliers that are the same for all channels are two numbers.
// CHECK-LABEL: func.func @residual
func.func @residual(%x: tensor<2x32xui8>) -> tensor<2x32xui2> {
  // CHECK: [[A:%.+]] = packed.quantize "quantize" {{.*}} -> !packed.bits<2x32xui2, 32>
  %0 = bnn.threshold %x at <tensor<1x1xui8>, [80]> bias 0 : tensor<2x32xui8> -> tensor<2x32xui2>
  // CHECK-NEXT: [[B:%.+]] = packed.plane_dense "dense" [[A]]
  %1 = bnn.linear %0, <tensor<32x32x!bnn.bipolar>, "0x112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00">
    : tensor<2x32xui2> -> tensor<2x32xsi8>
  // CHECK-NEXT: packed.add "add" [[A]], [[B]] multipliers <tensor<2x1xsi3>, [3, -1]>
  // CHECK-SAME: at <tensor<1x2xui3>, [4, 6]> bias 0
  // CHECK-SAME: : !packed.bits<2x32xui2, 32>, !packed.array<64xsi8> -> !packed.array<64xui2>
  %2 = bnn.add %0, %1 multipliers <tensor<2x1xsi3>, [3, -1]>
    : tensor<2x32xui2>, tensor<2x32xsi8> -> tensor<2x32xsi10>
  %3 = bnn.threshold %2 at <tensor<1x2xui3>, [4, 6]> bias 0
    : tensor<2x32xsi10> -> tensor<2x32xui2>
  func.return %3 : tensor<2x32xui2>
}

// Signs stay in words from one convolution to the next: 32 channels are a word of each pixel.
// CHECK-LABEL: func.func @joined
func.func @joined(%x: tensor<2x32x!bnn.bipolar>) -> tensor<2x1xsi8> {
  // CHECK: packed.upsample "upsample" {{.*}} -> !packed.bits<4x32x!bnn.bipolar, 32>
  %0 = bnn.upsample %x factors [2 : i64, 1 : i64]
    : tensor<2x32x!bnn.bipolar> -> tensor<4x32x!bnn.bipolar>
  // CHECK-NEXT: packed.slice "slice" {{.*}} -> !packed.bits<2x32x!bnn.bipolar, 32>
  %1 = bnn.slice %0 offsets [1 : i64, 0 : i64] sizes [2 : i64, 32 : i64] strides [1 : i64, 1 : i64]
    : tensor<4x32x!bnn.bipolar> -> tensor<2x32x!bnn.bipolar>
  // CHECK-NEXT: packed.concat "concat" {{.*}} parts 2 {{.*}} -> !packed.bits<2x64x!bnn.bipolar, 32>
  %2 = bnn.concat %1, %x axis 1
    : tensor<2x32x!bnn.bipolar>, tensor<2x32x!bnn.bipolar> -> tensor<2x64x!bnn.bipolar>
  // CHECK-NEXT: packed.xnor_dense "conv"
  %3 = bnn.conv %2, <tensor<1x1x64x!bnn.bipolar>, "0x0123456789abcdef">
    strides [1 : i64] dilations [1 : i64] groups 1
    : tensor<2x64x!bnn.bipolar> -> tensor<2x1xsi8>
  func.return %3 : tensor<2x1xsi8>
}

// Channels of signs are counted side by side; zeros around them are undone where they were.
// CHECK-LABEL: func.func @depthwise
func.func @depthwise(%x: tensor<3x32x!bnn.bipolar>) -> tensor<3x32xsi3> {
  %0 = bnn.pad %x before [1 : i64] after [1 : i64] value 0.0
    : tensor<3x32x!bnn.bipolar> -> tensor<5x32xsi2>
  // CHECK: packed.patches "conv_patch" {{.*}} -> !packed.bits<9x32x!bnn.bipolar, 32>
  // CHECK-NEXT: packed.channel_dense "conv" {{.*}} depth 2
  // CHECK-SAME: offsets = #bnn.dense<tensor<3x32xsi2>
  // CHECK-SAME: places = [#bnn.dense<tensor<3xui2>, [0, 2, 1]>]
  %1 = bnn.conv %0, <tensor<32x3x1x!bnn.bipolar>, "0x0123456789abcdef01234567">
    strides [1 : i64] dilations [1 : i64] groups 32
    : tensor<5x32xsi2> -> tensor<3x32xsi3>
  func.return %1 : tensor<3x32xsi3>
}

// The sums of one branch are thresholded before those of the other, which come first: all that
// either reads stands before both.
// CHECK-LABEL: func.func @crossed
func.func @crossed(%x: tensor<4x!bnn.bipolar>) -> (tensor<2xui1>, tensor<2xui1>) {
  // CHECK: packed.pack "input_pack"
  // CHECK-NEXT: packed.xnor_dense "dense" {{.*}}, <tensor<2x1xui32>, [3, 4]>
  // CHECK-NEXT: packed.xnor_dense "dense_2" {{.*}}, <tensor<2x1xui32>, [1, 2]>
  %0 = bnn.linear %x, <tensor<2x4x!bnn.bipolar>, "0x21"> : tensor<4x!bnn.bipolar> -> tensor<2xsi4>
  %1 = bnn.linear %x, <tensor<2x4x!bnn.bipolar>, "0x43"> : tensor<4x!bnn.bipolar> -> tensor<2xsi4>
  %2 = bnn.threshold %1 at <tensor<1x1xui1>, [1]> bias 0 : tensor<2xsi4> -> tensor<2xui1>
  %3 = bnn.threshold %0 at <tensor<1x1xui1>, [1]> bias 0 : tensor<2xsi4> -> tensor<2xui1>
  func.return %3, %2 : tensor<2xui1>, tensor<2xui1>
}
