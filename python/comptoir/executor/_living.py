"""Pipelines that are open: ended with the interpreter, let go of in a process forked from theirs."""

from __future__ import annotations

import atexit
import os
import weakref
from typing import TYPE_CHECKING, NoReturn

from comptoir.errors import UnavailableError

if TYPE_CHECKING:
    from comptoir._native import ExecutorPipeline
    from comptoir.executor._pipeline import Pipeline

__all__ = ["OPEN"]

OPEN: weakref.WeakSet[Pipeline] = weakref.WeakSet()
"""Pipelines that were started and not closed."""


class Forked:
    """Stands where a native pipeline was, in a forked process: its threads are those of the parent alone."""

    def __init__(self, native: ExecutorPipeline) -> None:
        native.abandon()
        self._native = native

    def close(self, grace: float) -> bool:
        """Do nothing: there is nothing to end here."""
        del grace
        return False

    def __getattr__(self, name: str) -> NoReturn:
        message = (
            "the pipeline runs in the process from which this one was forked: start one here, after the fork"
        )
        raise UnavailableError(message, "EXECUTOR_CLOSED")


@atexit.register
def _close_all() -> None:
    """End pipelines before the interpreter does: their threads call into it."""
    for pipeline in list(OPEN):
        pipeline.close(0.0)


def _let_go() -> None:
    for pipeline in list(OPEN):
        pipeline._native = Forked(pipeline._native)  # type: ignore[assignment]
    OPEN.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
