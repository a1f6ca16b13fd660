"""Bugs of the core, written down as patches, and what the environment says of each.

A patch in this folder begins with two lines: `fault:`, a sentence, and `hypothesis:`, the name of
the hypothesis of tb/checks/hypotheses that describes it, or `none`. The patches were written
before the hypotheses. One that no longer applies is an error: the core has changed, and the patch
must follow.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from conv_core.models.core_config import CoreConfig
from conv_core.models.layer import Layer, LayerCase
from conv_core.tb.checks.diagnosis import Diagnosis, diagnose
from conv_core.tb.runs.builds import FILE_LIST, rtl_files
from conv_core.tb.runs.layers import run_layers

FOLDER = Path(__file__).resolve().parent

CONFIG = CoreConfig(
    lanes_in=4,
    lanes_out=8,
    act_bytes=256,
    wgt_words=32,
    const_words=64,
    out_bytes=256,
    result_queue=4,
    act_stream_bytes=2,
    out_stream_bytes=4,
)
"""Small buffers, so that small layers fill them; streams narrower than the words."""


class PatchError(Exception):
    """A patch that can't be read or no longer applies. The text names it."""


@dataclass(frozen=True)
class Bug:
    """A fault of the core."""

    name: str
    fault: str
    hypothesis: str | None
    """that should name it; None where no hypothesis describes it"""
    patch: Path

    def apply(self, folder: Path) -> list[Path]:
        """The core's files with this bug, in a copy below `folder`. Raises `PatchError`."""
        rtl = folder / FILE_LIST.parent.name
        shutil.copytree(FILE_LIST.parent, rtl)
        command = ["git", "apply", "-C1", str(self.patch)]
        # Without a repository around it, git takes the folder for the top of one.
        environment = {"GIT_CEILING_DIRECTORIES": str(folder.resolve().parent), "PATH": _PATH}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise PatchError(f"{self.patch.name} no longer applies: {done.stderr.strip()}")
        return list(rtl_files(rtl / FILE_LIST.name))


_PATH = str(Path(shutil.which("git") or "git").parent)


def load() -> list[Bug]:
    """All bugs, in the order of their numbers. Raises `PatchError`."""
    return [_read(patch) for patch in sorted(FOLDER.glob("*.patch"))]


def _read(patch: Path) -> Bug:
    fault, hypothesis, *_ = patch.read_text().splitlines()
    if not fault.startswith("fault: ") or not hypothesis.startswith("hypothesis: "):
        raise PatchError(f"{patch.name} does not begin with a fault and a hypothesis")
    name = hypothesis.removeprefix("hypothesis: ")
    return Bug(patch.stem, fault.removeprefix("fault: "), None if name == "none" else name, patch)


# -------------------------------------------------------------------------------- layers
def layers() -> list[LayerCase]:
    """Small layers that between them use all that the core can do."""
    ordinary = _case("ordinary", 5, 6, 5, 12, (3, 3), pads=(1, 1, 1, 1), act_min=-90, act_max=100)
    tall = _case("tall", 24, 4, 4, 8, (3, 3), pads=(1, 1, 1, 0), in_zp=3)
    large = _case("large", 1, 1, 130, 20, (1, 1), in_zp=100)
    bias = np.random.default_rng(60).integers(-(1 << 27), 1 << 27, 20, np.int32)
    large = replace(large, bias=bias, shift=np.arange(-22, -2, dtype=np.int32) // 2 - 10)
    ties = _small(_case("ties", 4, 5, 3, 10, (3, 2), batch=2, in_zp=1, out_zp=-1), -3, 0)
    left = _small(_case("left shift", 3, 4, 2, 8, (2, 2), in_zp=0), 1, 7)
    return [
        ordinary,
        large,
        _case("accumulators", 7, 5, 3, 8, (3, 3), (2, 1), pads=(1, 0, 0, 2), requantise=False),
        _case("dilated", 6, 7, 4, 9, (3, 3), dilation=(2, 2), pads=(2, 2, 2, 2)),
        ties,
        tall,
        replace(tall, name="tall again", w=np.flip(tall.w).copy(), bias=tall.bias + 99),
        _case("strides", 9, 8, 4, 8, (3, 2), (3, 2), pads=(0, 1, 0, 1)),
        _case("pointwise", 4, 5, 4, 8, (1, 1), in_zp=0, requantise=False),
        _case("batch", 4, 5, 3, 5, (3, 3), batch=2, pads=(1, 1, 1, 1), requantise=False),
        left,
        _case("pads", 4, 5, 4, 8, (3, 4), pads=(1, 2, 1, 1), requantise=False),
        _case("groups", 1, 6, 6, 20, (1, 3), groups=2, requantise=False),
        _little_bias(_case("joined groups", 4, 5, 6, 12, (2, 2), pads=(0, 1, 1, 0), groups=3)),
        _little_bias(_case("depthwise", 5, 6, 6, 6, (3, 3), groups=6, pads=(1, 1, 1, 1))),
        _case("depthwise strides", 6, 7, 5, 5, (3, 3), (2, 2), groups=5, requantise=False),
        _case("depthwise pairs", 5, 7, 3, 6, (2, 3), dilation=(1, 2), pads=(0, 2, 1, 1), groups=3),
        _float(_case("float", 4, 5, 3, 8, (3, 2), pads=(1, 0, 1, 0))),
        _float_ties(_case("float ties", 3, 4, 2, 8, (2, 2), in_zp=1)),
    ]


def _case(
    name: str,
    height: int,
    width: int,
    in_channels: int,
    out_channels: int,
    kernel: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    *,
    requantise: bool = True,
    **fields: Any,
) -> LayerCase:
    """Random tensors; requantised results go a little beyond int8."""
    rng = np.random.default_rng([61, *name.encode()])
    fields = {"batch": 1, "in_zp": -5, "out_zp": 11, "requantise": requantise} | fields
    layer = Layer(
        height=height,
        width=width,
        in_channels=in_channels,
        out_channels=out_channels,
        kernel=kernel,
        stride=stride,
        **fields,
    )
    products = int(np.prod(layer.weight_shape[1:]))
    shift = np.full(out_channels, -int(np.log2(50 * products**0.5)), np.int32)
    shift += rng.integers(-1, 2, out_channels, np.int32)
    return LayerCase(
        name,
        layer,
        rng.integers(-128, 128, layer.in_shape, np.int8),
        rng.integers(-128, 128, layer.weight_shape, np.int8),
        rng.integers(-60_000, 60_000, out_channels, np.int32),
        mult=rng.integers(1 << 30, (1 << 31) - 1, out_channels, np.int32) if requantise else None,
        shift=shift if requantise else None,
    )


def _small(case: LayerCase, least_shift: int, largest_shift: int) -> LayerCase:
    """The same layer with small numbers and multipliers of a half, which make exact ties."""
    rng = np.random.default_rng(62)
    channels = case.layer.out_channels
    return replace(
        case,
        x=(case.x // 32).astype(np.int8),
        w=(case.w // 43).astype(np.int8),
        bias=rng.integers(-9, 10, channels, np.int32),
        mult=np.full(channels, 1 << 30, np.int32),
        shift=rng.integers(least_shift, largest_shift + 1, channels, np.int32),
    )


def _little_bias(case: LayerCase) -> LayerCase:
    """For sums of few products: else most results are clamped, and look right by accident."""
    return replace(case, bias=case.bias // 16)


def _float(case: LayerCase) -> LayerCase:
    """The same layer with the float rule, and multipliers of about the same size."""
    assert case.mult is not None
    assert case.shift is not None
    scale = np.ldexp(case.mult.astype(np.float32), case.shift - 31).astype(np.float32)
    layer = replace(case.layer, rounding="float")
    return replace(case, layer=layer, mult=None, shift=None, scale=scale)


def _float_ties(case: LayerCase) -> LayerCase:
    """The same layer with the float rule and multipliers of 2**-1 to 2**-4, which make ties."""
    case = _float(_small(case, -3, 0))
    scale = np.ldexp(np.float32(1), -1 - np.arange(case.layer.out_channels) % 4)
    return replace(case, scale=scale.astype(np.float32))


# -------------------------------------------------------------------------------- scores
@dataclass(frozen=True)
class Score:
    """What became of a bug."""

    bug: Bug
    messages: tuple[str, ...]
    """why layers failed"""
    diagnoses: tuple[Diagnosis, ...]
    """of the failed layers that gave all their results"""

    @property
    def caught(self) -> bool:
        return bool(self.messages)

    @property
    def names(self) -> frozenset[str]:
        """All hypotheses that some layer named."""
        return frozenset().union(*(diagnosis.names for diagnosis in self.diagnoses))

    @property
    def named_rightly(self) -> bool:
        """Some layer names the right hypothesis, and none that names any leaves it out."""
        named = [diagnosis.names for diagnosis in self.diagnoses if diagnosis.names]
        return bool(named) and all(self.bug.hypothesis in names for names in named)

    @property
    def named_wrongly(self) -> bool:
        """Some layer names hypotheses, and the right one is not among them."""
        return any(d.names and self.bug.hypothesis not in d.names for d in self.diagnoses)


TRAFFIC = (("none", False), ("bursty", True), ("heavy", True), ("none", True))
"""(stalls, queued behind each other): the layers meet these in turn until one turns some red."""


def score(bug: Bug, simulator: str = "icarus") -> Score:
    """Runs the layers through the core with this bug. Raises `PatchError`, `SimulationError`."""
    cases = layers()
    messages: list[str] = []
    diagnoses: list[Diagnosis] = []
    with tempfile.TemporaryDirectory() as folder:
        sources = bug.apply(Path(folder))
        for stall, queue in TRAFFIC:
            if messages:
                break
            results = run_layers(
                cases, CONFIG, simulator, stall=stall, queue=queue, rtl_sources=sources
            )
            for i, result in enumerate(results):
                if result.passed:
                    continue
                messages.append(result.message)
                if result.mismatches and result.values is not None:
                    before = cases[i - 1] if i else None
                    diagnoses.append(diagnose(cases[i], result.values, CONFIG, before))
    return Score(bug, tuple(messages), tuple(diagnoses))
