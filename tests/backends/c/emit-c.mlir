// RUN: irc-opt %s -p convert-bnn-to-packed,plan-arena -t 'c{name=net}' | filecheck %s
// RUN: irc-opt %s -p convert-bnn-to-packed,plan-arena -t 'c{name=net popcount=builtin}' | filecheck %s --check-prefix=BUILTIN
// RUN: not irc-opt %s -p convert-bnn-to-packed -t c 2>&1 | filecheck %s --check-prefix=ARENA
// RUN: not irc-opt %s -t c 2>&1 | filecheck %s --check-prefix=LEVEL
// RUN: not irc-opt %s -p convert-bnn-to-packed,plan-arena -t 'c{popcount=fast}' 2>&1 | filecheck %s --check-prefix=FAST

// ARENA: run plan-arena first
// LEVEL: target c prints level 'packed', but the module is at level 'bnn'
// FAST: popcount must be one of swar, table, builtin, not 'fast'
// BUILTIN: return (unsigned)__builtin_popcountl(v);

// CHECK: int net_run(const int8_t *in, uint8_t *out);
// CHECK: in: int8_t, 5, each -1 or +1
// CHECK: uint32_t u32[1];
// CHECK: static const uint32_t net_dense_weights[2] = {
// CHECK-NEXT: 0x0000001fu, 0x00000015u
// CHECK: u = u - ((u >> 1) & 0x55555555u);
// CHECK: const uint32_t count = (uint32_t)net_count_different(x, w, words);
// CHECK-NEXT: const int16_t acc = (int16_t)(size - 2 * (int16_t)count);
// CHECK: int net_run_arena(net_arena *arena, const int8_t *in, uint8_t *out)
// CHECK: net_pack(in, 5u, arena->u32);
// CHECK: net_xnor_dense(arena->u32, net_dense_weights, 1u, 5, 2u, arena->i8);
// CHECK: net_argmax(arena->i8, 2u, out);
func.func @f(%x: tensor<5x!bnn.bipolar>) -> tensor<ui1> {
  %0 = bnn.linear %x, <tensor<2x5x!bnn.bipolar>, [1, 1, 1, 1, 1, 1, -1, 1, -1, 1]>
    : tensor<5x!bnn.bipolar> -> tensor<2xsi4>
  %1 = bnn.argmax %0 : tensor<2xsi4> -> tensor<ui1>
  func.return %1 : tensor<ui1>
}
