"""Values that mean something in ONNX models, or that a compiler may take for something else."""

from __future__ import annotations

from functools import cache

from irc.dialects.onnx_schema import op_specs

INTEGERS = (
    0, 1, -1, 2, 3, 7, 8, 13, 16, 64, 127, 128, 255, 256, 65_536, 10**6, 2**24, 2**31 - 1, 2**31,
    -(2**31), 2**32, 2**40, 2**53, 2**62, 2**63 - 1, -(2**63), 2**64 - 1,
)  # fmt: skip

FLOATS = (
    0.0, -0.0, 1.0, -1.0, 0.5, 1e-45, 1e-30, 3.4e38, float("inf"), float("-inf"), float("nan"),
    255.0, 2.0**24 + 1, 1 / 3,
)  # fmt: skip

TEXTS = (
    "", "x", "y", " ", "0", "-1", "a\0b", "../../etc/passwd", "/dev/zero", "$(id)", "`id`", '"; x',
    "a\nb", "*/ int x; /*", "\\", "%s%n", "\u202eevil", "é" * 40, "n" * 5000, "main", "module",
    "SAME_UPPER", "ROUND", "bilinear", "constant", "reflect", "nearest", "N", "NaN",
)  # fmt: skip

MAX_COPIES = 3000
"""How often an element may be repeated at once."""

_DOMAINS = ("", "ai.onnx", "qonnx.custom_op.general", "onnx.brevitas", "com.microsoft", "x.y")


@cache
def texts_for(field: str) -> tuple[str, ...]:
    """What a field with this full name usually says; empty where that may be anything."""
    match field:
        case "onnx.NodeProto.op_type":
            return tuple(sorted(op_specs()))
        case "onnx.AttributeProto.name":
            names = {name for spec in op_specs().values() for name in spec.attributes}
            return tuple(sorted(names))
        case "onnx.NodeProto.domain" | "onnx.OperatorSetIdProto.domain":
            return _DOMAINS
        case "onnx.StringStringEntryProto.key":
            return ("location", "offset", "length", "checksum")
        case _:
            return ()
