"""The README of a board's folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from irc.backends.boards.board import Board


def board_readme(board: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """What is there, how to build, load and use it; `board` is the content of board.json."""
    core, kind = board["core"], board["bridge"]
    wires = f"UART, {board['baud']:,} baud, 8N1" if kind == "uart" else "SPI, mode 0"
    use = "--port /dev/ttyUSB1" if kind == "uart" else "--spi 0.0"
    program = ""
    if board["program"]:
        suffix = {"pcf": "bin", "cst": "fs"}.get(board["constraints"].rpartition(".")[2], "bit")
        command = " ".join(board["program"]).replace("{bitstream}", f"bitstream.{suffix}")
        program = f"What loads the bitstream: `{command}`.\n"
    return f"""\
# {core} on {board["description"]}

`{board["top"]}.v` connects clock ({board["clock"]:g} MHz), reset, bridge ({wires}) and the core \
in `../rtl`.
What belongs to the device and to no other is in that file alone.

    irc synth ..                       # bitstream, with the pins of {board["constraints"]}
    python host.py {use:<20}# sends the test vectors, checks every result
    python simulate.py                 # the whole top module under cocotb, bit by bit

{program}
## Messages

The same in both directions; numbers of several bytes come low byte first, the CRC high byte first.

| bytes | |
|---|---|
| 1 | `A5` |
| 1 | kind |
| 1 | sequence number, repeated in the answer |
| 2 | length of the payload |
| | payload |
| 2 | CRC-16 (polynomial 0x1021, first value 0xFFFF) of kind to payload |

| kind | from | payload |
|---|---|---|
| `F` | host | a frame, {board["frame_bytes"]} bytes: TDATA of its {manifest["input"]["beats"]} \
beats, see ../README.md |
| `R` | board | its result, {board["result_bytes"]} bytes: TDATA of \
{manifest["output"]["beats"]} beats |
| `I` | host | none: who is there? |
| `i` | board | version 1, identity `{board["identity"]:08x}` (4), bytes of a frame (2), of a \
result (2) |
{_weight_messages(board["weights"])}\
| `E` | board | 1 damaged byte, 2 wrong header, 3 wrong checksum, 4 message broke off, 5 full |

A frame reaches the core only when its checksum was right. Up to four may be under way. A message
in which nothing comes for {(1 << board["timeout_bits"]) / board["clock"] / 1e3:.0f} ms is given up;
whatever follows is searched for the next `A5`. The sender of a frame that is not answered sends it
again.

One LED turns at every result, the other is lit from an error to the next good frame.
{_WEIGHTS if board["weights"] else ""}"""


_WEIGHTS = """
## Weights

    irc reload .. NEW.onnx -o new.bin
    python host.py ... --weights new.bin --data test.npz

A stream goes in pieces; the next one follows when the board has answered. A `W` or `L` with the
number of the last one taken is a copy of it: it is answered and dropped, so that no byte is loaded
twice. A stream that stopped is ended by an `L`, and refused. While weights are loaded, and after a
stream that was cut off or damaged, frames wait. ../README.md says what the bytes are.
"""


def _weight_messages(weights: Mapping[str, Any] | None) -> str:
    """Rows of the table of messages."""
    if weights is None:
        return ""
    return f"""\
| `W` | host | 1 to 127 of the {weights["bytes"]} bytes of a configuration stream |
| `L` | host | the same, and the last ones |
| `S` | host | none: how does loading go? |
| `w` | board | answer to `W`, `L` and `S`. Flags: 1 busy, 2 the last stream was not good, 4 one \
has begun and not ended; number of the last `W` or `L` taken |
"""


def axi_readme(board: Board, core: str, manifest: Mapping[str, Any]) -> str:
    """The same for the AXI wrapper."""
    design = ""
    if board.part is not None and board.part.startswith("xc7z"):
        design = f"""\
    vivado -mode batch -source block_design.tcl     # {core}.bit and {core}.hwh, with an AXI DMA
"""
    return f"""\
# {core} for {board.description.partition(":")[0]} ({board.part})

`{core}_axi.v` puts AXI4-Lite registers and AXI4-Stream ports with TKEEP and TLAST around the core
in `../rtl`; everything runs at `aclk`.

    python simulate.py                              # needs cocotbext-axi as well
    vivado -mode batch -source package.tcl          # IP in ./ip
{design}
`pynq_driver.py` drives it from Python on the board: `Network("{core}.bit").classes(images)`.

| address | register | |
|---|---|---|
| 0x00 | ID | identity of the network, as in board.json |
| 0x04 | VERSION | 1 |
| 0x08 | CONTROL | bit 0: run, 1 after reset; 1: clear counters and faults; 2: hold in reset |
| 0x0C | STATUS | bit 0: frames under way; 1: input waits; 2: output waits; 3: TKEEP of an input \
beat was not all 1; 4: TLAST of the input was not at the end of a frame |
| 0x10 | FRAMES_IN | frames taken |
| 0x14 | FRAMES_OUT | results given |
| 0x18 | CYCLES | clock cycles in which frames were under way |
| 0x1C | FRAME_BYTES | bytes of TDATA of a frame: {manifest["input"]["beats"]} beats |
| 0x20 | RESULT_BYTES | bytes of TDATA of a result: {manifest["output"]["beats"]} beats |
{_weight_registers(manifest.get("reload"))}
Frames follow each other without a gap; TLAST of the input is checked, not needed. ../README.md has
the packing of TDATA.
"""


def _weight_registers(reload: Mapping[str, Any] | None) -> str:
    """Rows of the table of registers."""
    if reload is None:
        return ""
    return f"""\
| 0x24 | WEIGHTS | a write is one of {reload["bytes"]} bytes of a configuration stream, which \
`irc reload .. NEW.onnx` makes; bit 8 with the last one |
| 0x28 | WEIGHTS_ROOM | how many such bytes may be written; more are lost, and the core \
refuses the stream |
| 0x2C | SHAPE | that of the streams which the core takes: `{reload["shape"]:08x}` |

Bit 5 of STATUS is 1 while weights are loaded or wait, bit 6 if the last stream was not good.
`Network.load("weights.bin")` does all of this.
"""
