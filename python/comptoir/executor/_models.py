"""Models that comptoir brings."""

from __future__ import annotations

import json

from comptoir._native import ExecutorModel

__all__ = ["Simulated"]


class Simulated:
    """A device that only takes time: for tests, and for measuring everything around a device.

    A batch of n rows takes ``fixed_ms + per_row_ms * n``. Two copy engines and the computation each do one batch at a
    time, so that with ``depth=2`` the copies of one batch overlap with the computation of another.

    Parameters
    ----------
    fixed_ms, per_row_ms : float
        Time of the computation, in milliseconds.
    copy_in_ms, copy_out_ms : float
        Time in which a row is copied to the device and its output back, in milliseconds.
    echo : int
        Elements of each row that come back as its prediction.

    Examples
    --------
    >>> import numpy as np
    >>> from comptoir import executor
    >>> with executor.Pipeline(model=executor.Simulated(fixed_ms=1, echo=2)) as pipe:
    ...     print(pipe.submit(np.array([7, 8, 9])).result())
    [7 8]
    """

    def __init__(
        self,
        fixed_ms: float = 4.0,
        per_row_ms: float = 0.15,
        *,
        copy_in_ms: float = 0.0,
        copy_out_ms: float = 0.0,
        echo: int = 1,
    ) -> None:
        spec = {
            "fixed_ms": fixed_ms,
            "per_row_ms": per_row_ms,
            "copy_in_ms": copy_in_ms,
            "copy_out_ms": copy_out_ms,
            "echo": echo,
        }
        self._native = ExecutorModel.simulated(json.dumps(spec))
