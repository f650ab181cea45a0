"""The C text of each op of the `packed` dialect; a new op is a new entry here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xdsl.ir import Operation

from irc.backends.c.kernels.dense import (
    emit_int_dense,
    emit_plane_dense,
    emit_sign_dense,
    emit_xnor_dense,
)
from irc.backends.c.kernels.elementwise import (
    emit_argmax,
    emit_pack,
    emit_quantize,
    emit_transpose,
)
from irc.backends.c.kernels.float_chain import emit_float_chain
from irc.backends.c.kernels.pad import emit_pad
from irc.backends.c.kernels.patches import emit_patches
from irc.backends.c.kernels.pool import (
    emit_group_dense,
    emit_max_pool,
    emit_or_pool,
    emit_sum_pool,
)
from irc.backends.c.unit import Unit
from irc.dialects import packed

EMITTERS: dict[type[Operation], Callable[[Unit, Any], None]] = {
    packed.PackOp: emit_pack,
    packed.QuantizeOp: emit_quantize,
    packed.XnorDenseOp: emit_xnor_dense,
    packed.PlaneDenseOp: emit_plane_dense,
    packed.SignDenseOp: emit_sign_dense,
    packed.IntDenseOp: emit_int_dense,
    packed.FloatChainOp: emit_float_chain,
    packed.ArgmaxOp: emit_argmax,
    packed.TransposeOp: emit_transpose,
    packed.PatchesOp: emit_patches,
    packed.GroupDenseOp: emit_group_dense,
    packed.PadOp: emit_pad,
    packed.OrPoolOp: emit_or_pool,
    packed.MaxPoolOp: emit_max_pool,
    packed.SumPoolOp: emit_sum_pool,
}
