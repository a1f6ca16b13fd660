"""How long a layer takes: the least that any engine of its kind needs, and what the core takes.

`cycles_limit` counts chunks, taps and beats. `cycles_model` and `queue_model` follow the core:
every decision that it takes is a comparison of counts ("has this word arrived?", "is there room?"),
so the cycle of each event is the latest of the cycles that it waits for, plus a constant. Nothing
is simulated; the constants (`latencies`) are the pipeline depths that the headers of the RTL state.

    limit         the least that any engine needs
    columns       what the windows of an output column read
    loops         the order of the work, and what rows.v needs for each item
    walk          rows, windows, steps, gate: when each step is taken
    activations   when each word of the image can be read
    weights       when each weight word can be read
    results       from a window's last step to the result beats
    model         layers, one after the other
    repeats       layers that come again and again
"""

from conv_core.models.cycles.limit import cycles_limit, limits
from conv_core.models.cycles.model import cycles_model, queue_model
from conv_core.models.cycles.repeats import RepeatingQueue

__all__ = ["RepeatingQueue", "cycles_limit", "cycles_model", "limits", "queue_model"]
