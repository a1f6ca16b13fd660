"""Runs `.tflite` files in one runtime: `runtime_worker.py RUNTIME FOLDER FIRST COUNT`.

For each i from FIRST on, below COUNT, reads FOLDER/i.tflite and FOLDER/i_inputs.npz, which holds
each input by its number, frames first, and writes FOLDER/i_outputs.npz: the outputs by their
numbers, frames first. If the file of inputs has indices in `keep`, it is these tensors. What a
runtime refuses is written to FOLDER/i_refused.txt. A process of its own, because some models end
the process.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ARENA_BYTES = 16 << 20
XNNPACK = "litert-xnnpack"
MICRO = "tflite-micro"

Arrays = list[NDArray[Any]]


def main(runtime: str, folder: Path, first: int, count: int) -> None:
    for index in range(first, count):
        with np.load(folder / f"{index}_inputs.npz") as stored:
            keep = stored["keep"].tolist()
            inputs = [stored[str(number)] for number in range(len(stored.files) - 1)]
        model = (folder / f"{index}.tflite").read_bytes()
        frames = list(zip(*inputs, strict=True))
        try:
            if runtime == MICRO:
                results = list(_micro(model, frames, keep))
            else:
                results = list(_litert(model, frames, keep, xnnpack=runtime == XNNPACK))
        except (RuntimeError, ValueError) as error:
            (folder / f"{index}_refused.txt").write_text(str(error))
            continue
        names = keep or range(len(results[0]))
        stacked = (np.stack(each) for each in zip(*results, strict=True))
        named = {str(name): each for name, each in zip(names, stacked, strict=True)}
        np.savez(folder / f"{index}_outputs.npz", **named)  # type: ignore[arg-type]


def _litert(
    model: bytes, frames: list[tuple[NDArray[Any], ...]], keep: list[int], *, xnnpack: bool
) -> Iterator[Arrays]:
    """The outputs, or the tensors to keep, of each frame."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=model,
        experimental_op_resolver_type=OpResolverType.AUTO
        if xnnpack
        else OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=bool(keep),
        num_threads=1,
    )
    interpreter.allocate_tensors()
    operators = [each["op_name"] for each in interpreter._get_ops_details()]
    if xnnpack and "DELEGATE" not in operators:
        raise RuntimeError("XNNPACK does not take this operator")
    inputs = [each["index"] for each in interpreter.get_input_details()]
    wanted = keep or [each["index"] for each in interpreter.get_output_details()]
    for frame in frames:
        for index, values in zip(inputs, frame, strict=True):
            interpreter.set_tensor(index, values)
        interpreter.invoke()
        yield [np.array(interpreter.get_tensor(index)) for index in wanted]


def _micro(
    model: bytes, frames: list[tuple[NDArray[Any], ...]], keep: list[int]
) -> Iterator[Arrays]:
    """The first output of each frame."""
    from tflite_micro.python.tflite_micro import runtime

    if keep:
        raise RuntimeError("TensorFlow Lite Micro keeps no tensors but its outputs")
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=ARENA_BYTES)
    for frame in frames:
        for number, values in enumerate(frame):
            interpreter.set_input(values, number)
        interpreter.invoke()
        yield [np.array(interpreter.get_output(0))]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
