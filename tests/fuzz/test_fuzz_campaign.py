"""A campaign finds what is planted, makes it small, writes it out, and does the same again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from irc_runner import USAGE, run_irc

from irc.fuzz import campaign, corpus
from irc.fuzz.campaign import Campaign, Settings
from irc.fuzz.corpus import Corpus, make_corpus
from irc.fuzz.job import Job
from irc.fuzz.limits import Limits
from irc.fuzz.minimize import minimize
from irc.fuzz.sandbox import Outcome

TEXT = "\n".join(f"line {number} of the text" for number in range(40))


@cache
def one_network() -> Corpus:
    """A corpus of one network, made once."""
    return make_corpus(5)


def _one_network(_: Campaign, number: int) -> Corpus:
    assert number >= 0
    return one_network()


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One network to begin with, and a folder of its own."""
    monkeypatch.setattr(corpus, "SAMPLES", 1)
    monkeypatch.setattr(Campaign, "_corpus", _one_network)
    monkeypatch.chdir(tmp_path)


def falls_on_brackets(arguments: Sequence[str]) -> int:
    """A reader with a fault: three brackets in one file."""
    if Path("case.mlir").read_bytes().count(b"[[") > 3:
        raise KeyError("bracket")
    print("fine")
    return 0


def run(folder: str, seed: int = 3, cases: int = 40) -> Campaign:
    settings = Settings(
        Path(folder), seed=seed, cases=cases, readers=("mlir",), limits=Limits(5, 500)
    )
    made = Campaign(settings, {"irc": falls_on_brackets, "irc-opt": falls_on_brackets})
    made.run()
    return made


def test_a_planted_fault_is_found_once_and_made_small() -> None:
    (finding,) = run("findings").summary.findings
    assert finding.kind == "traceback"
    case = Path(finding.folder) / "case.mlir"
    assert case.read_bytes().count(b"[[") == 4
    assert case.stat().st_size < 40
    assert list(Path("findings").iterdir()) == [Path(finding.folder)]


def test_a_seed_says_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Job] = []

    def note(_: Campaign, job: Job, outcome: Outcome, number: int) -> None:
        assert not outcome.timed_out
        assert number < 12
        seen.append(job)

    monkeypatch.setattr(Campaign, "_look_at", note)
    for seed in (3, 3, 4):
        run("findings", seed, 12)
    assert len(seen) == 36
    assert seen[:12] == seen[12:24]
    assert seen[:12] != seen[24:]


def test_an_interrupt_keeps_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(campaign, "minimize", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run("findings")
    assert len(list(Path("findings").iterdir())) == 1


def test_texts_are_made_small() -> None:
    job = Job("mlir", "tool", (), "case.mlir", TEXT.encode())
    small = minimize(job, lambda each: b"17 of" in each.content)
    assert small.content == b"17 of"


def test_networks_agree() -> None:
    levels = ("onnx", "bnn", "dataflow", "packed")
    made = Campaign(Settings(Path("findings"), cases=3, levels=levels), {})
    assert made.run().findings == []
    assert made.summary.cases == {"network": 3}


def test_the_command() -> None:
    result = run_irc(
        *("fuzz", "--cases", "6", "--levels", "none", "--readers", "data,fold"),
        *("--json", "report.json", "-o", "findings"),
    )
    assert result.code == 0, result.text
    assert "6 cases" in result.out
    report = json.loads(Path("report.json").read_text())
    assert sum(report["cases"].values()) == 6
    assert report["findings"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--levels", "none", "--readers", "none"), "nothing is left to do"),
        (("--readers", "onyx"), "unknown reader 'onyx'"),
        (("--levels", "bnn,c"), "level onnx is what the others are held to"),
        (("--seconds", "0"), "expected a whole number of at least 1"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], words: str) -> None:
    result = run_irc("fuzz", *arguments)
    assert result.code == USAGE
    assert words in result.err
