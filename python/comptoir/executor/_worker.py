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
from comptoir.errors import DataError

__all__ = ["main"]

POSTPROCESS = 1
POSTPROCESS_ROWS = 2


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
                worker.reply([], _result(postprocess, *parts))
            elif function == POSTPROCESS_ROWS:
                worker.reply([], pickle.dumps(_outcomes(worker, postprocess, parts), 5))
            else:
                _preprocess(worker, preprocess, parts, setup["stack"])
        except BaseException as error:
            worker.fail(*_told(error))


def _preprocess(
    worker: ExecutorWorker, function: Callable[..., Any], parts: list[bytes], stack: bool
) -> None:
    kind, item = parts
    value = function(item if kind == b"\0" else pickle.loads(item))
    context: bytes | None = None
    if isinstance(value, tuple):
        if len(value) != 2:
            expected = "expected tensors, or a pair of tensors and a context for postprocess"
            message = f"preprocess: it gave a tuple of {len(value)}: {expected}"
            raise DataError(message, "EXECUTOR_STAGE")
        value, context = value[0], pickle.dumps(value[1], 5)
    if stack:
        arrays = list(value.items()) if isinstance(value, dict) else [("", value)]
        worker.reply([(str(name), array) for name, array in arrays], context)
    else:
        worker.reply([], pickle.dumps((value, context), 5))


def _result(function: Callable[..., Any], prediction: bytes, context: bytes = b"") -> bytes:
    contexts = [pickle.loads(context)] if context else []
    return pickle.dumps(function(pickle.loads(prediction), *contexts), 5)


def _outcomes(
    worker: ExecutorWorker, function: Callable[..., Any], parts: list[bytes]
) -> list[bytes | tuple[str, str, bytes]]:
    outcomes = []
    for prediction, context in zip(parts[::2], parts[1::2], strict=True):
        outcomes.append(_outcome(function, prediction, context))
        # Where the next row hangs, it is known which one it was.
        worker.step()
    return outcomes


def _outcome(
    function: Callable[..., Any], prediction: bytes, context: bytes
) -> bytes | tuple[str, str, bytes]:
    """Give the result of one of several rows, or how it failed: that must not touch the others."""
    try:
        return _result(function, prediction, context)
    except BaseException as error:
        return _told(error)


def _told(error: BaseException) -> tuple[str, str, bytes]:
    """Tell of an exception: in words, with its traceback, and pickled where that is possible."""
    text = "".join(traceback.format_exception(error))
    try:
        words = str(error)
    except Exception:
        words = "<exception str() failed>"
    try:
        detail = pickle.dumps(error, 5)
        pickle.loads(detail)
    except Exception:
        detail = b""
    return _printable(f"{type(error).__name__}: {words}"), _printable(text), detail


def _printable(text: str) -> str:
    """Write what no UTF-8 can hold, such as the bytes of a file's name, as escapes."""
    return text.encode(errors="backslashreplace").decode()
