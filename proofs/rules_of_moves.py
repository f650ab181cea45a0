"""Rules that give elements other places: reshapes, transposes, shuffles, joins, slices."""

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import f32
from xdsl.ir import SSAValue
from xdsl.pattern_rewriter import RewritePattern

from irc.dialects import bnn
from irc.passes.analysis.ranges import RangeAnalysis
from irc.passes.streamline import (
    concat_patterns,
    pixel_constants,
    streamline_branches,
    streamline_reshapes,
    streamline_shuffles,
    streamline_transposes,
    transpose_branches,
)
from proofs.rule_check import RuleCase
from proofs.rule_networks import Net, network

S8 = bnn.sint(8)


def _case(pattern: RewritePattern, inputs: Any, build: Any, **options: Any) -> RuleCase:
    return RuleCase.of_pattern(pattern, lambda: network(inputs, build), **options)


def _reshape_function(net: Net, x: SSAValue) -> SSAValue:
    y = net.ewise("pow", net.ewise("tanh", x), net.tags(2, 3))
    return net.add(bnn.ReshapeOp(net.ewise("mul", y, net.tags()), (6,)))


def _reshape_behind(net: Net, x: SSAValue) -> SSAValue:
    sums = net.linear(x, net.weight_tags(2, 3), f32, net.tags(2), net.tags(2))
    flat = net.add(bnn.ReshapeOp(sums, (4,)))
    return net.quantize(net.ewise("prelu", flat, net.tags()))


def _by_pixel(net: Net, x: SSAValue) -> SSAValue:
    scaled = net.ewise("mul", net.cast(x), net.tags(2, 2))
    return net.quantize(net.ewise("add", scaled, net.tags(2)), "floor")


def _reshapes(net: Net, x: SSAValue) -> SSAValue:
    return net.add(bnn.ReshapeOp(net.add(bnn.ReshapeOp(x, (3, 2))), (6,)))


def _lines(net: Net, x: SSAValue) -> SSAValue:
    return net.add(bnn.TransposeOp(x, (1, 0, 2)))


def _transposes(net: Net, x: SSAValue) -> SSAValue:
    return net.add(bnn.TransposeOp(net.add(bnn.TransposeOp(x, (2, 0, 1))), (1, 0, 2)))


def _transposed_function(net: Net, x: SSAValue) -> SSAValue:
    y = net.add(bnn.TransposeOp(x, (1, 0)))
    return net.quantize(net.ewise("pow", net.ewise("add", y, net.tags(3, 1)), net.tags(2)))


def _flattened_function(net: Net, x: SSAValue) -> SSAValue:
    flat = net.add(bnn.ReshapeOp(net.ewise("tanh", x), (6,)))
    return net.quantize(net.ewise("pow", flat, net.tags(6)))


def _transposed_linear(net: Net, x: SSAValue) -> SSAValue:
    flat = net.add(bnn.ReshapeOp(net.add(bnn.TransposeOp(x, (1, 0))), (6,)))
    return net.linear(flat, net.weight_tags(2, 6), f32, net.tags(2), net.tags(2))


def _shuffle(net: Net, x: SSAValue, channels: int = 4) -> SSAValue:
    """Two groups of channels, the last axis, interleaved."""
    *space, _ = bnn.frame_type(x).get_shape()
    rank = len(space)
    parted = net.add(bnn.ReshapeOp(x, (*space, 2, channels // 2)))
    turned = net.add(bnn.TransposeOp(parted, (*range(rank), rank + 1, rank)))
    return net.add(bnn.ReshapeOp(turned, (*space, channels)))


def _first_axis_shuffle(net: Net, x: SSAValue) -> SSAValue:
    """Channels first, shuffled, as ONNX has it."""
    first = net.add(bnn.TransposeOp(x, (1, 0)))
    parted = net.add(bnn.ReshapeOp(first, (2, 2, 3)))
    return net.add(bnn.ReshapeOp(net.add(bnn.TransposeOp(parted, (1, 0, 2))), (4, 3)))


def _transposed_branches(net: Net, x: SSAValue, y: SSAValue) -> tuple[SSAValue, ...]:
    a, b = (net.add(bnn.TransposeOp(value, (2, 0, 1))) for value in (x, y))
    joined = net.add(bnn.ConcatOp([a, b], 1))
    return (
        net.add(bnn.AddOp(a, b, f32)),
        net.add(bnn.SliceOp(joined, (0, 1, 0), (1, 2, 2), (1, 1, 1))),
        net.add(bnn.UpsampleOp(a, (2, 1, 1))),
    )


def _to_input(net: Net, x: SSAValue) -> SSAValue:
    joined = net.add(bnn.ConcatOp([net.ewise("pow", x, net.tags(2, 1)), x], 0))
    return net.add(bnn.TransposeOp(net.ewise("mul", joined, net.tags(3)), (1, 0)))


def _flat_sums(net: Net, x: SSAValue, y: SSAValue) -> SSAValue:
    a, b = (net.add(bnn.ReshapeOp(net.ewise("tanh", value), (6,))) for value in (x, y))
    return net.add(bnn.AddOp(a, b, f32))


def _rows(net: Net, x: SSAValue) -> SSAValue:
    sums = net.linear(x, net.weight_tags(6, 2), f32, net.tags(6), net.tags(6))
    shaped = net.add(bnn.ReshapeOp(net.ewise("pow", sums, net.tags(6)), (2, 3)))
    return net.add(bnn.TransposeOp(shaped, (1, 0)))


def _shuffled_functions(net: Net, x: SSAValue) -> SSAValue:
    y = net.ewise("pow", _shuffle(net, x), net.tags(4))
    y = net.add(bnn.FloatThresholdOp(y, net.tags(4, 2), bnn.uint(2)))
    y = net.add(bnn.PadOp(y, (1,), (0,), 0.0, bnn.uint(2)))
    return net.add(bnn.MaxPoolOp(y, (2,), (1,), (1,), bnn.uint(2)))


def _shuffled_depthwise(net: Net, x: SSAValue) -> SSAValue:
    return net.add(
        bnn.ConvOp(_shuffle(net, x), net.weight_tags(4, 2, 1), f32, (1,), (1,), 4, net.tags(4))
    )


def _shuffled_conv(net: Net, x: SSAValue) -> SSAValue:
    return net.add(bnn.ConvOp(_shuffle(net, x), net.weight_tags(2, 1, 2), f32, (1,), (1,), 2))


def _ordered(net: Net, x: SSAValue) -> SSAValue:
    parted = net.add(bnn.ReshapeOp(x, (2, 2, 2)))
    turned = net.add(bnn.TransposeOp(parted, (2, 0, 1)))
    return net.linear(net.add(bnn.ReshapeOp(turned, (8,))), net.weight_tags(2, 8))


def _concat_function(net: Net, x: SSAValue, y: SSAValue) -> SSAValue:
    joined = net.add(bnn.ConcatOp([x, y], 1))
    return net.add(bnn.FloatThresholdOp(_powers(net, joined, 5), net.tags(5, 2), bnn.uint(2)))


def _powers(net: Net, x: SSAValue, channels: int) -> SSAValue:
    return net.ewise("pow", net.ewise("add", x, net.tags(channels)), net.tags())


def _concat_rows(net: Net, x: SSAValue, y: SSAValue) -> SSAValue:
    joined = net.add(bnn.ConcatOp([x, y], 0))
    return net.quantize(net.ewise("pow", joined, net.tags(3, 2)), "half_up")


def _concats(net: Net, x: SSAValue, y: SSAValue) -> SSAValue:
    inner = net.add(bnn.ConcatOp([x, y], 1))
    return net.add(bnn.ConcatOp([net.add(bnn.ConcatOp([inner, x], 1))], 0))


def _chains(net: Net, x: SSAValue, y: SSAValue) -> SSAValue:
    a = net.ewise("mul", net.cast(x), net.tags(2))
    b = net.ewise("add", net.ewise("mul", net.cast(y), net.tags()), net.tags(1))
    return net.add(bnn.ConcatOp([net.ewise("tanh", a), net.ewise("tanh", b)], 1))


def _upsampled_function(net: Net, x: SSAValue) -> SSAValue:
    larger = net.add(bnn.UpsampleOp(x, (2, 1)))
    return net.quantize(net.ewise("pow", larger, net.tags(2)), "ceil")


def _function_upsampled(net: Net, x: SSAValue) -> SSAValue:
    return net.add(bnn.UpsampleOp(net.ewise("pow", net.cast(x), net.tags(2, 2)), (2, 3)))


def _sliced_function(net: Net, x: SSAValue) -> SSAValue:
    y = net.ewise("pow", net.ewise("mul", net.cast(x), net.tags(3, 1)), net.tags(2))
    return net.add(bnn.SliceOp(y, (0, 1), (2, 1), (2, 1)))


def _sliced_sum(net: Net, x: SSAValue, y: SSAValue) -> SSAValue:
    return net.add(bnn.SliceOp(net.add(bnn.AddOp(x, y, f32)), (1, 0), (1, 2), (1, 1)))


def _sliced_concat(net: Net, x: SSAValue, y: SSAValue) -> tuple[SSAValue, ...]:
    joined = net.add(bnn.ConcatOp([x, y], 1))
    return (
        net.add(bnn.SliceOp(joined, (0, 1), (1, 2), (1, 2))),
        net.add(bnn.SliceOp(joined, (0, 2), (2, 3), (1, 1))),
        net.add(
            bnn.SliceOp(net.add(bnn.SliceOp(x, (0, 0), (2, 2), (1, 1))), (0, 1), (2, 1), (1, 1))
        ),
    )


def _sliced_pad(net: Net, x: SSAValue) -> SSAValue:
    padded = net.add(bnn.PadOp(x, (1,), (2,), 0.5, f32))
    return net.add(bnn.SliceOp(padded, (0, 1), (5, 2), (1, 1)))


def _f32(*shapes: tuple[int, ...]) -> list[Any]:
    return [(f32, shape) for shape in shapes]


def _exact(*shapes: tuple[int, ...]) -> list[Any]:
    return [(S8, shape) for shape in shapes]


MOVES: dict[type, list[RuleCase]] = {
    streamline_reshapes.MoveReshapeBeforeElementwise: [
        _case(streamline_reshapes.MoveReshapeBeforeElementwise(), _f32((2, 3)), _reshape_function)
    ],
    streamline_reshapes.MoveReshapeBehindQuantizer: [
        _case(streamline_reshapes.MoveReshapeBehindQuantizer(), _f32((2, 3)), _reshape_behind)
    ],
    pixel_constants.FlattenForConstantsByPixel: [
        _case(pixel_constants.FlattenForConstantsByPixel(), _exact((2, 2)), _by_pixel)
    ],
    streamline_reshapes.MergeReshapes: [
        _case(streamline_reshapes.MergeReshapes(), _f32((2, 3)), _reshapes)
    ],
    streamline_reshapes.TransposeOfLines: [
        _case(streamline_reshapes.TransposeOfLines(), _f32((1, 3, 2)), _lines)
    ],
    streamline_transposes.MergeTransposes: [
        _case(streamline_transposes.MergeTransposes(), _f32((2, 3, 2)), _transposes)
    ],
    streamline_transposes.MoveTransposeDown: [
        _case(streamline_transposes.MoveTransposeDown(), _f32((2, 3)), _transposed_function)
    ],
    streamline_transposes.MoveFlattenDown: [
        _case(streamline_transposes.MoveFlattenDown(), _f32((2, 3)), _flattened_function)
    ],
    streamline_transposes.AbsorbTransposeIntoLinear: [
        _case(streamline_transposes.AbsorbTransposeIntoLinear(), _f32((2, 3)), _transposed_linear)
    ],
    streamline_transposes.MoveTransposePastShuffle: [
        _case(streamline_transposes.MoveTransposePastShuffle(), _f32((3, 4)), _first_axis_shuffle)
    ],
    transpose_branches.MoveTransposePastBranches: [
        _case(
            transpose_branches.MoveTransposePastBranches(),
            _f32((2, 2, 2), (2, 2, 2)),
            _transposed_branches,
        )
    ],
    transpose_branches.MoveTransposeToInput: [
        _case(
            transpose_branches.MoveTransposeToInput(streamline_transposes._with_axes),  # pyright: ignore
            _f32((2, 3)),
            _to_input,
        )
    ],
    transpose_branches.MoveFlattenPastBranches: [
        _case(transpose_branches.MoveFlattenPastBranches(), _f32((2, 3), (2, 3)), _flat_sums)
    ],
    transpose_branches.AbsorbTransposeIntoRows: [
        _case(transpose_branches.AbsorbTransposeIntoRows(), _f32((2,)), _rows)
    ],
    streamline_shuffles.MoveShuffleDown: [
        _case(streamline_shuffles.MoveShuffleDown(), _f32((2, 4)), _shuffled_functions),
        _case(streamline_shuffles.MoveShuffleDown(), _f32((3, 4)), _shuffled_depthwise),
    ],
    streamline_shuffles.AbsorbShuffle: [
        _case(
            streamline_shuffles.AbsorbShuffle(),
            _f32((2, 4)),
            _shuffled_conv,
        )
    ],
    streamline_shuffles.AbsorbOrder: [
        _case(streamline_shuffles.AbsorbOrder(), _f32((4, 2)), _ordered)
    ],
    concat_patterns.FunctionBeforeConcat: [
        _case(concat_patterns.FunctionBeforeConcat(), _f32((2, 2), (2, 3)), _concat_function),
        _case(concat_patterns.FunctionBeforeConcat(), _f32((1, 2), (2, 2)), _concat_rows),
    ],
    concat_patterns.MergeConcats: [
        _case(concat_patterns.MergeConcats(), _f32((2, 2), (2, 1)), _concats)
    ],
    concat_patterns.ConcatBeforeChains: [
        _case(concat_patterns.ConcatBeforeChains(RangeAnalysis()), _exact((2, 2), (2, 1)), _chains)
    ],
    streamline_branches.FunctionBeforeUpsample: [
        _case(streamline_branches.FunctionBeforeUpsample(), _f32((2, 2)), _upsampled_function)
    ],
    streamline_branches.UpsampleBeforeFunction: [
        _case(streamline_branches.UpsampleBeforeFunction(), _exact((2, 2)), _function_upsampled)
    ],
    streamline_branches.SliceBeforeFunction: [
        _case(streamline_branches.SliceBeforeFunction(), _exact((3, 2)), _sliced_function)
    ],
    streamline_branches.SliceBeforeSum: [
        _case(streamline_branches.SliceBeforeSum(), _f32((2, 2), (2, 2)), _sliced_sum)
    ],
    streamline_branches.SliceOfConcat: [
        _case(streamline_branches.SliceOfConcat(), _f32((2, 2), (2, 3)), _sliced_concat)
    ],
    streamline_branches.SliceBeforePad: [
        _case(streamline_branches.SliceBeforePad(), _f32((2, 3)), _sliced_pad)
    ],
}
"""For each pattern, networks on which it has something to do."""
