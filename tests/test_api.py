"""The compiler as a library: what `import irc` and `irc.api` promise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from xdsl.utils.exceptions import ParseError, VerifyException

import irc
from irc import api
from irc.api import (
    Context,
    ModuleOp,
    ModulePass,
    PatternRewriter,
    RewritePattern,
    apply_greedily,
    assert_equivalent,
    assert_rewrites,
    bnn,
    op_type_rewrite_pattern,
)

LAYER = """
func.func @layer(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = bnn.ewise "neg" %x : tensor<4xf32> -> tensor<4xf32>
  %1 = bnn.ewise "neg" %0 : tensor<4xf32> -> tensor<4xf32>
  func.return %1 : tensor<4xf32>
}
"""

IDENTITY = """
func.func @layer(%x: tensor<4xf32>) -> tensor<4xf32> {
  func.return %x : tensor<4xf32>
}
"""


class DoubleNegation(RewritePattern):
    """−(−x) = x"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.EwiseOp, rewriter: PatternRewriter) -> None:
        inner = op.input.owner
        if op.fn.data == "neg" and isinstance(inner, bnn.EwiseOp) and inner.fn.data == "neg":
            rewriter.replace(op, [], [inner.input])


class FoldDoubleNegation(ModulePass):
    """Remove pairs of negations."""

    name = "fold-double-negation"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_greedily(op, DoubleNegation())


class DropOneNegation(ModulePass):
    """Wrong on purpose."""

    name = "drop-one-negation"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        first = next(op for op in op.walk() if isinstance(op, bnn.EwiseOp))
        first.output.replace_all_uses_with(first.input)
        first.detach()
        first.erase()


def test_everything_in_the_facade_is_there() -> None:
    for name in api.__all__:
        assert getattr(irc, name) is getattr(api, name)
    assert set(api.__all__) < set(dir(irc))
    assert irc.__version__


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="module 'irc' has no attribute 'nonsense'"):
        _ = irc.nonsense  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(AttributeError, match=r"module 'irc.api' has no attribute 'nonsense'"):
        _ = api.nonsense  # pyright: ignore[reportAttributeAccessIssue]


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys, irc; print([m for m in ('xdsl', 'numpy', 'irc.api') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_load_reads_text_and_models(tmp_path: Path, example_dir: Path) -> None:
    path = tmp_path / "layer.mlir"
    path.write_text(LAYER)
    assert irc.level_of(irc.load(path)) == "bnn"
    (model,) = example_dir.glob("*.onnx")
    assert irc.level_of(irc.load(model)) == "onnx"


def test_load_names_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(irc.IrcError, match=r"nope\.onnx: no such file"):
        irc.load(tmp_path / "nope.onnx")


def test_parse_verifies() -> None:
    with pytest.raises(ParseError, match=r"'bnn' has no operation 'bnn\.ewize'"):
        irc.parse(LAYER.replace("bnn.ewise", "bnn.ewize"))
    with pytest.raises(VerifyException):
        irc.parse(LAYER.replace('"neg" %0', '"nag" %0'))


def test_printed_ir_parses_back() -> None:
    module = irc.parse(LAYER)
    assert irc.parse(irc.print_ir(module)).is_structurally_equivalent(module)


def test_passes_run_in_place_from_text_and_objects() -> None:
    module = irc.parse(LAYER)
    assert irc.run_passes(module, FoldDoubleNegation()) is module
    assert "bnn" not in irc.print_ir(module)
    twice = irc.parse(LAYER.replace('%1 = bnn.ewise "neg" %0', '%1 = bnn.ewise "neg" %x'))
    irc.run_passes(twice, "cse,dce")
    assert irc.print_ir(twice).count("bnn.ewise") == 1
    with pytest.raises(irc.UsageError, match="unknown pass 'csee'; did you mean 'cse'"):
        irc.run_passes(twice, "csee")


def test_errors_of_a_pass_keep_their_type_and_name_the_pass() -> None:
    class Fails(ModulePass):
        name = "fails"

        def apply(self, ctx: Context, op: ModuleOp) -> None:
            raise irc.UnsupportedError("no")

    with pytest.raises(irc.UnsupportedError) as caught:
        irc.run_passes(irc.parse(LAYER), Fails())
    assert caught.value.__notes__ == ["in pass 'fails'"]


def test_compile_to_goes_down_the_ladder(example_dir: Path) -> None:
    (model,) = example_dir.glob("*.onnx")
    module = irc.compile_to(irc.load(model), "bnn", inputs=["uint8/255"])
    assert irc.level_of(module) == "bnn"
    assert "xui8>" in irc.print_ir(module, elide=True).splitlines()[1]


def test_evaluate_runs_the_level_the_module_is_at() -> None:
    x = np.array([[1.0, -2.0, 0.5, -0.0]], np.float32)
    (result,) = irc.evaluate(irc.parse(LAYER), x)
    np.testing.assert_array_equal(result, x)


def test_assert_rewrites_takes_passes_patterns_and_pipelines() -> None:
    assert_rewrites(FoldDoubleNegation(), LAYER, IDENTITY)
    assert_rewrites("cse", LAYER, LAYER)
    dead = LAYER.replace("return %1", "return %x")
    assert_rewrites("dce", dead, IDENTITY)


def test_assert_rewrites_shows_a_diff() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_rewrites("cse", LAYER, IDENTITY)
    lines = str(caught.value).splitlines()
    assert lines[0] == "the rewrite gives something else:"
    assert '+    %0 = bnn.ewise "neg" %x : tensor<4xf32> -> tensor<4xf32>' in lines
    assert "-    func.return %x : tensor<4xf32>" in lines


def test_assert_rewrites_checks_its_own_texts() -> None:
    with pytest.raises(ParseError):
        assert_rewrites("cse", LAYER, "func.func @layer(")
    with pytest.raises(VerifyException):
        assert_rewrites("cse", LAYER.replace('"neg" %0', '"nag" %0'), LAYER)


def test_assert_equivalent_accepts_what_is_equal_and_names_what_is_not() -> None:
    assert_equivalent(LAYER, IDENTITY)
    wrong = irc.run_passes(irc.parse(LAYER), DropOneNegation())
    with pytest.raises(AssertionError, match=r"result 0, frame 0, element \[0\]: .* before, "):
        assert_equivalent(LAYER, wrong)
    zero = np.zeros((3, 4), np.float32)
    assert_equivalent(LAYER, wrong, [zero])


def test_assert_equivalent_compares_signatures() -> None:
    with pytest.raises(AssertionError, match="the signatures differ"):
        assert_equivalent(LAYER, IDENTITY.replace("4xf32", "5xf32"))


@pytest.mark.parametrize(
    ("element", "values"),
    [("!bnn.bipolar", {-1, 1}), ("ui2", {0, 1, 2, 3}), ("si2", {-2, -1, 0, 1})],
)
def test_random_frames_cover_their_type(element: str, values: set[int]) -> None:
    from irc.testing import random_frames

    module = irc.parse(f"func.func private @f(tensor<8x{element}>) -> ()")
    function = next(iter(module.ops))
    (kind,) = function.properties["function_type"].inputs  # pyright: ignore
    frames = random_frames(kind, 100, np.random.default_rng(0))  # pyright: ignore
    assert frames.shape == (100, 8)
    assert set(frames.reshape(-1).tolist()) == values
