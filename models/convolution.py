"""The convolution, twice: a loop that everybody believes and a fast one that is tested equal to it.

    acc[n, oy, ox, o] = bias[o] + sum over ky, kx, c of
        (x[n, oy*SH + ky*DH - top, ox*SW + kx*DW - left, c] - in_zp) * (w[o, ky, kx, c] - w_zp[o])

with taps outside the image worth nothing. It is a cross-correlation: the kernel is not flipped.
With groups, `c` runs over the input channels of the filter's own group. An accumulator has 32 bits:
a sum beyond them wraps modulo 2^32, in two's complement, and is not an error.
"""

from __future__ import annotations

import numpy as np

from conv_core.models.layer import Float32Array, Int32Array, Int64Array, Layer, LayerCase

EXACT_PRODUCTS = 512
"""Products of an int8 and a weight of nine bits that float32 sums without rounding: 512 * 128 * 255
is below 2^24."""
BLOCK_VALUES = 1 << 22
"""Window values laid out side by side at a time: bounds the memory to 16 MiB, or one output row."""


def accumulate_loop(case: LayerCase) -> Int32Array:
    """The accumulators, int32 (N, OH, OW, Cout), by the formula and value by value. Slow."""
    layer, x, w, w_zp = case.layer, case.x.tolist(), case.w.tolist(), case.w_zp.tolist()
    kh, kw, channels = layer.weight_shape[1:]
    (sh, sw), (dh, dw), (top, left, _, _) = layer.stride, layer.dilation, layer.pads
    filters = layer.out_channels // layer.groups
    acc = np.zeros(layer.out_shape, np.int32)
    for n, oy, ox, o in np.ndindex(layer.out_shape):
        first = o // filters * channels
        total = int(case.bias[o])
        for ky, kx in np.ndindex(kh, kw):
            iy, ix = oy * sh + ky * dh - top, ox * sw + kx * dw - left
            if 0 <= iy < layer.height and 0 <= ix < layer.width:
                for c in range(channels):
                    weight = w[o][ky][kx][c] - w_zp[o]
                    total += (x[n][iy][ix][first + c] - layer.in_zp) * weight
        acc[n, oy, ox, o] = (total + 2**31) % 2**32 - 2**31
    return acc


def accumulate(case: LayerCase) -> Int32Array:
    """The accumulators, int32 (N, OH, OW, Cout), exact and fast: matrix products in float32.

    They run on the raw activations, where padding is zero; their zero point is taken off
    afterwards, as in_zp times the sum of the weights of the taps inside the image. The weights'
    zero points are taken off at once.
    """
    layer, groups = case.layer, case.layer.groups
    n, oh, ow, cout = layer.out_shape
    products = int(np.prod(layer.weight_shape[1:]))
    weights = case.centred_weights.astype(np.float32)
    matrices = weights.reshape(groups, cout // groups, products)
    windows = _windows(case)
    block = max(1, BLOCK_VALUES // (ow * products))
    acc = np.empty((n, oh, ow, groups, cout // groups), np.int32)
    for frame in range(n):
        for row in range(0, oh, block):
            some = windows[frame, row : row + block]
            for group in range(groups):
                sums = _product(some[:, :, group].reshape(-1, products), matrices[group])
                acc[frame, row : row + block, :, group] = sums.reshape(-1, ow, cout // groups)
    result: Int32Array = acc.reshape(layer.out_shape)
    result += case.bias
    if layer.in_zp:
        result -= (layer.in_zp * _inside_weights(layer, weights)).astype(np.int32)
    return result


def _windows(case: LayerCase) -> Float32Array:
    """(N, OH, OW, groups, KH, KW, Cin / groups): every window, as a view on the padded image."""
    layer = case.layer
    top, left, _, _ = layer.pads
    padded = np.zeros(
        (layer.batch, layer.rows.padded, layer.columns.padded, layer.in_channels), np.float32
    )
    padded[:, top : top + layer.height, left : left + layer.width] = case.x
    frame, row, column, channel = padded.strides
    channels = layer.weight_shape[3]
    (sh, sw), (dh, dw) = layer.stride, layer.dilation
    return np.lib.stride_tricks.as_strided(
        padded,
        (*layer.out_shape[:3], layer.groups, *layer.kernel, channels),
        (frame, row * sh, column * sw, channel * channels, row * dh, column * dw, channel),
        writeable=False,
    )


def _product(windows: Float32Array, filters: Float32Array) -> Int32Array:
    """(M, K) and (F, K) of whole numbers to int32 (M, F), in pieces that float32 sums exactly."""
    result = np.zeros((len(windows), len(filters)), np.int32)
    for start in range(0, windows.shape[1], EXACT_PRODUCTS):
        piece = slice(start, start + EXACT_PRODUCTS)
        result += (windows[:, piece] @ filters[:, piece].T).astype(np.int32)
    return result


def _inside_weights(layer: Layer, weights: Float32Array) -> Int64Array:
    """(OH, OW, Cout): for every window the sum of the weights whose tap lies inside the image.

    A tap's sum over the channels is at most 65535 * 255 < 2^24, exact in float32; the sum over the
    taps at most 961 times that, exact in float64.
    """
    rows, columns = (
        v.astype(np.float64) for v in (layer.rows.taps_inside, layer.columns.taps_inside)
    )
    taps = weights @ np.ones(layer.weight_shape[3], np.float32)  # (Cout, KH, KW)
    (oh, kh), (ow, kw) = rows.shape, columns.shape
    by_column = columns @ taps.transpose(2, 1, 0).reshape(kw, -1)  # (OW, KH * Cout)
    by_row = by_column.reshape(ow, kh, -1).transpose(1, 0, 2).reshape(kh, -1)  # (KH, OW * Cout)
    return (rows @ by_row).reshape(oh, ow, -1).astype(np.int64)
