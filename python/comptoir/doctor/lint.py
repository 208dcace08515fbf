"""Looks over a model's graph without running it, and asks ONNX Runtime where it places the nodes."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
from onnx import TensorProto

from comptoir.doctor.inputs import Sample
from comptoir.doctor.layers import run
from comptoir.doctor.model import Model, opset, session, shapes
from comptoir.doctor.report import Finding, Skipped

__all__ = ["OLDEST_OPSET", "batch", "lint", "placement"]

OLDEST_OPSET = 11
"""Below it shapes of Resize, Pad and Slice are attributes, which fewer tools support."""

# Integers and floats of which the first is held exactly by the second.
LOSSLESS = {
    (TensorProto.FLOAT16, TensorProto.FLOAT),
    (TensorProto.FLOAT16, TensorProto.DOUBLE),
    (TensorProto.BFLOAT16, TensorProto.FLOAT),
    (TensorProto.FLOAT, TensorProto.DOUBLE),
    (TensorProto.INT32, TensorProto.INT64),
    (TensorProto.INT32, TensorProto.DOUBLE),
    (TensorProto.UINT8, TensorProto.INT32),
    (TensorProto.UINT8, TensorProto.INT64),
}


def lint(model: Model, prepared: Model) -> list[Finding]:
    """Look for what makes a model slow, rigid or hard to convert.

    Parameters
    ----------
    model : onnx.ModelProto
        As it was read.
    prepared : onnx.ModelProto
        The same, prepared.
    """
    return [
        *_initialisers(model),
        *_batch(prepared),
        *_opset(model),
        *_dimensions(model),
        *_casts(prepared),
    ]


def batch(model: Model) -> int | None:
    """Give the fixed batch size of a model: the first dimension that all its inputs have in common."""
    sizes = {shape[0] if shape else None for shape in _input_shapes(model)}
    size = sizes.pop() if len(sizes) == 1 else None
    return size if isinstance(size, int) else None


def placement(model: Model, providers: Sequence[str], sample: Sample) -> tuple[list[Finding], list[Skipped]]:
    """Ask where nodes run for each provider other than the CPU's.

    Parameters
    ----------
    model : onnx.ModelProto
        The model.
    providers : sequence of str
        Providers asked for.
    sample : sample
        Run once, because ONNX Runtime tells the placement in its profile.
    """
    findings: list[Finding] = []
    skipped: list[Skipped] = []
    for provider in providers:
        if provider == "CPUExecutionProvider":
            continue
        if provider not in onnxruntime.get_available_providers():
            skipped.append(Skipped(f"placement on {provider}", "not in this build of onnxruntime"))
            continue
        counts = _placed(model, provider, sample)
        if counts is None:
            skipped.append(Skipped(f"placement on {provider}", "the provider cannot be loaded here"))
        elif counts:
            listed = ", ".join(f"{name} ({count})" for name, count in counts.most_common(8))
            message = f"{counts.total()} nodes fall back to the CPU: {listed}"
            findings.append(Finding("CPU_FALLBACK", "warning", provider, message))
    return findings, skipped


def _initialisers(model: Model) -> Iterator[Finding]:
    names = {weight.name for weight in model.graph.initializer}
    listed = [entry.name for entry in model.graph.input if entry.name in names]
    if listed:
        message = (
            f"{len(listed)} initialisers are listed as inputs, such as `{listed[0]}`: "
            "constant folding and fusion must leave them alone"
        )
        yield Finding("INITIALISER_AS_INPUT", "warning", "graph inputs", message)


def _batch(model: Model) -> Iterator[Finding]:
    size = batch(model)
    if size is not None:
        message = f"the batch dimension is fixed at {size}: requests cannot be run together"
        yield Finding("FIXED_BATCH", "warning", "graph inputs", message)
    known = shapes(model.graph)
    constants = {weight.name: weight for weight in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type != "Reshape" or len(node.input) < 2 or node.input[1] not in constants:
            continue
        target = onnx.numpy_helper.to_array(constants[node.input[1]]).ravel()
        data = known.get(node.input[0], ())
        if size is not None and target.size and target[0] == size and data[:1] == (size,):
            message = f"Reshape to {target.tolist()} holds the batch size"
            yield Finding("FIXED_RESHAPE", "warning", node.name, message)


def _opset(model: Model) -> Iterator[Finding]:
    version = opset(model)
    if version < OLDEST_OPSET:
        message = f"operator set {version} is old: export the model again with {OLDEST_OPSET} or later"
        yield Finding("OLD_OPSET", "warning", "opset_import", message)


def _dimensions(model: Model) -> Iterator[Finding]:
    weights = {weight.name for weight in model.graph.initializer}
    for entry in model.graph.input:
        if entry.name in weights:
            continue
        kind = entry.type.tensor_type
        if not kind.HasField("shape"):
            yield Finding("UNDECLARED_SHAPE", "warning", entry.name, "the input declares no shape at all")
            continue
        dims = kind.shape.dim
        free = [i for i, d in enumerate(dims) if not d.HasField("dim_value") and not d.dim_param]
        if free:
            message = f"the dimensions {free} are free but have no name: buffers cannot be planned"
            yield Finding("UNDECLARED_DIMENSION", "warning", entry.name, message)


def _casts(model: Model) -> Iterator[Finding]:
    entries = (*model.graph.input, *model.graph.value_info, *model.graph.output)
    types = {entry.name: entry.type.tensor_type.elem_type for entry in entries}
    types.update({weight.name: weight.data_type for weight in model.graph.initializer})
    casts = {node.output[0]: node for node in model.graph.node if node.op_type == "Cast"}
    for node in casts.values():
        source, target = types.get(node.input[0]), _target(node)
        before = casts.get(node.input[0])
        if source == target:
            yield Finding("NEEDLESS_CAST", "info", node.name, "the cast is to the type that it already has")
        elif before is not None and types.get(before.input[0]) == target and (target, source) in LOSSLESS:
            message = f"the cast undoes `{before.name}`, which lost nothing"
            yield Finding("NEEDLESS_CAST", "info", node.name, message)


def _target(node: Any) -> int:
    return next((int(a.i) for a in node.attribute if a.name == "to"), 0)


def _input_shapes(model: Model) -> list[tuple[int | str, ...]]:
    known = shapes(model.graph)
    return [known.get(entry.name, ()) for entry in model.graph.input]


def _placed(model: Model, provider: str, sample: Sample) -> Counter[str] | None:
    with tempfile.TemporaryDirectory() as directory:
        opened = session(
            model,
            [provider, "CPUExecutionProvider"],
            "all",
            enable_profiling=True,
            profile_file_prefix=str(Path(directory) / "profile"),
        )
        is_loaded = provider in opened.get_providers()
        run(opened, sample)
        events = json.loads(Path(opened.end_profiling()).read_text(encoding="utf-8"))
    if not is_loaded:
        return None
    nodes = {
        (event["name"], event["args"].get("op_name", ""))
        for event in events
        if event.get("cat") == "Node" and event.get("args", {}).get("provider") == "CPUExecutionProvider"
    }
    return Counter(operator for _, operator in nodes)
