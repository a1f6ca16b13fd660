"""What commands could have left for a report: with failures, and with texts that must be escaped."""

from __future__ import annotations

from pathlib import Path

from conv_core.pages.outcomes import CommandOutcome, Failure, Line, keep

QUESTION = CommandOutcome(
    command="question",
    repeat="make question SEED=5",
    status="PASS",
    seconds=1.5,
    summary="2 of 2 layers right",
    lines=tuple(
        Line(
            name,
            "PASS",
            {
                "layer": "(11, 11, 64) * (3, 3, 64, 64) -> (11, 11, 64)",
                "array": "16x16",
                "cycles": 16_005,
                "limit": 15_376,
                "efficiency": 0.9607,
            },
        )
        for name in ("int8", "int32")
    ),
)
PICTURE = "frame 0, wrong in channels 0-2 (. none, - few, + many, # all channels):\n  ..#\n  -+."
WRONG = Failure(
    name="odd <layer> & co",
    message="layer odd: 5 of 96 values differ from the model; <script>alert(1)</script>",
    replay="make replay FAILURE=build/failures/icarus-4x4-1 WAVES=1",
    diagnosis="this is what one fault would give: accumulator not cleared",
    picture=PICTURE,
    cut="the cycles around the wrong beat:\n  out_tvalid  0  1  1",
    cut_svg='<svg class="cut" viewBox="0 0 10 10" width="10" height="10"><path d="M0 5h10"/></svg>',
)
REGRESS = CommandOutcome(
    command="regress",
    repeat="make regress SEED=1 SEEDS=3",
    status="FAIL",
    seconds=62.0,
    summary="1,203 layers of 3 seeds, 1 seed with a wrong one",
    lines=tuple(
        Line(f"seed {seed}", "FAIL" if seed == 2 else "PASS", {"layers": 401, "array": "4x4"})
        for seed in (1, 2, 3)
    ),
    failures=(WRONG,),
)
TESTS = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" tests="3" failures="1" skipped="1" time="2.5">
<testcase classname="tests.core.test_stalls" name="test_no_beat_is_lost[icarus]" time="1.25"/>
<testcase classname="tests.core.test_stalls" name="test_order_is_kept" time="0.5">
<failure message="assert 1 == 2">def test():
&gt;   assert 1 == 2</failure></testcase>
<testcase classname="tests.core.test_long" name="test_a_night" time="0"><skipped/></testcase>
</testsuite></testsuites>
"""


def leave(folder: Path) -> Path:
    """Writes the files of three commands; that of the tests."""
    keep(QUESTION, folder)
    keep(REGRESS, folder)
    tests = folder / "tests.xml"
    tests.write_text(TESTS)
    return tests
