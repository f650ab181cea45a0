// RUN: irc-opt %s -p narrow-accumulators | filecheck %s

// The inputs are 3 in both channels, so that all sums are 0; a partial one is 3 or -3.
// CHECK-LABEL: @partial_sums
// CHECK:        bnn.linear %{{.*}} : tensor<2xui2> -> tensor<1xsi3>
func.func @partial_sums(%x: tensor<2xui2>) -> tensor<ui1> {
  %0 = bnn.threshold %x at <tensor<1x1xui1>, [0]> steps <tensor<1x1xui2>, [3]> bias 0 : tensor<2xui2> -> tensor<2xui2>
  %1 = bnn.linear %0, <tensor<1x2x!bnn.bipolar>, [1, -1]> : tensor<2xui2> -> tensor<1xsi20>
  %2 = bnn.argmax %1 : tensor<1xsi20> -> tensor<ui1>
  func.return %2 : tensor<ui1>
}

// A reshape has the type of its operand: it changes too.
// CHECK-LABEL: @reshaped(%x: tensor<2xui2>) -> tensor<1x1xsi3>
// CHECK-NEXT:   bnn.linear %{{.*}} -> tensor<1xsi3>
// CHECK-NEXT:   bnn.reshape %{{.*}} : tensor<1xsi3> -> tensor<1x1xsi3>
func.func @reshaped(%x: tensor<2xui2>) -> tensor<1x1xsi20> {
  %0 = bnn.linear %x, <tensor<1x2x!bnn.bipolar>, [1, -1]> : tensor<2xui2> -> tensor<1xsi20>
  %1 = bnn.reshape %0 : tensor<1xsi20> -> tensor<1x1xsi20>
  func.return %1 : tensor<1x1xsi20>
}

// 2·3 + 3·1 is 9 and the least is -3; a sum of branches may feed another.
// CHECK-LABEL: @added
// CHECK:        %{{.*}} = bnn.add %{{.*}} : tensor<2xui2>, tensor<2x!bnn.bipolar> -> tensor<2xsi5>
// CHECK-NEXT:   %{{.*}} = bnn.add %{{.*}} : tensor<2xsi5>, tensor<2xsi5> -> tensor<2xsi6>
func.func @added(%x: tensor<2xui2>, %y: tensor<2x!bnn.bipolar>) -> tensor<2xsi30> {
  %0 = bnn.add %x, %y multipliers <tensor<2x1xui2>, [2, 3]> : tensor<2xui2>, tensor<2x!bnn.bipolar> -> tensor<2xsi20>
  %1 = bnn.add %0, %0 : tensor<2xsi20>, tensor<2xsi20> -> tensor<2xsi30>
  func.return %1 : tensor<2xsi30>
}

// 5·a - 4·a is a, yet 5·a is on the way.
// CHECK-LABEL: @added_to_itself(%x: tensor<2xui2>) -> tensor<2xsi5>
func.func @added_to_itself(%x: tensor<2xui2>) -> tensor<2xsi20> {
  %0 = bnn.add %x, %x multipliers <tensor<2x1xsi4>, [5, -4]> : tensor<2xui2>, tensor<2xui2> -> tensor<2xsi20>
  func.return %0 : tensor<2xsi20>
}

// What is joined has one type: that of the widest.
// CHECK-LABEL: @joined(%x: tensor<2xui2>) -> tensor<3xsi4>
// CHECK-NEXT:   %{{.*}} = bnn.linear %{{.*}} -> tensor<1xsi4>
// CHECK-NEXT:   %{{.*}} = bnn.linear %{{.*}} -> tensor<2xsi4>
// CHECK-NEXT:   bnn.concat %{{.*}} axis 0 : tensor<1xsi4>, tensor<2xsi4> -> tensor<3xsi4>
func.func @joined(%x: tensor<2xui2>) -> tensor<3xsi20> {
  %0 = bnn.linear %x, <tensor<1x2x!bnn.bipolar>, [1, -1]> : tensor<2xui2> -> tensor<1xsi20>
  %1 = bnn.linear %x, <tensor<2x2x!bnn.bipolar>, [1, -1, 1, 1]> : tensor<2xui2> -> tensor<2xsi20>
  %2 = bnn.concat %0, %1 axis 0 : tensor<1xsi20>, tensor<2xsi20> -> tensor<3xsi20>
  func.return %2 : tensor<3xsi20>
}
