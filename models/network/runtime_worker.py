"""Runs `.tflite` files in one runtime: `runtime_worker.py RUNTIME FOLDER FIRST COUNT`.

For each i from FIRST on, below COUNT, reads FOLDER/i.tflite and FOLDER/i_inputs.npz, whose arrays
are named `frame_input`, and writes FOLDER/i_outputs.npz: the outputs of the last frame by their
numbers, or, if the file holds `keep`, for each frame the tensors of these indices,
`frame_index`. What a runtime refuses is
written to FOLDER/i_refused.txt. A process of its own, because some models end the process.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ARENA_BYTES = 16 << 20
XNNPACK = "litert-xnnpack"
MICRO = "tflite-micro"

Arrays = dict[str, NDArray[Any]]
Frames = list[list[NDArray[Any]]]


def main(runtime: str, folder: Path, first: int, count: int) -> None:
    run = _micro if runtime == MICRO else _litert
    for index in range(first, count):
        with np.load(folder / f"{index}_inputs.npz") as stored:
            names = [name.split("_") for name in stored.files if "_" in name]
            frames: Frames = [[] for _ in range(1 + max(int(frame) for frame, _ in names))]
            for frame, number in sorted(names, key=lambda name: int(name[1])):
                frames[int(frame)].append(stored[f"{frame}_{number}"])
            keep = stored["keep"].tolist() if "keep" in stored.files else []
        model = (folder / f"{index}.tflite").read_bytes()
        try:
            outputs = run(model, frames, keep, runtime == XNNPACK)
        except (RuntimeError, ValueError) as error:
            (folder / f"{index}_refused.txt").write_text(str(error))
        else:
            np.savez(folder / f"{index}_outputs.npz", **outputs)  # type: ignore[arg-type]


def _litert(model: bytes, frames: Frames, keep: list[int], xnnpack: bool) -> Arrays:
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
    kept: Arrays = {}
    for number, frame in enumerate(frames):
        for entry, values in zip(interpreter.get_input_details(), frame, strict=True):
            interpreter.set_tensor(entry["index"], values)
        interpreter.invoke()
        for index in keep:
            kept[f"{number}_{index}"] = np.array(interpreter.get_tensor(index))
    if keep:
        return kept
    details = interpreter.get_output_details()
    return {
        str(number): np.array(interpreter.get_tensor(each["index"]))
        for number, each in enumerate(details)
    }


def _micro(model: bytes, frames: Frames, keep: list[int], _: bool) -> Arrays:
    from tflite_micro.python.tflite_micro import runtime

    if keep:
        raise RuntimeError("TensorFlow Lite Micro keeps no tensors but its outputs")
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=ARENA_BYTES)
    for frame in frames:
        for number, values in enumerate(frame):
            interpreter.set_input(values, number)
        interpreter.invoke()
    return {"0": np.array(interpreter.get_output(0))}


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
