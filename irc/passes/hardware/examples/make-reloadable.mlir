// RUN: irc-opt %s -p 'make-reloadable{enabled=true}' | filecheck %s

// Sums of two inputs up to 3 with any ternary weights lie from -6 to 6; the result of two bits gets
// a threshold for each of three levels, in each channel.

// CHECK: attributes {bnn.reloadable}
// CHECK: bnn.linear %x, <tensor<2x2xsi2>, [1, -1, 0, 1]> {bnn.reloadable_weights = "ternary"} : {{.*}} -> tensor<2xsi4>
// CHECK: bnn.threshold {{.*}} at <tensor<2x3xsi5>, [-8, 1, 8, -8, 1, 8]> bias 0 {{.*}} -> tensor<2xui2>
// CHECK: bnn.linear {{.*}} <tensor<1x2x!bnn.bipolar>, [1, -1]> {bnn.reloadable_weights = "bipolar"} : {{.*}} -> tensor<1xsi4>

func.func @net(%x: tensor<2xui2>) -> tensor<1xsi3> {
  %0 = bnn.linear %x, <tensor<2x2xsi2>, [1, -1, 0, 1]> : tensor<2xui2> -> tensor<2xsi3>
  %1 = bnn.threshold %0 at <tensor<1x1xui1>, [1]> bias 1 : tensor<2xsi3> -> tensor<2xui2>
  %2 = bnn.linear %1, <tensor<1x2x!bnn.bipolar>, [1, -1]> : tensor<2xui2> -> tensor<1xsi3>
  func.return %2 : tensor<1xsi3>
}
