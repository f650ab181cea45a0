"""Whatever watches passes leaves their result alone, alone and all together."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from pathlib import Path

import pytest
from opt_runner import LAYER, run_opt

from irc.api import Context, ModuleOp, ModulePass, Observer, parse, run_passes
from irc.passes.streamline.streamline import ROUND as STREAMLINING_ROUND
from irc.pipelines import stages_of
from irc.stages import stage
from irc.tools.opt_explain import find_example, read_example
from irc.universe import PASSES, resolve

WATCHERS = (
    *("--print-ir-before-all", "--print-ir-after-change", "--print-ir-diff"),
    *("--print-ir-after-failure", "--timing", "--pass-statistics", "--explain-rejections"),
)


@pytest.mark.parametrize("name", PASSES)
def test_the_result_of_a_pass_is_the_same_when_it_is_watched(name: str, tmp_path: Path) -> None:
    path = find_example(resolve(PASSES[name]))
    assert path is not None
    arguments = [
        word.replace("%S", str(path.parent)) for word in shlex.split(read_example(path).arguments)
    ]
    plain = run_opt(path, *arguments, "--print-debuginfo")
    assert plain.code == 0, plain.err
    reproducer = ("--crash-reproducer", tmp_path / "crash.mlir")
    watched = run_opt(path, *arguments, "--print-debuginfo", *WATCHERS, *reproducer)
    assert (watched.code, watched.out) == (0, plain.out)
    for title in ("IR before", "pass statistics", "timing", "rejected rewrites"):
        assert title in watched.err
    # Printed with locations, it parses back to the same, at the same places.
    again = run_opt("--print-debuginfo", stdin=plain.out)
    assert (again.code, again.out) == (0, plain.out)


class Notes(Observer):
    """Writes down what it is told."""

    def __init__(self, name: str, said: list[str]) -> None:
        self.name = name
        self.said = said

    def before_pipeline(self, ctx: Context, module: ModuleOp, passes: object) -> None:
        self.said.append(f"{self.name}: begin")

    def before_pass(self, module_pass: ModulePass, module: ModuleOp) -> None:
        self.said.append(f"{self.name}: before {module_pass.name}")

    def after_pass(self, module_pass: ModulePass, module: ModuleOp) -> None:
        self.said.append(f"{self.name}: after {module_pass.name}")

    def before_verify(self, module_pass: ModulePass, module: ModuleOp) -> None:
        self.said.append(f"{self.name}: verify")

    def after_verify(self, module_pass: ModulePass, module: ModuleOp) -> None:
        self.said.append(f"{self.name}: valid")

    def pass_failed(self, module_pass: ModulePass, module: ModuleOp, error: BaseException) -> None:
        self.said.append(f"{self.name}: {module_pass.name} failed, {error}")

    def after_pipeline(self, module: ModuleOp) -> None:
        self.said.append(f"{self.name}: end")


def test_observers_stand_around_each_other() -> None:
    said: list[str] = []
    run_passes(parse(LAYER), "dce", observers=[Notes("a", said), Notes("b", said)])
    assert said == [
        *("a: begin", "b: begin", "a: before dce", "b: before dce"),
        *("b: after dce", "a: after dce", "a: verify", "b: verify", "b: valid", "a: valid"),
        *("b: end", "a: end"),
    ]


def test_a_failure_is_the_last_that_is_heard() -> None:
    class Fail(ModulePass):
        """Fail."""

        name = "fail"

        def apply(self, ctx: Context, op: ModuleOp) -> None:
            raise ValueError("odd")

    said: list[str] = []
    with pytest.raises(ValueError, match="odd"):
        run_passes(parse(LAYER), [Fail(), Fail()], observers=[Notes("a", said), Notes("b", said)])
    assert said[-4:] == [
        *("a: before fail", "b: before fail", "b: fail failed, odd", "a: fail failed, odd"),
    ]


HALVED = """\
func.func @net(%x: tensor<2x!bnn.bipolar>) -> tensor<1xf32> {
  %0 = bnn.cast %x : tensor<2x!bnn.bipolar> -> tensor<2xf32>
  %1 = bnn.ewise "mul" %0, <tensor<f32>, [0.5]> : tensor<2xf32> -> tensor<2xf32>
  %2 = bnn.linear %1, <tensor<1x2x!bnn.bipolar>, [1, -1]> : tensor<2xf32> -> tensor<1xf32>
  func.return %2 : tensor<1xf32>
}
"""


def titles(err: str) -> list[str]:
    """What the headings of printed IR say."""
    return re.findall(r"^// ----- (.*) ----- //$", err, re.MULTILINE)


def test_passes_that_a_pass_runs_in_rounds_are_seen() -> None:
    def shown(*options: str) -> list[str]:
        return titles(run_opt("-p", "streamline", *options, stdin=HALVED).err)

    assert shown("--print-ir-diff") == ["change by streamline-linear", "change by streamline"]
    # There is a second round, in which nothing is left to do.
    assert shown("--print-ir-before=split-sums", "--print-ir-after=streamline-linear") == [
        *("IR after streamline-linear", "IR before split-sums") * 2
    ]
    assert shown("--print-ir-after=streamline-linear", "--print-ir-after-change") == [
        "IR after streamline-linear"
    ]
    # All passes are those of the pipeline.
    assert shown("--print-ir-after-all") == ["IR after streamline"]


def test_tables_tell_what_passes_within_a_pass_did() -> None:
    err = run_opt("-p", "streamline", "--pass-statistics", "--timing", stdin=HALVED).err
    statistics, timing = err.split("timing ")
    rows = [
        [cell.strip() for cell in line.strip("│").split("│")]
        for line in statistics.splitlines()
        if line.startswith("│")
    ]
    assert rows[0][:2] == ["streamline", "operations"]
    assert rows[1][0] == "streamline-linear"
    assert ["", "MoveAffinePastLinear", "1", "", ""] in rows
    for name in STREAMLINING_ROUND:
        assert f"│   {name} " in timing
    shares = re.findall(r"^│ \S.*?│[^│]*│ +([\d.]+) │", timing, re.MULTILINE)
    # Parts are not counted twice.
    assert abs(sum(map(float, shares[:-1])) - 100) < 1


def test_stages_are_told_to_observers_in_order() -> None:
    class Stages(Observer):
        def before_stage(self, name: str, module: ModuleOp) -> None:
            said.append(name)

        def after_stage(self, name: str, module: ModuleOp) -> None:
            said.append(f"{name} done")

    said: list[str] = []
    run_passes(parse(HALVED), "streamline", observers=[Stages()])
    once = [text for name in STREAMLINING_ROUND for text in (name, f"{name} done")]
    assert said == once * 2
    assert list(STREAMLINING_ROUND) == stages_of("streamline")


def test_an_error_names_the_pass_within_the_pass() -> None:
    with pytest.raises(ValueError, match="odd") as caught, stage("inner", parse(LAYER)):
        raise ValueError("odd")
    assert caught.value.__notes__ == ["in pass 'inner'"]


NESTING = """\
from irc.api import Context, ModuleOp, ModulePass, count
from irc.stages import stage


class Nesting(ModulePass):
    # Runs passes in passes, one of which fails.

    name = "nesting"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        with stage("outer", op):
            count("things")
            try:
                with stage("failing", op):
                    count("things", 10)
                    raise ValueError("odd")
            except ValueError:
                pass
            with stage("inner", op):
                count("things", 100)
                op.attributes["changed"] = op.get_attr_or_prop("changed") or op.location
            count("things", 1000)
"""


def test_stages_within_stages_and_failing_ones_are_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "nesting.py"
    file.write_text(NESTING)
    options = ("--pass-statistics", "--timing", "--print-ir-diff")
    err = run_opt("--load", file, "-p", "nesting", *options, stdin=LAYER).err
    assert titles(err) == ["change by inner", "change by outer", "change by nesting"]
    counted = re.findall(r"^│   (\w+) +│ things +│ +([\d,]+) │", err, re.MULTILINE)
    # Each by itself, and all together what there is.
    assert sorted(counted) == [("failing", "10"), ("inner", "100"), ("outer", "1,001")]
    assert err.count("things") == 3
    times = dict(re.findall(r"^│ +(\w+) +│ +([\d.]+) │ +[\d.]+ │", err, re.MULTILINE))
    assert {"nesting", "outer", "failing", "inner"} <= set(times)


def test_a_stage_that_fails_is_told_to_observers() -> None:
    class Stages(Observer):
        def before_stage(self, name: str, module: ModuleOp) -> None:
            said.append(name)

        def after_stage(self, name: str, module: ModuleOp) -> None:
            said.append(f"{name} done")

        def stage_failed(self, name: str, module: ModuleOp) -> None:
            said.append(f"{name} failed")

    class Tries(ModulePass):
        """Go on where a stage failed."""

        name = "tries"

        def apply(self, ctx: Context, op: ModuleOp) -> None:
            with suppress(ValueError), stage("outer", op), stage("inner", op):
                raise ValueError("odd")
            with stage("next", op):
                pass

    said: list[str] = []
    run_passes(parse(LAYER), [Tries()], observers=[Stages()])
    assert said == ["outer", "inner", "inner failed", "outer failed", "next", "next done"]
