"""Files that the compiler writes at the `onnx` level."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, ModuleOp
from xdsl.dialects.func import Func
from xdsl.parser import Parser

from irc.dialects import onnx as dialect
from irc.errors import IrcError
from irc.frontend.export_onnx import export_model, save_model
from irc.frontend.import_onnx import import_model

check_model: Any = getattr(onnx.checker, "check_model")  # noqa: B009

ADD = """
builtin.module attributes {onnx.ir_version = 8 : i64, onnx.opset_imports = {"" = 17 : i64}} {
  func.func @net(%x: tensor<2xf32> {onnx.name = "x"}) -> (tensor<2xf32> {onnx.name = "y"}) {
    %w = onnx.Constant #onnx.tensor<tensor<2xf32>, [1.0, 2.0]>
    %y = onnx.Add(%x, %w) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    func.return %y : tensor<2xf32>
  }
}
"""


def parse(text: str) -> ModuleOp:
    ctx = Context()
    ctx.load_dialect(Builtin)
    ctx.load_dialect(Func)
    ctx.register_dialect("onnx", dialect.get_dialect)
    return Parser(ctx, text).parse_module()


def test_text_exports_to_a_valid_model():
    model = export_model(parse(ADD))
    check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node] == ["Add"]
    assert model.graph.initializer[0].name == "w"
    assert model.graph.input[0].name == "x"


@pytest.mark.parametrize(("given", "written"), [(3, 4), (8, 8), (10, 10), (14, 10)])
def test_the_ir_version_is_one_that_runtimes_read(given: int, written: int):
    text = ADD.replace("ir_version = 8", f"ir_version = {given}")
    assert export_model(parse(text)).ir_version == written


def test_new_element_types_raise_the_ir_version():
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT4E2M1, [2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT4E2M1, [2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)])
    assert export_model(import_model(model)).ir_version == 11


def test_saved_files_are_read_back(tmp_path: Path):
    path = tmp_path / "net.onnx"
    save_model(parse(ADD), path)
    check_model(str(path))
    again = import_model(path)
    assert again.is_structurally_equivalent(import_model(export_model(parse(ADD))))


def test_names_never_collide():
    graph = helper.make_graph(
        [
            helper.make_node("Add", ["x", "a/b"], ["a:b"]),
            helper.make_node("Add", ["a:b", "a_b"], ["y"]),
        ],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
        [
            numpy_helper.from_array(np.array([value], np.float32), name)
            for value, name in ((1, "a/b"), (2, "a_b"))
        ],
    )
    module = import_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]))
    model = export_model(module)
    check_model(model)
    names = [t.name for t in model.graph.initializer]
    names += [name for node in model.graph.node for name in node.output]
    assert len(set(names)) == 4


def test_operations_of_other_levels_are_refused():
    text = ADD.replace("onnx.Add(%x, %w) :", '"test.op"(%x, %w) :')
    ctx = Context(allow_unregistered=True)
    ctx.load_dialect(Builtin)
    ctx.load_dialect(Func)
    ctx.register_dialect("onnx", dialect.get_dialect)
    with pytest.raises(IrcError, match="is not an operation of the onnx level"):
        export_model(Parser(ctx, text).parse_module())


def test_modules_of_other_levels_are_refused():
    text = ADD.replace('onnx.opset_imports = {"" = 17 : i64}', "other = 1 : i64")
    with pytest.raises(IrcError, match="it is not at the onnx level"):
        export_model(parse(text))
    with pytest.raises(IrcError, match="expected one public function in the module, found 0"):
        export_model(ModuleOp([]))


def test_places_that_cannot_be_written(tmp_path: Path):
    with pytest.raises(IrcError, match="cannot be written: No such file or directory"):
        save_model(parse(ADD), tmp_path / "nowhere" / "net.onnx")
    with pytest.raises(IrcError, match="cannot be written: Is a directory"):
        save_model(parse(ADD), tmp_path)
    if os.path.exists("/dev/full"):
        with pytest.raises(IrcError, match="cannot be written: No space left on device"):
            save_model(parse(ADD), "/dev/full")
