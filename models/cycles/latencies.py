"""The constants of the exact model, by the unit of the RTL that they belong to.

Each is a number of cycles that the header of that unit states, or follows from.
"""

from __future__ import annotations

from typing import NamedTuple

# ---------------------------------------------------------------- layer_setup.v
SETUP = 245
"""From a descriptor that is there to its layer offered, without what follows."""
SETUP_AFTER = 2
"""From a layer taken by the last of its users to the set-up of the next one."""
SETUP_HALVING = 12
"""More, for each halving of the column block."""
SETUP_DOUBLING = 26
"""More, for each doubling of the band that is tried."""
SETUP_GROUPS = 94
"""More, if there are channel groups."""
SETUP_JOINING = 14
"""More, for each halving of the lanes that makes the joined groups."""

# ---------------------------------------------------------------- the pins of the input streams
PINS_IN = 1
"""From a beat at the pins to the loader: a register."""
GATHER = 1
"""More, if several beats make a word."""

# ---------------------------------------------------------------- activation_loader, weight_loader
LOADER_START = 2
"""From a layer taken to its first word; it can be taken the cycle after the last word before."""
ACT_ARRIVAL = 3
"""From the beat that completes a word to the first step that may read it: it is counted one cycle
before."""
WGT_ARRIVAL = 4
"""Likewise for a set of weights."""

# ---------------------------------------------------------------- rows.v
FIRST_ITEM = 29
"""From a layer offered to its first item."""
AFTER_LAYER = 1
"""From the last item of a layer taken until the next layer is looked for."""


class ItemCosts(NamedTuple):
    """From an item taken to the next one, by what begins with that."""

    row: int = 10
    """of the band"""
    block: int = 10
    """a filter block of the same band and columns"""
    span: int = 3
    """more: filters that see other channels"""
    column: int = 14
    """a column block"""
    column_blocks: int = 5
    """more, if there are several filter blocks"""
    band: int = 12
    band_blocks: int = 5
    """more, if there are several filter blocks"""
    band_columns: int = 5
    """more, if there are several column blocks"""
    frame: int = 6
    """more than a band"""
    row_end: int = 4
    """more, if the item ends an output row"""
    row_end_outside: int = 1
    """more, if the row after that begins outside the image or in another frame"""
    below: int = 4
    """more, for each kernel row below the image"""
    above: int = 4
    """more, for each kernel row above the image"""
    any_above: int = 1
    """more, if there is such a row"""
    all_above: int = 1
    """more, if the last of the image's kernel rows was skipped as one of these"""


ITEM = ItemCosts()

# ---------------------------------------------------------------- walk.v
LAYER_CHANGE = 1
"""From the last step of a layer to the next one taken, at the earliest."""
LAYER_SETTLES = 2
"""From a layer taken to its first item taken."""

# ---------------------------------------------------------------- windows.v
FIRST_WINDOW = 2
"""From an item taken to its first window issued, less the window's own cost."""
NEXT_ITEM = 1
"""From an item's last window issued to the next item taken, at the earliest."""
ITEM_HELD = 0
"""From an item's first step next in the gate to the next item taken, at the earliest."""
WINDOW = 1
"""From a window to the next, without taps outside the image."""
TAP_OUTSIDE = 1
"""More, for each of these; none if a kernel row is one run."""
TURN = 3
"""Depthwise, from the window before the last one that knows no columns to the first one that does,
without what its taps outside cost: a cycle more than two windows."""
WINDOW_QUEUE = 16
"""Windows that may be on their way to steps.v."""
QUEUE_ROOM = 2
"""From a window taken by steps.v to the issue of the one that takes its place."""
WINDOW_PIPELINE = 2
"""From a window issued to the first cycle in which steps.v may take it."""

# ---------------------------------------------------------------- steps.v, gate.v
FIRST_STEP = 2
"""From a window taken by steps.v to its first step taken by the gate."""
STEPS_AHEAD = 1
"""steps.v takes a window when the gate takes the step that comes so many before the last one of the
window before."""
ONLY_STEP = 1
"""More, for the only step of an item."""
RELEASE = 6
"""From the step that frees a word to the first beat that may take its place."""
CREDIT = 2
"""From a vector taken by the finisher to the last step of a window that takes its place."""

# ---------------------------------------------------------------- datapath.v, the vector queue
DATAPATH = 11
"""From a window's last step to its vector in the finisher, less the adder levels."""

# ---------------------------------------------------------------- finisher.v, result_reader.v
FETCH = 1
"""From a mark that begins a filter block until its first word of constants is fetched."""
COMMIT, COMMIT_INT32 = 21, 5
"""From a slice's turn in the finisher until its bytes may be read: int8 results, and int32."""
READ = 3
"""From a word read until the finisher knows."""
PINS_OUT = 4
"""From a word's read to its beat."""

# ---------------------------------------------------------------- performance_counters.v
STORED = 8
"""From a layer's last result beat until its counters are kept: no other one comes before."""


def datapath(lanes_in: int) -> int:
    """From a window's last step to its vector in the finisher."""
    return DATAPATH + lanes_in.bit_length() - 1
