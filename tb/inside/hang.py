"""What a batch says that does not come to its end: who waits for whom."""

from __future__ import annotations

from collections.abc import Mapping

from conv_core.tb.bench.bench import Bench
from conv_core.tb.bench.seen import STREAM_NAMES, StreamState
from conv_core.tb.stimuli.stalls import STREAMS, Profile


async def hang_report(bench: Bench, result_beats: int, profile: Profile) -> str:
    """Who waits for whom. `result_beats` are those of all layers of the batch."""
    limit = bench.read("host_limit")
    states = {stream: bench.state(stream) for stream in STREAMS}
    wanted = {
        "act": bench.act.queued,
        "wgt": bench.wgt.queued,
        "out": result_beats,
    }
    lines = []
    for stream, state in states.items():
        if stream == "out":
            waits = "the core offers none" if not state.valid else "the bench takes none"
        elif state.accepted == wanted[stream]:
            waits = "all taken"
        else:
            waits = "the core takes none" if state.valid else "the bench holds them back"
        lines.append(
            f"  {STREAM_NAMES[stream]}: {state.accepted} of {wanted[stream]} beats accepted, "
            f"tvalid {int(state.valid)}, tready {int(state.ready)}: {waits}"
        )
    last = [
        await bench.beat_cycle(stream, state.accepted - 1)
        for stream, state in states.items()
        if state.accepted
    ]
    moved = max((cycle for cycle in last if cycle is not None), default=None)
    since = "" if moved is None else f", no beat has passed since {bench.time_of(moved)} ns"
    stopped = _out_of_order(states, wanted, profile) or _stopped(states, wanted)
    lines.insert(0, f"hung: {stopped}{since}; limit {limit} cycles")
    return "\n".join(lines)


def _out_of_order(
    states: Mapping[str, StreamState], wanted: Mapping[str, int], profile: Profile
) -> str:
    """What a core waits for that is sent one stream before the other; empty if it is not that."""
    if not profile.first:
        return ""
    first = states[profile.first]
    second = states["act" if profile.first == "wgt" else "wgt"]
    if first.accepted == wanted[first.stream] or second.valid:
        return ""
    one, other = STREAM_NAMES[first.stream], STREAM_NAMES[second.stream]
    return (
        f"{profile.name} holds the {other} back until all {one} of the layer are taken, and the "
        f"core takes no more of them; {one} that do not fit its buffer need both streams side by "
        "side"
    )


def _stopped(states: Mapping[str, StreamState], wanted: Mapping[str, int]) -> str:
    """What a core does that hangs, as a sentence. `wanted`: beats of each stream."""
    results, inputs = states["out"], [states["act"], states["wgt"]]
    left = [s for s in inputs if s.accepted < wanted[s.stream]]
    refused = " and ".join(STREAM_NAMES[s.stream] for s in left)
    if results.accepted == wanted["out"]:
        return f"the core gave all its results and takes no more {refused}"
    if not any(s.accepted for s in inputs):
        return "the core never started, it takes no input"
    after = f"after {results.accepted} of {wanted['out']} beats of results"
    if not left:
        return f"the core stopped answering {after}, with all its input taken"
    return f"the core stopped answering {after}, and takes no more {refused}"
