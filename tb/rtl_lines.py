"""How many of the RTL's lines of code are wiring: `python -m tb.rtl_lines`.

Every line of code in rtl/ is one of these (blank lines, comments and directives are no code):

- *wiring* lists, connects or copies signals: a port, a parameter that is handed on, a connection of
  an instance, the line that opens a module or an instance, one name or several in a concatenation,
  and an assignment of a bare name to a bare name;
- a *declaration* of a net, a register, a constant or a loop variable;
- nothing but *brackets*, or `begin`, `else` and `end`;
- all else *decides* something.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

RTL = Path(__file__).parents[1] / "rtl"

_NAME = r"[\w.]+(\s*\[[^\]]*\])*"
_WIRING = (
    r"(input|output|inout)\b",  # ports
    r"\.\w+\s*\(.*\)\s*,?$",  # connections and parameters handed on
    r"\.\w+\s*\(\{?$",  # a connection that goes on
    r"module\b",
    r"parameter\b",
    r"\w+\s*#?\($",  # an instance opens
    r"\)\s*\w+\s*\($",
    rf"({_NAME}\s*,\s*)*{_NAME},?$",  # names in a list
    rf"(assign\s+)?{_NAME}\s*<?=\s*{_NAME};$",  # copies
    r"\w+\s+#\(.*\)\s+\w+\s*\(.*\);$",  # a whole instance in a line
)
_DECLARATION = (
    r"(wire|reg)\b[^=]*;$",
    r"localparam\b.*[,;]$",
    r"(integer|genvar)\b.*;$",
)
_BRACKETS = r"[(){},;\s]*|(end\s*)?(else\s*)?(begin|end|generate)?(\s*:\s*\w+)?|end\w+"


def kind(line: str) -> str | None:
    """What a line of Verilog is: "wiring", "declaration", "bracket", "deciding"; None: no code."""
    code = re.sub(r"//.*", "", line)
    code = re.sub(r"\(\*.*?\*\)", "", code).strip()
    if not code or code.startswith("`"):
        return None
    if re.fullmatch(_BRACKETS, code):
        return "bracket"
    for name, patterns in (("wiring", _WIRING), ("declaration", _DECLARATION)):
        if any(re.match(pattern, code) for pattern in patterns):
            return name
    return "deciding"


def count(path: Path) -> Counter[str]:
    """The lines of code of a file, by kind."""
    return Counter(k for line in path.read_text().splitlines() if (k := kind(line)))


def share(counts: Counter[str]) -> float:
    """The part of the lines of code that is wiring."""
    return counts["wiring"] / max(counts.total(), 1)


def main() -> int:
    """Prints a line for each file and one for all of them."""
    total: Counter[str] = Counter()
    print(f"{'file':36} {'code':>6} {'wiring':>7} {'declared':>9} {'decides':>8} {'wiring':>7}")
    for path in sorted(RTL.rglob("*.v*")):
        counts = count(path)
        total += counts
        _print(str(path.relative_to(RTL)), counts)
    _print("all", total)
    return 0


def _print(name: str, counts: Counter[str]) -> None:
    columns = (counts["wiring"], counts["declaration"], counts["deciding"])
    print(f"{name:36} {counts.total():6} {columns[0]:7} {columns[1]:9} {columns[2]:8}", end="")
    print(f" {share(counts):6.0%}")


if __name__ == "__main__":
    sys.exit(main())
