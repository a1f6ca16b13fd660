"""The runtimes that a network may be deployed with, each as a class that runs models.

    answers = LiteRtReference().run([Call(model, [[x]])])     # one call, one frame, one input
    answers[0].outputs                                        # [y], frames first, or
    answers[0].refusal                                        # why this runtime can't run it

`.tflite` files run in a process of their own, since some of them end it. A package that is not
installed is a `RuntimeMissingError`, whose text says how to install it.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from conv_core.models.errors import RefusedError

WORKER = Path(__file__).with_name("runtime_worker.py")
SECONDS = 600
"""that the calls of one process may take together"""


class RuntimeMissingError(RefusedError):
    """The package of a runtime is not installed."""


@dataclass(frozen=True, eq=False)
class Call:
    """A model and its inputs: for each frame the values of each input, in the model's order."""

    model: bytes
    frames: Sequence[Sequence[NDArray[Any]]]
    keep: Sequence[int] = ()
    """indices of tensors that are wanted in place of outputs"""
    names: Sequence[str] = ()
    """of these tensors, and `types` their types, for runtimes that know them by name"""
    types: Sequence[np.dtype[Any]] = ()


@dataclass(frozen=True, eq=False)
class Answer:
    """What a runtime made of a call: outputs, (frames, ...) each, or why it refused."""

    outputs: list[NDArray[Any]] = field(default_factory=list)
    kept: dict[int, NDArray[Any]] = field(default_factory=dict)
    """(frames, ...) by their indices: the tensors that the call asked for"""
    refusal: str = ""

    @property
    def tensors(self) -> dict[int, NDArray[Any]]:
        """Those of the last frame."""
        return {index: each[-1] for index, each in self.kept.items()}


class Runtime:
    """A runtime: `name` for people, `package` for pip, `form` of the models that it reads."""

    name: ClassVar[str]
    package: ClassVar[str]
    module: ClassVar[str]
    form: ClassVar[str]

    def require(self) -> None:
        """Raises `RuntimeMissingError` unless the package is installed."""
        if importlib.util.find_spec(self.module) is None:
            raise RuntimeMissingError(
                f"{self.name} is not installed: pip install {self.package}, or leave it out"
            )

    def run(self, calls: Sequence[Call]) -> list[Answer]:
        """One answer for each call. Raises `RuntimeMissingError`."""
        raise NotImplementedError


class _TfliteRuntime(Runtime):
    form = "tflite"
    worker: ClassVar[str]

    def run(self, calls: Sequence[Call]) -> list[Answer]:
        self.require()
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for index, call in enumerate(calls):
                (folder / f"{index}.tflite").write_bytes(call.model)
                _save(folder / f"{index}_inputs.npz", call)
            first = 0
            while first < len(calls):  # a call that ends the process is refused; the rest go on
                ended = self._process(folder, first, len(calls))
                first = next(
                    (i for i in range(first, len(calls)) if not _done(folder, i)), len(calls)
                )
                if first < len(calls):
                    (folder / f"{first}_refused.txt").write_text(ended)
                    first += 1
            return [_answer(folder, index, call) for index, call in enumerate(calls)]

    def _process(self, folder: Path, first: int, count: int) -> str:
        command = [sys.executable, str(WORKER), self.worker, str(folder), str(first), str(count)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        said = run.stderr.strip().splitlines()
        return f"the process ended with {run.returncode}: {said[-1] if said else 'no message'}"


class LiteRtReference(_TfliteRuntime):
    """LiteRT with its reference kernels (`OpResolverType.BUILTIN_REF`)."""

    name = "LiteRT reference"
    package = "ai-edge-litert"
    module = "ai_edge_litert"
    worker = "litert-reference"


class LiteRtXnnpack(_TfliteRuntime):
    """LiteRT as it comes: XNNPACK computes what it supports. The rest is refused here."""

    name = "LiteRT XNNPACK"
    package = "ai-edge-litert"
    module = "ai_edge_litert"
    worker = "litert-xnnpack"


class TfliteMicro(_TfliteRuntime):
    """TensorFlow Lite Micro, whose kernels on a PC are the portable ones."""

    name = "TensorFlow Lite Micro"
    package = "tflite-micro"
    module = "tflite_micro"
    worker = "tflite-micro"


class OnnxRuntime(Runtime):
    """ONNX Runtime on the processor, in one thread."""

    name = "ONNX Runtime"
    package = "onnxruntime"
    module = "onnxruntime"
    form = "onnx"

    def run(self, calls: Sequence[Call]) -> list[Answer]:
        self.require()
        return [self._run(call) for call in calls]

    def _run(self, call: Call) -> Answer:
        import onnxruntime

        model = _with_outputs(call) if call.keep else call.model
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
            names = [each.name for each in session.get_inputs()]
            wanted = list(call.names) if call.keep else None
            frames = [
                session.run(wanted, dict(zip(names, frame, strict=True))) for frame in call.frames
            ]
        except Exception as error:
            return Answer(refusal=str(error).splitlines()[0])
        stacked = [np.stack(each) for each in zip(*frames, strict=True)]
        if call.keep:
            return Answer(kept=dict(zip(call.keep, stacked, strict=True)))
        return Answer(outputs=stacked)


def _with_outputs(call: Call) -> bytes:
    """The ONNX model, whose tensors that are wanted are outputs, too."""
    import onnx

    model: Any = onnx.load_model_from_string(call.model)
    present = {each.name for each in model.graph.output}
    for name, dtype in zip(call.names, call.types, strict=True):
        if name not in present:
            kind = onnx.helper.np_dtype_to_tensor_dtype(dtype)
            model.graph.output.append(onnx.helper.make_tensor_value_info(name, kind, None))
    content: bytes = model.SerializeToString()
    return content


RUNTIMES: tuple[type[Runtime], ...] = (LiteRtReference, LiteRtXnnpack, TfliteMicro, OnnxRuntime)


def _save(path: Path, call: Call) -> None:
    inputs = enumerate(zip(*call.frames, strict=True))
    arrays = {str(number): np.stack(values) for number, values in inputs}
    arrays["keep"] = np.array(call.keep, np.int64)
    np.savez(path, **arrays)  # type: ignore[arg-type]


def _done(folder: Path, index: int) -> bool:
    return any((folder / f"{index}_{what}").exists() for what in ("outputs.npz", "refused.txt"))


def _answer(folder: Path, index: int, call: Call) -> Answer:
    refused = folder / f"{index}_refused.txt"
    if refused.exists():
        return Answer(refusal=refused.read_text())
    with np.load(folder / f"{index}_outputs.npz") as stored:
        arrays = {int(name): stored[name] for name in stored.files}
    if call.keep:
        return Answer(kept=arrays)
    return Answer(outputs=[arrays[number] for number in sorted(arrays)])
