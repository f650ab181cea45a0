"""Remove operations at the `onnx` level whose results nothing uses."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from irc.dialects.onnx_op import OnnxOp
from irc.dialects.onnx_structure import NoValueOp
from irc.dialects.onnx_to_proto import entry_function


@dataclass(frozen=True)
class OnnxDcePass(ModulePass):
    """Remove ONNX operations whose results nothing uses."""

    name = "onnx-dce"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        remove_dead_nodes(op)


def remove_dead_nodes(module: ModuleOp) -> bool:
    """Remove dead nodes in one walk from last to first; returns whether there were any.

    Every ONNX operator is free of side effects, random ones included.
    """
    return _clean(entry_function(module).body.block)


def _clean(block: Block) -> bool:
    changed = False
    op = block.last_op
    while op is not None:
        previous = op.prev_op
        if isinstance(op, OnnxOp | NoValueOp):
            if all(result.first_use is None for result in op.results):
                Rewriter.erase_op(op)
                changed = True
            else:
                # Regions first: what they capture is defined further up.
                for inner in (block for region in op.regions for block in region.blocks):
                    changed |= _clean(inner)
        op = previous
    return changed
