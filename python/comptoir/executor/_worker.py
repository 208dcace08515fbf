"""A worker process of a pipeline: takes calls from shared memory and answers them there."""

from __future__ import annotations

import multiprocessing.spawn
import pickle
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

from comptoir._native import ExecutorWorker

__all__ = ["main"]

POSTPROCESS = 1


def main() -> None:
    """Answer calls until the pipeline closes; the argument that the pipeline gave stands last."""
    # Ctrl-C goes to the whole group of processes; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = ExecutorWorker(sys.argv[-1])
    setup = pickle.loads(worker.setup())
    multiprocessing.spawn.prepare(setup["main"])
    preprocess, postprocess = (pickle.loads(function) for function in setup["functions"])
    worker.ready()
    while (call := worker.next()) is not None:
        function, parts = call
        try:
            if function == POSTPROCESS:
                _postprocess(worker, postprocess, parts)
            else:
                _preprocess(worker, preprocess, parts, setup["stack"])
        except BaseException as error:
            _fail(worker, error)


def _preprocess(
    worker: ExecutorWorker, function: Callable[..., Any], parts: list[bytes], stack: bool
) -> None:
    kind, item = parts
    value = function(item if kind == b"\0" else pickle.loads(item))
    context: bytes | None = None
    if isinstance(value, tuple):
        if len(value) != 2:
            expected = "expected tensors, or a pair of tensors and a context"
            raise TypeError(f"preprocess gave a tuple of {len(value)}: {expected}")
        value, context = value[0], pickle.dumps(value[1], 5)
    if stack:
        arrays = list(value.items()) if isinstance(value, dict) else [("", value)]
        worker.reply([(str(name), array) for name, array in arrays], context)
    else:
        worker.reply([], pickle.dumps((value, context), 5))


def _postprocess(worker: ExecutorWorker, function: Callable[..., Any], parts: list[bytes]) -> None:
    prediction, *context = parts
    result = function(pickle.loads(prediction), *(pickle.loads(one) for one in context))
    worker.reply([], pickle.dumps(result, 5))


def _fail(worker: ExecutorWorker, error: BaseException) -> None:
    """Answer with the exception, and with its words where it cannot be pickled."""
    text = "".join(traceback.format_exception(error))
    try:
        detail = pickle.dumps(error, 5)
        pickle.loads(detail)
    except Exception:
        detail = b""
    worker.fail(f"{type(error).__name__}: {error}", text, detail)
