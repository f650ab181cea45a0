// RUN: irc-opt %s -p plan-arena | filecheck %s

// Words alternate between two places, the integers have a region of their own, and what is
// returned lies in the caller's memory.
// CHECK: packed.arena = {i8 = 20 : i64, u32 = 3 : i64}
func.func @chain(%x: tensor<40xui8>) -> tensor<20xf32> {
  %0 = packed.input %x : tensor<40xui8> -> !packed.array<40xui8>
  // CHECK: packed.quantize {{.*}} slot = #packed.slot<"u32", 0>
  %1 = packed.quantize "a" %0 at <tensor<1x1xui8>, [1]> bias 0 {accumulator = si16}
    : !packed.array<40xui8> -> !packed.bits<1x40x!bnn.bipolar, 32>
  // CHECK: packed.xnor_dense "b" {{.*}} slot = #packed.slot<"u32", 2>
  %2 = packed.xnor_dense "b" %1, <tensor<1x2xui32>, [1, 2]> at <tensor<1x1xsi2>, [1]> bias 0
    {accumulator = si16, popcount = "swar"}
    : !packed.bits<1x40x!bnn.bipolar, 32> -> !packed.bits<1x1x!bnn.bipolar, 32>
  // CHECK: packed.xnor_dense "c" {{.*}} slot = #packed.slot<"i8", 0>
  %3 = packed.xnor_dense "c" %2, <tensor<20x1xui32>, [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]>
    {accumulator = si16, popcount = "swar"}
    : !packed.bits<1x1x!bnn.bipolar, 32> -> !packed.array<20xsi2>
  // CHECK: packed.float_chain "d" {{.*}}slot = #packed.result<0>
  %4 = packed.float_chain "d" %3 [] of [] : !packed.array<20xsi2> -> !packed.array<20xf32>
  %5 = packed.output %4 : !packed.array<20xf32> -> tensor<20xf32>
  func.return %5 : tensor<20xf32>
}
