"""The three rules of requantising, in integers of any size and in IEEE 754's own words.

Written from the rules alone: neither the RTL nor `conv_core.models.requantisation` is looked at.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FLOAT32_BITS = 24
LEAST_EXPONENT, BIAS = 1, 150
"""A float32 is fraction * 2^(exponent - 150), with the hidden bit from exponent 1 on."""


def wrapped(value: int) -> int:
    """The int32 that is left of a sum."""
    return (value + 2**31) % 2**32 - 2**31


def by_tflite(acc: int, mult: int, shift: int) -> int:
    """t of the rule `tflite`, not clamped."""
    shift = min(max(shift, -31), 8)
    high = (acc * 2 ** max(shift, 0) * mult + 2**30) // 2**31
    right = max(-shift, 0)
    magnitude = (2 * abs(high) + 2**right) // 2 ** (right + 1)
    return magnitude if high >= 0 else -magnitude


def by_single(acc: int, mult: int, shift: int) -> int:
    """t of the rule `single`, not clamped: acc * mult / 2^(31 - shift), ties away from zero."""
    product, divisor = acc * mult, 2 ** (31 - min(max(shift, -31), 8))
    magnitude = (2 * abs(product) + divisor) // (2 * divisor)
    return magnitude if product >= 0 else -magnitude


def to_even(numerator: int, places: int) -> int:
    """numerator / 2^places to the nearest integer, ties to even."""
    if places <= 0:
        return numerator << -places
    whole, rest = numerator >> places, numerator & ((1 << places) - 1)
    half = 1 << (places - 1)
    return whole + (rest > half or (rest == half and whole % 2 == 1))


def to_float32(numerator: int) -> tuple[int, int]:
    """An integer as a float32 of any exponent: (significand, exponent), value s * 2^e."""
    places = max(abs(numerator).bit_length() - FLOAT32_BITS, 0)
    return to_even(numerator, places), places


def by_float(acc: int, scale: int) -> int:
    """t of the rule `float`, not clamped; `scale` are the bits of a float32.

    The sign of the scale counts for nothing, nor does a subnormal one; exponent 255 makes it larger
    than all others.
    """
    exponent, fraction = scale >> 23 & 0xFF, scale & 0x7FFFFF
    if exponent < LEAST_EXPONENT or acc == 0:
        return 0
    significand, places = to_float32(acc)
    product, more = to_float32(significand * (fraction | 1 << 23))
    return to_even(product, BIAS - exponent - places - more)


def clamped(t: int, zero_point: int, smallest: int, largest: int) -> int:
    return min(max(t + zero_point, smallest), largest)


def by_numpy(acc: NDArray[np.int32], scale: NDArray[np.uint32]) -> NDArray[np.float32]:
    """t of the rule `float` for positive, finite scales: numpy's float32 is IEEE 754's."""
    with np.errstate(over="ignore", under="ignore"):
        product = acc.astype(np.float32) * scale.view(np.float32)
    nearest: NDArray[np.float32] = np.rint(product)
    return nearest
