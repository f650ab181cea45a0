"""A model at every level: names, what each level is made from, and what cannot be."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_files import frames, save

from irc.errors import IrcError, UnsupportedError, UsageError
from irc.flow.frames import Data
from irc.flow.ladder import Ladder, checked_identifier, classes_of, identifier_of
from irc.flow.verify import check_levels, verify
from irc.interp.run import entry_function
from irc.pipelines import level_of

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@pytest.fixture
def ladder(tmp_path: Path) -> Ladder:
    """The small network with its input declared."""
    return Ladder(save(tmp_path / "net.onnx"), ("x=uint8/255",))


@given(st.text())
def test_every_file_name_makes_an_identifier(stem: str):
    name = identifier_of(f"folder/{stem.replace('/', '')}.onnx")
    assert IDENTIFIER.fullmatch(name)
    assert checked_identifier(name) == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/tfc_1w1a.onnx", "tfc_1w1a"),
        ("my net-2.v3.onnx", "my_net_2_v3"),
        ("7.onnx", "net_7"),
        ("module.onnx", "net_module"),
        ("double.mlir", "net_double"),
        ("out.mlir", "net_out"),
        ("arena.onnx", "net_arena"),
        (".onnx", "onnx"),
    ],
)
def test_names_stay_recognisable(path: str, name: str):
    assert identifier_of(path) == name


def test_each_level_is_at_that_level_and_made_once(ladder: Ladder):
    for level in ("bnn", "dataflow", "packed", "hw"):
        module = getattr(ladder, level)
        assert level_of(module) == level
        assert getattr(ladder, level) is module


def test_lowering_leaves_the_levels_above_alone(ladder: Ladder):
    before = str(ladder.source), str(ladder.bnn)
    assert ladder.packed
    assert ladder.hw
    assert (str(ladder.source), str(ladder.bnn)) == before


def test_every_pass_is_announced(tmp_path: Path):
    names: list[str] = []
    ladder = Ladder(save(tmp_path / "net.onnx"), ("x=uint8/255",), observer=names.append)
    assert ladder.packed
    assert names[0] == "onnx-infer-shapes"
    assert names[-1] == "plan-arena"


def test_the_network_goes_by_the_name_of_the_file_or_the_given_one(tmp_path: Path):
    path = save(tmp_path / "net 2.onnx")
    assert entry_function(Ladder(path).bnn).sym_name.data == "net_2"
    assert entry_function(Ladder(path, name="other").bnn).sym_name.data == "other"
    with pytest.raises(UsageError, match="name 'int'"):
        Ladder(path, name="int")


def test_a_wrong_declaration_is_told_before_the_file_is_read():
    with pytest.raises(UsageError, match="input declaration 'uint99'"):
        Ladder("missing.onnx", ("x=uint99",))


def test_ties_go_to_the_lowest_class():
    logits = np.array([[1, 3, 3], [0, 0, 0], [-1, -2, -1]])
    assert classes_of(logits).tolist() == [1, 0, 0]
    # An index is a class already.
    assert classes_of(np.array([[7], [2]])).tolist() == [7, 2]


def test_levels_are_put_in_order():
    assert check_levels(["rtl", "bnn", "onnx", "bnn"]) == ["onnx", "bnn", "rtl"]
    with pytest.raises(UsageError, match="unknown level 'rlt'; expected onnx, bnn, dataflow"):
        check_levels(["onnx", "rlt"])
    with pytest.raises(UsageError, match="unknown level ''"):
        check_levels([])


def test_verify_as_a_library(ladder: Ladder):
    told: list[tuple[str, int, int]] = []
    data = Data("frames", frames(), None)

    def tell(level: str, done: int, total: int) -> None:
        told.append((level, done, total))

    report = verify(ladder, data, ["onnx", "bnn", "packed"], progress=tell)
    assert report.agrees
    assert [level.level for level in report.levels] == ["onnx", "bnn", "packed"]
    assert ("bnn", 0, 5) in told
    assert ("bnn", 5, 5) in told


def test_errors_are_of_the_kinds_that_programs_tell_apart(tmp_path: Path):
    path = save(tmp_path / "net.onnx", lambda model: model.graph.output.pop())
    with pytest.raises(UnsupportedError, match="the model has no outputs"):
        assert Ladder(path).bnn
    with pytest.raises(IrcError, match="no such file"):
        assert Ladder(tmp_path / "no.onnx").bnn
