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
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dataflow_effects import MakesStream
from irc.dialects.dataflow_layer import (
    folding_properties,
    verify_output,
    verify_thresholds,
    verify_weighted_sums,
)
from irc.dialects.dataflow_node import UNFOLDED, FoldedNode, Folding, Resources, divisors
from irc.dialects.dataflow_products import (
    is_ternary,
    product_choices,
    product_luts,
    smaller_products,
)
from irc.dialects.dataflow_stream import StreamType, stream_type
from irc.dialects.dataflow_window import WindowOp
from irc.dialects.dense import BipolarType, DenseAttr, element_width
from irc.dialects.unrolled_layer import UnrolledShape

BLOCK_MEMORY_DEPTH = 64
BLOCK_MEMORY_BITS = 4096
"""`memory = auto` puts weights in block RAM from this depth and this size on: below, a LUT6 as a
64-word ROM is the cheaper one; above, look-up tables took five times the area."""


RELOADABLE_WEIGHTS = ("any", "ternary")
"""What a reloadable unit may take: all weights of its type, or −1, 0 and +1."""

MOST_STAGES = 16
"""Registers between weights and accumulator: more than any sum has levels of look-up tables."""


@irdl_op_definition
class MvuOp(FoldedNode):
    """A matrix-vector unit: `y[v, m] = Σ_k weights[m, k] · x[v, k]`, then thresholds if given.

    The input frame is V vectors of K elements (its last axis), the output frame V vectors of M.
    With `thresholds` (and `steps`), [M, T] or [1, T], the result is the code
    `bias + Σ_i steps[m, i] · [y >= thresholds[m, i]]` as in `bnn.threshold`; without, `y` itself
    in a type that holds every sum.

    With `groups`, G of them, a vector of the frame is G·K elements and row m works on the K of its
    group `m // (M/G)`: the unit treats it as G vectors, each of which has M/G rows of its own. With
    more `pe` than these, it works on Q = pe/(M/G) groups at once, whose elements come interleaved:
    `channels` of each group in turn, such as those of one element of a window, `(g/Q, k, g%Q, c)`.

    With `mmv`, so many neighbouring vectors are worked on at once, with the same weights; `pe` is M
    then. They come interleaved, as a `dataflow.window` gives them, the frame being […V/mmv,
    G·K·mmv]; or one after another in the same beat, […V, G·K], if that holds all of them.

    With `products`, it counts bit-`planes` or uses `multiply`; otherwise what is smaller.

    Products and their sum pass `stages` registers, one unless given, on the way to the accumulator;
    with none, they are added to it in the cycle in which weights and inputs meet. With more than
    one, comparisons with several thresholds have a register behind them, too.

    A `reloadable` unit takes other weights and thresholds of the same types and shapes at run
    time: nothing of its hardware but the contents of memories depends on their values. It says what
    weights it takes: `any` of their type, or `ternary` ones, −1, 0 and +1.

    The unit takes `simd` lanes for each group and vector and gives `pe` for each vector. It reads a
    vector once, in SF = K/simd beats, while it computes the first `pe` results, and replays it for
    the others: NF = M/G/pe folds. The lanes of the input may differ until `insert-width-converters`
    has run.
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
    products = opt_prop_def(StringAttr)
    reloadable = opt_prop_def(StringAttr)
    channels_attr = opt_prop_def(IntegerAttr[I64], prop_name="channels")
    mmv_attr = opt_prop_def(IntegerAttr[I64], prop_name="mmv")
    stages_attr = opt_prop_def(IntegerAttr[I64], prop_name="stages")
    output = result_def(StreamType)
    traits = traits_def(MakesStream())
    assembly_format = (
        "$layer $input `weights` $weights (`groups` $groups^)? (`channels` $channels^)? "
        "(`at` $thresholds^)? (`steps` $steps^)? (`bias` $bias^)? "
        "`pe` $pe `simd` $simd `memory` $memory (`mmv` $mmv^)? (`products` $products^)? "
        "(`stages` $stages^)? (`reloadable` $reloadable^)? attr-dict "
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
        channels: int | None = None,
        *,
        reloadable: str | None = None,
    ) -> None:
        source = stream_type(value)
        shape = [*source.shape[:-1], weights.shape[0]]
        if source.channels == groups * weights.shape[1] * folding.mmv and len(shape) > 1:
            shape[-2] *= folding.mmv
        output = StreamType.of(TensorType(element_type, shape), folding.pe * folding.mmv)
        whole = groups == 1 or channels in (None, weights.shape[1])
        super().__init__(
            operands=[value],
            result_types=[output],
            properties={
                "layer": StringAttr(layer),
                "weights": weights,
                "groups": None if groups == 1 else IntegerAttr(groups, i64),
                "channels": None if whole else IntegerAttr(channels or 1, i64),
                "thresholds": thresholds,
                "steps": steps,
                "bias": None if thresholds is None else IntegerAttr(bias, i64),
                "reloadable": None if reloadable is None else StringAttr(reloadable),
                **_properties(folding),
            },
        )

    @property
    def is_reloadable(self) -> bool:
        """Whether weights and thresholds can be loaded at run time."""
        return self.reloadable is not None

    @property
    def is_ternary(self) -> bool:
        """Whether weights are −1, 0 and +1 in a type of more than one bit."""
        if self.reloadable is not None:
            return self.reloadable.data == "ternary"
        return is_ternary(self.weights)

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
    def mmv(self) -> int:
        """Neighbouring vectors worked on at once."""
        return 1 if self.mmv_attr is None else self.mmv_attr.value.data

    @property
    def stages(self) -> int:
        """Registers between the meeting of weights and inputs, and the accumulator."""
        return 1 if self.stages_attr is None else self.stages_attr.value.data

    @property
    def code_stages(self) -> int:
        """Registers between comparisons and the code that they make: one for several thresholds,
        where products and their sum have more than one."""
        several = self.thresholds is not None and self.thresholds.shape[1] > 1
        return int(several and self.stages > 1)

    @property
    def channels(self) -> int:
        """Elements of a group that come in turn, where groups are interleaved."""
        return self.columns if self.channels_attr is None else self.channels_attr.value.data

    @property
    def parallel_groups(self) -> int:
        """Q: groups worked on at once."""
        return max(1, self.pe // self.group_rows)

    @property
    def is_interleaved(self) -> bool:
        """Whether the elements of neighbouring vectors come in turn."""
        return (
            self.mmv > 1
            and stream_type(self.input).shape[:-1] != stream_type(self.output).shape[:-1]
        )

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
        """V: vectors a frame that are worked on one after another, each group counted."""
        return self._vectors(self.folding)

    def _vectors(self, folding: Folding) -> int:
        groups = max(1, folding.pe // self.group_rows)
        return stream_type(self.input).elements // self.columns // groups // folding.mmv

    @property
    def synapse_folds(self) -> int:
        """SF = K / simd: beats of an input vector."""
        return self.columns // self.simd

    @property
    def neuron_folds(self) -> int:
        """NF = M / G / pe: beats of a group's results, each of which takes SF cycles."""
        return max(1, self.group_rows // self.pe)

    @property
    def layer_name(self) -> str:
        return self.layer.data

    @property
    def folding(self) -> Folding:
        products = "auto" if self.products is None else self.products.data
        stages = None if self.stages_attr is None else self.stages
        return Folding(self.pe, self.simd, self.memory.data, products, self.mmv, stages)

    def set_folding(self, folding: Folding) -> None:
        for key, value in _properties(folding).items():
            self.properties.pop(key, None)
            if value is not None:
                self.properties[key] = value

    def pe_choices(self) -> list[int]:
        of_groups = [self.group_rows * groups for groups in divisors(self.groups)]
        return divisors(self.group_rows) + of_groups[1:]

    def simd_choices(self) -> list[int]:
        return divisors(self.columns)

    def stage_choices(self) -> list[int]:
        return list(range(MOST_STAGES + 1))

    def product_choices(self) -> tuple[str, ...]:
        return product_choices(self.weights, stream_type(self.input).element_type)

    def mmv_choices(self) -> list[int]:
        vectors = stream_type(self.output).shape[:-1]
        return divisors(vectors[-1]) if vectors else [1]

    def unfit(self, folding: Folding) -> str | None:
        if folding.mmv > 1 and folding.pe != self.rows:
            return f"mmv = {folding.mmv} needs all rows at once, pe = {self.rows}"
        if folding.pe > self.group_rows and folding.simd % self.channels:
            return (
                f"pe = {folding.pe} takes several groups at once, which come {self.channels} "
                f"elements each in turn: simd must be a multiple of {self.channels}"
            )
        if folding.memory == "logic" and (folding.pe, folding.simd) != (self.rows, self.columns):
            return (
                f"memory = logic works on all weights in every cycle: pe = {self.rows} and "
                f"simd = {self.columns}"
            )
        if folding.memory == "logic" and self.is_reloadable:
            return "memory = logic holds weights as constants, which cannot be reloaded"
        if folding.memory == "logic" and folding.stages is not None:
            return "memory = logic has the stages that its constants need: none can be asked for"
        if folding.memory == "spram" and not self.is_reloadable:
            return "memory = spram begins without contents: weights must be reloadable"
        windows = isinstance(self.input.owner, WindowOp) or self.is_interleaved
        if folding.mmv > 1 and folding.simd != self.columns and not windows:
            return (
                f"mmv = {folding.mmv} without windows before the layer needs vectors as a whole, "
                f"simd = {self.columns}"
            )
        return None

    def folded_cycles(self, folding: Folding) -> int:
        folds = max(1, self.group_rows // folding.pe)
        return self._vectors(folding) * (self.columns // folding.simd) * folds

    def product_style(self, folding: Folding) -> str:
        """How the unit multiplies under a folding: `planes` or `multiply`."""
        if folding.products != "auto":
            return folding.products
        input_type = stream_type(self.input).element_type
        return smaller_products(self.weights, input_type, ternary=self.is_ternary)

    def folded_area(self, folding: Folding) -> int:
        source = stream_type(self.input)
        bits = element_width(self.weights.element_type) + source.element_width - 1
        sum_width = bits + self.columns.bit_length()
        # An accumulator and one comparator a row; a multiplexer of fresh and replayed inputs.
        a_row = sum_width * (2 if self.thresholds is None else 1 + self.thresholds.shape[1])
        a_lane = product_luts(
            self.product_style(folding),
            self.weights,
            source.element_type,
            ternary=self.is_ternary,
        )
        groups = max(1, folding.pe // self.group_rows)
        inputs = folding.simd * groups * source.element_width
        return round(folding.mmv * (folding.pe * (folding.simd * a_lane + a_row) + inputs))

    def input_lanes(self) -> int:
        return self.simd * self.parallel_groups * self.mmv

    def cycles(self) -> int:
        return self.folded_cycles(self.folding)

    def latency(self) -> int:
        if self.is_unrolled:
            return self.unrolled_shape.stages
        # One cycle each for the ROM, the sum and the result.
        return self.synapse_folds + 2 + self.stages + self.code_stages

    @property
    def is_unrolled(self) -> bool:
        """Whether weights are constants in logic."""
        return self.memory.data == "logic"

    @property
    def unrolled_shape(self) -> UnrolledShape:
        """What the hardware depends on where weights are constants in logic."""
        return UnrolledShape.of(self.weights, stream_type(self.input).element_type, self.thresholds)

    def macs(self) -> int:
        return stream_type(self.output).elements * self.columns

    def weight_bits(self) -> int:
        return self.weights.size * element_width(self.weights.element_type)

    @property
    def weight_words(self) -> int:
        """Words of the weight memory, one a cycle."""
        return self.synapse_folds * (self.rows // self.pe)

    def memory_style(self) -> str:
        """Where the weights lie: `memory`, with `auto` decided by depth and size.

        A small memory stays `auto`: families without look-up table memory, such as iCE40, refuse
        `distributed`, and every synthesiser makes the right thing of a small one.
        """
        if self.memory.data != "auto":
            return "huge" if self.memory.data == "spram" else self.memory.data
        depth = self.weight_words
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
        verify_weighted_sums(source, result, self.weights, self.groups, self.mmv)
        if self.mmv not in self.mmv_choices():
            raise VerifyException(f"mmv = {self.mmv} does not divide the vectors of {result}")
        if self.simd < 1 or self.columns % self.simd:
            raise VerifyException(
                f"simd = {self.simd} does not divide the {self.columns} elements of a vector"
            )
        if self.pe not in self.pe_choices():
            raise VerifyException(
                f"pe = {self.pe} does not divide the {self.group_rows} rows"
                + (" of a group, nor is it those of several groups" if self.groups > 1 else "")
            )
        if self.columns % self.channels:
            raise VerifyException(f"{self.channels} channels are no part of {self.columns} columns")
        if self.stages not in self.stage_choices():
            raise VerifyException(f"stages = {self.stages} is not from 0 to {MOST_STAGES}")
        problem = self.unfit(self.folding)
        if problem is not None:
            raise VerifyException(problem)
        if self.mmv > 1 and self.simd != self.columns and not self.is_interleaved:
            raise VerifyException(
                f"vectors that come one after another, mmv = {self.mmv} of them, come as a whole: "
                f"simd = {self.columns}"
            )
        verify_output(self.folding, result)
        if self.folding.products not in self.product_choices():
            raise VerifyException(
                f"products cannot be '{self.folding.products}' here; possible are "
                f"{', '.join(self.product_choices())}"
            )
        if self.reloadable is not None and self.reloadable.data not in RELOADABLE_WEIGHTS:
            raise VerifyException(
                f"reloadable are {' or '.join(RELOADABLE_WEIGHTS)} weights, not "
                f"'{self.reloadable.data}'"
            )
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


def _properties(folding: Folding) -> dict[str, Attribute | None]:
    """The properties that say how a unit is folded; None for those left out."""
    return {
        **folding_properties(folding),
        "simd": IntegerAttr(folding.simd, i64),
        "mmv": None if folding.mmv == 1 else IntegerAttr(folding.mmv, i64),
        "products": None if folding.products == "auto" else StringAttr(folding.products),
        "stages": None if folding.stages is None else IntegerAttr(folding.stages, i64),
    }
