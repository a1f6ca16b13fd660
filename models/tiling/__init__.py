"""How a layer that does not fit the core is cut into pieces that do, and put together again.

    pieces = plan(layer, config)                # one piece, the layer itself, where it fits
    cases = split(case, pieces)                 # run each of them ...
    result = join(layer, pieces, results)       # ... and put their results in place

A piece is a layer of its own: some output channels on some output columns, on all rows of all
frames. It needs the input columns under its windows (neighbours share a halo) and, with channel
groups, only its own groups' channels. Each part of the columns takes all weights, and each part of
a channel group all its activations: the cut is one for which array and streams together need the
least time; of these the one with the fewest pieces, balanced; and of those the one that cuts
channels. Where channels are cut, half of the weight buffer is kept free for the next piece's, if
that needs no further columns and takes no longer.

A piece that is a single band uses its weights once, so that they stream through, whatever their
number: often a cut into such pieces has the fewest. What the weight buffer can't hold even so (one
block of filters that is larger) is cut into single windows, each with all its weights.

What fits is what the core does not refuse (docs/driving-the-core.md, errors 2 to 5). Nothing here
needs tensors or floating point, so that a driver in firmware can do the same.

    axes      the windows of an axis in parts
    filters   the filters in parts
    cuts      a layer in parts along all of these, and what that costs
    plans     which cut is taken
    pieces    the layers of the parts, their tensors and their results
"""

from conv_core.models.tiling.pieces import Piece, join, split
from conv_core.models.tiling.plans import NotFittingError, plan

__all__ = ["NotFittingError", "Piece", "join", "plan", "split"]
