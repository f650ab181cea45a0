"""The hardware of windows of which several elements leave at once: a circular buffer in banks.

    cycle 0   a beat is taken, each of its pixels written to its bank
    cycle 1   every bank may be read, at an address of its own
    cycle 2   offered: for each element of the beat the output register of the bank that has it

Row y lies in the banks of residue y modulo B, column x in those of x modulo B'. Which bank has
which element, and how many words from where its group of windows starts, follows from the residues
of that start and from the step along the kernel: constants, chosen by counters.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import hw
from xdsl.ir import SSAValue

from irc.dialects import dataflow
from irc.dialects.rtl import address_width
from irc.dialects.window_parallel import ParallelGeometry
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.units.bank_places import (
    Axis,
    Place,
    Position,
    chosen,
    chosen_twice,
    is_phase,
    resized,
    selected,
)
from irc.passes.hardware.units.numbers import bits_for
from irc.passes.hardware.units.pipeline import INPUT, OUTPUT, counter, unit_builder
from irc.passes.hardware.units.row_buffer import RowBuffer, Walk, row_buffer


def parallel_window_module(op: dataflow.WindowOp, name: str) -> hw.HWModuleOp:
    """The module of a unit with more than one tap, window or pixel a beat."""
    source, result = dataflow.stream_type(op.input), dataflow.stream_type(op.output)
    b = unit_builder(name, source.beat_width, result.beat_width, op.location)
    geometry = op.parallel_geometry()
    buffer = row_buffer(b, geometry, lambda walk, _: _furthest(b, geometry, walk))
    banks = _write(b, geometry, buffer.takes, op.lanes * source.element_width)
    data = _read(b, geometry, buffer, banks)
    b.output(f"{OUTPUT}_tdata", _beat(b, geometry, data, source.element_width))
    return b.finish()


def _furthest(b: HwBuilder, geometry: ParallelGeometry, walk: Walk) -> SSAValue:
    """The furthest beat that is needed now, from the start of the windows."""
    width = bits_for(0, geometry.span - 1)
    rows = chosen(b, geometry.row_offsets(), walk.row.value, width)
    columns = chosen(b, geometry.column_offsets(), walk.column.value, width)
    return b.add(rows, columns, _part(b, geometry, walk, width))


def _part(b: HwBuilder, geometry: ParallelGeometry, walk: Walk, width: int) -> SSAValue:
    """Which beat of an element: the groups' one after another."""
    table = [group * geometry.group_chunks for group in range(geometry.groups)]
    start = chosen(b, table, walk.group.value, width)
    return b.add(start, resized(b, walk.chunk.value, width))


def _write(
    b: HwBuilder, geometry: ParallelGeometry, takes: SSAValue, pixel_width: int
) -> list[list[_Bank]]:
    """The banks' write ports: every pixel of a beat goes to another bank."""
    rows, columns = Axis.both(geometry)
    chunk = counter(b, "write_chunk", geometry.chunks, takes)
    element = b.and_(takes, chunk.is_last)
    across = counter(b, "write_column", geometry.size[1] // geometry.arriving(1), element)
    row_end = b.and_(element, across.is_last)
    row = Position(b, "write_row", rows)
    row.go(b, row_end, rows.moved(b, row.place, geometry.arriving(0)))
    column = Position(b, "write_at", columns)
    following = columns.moved(b, column.place, geometry.arriving(1))
    column.go(b, element, following, restart=across.is_last)
    address = b.add(row.place.base, column.place.base, resized(b, chunk.value, rows.width))
    pixels = b.slices(b.input(f"{INPUT}_tdata"), pixel_width)
    banks: list[list[_Bank]] = []
    for y in range(rows.banks):
        first = y - y % geometry.arriving(0)
        in_row = b.and_(takes, is_phase(b, row.place.phase, first, rows.banks))
        banks.append([])
        for x in range(columns.banks):
            first = x - x % geometry.arriving(1)
            here = b.and_(in_row, is_phase(b, column.place.phase, first, columns.banks))
            pixel = (y if geometry.along == 0 else x) % geometry.pixels
            banks[-1].append(_Bank(f"bank{y}_{x}", here, address, pixels[pixel]))
    return banks


@dataclass(frozen=True)
class _Bank:
    """One memory, as far as it is written."""

    name: str
    writes: SSAValue
    address: SSAValue
    data: SSAValue


def _read(
    b: HwBuilder,
    geometry: ParallelGeometry,
    buffer: RowBuffer,
    banks: list[list[_Bank]],
) -> list[list[list[SSAValue]]]:
    """The elements of a beat, [row tap][window][column tap] or, where windows are neighbours in
    rows, [window][row tap][0]."""
    walk, fetches = buffer.walk, buffer.fetches
    axes = Axis.both(geometry)
    done = b.and_(fetches, walk.ends)
    row, column = Position(b, "read_row", axes[0]), Position(b, "read_at", axes[1])
    last_row = b.and_(walk.window.is_last, walk.window_row.is_last)
    on = axes[0].moved(b, row.place, geometry.step(0))
    over = axes[0].moved(b, row.place, geometry.last_step(0))
    moved = Place(b.mux(last_row, over.phase, on.phase), b.mux(last_row, over.base, on.base))
    row.go(b, b.and_(done, walk.window.is_last), moved)
    following = axes[1].moved(b, column.place, geometry.step(1))
    column.go(b, done, following, restart=walk.window.is_last)

    row_addresses, row_banks = _lookup(b, geometry, 0, row.place, walk.row.value)
    column_addresses, column_banks = _lookup(b, geometry, 1, column.place, walk.column.value)
    part = _part(b, geometry, walk, axes[0].width)
    words = [
        [
            b.ram(
                bank.name,
                geometry.bank_words,
                write_enable=bank.writes,
                write_address=bank.address,
                write_data=bank.data,
                read_address=b.add(row_addresses[y], column_addresses[x], part),
                read_enable=fetches,
            )
            for x, bank in enumerate(line)
        ]
        for y, line in enumerate(banks)
    ]
    chosen_rows = [b.delay("from_row", bank, None, fetches) for bank in row_banks]
    chosen_columns = [b.delay("from_column", bank, None, fetches) for bank in column_banks]
    lines = [
        [selected(b, [words[y][x] for y in range(axes[0].banks)], index)
         for x in range(axes[1].banks)]
        for index in chosen_rows
    ]  # fmt: skip
    elements = [[selected(b, line, index) for index in chosen_columns] for line in lines]
    inner = geometry.taps[geometry.along]
    if geometry.along == 0:
        flat = [line[0] for line in elements]
        return [[[e] for e in flat[first : first + inner]] for first in range(0, len(flat), inner)]
    return [
        [line[first : first + inner] for first in range(0, len(line), inner)] for line in elements
    ]


def _lookup(
    b: HwBuilder, geometry: ParallelGeometry, axis: int, place: Place, step: SSAValue
) -> tuple[list[SSAValue], list[SSAValue]]:
    """For each bank along an axis the address of what is read now; for each element that leaves,
    windows before taps, the bank that has it."""
    description = Axis.both(geometry)[axis]
    banks = description.banks
    positions = [[p for ps in group for p in ps] for group in geometry.positions(axis)]
    addresses: list[SSAValue] = []
    for bank in range(banks):
        table = [
            [
                next(
                    (description.words(phase + p) for p in group if (phase + p) % banks == bank), 0
                )
                for group in positions
            ]
            for phase in range(banks)
        ]
        words = chosen_twice(b, table, place.phase, step, description.width)
        addresses.append(description.ahead(b, place.base, words))
    sources: list[SSAValue] = []
    for element in range(len(positions[0])):
        table = [
            [(phase + group[element]) % banks for group in positions] for phase in range(banks)
        ]
        sources.append(chosen_twice(b, table, place.phase, step, address_width(banks)))
    return addresses, sources


def _beat(
    b: HwBuilder,
    geometry: ParallelGeometry,
    elements: list[list[list[SSAValue]]],
    element_width: int,
) -> SSAValue:
    """Taps in order, then channels, then windows."""
    if geometry.along == 0:
        windows = [[taps[0] for taps in window] for window in elements]
    else:
        windows = [
            [tap for line in elements for tap in line[window]] for window in range(geometry.mmv)
        ]
    parts = [
        b.extract(windows[window][tap], low, element_width)
        for tap in range(len(windows[0]))
        for low in range(0, b.width(windows[0][tap]), element_width)
        for window in range(geometry.mmv)
    ]
    return b.concat(*reversed(parts))
