"""The example network that the repository ships is what its README says."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

FLOOR = 0.93
LAYER_SHAPES = [(64, 784), (64, 64), (64, 64), (10, 64)]


@pytest.fixture
def evaluate(example_dir: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", [str(example_dir), *sys.path])
    return importlib.import_module("evaluate")


@pytest.fixture(scope="session")
def model(example_dir: Path) -> onnx.ModelProto:
    content = (example_dir / "mnist_64x3_1w1a.onnx").read_bytes()
    return onnx.ModelProto.FromString(content)


def stated_right(example_dir: Path, images: str) -> int:
    """How many of `images` images the README says are classified rightly."""
    readme = (example_dir / "README.md").read_text(encoding="utf-8")
    match = re.search(rf"([\d,]+) of {images} images right: ([\d.]+) %", readme)
    assert match, f"README.md does not say how many of {images} images are right"
    right, percent = int(match[1].replace(",", "")), float(match[2])
    assert percent == pytest.approx(100 * right / int(images.replace(",", "")), abs=0.005)
    return right


def count_right(evaluate: ModuleType, data: Path) -> int:
    with np.load(data) as archive:
        classes = evaluate.predict(evaluate.MODEL, archive["x"]).argmax(axis=1)
        return int((classes == archive["y"]).sum())


def test_readme_states_the_accuracy_on_the_shipped_images(
    evaluate: ModuleType, example_dir: Path
) -> None:
    right = count_right(evaluate, example_dir / "mnist_test_1000.npz")
    assert right == stated_right(example_dir, "1,000")
    assert right >= FLOOR * 1_000


def test_readme_states_the_accuracy_on_all_test_images(
    evaluate: ModuleType, example_dir: Path, shared_dir: Path
) -> None:
    right = count_right(evaluate, shared_dir / "data" / "mnist_test.npz")
    assert right == stated_right(example_dir, "10,000")
    assert right >= FLOOR * 10_000


def test_evaluate_prints_the_line_that_the_readme_quotes(
    evaluate: ModuleType, example_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate.main([]) == 0
    right = stated_right(example_dir, "1,000")
    assert capsys.readouterr().out == f"{right} of 1,000 images right: {right / 1000:.2%}\n"


@pytest.mark.parametrize(
    ("option", "content", "message"),
    [
        ("--data", b"no images", "not an .npz archive"),
        ("--model", b"\xffno network", "not an ONNX file"),
    ],
)
def test_evaluate_names_a_bad_file(
    evaluate: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    option: str,
    content: bytes,
    message: str,
) -> None:
    bad = tmp_path / "bad"
    bad.write_bytes(content)
    assert evaluate.main([option, str(bad)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {bad}: ")
    assert message in error
    assert error.count("\n") == 1


def test_shipped_images_are_the_first_of_the_test_set(example_dir: Path, shared_dir: Path) -> None:
    with (
        np.load(example_dir / "mnist_test_1000.npz") as shipped,
        np.load(shared_dir / "data" / "mnist_test.npz") as complete,
    ):
        for key in ("x", "y"):
            assert shipped[key].dtype == np.uint8
            np.testing.assert_array_equal(shipped[key], complete[key][:1000])


def test_model_is_valid_and_small(model: onnx.ModelProto) -> None:
    onnx.checker.check_model(model)  # pyright: ignore[reportUnknownMemberType]
    assert model.ByteSize() < 1_000_000


def test_model_holds_no_path_of_the_machine_that_trained_it(model: onnx.ModelProto) -> None:
    content = model.SerializeToString()
    for trace in (b".py", b"/home/", b"/root/", b"/tmp/", b"site-packages"):
        assert trace not in content


def test_every_weight_is_plus_or_minus_one(model: onnx.ModelProto) -> None:
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    weights = [
        tensors[node.input[0]]
        for node in model.graph.node
        if node.op_type == "BipolarQuant" and node.input[0] in tensors
    ]
    assert [weight.shape for weight in weights] == LAYER_SHAPES
    for weight in weights:
        assert set(np.unique(weight)) == {-1.0, 1.0}


def test_both_factors_of_every_product_are_one_bit(model: onnx.ModelProto) -> None:
    producers = {name: node for node in model.graph.node for name in node.output}
    products = [node for node in model.graph.node if node.op_type == "MatMul"]
    assert len(products) == len(LAYER_SHAPES)
    for product in products:
        for name in product.input:
            producer = producers[name]
            if producer.op_type == "Transpose":
                producer = producers[producer.input[0]]
            assert producer.op_type == "BipolarQuant", product.name


def test_batch_is_free_and_does_not_change_the_answer(
    evaluate: ModuleType, example_dir: Path
) -> None:
    with np.load(example_dir / "mnist_test_1000.npz") as archive:
        images = archive["x"][:8]
    together = evaluate.predict(evaluate.MODEL, images)
    assert together.shape == (8, 10)
    for image, logits in zip(images, together, strict=True):
        np.testing.assert_array_equal(evaluate.predict(evaluate.MODEL, image[None])[0], logits)
