builtin.module attributes {onnx.ir_version = 7 : i64, onnx.opset_imports = {"" = 12 : i64, onnx.brevitas = 1 : i64}} {
  func.func @random_network(%x: tensor<?x4x6x1xf32> {onnx.name = "x", onnx.dims = ["N", "", "", ""]}) -> (tensor<?x1xsi64> {onnx.name = "t30", onnx.dims = ["N", ""]}) {
    %t5 = onnx.Sub(%t4, %c10) : (tensor<?x3x6x1xf32>, tensor<1x1x1xf32>) -> tensor<?x3x6x1xf32>
    %c0 = onnx.Constant #onnx.tensor<tensor<4xf32>, [2.759538412094116, 0.9242244958877563, 1.1234909296035767, -1.4955978393554688]>
    %c1 = onnx.Constant #onnx.tensor<tensor<4xf32>, [-0.6654351353645325, 0.39220985770225525, -1.2527731657028198, -0.7582982182502747]>
    %c2 = onnx.Constant #onnx.tensor<tensor<4xf32>, [-2.0358259677886963, -3.1878345012664795, -1.3572782278060913, -0.8718364238739014]>
    %c3 = onnx.Constant #onnx.tensor<tensor<4xf32>, [2.870694398880005, 1.7529854774475098, 0.13506349921226501, 2.2446277141571045]>
    %c4 = onnx.Constant #onnx.tensor<tensor<f32>, [0.9836926460266113]>
    %c5 = onnx.Constant #onnx.tensor<tensor<f32>, [0.0]>
    %c6 = onnx.Constant #onnx.tensor<tensor<f32>, [2.0]>
    %c7 = onnx.Constant #onnx.tensor<tensor<4x4x3x3xf32>, "0x1ebc303f1ebc30bf1ebc303f1ebc303f1ebc30bf1ebc30bf00000000000000001ebc30bf000000001ebc30bf1ebc303f000000001ebc303f1ebc30bf000000001ebc30bf1ebc30bf1ebc303f1ebc30bf1ebc303f1ebc30bf000000001ebc30bf1ebc303f1ebc30bf000000001ebc303f1ebc30bf1ebc303f1ebc30bf00000000000000001ebc30bf000000001ebc303f000000001ebc303f1ebc30bf1ebc303f1ebc30bf1ebc30bf1ebc30bf000000001ebc30bf1ebc30bf00000000000000001ebc30bf00000000000000001ebc303f000000001ebc30bf1ebc303f1ebc303f1ebc30bf1ebc30bf1ebc303f000000001ebc30bf000000001ebc303f1ebc303f1ebc303f1ebc30bf1ebc303f1ebc30bf000000001ebc303f00000000000000001ebc30bf1ebc303f1ebc30bf00000000000000001ebc303f1ebc303f000000001ebc303f000000001ebc30bf1ebc30bf00000000000000001ebc30bf00000000000000001ebc303f1ebc30bf000000001ebc303f1ebc30bf000000001ebc30bf000000001ebc30bf1ebc30bf1ebc30bf1ebc30bf000000000000000000000000000000001ebc30bf000000001ebc303f000000001ebc30bf1ebc30bf000000001ebc303f000000001ebc30bf00000000000000001ebc303f1ebc30bf1ebc30bf1ebc303f1ebc30bf000000001ebc30bf000000001ebc303f000000001ebc30bf1ebc30bf1ebc303f1ebc303f00000000000000001ebc30bf1ebc303f1ebc30bf000000001ebc30bf1ebc303f000000001ebc303f1ebc30bf1ebc303f1ebc303f">
    %c8 = onnx.Constant #onnx.tensor<tensor<3x4x3x3xf32>, "0x3e6e35c03e6e35403e6e35403e6e35c03e6e35c03e6e35c0000000003e6e3540000000003e6e3540000000000000000000000000000000003e6e35c03e6e35403e6e35403e6e35c03e6e35c03e6e35403e6e3540000000003e6e354000000000000000003e6e35403e6e35403e6e35c0000000003e6e35c03e6e35c03e6e35403e6e35c03e6e3540000000003e6e35403e6e35403e6e35c0000000003e6e35403e6e3540000000003e6e3540000000003e6e35403e6e35c0000000003e6e35c03e6e35c03e6e35c03e6e35c0000000003e6e35c0000000003e6e35c03e6e35403e6e354000000000000000003e6e35c000000000000000003e6e35c03e6e35c03e6e35c000000000000000003e6e35403e6e35403e6e35c03e6e354000000000000000003e6e35403e6e35400000000000000000000000003e6e35c000000000000000003e6e3540000000000000000000000000000000003e6e35c0000000003e6e35403e6e3540000000003e6e35403e6e35403e6e35c03e6e35c03e6e3540000000000000000000000000000000003e6e35403e6e35403e6e35403e6e35c00000000000000000000000003e6e3540">
    %c9 = onnx.Constant #onnx.tensor<tensor<3xf32>, [1.913798451423645, 0.3642570972442627, 0.1543777585029602]>
    %c10 = onnx.Constant #onnx.tensor<tensor<1x1x1xf32>, [1.6373802423477173]>
    %c11 = onnx.Constant #onnx.tensor<tensor<11xf32>, [-0.9491198062896729, -0.506129801273346, -3.9148764610290527, 0.5840775370597839, 0.46064984798431396, -2.865907907485962, 1.887086272239685, 0.5858383774757385, -2.9473397731781006, -1.165278434753418, 0.7071254253387451]>
    %c12 = onnx.Constant #onnx.tensor<tensor<11xf32>, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]>
    %c13 = onnx.Constant #onnx.tensor<tensor<11xf32>, [2.332498788833618, 3.2401845455169678, 2.5057735443115234, -0.004357805475592613, 0.005604796577244997, 0.6541902422904968, 0.31347596645355225, 0.07349716871976852, 26.225000381469727, -9.456568717956543, 11.837671279907227]>
    %c14 = onnx.Constant #onnx.tensor<tensor<11xf32>, [0.25, 0.0625, 1.0, 0.000244140625, 0.0009765625, 0.0625, 0.015625, 0.0625, 64.0, 16.0, 64.0]>
    %c15 = onnx.Constant #onnx.tensor<tensor<f32>, [-2.0]>
    %c16 = onnx.Constant #onnx.tensor<tensor<f32>, [1.0]>
    %c17 = onnx.Constant #onnx.tensor<tensor<1x11x3x3xf32>, "0x0000803f0000803f0000803f000080bf0000803f000080bf0000803f0000803f000080bf0000803f000080bf000080bf0000803f000080bf000080bf0000803f0000803f0000803f0000803f0000803f0000803f000080bf0000803f0000803f000080bf0000803f000080bf000080bf000080bf000080bf000080bf000080bf0000803f000080bf0000803f000080bf0000803f000080bf0000803f000080bf000080bf000080bf000080bf0000803f000080bf0000803f0000803f000080bf000080bf000080bf0000803f000080bf0000803f0000803f0000803f0000803f000080bf0000803f000080bf000080bf0000803f000080bf000080bf000080bf0000803f000080bf0000803f0000803f0000803f0000803f000080bf0000803f000080bf0000803f0000803f000080bf0000803f0000803f0000803f000080bf0000803f000080bf0000803f000080bf000080bf0000803f0000803f000080bf000080bf0000803f0000803f0000803f000080bf000080bf0000803f000080bf000080bf0000803f000080bf">
    %c18 = onnx.Constant #onnx.tensor<tensor<1xf32>, [0.42927730083465576]>
    %c19 = onnx.Constant #onnx.tensor<tensor<f32>, [-1.0]>
    %c20 = onnx.Constant #onnx.tensor<tensor<f32>, [1.0]>
    %c21 = onnx.Constant #onnx.tensor<tensor<3x11x3x3xf32>, "0xd48f313f6a05b9bebf3f263f616a1e4055e51bc04c8c613ff5baf1bf1bdb073fdf9802c09679c33fae09333f09252a3fa53d85be735709c05acb2d3e3a8725be5ad88b3e4df92b4021821b3f4e2d1abf2cbab63f77c374bf88ffbfbeca5f02bf10179d3fbb5b4540ada340bf363e02bf4ac377bf5ebc8a3f50ca7a3fe7d66bbf1b7f8a3fa2b1e83f62434f40abac573d50aae7be62660e403bfda93f4687843f9d670140a341f0beeb7c0f40e6a75e3f5cd2f33de6c91b40310852c04acf9d3fa90343c0d9a929bd6f2124bf2ff0243e7ef18dc0f6a8ba3f2e59cc3d223dd7be4bd63340573088be023beb3f3db13c3e72c7993fd79005409ffabf3ed6af14bfcaf5dcbe9593d4bf168dc0bf18d3b23f34bc2c3fc91b2abdfd5f24c0fbf7e2bda7f5b5bd7e0ec6bfab2ca63e168252bf61e005c0a04580be4e6f43c06544473f809e8fbf5a94b6bfb5dd75c00e61d03ed5e10d3f27cdc43eb7bc08bde1680140a41e30befd9a3940fe9b2abf4aae21403474d73e08bab6be4a1b4ebf2c41b13fc22381406b2eaebfee6662bee93447c09b7c82c0ae8d64c0674a87befab38abfcd97e03f8faf40400e28d7bfe3a426c060cab9bf5de8133f5a92c53da07112c0ad3559bf562f443f78d5333f1b2e9abf9b8c29bdada8dcbd896c58c0a143fe3f8bd1ff3fcf117ebfbdf3593d3ea304bf783dae3fefd6933ffff63d3ddba292bf005ed63fda37fa3e1dc1144089f374bffbda843e5e287e3f9d2b0640fa33b23da3d656bf854d1040918957bf8d700cc0d4157dbf4c79843fe0dc86beb0dc6b3ec7507ebf097fa73f90b22bbfec1248c010bd583d58e5873fa543923f8b6fd93e73f1983fe020febf6ef468bf1c64d7bfd25b15bfffac33bf2146dd3ee6f03540fbe88f3f59e52ac0532eed3fba7d1e3f203b58bf7c69803e1728783f250d4840d21ccd3ec5fc43beb7d48f3fbace5cc0c6c71a4044c7813e9d639d3f3e2395bd6849ae3fa7de8dbe10a0fcbe59331940626512401d913fbf3c0230be7e1663bf7ed4f6be861a75bf60ea16beb32cd23e8e84b63f51b39b3f00b7a83f15d2b53ed3b417c0b44ee7bfaf5a63bf86b4b53d3854a1bf2b3d633f39cb983c977240be0c790dc0dd4e0dbff908cabf1742a0be93598ebeba120fc0f0a3e03f7ebcd4bfbb91933f0f7fdabfde0d27bfd2f81cbff9b2f0bf37537a3ea4d56240602d12be8ecccbbf5d3808c08a2f18c07f3e96bfd6d9c2bce2d20d40c028643f29661d400240923e832c7d3e05e341bff8a0ca3fc72ae9bd704e8dbe807cd93ddad3463e49c24a3e32bfacbf22e640bf2ba90ec0f124933fb4b6573fcf0077befc5e3a3ebf0634c0cda2c8bf9829c9be85775cbfbcc1abbf9e19aebff1ac64bf20e417bf8a6f8fbfd0c423402d478abf1a80cc3f5b4ccebf7807c8bcab44fe3feb20c8bde3731b3e49ba313f29aa58be440bb83f2ff047bf7fdca33fa43140405b140ebfcae39fbf9d08bb3f2031dbbe2253a53fb5729bbf2a9af4bd49ccbd3f0c2c8b3f841ae13f7d3ac1bf4493a43fb867d8bf1de4c2bfed0576bf1e5c273f6bf992bf94d1e23f361daa3e936e223fbbec30bf09fdc83e9f3ec63f68d2b0bed34724bf615445bf3f42ca3f4186b53f14315abf0268044062dd4740651c413fbab8d0be9f02df3e">
    %c22 = onnx.Constant #onnx.tensor<tensor<f32>, [3.381744623184204]>
    %c23 = onnx.Constant #onnx.tensor<tensor<3xf32>, [3.0125224590301514, -0.687403678894043, -1.6877611875534058]>
    %c24 = onnx.Constant #onnx.tensor<tensor<1x1x1xf32>, [1.270588755607605]>
    %c25 = onnx.Constant #onnx.tensor<tensor<1x11x3x3xsi8>, "0xfb05fafaf8f9fdfdf8f9fafafe0104020707040405f9fcfa06fdfaf9fafc050707050706050502f803040006070702fcfa06fc01fefc0107030306000102000500fb0003f9040705fdfff9f805f8fcff0506faf800fefc06fdf8ff020305fb02f9f8fe">
    %c26 = onnx.Constant #onnx.tensor<tensor<f32>, [0.3919762670993805]>
    %c27 = onnx.Constant #onnx.tensor<tensor<f32>, [1.1653777360916138]>
    %c28 = onnx.Constant #onnx.tensor<tensor<f32>, [0.0]>
    %c29 = onnx.Constant #onnx.tensor<tensor<f32>, [3.0]>
    %c30 = onnx.Constant #onnx.tensor<tensor<f32>, [1.1146882772445679]>
    %c31 = onnx.Constant #onnx.tensor<tensor<ui8>, [3]>
    %c32 = onnx.Constant #onnx.tensor<tensor<3x5x2x1xsi8>, [-74, 124, 125, -63, 87, 70, -44, 116, -36, 123, 19, 30, -101, 58, -12, 20, 71, -116, -39, 23, 37, -24, -48, 17, 23, 3, -75, 82, -56, -66]>
    %c33 = onnx.Constant #onnx.tensor<tensor<f32>, [3.163118362426758]>
    %c34 = onnx.Constant #onnx.tensor<tensor<si8>, [0]>
    %c35 = onnx.Constant #onnx.tensor<tensor<f32>, [160.0]>
    %c36 = onnx.Constant #onnx.tensor<tensor<ui8>, [131]>
    %c37 = onnx.Constant #onnx.tensor<tensor<3xf32>, [1.5234216451644897, -0.7214720249176025, 1.1424401998519897]>
    %c38 = onnx.Constant #onnx.tensor<tensor<3xf32>, [0.5, 0.5, 0.5]>
    %c39 = onnx.Constant #onnx.tensor<tensor<3xf32>, [2888.35791015625, -1705.5509033203125, 661.63916015625]>
    %c40 = onnx.Constant #onnx.tensor<tensor<3xf32>, [4194304.0, 1048576.0, 1048576.0]>
    %c41 = onnx.Constant #onnx.tensor<tensor<9x3xf32>, [0.14783987402915955, 0.5574749708175659, 1.0359472036361694, -0.5911046862602234, 2.325495481491089, 2.3872196674346924, -0.7004774808883667, -1.9787805080413818, -0.14135237038135529, 0.24602802097797394, 1.0888913869857788, -0.19709548354148865, -1.7759326696395874, 1.1930567026138306, 2.123133420944214, -1.8446638584136963, -1.162146806716919, -0.8323220014572144, 2.254521369934082, -2.893645763397217, -1.2451170682907104, 0.6171619296073914, 1.701008915901184, 1.0822606086730957, -1.6740260124206543, -1.3629816770553589, -0.670551061630249]>
    %c42 = onnx.Constant #onnx.tensor<tensor<9x1xf32>, [0.6137785315513611, 1.2798136472702026, 0.2375100702047348, 0.4900979995727539, 2.44197678565979, 0.4390156865119934, 2.1889657974243164, 2.9589693546295166, 0.7066642642021179]>
    %c43 = onnx.Constant #onnx.tensor<tensor<f32>, [0.0]>
    %c44 = onnx.Constant #onnx.tensor<tensor<f32>, [3.0]>
    %c45 = onnx.Constant #onnx.tensor<tensor<9xf32>, [0.3682093322277069, 0.9324142932891846, -0.13179612159729004, 3.126067638397217, 1.0415233373641968, 0.5690509080886841, 1.2694509029388428, 0.06517814844846725, 2.759704351425171]>
    %t0 = onnx.BatchNormalization(%x, %c0, %c1, %c2, %c3) {epsilon = 1.000000e-05 : f32} : (tensor<?x4x6x1xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4x6x1xf32>
    %t1 = onnx.IntQuant(%t0, %c4, %c5, %c6) {narrow = 0 : i64, rounding_mode = "CEIL", signed = 0 : i64, onnx.domain = "onnx.brevitas"} : (tensor<?x4x6x1xf32>, tensor<f32>, tensor<f32>, tensor<f32>) -> tensor<?x4x6x1xf32>
    %t2 = onnx.Conv(%t1, %c7) {group = 1 : i64, kernel_shape = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 1, 1>} : (tensor<?x4x6x1xf32>, tensor<4x4x3x3xf32>) -> tensor<?x4x6x1xf32>
    %t3 = onnx.HardSigmoid(%t2) : (tensor<?x4x6x1xf32>) -> tensor<?x4x6x1xf32>
    %t4 = onnx.Conv(%t1, %c8, %c9) {group = 1 : i64, kernel_shape = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 1, 1>} : (tensor<?x4x6x1xf32>, tensor<3x4x3x3xf32>, tensor<3xf32>) -> tensor<?x3x6x1xf32>
    %t6 = onnx.Concat(%t1, %t3, %t5) {axis = 1 : i64} : (tensor<?x4x6x1xf32>, tensor<?x4x6x1xf32>, tensor<?x3x6x1xf32>) -> tensor<?x11x6x1xf32>
    %t7 = onnx.BatchNormalization(%t6, %c11, %c12, %c13, %c14) {epsilon = 1.000000e-05 : f32} : (tensor<?x11x6x1xf32>, tensor<11xf32>, tensor<11xf32>, tensor<11xf32>, tensor<11xf32>) -> tensor<?x11x6x1xf32>
    %t8 = onnx.Round(%t7) : (tensor<?x11x6x1xf32>) -> tensor<?x11x6x1xf32>
    %t9 = onnx.Clip(%t8, %c15, %c16) : (tensor<?x11x6x1xf32>, tensor<f32>, tensor<f32>) -> tensor<?x11x6x1xf32>
    %t10 = onnx.Conv(%t9, %c17, %c18) {group = 1 : i64, kernel_shape = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 1, 1>} : (tensor<?x11x6x1xf32>, tensor<1x11x3x3xf32>, tensor<1xf32>) -> tensor<?x1x6x1xf32>
    %t11 = onnx.Clip(%t10, %c19, %c20) : (tensor<?x1x6x1xf32>, tensor<f32>, tensor<f32>) -> tensor<?x1x6x1xf32>
    %t12 = onnx.BipolarQuant(%c21, %c22) {onnx.domain = "onnx.brevitas"} : (tensor<3x11x3x3xf32>, tensor<f32>) -> tensor<3x11x3x3xf32>
    %t13 = onnx.Conv(%t9, %t12, %c23) {group = 1 : i64, kernel_shape = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 1, 1>} : (tensor<?x11x6x1xf32>, tensor<3x11x3x3xf32>, tensor<3xf32>) -> tensor<?x3x6x1xf32>
    %t14 = onnx.Div(%t13, %c24) : (tensor<?x3x6x1xf32>, tensor<1x1x1xf32>) -> tensor<?x3x6x1xf32>
    %t15 = onnx.DequantizeLinear(%c25, %c26) : (tensor<1x11x3x3xsi8>, tensor<f32>) -> tensor<1x11x3x3xf32>
    %t16 = onnx.Conv(%t9, %t15) {group = 1 : i64, kernel_shape = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 1, 1>} : (tensor<?x11x6x1xf32>, tensor<1x11x3x3xf32>) -> tensor<?x1x6x1xf32>
    %t17 = onnx.Quant(%t11, %c27, %c28, %c29) {narrow = 0 : i64, rounding_mode = "ROUND", signed = 0 : i64, onnx.domain = "onnx.brevitas"} : (tensor<?x1x6x1xf32>, tensor<f32>, tensor<f32>, tensor<f32>) -> tensor<?x1x6x1xf32>
    %t18 = onnx.Quant(%t14, %c27, %c28, %c29) {narrow = 0 : i64, rounding_mode = "ROUND", signed = 0 : i64, onnx.domain = "onnx.brevitas"} : (tensor<?x3x6x1xf32>, tensor<f32>, tensor<f32>, tensor<f32>) -> tensor<?x3x6x1xf32>
    %t19 = onnx.Quant(%t16, %c27, %c28, %c29) {narrow = 0 : i64, rounding_mode = "ROUND", signed = 0 : i64, onnx.domain = "onnx.brevitas"} : (tensor<?x1x6x1xf32>, tensor<f32>, tensor<f32>, tensor<f32>) -> tensor<?x1x6x1xf32>
    %t20 = onnx.Concat(%t17, %t18, %t19) {axis = 1 : i64} : (tensor<?x1x6x1xf32>, tensor<?x3x6x1xf32>, tensor<?x1x6x1xf32>) -> tensor<?x5x6x1xf32>
    %t21 = onnx.QuantizeLinear(%t20, %c30, %c31) : (tensor<?x5x6x1xf32>, tensor<f32>, tensor<ui8>) -> tensor<?x5x6x1xui8>
    %t22 = onnx.QLinearConv(%t21, %c30, %c31, %c32, %c33, %c34, %c35, %c36) : (tensor<?x5x6x1xui8>, tensor<f32>, tensor<ui8>, tensor<3x5x2x1xsi8>, tensor<f32>, tensor<si8>, tensor<f32>, tensor<ui8>) -> tensor<?x3x5x1xui8>
    %t23 = onnx.DequantizeLinear(%t22, %c35, %c36) : (tensor<?x3x5x1xui8>, tensor<f32>, tensor<ui8>) -> tensor<?x3x5x1xf32>
    %t24 = onnx.BatchNormalization(%t23, %c37, %c38, %c39, %c40) {epsilon = 1.000000e-05 : f32} : (tensor<?x3x5x1xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<?x3x5x1xf32>
    %t25 = onnx.Sign(%t24) : (tensor<?x3x5x1xf32>) -> tensor<?x3x5x1xf32>
    %t26 = onnx.GlobalAveragePool(%t25) : (tensor<?x3x5x1xf32>) -> tensor<?x3x1x1xf32>
    %t27 = onnx.Flatten(%t26) {axis = 1 : i64} : (tensor<?x3x1x1xf32>) -> tensor<?x3xf32>
    %t28 = onnx.Quant(%c41, %c42, %c43, %c44) {narrow = 0 : i64, rounding_mode = "ROUND", signed = 1 : i64, onnx.domain = "onnx.brevitas"} : (tensor<9x3xf32>, tensor<9x1xf32>, tensor<f32>, tensor<f32>) -> tensor<9x3xf32>
    %t29 = onnx.Gemm(%t27, %t28, %c45) {transB = 1 : i64} : (tensor<?x3xf32>, tensor<9x3xf32>, tensor<9xf32>) -> tensor<?x9xf32>
    %t30 = onnx.ArgMax(%t29) {axis = 1 : i64, keepdims = 1 : i64} : (tensor<?x9xf32>) -> tensor<?x1xsi64>
    func.return %t30 : tensor<?x1xsi64>
  }
}
