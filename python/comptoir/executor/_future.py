"""Outcomes that will come."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Generator
from typing import Any, NamedTuple

from comptoir._native import ExecutorTicket

__all__ = ["Future", "Timings"]


class Timings(NamedTuple):
    """Where the time of a request went.

    Attributes
    ----------
    queued, preprocess, batching, infer, postprocess : float
        Seconds: waiting for the CPU stage, in ``preprocess``, ready and waiting for the device, with the
        batch in the model, and from there to the result.
    batch_size : int
        Rows of its batch; 0 if it never reached the device.
    """

    queued: float
    preprocess: float
    batching: float
    infer: float
    postprocess: float
    batch_size: int


class Future(concurrent.futures.Future[Any]):
    """The outcome of a request: a `concurrent.futures.Future` that can also be awaited.

    `result` raises what ``preprocess``, the model or ``postprocess`` raised for this item,
    `comptoir.DeadlineError`, or `concurrent.futures.CancelledError`. `cancel` works until the result is
    there: what has not reached the device yet then never does. Cancelling a task that awaits it cancels the
    request. `StopIteration`, which no task may raise, is the cause of a `RuntimeError`, as in a generator.

    Examples
    --------
    >>> import asyncio
    >>> from comptoir import executor
    >>> async def main():
    ...     with executor.Pipeline(model=lambda batch: batch + 1) as pipe:
    ...         return await pipe.submit(41)
    >>> int(asyncio.run(main()))
    42
    """

    _ticket: ExecutorTicket | None = None
    _timings: tuple[float, float, float, float, float, int] | None = None

    def cancel(self) -> bool:
        """Give the request up.

        Returns
        -------
        bool
            False where its result is already there.
        """
        ticket = self._ticket
        if self.cancelled():
            return True
        if ticket is None or not ticket.cancel():
            return False
        cancelled = super().cancel()
        self.set_running_or_notify_cancel()
        return cancelled

    def set_exception(self, exception: BaseException | None) -> None:
        """Take an outcome; for the pipeline alone."""
        if isinstance(exception, StopIteration):
            # A task that waits for it would wait for ever: asyncio refuses it when the future is done.
            error = RuntimeError(f"a function of the pipeline raised {exception!r}")
            error.__cause__ = exception
            exception = error
        super().set_exception(exception)

    @property
    def timings(self) -> Timings | None:
        """Where the time went, of a request that was submitted with ``timings=True`` and is done."""
        return None if self._timings is None else Timings(*self._timings)

    def __await__(self) -> Generator[Any, None, Any]:
        return asyncio.wrap_future(self).__await__()
