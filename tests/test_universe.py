"""What is registered exists, what exists is registered, and every pass has its test file."""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdsl.passes import ModulePass
from xdsl.universe import XDSL_UNIVERSE, Universe
from xdsl.utils.target import Target

from irc.errors import IrcError
from irc.pipelines import LEVELS, PIPELINES, Pipeline, route
from irc.running import build_passes
from irc.universe import DIALECTS, IRC_UNIVERSE, PASSES, TARGETS, Registry, discover, resolve

ROOT = Path(__file__).resolve().parents[1]
PASS_FOLDER = ROOT / "irc" / "passes"


def pass_classes() -> Iterator[tuple[Path, str]]:
    """Every class under irc/passes that derives from ModulePass, with its file."""
    for path in sorted(PASS_FOLDER.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
                if "ModulePass" in bases:
                    yield path, node.name


def test_every_pass_file_holds_one_pass_that_is_registered_under_its_name() -> None:
    found = {
        path.stem.replace("_", "-"): (
            f"{'.'.join(path.relative_to(ROOT).with_suffix('').parts)}:{class_name}"
        )
        for path, class_name in pass_classes()
    }
    files = [path for path, _ in pass_classes()]
    assert len(files) == len(set(files)), "a file holds two passes"
    assert found == PASSES


@pytest.mark.parametrize("name", PASSES)
def test_pass_is_as_its_file_says(name: str) -> None:
    cls = resolve(PASSES[name])
    assert issubclass(cls, ModulePass)
    assert cls.name == name
    doc = vars(cls).get("__doc__") or ""
    assert doc.strip()
    assert not doc.startswith(f"{cls.__name__}("), "a dataclass's own signature is no docstring"
    assert "." in inspect.cleandoc(doc).split("\n\n")[0], "the description is a sentence"
    assert inspect.getmodule(cls).__doc__  # pyright: ignore[reportOptionalMemberAccess]


@pytest.mark.parametrize("name", PASSES)
def test_every_pass_has_an_mlir_test_named_after_it(name: str) -> None:
    files = [
        path
        for stem in (name, name.replace("-", "_"))
        for path in (ROOT / "tests" / "passes").rglob(f"{stem}.mlir")
    ]
    assert files, f"tests/passes/**/{name}.mlir is missing"
    for path in files:
        runs = re.findall(r"RUN:(.*)", path.read_text(encoding="utf-8"))
        assert any(name in run for run in runs), f"{path} does not run {name}"


@pytest.mark.parametrize("name", DIALECTS)
def test_dialect_has_its_name(name: str) -> None:
    assert IRC_UNIVERSE.all_dialects[name]().name == name


@pytest.mark.parametrize("name", TARGETS)
def test_target_has_its_name(name: str) -> None:
    cls = IRC_UNIVERSE.all_targets[name]()
    assert issubclass(cls, Target)
    assert cls.name == name


def test_names_do_not_clash_with_those_of_xdsl() -> None:
    """xDSL's own tools refuse to start where two universes define the same name."""
    assert not PASSES.keys() & XDSL_UNIVERSE.all_passes.keys()
    assert not DIALECTS.keys() & XDSL_UNIVERSE.all_dialects.keys()
    assert not TARGETS.keys() & XDSL_UNIVERSE.all_targets.keys()
    assert Universe.get_multiverse().all_passes.keys() >= PASSES.keys()


def test_nothing_is_imported_before_it_is_used() -> None:
    code = (
        "import sys; import irc.universe; irc.universe.discover(); "
        "print([m for m in sys.modules if m.split('.')[0] in ('numpy', 'onnx') "
        "or m.startswith(('irc.dialects', 'irc.passes', 'irc.backends'))])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


@pytest.mark.parametrize("pipeline", PIPELINES, ids=lambda pipeline: pipeline.name)
def test_every_step_of_a_pipeline_is_a_pass_with_right_options(pipeline: Pipeline) -> None:
    registry = discover()
    assert pipeline.steps
    for step in pipeline.steps:
        (module_pass,) = build_passes(registry, step.spec)
        assert module_pass.name in PASSES
        assert step.why


def test_every_level_is_reached_from_the_model() -> None:
    for level in LEVELS[1:]:
        way = route("onnx", level)
        assert way[0].source == "onnx"
        assert way[-1].result == level
        assert all(a.result == b.source for a, b in itertools.pairwise(way))


def test_a_universe_with_a_taken_name_adds_nothing() -> None:
    registry = Registry()
    registry.add("first", Universe(all_passes={"p": lambda: ModulePass}))
    clash = Universe(
        all_passes={"q": lambda: ModulePass, "p": lambda: ModulePass},
    )
    with pytest.raises(IrcError, match="second: pass 'p' is already defined by first"):
        registry.add("second", clash)
    assert list(registry.passes) == ["p"]
