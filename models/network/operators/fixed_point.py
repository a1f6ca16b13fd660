"""Arithmetic on fixed-point numbers, as TensorFlow Lite's reference kernels and gemmlowp have it.

A number with n integer bits is an int32 worth raw * 2^(n - 31). All functions take and give int64
arrays that hold int32 values.
"""

from __future__ import annotations

import math

import numpy as np

from conv_core.models.layer import Int64Array
from conv_core.models.network.graph import Array

ONE = 2**31 - 1
"""one, of a number without integer bits: the nearest there is"""
EXP_MINUS_EIGHTH = 1895147668
"""exp(-1/8), no integer bits"""
THIRD = 715827883
"""1/3, no integer bits"""
EXP_POWERS = (
    (-2, 1672461947),
    (-1, 1302514674),
    (0, 790015084),
    (1, 290630308),
    (2, 39332535),
    (3, 720401),
    (4, 242),
)
"""(n, exp(-2^n), no integer bits)"""
FIRST_GUESS = (1515870810, -1010580540)
"""48/17 and -32/17, two integer bits: the line from which the reciprocal's iteration starts"""


def multiplier_of(real: float) -> tuple[int, int]:
    """`mult` of 31 bits and `shift` nearest to real = mult * 2^(shift - 31)."""
    fraction, shift = math.frexp(real)
    mult = math.floor(fraction * 2**31 + 0.5)
    if mult == 2**31:
        mult, shift = mult // 2, shift + 1
    return (mult, shift) if shift >= -31 else (0, 0)


def multiply(x: Array, mult: int, shift: int) -> Int64Array:
    """x * mult * 2^(shift - 31), rounded twice: the product to 31 bits, then the right shift."""
    high = high_product(x.astype(np.int64) << max(shift, 0), np.int64(mult))
    return divide_by_power(high, max(-shift, 0))


def high_product(a: Array, b: Array | np.int64) -> Int64Array:
    """a * b / 2^31 to the nearest, ties upwards; -2^31 squared saturates."""
    product: Int64Array = np.minimum((a * b + (1 << 30)) >> 31, ONE)
    return product


def divide_by_power(x: Array, exponent: int) -> Int64Array:
    """x / 2^exponent to the nearest, ties away from zero."""
    half = (1 << exponent) >> 1
    quotient: Int64Array = np.sign(x) * ((np.abs(x) + half) >> exponent)
    return quotient


def _saturating_left(x: Int64Array, bits: int) -> Int64Array:
    shifted: Int64Array = np.clip(x << bits, -(2**31), 2**31 - 1)
    return shifted


def exp_of_negative(a: Int64Array, integer_bits: int) -> Int64Array:
    """exp(a) of a <= 0 with `integer_bits` integer bits; the result has none."""
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    below = (a & (quarter - 1)) - quarter
    result = _exp_near_zero(below << integer_bits)
    rest = below - a
    for exponent, factor in EXP_POWERS:
        if exponent < integer_bits:
            bit = rest >> (fraction_bits + exponent) & 1
            result = np.where(bit, high_product(result, np.int64(factor)), result)
    exact: Int64Array = np.where(a == 0, ONE, result)
    return exact


def _exp_near_zero(a: Int64Array) -> Int64Array:
    """exp(a) of -1/4 <= a < 0, no integer bits: a series around -1/8."""
    x = a + (1 << 28)
    square = high_product(x, x)
    cube, fourth = high_product(square, x), high_product(square, square)
    inner = high_product(divide_by_power(fourth, 2) + cube, np.int64(THIRD)) + square
    series = x + divide_by_power(inner, 1)
    return EXP_MINUS_EIGHTH + high_product(series, np.int64(EXP_MINUS_EIGHTH))


def reciprocal_of_one_plus(a: Int64Array) -> Int64Array:
    """1 / (1 + a) of 0 <= a < 1, no integer bits, by three steps of Newton's iteration."""
    half_denominator = (a + ONE + 1) >> 1
    offset, slope = FIRST_GUESS
    x = offset + high_product(half_denominator, np.int64(slope))
    for _ in range(3):
        missing = (1 << 29) - high_product(half_denominator, x)
        x = x + _saturating_left(high_product(x, missing), 2)
    return _saturating_left(x, 1)


def input_radius(integer_bits: int, shift: int) -> int:
    """Inputs from here on are beyond what fits `integer_bits` after a left shift."""
    return math.floor(((1 << integer_bits) - 1) * 2.0 ** (31 - integer_bits) / 2.0**shift)
