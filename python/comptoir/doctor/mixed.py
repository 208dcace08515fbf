"""Finds the layers that have to stay in 32 bits."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from comptoir._arguments import number
from comptoir.doctor.half import Form, convert, convertible
from comptoir.doctor.inputs import Sample
from comptoir.doctor.layers import run
from comptoir.doctor.model import Model, session
from comptoir.doctor.report import Layer, Mixed, Trial, Weight

__all__ = ["Judge", "Metric", "rank", "search"]

Metric = Callable[[Mapping[str, Any], Mapping[str, Any]], float]
"""Judges one sample: outputs in 32 bits, outputs of a candidate; gives an error, smaller is better."""


class Judge:
    """Compares models with the 32-bit model on all samples.

    The error of a model is the largest over the samples: of the metric, or else of the difference of each
    output divided by its largest absolute value in 32 bits.

    Parameters
    ----------
    model : onnx.ModelProto
        The prepared 32-bit model; its outputs on all samples are kept.
    samples : iterable of samples
        Gone through once for each model judged.
    metric : callable, optional
        The judge of one sample.
    """

    def __init__(self, model: Model, samples: Iterable[Sample], metric: Metric | None = None) -> None:
        self.model, self.samples, self.metric = model, samples, metric
        self.names = [entry.name for entry in model.graph.output]
        opened = session(model)
        self.expected = [
            dict(zip(self.names, run(opened, sample, self.names), strict=True)) for sample in samples
        ]
        self.ranges = {name: max(map(_range, (one[name] for one in self.expected))) for name in self.names}

    def emulated(self, keep: Collection[str]) -> float:
        """Give the error with the named layers in 32 bits and the rest in emulated 16 bits."""
        return self.error(convert(self.model, keep, Form.EMULATED))

    def error(self, model: Model) -> float:
        """Give the error of a model, infinite where it gives what is no number."""
        opened, worst = session(model), 0.0
        for sample, expected in zip(self.samples, self.expected, strict=True):
            found = dict(zip(self.names, run(opened, sample, self.names), strict=True))
            if self.metric is None:
                error = self._relative(expected, found)
            else:
                error = number("the result of metric", self.metric(expected, found))
            worst = max(worst, math.inf if math.isnan(error) else error)
        return worst

    def _relative(self, expected: Mapping[str, Any], found: Mapping[str, Any]) -> float:
        return max((_error(expected[n], found[n], self.ranges[n]) for n in self.names), default=0.0)


def search(
    judge: Judge,
    ranked: Sequence[str],
    tolerance: float,
    budget: float,
    clock: Callable[[], float] = time.perf_counter,
) -> Mixed:
    """Find a small set of layers that has to stay in 32 bits so that the error is within the tolerance.

    The layers are ranked. Bisection finds the shortest beginning of the ranking that suffices, in
    O(log n) runs. Then parts of it are left out, halves first, then quarters, as long as it still
    suffices (after Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002).
    When the budget ends, the best set so far is given.

    Parameters
    ----------
    judge : Judge
        Gives the error of a set.
    ranked : sequence of str
        All layers that could have 16 bits, the most suspect first.
    tolerance : float
        Largest error.
    budget : float
        Seconds.
    clock : callable
        Gives the time in seconds.
    """
    started = clock()
    trials: list[Trial] = []

    def error(keep: Sequence[str]) -> float:
        trials.append(Trial(len(keep), judge.emulated(keep)))
        return trials[-1].error

    def is_over() -> bool:
        return clock() - started >= budget

    half_error = error(())
    keep, found, is_minimal = list[str](), half_error, True
    if half_error > tolerance and ranked:
        keep, found = list(ranked), error(ranked)
        if found <= tolerance:
            keep, found = _bisect(keep, found, tolerance, error, is_over)
            keep, found, is_minimal = _reduce(keep, found, tolerance, error, is_over)
    return Mixed(
        measure="relative" if judge.metric is None else "metric",
        tolerance=tolerance,
        half_error=half_error,
        error=found,
        keep=tuple(name for name in convertible(judge.model) if name in set(keep)),
        candidates=len(ranked),
        reached=found <= tolerance,
        minimal=is_minimal and found <= tolerance,
        trials=tuple(trials),
        seconds=clock() - started,
    )


def rank(model: Model, layers: Sequence[Layer], weights: Sequence[Weight]) -> list[str]:
    """Order the layers by suspicion.

    First those that make or read a tensor, or hold a weight, beyond the range of 16 bits: such a tensor
    has to stay in 32 bits on both sides. Then by the noise that a layer alone adds, relative to its signal.
    """
    wide = {layer.output for layer in layers if layer.overflow}
    wide |= {weight.name for weight in weights if weight.overflow}
    noise = dict.fromkeys(convertible(model), -math.inf)
    for layer in layers:
        if layer.name in noise and layer.isolated is not None:
            noise[layer.name] = max(noise[layer.name], -layer.isolated.snr_db)
    for node in model.graph.node:
        if node.name in noise and wide & {*node.input, *node.output}:
            noise[node.name] = math.inf
    return sorted(noise, key=lambda name: -noise[name])


Measure = Callable[[Sequence[str]], float]


def _bisect(
    keep: list[str], found: float, tolerance: float, error: Measure, is_over: Callable[[], bool]
) -> tuple[list[str], float]:
    low, ranked = 0, keep  # the beginning of length `low` does not suffice, `keep` does
    while len(keep) - low > 1 and not is_over():
        middle = (low + len(keep)) // 2
        tried = error(ranked[:middle])
        if tried <= tolerance:
            keep, found = ranked[:middle], tried
        else:
            low = middle
    return keep, found


def _reduce(
    keep: list[str], found: float, tolerance: float, error: Measure, is_over: Callable[[], bool]
) -> tuple[list[str], float, bool]:
    if len(keep) <= 1:
        return keep, found, True
    size = len(keep) // 2
    while size >= 1:
        is_changed = False
        # The least suspect come first: they are the most likely to be needless.
        for start in reversed(range(0, len(keep), size)):
            if is_over():
                return keep, found, False
            rest = keep[:start] + keep[start + size :]
            tried = error(rest) if rest else math.inf
            if tried <= tolerance:
                keep, found, is_changed = rest, tried, True
        size = min(size, len(keep)) if is_changed and size == 1 else size // 2
    return keep, found, True


def _range(array: Any) -> float:
    if array.dtype.kind != "f":
        return 1.0
    return float(np.abs(array[np.isfinite(array)]).max(initial=0.0))


def _error(expected: Any, found: Any, span: float) -> float:
    if expected.shape != found.shape:
        return math.inf
    if expected.dtype.kind != "f":
        return float(np.count_nonzero(expected != found) / max(expected.size, 1))
    sound = np.isfinite(expected)
    if not np.isfinite(found[sound]).all():
        return math.inf
    difference = float(np.abs(expected[sound].astype(np.float64) - found[sound]).max(initial=0.0))
    return difference / span if span else (math.inf if difference else 0.0)
