"""Networks that Brevitas exports, untrained, give the same at every level.

torch and Brevitas are in an environment of their own: that of `make train-venv`, the one that
IRC_TRAIN_PYTHON names, or this one if it has them. Where CI is set it must be there.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from irc.flow.frames import Data
from irc.flow.ladder import Ladder
from irc.flow.levels import FrameRunner
from irc.flow.verify import verify

SCRIPT = Path(__file__).with_name("brevitas_export.py")

SOFTWARE_LEVELS = ("onnx", "bnn", "dataflow", "packed", "c")
DECLARATION = "uint8/255"

BIPOLAR = ("1w1a.qonnx", "1w2a.qonnx")
BOTH = ("2w2a.qonnx", "2w2a.qcdq")

EXPORTS = {
    "tfc": (*BIPOLAR, *BOTH),
    "sfc": (*BIPOLAR, *BOTH),
    "lfc": (*BIPOLAR, *BOTH),
    "cnv": (*BIPOLAR, *BOTH),
    "small_cnn": tuple(f"{bits}.{kind}" for bits in (2, 4, 8) for kind in ("qonnx", "qcdq")),
}
"""What Brevitas can write of each kind: bipolar quantizers have no QCDQ."""

FRAMES = {"cnv": 8}
SIMULATED = ("tfc", "sfc", "small_cnn")
"""Kinds whose Verilog is simulated too, for some frames."""


def exported(python: str, folder: Path, kind: str) -> list[Path]:
    """All files of a kind, freshly exported."""
    command = [python, str(SCRIPT), str(folder), kind]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = sorted(folder.glob("*.onnx"))
    assert {path.name for path in found} == {f"{kind}_{what}.onnx" for what in EXPORTS[kind]}
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", EXPORTS)
def test_every_level_agrees(kind: str, train_python: str, tmp_path: Path) -> None:
    levels = (*SOFTWARE_LEVELS, "rtl") if kind in SIMULATED else SOFTWARE_LEVELS
    for path in exported(train_python, tmp_path, kind):
        ladder = Ladder(path, (DECLARATION,))
        shape = ladder.reference.inputs[0].shape
        assert shape is not None
        frames = np.random.default_rng(0).integers(
            0, 256, (FRAMES.get(kind, 32), *shape[1:]), np.uint8
        )
        data = Data("random frames", frames, None)
        report = verify(ladder, data, levels, rtl_limit=3)
        for level in report.levels:
            first = level.agreement.first
            assert first is None, f"{path.name}: {first}"
            assert level.agreement.images == (3 if level.level == "rtl" else len(frames))
        # Were all frames alike to the network, agreement would promise little.
        (results,) = FrameRunner(ladder, data).run("bnn", len(frames))
        assert len(np.unique(results.reshape(len(results), -1), axis=0)) > 1, path.name
