"""Verify the measured models at every level: the agreement and accuracy that the README states.

    python benchmarks/verify_models.py --shared ../shared

Every model runs on all its test images, except that the larger networks are simulated on fewer;
`--rtl-limit` lowers that further.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from irc.tools.irc import main as irc


@dataclass(frozen=True)
class Case:
    """One call of `irc verify`."""

    model: str
    data: str
    inputs: tuple[str, ...]
    rtl_images: int


CASES = (
    Case("tfc_1w1a_mnist.onnx", "mnist_test.npz", ("0=uint8/255",), 10_000),
    Case("tfc_1w2a_mnist.onnx", "mnist_test.npz", ("0=uint8/255",), 10_000),
    Case("lfc_1w1a_mnist.onnx", "mnist_test.npz", (), 500),
    Case("cnv_1w1a_cifar10.onnx", "cifar10_test_1000.npz", (), 3),
)


def main() -> int:
    """Returns 1 if any model disagrees anywhere."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--shared", type=Path, default=Path("../shared"), help="folder with models/ and data/"
    )
    parser.add_argument("--rtl-limit", type=int, help="simulate at most so many images")
    options = parser.parse_args()
    status = 0
    for case in CASES:
        images = min(case.rtl_images, options.rtl_limit or case.rtl_images)
        command = [
            "verify",
            str(options.shared / "models" / case.model),
            "--data",
            str(options.shared / "data" / case.data),
            *(f"--input={declaration}" for declaration in case.inputs),
            f"--rtl-limit={images}",
        ]
        print("$ irc", *command, flush=True)
        status = max(status, irc(command))
    return status


if __name__ == "__main__":
    sys.exit(main())
