// RUN: irc-opt %s -p 'declare-inputs{inputs="pixels=uint8/255"}' | filecheck %s
// RUN: irc-opt %s -p 'declare-inputs{inputs="int4*-0.5+1e-3"}' | filecheck %s --check-prefix=OFFSET
// RUN: irc-opt %s -p 'declare-inputs{inputs="bipolar"}' | filecheck %s --check-prefix=BIPOLAR
// RUN: not irc-opt %s -p 'declare-inputs{inputs="pixel=uint8"}' 2>&1 | filecheck %s --check-prefix=NAME
// RUN: not irc-opt %s -p 'declare-inputs{inputs="uint17"}' 2>&1 | filecheck %s --check-prefix=SYNTAX

func.func @net(%x: tensor<4xf32> {bnn.name = "pixels"}) -> tensor<4xf32> {
  %y = bnn.ewise "neg" %x : tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// CHECK:      func.func @net(%x: tensor<4xui8> {bnn.name = "pixels", bnn.declared = "uint8/255"}) -> tensor<4xf32> {
// CHECK-NEXT:   %[[F:.*]] = bnn.cast %x : tensor<4xui8> -> tensor<4xf32>
// CHECK-NEXT:   %[[D:.*]] = bnn.ewise "div" %[[F]], <tensor<f32>, [255.0]>
// CHECK-NEXT:   bnn.ewise "neg" %[[D]]

// OFFSET:      tensor<4xsi4> {bnn.name = "pixels", bnn.declared = "int4*-0.5+1e-3"}
// OFFSET:      bnn.ewise "mul" %{{.*}}, <tensor<f32>, [-0.5]>
// OFFSET-NEXT: bnn.ewise "add" %{{.*}}, <tensor<f32>, [0.0010000000474974513]>
// OFFSET-NEXT: bnn.ewise "neg"

// BIPOLAR:      tensor<4x!bnn.bipolar>
// BIPOLAR-NEXT: %[[F:.*]] = bnn.cast
// BIPOLAR-NEXT: bnn.ewise "neg" %[[F]]

// NAME: input 'pixel': the model's inputs are 'pixels'
// SYNTAX: input declaration 'uint17': expected TYPE, TYPE/NUMBER or TYPE*NUMBER
