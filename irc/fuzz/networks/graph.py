"""ONNX graphs under construction, in the dialect of one exporter or another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

Array = npt.NDArray[Any]

QONNX_DOMAINS = ("qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general")

# The IR version that came with, or before, an opset: new ones must also read old files.
IR_VERSIONS = {9: 4, 10: 5, 11: 6, 12: 7, 13: 7, 14: 7, 15: 8, 16: 8, 17: 8, 18: 8, 19: 9, 20: 9}


@dataclass(frozen=True)
class Export:
    """What differs between exporters and their versions."""

    opset: int
    domain: str | None
    """The QONNX domain; `None` for plain ONNX without QONNX operators."""
    dynamic_batch: bool
    listed_initializers: bool
    """Whether initializers are graph inputs too, as all were before IR version 4."""


@dataclass
class Graph:
    """Nodes and initializers so far. Activations have the batch in front."""

    export: Export
    nodes: list[NodeProto] = field(default_factory=list[NodeProto])
    initializers: list[TensorProto] = field(default_factory=list[TensorProto])

    def constant(self, values: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        """An initializer; returns its name."""
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def node(self, op_type: str, *inputs: str, **attributes: Any) -> str:
        """A node of standard ONNX; returns its first output."""
        return self._append(op_type, inputs, "", attributes)

    def outputs(self, count: int, op_type: str, *inputs: str, **attributes: Any) -> list[str]:
        """A node of standard ONNX with several outputs; returns them."""
        first = self._append(op_type, inputs, "", attributes)
        names = [first, *(f"{first}_{index}" for index in range(1, count))]
        self.nodes[-1].output.extend(names[1:])
        return names

    def qonnx(self, op_type: str, *inputs: str, **attributes: Any) -> str:
        """A node of QONNX; returns its output."""
        assert self.export.domain is not None
        return self._append(op_type, inputs, self.export.domain, attributes)

    def _append(
        self, op_type: str, inputs: tuple[str, ...], domain: str, attributes: dict[str, Any]
    ) -> str:
        index = len(self.nodes)
        output = f"t{index}"
        self.nodes.append(
            helper.make_node(
                op_type, inputs, [output], f"{op_type.lower()}{index}", domain=domain, **attributes
            )
        )
        return output

    @property
    def size(self) -> tuple[int, int]:
        """How far the graph has come: what `cut` goes back to."""
        return len(self.nodes), len(self.initializers)

    def cut(self, size: tuple[int, int]) -> None:
        """Take back all that was added since."""
        del self.nodes[size[0] :]
        del self.initializers[size[1] :]

    def model(
        self, dtype: int, shape: tuple[int, ...], output: str, output_type: int, output_rank: int
    ) -> ModelProto:
        """The finished model with input `x` of frames of `shape`."""
        batch: str | int = "N" if self.export.dynamic_batch else 1
        inputs = [helper.make_tensor_value_info("x", dtype, [batch, *shape])]
        if self.export.listed_initializers:
            inputs += [
                helper.make_tensor_value_info(t.name, t.data_type, t.dims)
                for t in self.initializers
            ]
        # The shape of the result is left to inference, as some exporters leave it.
        result = helper.make_tensor_value_info(output, output_type, [batch] + [None] * output_rank)
        graph = helper.make_graph(
            self.nodes, "random_network", inputs, [result], initializer=self.initializers
        )
        domains = [("", self.export.opset)]
        if self.export.domain is not None:
            domains.append((self.export.domain, 1))
        return helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid(*domain) for domain in domains],
            ir_version=IR_VERSIONS[self.export.opset],
        )
