"""Times the model by provider, precision and batch size."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime

from comptoir.doctor.inputs import Sample
from comptoir.doctor.layers import run
from comptoir.doctor.lint import batch
from comptoir.doctor.model import Model, session
from comptoir.doctor.report import Skipped, SpeedRow, Speeds
from comptoir.errors import DataError

__all__ = ["BATCHES", "fit", "speeds"]

BATCHES = (1, 2, 4, 8, 16, 32, 64)
MOST_RUNS, FEWEST_RUNS = 200, 3


def speeds(
    models: Mapping[str, Model], sample: Sample, providers: Sequence[str], budget: float
) -> tuple[list[Speeds], list[Skipped]]:
    """Time models on one sample, repeated to fill each batch.

    Parameters
    ----------
    models : mapping of str to onnx.ModelProto
        By precision.
    sample : sample
        Its first row is used.
    providers : sequence of str
        Execution providers.
    budget : float
        Seconds for all; batch sizes that it does not reach are named among what was skipped.
    """
    available = onnxruntime.get_available_providers()
    usable = [provider for provider in providers if provider in available]
    skipped = [
        Skipped(f"speed on {provider}", f"not in this build of onnxruntime, which has {', '.join(available)}")
        for provider in providers
        if provider not in available
    ]
    measured = []
    share = budget / max(len(usable) * len(models), 1)
    for provider in usable:
        for precision, model in models.items():
            rows, reason = _rows(model, sample, provider, share)
            if rows:
                measured.append(Speeds(provider, precision, tuple(rows), *fit(rows)))
            if reason:
                skipped.append(Skipped(f"speed on {provider}, {precision}", reason))
    return measured, skipped


def fit(rows: Sequence[SpeedRow]) -> tuple[float | None, float | None, float | None]:
    """Fit ``a + b n`` to the medians by least squares of the relative error.

    Relative, because else the largest batch alone would decide, and `a` would be its noise.

    Returns
    -------
    tuple of float or None
        `a` and `b` in milliseconds, and the root mean square of the residual in milliseconds.
    """
    if len(rows) < 2:
        return None, None, None
    n = np.array([row.batch for row in rows], np.float64)
    times = np.array([row.p50_ms for row in rows])
    matrix = np.stack([np.ones_like(n), n], axis=1)
    (base, slope), *_ = np.linalg.lstsq(matrix / times[:, None], np.ones_like(times), rcond=None)
    residual = float(np.sqrt(np.mean((times - base - slope * n) ** 2))) if len(rows) > 2 else None
    return float(base), float(slope), residual


def _rows(model: Model, sample: Sample, provider: str, budget: float) -> tuple[list[SpeedRow], str | None]:
    ends = time.perf_counter() + budget
    fallback = [] if provider == "CPUExecutionProvider" else ["CPUExecutionProvider"]
    try:
        opened = session(model, [provider, *fallback], "all")
    except DataError as error:
        return [], str(error)
    if provider not in opened.get_providers():
        return [], "the provider cannot be loaded here"
    size = batch(model)
    sizes = BATCHES if size is None else (size,)
    rows: list[SpeedRow] = []
    for place, count in enumerate(sizes):
        left = ends - time.perf_counter()
        # A doubled batch takes about twice as long: one that cannot end in time is not begun.
        needed = rows[-1].p50_ms / 1000 * 2 * (FEWEST_RUNS + 1) if rows else 0.0
        if left < needed or (rows and left <= 0):
            return rows, f"the time budget ended before batch {count}"
        fed = {name: _repeated(array, count) for name, array in sample.items()}
        try:
            rows.append(_timed(opened, fed, count, left / (len(sizes) - place)))
        except DataError as error:
            return rows, f"batch {count}: {error}"
    return rows, None if size is None else f"the batch dimension is fixed at {size}"


def _timed(opened: Any, fed: Sample, count: int, budget: float) -> SpeedRow:
    run(opened, fed)  # the first run allocates
    taken: list[float] = []
    started = time.perf_counter()
    while len(taken) < FEWEST_RUNS or (len(taken) < MOST_RUNS and time.perf_counter() - started < budget):
        before = time.perf_counter()
        run(opened, fed)
        taken.append(1000 * (time.perf_counter() - before))
    p50, p99 = (float(value) for value in np.percentile(taken, (50, 99)))
    return SpeedRow(count, p50, p99, 1000 * count / p50, len(taken))


def _repeated(array: Any, count: int) -> Any:
    return np.repeat(array[:1], count, axis=0) if array.ndim else array
