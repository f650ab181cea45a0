"""A rejected rewrite says why, once, in words that name the model's nodes; and costs nothing
where nobody asks."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from xdsl.context import Context

from irc.api import (
    ModuleOp,
    ModulePass,
    PatternRewriter,
    RewritePattern,
    apply_greedily,
    bnn,
    op_type_rewrite_pattern,
    parse,
    reject,
    run_passes,
)
from irc.errors import IrcError
from irc.flow.explain_rejections import RejectionObserver
from irc.flow.lowering import lower_to
from irc.frontend.import_onnx import import_model
from irc.fuzz.networks.random_mixed_network import random_mixed_network
from irc.loading import new_context
from irc.rejections import Recorder, Rejection, named, recording, shared
from irc.tools import irc_opt

HEAD = (
    "func.func @net(%x: tensor<4xf32>, %i: tensor<4xui4>) "
    "-> (tensor<2xf32>, tensor<4x!bnn.bipolar>) {\n"
    '  %c = bnn.cast %i : tensor<4xui4> -> tensor<4xf32> loc("Cast_0")\n'
)
TAIL = "  func.return %y, %b : tensor<2xf32>, tensor<4x!bnn.bipolar>\n}\n"


def network(*lines: str) -> str:
    """A function that returns %y and %b."""
    return HEAD + "".join(f"  {line}\n" for line in lines) + TAIL


def dense(value: str) -> str:
    return (
        f'%y = bnn.linear {value}, <tensor<2x4x!bnn.bipolar>, "0x3c"> '
        ': tensor<4xf32> -> tensor<2xf32> loc("MatMul_2")'
    )


def sign(value: str) -> str:
    return (
        f'%b = bnn.quantize "bipolar" {value} '
        ': tensor<4xf32> -> tensor<4x!bnn.bipolar> loc("Sign_3")'
    )


def ewise(name: str, fn: str, value: str, node: str) -> str:
    return f'%{name} = bnn.ewise "{fn}" {value} : tensor<4xf32> -> tensor<4xf32> loc("{node}")'


def rejections(text: str, passes: str | ModulePass) -> list[Rejection]:
    recorder = Recorder()
    run_passes(parse(text, "net.mlir"), passes, observers=[RejectionObserver(recorder)])
    return recorder.rejections


def test_a_function_that_is_no_scale_keeps_a_sum_in_floats() -> None:
    text = network(ewise("s", "sigmoid", "%c", "Sigmoid_1"), dense("%s"), sign("%c"))
    (found,) = [each for each in rejections(text, "streamline") if each.node == "MatMul_2"]
    assert str(found) == (
        "node 'MatMul_2' (bnn.linear): MoveAffinePastLinear: its input: node 'Sigmoid_1' "
        "(sigmoid) between it and the integers is no scale or offset"
    )
    assert found.pass_name == "streamline"


def test_a_float_input_keeps_a_quantizer() -> None:
    text = network(dense("%c"), sign("%x"))
    (found,) = rejections(text, "fold-thresholds")
    assert found.node == "Sign_3"
    assert "begins with a float input of the model" in found.reason
    assert "--input x=uint8/255" in found.reason


def test_what_is_rewritten_in_the_end_was_not_rejected() -> None:
    text = network(dense("%c"), sign("%c"))
    assert rejections(text, "streamline,fold-thresholds") == []


POOL = """\
func.func @net(%i: tensor<4x2xui4>) -> (tensor<2x2xf32>, tensor<2x2x!bnn.bipolar>) {
  %c = bnn.cast %i : tensor<4x2xui4> -> tensor<4x2xf32> loc("Cast_0")
  %f = FUNCTION %c : tensor<4x2xf32> -> tensor<4x2xf32> loc("Function_1")
  %p = bnn.max_pool %f kernel [2] strides [2] dilations [1]
    : tensor<4x2xf32> -> tensor<2x2xf32> loc("MaxPool_2")
  %b = bnn.quantize "bipolar" %p
    : tensor<2x2xf32> -> tensor<2x2x!bnn.bipolar> loc("Sign_3")
  func.return %p, %b : tensor<2x2xf32>, tensor<2x2x!bnn.bipolar>
}
"""


def test_a_shared_pool_names_its_other_reader() -> None:
    found = {
        each.pattern: each
        for each in rejections(POOL.replace("FUNCTION", 'bnn.ewise "abs"'), "streamline-pools")
    }
    assert found["QuantizeBeforeMaxPool"].reason == (
        "the result of node 'MaxPool_2' (bnn.max_pool) has two consumers; the other is the end of "
        "the function"
    )
    assert found["MaxPoolBehindFunction"].reason == (
        "node 'Function_1' (abs) rises and falls, so that the largest value need not belong to the "
        "largest integer"
    )


SHARED_SUM = """\
func.func @net(%x: tensor<4x!bnn.bipolar>) -> (tensor<3xsi4>, tensor<3x!bnn.bipolar>) {
  %s = bnn.linear %x, <tensor<3x4x!bnn.bipolar>, "0x9c06">
    : tensor<4x!bnn.bipolar> -> tensor<3xsi4> loc("fc1")
  %b = bnn.threshold %s at <tensor<3x1xsi5>, [0, 1, 9]> bias 0
    : tensor<3xsi4> -> tensor<3x!bnn.bipolar> loc("act1")
  func.return %s, %b : tensor<3xsi4>, tensor<3x!bnn.bipolar>
}
"""


@pytest.mark.parametrize(
    ("passes", "pattern", "words"),
    [
        (
            "remove-redundant-channels",
            "remove-redundant-channels",
            "the sum of node 'fc1' (bnn.linear) has two consumers",
        ),
        (
            "convert-bnn-to-packed",
            "thresholds within the kernel that sums",
            "the result of node 'fc1' (bnn.linear) has two consumers; the other is the end of the "
            "function",
        ),
    ],
)
def test_a_shared_sum_is_named_at_every_level(passes: str, pattern: str, words: str) -> None:
    (found,) = rejections(SHARED_SUM, passes)
    assert (found.node, found.pattern) == ("act1", pattern)
    assert words in found.reason


@pytest.mark.parametrize("seed", range(8))
def test_networks_of_all_kinds_get_reasons_for_people(seed: int) -> None:
    network = random_mixed_network(seed)
    with recording(Recorder()) as recorder, suppress(IrcError):
        lower_to(
            new_context(),
            import_model(network.model),
            ("packed", "dataflow")[seed % 2],
            {"declare-inputs": {"inputs": network.declarations}},
        )
    assert len(set(recorder.rejections)) == len(recorder.rejections)
    for each in recorder.rejections:
        assert each.node
        assert not each.reason.endswith(".")


class NegationOfOne(RewritePattern):
    """`−x` where x has no other reader."""

    calls = 0

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.EwiseOp, rewriter: PatternRewriter) -> None:
        def words() -> str:
            NegationOfOne.calls += 1
            return f"its operand {shared(op.input, op)}"

        reject(op, self, words)


class CustomPass(ModulePass):
    """A pass of somebody's own."""

    name = "custom"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_greedily(op, NegationOfOne())


def test_a_pass_of_ones_own_explains_itself_where_somebody_asks() -> None:
    text = network(ewise("n", "neg", "%c", ""), dense("%n"), sign("%c"))
    NegationOfOne.calls = 0
    run_passes(parse(text), CustomPass())
    assert NegationOfOne.calls == 0
    (found,) = rejections(text, CustomPass())
    assert str(found) == (
        "bnn.ewise: NegationOfOne: its operand has two consumers; the other is node 'Sign_3' "
        "(bnn.quantize)"
    )


def test_text_without_nodes_is_named_by_its_lines() -> None:
    text = SHARED_SUM.replace(' loc("act1")', "")
    (found,) = rejections(text, "remove-redundant-channels")
    assert found.what == "net.mlir:4: bnn.threshold"
    module = parse(text)
    assert {named(op) for op in module.walk() if isinstance(op, bnn.ThresholdOp)} == {
        "'bnn.threshold'"
    }


def test_irc_opt_lists_them_under_their_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.mlir").write_text(SHARED_SUM, encoding="utf-8")
    passes = ["net.mlir", "-p", "remove-redundant-channels,trim-thresholds"]
    assert irc_opt.main([*passes, "--explain-rejections"]) == 0
    assert capsys.readouterr().err == (
        "rejected rewrites\nremove-redundant-channels:\n  node 'act1' (bnn.threshold): "
        "remove-redundant-channels: channels could go, but the sum of node 'fc1' (bnn.linear) has "
        "two consumers; the other is the end of the function\n"
    )
    assert irc_opt.main([*passes]) == 0
    assert capsys.readouterr().err == ""
    assert irc_opt.main(["net.mlir", "-p", "trim-thresholds", "--explain-rejections"]) == 0
    assert "no pattern nearly matched" in capsys.readouterr().err
