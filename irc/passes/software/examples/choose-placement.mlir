// RUN: irc-opt %s -p 'choose-placement{arena=caller section=".flash_weights" files=layers}' | filecheck %s

// The caller owns the arena, weights lie in a section of their own, each layer in its own file.

// CHECK: attributes {packed.arena_owner = "caller", packed.section = ".flash_weights", packed.files = "layers"}

func.func @net(%x: tensor<4xui8>) -> tensor<2xsi11> {
  %0 = packed.input %x : tensor<4xui8> -> !packed.array<4xui8>
  %1 = packed.int_dense "fc" %0, <tensor<2x4xsi3>, [1, -2, 3, -4, 3, 2, 1, 0]> {accumulator = si16}
    : !packed.array<4xui8> -> !packed.array<2xsi11>
  %2 = packed.output %1 : !packed.array<2xsi11> -> tensor<2xsi11>
  func.return %2 : tensor<2xsi11>
}
