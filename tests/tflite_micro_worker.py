"""Runs `.tflite` files through TensorFlow Lite Micro: `tflite_micro_worker.py FOLDER COUNT`.

For each i below COUNT reads FOLDER/i.tflite and its input i_x.npy, and writes its output i_y.npy. A
process of its own, because tflite-micro ends the process on a model that it does not like.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from tflite_micro.python.tflite_micro import runtime

ARENA_BYTES = 4 << 20


def main(folder: Path, count: int) -> None:
    for index in range(count):
        model = (folder / f"{index}.tflite").read_bytes()
        interpreter = runtime.Interpreter.from_bytes(model, arena_size=ARENA_BYTES)
        interpreter.set_input(np.load(folder / f"{index}_x.npy"), 0)
        interpreter.invoke()
        np.save(folder / f"{index}_y.npy", interpreter.get_output(0))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
