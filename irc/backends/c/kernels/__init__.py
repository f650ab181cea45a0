"""The C text of each op of the `packed` dialect; a new op is a new entry here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xdsl.ir import Operation

from irc.backends.c.kernels.add import emit_add, emit_float_add
from irc.backends.c.kernels.channels import emit_channel_dense
from irc.backends.c.kernels.dense import (
    emit_int_dense,
)
from irc.backends.c.kernels.elementwise import (
    emit_argmax,
    emit_pack,
    emit_quantize,
)
from irc.backends.c.kernels.float_chain import emit_float_chain
from irc.backends.c.kernels.move import (
    emit_concat,
    emit_slice,
    emit_transpose,
    emit_upsample,
)
from irc.backends.c.kernels.pad import emit_pad
from irc.backends.c.kernels.patches import emit_patches
from irc.backends.c.kernels.planes import emit_plane_dense
from irc.backends.c.kernels.pool import (
    emit_group_dense,
    emit_max_pool,
    emit_or_pool,
    emit_sum_pool,
)
from irc.backends.c.kernels.quantize_float import (
    emit_float_quantize,
    emit_float_threshold,
    emit_softmax,
)
from irc.backends.c.kernels.sign import emit_sign_dense
from irc.backends.c.kernels.xnor import emit_xnor_dense
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
    packed.FloatQuantizeOp: emit_float_quantize,
    packed.FloatThresholdOp: emit_float_threshold,
    packed.SoftmaxOp: emit_softmax,
    packed.FloatAddOp: emit_float_add,
    packed.AddOp: emit_add,
    packed.TransposeOp: emit_transpose,
    packed.ConcatOp: emit_concat,
    packed.SliceOp: emit_slice,
    packed.UpsampleOp: emit_upsample,
    packed.PatchesOp: emit_patches,
    packed.ChannelDenseOp: emit_channel_dense,
    packed.GroupDenseOp: emit_group_dense,
    packed.PadOp: emit_pad,
    packed.OrPoolOp: emit_or_pool,
    packed.MaxPoolOp: emit_max_pool,
    packed.SumPoolOp: emit_sum_pool,
}
