"""Proofs of emitted Verilog and C, the quickest of them; and that wrong designs are found out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from proof_tools import need_abc, need_solvers

need_solvers("z3", "bitwuzla")

from proofs import c_kernels, mvu_datapath, streams  # noqa: E402
from proofs.__main__ import main  # noqa: E402
from proofs.reachability import never  # noqa: E402
from proofs.stream_units import units  # noqa: E402
from proofs.theorem import (  # noqa: E402
    BOUNDED,
    OPEN,
    PROVEN,
    REFUTED,
    Outcome,
    Theorem,
    attempt,
)

SECONDS = 120.0


def quick(theorems: list[Theorem]) -> list[Theorem]:
    found = [theorem for theorem in theorems if theorem.is_quick]
    assert found
    return found


CIRCUITS = [*quick(mvu_datapath.theorems()), *quick(c_kernels.theorems())]
STREAMS = quick(streams.theorems())


@pytest.mark.parametrize("theorem", CIRCUITS, ids=[theorem.full_name for theorem in CIRCUITS])
def test_emitted_text_is_proven(theorem: Theorem) -> None:
    result = attempt(theorem, SECONDS)
    assert result.outcome.status == PROVEN, result.outcome.detail
    assert result.outcome.wrong > 0


@pytest.mark.parametrize("theorem", STREAMS, ids=[theorem.full_name for theorem in STREAMS])
def test_streams_keep_their_rules(theorem: Theorem) -> None:
    need_abc()
    result = attempt(theorem, SECONDS)
    assert result.outcome.status == PROVEN, result.outcome.detail
    assert result.outcome.wrong == 3


def test_units_are_emitted() -> None:
    """All of them, also those of which the proof takes too long here."""
    names = [unit.name for unit in units()]
    assert len(set(names)) == len(names)
    for unit in units():
        assert "module unit_under_proof" in unit.verilog(), unit.name


def test_induction_and_counterexamples() -> None:
    """A counter that wraps at 5 never holds 6, but 4 from the fifth cycle on."""
    need_abc()
    text = """
    module counter (input clock, output bad);
      reg [2:0] count = 0;
      always @(posedge clock) count <= count == 4 ? 0 : count + 1;
      assign bad = count == VALUE;
    endmodule
    """
    assert never([text.replace("VALUE", "6")], "counter", SECONDS).status == PROVEN
    found = never([text.replace("VALUE", "4")], "counter", SECONDS)
    assert (found.status, found.detail) == (REFUTED, "a counterexample of 5 cycles")


def test_without_abc_streams_are_open(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("proofs.reachability.shutil.which", lambda name: None)  # pyright: ignore
    assert main(["--only", "stream/fork-2"]) == 0
    shown = capsys.readouterr().out
    assert "open: ABC is not installed" in shown
    assert "1 open, 0 refuted" in shown


def test_the_command_writes_what_it_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "proofs.json"
    assert main(["--only", "identity/x*", "--json", str(path)]) == 0
    records = json.loads(path.read_text("utf-8"))
    assert [record["theorem"] for record in records] == ["identity/xnor", "identity/xor"]
    assert {record["status"] for record in records} == {PROVEN}
    assert "2 proven, 0 bounded, 0 open, 0 refuted" in capsys.readouterr().out
    assert main(["--only", "nothing/*"]) == 2
    assert "no theorem has such a name" in capsys.readouterr().err


def prove_some(monkeypatch: pytest.MonkeyPatch, found: dict[str, Outcome | None]) -> list[str]:
    """Let there be these theorems only; the names of those that are tried are added to the list,
    and where there is no outcome, the user interrupts."""
    tried: list[str] = []

    def theorem(name: str, outcome: Outcome | None) -> Theorem:
        def prove(seconds: float) -> Outcome:
            tried.append(name)
            if outcome is None:
                raise KeyboardInterrupt
            return outcome

        return Theorem("made", name, "a claim", "all of them", prove)

    made = [theorem(name, outcome) for name, outcome in found.items()]
    monkeypatch.setattr("proofs.__main__.all_theorems", lambda: made)
    return tried


def test_a_run_goes_on_from_what_an_interrupted_one_has_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table, markdown = tmp_path / "proofs.json", tmp_path / "proofs.md"
    write = ["--json", str(table), "--markdown", str(markdown)]
    found = {"a": Outcome(PROVEN, "", 2), "b": Outcome(BOUNDED, "9 cycles", 1)}
    prove_some(monkeypatch, {**found, "c": None, "d": None})
    assert main(write) == 130
    assert "1 proven, 1 bounded, 0 open, 0 refuted, 2 not run" in capsys.readouterr().out
    later = {"b": Outcome(OPEN, "10 s"), "c": Outcome(OPEN, "10 s"), "d": Outcome(PROVEN)}
    tried = prove_some(monkeypatch, {"a": None, **later})
    assert main(["--since", str(table), "--only", "made/c", *write]) == 0
    assert tried == ["c"]
    assert "| made/b | all of them | bounded: 9 cycles | 1 | " in markdown.read_text("utf-8")
    assert "| **all** | 1 | 1 | 1 | 0 | 1 |" in markdown.read_text("utf-8")
    assert main(["--since", str(table), "--retry", *write]) == 0
    assert tried == ["c", "b", "c", "d"]
    # A bound that was found stays where the next attempt finds nothing.
    assert "| **all** | 2 | 1 | 1 | 0 | 0 |" in markdown.read_text("utf-8")


@pytest.mark.parametrize("text", ["[1]", "{", '[{"theorem": "made/a"}]'])
def test_since_takes_only_tables(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prove_some(monkeypatch, {"a": None})
    path = tmp_path / "proofs.json"
    path.write_text(text, "utf-8")
    assert main(["--since", str(path)]) == 2
    assert f"{path}: no table that --json wrote" in capsys.readouterr().err
    path.unlink()
    assert main(["--since", str(path)]) == 2
