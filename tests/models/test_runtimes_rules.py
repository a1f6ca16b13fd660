"""Which rule each runtime requantises by, on accumulators beside ties.

Accumulators are given as biases (see `tests.requantising`), of any int32, the multipliers 2^-31 to
2^7. Each case compares at least 200,000 results with the rule's model, and none may differ.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from conv_core.models.layer import INT8_MAX, INT8_MIN, Float64Array, Int8Array, Int32Array
from conv_core.models.network.runtimes import (
    Call,
    LiteRtReference,
    LiteRtXnnpack,
    OnnxRuntime,
    Runtime,
    TfliteMicro,
)
from conv_core.models.requantisation import (
    requantise,
    requantise_double,
    requantise_float,
    requantise_single,
    single_misses,
)
from tests.oracles import OFFSET, quantise_multiplier
from tests.requantising import Scales, draw_scales, near_ties, onnx_operator, tflite_operator

CHANNELS, CALLS = 1000, 210
LEAST = 200_000
RANGES = ((-31, -23), (-23, -9), (-9, 0), (0, 6.99))
"""of the exponents of multipliers, in turns"""

Rule = Callable[[Scales, Int32Array, int], Int8Array]


def by_tflite(scales: Scales, acc: Int32Array, out_zp: int) -> Int8Array:
    mult, shift = pairs(scales.real)
    return requantise(acc, mult, shift, out_zp, INT8_MIN, INT8_MAX)


def by_tflite_of_uint8(scales: Scales, acc: Int32Array, out_zp: int) -> Int8Array:
    """The product of the scales is a float32 there."""
    product = (scales.image * scales.filters).astype(np.float64)
    mult, shift = pairs(product / np.float64(scales.results))
    return requantise(acc, mult, shift, out_zp, INT8_MIN, INT8_MAX)


def by_double(scales: Scales, acc: Int32Array, out_zp: int) -> Int8Array:
    return requantise_double(acc, scales.real, out_zp, INT8_MIN, INT8_MAX)


def by_float(scales: Scales, acc: Int32Array, out_zp: int) -> Int8Array:
    scale = scales.image * scales.filters / scales.results
    return requantise_float(acc, scale, out_zp, INT8_MIN, INT8_MAX)


def by_real_numbers(scales: Scales, acc: Int32Array, out_zp: int) -> Int8Array:
    """The graph as it stands, in float32: ONNX Runtime on x86 does not fuse a Conv in int8."""
    real = acc.astype(np.float32) * (scales.image * scales.filters) / scales.results
    return np.clip(np.rint(real) + out_zp, INT8_MIN, INT8_MAX).astype(np.int8)


def pairs(real: Float64Array) -> tuple[Int32Array, Int32Array]:
    mult, shift = np.array([quantise_multiplier(each) for each in real.tolist()], np.int32).T
    return mult, shift


def stays_in_float(operator: str, kind: str) -> bool:
    return (operator, kind) == ("Conv", "int8")


TFLITE = [
    *(
        (runtime, operator, "int8", rule)
        for runtime, rule in (
            (LiteRtReference, by_tflite),
            (LiteRtXnnpack, by_float),
            (TfliteMicro, by_tflite),
        )
        for operator in ("CONV_2D", "DEPTHWISE_CONV_2D")
    ),
    (LiteRtReference, "FULLY_CONNECTED", "int8", by_double),
    (LiteRtXnnpack, "FULLY_CONNECTED", "int8", by_float),
    (TfliteMicro, "FULLY_CONNECTED", "int8", by_tflite),
    (LiteRtReference, "CONV_2D", "uint8", by_tflite_of_uint8),
    (LiteRtReference, "DEPTHWISE_CONV_2D", "uint8", by_tflite_of_uint8),
    (LiteRtReference, "FULLY_CONNECTED", "uint8", by_double),
    (LiteRtXnnpack, "CONV_2D", "uint8", by_float),
    (LiteRtXnnpack, "FULLY_CONNECTED", "uint8", by_float),
]
ONNX = [
    (OnnxRuntime, operator, kind, by_real_numbers if stays_in_float(operator, kind) else by_float)
    for operator in ("QLinearConv", "QGemm", "Conv", "Gemm")
    for kind in ("int8", "uint8")
]


@pytest.mark.parametrize(
    ("runtime", "operator", "kind", "rule"),
    TFLITE + ONNX,
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_runtime_follows_its_rule(
    runtime: type[Runtime], operator: str, kind: str, rule: Rule
) -> None:
    seed = 12
    print(f"seed {seed}")
    rng = np.random.default_rng((seed, sum(map(ord, operator + kind))))
    unsigned = kind == "uint8"
    write = onnx_operator if runtime is OnnxRuntime else tflite_operator
    calls, expected = [], []
    for number in range(CALLS):
        per_channel = number % 2 == 1 and not (unsigned and write is tflite_operator)
        exponents = RANGES[number // 2 % len(RANGES)]
        scales = draw_scales(rng, CHANNELS, per_channel=per_channel, exponents=exponents)
        acc, out_zp = near_ties(rng, scales), int(rng.integers(INT8_MIN, INT8_MAX + 1))
        model, x = write(operator, scales, acc, out_zp, unsigned=unsigned)
        calls.append(Call(model, [[x]]))
        expected.append(rule(scales, acc, out_zp))
    compared, inside, wrong = 0, 0, 0
    for answer, right in zip(runtime().run(calls), expected, strict=True):
        assert not answer.refusal
        found = answer.outputs[0].reshape(-1)
        y = (found ^ OFFSET).view(np.int8) if unsigned else found
        compared += y.size
        inside += int(((right > INT8_MIN) & (right < INT8_MAX)).sum())
        wrong += int((y != right).sum())
    print(f"{compared} compared, {inside} between the clamps, {wrong} differ")
    assert wrong == 0
    assert compared >= LEAST
    assert inside > compared // 3


def test_single_is_double_but_for_the_accumulators_that_it_names() -> None:
    rng = np.random.default_rng(13)
    compared, apart, missing = 0, 0, 0
    for number in range(400):
        exponents = RANGES[number % len(RANGES)]
        scales = draw_scales(rng, 600, per_channel=False, exponents=exponents)
        acc = near_ties(rng, scales)
        mult, shift = pairs(scales.real)
        single = requantise_single(acc, mult, shift, 0, INT8_MIN, INT8_MAX)
        double = requantise_double(acc, scales.real, 0, INT8_MIN, INT8_MAX)
        misses = single_misses(float(scales.real[0]), int(mult[0]), int(shift[0]))
        different = set(acc[single != double].tolist())
        assert different <= set(misses.tolist())
        compared, apart, missing = (
            compared + acc.size,
            apart + len(different),
            missing + len(misses),
        )
    print(f"{compared} beside ties, {apart} apart; {missing} accumulators named")
    assert 0 < apart < compared // 50


def test_by_hand_single_and_double_part_beside_a_tie_that_31_bits_miss() -> None:
    """2^-31 + 2^-63 is rounded to 2^-31, and 2^30 times that is a half, not a little more."""
    real = 2.0**-31 + 2.0**-70
    assert single_misses(2.0**-31, 2**30, -30).tolist() == []
    assert single_misses(real * 0.5, 2**30, -31).tolist() == []
    less = 2.0**-31 - 2.0**-70  # a half less a little: 0, where 31 bits say 1
    assert single_misses(less, 2**30, -30).tolist() == [-(2**30), 2**30]
