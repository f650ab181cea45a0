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
from proofs.theorem import PROVEN, REFUTED, Theorem, attempt  # noqa: E402

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


def test_the_command_writes_what_it_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "proofs.json"
    assert main(["--only", "identity/x*", "--json", str(path)]) == 0
    records = json.loads(path.read_text("utf-8"))
    assert [record["theorem"] for record in records] == ["identity/xnor", "identity/xor"]
    assert {record["status"] for record in records} == {PROVEN}
    assert "2 proven, 0 bounded, 0 open, 0 refuted" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--only", "nothing/*"])
