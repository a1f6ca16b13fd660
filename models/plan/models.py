"""The layers of a network that are the core's, by its name or its file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from conv_core.models.errors import RefusedError
from conv_core.models.layer import Layer, LayerError
from conv_core.models.network.files import read_network
from conv_core.models.network.graph import NetworkError
from conv_core.models.network.lowering import layer_of, on_core
from conv_core.models.networks import mobilenet_v1, resnet50

KNOWN: Mapping[str, Callable[[], dict[str, Layer]]] = {
    "resnet50": resnet50,
    "mobilenet": mobilenet_v1,
}


class ModelError(RefusedError):
    """A network that can't be planned for. The text says what can."""


def layers_of(model: str) -> dict[str, Layer]:
    """The layers by their names, in the network's order.

    Raises `ModelError`, `NetworkError` where a file can't be read, and OSError.
    """
    if not model:
        raise ModelError(f"there is no network: MODEL is a .tflite file, {' or '.join(KNOWN)}")
    if model in KNOWN:
        return KNOWN[model]()
    if not Path(model).exists():
        raise ModelError(
            f"MODEL: {model} is neither a file nor one of the networks that are known, "
            f"{', '.join(KNOWN)}"
        )
    graph = read_network(Path(model))
    layers: dict[str, Layer] = {}
    for operator in graph.operators:
        if on_core(graph, operator):
            name = f"{operator.number} {operator.kind}"
            try:
                layers[name] = layer_of(graph, operator)
            except LayerError as error:
                raise NetworkError(f"{model}: operator {name}: {error}") from None
    if not layers:
        raise ModelError(f"{model}: none of its operators is computed by the core")
    return layers
