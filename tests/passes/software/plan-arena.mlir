// RUN: irc-opt %s -p plan-arena | filecheck %s

// Tables are needed while their layer runs: those of both lie at one place, beside what lives then.
// CHECK: packed.arena = {i16 = 42 : i64}
func.func @scratch(%x: tensor<5xui8>) -> tensor<1xsi16> {
  %0 = packed.input %x : tensor<5xui8> -> !packed.array<5xui8>
  // CHECK: packed.sign_dense "a" {{.*}}scratch = #packed.slot<"i16", 0>, slot = #packed.slot<"i16", 32>
  %1 = packed.sign_dense "a" %0, <tensor<10x2xui8>, [7, 11, 7, 11, 7, 11, 7, 11, 7, 11, 7, 11, 7, 11, 7, 11, 7, 11, 7, 11]>
    {accumulator = si16, size = 5 : i64, lookup = 3 : i64}
    : !packed.array<5xui8> -> !packed.array<10xsi12>
  // CHECK: packed.sign_dense "b" {{.*}}scratch = #packed.slot<"i16", 0>
  %2 = packed.sign_dense "b" %1, <tensor<1x3xui8>, [0, 17, 25]>
    {accumulator = si16, size = 10 : i64, lookup = 4 : i64}
    : !packed.array<10xsi12> -> !packed.array<1xsi16>
  %3 = packed.output %2 : !packed.array<1xsi16> -> tensor<1xsi16>
  func.return %3 : tensor<1xsi16>
}
