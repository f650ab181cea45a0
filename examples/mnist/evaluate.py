#!/usr/bin/env python3
"""Accuracy of the example network as ONNX Runtime computes it; irc takes no part in this.

.venv/bin/python examples/mnist/evaluate.py                 # the 1,000 images beside this file
.venv/bin/python examples/mnist/evaluate.py --data PATH     # any MNIST copy's test images
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort  # pyright: ignore[reportMissingTypeStubs]
from google.protobuf.message import DecodeError
from mnist_data import load_mnist
from onnx import helper

HERE = Path(__file__).resolve().parent
MODEL = HERE / "mnist_64x3_1w1a.onnx"
IMAGES = HERE / "mnist_test_1000.npz"

QONNX_DOMAIN = "qonnx.custom_op.general"


def bipolar_quant() -> onnx.FunctionProto:
    """QONNX `BipolarQuant` in plain ONNX: scale where x >= 0, else -scale.

    ONNX Runtime does not know the operator; given this definition inside the model, it runs the
    network as it stands.
    """
    nodes = [
        helper.make_node("Constant", [], ["zero"], value_float=0.0),
        helper.make_node("GreaterOrEqual", ["x", "zero"], ["positive"]),
        helper.make_node("Neg", ["scale"], ["minus_scale"]),
        helper.make_node("Where", ["positive", "scale", "minus_scale"], ["y"]),
    ]
    opset = helper.make_opsetid("", 17)
    return helper.make_function(QONNX_DOMAIN, "BipolarQuant", ["x", "scale"], ["y"], nodes, [opset])


def predict(model: Path, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Logits, float32 [N, 10], of `images`, uint8 [N, 28, 28]."""
    proto = onnx.ModelProto.FromString(model.read_bytes())
    proto.functions.append(bipolar_quant())
    session: Any = ort.InferenceSession(
        proto.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name
    pixels = images[:, np.newaxis].astype(np.float32) / np.float32(255)
    return np.asarray(session.run(None, {name: pixels})[0])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Accuracy of the example network on MNIST.")
    parser.add_argument("--model", type=Path, default=MODEL, help="default: %(default)s")
    parser.add_argument(
        "--data",
        type=Path,
        default=IMAGES,
        metavar="PATH",
        help=".npz with keys x, y or x_test, y_test, or a folder with the original IDX files "
        "(default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    try:
        data = load_mnist(options.data, split="test")
        classes = predict(options.model, data.images).argmax(axis=1)
    except DecodeError:
        print(f"error: {options.model}: not an ONNX file", file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    right = int((classes == data.labels).sum())
    print(f"{right:,} of {len(classes):,} images right: {right / len(classes):.2%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
