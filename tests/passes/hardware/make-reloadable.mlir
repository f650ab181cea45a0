// RUN: irc-opt %s -p 'make-reloadable{enabled=true}' | filecheck %s
// RUN: irc-opt %s -p 'make-reloadable{enabled=true weights="int4","bipolar"}' | filecheck %s --check-prefix=WIDER
// RUN: irc-opt %s -p make-reloadable | filecheck %s --check-prefix=SAME
// RUN: not irc-opt %s -p 'make-reloadable{enabled=true weights="bipolar","bipolar"}' 2>&1 | filecheck %s --check-prefix=OTHER
// RUN: irc-opt %s -p 'make-reloadable{enabled=true},convert-bnn-to-dataflow' | filecheck %s --check-prefix=UNITS

// Sums of two inputs up to 3 with any ternary weights lie from -6 to 6; the result of two bits gets
// a threshold for each of three levels, in each channel.

// CHECK: attributes {bnn.reloadable}
// CHECK: bnn.linear %x, <tensor<2x2xsi2>, [1, -1, 0, 1]> {bnn.reloadable_weights = "ternary"} : {{.*}} -> tensor<2xsi4>
// CHECK: bnn.threshold {{.*}} at <tensor<2x3xsi5>, [-8, 1, 8, -8, 1, 8]> bias 0 {{.*}} -> tensor<2xui2>
// CHECK: bnn.linear {{.*}} <tensor<1x2x!bnn.bipolar>, [1, -1]> {bnn.reloadable_weights = "bipolar"} : {{.*}} -> tensor<1xsi4>

// WIDER: bnn.linear %x, <tensor<2x2xsi4>, [1, -1, 0, 1]> {bnn.reloadable_weights = "int4"} : {{.*}} -> tensor<2xsi7>

// SAME-NOT: reloadable
// SAME: bnn.linear %x, <tensor<2x2xsi2>, [1, -1, 0, 1]> : {{.*}} -> tensor<2xsi3>
// SAME: bnn.threshold {{.*}} at <tensor<1x1xui1>, [1]> bias 1

// OTHER: its weights, ternary from -1 to 1, do not fit the bipolar weights of the design

// UNITS: dataflow.mvu {{.*}} reloadable "ternary"
// UNITS: dataflow.mvu {{.*}} reloadable "any"

func.func @net(%x: tensor<2xui2>) -> tensor<1xsi3> {
  %0 = bnn.linear %x, <tensor<2x2xsi2>, [1, -1, 0, 1]> : tensor<2xui2> -> tensor<2xsi3>
  %1 = bnn.threshold %0 at <tensor<1x1xui1>, [1]> bias 1 : tensor<2xsi3> -> tensor<2xui2>
  %2 = bnn.linear %1, <tensor<1x2x!bnn.bipolar>, [1, -1]> : tensor<2xui2> -> tensor<1xsi3>
  func.return %2 : tensor<1xsi3>
}
