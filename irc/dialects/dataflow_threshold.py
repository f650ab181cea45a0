"""Thresholds on a stream, where they are not fused with the layer before."""

from __future__ import annotations

from xdsl.dialects.builtin import I64, IntegerAttr, StringAttr, TensorType, UnitAttr, i64
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
from irc.dialects.dataflow_layer import folding_properties, verify_output, verify_thresholds
from irc.dialects.dataflow_node import UNFOLDED, FoldedNode, Folding, Resources, divisors
from irc.dialects.dataflow_stream import StreamType, stream_type
from irc.dialects.dense import DenseAttr


@irdl_op_definition
class ThresholdOp(FoldedNode):
    """`code = bias + Σ_i steps[c, i] · [x >= thresholds[c, i]]`, as `bnn.threshold`, on a stream.

    The unit takes and gives `pe` lanes. Channels are the last axis; with thresholds per channel,
    `pe` divides it. The lanes of the input may differ until `insert-width-converters` has run.
    `reloadable` ones take others of the same shape at run time.
    """

    name = "dataflow.threshold"
    layer = prop_def(StringAttr)
    input = operand_def(StreamType)
    thresholds = prop_def(DenseAttr)
    steps = opt_prop_def(DenseAttr)
    bias_attr = prop_def(IntegerAttr[I64], prop_name="bias")
    pe_attr = prop_def(IntegerAttr[I64], prop_name="pe")
    memory = prop_def(StringAttr)
    reloadable = opt_prop_def(UnitAttr)
    output = result_def(StreamType)
    traits = traits_def(MakesStream())
    assembly_format = (
        "$layer $input `at` $thresholds (`steps` $steps^)? `bias` $bias `pe` $pe "
        "`memory` $memory (`reloadable` $reloadable^)? attr-dict "
        "`:` type($input) `->` type($output)"
    )

    def __init__(
        self,
        layer: str,
        value: SSAValue,
        thresholds: DenseAttr,
        element_type: Attribute,
        steps: DenseAttr | None = None,
        bias: int = 0,
        folding: Folding = UNFOLDED,
        *,
        reloadable: bool = False,
    ) -> None:
        frame = TensorType(element_type, stream_type(value).shape)
        super().__init__(
            operands=[value],
            result_types=[StreamType.of(frame, folding.pe)],
            properties={
                "layer": StringAttr(layer),
                "thresholds": thresholds,
                "steps": steps,
                "bias": IntegerAttr(bias, i64),
                "reloadable": UnitAttr() if reloadable else None,
                **folding_properties(folding),
            },
        )

    @property
    def is_reloadable(self) -> bool:
        """Whether thresholds can be loaded at run time."""
        return self.reloadable is not None

    @property
    def pe(self) -> int:
        """Elements worked on at once."""
        return self.pe_attr.value.data

    @property
    def bias(self) -> int:
        """What the code counts from."""
        return self.bias_attr.value.data

    @property
    def channel_folds(self) -> int:
        """Beats after which the same channels come again; 1 where all have the same thresholds."""
        return max(1, self.thresholds.shape[0] // self.pe)

    @property
    def layer_name(self) -> str:
        return self.layer.data

    @property
    def folding(self) -> Folding:
        return Folding(self.pe, 1, self.memory.data)

    def set_folding(self, folding: Folding) -> None:
        self.properties.update(folding_properties(folding))

    def pe_choices(self) -> list[int]:
        source = stream_type(self.input)
        return divisors(source.elements if self.thresholds.shape[0] == 1 else source.channels)

    def simd_choices(self) -> list[int]:
        return []

    def folded_cycles(self, folding: Folding) -> int:
        return stream_type(self.input).elements // folding.pe

    def folded_area(self, folding: Folding) -> int:
        width = stream_type(self.input).element_width
        return (folding.pe * (self.thresholds.shape[1] * width + 1) + 1) // 2

    def input_lanes(self) -> int:
        return self.pe

    def cycles(self) -> int:
        return self.folded_cycles(self.folding)

    def latency(self) -> int:
        # Thresholds that change from beat to beat are read one cycle before they are compared.
        return 1 if self.channel_folds == 1 else 2

    def resources(self) -> Resources:
        stored = 0 if self.channel_folds == 1 else self.thresholds.size
        width = stream_type(self.input).element_width
        luts = self.folded_area(self.folding) + stored * width // 32
        return Resources(luts, stream_type(self.output).beat_width + self.pe * width)

    def verify_(self) -> None:
        source, result = stream_type(self.input), stream_type(self.output)
        if source.shape != result.shape:
            raise VerifyException(f"thresholds keep the shape, but go from {source} to {result}")
        verify_output(self.folding, result)
        verify_thresholds(self.thresholds, self.steps, source.channels)
        if self.thresholds.shape[0] != 1 and source.channels % self.pe:
            raise VerifyException(f"pe = {self.pe} does not divide the {source.channels} channels")
