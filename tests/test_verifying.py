"""`verify_module` finds what xDSL's verifier finds, without a search for every instance."""

from __future__ import annotations

import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.traits import SymbolTable
from xdsl.utils.exceptions import VerifyException

from irc.loading import new_context
from irc.parsing import parse_text
from irc.verifying import verify_module

INNER = "hw.module private @inner(in %a : i1, out b : i1) { hw.output %a : i1 }"


def design(instance: str, inner: str = INNER) -> ModuleOp:
    """A design whose top holds one instance; not verified."""
    text = f"{inner}\nhw.module @top(in %x : i1, out y : i1) {{\n{instance}\nhw.output %x : i1\n}}"
    return parse_text(new_context(), text, "design.mlir")


def test_accepts_what_xdsl_accepts() -> None:
    module = design('%y = hw.instance "i" @inner(a: %x: i1) -> (b: i1)')
    module.verify()
    verify_module(module)


@pytest.mark.parametrize(
    ("instance", "message"),
    [
        ('%y = hw.instance "i" @nobody(a: %x: i1) -> (b: i1)', r"no hw\.module @nobody"),
        ('%y = hw.instance "i" @inner(c: %x: i1) -> (b: i1)', "names the inputs c .* has a"),
        ('%y = hw.instance "i" @inner(a: %x: i1) -> (q: i1)', "names the outputs q .* has b"),
        ('hw.instance "i" @inner(a: %x: i1) -> ()', "names the outputs  .* has b"),
        (
            '%y = hw.instance "i" @inner(a: %x: i1, a: %x: i1) -> (b: i1)',
            "names the inputs a, a .* has a",
        ),
    ],
)
def test_refuses_instances_that_do_not_fit(instance: str, message: str) -> None:
    module = design(instance)
    with pytest.raises(VerifyException):
        module.verify()
    with pytest.raises(VerifyException, match=message):
        verify_module(module)


def test_refuses_an_instance_of_what_is_no_module() -> None:
    instance = 'hw.instance "i" @inner() -> ()'
    module = design(instance, "func.func private @inner() -> ()")
    with pytest.raises(VerifyException, match=r"no hw\.module @inner"):
        verify_module(module)


def test_verifies_operations_inside_modules() -> None:
    module = design('%y = "comb.add"(%x, %x) : (i1, i1) -> i2')
    with pytest.raises(VerifyException):
        verify_module(module)


def test_refuses_a_body_without_terminator() -> None:
    module = parse_text(new_context(), "func.func @f() { func.return }", "empty.mlir")
    block = module.body.block.first_op.regions[0].block  # pyright: ignore[reportOptionalMemberAccess]
    last = block.last_op
    assert last is not None
    last.detach()
    with pytest.raises(VerifyException, match="empty block"):
        verify_module(module)


def test_does_not_search_the_design(monkeypatch: pytest.MonkeyPatch) -> None:
    module = design('%y = hw.instance "i" @inner(a: %x: i1) -> (b: i1)')

    def search(*_: object) -> None:
        raise AssertionError("searched")

    monkeypatch.setattr(SymbolTable, "lookup_symbol", search)
    verify_module(module)
