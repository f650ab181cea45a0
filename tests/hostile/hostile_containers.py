"""Files that are no models, or not whole: damaged protobuf, names that are no text, false types."""

from __future__ import annotations

from model_files import initializer, network, node_named
from onnx import TensorProto

WHOLE = network().SerializeToString()


def varint(number: int) -> bytes:
    """A number as protobuf writes it."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def field(number: int, wire: int, payload: bytes = b"") -> bytes:
    """A field with its number and wire type."""
    return varint(number << 3 | wire) + payload


def lengthy(number: int, payload: bytes, claimed: int | None = None) -> bytes:
    """A field of bytes, which may claim to be longer than it is."""
    return field(number, 2, varint(len(payload) if claimed is None else claimed) + payload)


def nested(depth: int) -> bytes:
    """A graph in a graph in a graph: fields 1, node, attribute 5, g 6."""
    inner = b""
    for _ in range(depth):
        inner = lengthy(1, lengthy(5, lengthy(6, inner)))
    return lengthy(7, inner)


def nested_types(depth: int) -> bytes:
    """An input whose type is a sequence of sequences of …"""
    inner = b""
    for _ in range(depth):
        inner = lengthy(4, lengthy(1, inner))
    return lengthy(7, lengthy(11, lengthy(1, b"x") + lengthy(2, inner)))


def groups(depth: int) -> bytes:
    """Groups, which nobody uses any more, opened and never closed."""
    return field(90, 3) * depth


def renamed(old: bytes, new: bytes) -> bytes:
    """The whole file with a name of the same length replaced."""
    assert len(old) == len(new)
    assert old in WHOLE
    return WHOLE.replace(old, new)


def typed(number: int, wire: int) -> bytes:
    """The network, and behind it a field of the model with another wire type."""
    payload = {0: varint(2**63), 1: b"\xff" * 8, 2: varint(3) + b"abc", 5: b"\xff" * 4}[wire]
    return WHOLE + field(number, wire, payload)


def with_cut_node() -> bytes:
    model = network()
    node_named(model, "fc1").ClearField("op_type")
    return model.SerializeToString()


def with_damaged_location() -> bytes:
    model = network()
    weights = initializer(model, "w1")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="own.bin")
    return model.SerializeToString().replace(b"own.bin", b"own\xff\xfein")


CONTAINERS: dict[str, bytes] = {
    **{f"cut to {part} %": WHOLE[: len(WHOLE) * part // 100] for part in range(5, 100, 9)},
    **{f"cut by {count}": WHOLE[:-count] for count in (1, 2, 3, 7)},
    **{
        f"model field {number} as wire type {wire}": typed(number, wire)
        for number in (1, 7, 8)
        for wire in (0, 1, 2, 5)
        if (number, wire) not in ((1, 0), (8, 2))
    },
    "graph claims 2 GiB": lengthy(7, b"\x0a\x00", 2**31),
    "graph claims 4 GiB": lengthy(7, b"\x0a\x00", 2**32 + 2),
    "graph claims 2^63": lengthy(7, b"\x0a\x00", 2**63),
    "raw_data claims 2 GiB": lengthy(7, lengthy(5, lengthy(9, b"abcd", 2**31 - 1))),
    "number without end": b"\x08" + b"\xff" * 50,
    "field number 0": b"\x00\x00" + WHOLE,
    "unknown wire type 6": bytes([7 << 3 | 6]) + WHOLE,
    "unknown wire type 7": bytes([7 << 3 | 7]) + WHOLE,
    "groups never closed": groups(50) + WHOLE,
    "10,000 groups": groups(10_000),
    "30 graphs in each other": nested(30),
    "1,000 graphs in each other": nested(1_000),
    "50,000 graphs in each other": nested(20_000),
    "sequence of 40 sequences": nested_types(40),
    "sequence of 5,000 sequences": nested_types(5_000),
    "no UTF-8 in a node's name": renamed(b"norm", b"n\xff\xfem"),
    "no UTF-8 in an operator": renamed(b"MatMul", b"MatM\xff\xfe"),
    "no UTF-8 in an input": renamed(b"beta", b"be\xc0\x80"),
    "half a surrogate in a name": renamed(b"gamma", b"ga\xed\xa0\x80"),
    "no UTF-8 in a location": with_damaged_location(),
    "no UTF-8 in the graph's name": lengthy(7, lengthy(2, b"\xff\xff")),
    "two graphs": WHOLE + WHOLE,
    "node without operator": with_cut_node(),
    "graph alone": network().graph.SerializeToString(),
    "NUL bytes behind": WHOLE + bytes(1000),
    "all bytes 0x0a": b"\x0a" * 5000,
    "all bytes 0x08": b"\x08" * 5001,
    "text of a model": str(network())[:5000].encode(),
    "ELF": b"\x7fELF\x02\x01\x01" + bytes(100),
    "gzip": b"\x1f\x8b\x08" + bytes(50),
    "UTF-16": "<model/>".encode("utf-16"),
}
"""What a file of this name holds."""
