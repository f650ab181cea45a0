"""The configuration stream: which shape of network it is for, the words of all memories, a CRC.

shape    4 bytes, least significant first: a number that networks of one shape have in common
words    of all memories, in the order in which the chain of loaders fills them
CRC      2 bytes, high byte first, of everything before; see `irc.passes.hardware.crc`
"""

from __future__ import annotations

import binascii
import io
import zlib
from collections.abc import Iterable, Sequence

import numpy as np
from xdsl.dialects import hw
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.printer import Printer

from irc.dialects import rtl
from irc.passes.hardware.crc import CRC_BYTES, CRC_FIRST
from irc.passes.hardware.units.loader import (
    BYTE,
    WORDS,
    LoadableMemory,
    bytes_of_word,
    design_memories,
)

SHAPE = "dataflow.shape"
"""Attribute of the top module of a reloadable design: its `shape_of`."""

SHAPE_BYTES = 4

OVERHEAD = SHAPE_BYTES + CRC_BYTES
"""Bytes of the stream that are in no memory."""


def shape_of(units: Iterable[tuple[str, hw.HWModuleOp]]) -> int:
    """32 bits that tell the hardware of one shape of network from others: the CRC-32 of its units,
    instance by instance, without what the configuration stream fills."""
    crc = 0
    for name, module in units:
        copy = module.clone()
        for op in copy.body.block.ops:
            if isinstance(op, rtl.RamOp) and WORDS in op.attributes:
                del op.attributes[WORDS]
                op.properties.pop("initial", None)
        text = io.StringIO()
        Printer(text).print_op(copy)
        crc = zlib.crc32(f"{name}\n{text.getvalue()}\n".encode(), crc)
    return crc


def shape_attribute(shape: int) -> IntegerAttr:
    """What the attribute `SHAPE` holds."""
    return IntegerAttr(shape, i64)


def design_shape(module: ModuleOp, top: str) -> int:
    """The shape of a reloadable design."""
    for op in module.ops:
        if isinstance(op, hw.HWModuleOp) and op.sym_name.data == top:
            attribute = op.attributes[SHAPE]
            assert isinstance(attribute, IntegerAttr)
            return int(attribute.value.data)
    raise KeyError(top)


def design_stream(module: ModuleOp, top: str) -> bytes:
    """The configuration stream that fills the memories of a design with their words."""
    words = words_of(design_memories(module, top))
    return framed(design_shape(module, top), words)


def framed(shape: int, words: bytes) -> bytes:
    """A whole stream."""
    data = shape.to_bytes(SHAPE_BYTES, "little") + words
    return data + binascii.crc_hqx(data, CRC_FIRST).to_bytes(CRC_BYTES, "big")


def words_of(memories: Sequence[LoadableMemory]) -> bytes:
    """The words of memories: each in whole bytes, the least significant first."""
    parts: list[bytes] = []
    for memory in memories:
        bits = np.zeros((memory.depth, BYTE * bytes_of_word(memory.width)), np.uint8)
        bits[:, : memory.width] = memory.words.numpy()
        parts.append(np.packbits(bits, axis=1, bitorder="little").tobytes())
    return b"".join(parts)
