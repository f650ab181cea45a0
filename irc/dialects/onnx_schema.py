"""What the `onnx` dialect knows of each operator, derived from the installed ONNX schemas.

One `OpSpec` per operator name merges all of its versions: an operator takes as many inputs as
any version did, and the attributes of any version, so that a file of any opset can be
represented. Versions matter to the semantics only, and those are looked up by the opset that the
module records.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx.defs import OpSchema

ML_DOMAIN = "ai.onnx.ml"
QONNX_DOMAINS = ("onnx.brevitas", "qonnx.custom_op.general", "finn.custom_op.general")
"""Domains in which Brevitas, QONNX and FINN write the same quantization operators."""

RUNTIME_DOMAIN = "com.microsoft"
"""The domain of ONNX Runtime's own operators, of which its quantizer writes some."""

DOMAINS_WITHOUT_SCHEMAS = (*QONNX_DOMAINS, RUNTIME_DOMAIN)
"""Domains whose operators are described here, for the onnx package knows none of them."""

UNLIMITED = 2**31 - 1

_RANDOM = frozenset(
    {
        "Bernoulli",
        "Dropout",
        "Multinomial",
        "RandomNormal",
        "RandomNormalLike",
        "RandomUniform",
        "RandomUniformLike",
    }
)


@dataclass(frozen=True)
class OpSpec:
    """An operator: domains it lives in, arities over all versions, attributes and regions.

    `attributes` maps a name to the ONNX attribute types that it has had (`INT`, `FLOATS`, …).
    `inputs` and `outputs` are the formal names in the newest version; the last one repeats
    when the operator is variadic. `regions` are graph attributes, in the order of the regions.
    """

    op_type: str
    domains: tuple[str, ...]
    min_inputs: int
    max_inputs: int
    min_outputs: int
    max_outputs: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, frozenset[str]]
    regions: tuple[str, ...] = ()

    @property
    def is_random(self) -> bool:
        """Whether two identical nodes may give different results."""
        return self.op_type in _RANDOM


def _merge(versions: list[OpSchema]) -> OpSpec:
    newest = max(versions, key=lambda schema: schema.since_version)
    kinds: dict[str, set[str]] = {}
    for schema in versions:
        for name, attribute in schema.attributes.items():
            # The enumeration's stub lists no members, so their names are read from the text.
            kinds.setdefault(name, set()).add(str(attribute.type).rpartition(".")[2])
    regions = tuple(sorted(name for name, types in kinds.items() if "GRAPH" in types))
    return OpSpec(
        op_type=newest.name,
        domains=(newest.domain,),
        min_inputs=min(schema.min_input for schema in versions),
        max_inputs=max(schema.max_input for schema in versions),
        min_outputs=min(schema.min_output for schema in versions),
        max_outputs=max(schema.max_output for schema in versions),
        inputs=tuple(formal.name for formal in newest.inputs),
        outputs=tuple(formal.name for formal in newest.outputs),
        attributes={n: frozenset(t) for n, t in kinds.items() if n not in regions},
        regions=regions,
    )


def _qonnx(op_type: str, inputs: str, required: int, **attributes: str) -> OpSpec:
    names = tuple(inputs.split())
    return OpSpec(
        op_type=op_type,
        domains=QONNX_DOMAINS,
        min_inputs=required,
        max_inputs=len(names),
        min_outputs=1,
        max_outputs=1,
        inputs=names,
        outputs=("y",),
        attributes={name: frozenset({kind}) for name, kind in attributes.items()},
    )


def _qonnx_specs() -> list[OpSpec]:
    """Operators of https://github.com/fastmachinelearning/qonnx/tree/main/docs/qonnx-custom-ops"""
    quant = {"signed": "INT", "narrow": "INT", "rounding_mode": "STRING"}
    return [
        _qonnx("Quant", "x scale zeropt bitwidth", 4, **quant),
        _qonnx("IntQuant", "x scale zeropt bitwidth", 4, **quant),
        _qonnx("BipolarQuant", "x scale", 2),
        # Version 1 has five inputs: its fifth is the output bit width.
        _qonnx("Trunc", "x scale zeropt in_bitwidth out_scale out_bitwidth", 5, **quant),
        _qonnx(
            "MultiThreshold",
            "x thresholds",
            2,
            out_dtype="STRING",
            out_scale="FLOAT",
            out_bias="FLOAT",
            data_layout="STRING",
        ),
    ]


def _runtime(
    op_type: str, inputs: str, required: int, limit: int | None = None, **attributes: str
) -> OpSpec:
    names = tuple(inputs.split())
    return OpSpec(
        op_type=op_type,
        domains=(RUNTIME_DOMAIN,),
        min_inputs=required,
        max_inputs=len(names) if limit is None else limit,
        min_outputs=1,
        max_outputs=1,
        inputs=names,
        outputs=("Y",),
        attributes={name: frozenset({kind}) for name, kind in attributes.items()},
    )


def _runtime_specs() -> list[OpSpec]:
    """What `onnxruntime.quantization` writes in its QOperator format, from
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md"""
    one = "X X_scale X_zero_point Y_scale Y_zero_point"
    two = "A A_scale A_zero_point B B_scale B_zero_point C_scale C_zero_point"
    window = dict.fromkeys(("kernel_shape", "pads", "strides"), "INTS")
    rounding = dict.fromkeys(("ceil_mode", "channels_last", "count_include_pad"), "INT")
    return [
        _runtime("QLinearAdd", two, 7),
        _runtime("QLinearMul", two, 7),
        _runtime("QLinearSigmoid", one, 4),
        _runtime("QLinearLeakyRelu", one, 4, alpha="FLOAT"),
        _runtime("QLinearSoftmax", one, 4, axis="INT", opset="INT"),
        _runtime("QLinearAveragePool", one, 4, auto_pad="STRING", **window, **rounding),
        _runtime("QLinearGlobalAveragePool", one, 4, channels_last="INT"),
        _runtime("QLinearConcat", "Y_scale Y_zero_point inputs", 5, UNLIMITED, axis="INT"),
        _runtime(
            "QGemm",
            "A a_scale a_zero_point B b_scale b_zero_point C y_scale y_zero_point",
            6,
            alpha="FLOAT",
            transA="INT",
            transB="INT",
        ),
    ]


@cache
def op_specs() -> dict[str, OpSpec]:
    """Every operator by its name, which is unique over the domains (imports onnx)."""
    from onnx import defs

    versions: dict[str, list[OpSchema]] = {}
    for schema in defs.get_all_schemas_with_history():
        versions.setdefault(schema.name, []).append(schema)
    specs = {name: _merge(schemas) for name, schemas in versions.items()}
    specs.update((spec.op_type, spec) for spec in (*_qonnx_specs(), *_runtime_specs()))
    for name in ("QuantizeLinear", "DequantizeLinear"):
        # With 4 or 16 bits before opset 21, ONNX Runtime's quantizer writes its own ones.
        spec = specs[name]
        specs[name] = replace(spec, domains=(*spec.domains, RUNTIME_DOMAIN))
    return specs


@lru_cache(maxsize=4096)
def schema_at(op_type: str, domain: str, opset: int) -> OpSchema | None:
    """The schema that a node of this opset obeys; None where the onnx package has none."""
    from onnx import defs

    try:
        return defs.get_schema(op_type, opset, domain)
    except defs.SchemaError:
        return None


def is_known(op_type: str, domain: str) -> bool:
    """Whether the dialect has the operator; `ai.onnx` is another name of the empty domain."""
    spec = op_specs().get(op_type)
    return spec is not None and ("" if domain == "ai.onnx" else domain) in spec.domains
