"""Layer files: a layer with its tensors in an `.npz`, as README.md describes them, and results.

Whatever makes no sense is refused with a `LayerFileError`, one sentence that names file and field.

What `x` is decides what the other values of the file are:

- int8: everything is as the core has it.
- uint8, as in ONNX: `x`, `y` and what speaks of them (`in_zp`, `out_zp`, `act_min`, `act_max`) are
  0 to 255. All of it is shifted by 128: the core computes, and the results are, y - 128 in int8. A
  zero point that is left out is 0, so -128 after the shift.
- floating point, as Keras gives it: `w` and, if they are there, `bias`, `act_min` and `act_max` (0
  and 6 are a ReLU6) are real numbers, too. The layer is quantised: activations and results with one
  scale and a zero point, weights symmetrically with a scale for each filter; the scale of the
  results is calibrated on the float result. What follows from that (`in_zp`, `out_zp`, `mult`,
  `shift`, `scale`, `w_zp`, `acc`, `y`) may not be in the file; `rounding` may. `load_quantised`
  also gives the scales, and by them the error of the results against the float result.

`w` is int8 or, whatever `x` is, uint8: then `w_zp`, the weights' zero point, one number or one for
each filter, is 0 to 255, and both are shifted by 128.
"""

from __future__ import annotations

import difflib
import os
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conv_core.models.errors import RefusedError
from conv_core.models.layer import (
    INT8_MAX,
    INT8_MIN,
    MAX_KERNEL,
    ROUNDINGS,
    Int8Array,
    Int32Array,
    Layer,
    LayerCase,
    LayerError,
    same_pads,
)
from conv_core.models.quantisation import Quantisation, quantise

# fmt: off
FIELDS = (
    "x", "w", "w_zp", "w_layout", "bias", "stride", "dil", "pads", "padding", "groups", "in_zp",
    "out_zp", "mult", "shift", "scale", "act_min", "act_max", "rounding", "acc", "y",
)
# fmt: on
LAYOUTS = {"OHWI": (0, 1, 2, 3), "HWIO": (3, 0, 1, 2), "OIHW": (0, 2, 3, 1)}
"""The layouts of `w`, and the axes that bring each to OHWI."""
PADDINGS = ("same", "valid")
IN_FILE = {
    "batch": "x (N)",
    "height": "x (H)",
    "width": "x (W)",
    "in_channels": "x (Cin)",
    "out_channels": "w (Cout)",
    "kernel": "w (kernel)",
    "dilation": "dil",
}
"""Where the fields of `Layer` come from in a file, if not from the field of their own name."""

FOLLOWING = ("in_zp", "out_zp", "w_zp", "mult", "shift", "scale", "acc", "y")
"""Fields that follow from the values of a floating point layer."""
FLOATING = "floating point"

Fields = dict[str, NDArray[Any]]


class LayerFileError(RefusedError):
    """A layer file that can't be used: the text names the file, the field and what is wrong."""


def load(path: str | Path) -> LayerCase:
    """The layer of a file. Its name is the file's, without the suffix.

    Raises `LayerFileError`.
    """
    return load_quantised(path)[0]


def load_quantised(path: str | Path) -> tuple[LayerCase, Quantisation | None]:
    """The layer of a file, and its scales if the file holds floating point numbers.

    Raises `LayerFileError`.
    """
    path = Path(path)
    try:
        return _case(path.stem, _read(path))
    except LayerError as error:
        field = IN_FILE.get(error.field, error.field)
        raise LayerFileError(f"{path}: {field}: {error.sentence}") from None


def find(paths: Iterable[str | Path]) -> list[Path]:
    """The layer files that `paths` stand for: a folder is all its `.npz` files, by name.

    Raises `LayerFileError` for what is not there, a folder without layers, and two files of one
    name, whose results would overwrite each other.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        inside = sorted(path.glob("*.npz")) if path.is_dir() else [path]
        if not inside:
            raise LayerFileError(f"{path}: there is no .npz file in this folder")
        found += inside
    seen: dict[str, Path] = {}
    for path in found:
        if not path.exists():
            raise LayerFileError(f"{path}: there is no such file")
        if path.stem in seen:
            raise LayerFileError(f"{path}: {seen[path.stem]} has the same name, rename one of them")
        seen[path.stem] = path
    return found


def save(path: str | Path, case: LayerCase) -> None:
    """Writes a case as a layer file that `load` reads back."""
    layer = case.layer
    tensors: dict[str, Any] = {
        "x": case.x,
        "w": case.w,
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


def save_result(folder: str | Path, name: str, values: Int8Array | Int32Array) -> Path:
    """Writes the results (N, OH, OW, Cout) of layer `name`: `acc` if int32, `y` if int8."""
    field = {"int32": "acc", "int8": "y"}[values.dtype.name]
    path = Path(folder) / f"{name}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, {field: values})
    return path


def _write(path: Path, tensors: Mapping[str, Any]) -> None:
    """Whole or not at all: a reader never sees half a file."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            np.savez(file, **tensors)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _read(path: Path) -> Fields:
    """All arrays of an `.npz` file, each a known field."""
    try:
        archive = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise LayerFileError(f"{path}: there is no such file") from None
    except OSError as error:
        raise LayerFileError(f"{path}: it can't be read: {error.strerror or error}") from None
    except (ValueError, EOFError, zipfile.BadZipFile):
        raise LayerFileError(f"{path}: this is not an .npz file, or a damaged one") from None
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise LayerFileError(f"{path}: this is a single array, not an .npz file of named ones")
    fields: Fields = {}
    with archive:
        for field in archive.files:
            if field not in FIELDS:
                raise LayerError(field, f"there is no such field, {_suggestion(field)}")
            try:
                fields[field] = np.asarray(archive[field])
            except (ValueError, EOFError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error):
                raise LayerError(field, "it is damaged, or holds Python objects") from None
    return fields


def _suggestion(field: str) -> str:
    close = difflib.get_close_matches(field.lower(), FIELDS, 1)
    return f"do you mean {close[0]}?" if close else f"known are {', '.join(FIELDS)}"


def _case(name: str, fields: Fields) -> tuple[LayerCase, Quantisation | None]:
    """The case that a file's fields describe; what they don't say gets the framework's default."""
    x = _tensor(fields, "x", "(N, H, W, Cin)", ("int8", "uint8", FLOATING))
    if x.dtype.kind == "f":
        return _float_case(name, fields, x)
    if x.dtype == np.uint8:
        fields = _shifted(fields)
    w, layer = _weights_and_geometry(fields, x.shape, ("int8", "uint8"))
    w_zp = _weight_zero_points(fields, layer.out_channels, w.dtype)
    _check_quantisation(fields, layer.rounding)
    layer = replace(
        layer,
        in_zp=_number(fields, "in_zp", 0),
        out_zp=_number(fields, "out_zp", 0),
        act_min=_number(fields, "act_min", INT8_MIN),
        act_max=_number(fields, "act_max", INT8_MAX),
        requantise="mult" in fields or "scale" in fields,
    )
    bias = _int32(fields, "bias")
    case = LayerCase(
        name,
        layer,
        fields["x"],
        w if w.dtype == np.int8 else (w ^ 0x80).view(np.int8),
        np.zeros(layer.out_channels, np.int32) if bias is None else bias,
        w_zp,
        mult=_int32(fields, "mult"),
        shift=_int32(fields, "shift"),
        scale=fields.get("scale"),
        expected_acc=_int32(fields, "acc"),
        expected_y=fields.get("y"),
    )
    return case, None


def _weights_and_geometry(
    fields: Fields, shape: tuple[int, ...], kinds: tuple[str, ...]
) -> tuple[NDArray[Any], Layer]:
    """`w` as OHWI, and a layer that knows sizes and rounding, but no zero points and clamps."""
    batch, height, width, in_channels = shape
    groups = _number(fields, "groups", 1)
    w = _weights(fields, in_channels, groups, kinds)
    stride, dilation = _pair(fields, "stride"), _pair(fields, "dil")
    kernel = (w.shape[1], w.shape[2])
    layer = Layer(
        batch,
        height,
        width,
        in_channels,
        out_channels=w.shape[0],
        kernel=kernel,
        stride=stride,
        dilation=dilation,
        pads=_pads(fields, (height, width), kernel, stride, dilation),
        groups=groups,
        rounding=_word(fields, "rounding", ROUNDINGS, "tflite"),
    )
    return w, layer


def _float_case(name: str, fields: Fields, x: NDArray[Any]) -> tuple[LayerCase, Quantisation]:
    for field in FOLLOWING:
        if field in fields:
            raise LayerError(field, f"x is {x.dtype}: leave it out, it follows from the values")
    w, layer = _weights_and_geometry(fields, x.shape, (FLOATING,))
    x, w = _real("x", x), _real("w", w)
    bias = _real("bias", fields.get("bias", np.zeros(layer.out_channels)), (layer.out_channels,))
    low = float(_real("act_min", fields["act_min"], ())) if "act_min" in fields else -np.inf
    high = float(_real("act_max", fields["act_max"], ())) if "act_max" in fields else np.inf
    if low > high:
        raise LayerError("act_min", f"{low:g} is above act_max, {high:g}")
    return quantise(name, layer, x, w, bias, (low, high))


def _real(
    field: str, values: NDArray[Any], shape: tuple[int, ...] | None = None
) -> NDArray[np.float64]:
    if values.dtype.kind not in "fiu":
        raise LayerError(field, f"it is {values.dtype}, x is floating point, so it must be, too")
    if shape is not None and values.shape != shape:
        raise LayerError(field, f"its shape is {values.shape}, the layer needs {shape}")
    real = values.astype(np.float64)
    if not (np.abs(real) <= np.finfo(np.float32).max).all():
        raise LayerError(field, "there are values that are no finite float32")
    return real


def _shifted(fields: Fields) -> Fields:
    """The fields of a file with uint8 activations as they are for int8 ones."""
    shifted = {**fields, "x": (fields["x"] ^ 0x80).view(np.int8)}
    for field, default in (("in_zp", 0), ("out_zp", 0), ("act_min", 0), ("act_max", 255)):
        value = _number(fields, field, default)
        if not 0 <= value <= 255:
            raise LayerError(field, f"{value} is not in 0 to 255, and x is uint8")
        shifted[field] = np.array(value - 128)
    if "y" in fields:
        if fields["y"].dtype != np.uint8:
            raise LayerError("y", f"it is {fields['y'].dtype}, not uint8 like x")
        shifted["y"] = (fields["y"] ^ 0x80).view(np.int8)
    return shifted


def _tensor(fields: Fields, field: str, axes: str, kinds: tuple[str, ...]) -> NDArray[Any]:
    if field not in fields:
        raise LayerError(field, f"missing, it is {kinds[0]} {axes}")
    tensor = fields[field]
    kind = FLOATING if tensor.dtype.kind == "f" else tensor.dtype.name
    if kind not in kinds:
        raise LayerError(field, f"it is {tensor.dtype}, not {' or '.join(kinds)}")
    if tensor.ndim != 4:
        raise LayerError(
            field, f"its shape {tensor.shape} has {tensor.ndim} axes, not the 4 {axes}"
        )
    return tensor


def _weights(fields: Fields, in_channels: int, groups: int, kinds: tuple[str, ...]) -> NDArray[Any]:
    """`w` in the layout OHWI, of a sensible kernel and for the channels of `x`."""
    w = _tensor(fields, "w", "of (Cout, KH, KW, Cin / groups)", kinds)
    layout = _word(fields, "w_layout", tuple(LAYOUTS), "OHWI")

    def fits(axes: tuple[int, ...]) -> bool:
        _, kh, kw, channels = (w.shape[axis] for axis in axes)
        return bool(
            channels * groups == in_channels and 1 <= min(kh, kw) <= max(kh, kw) <= MAX_KERNEL
        )

    oriented = w.transpose(LAYOUTS[layout])
    if not fits(LAYOUTS[layout]):
        filters, kh, kw, channels = oriented.shape
        others = [other for other, axes in LAYOUTS.items() if fits(axes)]
        raise LayerError(
            "w",
            f"its shape {w.shape} is, as {layout}, {filters} filters of {kh}x{kw} for "
            f"{channels} channels in each of {groups} groups; x has {in_channels} channels, and "
            f"kernels are 1x1 to {MAX_KERNEL}x{MAX_KERNEL}"
            + (f"; it would fit with w_layout {' or '.join(others)}" if others else ""),
        )
    return np.ascontiguousarray(oriented)


def _weight_zero_points(fields: Fields, filters: int, dtype: np.dtype[Any]) -> Int32Array:
    """(Cout), as they are for int8 weights."""
    limits = np.iinfo(dtype)
    given = fields.get("w_zp", np.array(0))
    if given.dtype.kind not in "iu":
        raise LayerError("w_zp", f"it is {given.dtype}, not whole numbers")
    if given.shape not in ((), (1,), (filters,)):
        raise LayerError(
            "w_zp",
            f"its shape is {given.shape}, it must be one number or one for each of the {filters} "
            "filters",
        )
    wrong = given[(given < limits.min) | (given > limits.max)]
    if wrong.size:
        raise LayerError(
            "w_zp", f"{wrong[0]} is not in {limits.min} to {limits.max}, and w is {dtype}"
        )
    return np.broadcast_to(given, filters).astype(np.int32) - (limits.min + 128)


def _pads(
    fields: Fields,
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> tuple[int, int, int, int]:
    if "pads" in fields and "padding" in fields:
        raise LayerError("pads", "padding is there too, leave one of them out")
    if "pads" in fields:
        top, left, bottom, right = _numbers(fields, "pads", (4,))
        return top, left, bottom, right
    if _word(fields, "padding", PADDINGS, "valid") == "same":
        return same_pads(size, kernel, stride, dilation)
    return 0, 0, 0, 0


def _check_quantisation(fields: Fields, rounding: str) -> None:
    """Refuses fields that contradict each other on how results become int8."""
    if "mult" in fields and "scale" in fields:
        raise LayerError("mult", "scale is there too, leave one of them out")
    for field, other in (("mult", "shift"), ("shift", "mult")):
        if field in fields and other not in fields:
            raise LayerError(field, f"{other} is missing: multiplier = mult * 2^(shift - 31)")
    if rounding == "float" and "scale" not in fields:
        raise LayerError("scale", "missing, rounding 'float' reads it in place of mult and shift")
    if rounding != "float" and "scale" in fields:
        raise LayerError(
            "scale", f"rounding '{rounding}' reads mult and shift; say rounding 'float'"
        )
    if "y" in fields and "mult" not in fields and "scale" not in fields:
        raise LayerError("y", "without mult or scale the results are accumulators: acc, not y")


def _numbers(fields: Fields, field: str, *shapes: tuple[int, ...]) -> list[int]:
    values = fields[field]
    if values.dtype.kind not in "iu":
        raise LayerError(field, f"it is {values.dtype}, not whole numbers")
    if values.shape not in shapes:
        wanted = "one number" if () in shapes else f"{shapes[0][0]} numbers"
        raise LayerError(field, f"its shape is {values.shape}, it must be {wanted}")
    return [int(value) for value in values.flat]


def _number(fields: Fields, field: str, default: int) -> int:
    return _numbers(fields, field, (), (1,))[0] if field in fields else default


def _pair(fields: Fields, field: str) -> tuple[int, int]:
    if field not in fields:
        return 1, 1
    vertical, horizontal = _numbers(fields, field, (2,))
    return vertical, horizontal


def _word(fields: Fields, field: str, choices: tuple[str, ...], default: str) -> str:
    """One of `choices`, whatever its case."""
    if field not in fields:
        return default
    value = fields[field]
    if value.dtype.kind != "U" or value.size != 1:
        raise LayerError(field, f"it must be one of {', '.join(choices)}, not {value.dtype}")
    word = str(value.item())
    matches = [choice for choice in choices if choice.lower() == word.lower()]
    if not matches:
        raise LayerError(field, f"{word!r} is not one of {', '.join(choices)}")
    return matches[0]


def _int32(fields: Fields, field: str) -> Int32Array | None:
    """Whole numbers of any width, as int32 if they all fit."""
    if field not in fields:
        return None
    values = fields[field]
    if values.dtype.kind not in "iu":
        raise LayerError(field, f"it is {values.dtype}, not int32")
    limits = np.iinfo(np.int32)
    if values.size and not limits.min <= int(values.min()) <= int(values.max()) <= limits.max:
        raise LayerError(field, "there are values that do not fit in int32")
    return values.astype(np.int32)
