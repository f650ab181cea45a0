"""Small mistakes are put in one at a time, and what is known of them is up to date."""

from __future__ import annotations

import ast

import pytest
from mutation_sample import Counter, is_large

from mutation.__main__ import equivalent_mutants, main
from mutation.mutants import mutants_of
from mutation.runner import replace_function, source_of
from mutation.targets import TARGETS

SOURCE = '''
def largest(values):
    """Docstrings stay as they are: 1 < 2."""
    if not values:
        raise ValueError(f"nothing of {1 + 1}")
    best = values[0]
    for value in values[1:]:
        best = value if value > best else best
    return best


class Other:
    @property
    def size(self):
        return len(self.items) + 1
'''


def test_one_mistake_at_a_time() -> None:
    found = mutants_of("sample", SOURCE, ["largest"])
    assert [mutant.change for mutant in found] == [
        "not values -> values",
        "0 -> 1",
        "1 -> 2",
        "1 -> 0",
        "value if value > best else best -> value if not value > best else best",
        "value > best -> value >= best",
    ]
    for mutant in found:
        lines = ast.unparse(mutant.tree).splitlines()
        original = ast.unparse(ast.parse(SOURCE)).splitlines()
        assert sum(a != b for a, b in zip(lines, original, strict=True)) == 1


def test_methods_are_named_with_their_class() -> None:
    found = mutants_of("sample", SOURCE, ["Other"])
    assert {mutant.function for mutant in found} == {"Other.size"}
    assert found[0].key == "sample:Other.size: len(self.items) + 1 -> len(self.items) - 1"
    assert len(mutants_of("sample", SOURCE, ["*"])) == 9
    with pytest.raises(ValueError, match="sample has no another"):
        mutants_of("sample", SOURCE, ["largest", "another"])


def test_equal_mistakes_are_counted() -> None:
    found = mutants_of("sample", "def f(a):\n    return a + 1 + 1\n", ["f"])
    keys = [mutant.key for mutant in found]
    assert len(set(keys)) == len(keys)
    assert "sample:f: 1 -> 2 #1" in keys


def test_a_function_is_replaced_wherever_it_was_imported_to() -> None:

    module = is_large.__module__
    text = ast.parse(
        "class Counter:\n"
        "    @property\n"
        "    def next(self):\n        return self.count + 2\n"
        "def is_large(x):\n    return x >= 10\n"
    )
    assert (is_large(10), Counter(3).next) == (False, 4)
    original = is_large.__code__, Counter.next.fget.__code__  # type: ignore[union-attr]
    try:
        replace_function(module, "is_large", text)
        replace_function(module, "Counter.next", text)
        assert (is_large(10), Counter(3).next) == (True, 5)
    finally:
        is_large.__code__ = original[0]
        Counter.next.fget.__code__ = original[1]  # type: ignore[union-attr]


def test_what_is_called_equivalent_is_there() -> None:
    """A key goes stale when its function changes; each has a reason."""
    keys = {
        mutant.key
        for target in TARGETS
        for mutant in mutants_of(
            target.module, source_of(target.module).read_text("utf-8"), target.functions
        )
    }
    known = equivalent_mutants()
    assert [key for key in known if key not in keys] == []
    assert all(len(reason) > 10 for reason in known.values())
    assert len(known) < len(keys) / 10


def test_the_command_names_its_mutants(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--only", "*fifo_depths"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert all(line.startswith("irc.passes.hardware.fifo_depths:") for line in printed)
    assert len(printed) > 10
    with pytest.raises(SystemExit):
        main(["--only", "nothing"])
