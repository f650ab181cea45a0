"""The depthwise kernel of the `packed` dialect that works on bits."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import I64, IntegerAttr, IntegerType, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, prop_def
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dense import BipolarType, DenseAttr, is_exact, uint
from irc.dialects.packed_base import BufferType, Staircase, bits_type
from irc.dialects.packed_bits_dense import BitsDenseOp, bits_properties
from irc.dialects.packed_dense import dense_properties
from irc.dialects.packed_types import plane_weights, words_for


@irdl_op_definition
class ChannelDenseOp(BitsDenseOp):
    """Low-bit values times weights, each channel for itself: a depthwise convolution.

    A row of the input is `taps` pixels, which are rows of its bits:
    `acc[r, c] = Σ_k weights[k, c] · x[r·taps + k, c]`, plus `offsets`. `weights` are words
    [taps, planes, ceil(C / W)] and `weight_type` says what the planes mean.

    A bit of a word is a channel, so that the sums of W channels are counted at once: number `j` of
    `depth` words holds bit `j` of W sums, and adding a bit to each is as many half adders as there
    are words (Harley and Seal's carry-save counting, in Warren, "Hacker's Delight", 5-1). Bipolar
    by bipolar counts in how many taps they differ, `d`, and the sum is `taps − 2·d`; all else
    counts the sum itself, in two's complement.
    """

    name = "packed.channel_dense"
    weight_type = prop_def(Attribute)
    depth_attr = prop_def(IntegerAttr[I64], prop_name="depth")
    assembly_format = (
        "$label $input `,` $weights `depth` $depth (`at` $thresholds^)? (`steps` $steps^)? "
        "(`bias` $bias^)? attr-dict `:` type($input) `->` type($output)"
    )

    def __init__(
        self,
        label: str,
        value: SSAValue,
        weights: DenseAttr,
        weight_type: Attribute,
        depth: int,
        result: BufferType,
        accumulator: IntegerType,
        staircase: Staircase | None,
        offsets: DenseAttr | None = None,
        places: Sequence[DenseAttr] | None = None,
    ) -> None:
        properties = dense_properties(weights, staircase, accumulator)
        properties |= bits_properties(offsets, places)
        own = {"weight_type": weight_type, "depth": IntegerAttr(depth, i64)}
        super().__init__(label, value, result, {**properties, **own})

    @property
    def depth(self) -> int:
        """Bits of what is counted."""
        return self.depth_attr.value.data

    @property
    def is_xnor(self) -> bool:
        """Whether weights and values are bipolar."""
        kinds = (self.weight_type, bits_type(self.input).element_type)
        return all(isinstance(kind, BipolarType) for kind in kinds)

    @property
    def channels(self) -> int:
        return bits_type(self.input).width

    @property
    def columns(self) -> int:
        """Taps: products summed for each result."""
        return self.weights.shape[0]

    @property
    def rows(self) -> int:
        return bits_type(self.input).rows // self.columns

    def verify_kernel(self) -> None:
        source = self.expect_bits(self.input, "operand")
        if not is_exact(self.weight_type):
            raise VerifyException(f"weights cannot be {self.weight_type}")
        planes = len(plane_weights(self.weight_type))
        shape = (planes, words_for(source.width, source.word))
        given = self.weights.shape
        if self.weights.element_type != uint(source.word) or given[1:] != shape or not given[0]:
            expected = "x".join(map(str, shape))
            raise VerifyException(
                f"weights must be tensor<TAPSx{expected}xui{source.word}>, not {self.weights.type}"
            )
        if source.rows % self.columns:
            raise VerifyException(f"{source} is not rows of {self.columns} pixels")
        if not 1 <= self.depth <= 62:
            raise VerifyException(f"sums of {self.depth} bits cannot be counted")
        if self.is_xnor and self.columns >= 1 << self.depth:
            raise VerifyException(f"{self.depth} bits do not count up to {self.columns}")
        self.verify_offsets()
        self.verify_sums()


def channel_terms(weight_type: Attribute, element_type: Attribute) -> list[tuple[int, str, int]]:
    """What is added for a tap, as triples of a sign, a C expression of words and a power of two.

    `w0` is plane 0 of the weights and `x0` of the values. A bipolar side adds or subtracts.
    """
    of_w, of_x = plane_weights(weight_type), plane_weights(element_type)
    w_is_sign = isinstance(weight_type, BipolarType)
    x_is_sign = isinstance(element_type, BipolarType)
    if w_is_sign and x_is_sign:
        return [(1, "w0 ^ x0", 0)]
    terms: list[tuple[int, str, int]] = []
    for i, a in enumerate(of_w):
        for j, b in enumerate(of_x):
            sign, power = (1 if a * b > 0 else -1), abs(a * b).bit_length() - 1
            terms.append((sign, f"w{i} & x{j}", power))
            if w_is_sign:
                terms.append((-sign, f"~w{i} & x{j}", power))
            if x_is_sign:
                terms.append((-sign, f"w{i} & ~x{j}", power))
    return terms


__all__ = ["ChannelDenseOp", "channel_terms"]
