"""A monitor of the streams of a unit, as Verilog with one output, `bad`, that must stay 0.

Around the unit, everything is free: when beats are offered and taken, what they hold, and when
there is a reset. Assumed is only what every unit may ask of its neighbours: a beat that is offered
stays until it is taken, and none is offered in the cycle after a reset. Then

- each output keeps the same rules;
- frames are what the interpreter computes of the frames that came in, beat by beat and in order:
  of frames counted modulo `FRAMES`, one number, any of them, is watched; its input is recorded as
  it is taken, and each of its output beats is compared when it is offered. An output beat before
  its input has come, or a record that is overwritten before it was needed, is bad, so that nothing
  is lost, invented or exchanged;
- within `patience` cycles something moves, if all sides want it to; and a frame that was taken
  comes out even if no other follows.
"""

from __future__ import annotations

from dataclasses import dataclass

FRAMES = 8
"""More frames than any unit has inside."""


@dataclass(frozen=True)
class StreamPorts:
    """A stream of a unit: how its ports begin, the bits of a beat, and the beats of a frame."""

    prefix: str
    width: int
    beats: int


@dataclass(frozen=True)
class OutputBit:
    """A bit of an output beat: which input bits it depends on, (stream, bit of the frame), and its
    value for each number that these make, the first being the least significant."""

    support: tuple[tuple[int, int], ...]
    table: tuple[int, ...]

    def flipped(self) -> OutputBit:
        """The opposite."""
        return OutputBit(self.support, tuple(1 - value for value in self.table))


@dataclass(frozen=True)
class Monitored:
    """What the monitor needs to know of a unit.

    `results[j][o][i]` is bit i of beat o of output j.
    """

    module: str
    inputs: tuple[StreamPorts, ...]
    outputs: tuple[StreamPorts, ...]
    results: tuple[tuple[tuple[OutputBit, ...], ...], ...]
    patience: int


def monitor_text(unit: Monitored) -> str:
    """The Verilog of the module `monitor`, which contains the unit."""
    ports = ["input aclk", "input reset_now", f"input [{_width(FRAMES) - 1}:0] any"]
    body: list[str] = []
    for stream in unit.inputs:
        ports += [f"input {stream.prefix}_tvalid", _vector("input", stream, "tdata")]
        body.append(f"wire {stream.prefix}_tready;")
    for stream in unit.outputs:
        ports.append(f"input {stream.prefix}_tready")
        body += [
            f"wire {stream.prefix}_tvalid;",
            f"wire [{stream.width - 1}:0] {stream.prefix}_tdata;",
        ]
    # The first cycle is one of reset; what registers hold before it is not known.
    body += [
        "reg begun = 0; always @(posedge aclk) begun <= 1;",
        "wire aresetn = begun & ~reset_now;",
        "reg after_reset = 0; always @(posedge aclk) after_reset <= ~aresetn;",
        f"reg [{_width(FRAMES) - 1}:0] watched; always @(posedge aclk) if (~begun) watched <= any;",
        _instance(unit),
    ]
    good: list[str] = []
    assumed: list[str] = []
    for stream in unit.inputs:
        body += _stable(stream)
        assumed.append(f"{stream.prefix}_stable")
        body += _counters(stream)
    for stream in unit.outputs:
        body += _stable(stream)
        good.append(f"{stream.prefix}_stable")
        body += _counters(stream)
    for index, stream in enumerate(unit.inputs):
        body += _record(unit, index, stream)
        good.append(f"{stream.prefix}_room")
    for index, stream in enumerate(unit.outputs):
        body += _compare(unit, index, stream)
        good.append(f"{stream.prefix}_right")
    body += _progress(unit)
    good += ["moving", "drained"]
    body += [
        # Once an assumption fails, nothing is claimed any more.
        f"wire assumed = {' & '.join(assumed)};",
        "reg valid = 1; always @(posedge aclk) valid <= valid & assumed;",
        f"assign bad = aresetn & valid & assumed & ~({' & '.join(good)});",
    ]
    text = ",\n  ".join([*ports, "output bad"])
    return f"module monitor (\n  {text}\n);\n" + "\n".join(body) + "\nendmodule\n"


def _width(count: int) -> int:
    return max(1, (count - 1).bit_length())


def _vector(direction: str, stream: StreamPorts, name: str) -> str:
    return f"{direction} [{stream.width - 1}:0] {stream.prefix}_{name}"


def _instance(unit: Monitored) -> str:
    names = [
        f"{s.prefix}_{n}"
        for s in (*unit.inputs, *unit.outputs)
        for n in ("tdata", "tvalid", "tready")
    ]
    pins = ", ".join(f".{name}({name})" for name in ("aclk", "aresetn", *names))
    return f"{unit.module} unit ({pins});"


def _stable(stream: StreamPorts) -> list[str]:
    """`…_stable`: a beat that was offered and not taken is still there, and none is right behind a
    reset."""
    p = stream.prefix
    return [
        f"reg {p}_waits = 0; reg [{stream.width - 1}:0] {p}_before;",
        "always @(posedge aclk) begin",
        f"  {p}_waits <= aresetn & {p}_tvalid & ~{p}_tready; {p}_before <= {p}_tdata;",
        "end",
        f"wire {p}_stable = (~{p}_waits | ({p}_tvalid & {p}_tdata == {p}_before))",
        f"  & ~(after_reset & {p}_tvalid);",
    ]


def _counters(stream: StreamPorts) -> list[str]:
    """`…_beat` within a frame, `…_frame` modulo `FRAMES`, and `…_moves`: a beat is taken."""
    p, beats, frames = stream.prefix, _width(stream.beats), _width(FRAMES)
    return [
        f"wire {p}_moves = {p}_tvalid & {p}_tready & aresetn;",
        f"reg [{beats - 1}:0] {p}_beat; reg [{frames - 1}:0] {p}_frame;",
        f"wire {p}_ends = {p}_moves & {p}_beat == {stream.beats - 1};",
        "always @(posedge aclk) begin",
        f"  if (~aresetn) begin {p}_beat <= 0; {p}_frame <= 0; end",
        f"  else if ({p}_ends) begin {p}_beat <= 0; {p}_frame <= {p}_frame + 1'b1; end",
        f"  else if ({p}_moves) {p}_beat <= {p}_beat + 1'b1;",
        "end",
        f"wire {p}_here = {p}_frame == watched;",
    ]


def _record(unit: Monitored, index: int, stream: StreamPorts) -> list[str]:
    """The watched frame as far as it has come, until every output has given it."""
    p, size = stream.prefix, stream.beats * stream.width
    lines = [f"reg [{size - 1}:0] {p}_record; reg [{stream.beats - 1}:0] {p}_have;"]
    needed = _needed(unit, index)
    lines.append("always @(posedge aclk) begin")
    for beat in needed:
        low = beat * stream.width
        lines.append(
            f"  if ({p}_moves & {p}_here & {p}_beat == {beat}) begin "
            f"{p}_record[{low} +: {stream.width}] <= {p}_tdata; {p}_have[{beat}] <= 1; end"
        )
    # Each output forgets what it has compared; the record goes with the last.
    lines += [f"  if (~aresetn | forget) {p}_have <= 0;", "end"]
    lines.append(
        f"wire {p}_room = ~({p}_moves & {p}_here & {p}_have[{p}_beat]);"
        if stream.beats > 1
        else f"wire {p}_room = ~({p}_moves & {p}_here & {p}_have[0]);"
    )
    # What is taken in this cycle may be given in it, as by a fork.
    lines.append(f"reg [{size - 1}:0] {p}_known; reg [{stream.beats - 1}:0] {p}_got;")
    lines += ["always @* begin", f"  {p}_known = {p}_record; {p}_got = {p}_have;"]
    for beat in needed:
        low = beat * stream.width
        lines.append(
            f"  if ({p}_tvalid & {p}_here & {p}_beat == {beat}) begin "
            f"{p}_known[{low} +: {stream.width}] = {p}_tdata; {p}_got[{beat}] = 1; end"
        )
    lines.append("end")
    return lines


def _compare(unit: Monitored, index: int, stream: StreamPorts) -> list[str]:
    """`…_right`: what is offered of the watched frame is what it should be, and not too early."""
    p = stream.prefix
    lines: list[str] = []
    conditions: list[str] = []
    for beat, of_bits in enumerate(unit.results[index]):
        bits = [_bit(unit, f"{p}_{beat}_{place}", bit, lines) for place, bit in enumerate(of_bits)]
        needed = sorted({_source_beat(unit, source) for bit in of_bits for source in bit.support})
        got = [f"{unit.inputs[s].prefix}_got[{b}]" for s, b in needed]
        right = " & ".join([f"{p}_tdata == {{{', '.join(reversed(bits))}}}", *got])
        conditions.append(f"({p}_beat != {beat} | ({right}))")
    lines.append(f"wire {p}_right = ~({p}_tvalid & {p}_here) | ({' & '.join(conditions)});")
    lines.append(f"reg {p}_done;")
    if index == len(unit.outputs) - 1:
        done = [f"({s.prefix}_done | ({s.prefix}_ends & {s.prefix}_here))" for s in unit.outputs]
        lines.append(f"wire forget = {' & '.join(done)};")
        for each in unit.outputs:
            q = each.prefix
            lines.append(
                f"always @(posedge aclk) if (~aresetn | forget) {q}_done <= 0; "
                f"else if ({q}_ends & {q}_here) {q}_done <= 1;"
            )
    return lines


def _needed(unit: Monitored, index: int) -> list[int]:
    """The beats of an input frame that any result depends on."""
    sources = {
        _source_beat(unit, source)
        for of_stream in unit.results
        for of_beat in of_stream
        for bit in of_beat
        for source in bit.support
    }
    return sorted(beat for stream, beat in sources if stream == index)


def _source_beat(unit: Monitored, source: tuple[int, int]) -> tuple[int, int]:
    stream, bit = source
    return stream, bit // unit.inputs[stream].width


def _bit(unit: Monitored, name: str, bit: OutputBit, lines: list[str]) -> str:
    """An expression for a bit of a result."""
    known = [f"{unit.inputs[s].prefix}_known[{place}]" for s, place in bit.support]
    if not known:
        return f"1'b{bit.table[0]}"
    if len(known) == 1:
        return known[0] if bit.table == (0, 1) else f"~{known[0]}"
    values = "".join(str(value) for value in reversed(bit.table))
    lines.append(f"wire [{len(bit.table) - 1}:0] {name}_table = {len(bit.table)}'b{values};")
    lines.append(f"wire {name} = {name}_table[{{{', '.join(reversed(known))}}}];")
    return name


def _progress(unit: Monitored) -> list[str]:
    """`moving` and `drained`."""
    width = _width(unit.patience + 2)
    moves = " | ".join(f"{s.prefix}_moves" for s in (*unit.inputs, *unit.outputs))
    offered = " & ".join(f"{s.prefix}_tvalid" for s in unit.inputs)
    taken = " & ".join(f"{s.prefix}_tready" for s in unit.outputs)
    out_moves = " | ".join(f"{s.prefix}_moves" for s in unit.outputs)
    have = [
        f"{s.prefix}_have[{beat}]"
        for index, s in enumerate(unit.inputs)
        for beat in _needed(unit, index)
    ]
    complete = " & ".join(have)
    return [
        f"reg [{width - 1}:0] still; reg [{width - 1}:0] held;",
        "always @(posedge aclk) begin",
        f"  if (~aresetn | ({moves}) | ~({offered}) | ~({taken})) still <= 0;",
        f"  else if (still <= {unit.patience}) still <= still + 1'b1;",
        f"  if (~aresetn | ({out_moves}) | ~({taken}) | ~({complete})) held <= 0;",
        f"  else if (held <= {unit.patience}) held <= held + 1'b1;",
        "end",
        f"wire moving = still <= {unit.patience};",
        f"wire drained = held <= {unit.patience};",
    ]
