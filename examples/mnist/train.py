#!/usr/bin/env python3
"""Train the example network: MNIST, 784-64-64-64-10, one-bit weights and activations.

The network sees one bit a pixel (ink or no ink), and every hidden activation and every weight is
+1 or -1. It is trained with straight-through gradients (Courbariaux et al., "Binarized Neural
Networks", 2016) to imitate a small float network (Hinton et al., "Distilling the Knowledge in a
Neural Network", 2015), and leaves as QONNX through Brevitas.

    pip install -e '.[train]'
    python examples/mnist/train.py --data PATH

Exports [N, 1, 28, 28] float32 (a pixel divided by 255) to [N, 10] float32 logits.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from mnist_data import Mnist, load_mnist

# Brevitas warns on import of optional packages that nothing here wants.
warnings.filterwarnings("ignore", category=UserWarning, module="brevitas")
try:
    import onnx
    import onnxoptimizer  # noqa: F401, Brevitas would ask for it only after the training
    import torch
    import torch.nn.functional as F  # noqa: N812, the name that everybody gives it
    from brevitas.export import export_qonnx
    from brevitas.nn import QuantIdentity, QuantLinear
    from brevitas.quant.binary import (
        SignedBinaryActPerTensorConst,
        SignedBinaryWeightPerTensorConst,
    )
    from torch import Tensor, nn
except ModuleNotFoundError as error:
    sys.exit(f"error: {error.name} is not installed; install it with: pip install -e '.[train]'")

HERE = Path(__file__).resolve().parent
DEFAULT_DATA = HERE.parents[2] / "shared" / "data" / "mnist_train.npz"

HIDDEN = (64, 64, 64)
# A pixel is ink from a quarter of full brightness on: thin strokes survive better than with a half.
INK_THRESHOLD = 0.25
BATCH = 256
# Weights are clipped to [-1, 1] and only their sign counts, so that an Adam step of 0.02 is what
# lets them change sign often enough; 0.002 leaves the accuracy three points lower.
LEARNING_RATE = 0.02
TEACHER_EPOCHS = 10
TEACHER_LEARNING_RATE = 1e-3
# Softening of the teacher's answers, and the share of the loss that they get.
TEMPERATURE = 4.0
DISTILLATION = 0.7
OPSET = 17


class UnitWeight(SignedBinaryWeightPerTensorConst):
    """One-bit weights, +1 and -1; the float weights behind them stay within [-1, 1]."""

    scaling_const = 1.0


def sign() -> nn.Module:
    """x >= 0 gives +1, x < 0 gives -1; the gradient passes where |x| <= 1."""
    return QuantIdentity(act_quant=SignedBinaryActPerTensorConst)


def dense(inputs: int, outputs: int) -> nn.Module:
    layer = QuantLinear(inputs, outputs, bias=False, weight_quant=UnitWeight)
    nn.init.uniform_(layer.weight, -1.0, 1.0)
    return layer


class Student(nn.Module):
    """The binary network; attribute names become the node names in the ONNX file."""

    def __init__(self) -> None:
        super().__init__()
        self.ink = sign()
        width = 28 * 28
        for number, outputs in enumerate(HIDDEN, start=1):
            self.add_module(f"dense{number}", dense(width, outputs))
            self.add_module(f"norm{number}", nn.BatchNorm1d(outputs))
            self.add_module(f"sign{number}", sign())
            width = outputs
        self.classify = dense(width, 10)
        # One positive scale for all classes: softmax needs it, and the order of the integer sums
        # stays the order of the logits.
        self.log_scale = nn.Parameter(torch.tensor(math.log(0.15)))
        self.register_buffer("scale", torch.tensor(0.15))

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits [N, 10] of `pixels` [N, 1, 28, 28], from 0 to 1."""
        x = self.ink(torch.flatten(pixels, 1) - INK_THRESHOLD)
        for number in range(1, len(HIDDEN) + 1):
            for stage in ("dense", "norm", "sign"):
                x = self.get_submodule(f"{stage}{number}")(x)
        scale = self.log_scale.exp() if self.training else self.scale
        return self.classify(x) * scale

    def freeze(self) -> None:
        """Keep of every weight what the network uses: its sign. Zero counts as +1."""
        with torch.no_grad():
            self.scale.copy_(self.log_scale.exp())
            for module in self.modules():
                if isinstance(module, QuantLinear):
                    module.weight.copy_(torch.where(module.weight >= 0, 1.0, -1.0))


def build_teacher() -> nn.Module:
    """A float network that sees the same one-bit pixels."""

    def block(inputs: int, outputs: int) -> list[nn.Module]:
        return [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU(), nn.Dropout(0.3)]

    return nn.Sequential(*block(28 * 28, 512), *block(512, 256), nn.Linear(256, 10))


def shifted(images: Tensor) -> Tensor:
    """Each of `images` [N, 1, 28, 28] moved by -1, 0 or 1 pixel along both axes, at random."""
    padded = F.pad(images, (1, 1, 1, 1))
    moves = torch.randint(0, 9, (len(images),))
    result = torch.empty_like(images)
    for move in range(9):
        chosen = moves == move
        top, left = divmod(move, 3)
        result[chosen] = padded[chosen][:, :, top : top + 28, left : left + 28]
    return result


def batches(count: int) -> Iterator[Tensor]:
    """Random batches of indices below `count`. The last, short one is left out: BatchNorm."""
    order = torch.randperm(count)
    return (order[at : at + BATCH] for at in range(0, count - BATCH + 1, BATCH))


def fit(
    name: str,
    model: nn.Module,
    count: int,
    epochs: int,
    learning_rate: float,
    loss_of: Callable[[Tensor], Tensor],
) -> None:
    """Minimise `loss_of(indices)` with Adam; the learning rate follows half a cosine to 0."""
    optimizer = torch.optim.Adam(model.parameters(), learning_rate)
    steps = epochs * (count // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    model.train()
    start = time.monotonic()
    for epoch in range(1, epochs + 1):
        total = 0.0
        for indices in batches(count):
            optimizer.zero_grad()
            loss = loss_of(indices)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        left = (time.monotonic() - start) / epoch * (epochs - epoch)
        mean = total / (count // BATCH)
        line = f"{name}: epoch {epoch}/{epochs}, loss {mean:.4f}, {left:.0f} s left"
        # On a terminal one line that is rewritten; in a log every tenth.
        if sys.stderr.isatty():
            print(f"\r\x1b[K{line}", end="" if epoch < epochs else "\n", file=sys.stderr)
        elif epoch % 10 == 0 or epoch == epochs:
            print(line, file=sys.stderr, flush=True)
    model.eval()


def train(data: Mnist, epochs: int, seed: int) -> nn.Module:
    """The trained network, its weights exactly +1 and -1, in evaluation mode."""
    torch.manual_seed(seed)
    pixels = torch.from_numpy(data.images.astype(np.float32) / 255).unsqueeze(1)
    labels = torch.from_numpy(data.labels.astype(np.int64))

    def ink(images: Tensor) -> Tensor:
        return torch.where(images.flatten(1) >= INK_THRESHOLD, 1.0, -1.0)

    teacher = build_teacher()

    def teacher_loss(indices: Tensor) -> Tensor:
        return F.cross_entropy(teacher(ink(shifted(pixels[indices]))), labels[indices])

    fit("teacher", teacher, len(pixels), TEACHER_EPOCHS, TEACHER_LEARNING_RATE, teacher_loss)
    with torch.no_grad():
        answers = torch.cat([teacher(ink(part)) for part in pixels.split(4096)])
    targets = F.softmax(answers / TEMPERATURE, dim=1)

    student = Student()

    def student_loss(indices: Tensor) -> Tensor:
        logits = student(pixels[indices])
        right = F.cross_entropy(logits, labels[indices])
        alike = F.kl_div(
            F.log_softmax(logits / TEMPERATURE, dim=1), targets[indices], reduction="batchmean"
        )
        return (1 - DISTILLATION) * right + DISTILLATION * TEMPERATURE**2 * alike

    fit("binary network", student, len(pixels), epochs, LEARNING_RATE, student_loss)
    student.freeze()
    return student


def export(model: nn.Module, path: Path) -> None:
    """Write `model` as QONNX with a dynamic batch, checked, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    try:
        export_qonnx(
            model,
            torch.zeros(1, 1, 28, 28),
            export_path=str(partial),
            input_names=["image"],
            output_names=["logits"],
            dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}},
            opset_version=OPSET,
            # The exporter through TorchScript writes plain names and one self-contained file; the
            # newer one adds Python stack traces with the paths of the machine it ran on.
            dynamo=False,
            keep_initializers_as_inputs=False,
        )
        onnx.checker.check_model(str(partial))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def accuracy(model: nn.Module, data: Mnist) -> float:
    """The share of `data` that PyTorch classifies rightly."""
    with torch.no_grad():
        pixels = torch.from_numpy(data.images.astype(np.float32) / 255).unsqueeze(1)
        classes = torch.cat([model(part).argmax(1) for part in pixels.split(4096)])
    return float((classes.numpy() == data.labels).mean())


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Train the example network on MNIST and export it as QONNX.",
        epilog="The same seed, packages and processor give the same file, byte for byte.",
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=DEFAULT_DATA,
        metavar="PATH",
        help=".npz with keys x, y or x_train, y_train, or a folder with the original IDX files, "
        "plain or .gz (default: %(default)s)",
    )
    parser.add_argument("--epochs", type=int, default=150, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument(
        "--out",
        type=Path,
        default=HERE / "mnist_64x3_1w1a.onnx",
        metavar="FILE",
        help="default: %(default)s",
    )
    arguments = parser.parse_args()
    if arguments.epochs < 1:
        parser.error("--epochs: at least 1")

    # More threads are no faster on layers this small, and sum in an order that depends on them.
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        data = load_mnist(arguments.data)
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        model = train(data, arguments.epochs, arguments.seed)
        export(model, arguments.out)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nerror: interrupted; nothing was written", file=sys.stderr)
        return 130
    print(f"{arguments.out}: {accuracy(model, data):.2%} of the {len(data.images)} training images")
    return 0


if __name__ == "__main__":
    sys.exit(main())
