"""Which pixel, channel and weight meet: kernel, image, padding, stride, dilation, groups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conv_core.models.layer import Int64Array
from conv_core.models.packing import block_span, filter_blocks
from conv_core.tb.checks.hypotheses.recomputation import OUTSIDE, Axis, Forms, Recomputation
from conv_core.tb.checks.hypotheses.weights import weight_words, weights_of


def kernel_flipped(layer: Recomputation) -> Forms:
    w = layer.weights
    yield "vertically", layer.finish(layer.sums(weights=w[:, ::-1]))
    yield "horizontally", layer.finish(layer.sums(weights=w[:, :, ::-1]))
    if min(layer.layer.kernel) > 1:
        yield "both ways", layer.finish(layer.sums(weights=w[:, ::-1, ::-1]))


def height_and_width_swapped(layer: Recomputation) -> Forms:
    rows, columns, w, shape = layer.rows, layer.columns, layer.weights, layer.layer
    kh, kw = shape.kernel
    sideways = w.reshape(len(w), kw, kh, -1)
    yield "of the weights", layer.finish(layer.sums(weights=sideways.transpose(0, 2, 1, 3)))
    if kh != kw:
        swapped = layer.sums(
            weights=sideways, rows=replace(rows, taps=kw), columns=replace(columns, taps=kh)
        )
        yield "of the kernel", layer.finish(swapped)
    if shape.height == shape.width:
        yield "of the image", layer.finish(layer.sums(worth=layer.worth.transpose(0, 2, 1, 3)))
    else:
        swapped = layer.sums(
            rows=replace(rows, size=shape.width), columns=replace(columns, size=shape.height)
        )
        yield "of the image", layer.finish(swapped)
    for what, field in (("strides", "stride"), ("dilations", "dilation"), ("pads", "start")):
        swapped = layer.sums(
            rows=replace(rows, **{field: getattr(columns, field)}),
            columns=replace(columns, **{field: getattr(rows, field)}),
        )
        yield f"of the {what}", layer.finish(swapped)
    if shape.out_height == shape.out_width:
        yield "of the results", layer.right.transpose(0, 2, 1, 3)


def channel_order(layer: Recomputation) -> Forms:
    x, w, shape = layer.worth, layer.weights, layer.layer
    filters, kh, kw, channels = w.shape
    yield "input channels reversed", layer.finish(layer.sums(worth=x[..., ::-1]))
    yield "results reversed", layer.right[..., ::-1]
    yield "filters reversed", layer.finish(layer.right_sums[..., ::-1])
    lanes = layer.in_lanes(layer.right_sums)[..., ::-1]
    yield "filters reversed among the lanes", layer.finish(layer.from_lanes(lanes))
    planes = x.reshape(shape.batch, shape.in_channels, shape.height, shape.width)
    yield "image taken as planes", layer.finish(layer.sums(worth=planes.transpose(0, 2, 3, 1)))
    first = w.reshape(filters, channels, kh, kw)
    yield "weights taken as OIHW", layer.finish(layer.sums(weights=first.transpose(0, 2, 3, 1)))
    last = w.reshape(kh, kw, channels, filters)
    yield "weights taken as HWIO", layer.finish(layer.sums(weights=last.transpose(3, 0, 1, 2)))
    words = weight_words(layer.case, layer.config)
    if words is not None:
        backwards = weights_of(words[..., ::-1], layer)
        yield "bytes of a weight word reversed", layer.finish(layer.sums(weights=backwards))
    lanes_in = layer.config.lanes_in
    if x[0].size % lanes_in == 0:
        backwards_x = x.reshape(-1, lanes_in)[:, ::-1].reshape(x.shape)
        yield "bytes of an activation word reversed", layer.finish(layer.sums(worth=backwards_x))


def channels_of_another_group(layer: Recomputation) -> Forms:
    """Filters of a channel group take the input channels of another one for their own."""
    groups = layer.layer.groups
    if groups == 1:
        return
    size = layer.layer.in_channels // groups
    own = np.arange(groups) * size
    blocks = filter_blocks(layer.layer, layer.config)
    filters = layer.layer.out_channels // groups
    of_group = [
        max((b for b in blocks if b.first_filter <= g * filters), key=lambda b: b.first_filter)
        for g in range(groups)
    ]
    first = np.array([block.first_channel for block in of_group])
    span = block_span(layer.layer, layer.config)
    forms = {
        "the first group's for all": np.zeros_like(own),
        "the group's before": np.roll(own, 1),
        "the group's behind": np.roll(own, -1),
        "the first block's for all": own - first,
        "the last block's end with the pixel": own
        - first
        + np.minimum(first, layer.layer.in_channels - span),
    }
    for how, at in forms.items():
        channels = (at[:, None] + np.arange(size)).reshape(-1)
        yield how, layer.finish(layer.sums(worth=layer.worth[..., channels]))
    dealt = np.arange(layer.layer.in_channels).reshape(size, groups).T.reshape(-1)
    yield "channels dealt out in turn", layer.finish(layer.sums(worth=layer.worth[..., dealt]))
    order = np.arange(layer.layer.out_channels).reshape(filters, groups).T.reshape(-1)
    by_group = layer.sums(weights=layer.weights[order])
    back = np.argsort(order)
    yield "filters dealt out in turn", layer.finish(by_group[..., back])


def padding_off_by_one(layer: Recomputation) -> Forms:
    for (before, behind), field in ((("top", "bottom"), "rows"), (("left", "right"), "columns")):
        axis: Axis = getattr(layer, field)
        what = "row" if field == "rows" else "column"
        forms = {
            f"{before}, one more": replace(axis, start=axis.start - 1),
            f"{before}, one less": replace(axis, start=axis.start + 1),
            f"{before}, the image's first {what} counts as padding": replace(axis, first=1),
            f"{behind}, the image's last {what} counts as padding": replace(
                axis, size=axis.size - 1
            ),
        }
        for detail, wrong in forms.items():
            places = layer.places(**{field: wrong})
            if wrong.size != axis.size and field == "columns":
                # The image itself is as wide as ever.
                places = _narrowed(layer, wrong)
            yield detail, layer.finish(layer.sums(places=places))
    pixels = layer.layer.height * layer.layer.width
    for side, wrong in (
        ("left, one less: the row before is read", replace(layer.columns, first=-1)),
        (
            "right, one less: the next row is read",
            replace(layer.columns, size=layer.columns.size + 1),
        ),
    ):
        places = _narrowed(layer, wrong)
        places = np.where((places < 0) | (places >= pixels), OUTSIDE, places)
        yield side, layer.finish(layer.sums(places=places))


def _narrowed(layer: Recomputation, columns: Axis) -> Int64Array:
    """`Recomputation.places` with other columns inside, in an image as wide as it is."""
    place = (layer.rows.positions() * layer.layer.width)[:, None, :, None]
    place = place + columns.positions()[None, :, None, :]
    inside = layer.rows.inside()[:, None, :, None] & columns.inside()[None, :, None, :]
    return np.where(inside, place, OUTSIDE)


def _ignored(layer: Recomputation, field: str) -> Forms:
    rows, columns = (
        replace(layer.rows, **{field: 1}),
        replace(layer.columns, **{field: 1}),
    )
    yield "vertically", layer.finish(layer.sums(rows=rows))
    yield "horizontally", layer.finish(layer.sums(columns=columns))
    if getattr(layer.rows, field) > 1 and getattr(layer.columns, field) > 1:
        yield "both ways", layer.finish(layer.sums(rows=rows, columns=columns))


def stride_ignored(layer: Recomputation) -> Forms:
    yield from _ignored(layer, "stride")


def dilation_ignored(layer: Recomputation) -> Forms:
    yield from _ignored(layer, "dilation")


def tap_missing(layer: Recomputation) -> Forms:
    kh, kw = layer.layer.kernel
    taps = list(np.ndindex(kh, kw))
    products = {tap: layer.sums(taps=[tap]) for tap in taps}
    right = layer.right_sums
    for ky, kx in taps:
        names = [f"row {ky}"] * (kh > 1) + [f"column {kx}"] * (kw > 1)
        yield ", ".join(names), layer.finish(right - products[ky, kx])
    if kw > 1 < kh:
        for ky in range(kh):
            row = np.sum([products[ky, kx] for kx in range(kw)], axis=0)
            yield f"row {ky} of the kernel", layer.finish(right - row)
        for kx in range(kw):
            column = np.sum([products[ky, kx] for ky in range(kh)], axis=0)
            yield f"column {kx} of the kernel", layer.finish(right - column)
