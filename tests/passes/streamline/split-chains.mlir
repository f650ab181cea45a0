// RUN: irc-opt %s -p split-chains | filecheck %s

// A sum of a value with itself is twice the value.
// CHECK-LABEL: @doubled
// CHECK-NEXT:   %[[C:.*]] = bnn.cast %x
// CHECK-NEXT:   bnn.ewise "mul" %[[C]], <tensor<f32>, [2.0]>
// CHECK-NEXT:   func.return
func.func @doubled(%x: tensor<1xsi2>) -> tensor<1xf32> {
  %0 = bnn.cast %x : tensor<1xsi2> -> tensor<1xf32>
  %1 = bnn.add %0, %0 : tensor<1xf32>, tensor<1xf32> -> tensor<1xf32>
  func.return %1 : tensor<1xf32>
}
