"""Repairs initialisers listed as inputs and a fixed batch dimension, checked by running both models."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from onnx import numpy_helper

from comptoir.doctor.inputs import Sample
from comptoir.doctor.layers import run
from comptoir.doctor.lint import batch
from comptoir.doctor.model import Model, copy, prepare, session, shapes
from comptoir.doctor.report import Finding
from comptoir.errors import DataError

__all__ = ["REPAIRABLE", "repair"]

REPAIRABLE = {"INITIALISER_AS_INPUT", "FIXED_BATCH", "FIXED_RESHAPE"}

AGREEMENT = 1e-5
"""Largest difference, relative to the range of the output, that another order of sums may make."""


def repair(model: Model, sample: Sample, findings: list[Finding]) -> tuple[Model, list[Finding]]:
    """Repair what can be repaired.

    Each repair counts only if the result agrees with the model as it was: on the sample, and for a freed
    batch dimension also on the sample twice in one batch.

    Parameters
    ----------
    model : onnx.ModelProto
        As it was read.
    sample : sample
        To compare by.
    findings : list of Finding
        Those of `lint`.

    Returns
    -------
    tuple of onnx.ModelProto and list of Finding
        The repaired model, and the findings with `repaired` set, or a finding that says why not.
    """
    codes = {finding.code for finding in findings}
    made, done = copy(model), set[str]()
    expected = _outputs(model, sample)
    failures = []
    if "INITIALISER_AS_INPUT" in codes:
        _drop_inputs(made)
        _agree(expected, _outputs(made, sample), 1)
        done.add("INITIALISER_AS_INPUT")
    if "FIXED_BATCH" in codes:
        try:
            freed = _free_batch(made)
            _agree(expected, _outputs(freed, sample), 1)
            _agree(expected, _outputs(freed, {n: np.concatenate([a, a]) for n, a in sample.items()}), 2)
        except DataError as error:
            failures.append(Finding("NOT_REPAIRED", "warning", "batch dimension", str(error)))
        else:
            made = freed
            done |= {"FIXED_BATCH", "FIXED_RESHAPE"}
    marked = [replace(one, repaired=True) if one.code in done else one for one in findings]
    return made, [*marked, *failures]


def _drop_inputs(model: Model) -> None:
    names = {weight.name for weight in model.graph.initializer}
    kept = [entry for entry in model.graph.input if entry.name not in names]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    model.ir_version = max(model.ir_version, 4)  # before 4 an initialiser had to be an input


def _free_batch(model: Model) -> Model:
    prepared = prepare(model)
    size, known = batch(prepared), shapes(prepared.graph)
    made = copy(prepared)
    del made.graph.value_info[:]
    for entry in (*made.graph.input, *made.graph.output):
        dims = entry.type.tensor_type.shape.dim
        if dims and dims[0].dim_value == size:
            dims[0].dim_param = "batch"
    for node in made.graph.node:
        if node.op_type == "Reshape" and known.get(node.input[0], ())[:1] == (size,):
            _free_reshape(made.graph, node, size)
    return made


def _free_reshape(graph: Any, node: Any, size: int | None) -> None:
    target = next((w for w in graph.initializer if w.name == node.input[1]), None)
    is_zero_meant = any(a.name == "allowzero" and a.i for a in node.attribute)
    if target is None or is_zero_meant:
        return
    values = numpy_helper.to_array(target).copy()
    if values.ndim == 1 and values.size and values[0] == size:
        values[0] = 0  # takes the size of the input's dimension
        # A copy, because another node may use the same constant.
        name = f"{node.input[1]}/{node.name}/free"
        graph.initializer.append(numpy_helper.from_array(values, name))
        node.input[1] = name


def _outputs(model: Model, sample: Sample) -> list[Any]:
    return run(session(model), sample)


def _agree(expected: list[Any], found: list[Any], times: int) -> None:
    for place, (one, other) in enumerate(zip(expected, found, strict=True)):
        whole = np.concatenate([one] * times) if one.ndim else one
        if whole.shape != other.shape:
            message = f"output {place}: expected the shape {list(whole.shape)}, found `{list(other.shape)}`"
            raise DataError(message, "DOCTOR_REPAIR_DIFFERS")
        span = float(np.abs(one.astype(np.float64)).max(initial=0.0)) or 1.0
        if not np.allclose(whole, other, rtol=0, atol=AGREEMENT * span, equal_nan=True):
            raise DataError(f"output {place}: the values differ", "DOCTOR_REPAIR_DIFFERS")
