"""Layers and results to files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from conv_core.models.files import write_whole
from conv_core.models.layer import Int8Array, Int32Array, LayerCase


def write_layer(path: str | Path, case: LayerCase) -> None:
    """Writes a case as a layer file that `read_layer` reads back, whole or not at all."""
    layer = case.layer
    tensors: dict[str, Any] = {
        "x": case.x,
        "w": case.w,
        "w_layout": "OHWI",
        "w_zp": case.w_zp,
        "bias": case.bias,
        "stride": layer.stride,
        "dil": layer.dilation,
        "pads": layer.pads,
        "groups": layer.groups,
        "in_zp": layer.in_zp,
        "out_zp": layer.out_zp,
        "act_min": layer.act_min,
        "act_max": layer.act_max,
        "mult": case.mult,
        "shift": case.shift,
        "scale": case.scale,
        "acc": case.expected_acc,
        "y": case.expected_y,
    }
    if layer.requantise:
        tensors["rounding"] = layer.rounding
    _write(Path(path), {field: value for field, value in tensors.items() if value is not None})


def write_result(folder: str | Path, name: str, values: Int8Array | Int32Array) -> Path:
    """Writes the results (N, OH, OW, Cout) of layer `name`: `acc` if int32, `y` if int8.

    The folder is made where it is missing.
    """
    field = {"int32": "acc", "int8": "y"}[values.dtype.name]
    path = Path(folder) / f"{name}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, {field: values})
    return path


def _write(path: Path, tensors: dict[str, Any]) -> None:
    write_whole(path, lambda file: np.savez(file, **tensors))
