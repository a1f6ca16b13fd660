"""The text-direction classifier and the detector of rapidocr-onnxruntime, quantised by
onnxruntime.quantization: every operator equal to ONNX Runtime's.

They are the `.onnx` files of that package's wheel, in the folder that CONV_RAPIDOCR names.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import version_converter
from onnxruntime.quantization import (
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from conv_core.models.core_config import CoreConfig
from conv_core.models.network.files import frames_of, random_frames, read_network
from conv_core.tb.runs.network import run_network
from tests.network.comparing import Images, compare

OPSET = 13
"""the first with a scale for each channel"""
SIZES = {
    "ch_ppocr_mobile_v2.0_cls_infer": (1, 3, 48, 192),
    "ch_PP-OCRv4_det_infer": (1, 3, 96, 96),
}
FOLDER = Path(os.environ.get("CONV_RAPIDOCR", ""))
NETWORKS = list(SIZES) if "CONV_RAPIDOCR" in os.environ else []
FORMS = [
    (form, weights)
    for form in (QuantFormat.QOperator, QuantFormat.QDQ)
    for weights in (QuantType.QInt8, QuantType.QUInt8)
]


def quantised(name: str, form: Any, weights: Any, folder: Path) -> Path:
    """The network for images of one size, quantised."""
    rng = np.random.default_rng(0)
    model = onnx.load(str(FOLDER / f"{name}.onnx"))
    entry = model.graph.input[0]
    for axis, size in zip(entry.type.tensor_type.shape.dim, SIZES[name], strict=True):
        axis.Clear()
        axis.dim_value = size
    plain, path = folder / "plain.onnx", folder / f"{form.name}_{weights.name}.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quant_pre_process(model, plain, skip_symbolic_shape=True)
        onnx.save(version_converter.convert_version(onnx.load(str(plain)), OPSET), str(plain))
        quantize_static(
            plain,
            path,
            Images(entry.name, [rng.uniform(-1, 1, SIZES[name]) for _ in range(4)]),
            quant_format=form,
            activation_type=QuantType.QUInt8,
            weight_type=weights,
            per_channel=weights == QuantType.QInt8,
        )
    return path


@pytest.mark.long
@pytest.mark.parametrize(("form", "weights"), FORMS)
@pytest.mark.parametrize("name", NETWORKS)
def test_network_on_the_model_equals_onnxruntime(
    name: str, form: Any, weights: Any, tmp_path: Path
) -> None:
    comparison = compare(quantised(name, form, weights, tmp_path), frames=3, seed=1)
    assert not comparison.differ
    assert comparison.compared["QLinearConv"] > 100_000


@pytest.mark.long
@pytest.mark.parametrize(("form", "weights"), [FORMS[0], FORMS[3]])
@pytest.mark.parametrize("name", NETWORKS)
def test_network_on_the_core_equals_onnxruntime(
    name: str, form: Any, weights: Any, tmp_path: Path
) -> None:
    path = quantised(name, form, weights, tmp_path)
    graph = read_network(path)
    frames = frames_of(graph, random_frames(graph, np.random.default_rng(2), 1))
    run = run_network(graph, frames, CoreConfig(), model=path.read_bytes())
    assert run.passed
    assert run.compared
    assert sum(each.values for each in run.operators) > 100_000
