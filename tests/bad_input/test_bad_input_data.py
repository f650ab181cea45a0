"""Test data that are none, or that do not fit the model."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from irc_runner import DECLARED, FAILURE, FAST_LEVELS, fails, run_irc
from model_files import frames, save_data

COMMANDS: dict[str, tuple[str, ...]] = {
    "verify": ("verify", "net.onnx", *DECLARED, *FAST_LEVELS),
    "compile": ("compile", "net.onnx", *DECLARED, "--target", "verilog", "-o", "out"),
    "run": ("run", "net.onnx"),
}


def array_header(shape: str) -> bytes:
    """The start of a .npy file."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00v\x00" + text.encode()


def write_archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", b"no array")


def cut(path: Path, keep: float) -> None:
    """Cut a good file of the kind that the name says."""
    save = np.save if path.suffix == ".npy" else np.savez
    values: dict[str, Any] = {"arr" if path.suffix == ".npy" else "x": frames(200)}
    save(path, **values)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])


EXPECTED = "expected .npz with the inputs as x and, if known, the classes as y; or .npy with x"

FILES: dict[str, tuple[str, Callable[[Path], Any], str]] = {
    "missing": ("no.npz", lambda p: None, f"no such file; {EXPECTED}"),
    "folder": ("dir.npz", Path.mkdir, f"is a folder; {EXPECTED}"),
    "empty": ("e.npz", Path.touch, "damaged or cut short"),
    "text": ("t.npz", lambda p: p.write_text("hello"), f"is neither .npz nor .npy; {EXPECTED}"),
    "pickle": ("p.npy", lambda p: p.write_bytes(pickle.dumps([1])), "is neither .npz nor .npy"),
    "cut .npz": ("c.npz", lambda p: cut(p, 0.5), "damaged or cut short"),
    "cut .npy": ("c.npy", lambda p: cut(p, 0.5), "damaged or cut short"),
    "cut header": ("h.npy", lambda p: cut(p, 0.01), "damaged or cut short"),
    "odd archive": ("o.npz", write_archive, "'x' is no NumPy array"),
    "absurd size": (
        "a.npy",
        lambda p: p.write_bytes(array_header("(1000000000000, 8)")),
        "damaged or cut short",
    ),
    "Python objects": (
        "p.npy",
        lambda p: np.save(p, np.array([None]), allow_pickle=True),
        "holds Python objects, which are not loaded; save plain numbers",
    ),
}


@pytest.mark.parametrize("command", list(COMMANDS))
@pytest.mark.parametrize("case", list(FILES))
def test_files_that_hold_no_data(case: str, command: str):
    name, write, words = FILES[case]
    write(Path(name))
    message = fails(FAILURE, *COMMANDS[command], "--data", name)
    assert message.startswith(f"error: {name}: {words}")
    assert "pickle" not in message


def test_nothing_pickled_is_loaded():
    """The file would make another when it is unpickled."""

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (Path("trapped"),))

    np.savez("trap.npz", x=np.array([Trap()], object))
    assert "holds Python objects" in fails(FAILURE, *COMMANDS["run"], "--data", "trap.npz")
    assert not Path("trapped").exists()


X = frames()

ARRAYS: dict[str, tuple[dict[str, Any], str]] = {
    "no x": ({"images": X}, "has no key 'x'; its keys are images"),
    "no keys": ({}, "has no key 'x'; its keys are none"),
    "one number": ({"x": np.array(3)}, "'x' of shape [] holds no frames"),
    "no frames": ({"x": X[:0]}, "'x' of shape [0, 8] holds no frames"),
    "strings": ({"x": X.astype(str)}, "'x' of type <U3; expected numbers"),
    "complex": ({"x": X.astype(complex)}, "'x' of type complex128; expected numbers"),
    "dates": ({"x": X.astype("datetime64[s]")}, "'x' of type datetime64[s]; expected numbers"),
    "NaN": ({"x": np.full((5, 8), np.nan)}, "'x' holds NaN or infinity"),
    "infinity": ({"x": np.full((5, 8), np.inf)}, "'x' holds NaN or infinity"),
    "short y": (
        {"x": X, "y": np.arange(3)},
        "'y' of shape [3] does not label the 5 frames of 'x', of shape [5, 8]; expected [5]",
    ),
    "one-hot y": ({"x": X, "y": np.eye(5)}, "'y' of shape [5, 5] does not label the 5 frames"),
    "string y": (
        {"x": X, "y": np.array(list("abcde"))},
        "'y' of type <U1; expected the number of each class",
    ),
    "fraction y": (
        {"x": X, "y": np.full(5, 0.5)},
        "'y' of type float64; expected the number of each class",
    ),
    "too narrow": ({"x": X[:, :7]}, "'x' of shape [5, 7] does not fit"),
    "too wide": ({"x": np.zeros((5, 3, 4), np.uint8)}, "'x' of shape [5, 3, 4] does not fit"),
    "one frame alone": ({"x": X[0]}, "'x' of shape [8] does not fit"),
}


@pytest.mark.parametrize("command", list(COMMANDS))
@pytest.mark.parametrize("case", list(ARRAYS))
def test_arrays_that_do_not_fit(case: str, command: str):
    arrays, words = ARRAYS[case]
    np.savez("bad.npz", **arrays)
    message = fails(FAILURE, *COMMANDS[command], "--data", "bad.npz")
    assert message.startswith(f"error: bad.npz: {words}")


@pytest.mark.parametrize("command", ["verify", "compile"])
def test_what_would_fit_is_said(command: str):
    save_data(Path("bad.npz"), x=X[:, :7])
    message = fails(FAILURE, *COMMANDS[command], "--data", "bad.npz")
    assert message.endswith("input 'x' of net.onnx; expected [N, 8]\n")


VALUES: dict[str, tuple[Any, str]] = {
    "fractions": (X / 255, "'x' holds fractions, but the input is declared ui8"),
    "too large": (X.astype(int) + 10, "'x' ranges from 15 to 258, but the input is declared ui8"),
    "negative": (X.astype(int) - 10, "'x' ranges from -5 to 238, but the input is declared ui8"),
    "huge": (np.full((5, 8), 2**63, np.uint64), "'x' ranges from 9223372036854775808 to"),
    "huge floats": (np.full((5, 8), 1e30), "'x' ranges from 1e+30 to 1e+30"),
}


@pytest.mark.parametrize("command", ["verify", "compile"])
@pytest.mark.parametrize("case", list(VALUES))
def test_values_that_the_declared_type_lacks(case: str, command: str):
    values, words = VALUES[case]
    save_data(Path("bad.npz"), x=values)
    message = fails(FAILURE, *COMMANDS[command], "--data", "bad.npz")
    assert message.startswith(f"error: bad.npz: {words}")


@pytest.mark.parametrize(
    "values",
    [X.astype(float), X.astype(np.int64), X > 100, X.reshape(5, 2, 4), X.reshape(5, 1, 8, 1)],
    ids=["whole floats", "int64", "bool", "in rows", "with ones"],
)
def test_other_ways_to_write_the_same_inputs_are_taken(values: Any):
    save_data(Path("good.npz"), x=values)
    assert run_irc(*COMMANDS["verify"], "--data", "good.npz").code == 0
