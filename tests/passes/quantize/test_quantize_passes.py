"""The passes on small functions: bias correction, which values are quantized, and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from irc.api import evaluate, parse, run_passes
from irc.dialects import bnn
from irc.errors import IrcError, UnsupportedError, UsageError
from irc.interp.run import entry_function

Array = npt.NDArray[Any]

DENSE = """
func.func @net(%x: tensor<6xf32>) -> tensor<3xf32> {
  %0 = bnn.linear %x, <tensor<3x6xf32>, WEIGHTS> offsets <tensor<3xf32>, [1.0, 2.0, 3.0]>
    : tensor<6xf32> -> tensor<3xf32> loc("fc")
  func.return %0 : tensor<3xf32>
}
"""
CONV = """
func.func @net(%x: tensor<7x2xf32>) -> tensor<3x3xf32> {
  %0 = bnn.conv %x, <tensor<3x3x2xf32>, WEIGHTS> strides [2] dilations [1] groups 1
    : tensor<7x2xf32> -> tensor<3x3xf32> loc("conv")
  func.return %0 : tensor<3x3xf32>
}
"""
GROUPED = """
func.func @net(%x: tensor<6x4xf32>) -> tensor<4x4xf32> {
  %0 = bnn.conv %x, <tensor<4x2x2xf32>, WEIGHTS> strides [1] dilations [2] groups 2
    : tensor<6x4xf32> -> tensor<4x4xf32> loc("conv")
  func.return %0 : tensor<4x4xf32>
}
"""
SIZES = {DENSE: 18, CONV: 18, GROUPED: 16}
TWO_BITS = "bits=2 first=2 last=2"


def with_weights(text: str) -> str:
    """The text with random weights."""
    weights = np.random.default_rng(5).standard_normal(SIZES[text]).round(2)
    return text.replace("WEIGHTS", str(weights.tolist()))


def save_frames(folder: Path, text: str, name: str = "calib.npz") -> Array:
    """Write frames of the function's input, away from 0 on average."""
    frame = bnn.frame_type(entry_function(parse(text)).body.block.args[0]).get_shape()
    frames = np.random.default_rng(6).normal(1.0, 0.5, (40, *frame)).astype(np.float32)
    np.savez(folder / name, x=frames)
    return frames


@pytest.mark.parametrize("text", [DENSE, CONV, GROUPED], ids=["dense", "conv", "grouped"])
@pytest.mark.parametrize("name", [f"quantize-weights{{{TWO_BITS} ", "binarize{edges=true "])
def test_with_data_every_channel_keeps_its_mean(text: str, name: str, tmp_path: Path) -> None:
    text = with_weights(text)
    frames = save_frames(tmp_path, text)
    calibrated = run_passes(parse(text), f'{name}data="{tmp_path / "calib.npz"}"}}')
    blind = run_passes(parse(text), f"{name}uncalibrated=true}}")
    means = [
        evaluate(module, frames)[0].reshape(-1, entry_channels(module)).mean(axis=0)
        for module in (parse(text), calibrated, blind)
    ]
    assert np.abs(means[1] - means[0]).max() < 1e-5
    assert np.abs(means[2] - means[0]).max() > 1e-2


def entry_channels(module: Any) -> int:
    """The channels of the result."""
    return entry_function(module).function_type.outputs.data[0].get_shape()[-1]  # pyright: ignore


def test_weights_that_are_integers_already_stay(tmp_path: Path) -> None:
    text = """
    func.func @net(%x: tensor<2xf32>) -> tensor<1xf32> {
      %0 = bnn.linear %x, <tensor<1x2xsi4>, [7, -3]> scales <tensor<1xf32>, [0.5]>
        : tensor<2xf32> -> tensor<1xf32>
      func.return %0 : tensor<1xf32>
    }
    """
    before = str(parse(text))
    for passes in ("quantize-weights{bits=2}", "binarize"):
        assert str(run_passes(parse(text), passes)) == before


def test_only_edges_with_floats_are_no_reason_to_do_nothing_silently() -> None:
    with pytest.raises(UsageError, match="only layers with float weights are the first and the"):
        run_passes(parse(with_weights(DENSE)), "binarize")


QUANTIZED_TWICE = """
func.func @net(%x: tensor<2xui8>) -> tensor<1xf32> {
  %0 = bnn.cast %x : tensor<2xui8> -> tensor<2xf32>
  %1 = bnn.ewise "sub" %0, <tensor<f32>, [127.5]> : tensor<2xf32> -> tensor<2xf32>
  %2 = bnn.linear %1, <tensor<1x2xsi2>, [1, -1]> : tensor<2xf32> -> tensor<1xf32>
  func.return %2 : tensor<1xf32>
}
"""


def test_offsets_in_front_of_a_sum_need_no_quantizer() -> None:
    assert "bnn.quantize" not in str(run_passes(parse(QUANTIZED_TWICE), "quantize-activations"))


def test_offsets_go_behind_the_sum_of_integers() -> None:
    """`W·(x − 127.5) = W·x − 127.5·ΣW`: float32 sums on the right are exact."""
    text = QUANTIZED_TWICE.replace("[1, -1]", "[1, 1]")
    module = run_passes(parse(text), "quantize-activations")
    (linear,) = [op for op in module.walk() if isinstance(op, bnn.LinearOp)]
    assert isinstance(linear.input.owner, bnn.CastOp)
    (found,) = evaluate(module, np.array([[255, 0], [255, 255]]))
    assert found.tolist() == [[0.0], [255.0]]


def test_a_pool_between_functions_gets_integers() -> None:
    text = """
    func.func @net(%x: tensor<4x1xui8>) -> tensor<1xf32> {
      %0 = bnn.cast %x : tensor<4x1xui8> -> tensor<4x1xf32>
      %1 = bnn.conv %0, <tensor<2x1x1xsi2>, [1, -1]> strides [1] dilations [1] groups 1
        : tensor<4x1xf32> -> tensor<4x2xf32>
      %2 = bnn.ewise "tanh" %1 : tensor<4x2xf32> -> tensor<4x2xf32>
      %3 = bnn.max_pool %2 kernel [4] strides [1] dilations [1] : tensor<4x2xf32> -> tensor<1x2xf32>
      %4 = bnn.ewise "neg" %3 : tensor<1x2xf32> -> tensor<1x2xf32>
      %5 = bnn.reshape %4 : tensor<1x2xf32> -> tensor<2xf32>
      %6 = bnn.linear %5, <tensor<1x2xsi3>, [1, 2]> : tensor<2xf32> -> tensor<1xf32>
      func.return %6 : tensor<1xf32>
    }
    """
    module = run_passes(parse(text), "quantize-activations{bits=4 range=1},float-bnn-to-bnn")
    (pool,) = [op for op in module.walk() if isinstance(op, bnn.MaxPoolOp)]
    assert str(bnn.frame_type(pool.output).element_type) == "si6"
    # With none behind it the quantizer of the layer is enough, and moves in front of the pool.
    alone = text.replace("bnn.reshape %4", "bnn.reshape %3")
    module = run_passes(parse(alone), "quantize-activations{bits=4 range=1},float-bnn-to-bnn")
    (pool,) = [op for op in module.walk() if isinstance(op, bnn.MaxPoolOp)]
    assert str(bnn.frame_type(pool.output).element_type) == "si4"


def test_floats_at_the_entry_are_rounded_in_front_of_a_transpose() -> None:
    text = """
    func.func @net(%x: tensor<1x2xf32>) -> tensor<3x1xf32> {
      %0 = bnn.transpose %x perm [1, 0] : tensor<1x2xf32> -> tensor<2x1xf32>
      %1 = bnn.pad %0 before [1] after [1] value 0.0 : tensor<2x1xf32> -> tensor<4x1xf32>
      %2 = bnn.conv %1, <tensor<1x2x1xsi2>, [1, -1]> strides [1] dilations [1] groups 1
        : tensor<4x1xf32> -> tensor<3x1xf32>
      func.return %2 : tensor<3x1xf32>
    }
    """
    module = run_passes(parse(text), "quantize-activations{bits=4 range=1},float-bnn-to-bnn")
    (conv,) = [op for op in module.walk() if isinstance(op, bnn.ConvOp)]
    assert str(bnn.frame_type(conv.input).element_type) == "si8"


def test_offsets_inside_a_border_of_zeros_do() -> None:
    text = """
    func.func @net(%x: tensor<2x1xui8>) -> tensor<3x1xf32> {
      %0 = bnn.cast %x : tensor<2x1xui8> -> tensor<2x1xf32>
      %1 = bnn.ewise "sub" %0, <tensor<f32>, [127.5]> : tensor<2x1xf32> -> tensor<2x1xf32>
      %2 = bnn.pad %1 before [1] after [1] value 0.0 : tensor<2x1xf32> -> tensor<4x1xf32>
      %3 = bnn.conv %2, <tensor<1x2x1xsi2>, [1, -1]> strides [1] dilations [1] groups 1
        : tensor<4x1xf32> -> tensor<3x1xf32>
      func.return %3 : tensor<3x1xf32>
    }
    """
    module = run_passes(parse(text), "quantize-activations{range=128}")
    (quantizer,) = [op for op in module.walk() if isinstance(op, bnn.QuantizeOp)]
    assert quantizer.bounds == (-128, 127)
    run_passes(module, "float-bnn-to-bnn")
    assert not [op for op in module.walk() if isinstance(op, bnn.QuantizeOp)]


CONCAT = """
func.func @net(%x: tensor<4x2xsi4>) -> tensor<4x2xf32> {
  %0 = bnn.cast %x : tensor<4x2xsi4> -> tensor<4x2xf32>
  %1 = bnn.linear %0, <tensor<2x2xsi3>, [1, 2, -3, 3]> : tensor<4x2xf32> -> tensor<4x2xf32>
  %2 = bnn.ewise "relu" %1 : tensor<4x2xf32> -> tensor<4x2xf32>
  %3 = bnn.linear %2, <tensor<2x2xsi3>, [3, 1, 1, -2]> : tensor<4x2xf32> -> tensor<4x2xf32>
  %4 = bnn.concat %2, %3 axis 1 : tensor<4x2xf32>, tensor<4x2xf32> -> tensor<4x4xf32>
  %5 = bnn.linear %4, <tensor<2x4xsi3>, [1, 2, -3, 3, 1, -1, 2, 0]>
    : tensor<4x4xf32> -> tensor<4x2xf32>
  func.return %5 : tensor<4x2xf32>
}
"""


def test_what_is_concatenated_shares_its_step_and_type() -> None:
    module = run_passes(parse(CONCAT), "quantize-activations{bits=4 uncalibrated=true}")
    quantizers = [op for op in module.walk() if isinstance(op, bnn.QuantizeOp)]
    assert {str(bnn.frame_type(op.output).element_type) for op in quantizers} == {"si4"}
    divisions = [op.input.owner for op in quantizers]
    steps = {float(op.constant.numpy()) for op in divisions if isinstance(op, bnn.EwiseOp)}  # pyright: ignore
    assert len(quantizers) == 2
    assert len(steps) == 1


def test_halves_that_change_places_many_times_take_no_time() -> None:
    """Two ways lead through every exchange, so that there are 2⁴⁰ to the layer behind them."""
    half, whole = "tensor<2xf32>", "tensor<4xf32>"
    lines = [f'%0 = bnn.ewise "relu" %x : {whole} -> {whole}']
    for index in range(40):
        for name, offset in (("a", 2), ("b", 0)):
            lines.append(
                f"%{name}{index} = bnn.slice %{index} offsets [{offset}] sizes [2] strides [1] "
                f": {whole} -> {half}"
            )
        lines.append(
            f"%{index + 1} = bnn.concat %a{index}, %b{index} axis 0 : {half}, {half} -> {whole}"
        )
    body = "\n".join(lines)
    module = parse(f"""
      func.func @net(%x: {whole}) -> tensor<1xf32> {{
        {body}
        %y = bnn.linear %40, <tensor<1x4xsi2>, [1, -1, 1, 1]> : {whole} -> tensor<1xf32>
        func.return %y : tensor<1xf32>
      }}""")
    run_passes(module, "quantize-activations{range=4.0}")
    assert sum(isinstance(op, bnn.QuantizeOp) for op in module.walk()) == 1


def test_one_bit_with_a_sign_is_bipolar_at_the_mean_magnitude(tmp_path: Path) -> None:
    text = """
    func.func @net(%x: tensor<4xf32>) -> tensor<1xf32> {
      %0 = bnn.linear %x, <tensor<1x4xsi2>, [1, -1, 1, 1]> : tensor<4xf32> -> tensor<1xf32>
      func.return %0 : tensor<1xf32>
    }
    """
    np.save(tmp_path / "calib.npy", np.array([[1.0, -3.0, 2.0, -2.0]]))
    options = f'inputs=1 data="{tmp_path / "calib.npy"}"'
    module = run_passes(parse(text), f"quantize-activations{{{options}}}")
    (found,) = evaluate(module, np.array([[0.5, 0.0, -7.0, 1.0]], np.float32))
    # Signs 1, 1, -1, 1 times the mean magnitude 2.
    assert found.tolist() == [[0.0]]
    (found,) = evaluate(module, np.array([[0.5, -0.1, 7.0, 1.0]], np.float32))
    assert found.tolist() == [[8.0]]


@pytest.mark.parametrize("name", ["quantize-weights", "quantize-activations", "binarize"])
@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((3, 5), np.float32), r"'x' of shape \[3, 5\] does not fit input '0'; expected"),
        (np.full((3, 6), np.nan, np.float32), "'x' holds NaN or infinity"),
        (np.zeros((0, 6), np.float32), "holds no frames"),
        (None, "no such file"),
    ],
)
def test_bad_data_are_named(name: str, values: Array | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "calib.npz"
    if values is not None:
        np.savez(path, x=values)
    edges = " edges=true" if name == "binarize" else ""
    with pytest.raises(IrcError, match=message) as caught:
        run_passes(parse(with_weights(DENSE)), f'{name}{{data="{path}"{edges}}}')
    assert f"{name}: {path}" in str(caught.value)


@pytest.mark.parametrize(
    ("passes", "message"),
    [
        ("quantize-weights{bits=0}", "bits: 0 bits are not supported; expected 1 to 8"),
        ("quantize-weights{last=12}", "last: 12 bits are not supported"),
        ("quantize-weights{method=golden}", "unknown method 'golden'; expected mse, max, ternary"),
        ('quantize-weights{layers="fc"}', "layers='fc': expected NAME=BITS, as in 'conv1=4'"),
        ('quantize-weights{layers="fc=9"}', "layer 'fc': 9 bits are not supported"),
        ('quantize-weights{layers="fc=4","fc=5"}', "layer 'fc' is given twice"),
        ('quantize-weights{layers="fcc=4"}', "there is no layer 'fcc'; did you mean 'fc'?"),
        ('quantize-weights{data="x.npz" uncalibrated=true}', "exclude each other"),
        ('quantize-weights{data="x.npz" limit=0}', "limit=0: expected at least 1"),
        ("quantize-activations{bits=9}", "bits: 9 bits are not supported"),
        ("quantize-activations{sums=-1}", "sums: -1 bits are not supported"),
        ("quantize-activations{percentile=20}", "percentile=20; expected more than 50"),
        ("quantize-activations{range=-2}", "range=-2; expected a positive number"),
        ('quantize-activations{layers="fcc=4"}', "there is no layer 'fcc'; did you mean 'fc'?"),
        ('binarize{layers="fcc"}', "there is no layer 'fcc'; did you mean 'fc'?"),
    ],
)
def test_bad_options_say_what_is_right(passes: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        run_passes(parse(with_weights(DENSE)), passes)
    assert message in str(caught.value)


def test_nan_on_the_way_names_the_node(tmp_path: Path) -> None:
    text = """
    func.func @net(%x: tensor<2xf32>) -> tensor<2xf32> {
      %0 = bnn.ewise "log" %x : tensor<2xf32> -> tensor<2xf32> loc("logarithm")
      %1 = bnn.linear %0, <tensor<2x2xsi2>, [1, 1, 1, -1]> : tensor<2xf32> -> tensor<2xf32>
      func.return %1 : tensor<2xf32>
    }
    """
    np.save(tmp_path / "calib.npy", np.array([[1.0, -1.0]]))
    with pytest.raises(IrcError, match=r"node 'logarithm' .* gives NaN or infinity"):
        run_passes(parse(text), f'quantize-activations{{data="{tmp_path / "calib.npy"}"}}')


def test_two_inputs_cannot_be_calibrated(tmp_path: Path) -> None:
    text = """
    func.func @net(%x: tensor<2xf32>, %y: tensor<2xf32>) -> tensor<2xf32> {
      %0 = bnn.add %x, %y : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
      func.return %0 : tensor<2xf32>
    }
    """
    np.save(tmp_path / "calib.npy", np.array([[1.0, -1.0]]))
    with pytest.raises(UnsupportedError, match="2 inputs"):
        run_passes(parse(text), f'quantize-activations{{data="{tmp_path / "calib.npy"}"}}')
