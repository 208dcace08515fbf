"""Reading, preparing, running and writing ONNX models, with weights beside the model where they are large."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from google.protobuf.message import DecodeError
from onnx import numpy_helper, shape_inference

from comptoir.errors import ConfigError, DataError, StorageError

__all__ = [
    "Model",
    "check_tensors",
    "copy",
    "digest",
    "is_float",
    "opset",
    "prepare",
    "read",
    "reason",
    "session",
    "shapes",
    "write",
]

Model = Any
"""An `onnx.ModelProto`; the package has no usable types for its generated classes."""

RUNTIME_PLACE = re.compile(r"/onnxruntime_src/\S+:\d+ .*?\)(?: const)? ")
"""Where in ONNX Runtime's source an error comes from, which it writes before what is wrong."""

LARGEST_MESSAGE = 1_500_000_000
"""Bytes of weights above which a model is kept with external data; a protocol buffer ends at 2 GiB."""


def read(path: Path) -> Model:
    """Read a model with its external data and check it.

    Parameters
    ----------
    path : Path
        The file; external data are looked for beside it.

    Returns
    -------
    onnx.ModelProto

    Raises
    ------
    comptoir.StorageError
        The file cannot be read (``DOCTOR_MODEL_UNREADABLE``).
    comptoir.DataError
        It holds no valid ONNX model (``DOCTOR_MODEL_INVALID``).
    """
    try:
        model = onnx.load(str(path))
        # By path, because the checker cannot take a message of more than 2 GiB.
        onnx.checker.check_model(str(path))
    except OSError as error:
        raise StorageError(f"model `{path}`: {reason(error)}", "DOCTOR_MODEL_UNREADABLE") from error
    except (DecodeError, onnx.checker.ValidationError, ValueError, RuntimeError) as error:
        raise DataError(
            f"model `{path}`: no valid ONNX model: {_line(error)}", "DOCTOR_MODEL_INVALID"
        ) from error
    return model


def prepare(model: Model) -> Model:
    """Copy a model into the form that the measurements expect.

    Initialisers are no inputs, constants are initialisers, each node of the main graph has a name of
    its own, and the types of all tensors are inferred.
    """
    made = copy(model)
    made.ir_version = max(made.ir_version, 4)  # before 4 an initialiser had to be an input
    _name_nodes(made.graph)
    for graph in _graphs(made.graph):
        names = {weight.name for weight in graph.initializer}
        kept = [entry for entry in graph.input if entry.name not in names]
        del graph.input[:]
        graph.input.extend(kept)
        _lift_constants(graph)
    return _inferred(made)


def check_tensors(model: Model) -> None:
    """Refuse a model that takes or gives anything but tensors.

    Raises
    ------
    comptoir.DataError
        An input or output is a sequence, a map or optional (``DOCTOR_MODEL_REFUSED``).
    """
    for kind, entries in (("input", model.graph.input), ("output", model.graph.output)):
        for entry in entries:
            if not entry.type.HasField("tensor_type"):
                message = (
                    f"{kind} `{entry.name}`: only models whose inputs and outputs are tensors are examined"
                )
                raise DataError(message, "DOCTOR_MODEL_REFUSED")


def session(
    model: Model, providers: Sequence[str] = ("CPUExecutionProvider",), optimise: str = "none", **options: Any
) -> Any:
    """Open a model in ONNX Runtime.

    Parameters
    ----------
    model : onnx.ModelProto
        The model.
    providers : sequence of str
        Execution providers in order of preference.
    optimise : str
        ``none``, so that each node runs as it stands, or ``all``.
    **options
        Fields of `onnxruntime.SessionOptions`.

    Raises
    ------
    comptoir.DataError
        ONNX Runtime cannot load the model (``DOCTOR_MODEL_REFUSED``).
    """
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 4
    levels = onnxruntime.GraphOptimizationLevel
    settings.graph_optimization_level = levels.ORT_ENABLE_ALL if optimise == "all" else levels.ORT_DISABLE_ALL
    for name, value in options.items():
        setattr(settings, name, value)
    try:
        if _weight_bytes(model) <= LARGEST_MESSAGE:
            return onnxruntime.InferenceSession(
                model.SerializeToString(), settings, providers=list(providers)
            )
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "model.onnx"
            write(copy(model), path)
            return onnxruntime.InferenceSession(str(path), settings, providers=list(providers))
    except Exception as error:  # its exceptions have no common base of their own
        raise DataError(f"ONNX Runtime refuses the model: {_line(error)}", "DOCTOR_MODEL_REFUSED") from error


def write(model: Model, path: Path) -> None:
    """Write a model, with its weights in ``<name>.data`` beside it where they are too large for one file.

    Raises
    ------
    comptoir.StorageError
        The file cannot be written (``DOCTOR_NOT_WRITTEN``).
    """
    is_large = _weight_bytes(model) > LARGEST_MESSAGE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        data = path.with_name(path.name + ".data")
        if is_large:
            data.unlink(missing_ok=True)  # onnx would append to it
        onnx.save_model(
            model, str(path), save_as_external_data=is_large, all_tensors_to_one_file=True, location=data.name
        )
    except OSError as error:
        raise StorageError(f"model `{path}`: {reason(error)}", "DOCTOR_NOT_WRITTEN") from error


def copy(model: Model) -> Model:
    """Copy a model without passing through its serialised form, which is limited to 2 GiB."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    return made


def digest(path: Path) -> str:
    """Give the SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        found = hashlib.sha256()
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()


def opset(model: Model, domain: str = "") -> int:
    """Give the version of an operator set that a model imports; 0 where it does not."""
    names = {"", "ai.onnx"} if domain in ("", "ai.onnx") else {domain}
    return max((int(entry.version) for entry in model.opset_import if entry.domain in names), default=0)


def shapes(graph: Any) -> dict[str, tuple[int | str, ...]]:
    """Give the known shapes of a graph's tensors; a free dimension is its name, or empty."""
    known: dict[str, tuple[int | str, ...]] = {}
    for entry in (*graph.input, *graph.value_info, *graph.output):
        if entry.type.tensor_type.HasField("shape"):
            dims = entry.type.tensor_type.shape.dim
            known[entry.name] = tuple(d.dim_value if d.HasField("dim_value") else d.dim_param for d in dims)
    known.update({weight.name: tuple(weight.dims) for weight in graph.initializer})
    return known


def is_float(entry: Any) -> bool:
    """Tell whether a tensor of the model has 32-bit floats."""
    return bool(entry.type.tensor_type.elem_type == onnx.TensorProto.FLOAT)


def _graphs(graph: Any) -> Iterator[Any]:
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _graphs(attribute.g)


def _name_nodes(graph: Any) -> None:
    taken: set[str] = set()
    for index, node in enumerate(graph.node):
        if not node.name or node.name in taken:
            node.name = f"{node.op_type}_{index}"
        while node.name in taken:
            node.name += "_"
        taken.add(node.name)


def _lift_constants(graph: Any) -> None:
    nodes = []
    for node in graph.node:
        value = next((a for a in node.attribute if a.name in ("value", "value_float", "value_floats")), None)
        if node.op_type != "Constant" or value is None:
            nodes.append(node)
            continue
        given = onnx.helper.get_attribute_value(value)
        array = numpy_helper.to_array(given) if value.name == "value" else np.asarray(given, np.float32)
        graph.initializer.append(numpy_helper.from_array(array, node.output[0]))
    kept = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(kept)


def _inferred(model: Model) -> Model:
    if _weight_bytes(model) <= LARGEST_MESSAGE:
        return shape_inference.infer_shapes(model)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "model.onnx"
        write(copy(model), path)
        shape_inference.infer_shapes_path(str(path))
        return onnx.load(str(path))


def _weight_bytes(model: Model) -> int:
    return sum(
        len(weight.raw_data) if weight.HasField("raw_data") else 4 * int(np.prod(weight.dims, dtype=np.int64))
        for graph in _graphs(model.graph)
        for weight in graph.initializer
    )


def _line(error: BaseException) -> str:
    text = RUNTIME_PLACE.sub("", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


def reason(error: Exception) -> str:
    """Say why a file cannot be read or written."""
    if isinstance(error, FileExistsError):
        return "its directory is a file"
    return str(getattr(error, "strerror", None) or error).lower()


def invalid_setting(message: str) -> ConfigError:
    """Make the error of a wrong argument."""
    return ConfigError(message, "DOCTOR_SETTING")
