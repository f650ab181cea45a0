// RUN: irc-opt %s -p choose-placement | filecheck %s --check-prefix=PLAIN
// RUN: irc-opt %s -p 'choose-placement{arena=caller section=".flash_weights" files=layers}' | filecheck %s --check-prefix=ALL
// RUN: irc-opt %s -p 'choose-placement{program-memory=true}' | filecheck %s --check-prefix=AVR
// RUN: irc-opt %s -p 'choose-placement{arena=caller},choose-placement' | filecheck %s --check-prefix=PLAIN
// RUN: not irc-opt %s -p 'choose-placement{arena=heap}' 2>&1 | filecheck %s --check-prefix=HEAP
// RUN: not irc-opt %s -p 'choose-placement{files=many}' 2>&1 | filecheck %s --check-prefix=MANY
// RUN: not irc-opt %s -p 'choose-placement{section="a b"}' 2>&1 | filecheck %s --check-prefix=NAME
// RUN: not irc-opt %s -p 'choose-placement{section=a program-memory=true}' 2>&1 | filecheck %s --check-prefix=BOTH
// RUN: irc-opt %s -p 'choose-placement{section=".w" arena=static},plan-arena' -t 'c{name=net}' | filecheck %s --check-prefix=TEXT

// HEAP: choose-placement: arena must be one of both, static, caller, not heap
// MANY: choose-placement: files must be one of one, layers, not many
// NAME: choose-placement: 'a b' is not the name of a section; expected letters
// BOTH: choose-placement: program memory is a section of its own; leave out 'a' or program_memory

// PLAIN: func.func @net(%x: tensor<4xui8>) -> tensor<2xsi11> {
// ALL: attributes {packed.arena_owner = "caller", packed.section = ".flash_weights", packed.files = "layers"}
// AVR: attributes {packed.program_memory}

// TEXT-NOT: net_run_arena(net_arena *arena, const uint8_t *in, int16_t *out);
// TEXT: int net_run(const uint8_t *in, int16_t *out);
// TEXT: #define NET_SECTION __attribute__((section(".w")))
// TEXT: static const int8_t net_fc_weights[8] NET_SECTION = {
// TEXT: static int net_run_arena(net_arena *arena
func.func @net(%x: tensor<4xui8>) -> tensor<2xsi11> {
  %0 = packed.input %x : tensor<4xui8> -> !packed.array<4xui8>
  %1 = packed.int_dense "fc" %0, <tensor<2x4xsi3>, [1, -2, 3, -4, 3, 2, 1, 0]> {accumulator = si16}
    : !packed.array<4xui8> -> !packed.array<2xsi11>
  %2 = packed.output %1 : !packed.array<2xsi11> -> tensor<2xsi11>
  func.return %2 : tensor<2xsi11>
}
