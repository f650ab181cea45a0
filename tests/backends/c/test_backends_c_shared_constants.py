"""Constants that are equal are there once, in one layer and in several, and results stay."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kernel_networks import SANITIZE, check_kernels, linear, network, packed_of, signs
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType

from irc.backends.c.header import header_text
from irc.backends.c.source import emit_c
from irc.dialects import bnn
from irc.dialects.dense import bipolar
from irc.passes.software.choose_placement import ChoosePlacement


def twins(equal: bool) -> ModuleOp:
    """Three layers of 24 × 24 weights, the same ones or each others'."""
    random = np.random.default_rng(5)
    weights = [signs(random, 24, 24) for _ in range(3)]
    at = bnn.DenseAttr.from_integers(2 * random.integers(-3, 4, (24, 1)))

    def threshold(value: Any) -> bnn.ThresholdOp:
        return bnn.ThresholdOp(value, at, bipolar, 0)

    layers = [linear(weights[0 if equal else index]) for index in range(3)]
    return network(
        TensorType(bipolar, [24]), [layers[0], threshold, layers[1], threshold, layers[2]]
    )


def test_equal_weights_of_several_layers_are_one_array() -> None:
    source, other = (emit_c(packed_of(twins(equal), unroll=0), "net") for equal in (True, False))
    arrays = re.findall(r"static const uint\d+_t (\w+)\[", source.body)
    assert sum("weights" in name for name in arrays) == 1, arrays
    assert source.flash_bytes == other.flash_bytes - 2 * 24 * 4
    assert source.shared_bytes == other.shared_bytes + 2 * 24 * 4
    assert f"{source.shared_bytes} besides" in header_text(source)


def test_a_layer_in_a_file_of_its_own_keeps_its_constants() -> None:
    module = packed_of(twins(True), unroll=0)
    ChoosePlacement(files="layers").apply(Context(), module)
    source = emit_c(module, "net")
    arrays = re.findall(r"static const uint\d+_t (\w+)\[", source.body)
    assert sum("weights" in name for name in arrays) == 3, arrays
    assert source.shared_bytes == 0


@pytest.mark.parametrize("unroll", [0, 4096])
def test_the_results_stay(unroll: int, tmp_path: Path) -> None:
    module = twins(True)
    check_kernels(tmp_path, {"net": (module, packed_of(module, unroll=unroll))}, SANITIZE)
