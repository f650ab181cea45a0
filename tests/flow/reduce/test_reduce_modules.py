"""What is left of a module is what its failure needs, and no more."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from xdsl.dialects.builtin import ModuleOp

from irc.dialects import bnn
from irc.flow.reduce.search import Reducer
from irc.loading import new_context
from irc.parsing import parse_text
from irc.verifying import verify_module

NETWORK = """\
func.func private @helper(%a: tensor<2xf32>) -> tensor<2xf32> {
  func.return %a : tensor<2xf32>
}
func.func @net(%x: tensor<1x4x4xui3> {bnn.name = "x"}) -> (tensor<3xsi8>, tensor<4xsi8>) {
  %f = bnn.reshape %x : tensor<1x4x4xui3> -> tensor<16xui3>
  %0 = bnn.linear %f, <tensor<4x16x!bnn.bipolar>, "0x0f3c55aa0f3c55aa"> : tensor<16xui3> -> tensor<4xsi8>
  %1 = bnn.threshold %0 at <tensor<4x1xsi8>, [1, 2, 3, 40]> bias 0 {bnn.margin = "exact"} : tensor<4xsi8> -> tensor<4x!bnn.bipolar>
  %2 = bnn.linear %1, <tensor<4x4x!bnn.bipolar>, "0x3c96"> : tensor<4x!bnn.bipolar> -> tensor<4xsi4>
  %3 = bnn.threshold %2 at <tensor<4x1xsi4>, [0, 1, 0, 1]> bias 0 : tensor<4xsi4> -> tensor<4x!bnn.bipolar>
  %4 = bnn.linear %3, <tensor<3x4x!bnn.bipolar>, "0x9a05"> : tensor<4x!bnn.bipolar> -> tensor<3xsi8>
  func.return %4, %0 : tensor<3xsi8>, tensor<4xsi8>
}
"""  # noqa: E501


def reduced(text: str, seeks: Callable[[ModuleOp], bool], most: int | None = None) -> Reducer:
    """The reducer after its search for what `seeks` holds of."""

    def interesting(candidate: str) -> bool:
        module = parse_text(new_context(), candidate)
        verify_module(module)
        return seeks(module)

    reducer = Reducer(new_context(), text, interesting, most_trials=most)
    reducer.reduce()
    return reducer


def thresholds(module: ModuleOp) -> list[bnn.ThresholdOp]:
    return [op for op in module.walk() if isinstance(op, bnn.ThresholdOp)]


def test_one_operation_is_left_where_one_is_enough() -> None:
    reducer = reduced(NETWORK, lambda module: bool(thresholds(module)))
    assert reducer.best.text == (
        "builtin.module {\n"
        "  func.func @net(%0: tensor<1xsi8>) -> tensor<1x!bnn.bipolar> {\n"
        "    %1 = bnn.threshold %0 at <tensor<1x1xsi8>, [0]> bias 0 : "
        "tensor<1xsi8> -> tensor<1x!bnn.bipolar>\n"
        "    func.return %1 : tensor<1x!bnn.bipolar>\n"
        "  }\n"
        "}\n"
    )


def test_a_number_that_matters_stays_alone() -> None:
    reducer = reduced(
        NETWORK, lambda module: any((t.thresholds.numpy() >= 7).any() for t in thresholds(module))
    )
    (only,) = thresholds(reducer.best.module)
    assert only.thresholds.shape == (1, 1)
    # Halved as long as it is enough: 40, 20, 10.
    assert only.thresholds.numpy().tolist() == [[10]]


def test_operations_that_belong_together_stay_together() -> None:
    def seeks(module: ModuleOp) -> bool:
        return any(
            isinstance(op, bnn.LinearOp) and isinstance(op.input.owner, bnn.ThresholdOp)
            for op in module.walk()
        )

    best = reduced(NETWORK, seeks).best
    names = [op.name for op in best.module.walk()]
    assert names == [
        "builtin.module", "func.func", "bnn.threshold", "bnn.linear", "func.return",
    ]  # fmt: skip
    assert "tensor<1x1x!bnn.bipolar>" in best.text


def test_a_flattened_image_shrinks_with_what_it_is_flattened_to() -> None:
    def seeks(module: ModuleOp) -> bool:
        return any(
            isinstance(op, bnn.ReshapeOp) and isinstance(reader.operation, bnn.LinearOp)
            for op in module.walk()
            for result in op.results
            for reader in result.uses
        )

    best = reduced(NETWORK, seeks).best
    assert "bnn.reshape %x : tensor<1x1x1xui3> -> tensor<1xui3>" in best.text


def test_a_function_is_cut_where_nothing_before_matters() -> None:
    chain = "".join(
        f'  %{i + 1} = bnn.ewise "{"relu" if i == 20 else "neg"}" %{i} '
        ": tensor<2xf32> -> tensor<2xf32>\n"
        for i in range(40)
    )
    text = (
        f"func.func @f(%0: tensor<2xf32>) -> tensor<2xf32> {{\n{chain}"
        "  func.return %40 : tensor<2xf32>\n}\n"
    )

    reducer = reduced(
        text,
        lambda module: any(
            isinstance(op, bnn.EwiseOp) and op.fn.data == "relu" for op in module.walk()
        ),
    )
    assert reducer.best.operations == 3
    # Halves first: fewer trials than operations.
    assert reducer.best.trials < 30


def test_the_same_search_gives_the_same_result() -> None:
    first, again = (reduced(NETWORK, lambda m: len(thresholds(m)) == 2) for _ in range(2))
    assert (first.best.text, first.best.trials) == (again.best.text, again.best.trials)


def test_a_search_may_be_bounded_and_interrupted() -> None:
    assert reduced(NETWORK, lambda m: bool(thresholds(m)), 3).best.trials == 3
    calls = 0

    def interesting(text: str) -> bool:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KeyboardInterrupt
        return "bnn.threshold" in text

    reducer = Reducer(new_context(), NETWORK, interesting)
    with pytest.raises(KeyboardInterrupt):
        reducer.reduce()
    assert "bnn.threshold" in reducer.best.text
    assert len(reducer.best.text) < len(NETWORK)


def test_hardware_and_what_stands_above_it_stay_valid() -> None:
    text = (
        "// configuration: -p canonicalize\n"
        "hw.module @top(in %a : i4, in %b : i4, out y : i4) {\n"
        "  %0 = comb.add %a, %b : i4\n"
        "  %1 = comb.mul %0, %b : i4\n"
        "  hw.output %1 : i4\n"
        "}\n"
        "hw.module @other(in %a : i4, out y : i4) {\n"
        "  hw.output %a : i4\n"
        "}\n"
    )
    best = reduced(text, lambda module: "comb.add" in [op.name for op in module.walk()]).best
    assert best.text.startswith("// configuration: -p canonicalize\nbuiltin.module {")
    assert "@other" not in best.text
    assert "comb.mul" not in best.text
