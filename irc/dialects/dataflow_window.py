"""Sliding windows over images and sequences in a stream."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from xdsl.dialects.builtin import (
    I64,
    ArrayAttr,
    IntegerAttr,
    TensorType,
    i64,
)
from xdsl.ir import SSAValue
from xdsl.irdl import (
    irdl_op_definition,
    opt_prop_def,
    prop_def,
)
from xdsl.utils.exceptions import VerifyException

from irc.dialects.bnn_spatial import window_counts
from irc.dialects.dataflow_node import Resources
from irc.dialects.dataflow_spatial import WindowedNode
from irc.dialects.dataflow_stream import StreamType, stream_type
from irc.dialects.integer_lists import integers, values_of
from irc.dialects.window_geometry import WindowGeometry, rows_and_columns
from irc.dialects.window_parallel import ParallelGeometry, pixel_choices, tap_choices


@irdl_op_definition
class WindowOp(WindowedNode):
    """Every window of the frame, one after another, as the rows of a matrix-vector product.

    `y[p, (k, c)] = x[p·stride + k·dilation, c]`: a frame […space, C] becomes […counts, K·C], K
    the elements of the kernel in row-major order, channels last. Rows go through a circular
    buffer: windows leave while the rows of the next ones come in.

    With `groups`, the channels of a window come group by group, `(g, k, c)` with C/G channels c.
    With `mmv`, windows leave so many at a time, neighbours along the innermost axis in space and
    innermost in the row, `(g, k, c, p)`: the frame is […counts/mmv, K·C·mmv].

    A beat holds as many channels as the unit takes lanes for, of one element of the window, or,
    with `taps`, of several: part of a row of the kernel, or whole rows; then the channels are those
    of a group. With `pixels`, a beat of the input holds so many elements in space, with all their
    channels.
    """

    name = "dataflow.window"
    dilations_attr = prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="dilations")
    groups_attr = opt_prop_def(IntegerAttr[I64], prop_name="groups")
    taps_attr = opt_prop_def(ArrayAttr[IntegerAttr[I64]], prop_name="taps")
    mmv_attr = opt_prop_def(IntegerAttr[I64], prop_name="mmv")
    pixels_attr = opt_prop_def(IntegerAttr[I64], prop_name="pixels")
    assembly_format = (
        "$input `kernel` $kernel `strides` $strides `dilations` $dilations "
        "(`groups` $groups^)? (`taps` $taps^)? (`mmv` $mmv^)? (`pixels` $pixels^)? attr-dict "
        "`:` type($input) `->` type($output)"
    )

    def __init__(
        self,
        value: SSAValue,
        kernel: Sequence[int],
        strides: Sequence[int],
        dilations: Sequence[int],
        lanes: int = 1,
        groups: int = 1,
        *,
        taps: Sequence[int] | None = None,
        mmv: int = 1,
        pixels: int = 1,
    ) -> None:
        source = stream_type(value)
        *outer, inner = window_counts(source.shape[:-1], kernel, strides, dilations)
        shape = (*outer, inner // mmv, math.prod(kernel) * source.channels * mmv)
        all_lanes = lanes * math.prod(taps or (1,)) * mmv
        super().__init__(
            operands=[value],
            result_types=[StreamType.of(TensorType(source.element_type, shape), all_lanes)],
            properties={
                "kernel": integers(kernel),
                "strides": integers(strides),
                "dilations": integers(dilations),
                "groups": None if groups == 1 else IntegerAttr(groups, i64),
                "taps": None if math.prod(taps or (1,)) == 1 else integers(taps or ()),
                "mmv": None if mmv == 1 else IntegerAttr(mmv, i64),
                "pixels": None if pixels == 1 else IntegerAttr(pixels, i64),
            },
        )

    @property
    def dilations(self) -> tuple[int, ...]:
        return values_of(self.dilations_attr)

    @property
    def groups(self) -> int:
        """Groups of channels that are read one after another."""
        return 1 if self.groups_attr is None else self.groups_attr.value.data

    @property
    def taps(self) -> tuple[int, ...]:
        """Elements of a window in a beat, along each axis."""
        return (1,) * len(self.kernel) if self.taps_attr is None else values_of(self.taps_attr)

    @property
    def mmv(self) -> int:
        """Windows in a beat."""
        return 1 if self.mmv_attr is None else self.mmv_attr.value.data

    @property
    def pixels(self) -> int:
        """Elements in space in a beat of the input."""
        return 1 if self.pixels_attr is None else self.pixels_attr.value.data

    @property
    def lanes(self) -> int:
        """Channels of one element in a beat, on either side."""
        return stream_type(self.output).lanes // (math.prod(self.taps) * self.mmv)

    def input_lanes(self) -> int:
        return self.lanes * self.pixels

    @property
    def is_parallel(self) -> bool:
        """Whether there is more than one element of a window, window or pixel in a beat."""
        return max(*self.taps, self.mmv, self.pixels) > 1

    def geometry(self) -> WindowGeometry:
        if self.is_parallel:
            return self.parallel_geometry()
        return replace(super().geometry(), groups=self.groups)

    def parallel_geometry(self) -> ParallelGeometry:
        """Where the windows lie, of which several elements leave at once."""
        return self.folded_geometry(self.lanes, self.groups, self.taps, self.mmv, self.pixels)

    def folded_geometry(
        self, lanes: int, groups: int, taps: tuple[int, ...], mmv: int, pixels: int
    ) -> ParallelGeometry:
        """The same under another folding."""
        return ParallelGeometry(
            rows_and_columns(self.space, self.space),
            rows_and_columns(self.space, self.kernel),
            rows_and_columns(self.space, self.strides),
            rows_and_columns(self.space, self.dilations),
            stream_type(self.input).channels // lanes,
            groups,
            rows_and_columns(self.space, taps),
            mmv,
            pixels,
        )

    @property
    def input_beats(self) -> int:
        return stream_type(self.input).elements // self.input_lanes()

    def cycles(self) -> int:
        return max(self.input_beats, stream_type(self.output).beats)

    def latency(self) -> int:
        return 2 + self.geometry().offsets()[0]

    def resources_at(self, lanes: int) -> Resources:
        return self.folded_resources(lanes, self.groups, self.taps, self.mmv, self.pixels)

    def folded_resources(
        self, lanes: int, groups: int, taps: tuple[int, ...], mmv: int, pixels: int
    ) -> Resources:
        """What the unit takes under a folding: pointers, and, where several elements leave at
        once, an address for each bank and a choice among them for each element."""
        source = stream_type(self.input)
        width = lanes * source.element_width
        if max(*taps, mmv, pixels) == 1:
            beats = WindowGeometry.of(
                self.space,
                self.kernel,
                self.strides,
                self.dilations,
                source.channels // lanes,
                groups,
            ).buffer_beats
            return Resources(10 * beats.bit_length(), 7 * beats.bit_length(), beats * width)
        geometry = self.folded_geometry(lanes, groups, taps, mmv, pixels)
        pointer = geometry.buffer_beats.bit_length()
        bits = geometry.buffer_beats * pixels * width
        banks = (geometry.banks(0), geometry.banks(1))
        address = geometry.bank_words.bit_length()
        addresses = address * (banks[0] + banks[1] + 2 * banks[0] * banks[1])
        chosen = math.prod(taps) * mmv * width * (banks[0] + banks[1] - 2) // 2
        return Resources(10 * pointer + addresses + chosen, 10 * pointer, bits)

    def verify_(self) -> None:
        together = math.prod(self.taps) * self.mmv
        if stream_type(self.output).lanes % together:
            raise VerifyException(
                f"{stream_type(self.output).lanes} lanes are no whole channels of {together} "
                "elements"
            )
        counts = self.check_windows()
        source, result = stream_type(self.input), stream_type(self.output)
        *outer, inner = counts
        if self.mmv < 1 or inner % self.mmv:
            raise VerifyException(f"mmv = {self.mmv} does not divide the {inner} windows of a row")
        size = math.prod(self.kernel) * source.channels * self.mmv
        shape = (*outer, inner // self.mmv, size)
        if result.shape != shape or result.element_type != source.element_type:
            raise VerifyException(f"the windows of {source} are {list(shape)}, not {result}")
        if self.groups < 1 or source.channels % (self.groups * self.lanes):
            raise VerifyException(
                f"{self.lanes} lanes do not divide the channels of {self.groups} groups of {source}"
            )
        if self.taps not in tap_choices(self.kernel):
            raise VerifyException(
                f"taps of {list(self.taps)} are no part of a row of {list(self.kernel)}, "
                "nor whole rows"
            )
        if max(self.taps) > 1 and self.lanes * self.groups != source.channels:
            raise VerifyException("several taps leave with all channels of their group")
        if self.pixels > 1 and self.lanes != source.channels:
            raise VerifyException("several pixels come with all their channels")
        if self.pixels not in pixel_choices(self.space[-1], self.strides[-1] * self.mmv):
            raise VerifyException(
                f"{self.pixels} pixels divide not both the {self.space[-1]} of a row and the "
                f"{self.strides[-1] * self.mmv} from one beat's windows to the next"
            )
