"""The measured models reach their golden accuracy, and every level agrees with ONNX Runtime."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from irc.flow.frames import load_data
from irc.flow.ladder import Ladder
from irc.flow.verify import VerifyReport, verify


@dataclass(frozen=True)
class Golden:
    """A model, its data, which share of all images it gets right, and how many are simulated."""

    model: str
    data: str
    inputs: tuple[str, ...]
    images: int
    accuracy: float
    rtl_images: int
    quick_images: int = 1000


GOLDEN = (
    Golden("tfc_1w1a_mnist.onnx", "mnist_test.npz", ("0=uint8/255",), 10_000, 0.9296, 10_000),
    Golden("tfc_1w2a_mnist.onnx", "mnist_test.npz", ("0=uint8/255",), 10_000, 0.9474, 10_000),
    Golden("lfc_1w1a_mnist.onnx", "mnist_test.npz", (), 10_000, 0.9845, 500),
    Golden("cnv_1w1a_cifar10.onnx", "cifar10_test_1000.npz", (), 1000, 0.758, 3, quick_images=30),
)

SOFTWARE_LEVELS = ("onnx", "bnn", "dataflow", "packed", "c")


def run(golden: Golden, shared: Path, levels: tuple[str, ...], images: int | None) -> VerifyReport:
    ladder = Ladder(shared / "models" / golden.model, golden.inputs)
    data = load_data(shared / "data" / golden.data).limited(images)
    return verify(ladder, data, levels, rtl_limit=golden.rtl_images)


def assert_agreement(report: VerifyReport) -> None:
    for level in report.levels:
        assert level.agreement.first is None, str(level.agreement.first)
        assert level.agreement.equal == level.agreement.images
        assert level.agreement.same_class == level.agreement.images


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda g: g.model)
def test_images_agree_in_software(golden: Golden, shared_dir: Path) -> None:
    assert_agreement(run(golden, shared_dir, SOFTWARE_LEVELS, golden.quick_images))


@pytest.mark.slow
@pytest.mark.parametrize("golden", GOLDEN, ids=lambda g: g.model)
def test_all_images_agree_and_reach_the_golden_accuracy(golden: Golden, shared_dir: Path) -> None:
    report = run(golden, shared_dir, (*SOFTWARE_LEVELS, "rtl"), None)
    assert_agreement(report)
    counts = {level.level: level.agreement.images for level in report.levels}
    assert counts == {**dict.fromkeys(SOFTWARE_LEVELS, golden.images), "rtl": golden.rtl_images}
    for level in report.levels:
        if level.level != "rtl" or golden.rtl_images == golden.images:
            assert level.accuracy == pytest.approx(golden.accuracy, abs=1e-9)
