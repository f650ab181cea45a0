// RUN: irc-opt %s -p 'declare-inputs{inputs="pixels=uint8/255"}' | filecheck %s

// The input is a byte from now on, and what makes the model's float of it is part of the network.

func.func @net(%x: tensor<4xf32> {bnn.name = "pixels"}) -> tensor<4xf32> {
  %y = bnn.ewise "neg" %x : tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// CHECK:      func.func @net(%x: tensor<4xui8> {bnn.name = "pixels", bnn.declared = "uint8/255"}) -> tensor<4xf32> {
// CHECK-NEXT:   %[[F:.*]] = bnn.cast %x : tensor<4xui8> -> tensor<4xf32>
// CHECK-NEXT:   %[[D:.*]] = bnn.ewise "div" %[[F]], <tensor<f32>, [255.0]>
// CHECK-NEXT:   bnn.ewise "neg" %[[D]]
