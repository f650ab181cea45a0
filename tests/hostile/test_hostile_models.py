"""Models made to harm: each is refused in words, or taken, in little time and memory."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hostile_containers import CONTAINERS
from hostile_external import LOCATIONS, OWN, PASSED_OVER, SECRET, place, write_model
from hostile_graphs import GRAPHS
from hostile_sizes import SIZES, SPARSE
from irc_runner import FAILURE, USAGE, everything_in, run_irc
from model_files import network

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
    assert "bad_alloc" not in result.err
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


@pytest.mark.parametrize("case", list(SPARSE))
def test_sparse_weights_that_do_not_fit(case: str) -> None:
    content, message = SPARSE[case]
    with pytest.raises(IrcError, match=rf"initializer 'sparse': .*{message}"):
        import_model(content)


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


@pytest.mark.parametrize("case", list(PASSED_OVER))
def test_no_output_tells_of_files_outside_the_folder(case: str) -> None:
    folder = Path("model")
    place(folder)
    change, meaningless = PASSED_OVER[case]
    model = network()
    change(model)
    (folder / "far.onnx").write_bytes(model.SerializeToString())
    declared = ("--input", "uint8/255")
    result = run_irc("compile", folder / "far.onnx", "--target", "c", "-o", "out", *declared)
    if meaningless:
        assert result.code == 0, result.text
        made = json.loads(Path("out/manifest.json").read_text())["made"]["inputs"]
        assert [entry["file"] for entry in made] == ["far.onnx"]
        digest = hashlib.sha256(SECRET).hexdigest().encode()
        assert not any(
            digest in (content or b"") for content in everything_in(Path("out")).values()
        )
    else:
        assert result.code == FAILURE
        assert "lie outside the model's folder" in result.err or "in another file" in result.err
        assert not Path("out").exists()
