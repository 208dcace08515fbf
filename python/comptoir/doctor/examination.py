"""The examination of a model, from its file to the report."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto

from comptoir._arguments import expect, refused, texts
from comptoir.doctor.arguments import at_least, optional_path, positive, sample_mappings
from comptoir.doctor.half import Form, convert
from comptoir.doctor.inputs import Pictures, Samples, samples
from comptoir.doctor.layers import measure, risks, weights
from comptoir.doctor.lint import lint, placement
from comptoir.doctor.mixed import Judge, Metric, rank, search
from comptoir.doctor.model import Model, check_tensors, digest, opset, prepare, read, shapes, write
from comptoir.doctor.repair import repair as repaired
from comptoir.doctor.report import SEVERITIES, Finding, Layer, Mixed, ModelFacts, Report, Weight
from comptoir.doctor.speed import speeds

__all__ = ["DEFAULT_PROVIDERS", "examine"]

DEFAULT_PROVIDERS = ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider")


def examine(
    model: Path | str | Model,
    inputs: Path | str | Sequence[Mapping[str, Any]] | None = None,
    *,
    tolerance: float = 0.01,
    metric: Metric | None = None,
    budget: float = 60.0,
    speed_budget: float = 10.0,
    providers: Sequence[str] = DEFAULT_PROVIDERS,
    pictures: Pictures | None = None,
    limit: int = 32,
    seed: int = 0,
    memory: int = 256 << 20,
    repair: Path | str | None = None,
    output: Path | str | None = None,
) -> Report:
    """Examine a model.

    Parameters
    ----------
    model : path or onnx.ModelProto
        The model, with 32-bit floats. External data are looked for beside its file.
    inputs : path, sequence of mappings, or None
        A directory of ``.npy``, ``.npz`` and picture files, or arrays by input name; None takes seeded
        random values, which say little.
    tolerance : float
        Largest error of the outputs: difference by the largest absolute value of the output, or `metric`.
    metric : callable, optional
        Takes the outputs in 32 bits and those of a candidate as dicts, gives an error; smaller is better.
    budget : float
        Seconds for the search of the layers that stay in 32 bits.
    speed_budget : float
        Seconds for the speed table; 0 leaves it out.
    providers : sequence of str
        Execution providers to place nodes on and to time; those missing are named in the report.
    pictures : Pictures, optional
        How pictures become arrays.
    limit : int
        Most samples.
    seed : int
        Of random inputs.
    memory : int
        Bytes of layer outputs that are held at a time.
    repair : path, optional
        Where to write the model with its repairs; they are checked by running both.
    output : path, optional
        Where to write the mixed model. Its inputs and outputs keep their types.

    Returns
    -------
    Report

    Raises
    ------
    comptoir.StorageError
        A file cannot be read or written.
    comptoir.DataError
        The model is no valid ONNX, cannot be run, or a sample does not fit it.
    comptoir.ConfigError
        An argument is out of its bounds (``DOCTOR_SETTING``).
    comptoir.ArgumentError
        An argument has a wrong type.
    """
    tolerance, budget = positive("tolerance", tolerance), positive("budget", budget)
    speed_budget, seed = positive("speed_budget", speed_budget), at_least(0, "seed", seed)
    limit, memory = at_least(1, "limit", limit), at_least(1, "memory", memory)
    providers, inputs = texts("providers", providers), sample_mappings(inputs)
    expect("pictures", pictures, (Pictures, type(None)), "a Pictures")
    expect("model", model, (str, Path, ModelProto), "a path or an onnx.ModelProto")
    if metric is not None and not callable(metric):
        raise refused("metric", "a callable", metric)
    paths = _Paths(optional_path("repair", repair), optional_path("output", output))
    is_file = isinstance(model, (str, Path))
    original = read(Path(model)) if is_file else model
    prepared = prepare(original)
    check_tensors(prepared)
    taken = samples(prepared, inputs, pictures or Pictures(), limit, seed)
    first = next(iter(taken))
    findings = lint(original, prepared)
    if paths.repair is not None:
        fixed, findings = repaired(original, first, findings)
        write(fixed, paths.repair)
        prepared = prepare(fixed)
    placed, skipped = placement(prepared, providers, first)
    layers, lost = measure(prepared, taken, memory), weights(prepared)
    mixed = _mixed(prepared, taken, metric, layers, lost, tolerance, budget, paths.output)
    precisions = {"fp32": prepared, "fp16": convert(prepared, (), Form.REAL)}
    if mixed.keep:
        precisions["mixed"] = convert(prepared, mixed.keep, Form.REAL)
    timed, missed = speeds(precisions, first, providers, speed_budget) if speed_budget else ([], [])
    found = [*findings, *placed, *_measured(layers, lost, mixed), *_random(taken)]
    return Report(
        model=_facts(original, prepared, Path(model) if is_file else None),
        inputs=taken.facts(),
        libraries=_versions(),
        findings=tuple(sorted(found, key=lambda one: -SEVERITIES.index(one.severity))),
        layers=tuple(layers),
        weights=tuple(lost),
        risks=tuple(risks(prepared)),
        mixed=mixed,
        speeds=tuple(timed),
        skipped=(*skipped, *missed),
        notes=tuple(_notes(prepared, taken)),
    )


@dataclass(frozen=True)
class _Paths:
    repair: Path | None
    output: Path | None


def _mixed(
    model: Model,
    taken: Samples,
    metric: Metric | None,
    layers: Sequence[Layer],
    lost: Sequence[Weight],
    tolerance: float,
    budget: float,
    path: Path | None,
) -> Mixed:
    judge = Judge(model, taken, metric)
    mixed = search(judge, rank(model, layers, lost), tolerance, budget)
    if path is None:
        return mixed
    made = convert(model, mixed.keep, Form.REAL)
    error = judge.error(made)
    write(made, path)
    return replace(mixed, written=str(path), written_error=error)


def _measured(layers: Sequence[Layer], lost: Sequence[Weight], mixed: Mixed) -> Iterator[Finding]:
    for layer in layers:
        if layer.nan:
            message = f"{layer.nan:,} values are no number in 32 bits already"
            yield Finding("NOT_A_NUMBER", "error", layer.name, message)
        if layer.infinite:
            message = f"{layer.infinite:,} values are infinite in 32 bits already"
            yield Finding("INFINITE", "warning", layer.name, message)
        if layer.overflow:
            message = f"overflows in 16 bits: largest value {layer.max_abs:.4g}, limit 65,504"
            yield Finding("HALF_OVERFLOW", "error", layer.name, message)
        elif layer.isolated is not None and layer.isolated.overflow:
            message = "gives no finite values in 16 bits: what it reads overflows or becomes zero"
            yield Finding("HALF_NOT_FINITE", "error", layer.name, message)
    for weight in lost:
        if weight.overflow:
            message = f"{weight.overflow:,} weights overflow in 16 bits: largest {weight.max_abs:.4g}"
            yield Finding("WEIGHT_OVERFLOW", "error", weight.name, message)
    flushed = sum(weight.flushed for weight in lost)
    if flushed:
        count = sum(1 for weight in lost if weight.flushed)
        message = f"{flushed:,} weights in {count} initialisers become zero in 16 bits"
        yield Finding("WEIGHT_FLUSHED", "info", "initialisers", message)
    yield from _verdict(mixed)


def _verdict(mixed: Mixed) -> Iterator[Finding]:
    if mixed.half_error <= mixed.tolerance:
        return
    error = f"{mixed.half_error:.3g}" if math.isfinite(mixed.half_error) else "no finite values"
    message = f"all layers in 16 bits give {error}, the tolerance is {mixed.tolerance:.3g}"
    if mixed.reached:
        message += f"; with {len(mixed.keep)} of {mixed.candidates} layers in 32 bits {mixed.error:.3g}"
    yield Finding("HALF_OUT_OF_TOLERANCE", "error", "outputs", message)
    if not mixed.reached:
        message = "no choice of layers in 32 bits holds the tolerance"
        yield Finding("MIXED_NOT_REACHED", "error", "outputs", message)
    elif not mixed.minimal:
        message = "the time budget ended: fewer layers in 32 bits may suffice"
        yield Finding("SEARCH_INCOMPLETE", "info", "outputs", message)


def _random(taken: Samples) -> Iterator[Finding]:
    if taken.kind == "random":
        message = "random inputs say little about real ones: ranges, overflows and errors may differ widely"
        yield Finding("RANDOM_INPUTS", "warning", "inputs", message)


def _notes(model: Model, taken: Samples) -> Iterator[str]:
    if taken.kind == "random":
        yield "RANDOM INPUTS: the figures say little about real inputs. Give samples with --inputs."
    yield (
        "16 bits are emulated: every layer computes in 32 bits and its result is rounded, as tensor cores "
        "do it. Hardware that accumulates in 16 bits is worse."
    )
    holders = [node.name for node in model.graph.node if any(a.HasField("g") for a in node.attribute)]
    if holders:
        yield (
            f"The bodies of {', '.join(holders)} are converted, but their inner layers are not measured one "
            "by one; each stays in 32 bits as a whole or not at all."
        )


def _facts(original: Model, prepared: Model, path: Path | None) -> ModelFacts:
    floats = (w for w in prepared.graph.initializer if w.data_type == TensorProto.FLOAT)
    return ModelFacts(
        source="memory" if path is None else str(path),
        sha256=None if path is None else digest(path),
        opset=opset(original),
        nodes=len(original.graph.node),
        parameters=sum(int(np.prod(weight.dims, dtype=np.int64)) for weight in floats),
        inputs=_described(prepared.graph.input, prepared),
        outputs=_described(prepared.graph.output, prepared),
    )


def _described(entries: Any, model: Model) -> dict[str, str]:
    known = shapes(model.graph)
    made = {}
    for entry in entries:
        name = TensorProto.DataType.Name(entry.type.tensor_type.elem_type).lower()
        dims = ", ".join(str(size) or "?" for size in known[entry.name]) if entry.name in known else "..."
        made[entry.name] = f"{name}[{dims}]"
    return made


def _versions() -> dict[str, str]:
    found = {}
    for name in ("comptoir", "onnx", "onnxruntime", "onnxruntime-gpu", "numpy", "pillow"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
