// RUN: irc-opt %s -p convert-bnn-to-packed,plan-arena | filecheck %s
// RUN: not irc-opt %s -p 'convert-bnn-to-packed{word=12}' 2>&1 | filecheck %s --check-prefix=WORD

// WORD: word must be 8, 16, 32 or 64, not 12

// The transposed image is never stored: patches are gathered from it as it was. Pixels of 32 signs
// fill words, which the pool ORs and the next convolution gathers. Of the patches and of the first
// convolution's results, which the pool has computed pixel by pixel, one row needs memory:
// 4 bytes for a patch and a word for a result, then 4 words for the pool and 4 for a patch of those.
// CHECK-LABEL: func.func @binary
// CHECK-SAME: packed.arena = {u32 = 8 : i64, u8 = 4 : i64}
func.func @binary(%x: tensor<1x6x6xui8>) -> tensor<1x1x2xsi10> {
  %0 = bnn.transpose %x perm [1 : i64, 2 : i64, 0 : i64] : tensor<1x6x6xui8> -> tensor<6x6x1xui8>
  // CHECK-NOT: packed.transpose
  // CHECK: packed.patches "conv_patch" {{.*}} space [6 : i64, 6 : i64] kernel [2 : i64, 2 : i64]
  // CHECK-SAME: channels_first
  // CHECK-SAME: slot = #packed.slot<"u8", 0>
  // CHECK-SAME: !packed.array<36xui8> -> !packed.array<100xui8>
  // CHECK-NEXT: packed.sign_dense "conv" {{.*}}by_row{{.*}} -> !packed.bits<25x32x!bnn.bipolar, 32>
  %1 = bnn.conv %0, <tensor<32x2x2x1x!bnn.bipolar>, "0xffff00000ff01234567890abcdef1234">
    strides [1 : i64, 1 : i64] dilations [1 : i64, 1 : i64] groups 1
    : tensor<6x6x1xui8> -> tensor<5x5x32xsi12>
  %2 = bnn.threshold %1 at <tensor<1x1xsi8>, [3]> bias 0
    : tensor<5x5x32xsi12> -> tensor<5x5x32x!bnn.bipolar>
  // CHECK-NEXT: packed.or_pool "pool" {{.*}} -> !packed.bits<4x32x!bnn.bipolar, 32>
  %3 = bnn.max_pool %2 kernel [2 : i64, 2 : i64] strides [2 : i64, 2 : i64]
    dilations [1 : i64, 1 : i64] : tensor<5x5x32x!bnn.bipolar> -> tensor<2x2x32x!bnn.bipolar>
  // CHECK-NEXT: packed.patches "conv_patch_2" {{.*}} -> !packed.bits<1x128x!bnn.bipolar, 32>
  // CHECK-NEXT: packed.xnor_dense "conv_2" {{.*}} -> !packed.array<2xsi10>
  %4 = bnn.conv %3, <tensor<2x2x2x32x!bnn.bipolar>, "0xffffffffffffffffffffffffffffffff00000000000000000000000000000000">
    strides [1 : i64, 1 : i64] dilations [1 : i64, 1 : i64] groups 1
    : tensor<2x2x32x!bnn.bipolar> -> tensor<1x1x2xsi10>
  func.return %4 : tensor<1x1x2xsi10>
}

// A border is made up while gathering. Zeros around signs are gathered as -1, and the sums corrected
// by the weights that lie over them, in the first and in the last position but in none between.
// Thresholds on pooled integers are applied by the pool.
// CHECK-LABEL: func.func @borders
func.func @borders(%x: tensor<4x32x!bnn.bipolar>) -> tensor<2x2xui1> {
  // CHECK: packed.pack
  %0 = bnn.pad %x before [1 : i64] after [1 : i64] value 0.0
    : tensor<4x32x!bnn.bipolar> -> tensor<6x32xsi2>
  // CHECK-NEXT: packed.patches {{.*}}before = [1 : i64], after = [1 : i64], value = -1
  // CHECK-SAME: -> !packed.bits<4x96x!bnn.bipolar, 32>
  // CHECK-NEXT: packed.xnor_dense "conv" {{.*}} offsets = #bnn.dense<tensor<3x2xsi5>, [-8, 8, -8, 8, 0, 0]>
  // CHECK-SAME: places = [#bnn.dense<tensor<4xui2>, [0, 2, 2, 1]>]
  // CHECK-SAME: -> !packed.array<8xui2>
  %1 = bnn.conv %0, <tensor<2x3x32x!bnn.bipolar>, "0x0123456789abcdef0123456789abcdef0123456789abcdef">
    strides [1 : i64] dilations [1 : i64] groups 1 : tensor<6x32xsi2> -> tensor<4x2xsi8>
  %2 = bnn.threshold %1 at <tensor<2x2xsi4>, [0, 1, -3, 3]> bias 0
    : tensor<4x2xsi8> -> tensor<4x2xui2>
  // CHECK-NEXT: packed.patches {{.*}}before = [1 : i64], after = [0 : i64], value = 3
  // CHECK-NEXT: packed.group_dense "conv_2" {{.*}} groups 2
  %3 = bnn.pad %2 before [1 : i64] after [0 : i64] value 3.0
    : tensor<4x2xui2> -> tensor<5x2xui2>
  %4 = bnn.conv %3, <tensor<2x2x1xsi3>, [3, -2, 1, 1]>
    strides [1 : i64] dilations [1 : i64] groups 2 : tensor<5x2xui2> -> tensor<4x2xsi5>
  // CHECK-NEXT: packed.sum_pool "pool" {{.*}} at <tensor<1x1xui2>, [2]> bias 0
  %5 = bnn.sum_pool %4 kernel [2 : i64] strides [2 : i64] dilations [1 : i64]
    : tensor<4x2xsi5> -> tensor<2x2xsi6>
  %6 = bnn.threshold %5 at <tensor<1x1xui2>, [2]> bias 0 : tensor<2x2xsi6> -> tensor<2x2xui1>
  func.return %6 : tensor<2x2xui1>
}
