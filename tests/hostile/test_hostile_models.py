"""Models made to harm: each is refused in words, or taken, in little time and memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile_containers import CONTAINERS
from hostile_external import LOCATIONS, OWN, SECRET, place, write_model
from hostile_graphs import GRAPHS
from hostile_sizes import SIZES
from irc_runner import FAILURE, USAGE, run_irc

from irc.errors import IrcError
from irc.frontend.import_onnx import import_model
from irc.printing import print_ir

pytestmark = pytest.mark.usefixtures("limited")


def look_at(content: bytes) -> None:
    """Run `irc check`, which answers, or says in words what is wrong."""
    Path("case.onnx").write_bytes(content)
    result = run_irc("check", "case.onnx", "--input", "uint8/255")
    assert result.code in (0, FAILURE, USAGE), result.text
    assert "not enough memory" not in result.err
    assert len(result.err) < 10_000
    assert result.code == 0 or result.err or "node" in result.text


def test_there_are_enough() -> None:
    assert len(CONTAINERS) + len(GRAPHS) + len(SIZES) + len(LOCATIONS) >= 200


@pytest.mark.parametrize("case", list(CONTAINERS))
def test_files_that_are_no_models(case: str) -> None:
    look_at(CONTAINERS[case])


@pytest.mark.parametrize("case", list(GRAPHS))
def test_graphs_that_are_none(case: str) -> None:
    look_at(GRAPHS[case])


@pytest.mark.parametrize("case", list(SIZES))
def test_small_files_that_ask_for_much(case: str) -> None:
    look_at(SIZES[case])


@pytest.mark.parametrize("case", list(LOCATIONS))
@pytest.mark.parametrize("tensor", ["initializer", "attribute"])
def test_external_data_stay_in_the_folder(case: str, tensor: str) -> None:
    folder = Path("model")
    place(folder)
    entries, taken = LOCATIONS[case]
    write_model(folder / "far.onnx", entries, tensor)
    if taken:
        text = print_ir(import_model(folder / "far.onnx"))
        assert OWN.hex() in text
        assert SECRET.hex() not in text
    else:
        with pytest.raises(IrcError, match=r"^model/far\.onnx: ") as refused:
            import_model(folder / "far.onnx")
        assert len(str(refused.value)) < 1000
