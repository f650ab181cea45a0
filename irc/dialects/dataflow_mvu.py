"""The matrix-vector unit."""

from __future__ import annotations

from xdsl.dialects.builtin import I64, IntegerAttr, StringAttr, TensorType, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dataflow_layer import folding_properties, verify_output, verify_thresholds
from irc.dialects.dataflow_node import UNFOLDED, FoldedNode, Folding, Resources, divisors
from irc.dialects.dataflow_stream import StreamType, stream_type
from irc.dialects.dense import BipolarType, DenseAttr, element_width, is_exact

BLOCK_MEMORY_DEPTH = 64
BLOCK_MEMORY_BITS = 4096
"""`memory = auto` puts weights in block RAM from this depth and this size on: below, a LUT6 as a
64-word ROM is the cheaper one; above, look-up tables took five times the area."""


@irdl_op_definition
class MvuOp(FoldedNode):
    """A matrix-vector unit: `y[v, m] = Σ_k weights[m, k] · x[v, k]`, then thresholds if given.

    The input frame is V vectors of K elements (its last axis), the output frame V vectors of M.
    With `thresholds` (and `steps`), [M, T] or [1, T], the result is the code
    `bias + Σ_i steps[m, i] · [y >= thresholds[m, i]]` as in `bnn.threshold`; without, `y` itself
    in a type that holds every sum.

    With `groups`, G of them, a vector of the frame is G·K elements and row m works on the K of its
    group `m // (M/G)`: the unit treats it as G vectors, each of which has M/G rows of its own.

    The unit takes `simd` lanes and gives `pe`. It reads a vector once, in SF = K/simd beats, while
    it computes the first `pe` results, and replays it for the others: NF = M/G/pe folds. The lanes
    of the input may differ from `simd` until `insert-width-converters` has run.
    """

    name = "dataflow.mvu"
    layer = prop_def(StringAttr)
    input = operand_def(StreamType)
    weights = prop_def(DenseAttr)
    groups_attr = opt_prop_def(IntegerAttr[I64], prop_name="groups")
    thresholds = opt_prop_def(DenseAttr)
    steps = opt_prop_def(DenseAttr)
    bias_attr = opt_prop_def(IntegerAttr[I64], prop_name="bias")
    pe_attr = prop_def(IntegerAttr[I64], prop_name="pe")
    simd_attr = prop_def(IntegerAttr[I64], prop_name="simd")
    memory = prop_def(StringAttr)
    output = result_def(StreamType)
    traits = traits_def(Pure())
    assembly_format = (
        "$layer $input `weights` $weights (`groups` $groups^)? (`at` $thresholds^)? "
        "(`steps` $steps^)? (`bias` $bias^)? `pe` $pe `simd` $simd `memory` $memory attr-dict "
        "`:` type($input) `->` type($output)"
    )

    def __init__(
        self,
        layer: str,
        value: SSAValue,
        weights: DenseAttr,
        element_type: Attribute,
        thresholds: DenseAttr | None = None,
        steps: DenseAttr | None = None,
        bias: int = 0,
        folding: Folding = UNFOLDED,
        groups: int = 1,
    ) -> None:
        shape = (*stream_type(value).shape[:-1], weights.shape[0])
        output = StreamType.of(TensorType(element_type, shape), folding.pe)
        super().__init__(
            operands=[value],
            result_types=[output],
            properties={
                "layer": StringAttr(layer),
                "weights": weights,
                "groups": None if groups == 1 else IntegerAttr(groups, i64),
                "thresholds": thresholds,
                "steps": steps,
                "bias": None if thresholds is None else IntegerAttr(bias, i64),
                **folding_properties(folding),
                "simd": IntegerAttr(folding.simd, i64),
            },
        )

    @property
    def pe(self) -> int:
        """Results worked on at once."""
        return self.pe_attr.value.data

    @property
    def simd(self) -> int:
        """Input elements that each result takes in a cycle."""
        return self.simd_attr.value.data

    @property
    def bias(self) -> int:
        """What the threshold code counts from; 0 without thresholds."""
        return 0 if self.bias_attr is None else self.bias_attr.value.data

    @property
    def groups(self) -> int:
        """G: groups of rows, each with inputs of its own."""
        return 1 if self.groups_attr is None else self.groups_attr.value.data

    @property
    def rows(self) -> int:
        """M: elements of an output vector, of all groups."""
        return self.weights.shape[0]

    @property
    def group_rows(self) -> int:
        """M / G: rows that work on the same inputs."""
        return self.rows // self.groups

    @property
    def columns(self) -> int:
        """K: elements of an input vector, of one group."""
        return self.weights.shape[1]

    @property
    def vectors(self) -> int:
        """V: vectors a frame, each group counted."""
        return stream_type(self.input).elements // self.columns

    @property
    def synapse_folds(self) -> int:
        """SF = K / simd: beats of an input vector."""
        return self.columns // self.simd

    @property
    def neuron_folds(self) -> int:
        """NF = M / G / pe: beats of a group's results, each of which takes SF cycles."""
        return self.group_rows // self.pe

    @property
    def layer_name(self) -> str:
        return self.layer.data

    @property
    def folding(self) -> Folding:
        return Folding(self.pe, self.simd, self.memory.data)

    def set_folding(self, folding: Folding) -> None:
        self.properties.update(folding_properties(folding))
        self.properties["simd"] = IntegerAttr(folding.simd, i64)

    def pe_choices(self) -> list[int]:
        return divisors(self.group_rows)

    def simd_choices(self) -> list[int]:
        return divisors(self.columns)

    def folded_cycles(self, folding: Folding) -> int:
        return self.vectors * (self.columns // folding.simd) * (self.group_rows // folding.pe)

    def folded_area(self, folding: Folding) -> int:
        input_width = stream_type(self.input).element_width
        bits = element_width(self.weights.element_type) * input_width
        sum_width = (self.columns << bits).bit_length()
        # An accumulator and one comparator a row; a multiplexer of fresh and replayed inputs.
        a_row = sum_width * (2 if self.thresholds is None else 1 + self.thresholds.shape[1])
        return (
            2 * folding.pe * folding.simd * bits + folding.pe * a_row + (folding.simd * input_width)
        )

    def input_lanes(self) -> int:
        return self.simd

    def cycles(self) -> int:
        return self.folded_cycles(self.folding)

    def latency(self) -> int:
        # One cycle each for the ROM, the products, the sum and the result.
        return self.synapse_folds + 3

    def macs(self) -> int:
        return self.vectors * self.group_rows * self.columns

    def weight_bits(self) -> int:
        return self.weights.size * element_width(self.weights.element_type)

    def memory_style(self) -> str:
        """Where the weights lie: `memory`, with `auto` decided by depth and size.

        A small memory stays `auto`: families without look-up table memory, such as iCE40, refuse
        `distributed`, and every synthesiser makes the right thing of a small one.
        """
        if self.memory.data != "auto":
            return self.memory.data
        depth = self.synapse_folds * self.neuron_folds * self.groups
        deep = depth >= BLOCK_MEMORY_DEPTH and self.weight_bits() >= BLOCK_MEMORY_BITS
        return "block" if deep else "auto"

    def resources(self) -> Resources:
        luts = self.folded_area(self.folding)
        replayed = 0
        if self.neuron_folds > 1:
            replayed = self.columns * stream_type(self.input).element_width
        if self.memory_style() == "block":
            return Resources(luts, luts // 2, self.weight_bits() + replayed)
        return Resources(luts + self.weight_bits() // 32, luts // 2, replayed)

    def verify_(self) -> None:
        source, result = stream_type(self.input), stream_type(self.output)
        if len(self.weights.shape) != 2 or not is_exact(self.weights.element_type):
            raise VerifyException(f"weights must be exact [M, K], not {self.weights.type}")
        if self.groups < 1 or self.rows % self.groups:
            raise VerifyException(f"{self.rows} rows are not {self.groups} equal groups")
        if not source.shape or source.channels != self.columns * self.groups:
            raise VerifyException(
                f"weights of {self.columns} columns do not fit {source}"
                + (f" in {self.groups} groups" if self.groups > 1 else "")
            )
        if result.shape != (*source.shape[:-1], self.rows):
            raise VerifyException(f"{self.rows} rows do not give {result}")
        if self.simd < 1 or self.columns % self.simd:
            raise VerifyException(
                f"simd = {self.simd} does not divide the {self.columns} elements of a vector"
            )
        if self.pe < 1 or self.group_rows % self.pe:
            raise VerifyException(
                f"pe = {self.pe} does not divide the {self.group_rows} rows"
                + (" of a group" if self.groups > 1 else "")
            )
        verify_output(self.folding, result)
        if self.thresholds is None:
            if isinstance(result.element_type, BipolarType):
                raise VerifyException("without thresholds the result is a sum, not bipolar")
            if self.steps is not None or self.bias_attr is not None:
                raise VerifyException(
                    "steps and bias belong to thresholds, of which there are none"
                )
        else:
            if self.bias_attr is None:
                raise VerifyException("thresholds need a bias")
            verify_thresholds(self.thresholds, self.steps, self.rows)
