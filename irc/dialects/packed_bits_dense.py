"""Dense kernels of the `packed` dialect whose activations are bits."""

from __future__ import annotations

import math
from abc import ABC
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import (
    I64,
    ArrayAttr,
    IntegerAttr,
    IntegerType,
    StringAttr,
    UnitAttr,
    i64,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, opt_prop_def, prop_def
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dense import BipolarType, DenseAttr, is_exact
from irc.dialects.packed_base import BufferType, Staircase
from irc.dialects.packed_dense import DENSE_FORMAT, DenseOp, dense_properties
from irc.dialects.packed_lanes import LANES, interleave_rows, separate_rows
from irc.dialects.packed_pairs import pair_words
from irc.dialects.packed_types import BitsType, plane_weights

Array = npt.NDArray[Any]

KERNELS = ("tree", "unrolled", "vector")
"""Kernels of straight code, for `block` words at a time: carry-save adders that count bits for all
words at once (Warren, "Hacker's Delight", section 5-1), or a count for each word; and one for wide
vectors, in which a word of many rows is counted at once."""

TERNARY_PLANES = (1, -2)
"""What the planes of 2 signed bits count."""
MOST_TREE_WORDS = 255
"""Words that a tree adds at the most: the fields of its counters hold no more ones."""


def bits_properties(
    offsets: DenseAttr | None, places: Sequence[DenseAttr] | None
) -> dict[str, Attribute | None]:
    """The properties of constants that are added to sums."""
    return {"offsets": offsets, "places": None if places is None else ArrayAttr(places)}


class BitsDenseOp(DenseOp, ABC):
    """What the kernels on bits share: constants that are added to the sums.

    `offsets` are [M], or [B, M] with `places`: rows are then the points of a grid, and `places`
    has a vector for each of its axes, the kind of every position along it. Row by row, the kinds,
    the last axis counting fastest, choose one of B. That corrects sums near the border of a frame.

    `kernel` says how rows are counted: see `KERNELS`; without it, word by word in a loop. With
    `lanes`, which is M, a tree counts a group of rows at once: the weights are then as
    `irc.dialects.packed_lanes` puts them.
    """

    offsets = opt_prop_def(DenseAttr)
    places = opt_prop_def(ArrayAttr[DenseAttr])
    kernel = opt_prop_def(StringAttr)
    block = opt_prop_def(IntegerAttr[I64])
    lanes = opt_prop_def(IntegerAttr[I64])

    @property
    def channels(self) -> int:
        return super().channels if self.lanes is None else self.lanes.value.data

    @property
    def row_words(self) -> Array:
        """The words of the weights row by row, [M, …]."""
        words = self.weights.numpy()
        return words if self.lanes is None else separate_rows(words, self.channels)

    def use_lanes(self) -> None:
        """Put the rows side by side."""
        lanes, words = IntegerAttr(self.channels, i64), interleave_rows(self.row_words)
        self.weights = DenseAttr.from_numpy(words, self.weights.element_type)
        self.lanes = lanes

    @property
    def block_words(self) -> int | None:
        """Words of a plane that straight code takes at a time."""
        return None if self.block is None else self.block.value.data

    def use_loop(self) -> None:
        """Count word by word in a loop, whatever was chosen."""
        self.kernel = self.block = None
        if self.lanes is not None:
            self.weights = DenseAttr.from_numpy(self.row_words, self.weights.element_type)
            self.lanes = None

    @property
    def kinds(self) -> tuple[int, ...]:
        """How many kinds of positions there are along each axis; empty without places."""
        vectors = () if self.places is None else self.places.data
        return tuple(int(vector.numpy().max()) + 1 for vector in vectors)

    @property
    def placed(self) -> DenseAttr | None:
        """The constant of which places choose a row."""
        return self.offsets

    def row_offsets(self) -> Array | None:
        """The offsets of each row, [rows or 1, M]."""
        return None if self.offsets is None else self.by_place(self.offsets)

    def by_place(self, constant: DenseAttr) -> Array:
        """The constant of each row, [rows or 1, M]."""
        table = constant.numpy().astype(np.int64).reshape(-1, self.channels)
        chosen = np.zeros(1, np.int64)
        for vector in () if self.places is None else self.places.data:
            numbers = vector.numpy().astype(np.int64)
            chosen = (chosen[:, None] * (int(numbers.max()) + 1) + numbers).reshape(-1)
        return table[chosen]

    def verify_offsets(self) -> None:
        """Check the offsets and their places."""
        if self.places is not None:
            if self.placed is None:
                raise VerifyException("places are for offsets")
            for vector in self.places.data:
                if len(vector.shape) != 1 or not vector.size or not is_exact(vector.element_type):
                    raise VerifyException(f"places are vectors of integers, not {vector.type}")
                if int(vector.numpy().min()) < 0:
                    raise VerifyException("places count from 0")
            if math.prod(vector.size for vector in self.places.data) != self.rows:
                raise VerifyException(f"places are not those of {self.rows} rows")
        leading = () if self.places is None else (math.prod(self.kinds),)
        if self.placed is not None and self.placed.shape != (*leading, self.channels):
            shape = ", ".join(map(str, (*leading, self.channels)))
            what = "offsets" if self.offsets is not None else "limits"
            raise VerifyException(f"{what} must be [{shape}], not {self.placed.type}")

    def verify_lanes(self) -> None:
        """Check that rows lie side by side."""
        if self.lanes is None:
            return
        if self.kernel is None or self.kernel.data != "tree":
            raise VerifyException("lanes are for trees")
        groups = (-(-self.channels // LANES), LANES)
        if (self.weights.shape[0], self.weights.shape[-1]) != groups:
            raise VerifyException(
                f"{self.channels} rows in lanes are tensor<{groups[0]}x…x{LANES}>, "
                f"not {self.weights.type}"
            )

    def verify_straight(self, source: BitsType) -> None:
        """Check the choice of straight code."""
        kernel, block = self.kernel, self.block_words
        if (kernel is None) != (block is None):
            raise VerifyException("straight code has a kernel and a block of words")
        if kernel is None or block is None:
            return
        if kernel.data not in KERNELS:
            raise VerifyException(f"unknown kernel '{kernel.data}'; known: {', '.join(KERNELS)}")
        if kernel.data == "tree" and source.word != 32:
            raise VerifyException(f"trees take words of 32 bits, not {source.word}")
        if not 1 <= block <= source.words or (block % 2 and block < source.words):
            raise VerifyException(f"blocks of {block} words do not fit rows of {source.words}")


@irdl_op_definition
class XnorDenseOp(BitsDenseOp):
    """Bipolar weights, bipolar activations: `acc = K − 2·popcount(w ^ x)`, plus `offsets`.

    The same as `2·popcount(xnor(w, x)) − K` (Rastegari et al., "XNOR-Net", 2016), without the
    complement; padding bits are equal on both sides and count nothing.
    `weights` are words [M, ceil(K / W)], with `pairs` in the form of `irc.dialects.packed_pairs`;
    the kernel then brings its operand into this form, and back if anybody else reads it.

    `limits`, [M] or with `places` [B, M], stand for offsets and a threshold in one:
    `bit = popcount(w ^ x) < limit`.
    """

    name = "packed.xnor_dense"
    popcount = prop_def(StringAttr)
    pairs = opt_prop_def(UnitAttr)
    limits = opt_prop_def(DenseAttr)
    assembly_format = DENSE_FORMAT

    def __init__(
        self,
        label: str,
        value: SSAValue,
        weights: DenseAttr,
        result: BufferType,
        accumulator: IntegerType,
        staircase: Staircase | None,
        popcount: str,
        offsets: DenseAttr | None = None,
        places: Sequence[DenseAttr] | None = None,
    ) -> None:
        properties = dense_properties(weights, staircase, accumulator)
        properties |= bits_properties(offsets, places)
        super().__init__(label, value, result, {**properties, "popcount": StringAttr(popcount)})

    @property
    def placed(self) -> DenseAttr | None:
        return self.offsets if self.limits is None else self.limits

    def plain_words(self) -> Array:
        """The weights as words [M, ceil(K / W)] that are not in pairs."""
        return self.row_words if self.pairs is None else pair_words(self.row_words)

    def use_loop(self) -> None:
        super().use_loop()
        if self.pairs is not None:
            self.weights = DenseAttr.from_numpy(self.plain_words(), self.weights.element_type)
            self.pairs = None

    def verify_results(self, rows: int, channels: int) -> None:
        if self.limits is None:
            super().verify_results(rows, channels)
            return
        result = self.output.type
        if self.thresholds is not None or self.offsets is not None:
            raise VerifyException("limits replace thresholds and offsets")
        if not isinstance(result, BitsType) or plane_weights(result.element_type) != (1,):
            raise VerifyException(f"limits give single bits, not {result}")
        if result.rows * result.width != rows * channels:
            raise VerifyException(f"{result} does not hold {rows} rows of {channels} results")
        if not is_exact(self.limits.element_type) or int(self.limits.numpy().min()) < 0:
            raise VerifyException(f"limits count from 0, not {self.limits.type}")

    def verify_kernel(self) -> None:
        source = self.expect_bits(self.input, "operand")
        if not isinstance(source.element_type, BipolarType):
            raise VerifyException(f"activations must be bipolar, not {source.element_type}")
        self.verify_lanes()
        self.check_words((source.words,), source.width, source.word, self.plain_words())
        self.check_popcount(self.popcount)
        self.verify_straight(source)
        self.verify_offsets()
        self.verify_sums()


@irdl_op_definition
class PlaneDenseOp(BitsDenseOp):
    """Low-bit weights and activations, by bit-planes.

    With `w = Σ_i a_i·w_i` and `x = Σ_j b_j·x_j` over planes (`plane_weights`),
    `P = Σ_i Σ_j a_i·b_j·popcount(w_i & x_j)` is the sum of products (Zhou et al., "DoReFa-Net",
    2016, equation 3). A bipolar side is `2·bit − 1`, so that

    - integers by integers: `acc = P`;
    - bipolar weights: `acc = 2·P − Σ_j b_j·popcount(x_j)`, subtracted once a row of the input;
    - bipolar activations: `acc = 2·P − Σ_k w[m, k]`, the constant `offsets` (negative sum).

    `weights` are words [M, planes, ceil(K / W)] and `weight_type` says what the planes mean.

    `ternary` promises that activations of 2 bits, and weights that are not bipolar, are −1, 0 or 1:
    the low plane tells which are not 0, the high one which are negative, and
    `P = popcount((w ^ x_1) & x_0)` gives `acc = 2·P − popcount(x_0)` for bipolar weights, else
    `acc = popcount(w_0 & x_0) − 2·popcount((w_1 ^ x_1) & w_0 & x_0)` (Li and Liu, "Ternary Weight
    Networks", 2016, by planes).
    """

    name = "packed.plane_dense"
    weight_type = prop_def(Attribute)
    popcount = prop_def(StringAttr)
    ternary = opt_prop_def(UnitAttr)
    assembly_format = DENSE_FORMAT

    def __init__(
        self,
        label: str,
        value: SSAValue,
        weights: DenseAttr,
        weight_type: Attribute,
        offsets: DenseAttr | None,
        result: BufferType,
        accumulator: IntegerType,
        staircase: Staircase | None,
        popcount: str,
        places: Sequence[DenseAttr] | None = None,
    ) -> None:
        properties = dense_properties(weights, staircase, accumulator)
        properties |= bits_properties(offsets, places)
        own = {"weight_type": weight_type, "popcount": StringAttr(popcount)}
        super().__init__(label, value, result, {**properties, **own})

    @property
    def has_bipolar_weights(self) -> bool:
        """Whether the sum of the activations is subtracted."""
        return isinstance(self.weight_type, BipolarType)

    @property
    def scale(self) -> int:
        """What P is multiplied with: 2 where one side is bipolar."""
        return 1 if not self.has_bipolar_weights and self.offsets is None else 2

    def verify_kernel(self) -> None:
        source = self.expect_bits(self.input, "operand")
        if not is_exact(self.weight_type):
            raise VerifyException(f"weights cannot be {self.weight_type}")
        bipolar_input = isinstance(source.element_type, BipolarType)
        if bipolar_input and self.has_bipolar_weights:
            raise VerifyException("bipolar by bipolar is packed.xnor_dense")
        planes = len(plane_weights(self.weight_type))
        self._verify_ternary(source)
        self.verify_lanes()
        self.check_words((planes, source.words), source.width, source.word, self.row_words)
        if (self.offsets is not None) != bipolar_input:
            raise VerifyException("offsets are for bipolar activations, which need them")
        self.check_popcount(self.popcount)
        self.verify_straight(source)
        self.verify_offsets()
        self.verify_sums()

    @property
    def has_ternary_weights(self) -> bool:
        """Whether weights have 2 bits, and none is −2, for which the high plane stands alone."""
        if plane_weights(self.weight_type) != TERNARY_PLANES:
            return False
        words = self.row_words
        return not bool(np.any(words[:, 1] & ~words[:, 0]))

    def _verify_ternary(self, source: BitsType) -> None:
        if self.ternary is None:
            return
        if plane_weights(source.element_type) != TERNARY_PLANES:
            raise VerifyException(f"ternary activations have 2 signed bits, not {source}")
        if not self.has_bipolar_weights and not self.has_ternary_weights:
            raise VerifyException("weights are not bipolar, nor all of −1, 0 and 1")
