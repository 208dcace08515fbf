"""Measures every layer in one 32-bit and one 16-bit run, keeping statistics instead of tensors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from comptoir.doctor.half import HALF, ISOLATED, Form, convert, convertible
from comptoir.doctor.inputs import Sample
from comptoir.doctor.model import Model, copy, session, shapes
from comptoir.doctor.report import Deviation, Layer, Risk, Weight

__all__ = ["LARGEST", "SMALLEST", "SMALLEST_NORMAL", "Difference", "measure", "risks", "run", "weights"]

LARGEST, SMALLEST, SMALLEST_NORMAL = 65504.0, 2.0**-24, 2.0**-14
"""Limits of 16-bit floats (IEEE 754 binary16): largest, smallest subnormal and smallest normal value."""

REASONS = {
    "Exp": "overflows for inputs above 11.09",
    "Pow": "squares overflow above 256",
    "Softmax": "large logits lose precision, sums of many small terms too",
    "LogSoftmax": "the logarithm of small probabilities loses precision",
    "LayerNormalization": "the variance is a sum of squares",
    "InstanceNormalization": "the variance is a sum of squares",
    "GroupNormalization": "the variance is a sum of squares",
    "LpNormalization": "sums powers",
    "ReduceSumSquare": "sums squares, which overflow above 256",
    "ReduceL2": "sums squares, which overflow above 256",
    "ReduceSum": "sums may overflow",
    "ReduceProd": "products may overflow",
    "ReduceLogSumExp": "overflows for inputs above 11.09",
    "CumSum": "sums may overflow",
    "Reciprocal": "overflows for inputs below 1.5e-5",
    "Range": "16 bits hold integers exactly up to 2,048 only",
}
LONG_SUM = 4096


def measure(model: Model, samples: Iterable[Sample], memory: int) -> list[Layer]:
    """Run the model on all samples and describe each layer.

    Parameters
    ----------
    model : onnx.ModelProto
        A prepared model.
    samples : iterable of samples
        Gone through once for each chunk of layers.
    memory : int
        Bytes that the tensors of one chunk may take together.

    Returns
    -------
    list of Layer
    """
    nodes = [(node, name) for node in model.graph.node for name in node.output if name]
    floats = _float_names(model)
    wanted = [(node, name) for node, name in nodes if name in floats]
    isolated = convert(model, (), Form.ISOLATED)
    accumulated = convert(model, (), Form.EMULATED)
    twins = {name for node in isolated.graph.node for name in node.output if name.endswith(ISOLATED)}
    halves = {name for node in accumulated.graph.node for name in node.output}
    layers: list[Layer] = []
    for chunk in _chunks(wanted, shapes(model.graph), memory):
        names = [name for _, name in chunk]
        exact = [n for name in names for n in (name, name + ISOLATED) if n == name or n in twins]
        rounded = [name + HALF if name + HALF in halves else name for name in names]
        gathered = [_Statistics(node, name, f"{name}{ISOLATED}" in twins) for node, name in chunk]
        _gather(gathered, _exposing(isolated, exact), _exposing(accumulated, rounded), rounded, samples)
        layers.extend(one.layer() for one in gathered)
    return layers


class Difference:
    """Gathers how far 16-bit values are from 32-bit values."""

    def __init__(self) -> None:
        self.max_abs = self.range = 0.0
        self.dot = self.exact = self.rough = self.noise = 0.0
        self.overflow = 0

    def add(self, exact: np.ndarray[Any, Any], rough: np.ndarray[Any, Any]) -> None:
        """Take in the values of one run; where 32 bits give no finite number, nothing can be compared."""
        sound = np.isfinite(exact)
        x, y = exact[sound].astype(np.float64), rough[sound].astype(np.float64)
        finite = np.isfinite(y)
        self.overflow += int(y.size - np.count_nonzero(finite))
        self.range = max(self.range, float(np.abs(x).max(initial=0.0)))
        x, y = x[finite], y[finite]
        self.max_abs = max(self.max_abs, float(np.abs(x - y).max(initial=0.0)))
        self.dot += float(x @ y)
        self.exact += float(x @ x)
        self.rough += float(y @ y)
        self.noise += float((x - y) @ (x - y))

    def deviation(self) -> Deviation:
        """Give the figures of all that was taken in."""
        if self.overflow:
            return Deviation(math.inf, math.inf, math.nan, -math.inf, self.overflow)
        if self.noise == 0:
            return Deviation(0.0, 0.0, 1.0, math.inf, 0)
        relative = self.max_abs / self.range if self.range else math.inf
        norm = math.sqrt(self.exact * self.rough)
        snr = 10 * math.log10(self.exact / self.noise) if self.exact else -math.inf
        return Deviation(self.max_abs, relative, self.dot / norm if norm else 0.0, snr, 0)


def weights(model: Model) -> list[Weight]:
    """Give the initialisers of which 16 bits lose values, with the layers that use them."""
    found = []
    for weight in model.graph.initializer:
        if weight.data_type != TensorProto.FLOAT:
            continue
        size = np.abs(numpy_helper.to_array(weight))
        overflow = int(np.count_nonzero(size > LARGEST))
        flushed = int(np.count_nonzero((size < SMALLEST) & (size > 0)))
        if overflow or flushed:
            layers = tuple(node.name for node in model.graph.node if weight.name in node.input)
            largest = float(size.max(initial=0.0))
            found.append(Weight(weight.name, size.size, largest, overflow, flushed, layers))
    return found


def risks(model: Model) -> list[Risk]:
    """Give the operators that are known to be delicate in 16 bits, measured or not."""
    known, found = shapes(model.graph), []
    candidates = set(convertible(model))
    for node in model.graph.node:
        if node.name not in candidates:
            continue
        reason = REASONS.get(node.op_type)
        terms = _terms(node, known)
        if terms >= LONG_SUM:
            reason = f"each result sums {terms:,} products; 16-bit accumulation would lose precision"
        if reason:
            found.append(Risk(node.name, node.op_type, reason))
    return found


def run(opened: Any, sample: Sample, outputs: Sequence[str] | None = None) -> list[Any]:
    """Run a session, with an error of ours where it fails."""
    from comptoir.errors import DataError

    try:
        return list(opened.run(outputs, sample))
    except Exception as error:  # its exceptions have no common base of their own
        reason = str(error).splitlines()[0]
        raise DataError(f"ONNX Runtime cannot run the model: {reason}", "DOCTOR_RUN_FAILED") from error


@dataclass
class _Statistics:
    node: Any
    name: str
    has_twin: bool

    def __post_init__(self) -> None:
        self.count = self.nonzero = self.overflow = self.flushed = self.subnormal = self.nan = (
            self.infinite
        ) = 0
        self.max_abs, self.min_nonzero = 0.0, math.inf
        self.isolated, self.accumulated = Difference(), Difference()

    def add(self, exact: Any, twin: Any, rounded: Any) -> None:
        values = np.ravel(exact)
        size = np.abs(values)
        self.count += size.size
        self.nan += int(np.count_nonzero(np.isnan(size)))
        self.infinite += int(np.count_nonzero(np.isinf(size)))
        size = size[np.isfinite(size) & (size > 0)]
        self.nonzero += size.size
        self.overflow += int(np.count_nonzero(size > LARGEST))
        self.flushed += int(np.count_nonzero(size < SMALLEST))
        self.subnormal += int(np.count_nonzero(size < SMALLEST_NORMAL))
        self.max_abs = max(self.max_abs, float(size.max(initial=0.0)))
        self.min_nonzero = min(self.min_nonzero, float(size.min(initial=math.inf)))
        if self.has_twin:
            self.isolated.add(values, np.ravel(twin))
        self.accumulated.add(values, np.ravel(rounded))

    def layer(self) -> Layer:
        return Layer(
            name=self.node.name,
            operator=self.node.op_type,
            output=self.name,
            count=self.count,
            max_abs=self.max_abs,
            min_nonzero=self.min_nonzero if self.nonzero else 0.0,
            overflow=self.overflow,
            flushed=self.flushed,
            subnormal_share=self.subnormal / self.nonzero if self.nonzero else 0.0,
            nan=self.nan,
            infinite=self.infinite,
            isolated=self.isolated.deviation() if self.has_twin else None,
            accumulated=self.accumulated.deviation(),
        )


def _gather(
    gathered: list[_Statistics], exact: Any, rough: Any, rounded: list[str], samples: Iterable[Sample]
) -> None:
    names = [entry.name for entry in exact.get_outputs()]
    for sample in samples:
        values = dict(zip(names, run(exact, sample), strict=True))
        for one, rough_value in zip(gathered, run(rough, sample, rounded), strict=True):
            # A tensor with a free shape may come out with another one in 16 bits, as NonMaxSuppression does.
            if rough_value.shape == values[one.name].shape:
                one.add(values[one.name], values.get(one.name + ISOLATED), rough_value)


def _exposing(model: Model, names: list[str]) -> Any:
    made = copy(model)
    del made.graph.output[:]
    made.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    return session(made)


def _float_names(model: Model) -> set[str]:
    entries = (*model.graph.value_info, *model.graph.output)
    return {e.name for e in entries if e.type.tensor_type.elem_type == TensorProto.FLOAT}


def _chunks(
    wanted: list[tuple[Any, str]], known: dict[str, tuple[int | str, ...]], memory: int
) -> Iterator[list[tuple[Any, str]]]:
    chunk: list[tuple[Any, str]] = []
    taken = 0
    for node, name in wanted:
        sizes = [size if isinstance(size, int) else 1 for size in known.get(name, (1 << 20,))]
        need = 3 * 4 * math.prod(sizes)  # the value, its isolated twin and the 16-bit run, 4 bytes each
        if chunk and taken + need > memory:
            yield chunk
            chunk, taken = [], 0
        chunk.append((node, name))
        taken += need
    if chunk:
        yield chunk


def _terms(node: Any, known: dict[str, tuple[int | str, ...]]) -> int:
    if node.op_type not in ("MatMul", "Gemm", "Conv") or len(node.input) < 2:
        return 0
    shape = known.get(node.input[1], ())
    if not shape or not all(isinstance(size, int) for size in shape):
        return 0
    if node.op_type == "Conv":
        return math.prod(size for size in shape[1:] if isinstance(size, int))
    is_transposed = any(a.name == "transB" and a.i for a in node.attribute)
    terms = shape[-1] if is_transposed or len(shape) == 1 else shape[-2]
    return terms if isinstance(terms, int) else 0
