"""Single faults of a convolution engine, each able to say what a layer's results would be with it.

A hypothesis is a function that takes a `Recomputation` and yields (what exactly, results) for each
form of its fault; results are (N, OH, OW, Cout). A form that can't differ on the layer at hand may
be yielded all the same: whoever compares knows what is right.

A new one goes into the file of its subject, gets its line in `HYPOTHESES` below, which is all that
makes it known, and a fault of its name in tests/environment/test_diagnosis.py:

    geometry        which pixel, channel and weight meet
    numbers         what an activation or a weight counts
    array           the multipliers and accumulators, and which lanes they are
    requantisation  from accumulators to int8, and the constants of each channel
    weights         how weights stand in the core, and what stands there from before
    beats           right results that leave in another order

What they compute with is in `recomputation`.
"""

from __future__ import annotations

from conv_core.tb.checks.hypotheses import (
    array,
    beats,
    geometry,
    numbers,
    requantisation,
    weights,
)
from conv_core.tb.checks.hypotheses.recomputation import Forms, Hypothesis, Recomputation, Results

__all__ = ["HYPOTHESES", "Forms", "Hypothesis", "Recomputation", "Results"]

HYPOTHESES: dict[str, Hypothesis] = {
    "kernel flipped": geometry.kernel_flipped,
    "height and width swapped": geometry.height_and_width_swapped,
    "channel order": geometry.channel_order,
    "channels of another group": geometry.channels_of_another_group,
    "padding off by one": geometry.padding_off_by_one,
    "stride ignored": geometry.stride_ignored,
    "dilation ignored": geometry.dilation_ignored,
    "pad value 0 in place of the zero point": numbers.pad_value_zero,
    "tap missing": geometry.tap_missing,
    "input zero point forgotten": numbers.input_zero_point_forgotten,
    "output zero point forgotten": numbers.output_zero_point_forgotten,
    "weights taken as unsigned": numbers.weights_unsigned,
    "zero points of the weights forgotten": numbers.weight_zero_points_forgotten,
    "activations taken as unsigned": numbers.activations_unsigned,
    "accumulator too narrow": array.accumulator_too_narrow,
    "accumulator not cleared": array.accumulator_not_cleared,
    "wrap in place of saturate": requantisation.wrap_in_place_of_saturate,
    "clamp missing": requantisation.clamp_missing,
    "rounding rule": requantisation.rounding_rule,
    "bias missing": requantisation.bias_missing,
    "bias of another channel": requantisation.bias_of_another_channel,
    "multiplier of another channel": requantisation.multiplier_of_another_channel,
    "shift of another channel": requantisation.shift_of_another_channel,
    "weights of the previous layer": weights.weights_of_the_previous_layer,
    "output beats swapped": beats.beats_swapped,
    "output beats duplicated": beats.beats_duplicated,
    "input lane dead": array.input_lane_dead,
    "multiplier dead": array.multiplier_dead,
}
