"""What a layer file may hold, and the values of single fields.

Each function takes the fields of a file and raises `LayerError` naming the field.
"""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conv_core.models.errors import RefusedError
from conv_core.models.layer import Float32Array, Int32Array, LayerError

# fmt: off
FIELDS = (
    "x", "w", "w_zp", "w_layout", "bias", "stride", "dil", "pads", "padding", "groups", "in_zp",
    "out_zp", "mult", "shift", "scale", "act_min", "act_max", "rounding", "acc", "y",
)
# fmt: on
FLOATING = "floating point"
"""The kind of all tensors whose values are of any floating point type."""

Fields = dict[str, NDArray[Any]]

_QUOTIENT = "it goes into scale = x_scale * w_scale / y_scale, with rounding='float'"
_OTHER_NAMES = {
    "kernel": "do you mean w?",
    "filters": "do you mean w?",
    "filter": "do you mean w?",
    "weights": "do you mean w?",
    "weight": "do you mean w?",
    "input": "do you mean x?",
    "image": "do you mean x?",
    "output": "do you mean y?",
    "b": "do you mean bias?",
    "multiplier": "do you mean mult?",
    "dilation": "do you mean dil?",
    "dilations": "do you mean dil?",
    "dilation_rate": "do you mean dil?",
    "auto_pad": "do you mean padding?",
    "x_zero_point": "do you mean in_zp?",
    "w_zero_point": "do you mean w_zp?",
    "y_zero_point": "do you mean out_zp?",
    "x_scale": _QUOTIENT,
    "w_scale": _QUOTIENT,
    "y_scale": _QUOTIENT,
    "layout": "do you mean w_layout?",
    "data_format": "x is always (N, H, W, Cin), and w has w_layout",
    "activation": "a ReLU is act_min = out_zp",
}


class LayerFileError(RefusedError):
    """A layer file that can't be used: the text names the file, the field and what is wrong."""


def hint_for_unknown(field: str) -> str:
    """What may be meant by the name of a field that there is none of."""
    name = field.lower()
    close = difflib.get_close_matches(name, FIELDS, 1)
    if name.startswith("arr_"):
        return "name the arrays: np.savez(path, x=x, w=w)"
    if name in _OTHER_NAMES:
        return _OTHER_NAMES[name]
    return f"do you mean {close[0]}?" if close else f"known are {', '.join(FIELDS)}"


def tensor(fields: Fields, field: str, kinds: tuple[str, ...]) -> NDArray[Any]:
    """A tensor of one of the `kinds`: names of dtypes, or `FLOATING`; of any shape."""
    if field not in fields:
        axes = "(N, H, W, Cin)" if field == "x" else "(Cout, KH, KW, Cin / groups)"
        raise LayerError(field, f"missing, it is {kinds[0]} {axes}")
    values = fields[field]
    kind = FLOATING if values.dtype.kind == "f" else values.dtype.name
    if kind not in kinds:
        cure = _cure_of_type(field, values, kinds)
        raise LayerError(field, f"it is {values.dtype}, not {' or '.join(kinds)}{cure}")
    return values


def _cure_of_type(field: str, values: NDArray[Any], kinds: tuple[str, ...]) -> str:
    if FLOATING in kinds and len(kinds) == 1:
        return " like x: give both in floating point, or both as int8"
    if values.dtype.kind == "f":
        return ": give x and w both in floating point, or both as int8"
    if values.dtype.kind not in "iu" or not values.size:
        return ""
    low, high = int(values.min()), int(values.max())
    for name in kinds:
        if name != FLOATING and np.iinfo(name).min <= low <= high <= np.iinfo(name).max:
            return f": write {field}={field}.astype(np.{name})"
    return f", and its values, {low} to {high}, do not fit: quantise them first"


def numbers(fields: Fields, field: str, count: int, others: tuple[int, ...] = ()) -> list[int]:
    """`count` whole numbers in a row, or one of so many `others`."""
    values = fields[field]
    wanted = "one number" if count == 1 else f"{count} numbers"
    if values.dtype.kind not in "iu":
        whole = values.dtype.kind == "f" and values.size and (values == np.rint(values)).all()
        cure = f"{field}={_written(values)}" if whole else wanted
        raise LayerError(field, f"it is {_told(values)}, not whole numbers: write {cure}")
    if field == "pads":
        wanted += " in a row, (top, left, bottom, right)"
    if values.ndim > 1 and values.size != 1:
        raise LayerError(field, f"its shape is {values.shape}, it must be {wanted}")
    if values.size not in (count, *others):
        raise LayerError(field, f"it is {values.size} numbers, it must be {wanted}")
    return [int(value) for value in values.flat]


def number(fields: Fields, field: str, default: int) -> int:
    return numbers(fields, field, 1)[0] if field in fields else default


def pair(fields: Fields, field: str) -> tuple[int, int]:
    """(vertical, horizontal); one number is both."""
    if field not in fields:
        return 1, 1
    values = numbers(fields, field, 2, (1,))
    return values[0], values[-1]


def word(fields: Fields, field: str, choices: tuple[str, ...], default: str) -> str:
    """One of `choices`, whatever its case."""
    if field not in fields:
        return default
    value = fields[field]
    if value.dtype.kind not in "US" or value.size != 1:
        raise LayerError(field, f"it must be one of {', '.join(choices)}, not {_told(value)}")
    said = value.item()
    text = said.decode("latin1") if isinstance(said, bytes) else str(said)
    matches = [choice for choice in choices if choice.lower() == text.lower()]
    if not matches:
        more = ", or give pads=(top, left, bottom, right)" if field == "padding" else ""
        raise LayerError(field, f"{text!r} is not one of {', '.join(choices)}{more}")
    return matches[0]


def int32(fields: Fields, field: str) -> Int32Array | None:
    """Whole numbers of any width, as int32 if they all fit."""
    if field not in fields:
        return None
    values = fields[field]
    if values.dtype.kind not in "iu":
        cure = _CURES_OF_REALS.get(field, "") if values.dtype.kind == "f" else ""
        raise LayerError(field, f"it is {_told(values)}, not int32{cure}")
    limits = np.iinfo(np.int32)
    wrong = values[(values < limits.min) | (values > limits.max)]
    if wrong.size:
        raise LayerError(field, f"{wrong[0]} does not fit in int32")
    return values.astype(np.int32)


_CURES_OF_REALS = {
    "bias": ": write bias=np.rint(bias / (x_scale * w_scale)).astype(np.int32)",
    "mult": ": the multiplier is mult * 2^(shift - 31); a real one is scale, with rounding='float'",
    "shift": ": the multiplier is mult * 2^(shift - 31)",
    "acc": ": the accumulators are whole numbers",
}


def float32(fields: Fields, field: str) -> Float32Array | None:
    """Numbers of any type, rounded to float32."""
    if field not in fields:
        return None
    values = fields[field]
    if values.dtype.kind not in "fiu":
        raise LayerError(field, f"it is {_told(values)}, not float32")
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def each_filter(
    field: str, values: NDArray[Any], filters: int, *, one_for_all: bool = True
) -> NDArray[Any]:
    """(Cout): one number for each filter, or one for all."""
    if values.size == 1 and one_for_all:
        return np.full(filters, values.item(), values.dtype)
    if values.size != filters or max(values.shape, default=filters) != filters:
        wanted = "one number or one" if one_for_all else "one number"
        raise LayerError(
            field,
            f"its shape is {values.shape}, it must be {wanted} for each of the {filters} filters",
        )
    return values.reshape(filters)


def real(
    field: str, values: NDArray[Any], shape: tuple[int, ...] | None = None
) -> NDArray[np.float64]:
    """A field of a layer in floating point; of any shape where none is given."""
    if values.dtype.kind not in "fiu":
        raise LayerError(field, f"it is {_told(values)}, x is floating point, so it must be, too")
    if shape == () and values.size == 1:
        values = values.reshape(())
    if shape is not None and values.shape != shape:
        wanted = f"the layer needs {shape}" if shape else "it must be one number"
        raise LayerError(field, f"its shape is {values.shape}, {wanted}")
    numbers_ = values.astype(np.float64)
    if not (np.abs(numbers_) <= np.finfo(np.float32).max).all():
        raise LayerError(field, "there are values that are no finite float32")
    return numbers_


def _written(values: NDArray[Any]) -> str:
    """Whole numbers as they are written."""
    numbers_ = [int(value) for value in values.flat]
    return str(numbers_[0]) if len(numbers_) == 1 else str(tuple(numbers_))


def count(many: int, one: str, plural: str = "") -> str:
    """So many things, in words."""
    return f"{many} {one if many == 1 else plural or one + 's'}"


def _told(values: NDArray[Any]) -> str:
    """A tensor's type, as users name it."""
    return "text" if values.dtype.kind in "US" else str(values.dtype)
