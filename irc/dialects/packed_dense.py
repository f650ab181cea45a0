"""Dense (fully connected) kernels of the `packed` dialect, one for each way to multiply.

All compute `acc[r, m] = Σ_k weights[m, k] · x[r, k]` for each row `r` of the input, and then
store the sums or, in the same pass, threshold them and pack the codes.
"""

from __future__ import annotations

from abc import ABC
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import (
    I64,
    IntegerAttr,
    IntegerType,
    StringAttr,
    UnitAttr,
    i64,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, opt_prop_def, prop_def
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dense import DenseAttr, element_width, is_exact, uint
from irc.dialects.packed_base import (
    POPCOUNTS,
    BufferType,
    Staircase,
    ThresholdingOp,
    array_type,
    bits_type,
)
from irc.dialects.packed_lookup import MOST_TAPS, SumTable, sum_tables
from irc.dialects.packed_types import WORD_WIDTHS, ArrayType, BitsType, unpack_words, words_for

Array = npt.NDArray[Any]

DENSE_FORMAT = (
    "$label $input `,` $weights (`at` $thresholds^)? (`steps` $steps^)? (`bias` $bias^)? "
    "attr-dict `:` type($input) `->` type($output)"
)


class DenseOp(ThresholdingOp, ABC):
    """What the dense kernels share: M rows of weights.

    With `by_row`, `packed.or_pool` is the only reader: it has each row computed when it needs it,
    into the `slot`, which holds but one.
    """

    weights = prop_def(DenseAttr)
    by_row = opt_prop_def(UnitAttr)

    @property
    def is_lazy(self) -> bool:
        return self.by_row is not None

    @property
    def slot_length(self) -> int:
        length = super().slot_length
        return length // self.rows if self.is_lazy else length

    @property
    def channels(self) -> int:
        """M: results for each row of the input."""
        return self.weights.shape[0]

    @property
    def columns(self) -> int:
        """K: products summed for each result."""
        return bits_type(self.input).width

    @property
    def rows(self) -> int:
        """Rows of the input."""
        return bits_type(self.input).rows

    @property
    def macs(self) -> int:
        """Multiplications with a weight in one frame."""
        return self.rows * self.channels * self.columns

    def check_words(
        self, shape: tuple[int, ...], bits: int, word: int, words: Array | None = None
    ) -> None:
        """Check that the weights are words [M, …] whose padding bits are zero.

        `words` are the weights where they are stored in another form.
        """
        given = self.weights.shape if words is None else words.shape
        if self.weights.element_type != uint(word) or given[1:] != shape or not given[0]:
            expected = "x".join(str(dim) for dim in shape)
            raise VerifyException(
                f"weights must be tensor<Mx{expected}xui{word}>, not {self.weights.type}"
            )
        padding = words_for(bits, word) * word - bits
        last = (self.weights.numpy() if words is None else words)[..., -1]
        if padding and np.any(last >> np.array(word - padding, last.dtype)):
            raise VerifyException(f"the last {padding} bits of a row of weights are not zero")

    def verify_sums(self) -> None:
        """Check the result; thresholds are for each of M channels or for all alike."""
        self.verify_results(self.rows, self.channels)
        result = self.output.type
        readers = {use.operation.name for use in self.output.uses}
        if self.is_lazy and (not isinstance(result, BitsType) or readers - {"packed.or_pool"}):
            raise VerifyException("by_row is for bits that only packed.or_pool reads")
        if isinstance(result, BitsType) and result.width != self.channels:
            raise VerifyException(f"rows of {self.channels} results do not fit {result}")
        if self.thresholds is not None and self.thresholds.shape[0] not in (1, self.channels):
            raise VerifyException(
                f"thresholds must be [{self.channels}, T] or [1, T], not {self.thresholds.type}"
            )

    def check_popcount(self, popcount: StringAttr) -> None:
        """Check the name of a way to count bits."""
        if popcount.data not in POPCOUNTS:
            raise VerifyException(
                f"unknown popcount '{popcount.data}'; known are {', '.join(POPCOUNTS)}"
            )


def dense_properties(
    weights: DenseAttr, staircase: Staircase | None, accumulator: IntegerType
) -> dict[str, Attribute | None]:
    """The properties that all dense kernels have."""
    codes = {} if staircase is None else staircase.properties()
    return {"weights": weights, "accumulator": accumulator, **codes}


class ArrayDenseOp(DenseOp, ABC):
    """A dense kernel that reads its activations from an array, one by one."""

    @property
    def rows(self) -> int:
        return array_type(self.input).length // self.columns

    def check_array(self) -> None:
        """Check that the operand is an array of whole rows."""
        source = self.expect_array(self.input, "operand")
        if not is_exact(source.element_type):
            raise VerifyException(f"activations must be exact, not {source.element_type}")
        if self.columns < 1 or source.length % self.columns:
            raise VerifyException(f"{source} is not rows of {self.columns} elements")


@irdl_op_definition
class SignDenseOp(ArrayDenseOp):
    """Bipolar weights, integer activations: `acc = Σ_k (w[m, k] ? x[k] : −x[k])`.

    `weights` are words [M, ceil(K / W)] of K bits, where K is `size` and W `word`.

    With `lookup`, the signed sums of groups of at most so many elements are tabulated once a row,
    in scratch, and weights are [M, groups] places in these tables: `irc.dialects.packed_lookup`.
    With `vectors`, many rows are computed at once, in wide vectors, whatever the weights' form.
    """

    name = "packed.sign_dense"
    size = prop_def(IntegerAttr[I64])
    lookup = opt_prop_def(IntegerAttr[I64])
    vectors = opt_prop_def(UnitAttr)
    assembly_format = DENSE_FORMAT

    def __init__(
        self,
        label: str,
        value: SSAValue,
        weights: DenseAttr,
        size: int,
        result: BufferType,
        accumulator: IntegerType,
        staircase: Staircase | None,
    ) -> None:
        properties = dense_properties(weights, staircase, accumulator)
        super().__init__(label, value, result, {**properties, "size": IntegerAttr(size, i64)})

    @property
    def columns(self) -> int:
        return self.size.value.data

    @property
    def word(self) -> int:
        """W: bits in a word of weights."""
        return element_width(self.weights.element_type)

    @property
    def tables(self) -> list[SumTable]:
        """The tables of `lookup`."""
        assert self.lookup is not None
        return sum_tables(self.columns, self.lookup.value.data)

    @property
    def scratch_buffer(self) -> ArrayType | None:
        if self.lookup is None or self.vectors is not None:
            return None
        return ArrayType.of(sum(table.entries for table in self.tables), self.accumulator)

    def use_lookup(self, taps: int) -> None:
        """Choose `lookup` and its form of the weights."""
        bits = self.bits().astype(np.int64)
        self.lookup = IntegerAttr(taps, i64)
        places = [
            table.place + (bits[:, table.first :][:, : table.taps] << np.arange(table.taps)).sum(1)
            for table in self.tables
        ]
        self.weights = DenseAttr.from_numpy(np.stack(places, axis=1), uint(8))

    def bits(self) -> Array:
        """The weights as zeros and ones, [M, K]."""
        words = self.weights.numpy()
        if self.lookup is None:
            return unpack_words(words, self.columns)
        groups = [
            (words[:, [number]].astype(np.int64) - table.place) >> np.arange(table.taps) & 1
            for number, table in enumerate(self.tables)
        ]
        return np.concatenate(groups, axis=1).astype(np.uint8)

    def verify_kernel(self) -> None:
        self.check_array()
        if self.lookup is not None:
            self._verify_lookup()
            self.verify_sums()
            return
        if self.word not in WORD_WIDTHS:
            raise VerifyException(f"words have 8, 16, 32 or 64 bits, not {self.word}")
        self.check_words((words_for(self.columns, self.word),), self.columns, self.word)
        self.verify_sums()

    def _verify_lookup(self) -> None:
        assert self.lookup is not None
        weights, taps = self.weights, self.lookup.value.data
        if not 1 <= taps <= MOST_TAPS:
            raise VerifyException(f"lookup is of 1 to {MOST_TAPS} elements, not {taps}")
        tables = self.tables
        if weights.element_type != uint(8) or weights.shape[1:] != (len(tables),):
            raise VerifyException(f"places must be tensor<Mx{len(tables)}xui8>, not {weights.type}")
        within = weights.numpy().astype(np.int64) - [table.place for table in tables]
        if np.any((within < 0) | (within >= [table.entries for table in tables])):
            raise VerifyException("places are not in the table of their group")


@irdl_op_definition
class IntDenseOp(ArrayDenseOp):
    """Integer weights, integer activations: `acc = Σ_k w[m, k]·x[k]`, product by product.

    `weights` are [M, K] of any exact type; they are stored as the narrowest C integer.
    """

    name = "packed.int_dense"
    assembly_format = DENSE_FORMAT

    def __init__(
        self,
        label: str,
        value: SSAValue,
        weights: DenseAttr,
        result: BufferType,
        accumulator: IntegerType,
        staircase: Staircase | None,
    ) -> None:
        super().__init__(label, value, result, dense_properties(weights, staircase, accumulator))

    @property
    def columns(self) -> int:
        return self.weights.shape[1]

    def verify_kernel(self) -> None:
        if len(self.weights.shape) != 2 or not is_exact(self.weights.element_type):
            raise VerifyException(f"weights must be integers [M, K], not {self.weights.type}")
        self.check_array()
        self.verify_sums()
