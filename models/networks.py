"""The convolutions of two networks that everybody knows: their shapes, for an image of 224x224."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from conv_core.models.layer import Layer, same_pads

IMAGE = 224
CLASSES = 1000
CLASSIFIER = "classifier"
"""The name of the last layer, which is fully connected: a 1x1 convolution on a 1x1 image."""

Named = tuple[str, Layer]


def resnet50() -> dict[str, Layer]:
    """ResNet-50 v1.5: blocks of 1x1, 3x3 (with the stride) and 1x1, beside some a projection.

    Source: He et al., "Deep Residual Learning for Image Recognition", table 1; v1.5 has the stride
    of a block in its 3x3 convolution.
    """
    return dict(_resnet50())


def _resnet50() -> Iterator[Named]:
    yield "conv1", _centred(IMAGE, 3, 64, 7, 2)
    size, channels = IMAGE // 4, 64  # behind a pooling of stride 2
    for stage, (blocks, width) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512)), 2):
        for block in range(1, blocks + 1):
            stride = 2 if block == 1 and stage > 2 else 1
            name = f"conv{stage}_{block}"
            if block == 1:
                yield f"{name} projection", _centred(size, channels, 4 * width, 1, stride)
            yield f"{name} a", _centred(size, channels, width, 1, 1)
            yield f"{name} b", _centred(size, width, width, 3, stride)
            size, channels = size // stride, 4 * width
            yield f"{name} c", _centred(size, width, channels, 1, 1)
    yield CLASSIFIER, _centred(1, channels, CLASSES, 1, 1)


def mobilenet_v1() -> dict[str, Layer]:
    """MobileNet v1, width 1: depthwise 3x3 and pointwise 1x1 in turn.

    Source: Howard et al., "MobileNets", table 1; padding `same`.
    """
    return dict(_mobilenet_v1())


def _mobilenet_v1() -> Iterator[Named]:
    yield "conv1", same_layer(IMAGE, 3, 32, 3, 2)
    size, channels = IMAGE // 2, 32
    blocks = [(1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512)]
    blocks += [(1, 512)] * 5 + [(2, 1024), (1, 1024)]
    for block, (stride, width) in enumerate(blocks, 1):
        yield (
            f"conv{block} depthwise",
            same_layer(size, channels, channels, 3, stride, groups=channels),
        )
        size //= stride
        yield f"conv{block} pointwise", same_layer(size, channels, width, 1, 1)
        channels = width
    yield CLASSIFIER, same_layer(1, channels, CLASSES, 1, 1)


NETWORKS: Mapping[str, Callable[[], dict[str, Layer]]] = {
    "ResNet-50 v1.5": resnet50,
    "MobileNet v1": mobilenet_v1,
}


def _centred(size: int, channels: int, filters: int, kernel: int, stride: int) -> Layer:
    """As much padding on each side."""
    return _square(size, channels, filters, kernel, stride, (kernel // 2,) * 4, 1)


def same_layer(
    size: int, channels: int, filters: int, kernel: int, stride: int, *, groups: int = 1
) -> Layer:
    """A square image, a square kernel, padding `same`, int8 results."""
    pads = same_pads((size, size), (kernel, kernel), (stride, stride))
    return _square(size, channels, filters, kernel, stride, pads, groups)


def _square(
    size: int,
    channels: int,
    filters: int,
    kernel: int,
    stride: int,
    pads: tuple[int, ...],
    groups: int,
) -> Layer:
    top, left, bottom, right = pads
    return Layer(
        1,
        size,
        size,
        channels,
        filters,
        (kernel, kernel),
        (stride, stride),
        pads=(top, left, bottom, right),
        groups=groups,
        requantise=True,
    )
