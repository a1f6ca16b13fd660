"""Geometries: each function draws the fields in which its layers differ from ordinary ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.random import Generator

from conv_core.models.layer import (
    MAX_DILATION,
    MAX_KERNEL,
    MAX_STRIDE,
    Layer,
    LayerError,
    same_pads,
)
from conv_core.tb.stimuli.random_layers.draws import between, pads, pair
from conv_core.tb.stimuli.random_layers.mix import Mix

CHANNELS = (1, 2, 3, 4, 5, 7, 8, 12, 15, 16, 17, 24, 31, 32, 33, 48, 64, 65)
PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 67)


def _ordinary(rng: Generator) -> dict[str, Any]:
    return {
        "batch": int(rng.choice((1, 1, 1, 2))),
        "height": between(rng, 1, 12),
        "width": between(rng, 1, 12),
        "in_channels": int(rng.choice(CHANNELS)),
        "out_channels": int(rng.choice(CHANNELS)),
        "kernel": ((1, 1), (3, 3), pair(rng, 1, 5))[rng.integers(3)],
        "stride": (1, 1) if rng.random() < 0.6 else pair(rng, 1, MAX_STRIDE),
        "pads": ("valid", "same", pads(rng, 0, 2))[rng.integers(3)],
    }


def _off_tile(rng: Generator) -> dict[str, Any]:
    return {
        "height": between(rng, 1, 6),
        "width": between(rng, 1, 6),
        "in_channels": int(rng.choice((1, 3, 65))),
        "out_channels": int(rng.choice((1, 3, 65))),
        "kernel": pair(rng, 1, 3),
    }


def _primes(rng: Generator) -> dict[str, Any]:
    fields = ("height", "width", "in_channels", "out_channels")
    return {field: int(rng.choice(PRIMES)) for field in fields}


def _one_pixel(rng: Generator) -> dict[str, Any]:
    return {"height": 1, "width": 1, "pads": pads(rng, 0, 5)}


def _below_kernel(rng: Generator) -> dict[str, Any]:
    kh, kw = pair(rng, 2, MAX_KERNEL)
    return {
        "height": between(rng, 1, kh - 1),
        "width": between(rng, 1, kw - 1),
        "kernel": (kh, kw),
        "pads": pads(rng, 0, MAX_KERNEL),
    }


def _all_padding(rng: Generator) -> dict[str, Any]:
    kh, kw = pair(rng, 1, 4)
    most = (kh, kw, kh, kw)
    top, left, bottom, right = (k + between(rng, 0, 3) for k in most)
    return {
        "height": between(rng, 1, 6),
        "width": between(rng, 1, 6),
        "kernel": (kh, kw),
        "pads": (top, left, bottom, right),
    }


def _asymmetric(rng: Generator) -> dict[str, Any]:
    return {"kernel": pair(rng, 2, 6), "pads": pads(rng, 0, 5)}


def _long_kernel(rng: Generator) -> dict[str, Any]:
    most = MAX_KERNEL
    kernels = ((1, most), (most, 1), (most, most), (21, 1), (11, 11), (17, 3), (2, 9))
    return {
        "height": between(rng, 1, 24),
        "width": between(rng, 1, 24),
        "kernel": kernels[rng.integers(len(kernels))],
        "pads": ("same", pads(rng, 0, most))[rng.integers(2)],
    }


def _strides(rng: Generator) -> dict[str, Any]:
    return {
        "height": between(rng, 1, 24),
        "width": between(rng, 1, 24),
        "stride": pair(rng, 1, MAX_STRIDE),
        "kernel": pair(rng, 1, 7),
    }


def _dense(rng: Generator) -> dict[str, Any]:
    """A fully connected layer: 1x1 on one pixel."""
    return {
        "height": 1,
        "width": 1,
        "kernel": (1, 1),
        "stride": (1, 1),
        "pads": "valid",
        "in_channels": between(rng, 1, 300),
        "out_channels": between(rng, 1, 100),
    }


def _batch(rng: Generator) -> dict[str, Any]:
    return {"batch": between(rng, 2, 5), "height": between(rng, 1, 7)}


GEOMETRIES: dict[str, Callable[[Generator], dict[str, Any]]] = {
    "ordinary": _ordinary,
    "off-tile": _off_tile,
    "primes": _primes,
    "one-pixel": _one_pixel,
    "below-kernel": _below_kernel,
    "all-padding": _all_padding,
    "asymmetric": _asymmetric,
    "long-kernel": _long_kernel,
    "strides": _strides,
    "dense": _dense,
    "batch": _batch,
}


def draw_layer(rng: Generator, kind: str, mix: Mix) -> Layer:
    """Draws until there is a layer with a window, no larger than it may be."""
    while True:
        fields = _ordinary(rng) | GEOMETRIES[kind](rng)
        if mix.dilation and rng.random() < 0.5:
            fields["dilation"] = pair(rng, 1, MAX_DILATION)
        if mix.groups and rng.random() < 0.5:
            fields["groups"] = int(rng.choice((2, 3, 4, 5, 8, 16, 17, 33)))
            depthwise = rng.random() < 0.5
            per_group = 1 if depthwise else between(rng, 1, 5)
            filters = int(rng.choice((1, 1, 2, 3, 4, 5, 8, 17, 33)))
            fields["in_channels"] = fields["groups"] * per_group
            fields["out_channels"] = fields["groups"] * filters
        if fields["pads"] == "same":
            size = fields["height"], fields["width"]
            dilation = fields.get("dilation", (1, 1))
            fields["pads"] = same_pads(size, fields["kernel"], fields["stride"], dilation)
        elif fields["pads"] == "valid":
            fields["pads"] = (0, 0, 0, 0)
        try:
            layer = Layer(**fields)
        except LayerError:
            continue
        if layer.macs <= mix.max_macs:
            return layer
