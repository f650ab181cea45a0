"""Random networks as people export them: what differential fuzzing of every level runs on.

    network = random_network(seed)          # the same network for the same seed

    network.model           the ONNX model (`ModelProto`)
    network.declarations    what its inputs really are, for `declare-inputs` and `--input`
    network.frames          [N, …] integers, what a device sees: the input of levels bnn and below
    network.model_frames    [N, …] the same as the ONNX model takes them, float32 or uint8
    network.lowered("bnn")  the module after the named pipelines, at any level
    network.save(folder)    the model and its frames as files; returns what to type to reproduce

These networks are fully connected; `parts.py` holds what they are made of, one method a part. See
`random_mixed_network` for those of everything.
"""

from __future__ import annotations

import hashlib
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto, TensorProto
from xdsl.dialects.builtin import ModuleOp

from irc.dialects.dense import element_range
from irc.flow.lowering import lower_to
from irc.frontend.import_onnx import import_model
from irc.fuzz.networks.choices import Choices, Numbers, SeededChoices
from irc.fuzz.networks.graph import IR_VERSIONS, QONNX_DOMAINS, Export, Graph
from irc.fuzz.networks.parts import Parts
from irc.interp.bnn import to_element_type
from irc.loading import new_context
from irc.passes.streamline.declare_inputs import InputDeclaration

Array = npt.NDArray[Any]

MAX_WIDTH = 40
MAX_HIDDEN_LAYERS = 4
FRAMES = 24

DECLARATIONS = ("bipolar", "uint8", "uint8/255", "int8*0.0078125", "uint4/15-0.5")

SCRATCH = Path(tempfile.gettempdir()) / "irc-counterexamples"


@dataclass(frozen=True)
class RandomNetwork:
    """A model, its declared inputs and some frames; see the module's text."""

    model: ModelProto
    declarations: tuple[str, ...]
    frames: Array
    model_frames: Array
    is_nice: bool
    """Whether all constants are small multiples of powers of two, so that few sums round."""

    def lowered(self, level: str) -> ModuleOp:
        """The network at a level below onnx, verified after every pass."""
        module = import_model(self.model)
        lower_to(new_context(), module, level, {"declare-inputs": {"inputs": self.declarations}})
        return module

    def save(self, folder: Path = SCRATCH) -> str:
        """Write the model and its frames; returns the command that runs them again."""
        folder.mkdir(parents=True, exist_ok=True)
        data = self.model.SerializeToString()
        stem = folder / f"network_{hashlib.sha256(data).hexdigest()[:12]}"
        stem.with_suffix(".onnx").write_bytes(data)
        np.savez(stem.with_suffix(".npz"), x=self.frames)
        inputs = "".join(f" --input {text}" for text in self.declarations)
        return f"irc verify {stem}.onnx --data {stem}.npz{inputs}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        # Hypothesis prints this: the nodes say more than any bytes.
        nodes = "\n".join(f"  {onnx.printer.to_text(node)}" for node in self.model.graph.node)
        printer.text(f"RandomNetwork(inputs {self.declarations},\n{nodes}\n)")


def random_network(seed: int) -> RandomNetwork:
    """The network that belongs to a seed."""
    return make_network(SeededChoices(seed))


def make_network(choices: Choices) -> RandomNetwork:
    """A network from random decisions."""
    export = Export(
        opset=choices.pick(tuple(IR_VERSIONS)[::-1]),
        domain=choices.pick((*QONNX_DOMAINS, None)),
        dynamic_batch=choices.pick((False, True)),
        listed_initializers=choices.pick((False, True)),
    )
    graph = Graph(export)
    numbers = Numbers(choices.integer(0, 2**16), choices.pick((True, False)))
    parts = Parts(graph, choices, numbers)

    declaration = InputDeclaration.parse(choices.pick(DECLARATIONS))
    # A model may take the integers itself and do the arithmetic of the declaration in floats.
    is_integer = declaration.text == "uint8" and choices.pick((False, True))
    width = choices.integer(1, MAX_WIDTH)
    shape = choices.pick(((width,), (1, 1, width), (width, 1)))
    value = "x"
    if len(shape) > 1:
        value = _flattened(graph, choices, value, width)
    if is_integer:
        value = graph.node("Cast", value, to=TensorProto.FLOAT)
    value = _preprocessed(parts, value, width)
    for _ in range(choices.integer(0, MAX_HIDDEN_LAYERS)):
        rows = choices.integer(1, MAX_WIDTH)
        value = parts.linear(value, rows, width)
        for _ in range(choices.integer(0, 3)):
            value = parts.tail(value, rows)
        value, width = parts.quantizer(value), rows
    rows = choices.integer(1, MAX_WIDTH)
    value = parts.linear(value, rows, width)
    output_type = TensorProto.FLOAT
    for _ in range(choices.integer(0, 2)):
        value = parts.tail(value, rows)
    if choices.pick((False, True)):
        value = graph.node("ArgMax", value, axis=choices.pick((-1, 1)), keepdims=1)
        output_type = TensorProto.INT64

    frames = random_frames(numbers, declaration, shape)
    dtype = TensorProto.UINT8 if is_integer else TensorProto.FLOAT
    return RandomNetwork(
        graph.model(dtype, shape, value, output_type, 1),
        () if is_integer else (f"x={declaration.text}",),
        frames,
        frames.astype(np.uint8) if is_integer else declared_floats(declaration, frames),
        numbers.nice,
    )


def _flattened(graph: Graph, choices: Choices, value: str, width: int) -> str:
    if choices.pick((False, True)):
        return graph.node("Reshape", value, graph.constant([-1, width], np.int64))
    return graph.node("Flatten", value, axis=1)


def _preprocessed(parts: Parts, value: str, width: int) -> str:
    """What models carry between their input and the first layer."""
    if parts.choices.pick((False, True)):
        value = parts.graph.node("Mul", value, parts.graph.constant(2))
        value = parts.graph.node("Sub", value, parts.graph.constant(1))
    kind = parts.choices.pick(("quantized", "as it is", "normalized"))
    if kind == "normalized":
        value = parts.batch_norm(value, width) if width > 1 else value
    return value if kind == "as it is" else parts.quantizer(value)


def random_frames(numbers: Numbers, declaration: InputDeclaration, shape: tuple[int, ...]) -> Array:
    """Random frames, the extreme ones first."""
    low, high = element_range(declaration.element_type)
    if declaration.text == "bipolar":
        values = numbers.signs(FRAMES, math.prod(shape))
    else:
        values = numbers.integers(low, high, FRAMES, math.prod(shape))
    values[0], values[1] = low, high
    return to_element_type(values.reshape(FRAMES, *shape), declaration.element_type)


def declared_floats(declaration: InputDeclaration, frames: Array) -> Array:
    """Spelt out here again, so that a wrong declaration is noticed."""
    floats = frames.astype(np.float32)
    match declaration.fn:
        case "div":
            floats = floats / np.float32(declaration.constant)
        case "mul":
            floats = floats * np.float32(declaration.constant)
        case _:
            pass
    return floats + np.float32(declaration.offset) if declaration.offset else floats
