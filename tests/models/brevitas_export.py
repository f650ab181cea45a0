"""Export networks with Brevitas, untrained and with random statistics: a script, no test.

    python tests/models/brevitas_export.py FOLDER [KIND…]

Needs torch, brevitas and onnxscript: the extra `train`, which `make train-venv` installs into an
environment of its own. Kinds are those of `KINDS`; all without any. Every network is written as
`NAME.qonnx.onnx`, and as `NAME.qcdq.onnx` where Brevitas can (not with bipolar quantizers). Run
`irc verify FILE --input uint8/255 --random N` on what comes out.
"""

# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false
from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import brevitas.nn as qnn
import torch
from brevitas.export import export_onnx_qcdq, export_qonnx
from brevitas.quant import Int8ActPerTensorFloat, Int8WeightPerTensorFloat, Uint8ActPerTensorFloat
from brevitas_examples.bnn_pynq.models import get_model_cfg, model_impl
from torch import nn

PYNQ = ("tfc", "sfc", "lfc", "cnv")
"""Networks that Brevitas has definitions of."""

WIDTHS = ("1w1a", "1w2a", "2w2a")
KINDS = (*PYNQ, "small_cnn")


def normalizations(model: nn.Module) -> list[nn.modules.batchnorm._BatchNorm]:
    """Every batch normalization."""
    return [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]


def randomized(model: nn.Module, seed: int) -> nn.Module:
    """Random statistics, gains of both signs and offsets in every batch normalization."""
    torch.manual_seed(seed)
    for module in normalizations(model):
        module.running_mean.normal_(0, 2)
        module.running_var.uniform_(0.5, 4)
        if module.affine:
            nn.init.normal_(module.weight, 0, 1)
            nn.init.normal_(module.bias, 0, 1)
    return model.eval()


def measured(model: nn.Module, frame: torch.Tensor) -> nn.Module:
    """The statistics of random frames: so few channels would not survive random ones."""
    for module in normalizations(model):
        module.reset_running_stats()
        module.momentum = None
    model.train()
    for _ in range(4):
        model(torch.rand_like(frame).repeat(16, 1, 1, 1))
    return model.eval()


def pynq(kind: str, widths: str) -> nn.Module:
    """One of Brevitas' own definitions; LFC with 2-bit weights, which it has no file for, is made
    from its neighbour."""
    missing = (kind, widths) == ("lfc", "2w2a")
    config = get_model_cfg(f"{kind}_{'1w2a' if missing else widths}")
    if missing:
        config["QUANT"]["WEIGHT_BIT_WIDTH"] = "2"
    return model_impl[config.get("MODEL", "ARCH")](config)


def conv_block(channels: int, filters: int, bits: int, **options: int) -> list[nn.Module]:
    """Convolution, batch normalization and a quantized ReLU."""
    return [
        qnn.QuantConv2d(
            channels,
            filters,
            3,
            padding=1,
            bias=False,
            weight_quant=Int8WeightPerTensorFloat,
            weight_bit_width=bits,
            **options,
        ),
        nn.BatchNorm2d(filters),
        qnn.QuantReLU(act_quant=Uint8ActPerTensorFloat, bit_width=bits),
    ]


def small_cnn(bits: int) -> nn.Module:
    """Two convolutions, a depthwise one, pools, and a dense layer with a bias."""
    return nn.Sequential(
        qnn.QuantIdentity(act_quant=Int8ActPerTensorFloat, bit_width=8),
        *conv_block(3, 8, bits),
        nn.MaxPool2d(2),
        *conv_block(8, 8, bits, groups=8),
        *conv_block(8, 12, bits),
        nn.MaxPool2d(2),
        nn.Flatten(),
        qnn.QuantLinear(
            12 * 2 * 2, 10, bias=True, weight_quant=Int8WeightPerTensorFloat, weight_bit_width=8
        ),
    )


def networks(kind: str) -> Iterator[tuple[str, nn.Module, torch.Tensor]]:
    """Every network of a kind: its name, the network, and an input for it."""
    if kind == "small_cnn":
        for bits in (2, 4, 8):
            yield f"{kind}_{bits}", small_cnn(bits), torch.rand(1, 3, 8, 8)
        return
    shape = (1, 3, 32, 32) if kind == "cnv" else (1, 1, 28, 28)
    for widths in WIDTHS:
        yield f"{kind}_{widths}", pynq(kind, widths), torch.rand(shape)


def main(folder: Path, kinds: list[str]) -> None:
    """Export all networks of some kinds to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    every = ((kind, *net) for kind in kinds or KINDS for net in networks(kind))
    for kind, name, model, frame in every:
        seed = sum(name.encode())
        # A run in training mode gives quantizers with learned scales their first ones.
        randomized(model, seed).train()
        for _ in range(3):
            model(torch.rand_like(frame).repeat(8, 1, 1, 1))
        randomized(model, seed)
        if kind not in PYNQ:
            measured(model, frame)
        for suffix, export in (("qonnx", export_qonnx), ("qcdq", export_onnx_qcdq)):
            path = folder / f"{name}.{suffix}.onnx"
            try:
                export(model, args=frame, export_path=str(path), opset_version=18)
            except Exception as error:  # Brevitas says in many ways what it cannot write.
                path.unlink(missing_ok=True)
                reason = (str(error).splitlines() or [type(error).__name__])[0]
                print(f"{path.name}: {reason}", file=sys.stderr)
            else:
                print(path.name)
            # The exporter of torch leaves the weights of the float model behind.
            path.with_suffix(".onnx.data").unlink(missing_ok=True)


def parse_arguments() -> argparse.Namespace:
    """Where to write, and which kinds."""
    parser = argparse.ArgumentParser(description="Export untrained networks with Brevitas.")
    parser.add_argument("folder", type=Path, help="where the .onnx files go; made if missing")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"{', '.join(KINDS)}; or all")
    arguments = parser.parse_args()
    for kind in arguments.kinds:
        if kind not in KINDS:
            parser.error(f"there is no kind '{kind}'; expected {', '.join(KINDS)}")
    return arguments


if __name__ == "__main__":
    arguments = parse_arguments()
    main(arguments.folder, arguments.kinds)
