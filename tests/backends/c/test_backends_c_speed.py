"""Instructions of kernels on emulated cores, compiled by zig, which PyPI brings in one version.

The limits are what hand-written kernels take on the same emulator, or a little below what is
measured where that is more.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from kernel_networks import Layer, conv, dense, network, per_mac, profiled, signs, threshold
from xdsl.dialects.builtin import ModuleOp, TensorType

from irc.backends.c.cross.cores import core_named
from irc.dialects import bnn
from irc.dialects.dense import sint, uint

pytestmark = pytest.mark.slow

LIMITS = {
    "cortex-m0plus": (0.49, 0.47),
    "cortex-m3": (0.30, 0.33),
    "cortex-m4": (0.30, 0.33),
    "cortex-m7": (0.30, 0.33),
    "cortex-m55": (0.107, 0.15),
    "rv32imc": (0.305, 0.33),
    "rv32imc-zbb": (0.195, 0.18),
}
"""Instructions per multiplication: a dense layer of 1024 columns, and a convolution."""


def first_layer() -> ModuleOp:
    """A 3x3 convolution of 3 channels of bytes, with 64 results."""
    random = np.random.default_rng(5)
    weights = signs(random, 64, 3, 3, 3)
    built: list[Layer] = [
        lambda value: bnn.ConvOp(value, weights, sint(20), [1, 1], [1, 1]),
        threshold(random, 64, 900),
        lambda value: bnn.ReshapeOp(value, [100 * 64]),
        lambda value: bnn.LinearOp(value, signs(random, 2, 100 * 64), sint(20)),
    ]
    return network(TensorType(uint(8), [12, 12, 3]), built)


def measured(module: ModuleOp, label: str, name: str, folder: Path) -> float:
    """Instructions per multiplication of one layer, with the kernels for a core."""
    pytest.importorskip("unicorn")
    pytest.importorskip("ziglang")
    core = core_named(name)
    if core.board and shutil.which("qemu-system-arm") is None:
        if os.environ.get("CI"):
            pytest.fail("CI is set, but qemu-system-arm is not installed")
        pytest.skip("qemu-system-arm is not installed")
    options = {"popcount": core.popcount, "unroll": core.unroll, "lanes": core.lanes}
    return per_mac(profiled(module, folder / "net", name, **options), label)


@pytest.mark.parametrize("core", LIMITS)
def test_instructions_of_a_dense_layer(tmp_path: Path, core: str) -> None:
    assert measured(dense(1024, 256), "dense", core, tmp_path) <= LIMITS[core][0]


@pytest.mark.parametrize("core", LIMITS)
def test_instructions_of_a_convolution(tmp_path: Path, core: str) -> None:
    assert measured(conv(8, 64, 64), "conv", core, tmp_path) <= LIMITS[core][1]


def test_instructions_of_a_layer_of_bytes(tmp_path: Path) -> None:
    assert measured(first_layer(), "conv", "cortex-m4", tmp_path) <= 1.2
