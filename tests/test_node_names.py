"""Names of ONNX nodes travel as locations through every level, into Verilog and into C."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from residual_networks import residual_network
from xdsl.dialects import hw
from xdsl.dialects.builtin import ModuleOp, NoneAttr, StringAttr
from xdsl.dialects.builtin import NameLoc as Name
from xdsl.ir import Operation

from irc.api import compile_to, load, parse
from irc.backends.c.source import emit_c
from irc.backends.verilog.printer import print_design
from irc.dialects import dataflow, onnx
from irc.dialects.locations import location_names
from irc.flow.layers import hardware_layers, software_layers
from irc.frontend.import_onnx import import_model

LOWERED = ("bnn", "dataflow", "hw", "packed")

FRAME = ("builtin.module", "func.func", "func.return")
"""Operations that no node of a model stands for."""


def cnv(shared: Path) -> ModuleOp:
    """Six convolutions, two pools and three dense layers, of plain ONNX operators."""
    return load(shared / "models" / "cnv_1w1a_cifar10.onnx")


def residual(shared: Path) -> ModuleOp:
    """Residual blocks of QONNX operators."""
    return import_model(residual_network("basic_block", 0).SerializeToString())


def example(shared: Path) -> ModuleOp:
    """What the host does before and after the hardware, too."""
    root = Path(__file__).resolve().parents[1]
    return load(root / "examples" / "mnist" / "mnist_64x3_1w1a.onnx")


Make = Callable[[Path], ModuleOp]

INPUTS: dict[Make, list[str]] = {cnv: [], residual: ["x=int8/128"], example: ["uint8/255"]}

GONE: dict[tuple[Make, str], set[str]] = {
    # What moves no data leaves nothing behind; the frame that it makes is read as it lies.
    (cnv, "packed"): {"Flatten_33"},
    (residual, "packed"): {"flatten28"},
    (residual, "hw"): {"flatten28"},
    # The host's part.
    (example, "hw"): {"/Flatten", "/Mul"},
}
"""Nodes that nothing is left of at a level, and may be."""

QUANTIZED_ALREADY: dict[Make, set[str]] = {residual: {"quant0"}}
"""Quantizers of an input that is declared to hold just their values."""


@cache
def at_level(make: Make, shared: Path, level: str) -> ModuleOp:
    """A network at a level."""
    module = make(shared)
    return module if level == "onnx" else compile_to(module, level, inputs=INPUTS[make])


def names_in(module: Operation) -> set[str]:
    """The names of nodes that any operation carries."""
    return {name for op in module.walk() for name in location_names(op.location)}


def computing(module: ModuleOp) -> set[str]:
    """The names of nodes that compute something from the input."""
    depends: set[Operation] = set()
    for op in module.walk():
        if isinstance(op, onnx.OnnxOp) and not isinstance(op, onnx.ConstantOp):
            sources = [operand.owner for operand in op.operands]
            if any(not isinstance(s, Operation) or s in depends for s in sources):
                depends.add(op)
    return {name for op in depends for name in location_names(op.location)}


def nameless(module: ModuleOp, level: str) -> Iterator[Operation]:
    """Operations that should carry a name and do not."""
    for op in module.walk():
        top = isinstance(op.parent_op(), hw.HWModuleOp) and is_top(op.parent_op())
        # What the streams of a design have around them belongs to no node.
        is_glue = level == "hw" and (is_top(op) or (top and not isinstance(op, hw.InstanceOp)))
        if op.name not in FRAME and not is_glue and not location_names(op.location):
            yield op


def is_top(op: Operation | None) -> bool:
    """Whether an operation is the module of the whole design."""
    return isinstance(op, hw.HWModuleOp) and op.sym_visibility is None


pytestmark = pytest.mark.slow


@pytest.mark.parametrize("level", LOWERED)
@pytest.mark.parametrize("make", INPUTS)
def test_every_operation_is_called_by_its_nodes(shared_dir: Path, make: Make, level: str) -> None:
    module = at_level(make, shared_dir, level)
    assert [op.name for op in nameless(module, level)] == []
    assert names_in(module) <= names_in(at_level(make, shared_dir, "onnx"))


@pytest.mark.parametrize("level", LOWERED)
@pytest.mark.parametrize("make", INPUTS)
def test_every_node_can_be_found(shared_dir: Path, make: Make, level: str) -> None:
    nodes = computing(at_level(make, shared_dir, "onnx"))
    assert len(nodes) > 10
    found = names_in(at_level(make, shared_dir, level))
    gone = GONE.get((make, level), set()) | QUANTIZED_ALREADY.get(make, set())
    assert nodes - found == gone


def test_nodes_of_quantized_weights_stay_with_their_layer(shared_dir: Path) -> None:
    names = names_in(at_level(example, shared_dir, "packed"))
    assert "/dense2/weight_quant/export_handler/BipolarQuant" in names


def test_reports_of_layers_name_all_nodes(shared_dir: Path) -> None:
    rows = [
        *software_layers(at_level(cnv, shared_dir, "bnn")),
        *hardware_layers(at_level(cnv, shared_dir, "dataflow")),
    ]
    for name, nodes in (
        ("conv1", ("conv1", "Sign_13", "Add_12")),
        ("MaxPool_14", ("MaxPool_14",)),
        ("fc8", ("fc8",)),
    ):
        assert [row.nodes for row in rows if row.name == name] == [nodes, nodes]


def test_layers_keep_their_names(shared_dir: Path) -> None:
    """A layer that took thresholds in is called as before; the first name counts."""
    module = at_level(cnv, shared_dir, "dataflow")
    layers = [op.layer_name for op in module.walk() if isinstance(op, dataflow.MvuOp)]
    assert layers == [*(f"conv{i}" for i in range(6)), "fc6", "fc7", "fc8"]


@pytest.mark.parametrize("make", INPUTS)
def test_verilog_says_which_nodes_a_module_comes_from(shared_dir: Path, make: Make) -> None:
    module = at_level(make, shared_dir, "hw")
    texts = {file.name: file.text for file in print_design(module)}
    for op in module.walk():
        if isinstance(op, hw.HWModuleOp) and not is_top(op):
            head = texts[op.sym_name.data].split("`default_nettype none")[0]
            assert all(line.startswith("//") for line in head.splitlines() if line)
            assert_names(head, op)
        if isinstance(op, hw.InstanceOp):
            parent = op.parent_op()
            assert isinstance(parent, hw.HWModuleOp)
            if is_top(parent):
                name = re.escape(op.instance_name.data)
                comment = re.search(
                    rf"((?:  // [^\n]*\n)+)  \w+ {name} \(", texts[parent.sym_name.data]
                )
                assert comment is not None, f"{op.instance_name.data} has no comment"
                assert_names(comment[1], op)


def assert_names(comment: str, op: Operation) -> None:
    """The comment lists the nodes of an operation."""
    told = re.sub(r"\s*//\s*", "", comment.split("ONNX node")[1])
    assert told.lstrip("s").removeprefix(": ").strip() == "+".join(location_names(op.location))


@pytest.mark.parametrize("make", INPUTS)
def test_c_says_which_nodes_a_layer_comes_from(shared_dir: Path, make: Make) -> None:
    module = at_level(make, shared_dir, "packed")
    (text,) = emit_c(module).files.values()
    comments = re.findall(r"/\* \w+: [^*]*?ONNX nodes?: ([^*]*) \*/", text)
    told = {name for comment in comments for name in re.sub(r"\n\s*", "", comment).split("+")}
    kernels = {
        name
        for op in module.walk()
        if op.name not in (*FRAME, "packed.input", "packed.output")
        for name in location_names(op.location)
    }
    assert told == kernels


NET = """
func.func @net(%x: tensor<4xui8>) -> tensor<2xsi3> {
  %a = bnn.threshold %x at <tensor<1x1xui8>, [128]> bias 0 : tensor<4xui8> -> tensor<4x!bnn.bipolar>
  %b = bnn.linear %a, <tensor<2x4x!bnn.bipolar>, [1, 1, -1, 1, -1, 1, 1, -1]>
    : tensor<4x!bnn.bipolar> -> tensor<2xsi4>
  %c = bnn.threshold %b at <tensor<2x1xui1>, [0, 1]> bias 0
    : tensor<2xsi4> -> tensor<2x!bnn.bipolar>
  %d = bnn.linear %c, <tensor<2x2x!bnn.bipolar>, [1, 1, -1, 1]>
    : tensor<2x!bnn.bipolar> -> tensor<2xsi3>
  func.return %d : tensor<2xsi3>
}
"""

HOSTILE = (
    "evil */ int evil; /*",
    "evil\nendmodule\nmodule evil;",
    "evil\r`include evil",
    "evil\x1b[31m\x00\u202e\u2028",
    "evil\\",
    "evil??/",
    "evil" * 20_000,
    "evil+$name$calls",
    '"evil',
)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_no_name_gets_out_of_its_comment(name: str) -> None:
    texts: list[str] = []
    for level in ("hw", "packed"):
        module = parse(NET)
        for op in module.walk():
            op.location = Name(StringAttr(name), NoneAttr())
        compile_to(module, level)
        if level == "hw":
            texts += [re.sub(r"//[^\n]*", "", file.text) for file in print_design(module)]
            whole = "".join(file.text for file in print_design(module))
        else:
            (whole,) = emit_c(module).files.values()
            texts.append(re.sub(r"/\*.*?\*/", "", whole, flags=re.DOTALL))
        assert "evil" in whole
        assert all(letter.isprintable() or letter == "\n" for letter in whole)
        assert all(len(line) <= 120 for line in whole.splitlines() if "ONNX" in line)
        assert not re.search(r"//[^\n]*\\\n", whole)
    for text in texts:
        # What is left are identifiers.
        outside = re.sub(r"\w+", "", text)
        assert "evil" not in outside
        assert not re.search(r"\bint evil\b|\bmodule evil\b|`include", text)
