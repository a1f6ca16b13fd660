"""The protocol rules: what is asked of the pins in every run, by number and by name.

tb/bench/verilog/stream_monitor.v checks those of AXI4-Stream on each of the three streams, and
tb/bench/verilog/axil_monitor.v those of the control port, in every cycle. The two that end in
`waits` are found out by trial, when a run has come to a standstill. `RULES=-tkeep,-tlast-early`
switches rules off; docs/verification.md has the table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from conv_core.models.errors import RefusedError


class RuleError(RefusedError):
    """A rule that does not exist. The text names those that do."""


@dataclass(frozen=True)
class Rule:
    """What must not happen."""

    number: int
    name: str
    broken: str
    """what is said when it happens"""

    def __str__(self) -> str:
        return f"{self.broken} (rule {self.number}, {self.name})"


STREAM_RULES = (
    Rule(0, "x-control", "tvalid or tready is X"),
    Rule(1, "x-payload", "tdata, tkeep or tlast is X in a valid beat"),
    Rule(2, "tvalid-withdrawn", "tvalid was withdrawn before tready"),
    Rule(3, "payload-changed", "the payload changed while stalled"),
    Rule(4, "tlast-early", "tlast came before the end of the packet"),
    Rule(5, "tlast-missing", "tlast is missing at the end of the packet"),
    Rule(6, "tkeep", "tkeep does not mark the bytes that count"),
    Rule(7, "beat-unexpected", "a beat came that nobody expected"),
    Rule(8, "tvalid-waits", "tvalid waits for tready"),
)

BUS_RULES = (
    Rule(16, "bus-x-control", "valid or ready is X"),
    Rule(17, "bus-x-payload", "the payload is X while valid is high"),
    Rule(18, "bus-valid-withdrawn", "valid was withdrawn before ready"),
    Rule(19, "bus-payload-changed", "the payload changed while stalled"),
    Rule(20, "bus-answer-early", "an answer came before its request was accepted"),
    Rule(21, "bus-answer-unasked", "an answer came that nobody asked for"),
    Rule(22, "bus-exokay", "the answer is EXOKAY, which AXI4-Lite does not have"),
    Rule(23, "irq-x", "irq is X"),
    Rule(24, "bus-valid-waits", "valid waits for ready"),
)

RULES = STREAM_RULES + BUS_RULES
BY_NAME = {rule.name: rule for rule in RULES}
TVALID_WAITS = BY_NAME["tvalid-waits"]
BUS_VALID_WAITS = BY_NAME["bus-valid-waits"]


def rules_off(text: str) -> frozenset[str]:
    """The names in `-name,-name`. Raises `RuleError`."""
    names = []
    for word in filter(None, text.replace(" ", "").split(",")):
        if word.lstrip("-") not in BY_NAME:
            raise RuleError(f"there is no rule {word!r}; there are {', '.join(BY_NAME)}")
        if not word.startswith("-"):
            raise RuleError(f"all rules are on; -{word} switches {word} off")
        names.append(word.removeprefix("-"))
    return frozenset(names)


def rules_mask(off: Iterable[str]) -> int:
    """The 32 bits, by number, of the rules that are on: those not in `off`."""
    return (1 << 32) - 1 - sum(1 << BY_NAME[name].number for name in set(off))
