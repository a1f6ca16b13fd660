"""What tests share: the simulators they run on."""

from __future__ import annotations

import os

import pytest

from conv_core.tb.runs.tools import SIMULATORS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that ask for a `simulator` run on both, or on the one that SIM names.

    A simulator that is not installed makes its tests fail: nothing is skipped.
    """
    if "simulator" in metafunc.fixturenames:
        chosen = os.environ.get("SIM")
        metafunc.parametrize("simulator", [chosen] if chosen else SIMULATORS)
