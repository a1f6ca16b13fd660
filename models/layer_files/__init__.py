"""Layer files: a layer with its tensors in an `.npz`, as README.md describes them, and results.

    fields     what a file may hold, and the values of single fields
    weights    the layouts of `w`
    meaning    from the fields of a file to a layer
    reading    from a file to its fields, and so to a layer
    writing    from a layer, or from results, to a file

Whatever makes no sense is refused with a `LayerFileError`, one sentence that names file and field
and says what to write instead.
"""

from conv_core.models.layer_files.fields import FIELDS, LayerFileError
from conv_core.models.layer_files.reading import find_layers, read_layer, read_quantised
from conv_core.models.layer_files.writing import write_layer, write_result

__all__ = [
    "FIELDS",
    "LayerFileError",
    "find_layers",
    "read_layer",
    "read_quantised",
    "write_layer",
    "write_result",
]
