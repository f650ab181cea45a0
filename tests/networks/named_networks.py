"""The networks that people train for small devices, with random weights and in small sizes.

    network = NETWORKS["resnet8"]("qonnx")

Each is exported with the quantizers of QONNX or with `QuantizeLinear` and `DequantizeLinear`.
"""

from __future__ import annotations

from named_parts import NamedParts, begin

from irc.fuzz.networks.random_network import RandomNetwork


def mobilenet(dialect: str) -> RandomNetwork:
    """MobileNet v1's depthwise separable blocks at 4 bits, 8 bits in the first and last layer."""
    shape = (3, 16, 16)
    parts, frames = begin(dialect, shape, "uint8/255")
    value = parts.quantized("x", 8, False, 1 / 255)
    value = parts.normalized(parts.conv(value, 8, 8, stride=2))
    value = parts.relu(value, 4, 0.2)
    for rows, stride in ((12, 1), (16, 2), (16, 1), (24, 2)):
        value = parts.separable(value, rows, 4, stride)
    value = parts.graph.node("GlobalAveragePool", value)
    value = parts.dense(parts.graph.node("Flatten", value, axis=1), 10, 8)
    return parts.network(value, shape, frames, "uint8/255")


def resnet8(dialect: str) -> RandomNetwork:
    """ResNet-8 at 2 bits: three stages, the sums between values at scales of their own."""
    shape = (3, 16, 16)
    parts, frames = begin(dialect, shape, "uint8/255")
    value = parts.quantized("x", 8, False, 1 / 255)
    value = parts.normalized(parts.conv(value, 8, 8))
    value = parts.relu(value, 2, 0.75)
    for rows, stride in ((8, 1), (12, 2), (16, 2)):
        value = _residual(parts, value, rows, stride)
    value = parts.graph.node("GlobalAveragePool", value)
    value = parts.dense(parts.graph.node("Flatten", value, axis=1), 10, 8)
    return parts.network(value, shape, frames, "uint8/255")


def _residual(parts: NamedParts, value: str, rows: int, stride: int) -> str:
    """Two convolutions beside a shortcut, which a 1×1 convolution brings to their size."""
    channels, space = parts.channels, parts.space
    body = parts.block(value, rows, 2, stride=stride)
    body = parts.normalized(parts.conv(body, rows, 2))
    body = parts.quantized(body, 2, True, 0.8)
    end = parts.channels, parts.space
    shortcut = value
    if stride > 1 or rows != channels:
        parts.channels, parts.space = channels, space
        shortcut = parts.normalized(parts.conv(value, rows, 2, kernel=1, stride=stride))
        shortcut = parts.quantized(shortcut, 2, True, 0.55)
    parts.channels, parts.space = end
    return parts.relu(parts.graph.node("Add", body, shortcut), 2, 0.6)


def keyword_spotting(dialect: str) -> RandomNetwork:
    """DS-CNN in one dimension: 10 coefficients over 49 steps, 4-bit activations and weights."""
    shape = (10, 49)
    parts, frames = begin(dialect, shape, "int8*0.0078125")
    value = parts.quantized("x", 8, True, 1 / 128)
    value = parts.normalized(parts.conv(value, 12, 8, kernel=10, stride=2))
    value = parts.relu(value, 4, 0.2)
    for rows in (12, 16, 16, 16):
        value = parts.separable(value, rows, 4, 1)
    value = parts.graph.node("GlobalAveragePool", value)
    value = parts.dense(parts.graph.node("Flatten", value, axis=1), 12, 8)
    return parts.network(value, shape, frames, "int8*0.0078125")


def unet(dialect: str) -> RandomNetwork:
    """Two levels down and up again at 2 bits, with a logit a class for every pixel.

    What a skip connection joins has one scale, or two and a quantizer behind.
    """
    shape = (1, 16, 16)
    parts, frames = begin(dialect, shape, "uint8/255", frames=4)
    value = parts.quantized("x", 8, False, 1 / 255)
    value = parts.relu(parts.normalized(parts.conv(value, 6, 8)), 2, 0.7)
    scales = [0.7, 0.625]
    skips: list[tuple[str, int]] = []
    for rows in (8, 12):
        skips.append((value, parts.channels))
        value = parts.graph.node("MaxPool", value, kernel_shape=[2, 2], strides=[2, 2])
        parts.space = tuple(size // 2 for size in parts.space)
        value = parts.block(value, rows, 2)
    for rows in (8, 6):
        skip, channels = skips.pop()
        value = parts.graph.node("Concat", parts.upsampled(value), skip, axis=1)
        parts.channels += channels
        if scales.pop() != 0.625:
            value = parts.quantized(value, 2, False, 0.65)
        value = parts.block(value, rows, 2)
    value = parts.conv(value, 3, 8, kernel=1)
    return parts.network(value, shape, frames, "uint8/255", rank=3)


def autoencoder(dialect: str) -> RandomNetwork:
    """Dense layers to a bottleneck and back, 8 bits at both ends and 2 within."""
    shape = (64,)
    parts, frames = begin(dialect, shape, "int8*0.0078125", frames=24)
    value = parts.quantized("x", 8, True, 1 / 128)
    value = parts.relu(parts.normalized(parts.dense(value, 24, 8)), 2, 0.7)
    for rows in (16, 6, 16, 24):
        value = parts.relu(parts.normalized(parts.dense(value, rows, 2)), 2, 0.7)
    value = parts.normalized(parts.dense(value, 64, 8))
    value = parts.quantized(value, 8, True, 1 / 32)
    return parts.network(value, shape, frames, "int8*0.0078125")


NETWORKS = {
    "mobilenet": mobilenet,
    "resnet8": resnet8,
    "keyword_spotting": keyword_spotting,
    "unet": unet,
    "autoencoder": autoencoder,
}
