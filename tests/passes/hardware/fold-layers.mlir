// RUN: irc-opt %s -p 'fold-layers{target-cycles=12}' | filecheck %s
// RUN: irc-opt %s -p 'fold-layers{target-cycles=1}' | filecheck %s --check-prefix=FAST
// RUN: not irc-opt %s -p 'fold-layers{target-cycles=0}' 2>&1 | filecheck %s --check-prefix=ZERO
// RUN: irc-opt %s -p 'fold-layers{device=ecp5-25k goal=fastest}' | filecheck %s --check-prefix=DEVICE
// RUN: irc-opt %s -p 'fold-layers{device=up5k fps=2000000 clock=24}' | filecheck %s --check-prefix=RATE
// RUN: not irc-opt %s -p 'fold-layers{fps=10}' 2>&1 | filecheck %s --check-prefix=NOWHERE

// 48 products in 12 cycles take 4 lanes; 12 products one.

// CHECK: dataflow.to_stream %x : {{.*}} -> !dataflow.stream<tensor<8x!bnn.bipolar>, 4>
// CHECK: dataflow.mvu "fc1" {{.*}} pe 1 simd 4 memory "auto" : {{.*}} -> !dataflow.stream<tensor<6x!bnn.bipolar>, 1>
// CHECK: dataflow.mvu "fc2" {{.*}} pe 1 simd 1 memory "auto"

// FAST: dataflow.mvu "fc1" {{.*}} pe 6 simd 8 memory "auto" : {{.*}} -> !dataflow.stream<tensor<6x!bnn.bipolar>, 6>
// FAST: dataflow.mvu "fc2" {{.*}} pe 2 simd 6 memory "auto" : {{.*}} -> !dataflow.stream<tensor<2xsi4>, 2>

// DEVICE: func.func @net({{.*}}) -> tensor<2xsi4> attributes {dataflow.device = "ecp5-25k", dataflow.clock = 1.000000e+02 : f64, dataflow.limit = "layer 'fc1' limits: 1 a frame is the fewest cycles"} {
// DEVICE: dataflow.mvu "fc1" {{.*}} pe 6 simd 8
// DEVICE: dataflow.mvu "fc2" {{.*}} pe 2 simd 6

// RATE: dataflow.device = "up5k", dataflow.clock = 2.400000e+01 : f64, dataflow.limit = "layer '

// NOWHERE: fps needs a device, such as device=up5k

// ZERO: target-cycles must be positive, not 0

func.func @net(%x: tensor<8x!bnn.bipolar>) -> tensor<2xsi4> {
  %s = dataflow.to_stream %x : tensor<8x!bnn.bipolar> -> !dataflow.stream<tensor<8x!bnn.bipolar>, 1>
  %a = dataflow.mvu "fc1" %s weights <tensor<6x8x!bnn.bipolar>, "0x0f3c5a96c3f0"> at <tensor<1x1xui1>, [0]> bias 0 pe 1 simd 1 memory "auto" : !dataflow.stream<tensor<8x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<6x!bnn.bipolar>, 1>
  %b = dataflow.mvu "fc2" %a weights <tensor<2x6x!bnn.bipolar>, [1, 1, -1, 1, -1, 1, 1, -1, 1, 1, -1, -1]> pe 1 simd 1 memory "auto" : !dataflow.stream<tensor<6x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<2xsi4>, 1>
  %y = dataflow.from_stream %b : !dataflow.stream<tensor<2xsi4>, 1> -> tensor<2xsi4>
  func.return %y : tensor<2xsi4>
}
