"""Random layers for tests: seeded, small enough to simulate, and nasty on purpose.

Every layer is ordinary but for one extreme of its geometry and one of its values. `random_cases`
goes through both lists side by side, so that the first few dozen layers have met every extreme.
The generator is handed in; geometry and values draw from streams of their own.

    mix        what the layers may be
    geometry   their sizes, kernels, strides, padding, groups
    values     their tensors, multipliers, zero points and clamps
    cases      both together
    draws      single numbers
"""

from conv_core.tb.stimuli.random_layers.cases import question_case, random_case, random_cases
from conv_core.tb.stimuli.random_layers.geometry import GEOMETRIES
from conv_core.tb.stimuli.random_layers.mix import Mix
from conv_core.tb.stimuli.random_layers.values import BEYOND_TFLITE, HALF, VALUES, tensors_for

__all__ = [
    "BEYOND_TFLITE",
    "GEOMETRIES",
    "HALF",
    "VALUES",
    "Mix",
    "question_case",
    "random_case",
    "random_cases",
    "tensors_for",
]
