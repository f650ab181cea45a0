"""Where weights say that they lie: outside of the model's folder, in devices, in no file at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from model_files import initializer, network, node_named
from onnx import AttributeProto, ModelProto, StringStringEntryProto, TensorProto, helper

SECRET = b"\xde\xad\xbe\xef" * 48
"""What nobody may read: as many bytes as the weights take."""

OWN = bytes(range(192))
"""The weights [8, 6] of float32."""

Entries = tuple[dict[str, str], bool]


def place(folder: Path) -> None:
    """The model's folder, and what lies around it."""
    folder.mkdir()
    (folder / "inner").mkdir()
    (folder / "own.bin").write_bytes(OWN)
    (folder / "inner" / "own.bin").write_bytes(OWN)
    (folder / "short.bin").write_bytes(OWN[:50])
    for name in ("secret.bin", "model-secret.bin"):
        (folder.parent / name).write_bytes(SECRET)
    (folder / "link.bin").symlink_to("../secret.bin")
    (folder / "chain.bin").symlink_to("link.bin")
    (folder / "out").symlink_to("..")
    (folder / "inner" / "up").symlink_to("../..")
    (folder / "loop.bin").symlink_to("loop.bin")
    (folder / "zero.bin").symlink_to("/dev/zero")
    (folder / "gone.bin").symlink_to("nowhere.bin")
    os.mkfifo(folder / "pipe.bin")


def at(location: str, taken: bool = False, **entries: str) -> Entries:
    """What a tensor says of its data, and whether they are there to be read."""
    return {"location": location, **entries}, taken


LOCATIONS: dict[str, Entries] = {
    "beside the model": at("own.bin", True),
    "in a folder inside": at("inner/own.bin", True),
    "with a dot": at("./own.bin", True),
    "up": at("../secret.bin"),
    "down and up": at("inner/../../secret.bin"),
    "up and back": at("../model/own.bin"),
    "a sibling that begins alike": at("../model-secret.bin"),
    "absolute": at("/etc/passwd"),
    "absolute with two slashes": at("//etc/passwd"),
    "device": at("/dev/zero"),
    "device by descriptor": at("/dev/fd/0"),
    "process": at("/proc/self/environ"),
    "drive": at("C:\\secret.bin"),
    "drive with slashes": at("C:/secret.bin"),
    "drive without a slash": at("C:secret.bin"),
    "backslashes up": at("..\\secret.bin"),
    "backslashes inside": at("inner\\..\\..\\secret.bin"),
    "network share": at("\\\\server\\share\\secret.bin"),
    "device of Windows": at("\\\\.\\PhysicalDrive0"),
    "URL": at("file:///etc/passwd"),
    "web": at("http://localhost/secret.bin"),
    "home": at("~/secret.bin"),
    "variable": at("$HOME/secret.bin"),
    "command": at("$(cat ../secret.bin)"),
    "percent": at("..%2fsecret.bin"),
    "NUL behind": at("own.bin\0.txt"),
    "NUL before": at("\0own.bin"),
    "line end": at("own.bin\n"),
    "100 kB": at("a" * 100_000),
    "10,000 folders": at("a/" * 10_000 + "own.bin"),
    "nothing": at(""),
    "blank": at(" "),
    "dot": at("."),
    "folder": at("inner"),
    "link": at("link.bin"),
    "link to a link": at("chain.bin"),
    "folder that is a link": at("out/secret.bin"),
    "folder inside that is a link": at("inner/up/secret.bin"),
    "link to itself": at("loop.bin"),
    "link to a device": at("zero.bin"),
    "link to nothing": at("gone.bin"),
    "pipe": at("pipe.bin"),
    "missing": at("nowhere.bin"),
    "too short": at("short.bin"),
    "offset beyond": at("own.bin", offset="1"),
    "offset of 2^64": at("own.bin", offset=str(2**64)),
    "offset of 1,000 digits": at("own.bin", offset="9" * 1000),
    "offset of 5,000 digits": at("own.bin", offset="9" * 5000),
    "offset below": at("own.bin", offset="-1"),
    "offset in hexadecimal": at("own.bin", offset="0x0"),
    "offset as a fraction": at("own.bin", offset="0.0"),
    "offset in other digits": at("own.bin", offset="٠"),
    "offset with a blank": at("own.bin", offset=" 0"),
    "length of 2^63": at("own.bin", length=str(2**63)),
    "length of 0": at("own.bin", length="0"),
    "length below": at("own.bin", length="-192"),
    "length too short": at("own.bin", length="10"),
}
"""Entries of external data by what is odd about them, and whether they may be read."""


def write_model(path: Path, entries: dict[str, str], tensor: str) -> None:
    """The network with its first weights elsewhere: as an initializer, or in a `Constant`."""
    model = network()
    weights = initializer(model, "w1")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        weights.external_data.append(StringStringEntryProto(key=key, value=value))
    if tensor == "attribute":
        moved = TensorProto()
        moved.CopyFrom(weights)
        model.graph.initializer.remove(weights)
        constant = helper.make_node("Constant", [], ["w1"], name="w1", value=moved)
        index = list(model.graph.node).index(node_named(model, "weights1"))
        model.graph.node.insert(index, constant)
    path.write_bytes(model.SerializeToString())


def _lie_outside(tensor: TensorProto, *dims: int) -> None:
    """Let the data of a tensor be where nobody may read."""
    tensor.data_type = TensorProto.FLOAT
    tensor.dims.extend(dims)
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret.bin")


def _beside_a_number(model: ModelProto) -> None:
    norm = node_named(model, "norm")
    epsilon = next((each for each in norm.attribute if each.name == "epsilon"), None)
    if epsilon is None:
        epsilon = norm.attribute.add(name="epsilon", type=AttributeProto.FLOAT, f=1e-5)
    _lie_outside(epsilon.t, 48)
    _lie_outside(epsilon.tensors.add(), 48)


def _uncalled_function(model: ModelProto) -> None:
    constant = helper.make_node("Constant", [], ["b"])
    value = constant.attribute.add(name="value", type=AttributeProto.TENSOR)
    _lie_outside(value.t, 48)
    imports = [helper.make_opsetid("", 17)]
    model.functions.append(helper.make_function("local", "f", [], ["b"], [constant], imports))
    model.opset_import.append(helper.make_opsetid("local", 1))


def _default_of_a_function(model: ModelProto) -> None:
    _uncalled_function(model)
    function = model.functions[0]
    del function.node[0].attribute[:]
    function.node[0].attribute.add(name="value", type=AttributeProto.TENSOR, ref_attr_name="v")
    default = function.attribute_proto.add(name="v", type=AttributeProto.TENSOR)
    _lie_outside(default.t, 48)


def _sparse_weights(model: ModelProto) -> None:
    sparse = model.graph.sparse_initializer.add(dims=[8])
    sparse.values.name = "sparse"
    _lie_outside(sparse.values, 1)
    sparse.values.float_data.append(1.0)
    sparse.indices.CopyFrom(TensorProto(data_type=TensorProto.INT64, dims=[1], int64_data=[0]))


PASSED_OVER: dict[str, tuple[Callable[[ModelProto], None], bool]] = {
    "beside a number": (_beside_a_number, True),
    "in a function that nothing calls": (_uncalled_function, False),
    "a function's default": (_default_of_a_function, False),
    "sparse weights": (_sparse_weights, False),
}
"""Where a tensor outside of the folder may hide from the import; and whether it means nothing."""
