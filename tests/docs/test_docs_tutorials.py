"""What the tutorials ask of their readers works as they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from page_runner import FileBlock, follow, steps_of

ROOT = Path(__file__).resolve().parents[2]
TUTORIALS = ROOT / "docs" / "tutorials"
TEMPLATE = ROOT / "examples" / "custom_pass"


@pytest.mark.slow
def test_the_tutorial_of_a_pass(tmp_path: Path) -> None:
    page = TUTORIALS / "prune-dead-channels.md"
    assert follow(page, tmp_path, {"PYTHONPATH": str(tmp_path / "site")}) > 5


@pytest.mark.slow
def test_the_tutorial_from_brevitas(
    tmp_path: Path, example_dir: Path, shared_dir: Path, train_python: str
) -> None:
    (data,) = example_dir.glob("mnist_test_*.npz")
    (tmp_path / data.name).symlink_to(data)
    with np.load(shared_dir / "data" / "mnist_train.npz") as train:
        # A tenth of the images: what the network knows in the end does not matter here.
        np.savez(tmp_path / "train.npz", x=train["x"][:6000], y=train["y"][:6000])
    places = {"TRAIN_PYTHON": train_python, "MNIST_TRAIN": "train.npz"}
    assert follow(TUTORIALS / "brevitas.md", tmp_path, places) > 7


@pytest.mark.slow
def test_the_guide_to_targets(tmp_path: Path, example_dir: Path) -> None:
    (model,) = example_dir.glob("*.onnx")
    (tmp_path / model.name).symlink_to(model)
    assert follow(TUTORIALS.parent / "extending" / "target.md", tmp_path) == 2


def test_the_tutorial_ends_with_the_template_package() -> None:
    page = (TUTORIALS / "prune-dead-channels.md").read_text(encoding="utf-8")
    files = {step.name: step.text for step in steps_of(page) if isinstance(step, FileBlock)}
    in_package = [
        path
        for path in TEMPLATE.rglob("*")
        if path.suffix in (".py", ".toml", ".mlir") and path.name != "lit.cfg.py"
    ]
    assert len(in_package) >= 6
    for path in in_package:
        assert files[path.relative_to(TEMPLATE).as_posix()] == path.read_text(encoding="utf-8")
