"""Vectors of several fields, as ports of rtl/ have them: the first field is the highest."""

from __future__ import annotations

from itertools import accumulate, pairwise


def joined(*fields: tuple[int, int]) -> int:
    """A vector of (value, bits) each."""
    vector = 0
    for value, bits in fields:
        vector = vector << bits | value & (1 << bits) - 1
    return vector


def parts(vector: int, *widths: int) -> tuple[int, ...]:
    """The fields of a vector, so many bits each; ValueError if the vector has more."""
    values = []
    for bits in reversed(widths):
        values.append(vector & (1 << bits) - 1)
        vector >>= bits
    if vector:
        raise ValueError(f"{vector} is left above the fields")
    return tuple(reversed(values))


def split(bits: str, *widths: int) -> list[str]:
    """The same of a vector's bits as text, some of which may be X."""
    if len(bits) != sum(widths):
        raise ValueError(f"{len(bits)} bits, the fields have {sum(widths)}")
    ends = list(accumulate(widths, initial=0))
    return [bits[begin:end] for begin, end in pairwise(ends)]


def log2(power: int) -> int:
    """Of a power of two: the bits of an address in a memory of that size."""
    return power.bit_length() - 1
