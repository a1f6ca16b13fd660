"""The layers of a network that are the core's, by its name or its file."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from conv_core.models.errors import RefusedError
from conv_core.models.layer import Layer
from conv_core.models.networks import mobilenet_v1, resnet50

KNOWN: Mapping[str, Callable[[], dict[str, Layer]]] = {
    "resnet50": resnet50,
    "mobilenet": mobilenet_v1,
}


class ModelError(RefusedError):
    """A network that can't be planned for. The text says what can."""


def layers_of(model: str) -> dict[str, Layer]:
    """The layers by their names, in the network's order. Raises `ModelError`."""
    known = " or ".join(KNOWN)
    if not model:
        raise ModelError(f"there is no network: MODEL is {known}")
    if model not in KNOWN:
        raise ModelError(f"MODEL: there is no network {model!r}; those that are known: {known}")
    return KNOWN[model]()
