"""The core on its own, for tests that drive its pins from Python."""

from __future__ import annotations

from pathlib import Path

from conv_core.models.core_config import CoreConfig
from conv_core.tb.paths import ROOT
from conv_core.tb.runs.builds import Design, build, rtl_files
from tests.core.rig import CONFIG

PUBLIC = """\
`verilator_config
public_flat_rw -module "conv_core" -var "s_*"
public_flat_rw -module "conv_core" -var "m_*"
public_flat_rw -module "conv_core" -var "clk"
public_flat_rw -module "conv_core" -var "rst"
public_flat_rd -module "conv_core" -var "irq"
public_flat_rd -module "conv_core" -var "halted"
public_flat_rd -module "conv_core" -var "closing"
public_flat_rd -module "conv_core" -var "desc_*"
public_flat_rd -module "registers" -var "*_valid_q"
public_flat_rd -module "layer_setup" -var "state_q"
public_flat_rd -module "rows" -var "at_q"
public_flat_rd -module "walk" -var "windows_busy"
public_flat_rd -module "walk" -var "gate_busy"
public_flat_rd -module "conv_core" -var "step_valid"
public_flat_rd -module "frame_counter" -var "active"
public_flat_rd -module "weight_loader" -var "active_q"
public_flat_rd -module "weight_loader" -var "constants_q"
public_flat_rd -module "finisher" -var "active_q"
"""


def core_at_its_pins(config: CoreConfig = CONFIG) -> Design:
    """`conv_core` as the top of the simulation."""
    return Design(
        top="conv_core",
        sources=(ROOT / "tests" / "core" / "timescale.v", *rtl_files()),
        parameters=config.verilog_parameters(),
        public=PUBLIC,
    )


def run_at_the_pins(
    module: str,
    simulator: str,
    folder: Path,
    *,
    config: CoreConfig = CONFIG,
    seed: int = 1,
    **environment: str,
) -> str:
    """Runs the cocotb tests of a module of this folder; returns what they say."""
    build(core_at_its_pins(config), simulator).simulate(
        f"tests.core.{module}",
        folder,
        seed=seed,
        environment=environment,
    )
    return (folder / "run.log").read_text()
