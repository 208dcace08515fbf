"""Pipelines around models."""

from __future__ import annotations

import collections
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from os import PathLike
from types import TracebackType
from typing import Any

from comptoir._arguments import number, text
from comptoir._native import ExecutorPipeline
from comptoir.errors import ConfigError, OverloadedError
from comptoir.executor._arguments import as_json, file, in_own_words, iterator, option_error, wrong
from comptoir.executor._future import Future
from comptoir.executor._image import ImageTransform, Placement
from comptoir.executor._living import OPEN
from comptoir.executor._processes import start
from comptoir.executor._settings import Batch, Inputs, Model, check, check_code, is_flat, shapes_of

__all__ = ["Pipeline"]


class Pipeline:
    """A model server without a server: takes items, gives results, keeps the device busy.

    ``submit(item)`` -> admission (bounded) -> ``preprocess`` on a CPU thread -> batch -> ``model`` on a
    lane of the device -> ``postprocess`` on a CPU thread -> result. Any number of threads and tasks may
    share one.

    Parameters
    ----------
    preprocess : callable, optional
        Takes an item and gives the array of its row, or a dict of arrays by input, or a pair of these and a
        context that ``postprocess`` gets. Without it the item is the array.
    model : callable or a model of `comptoir.executor`
        Takes a batch, an array with a row for each item (a dict of arrays where there are several inputs),
        and gives an array or list with an entry for each row, or a dict or tuple of such. An exception in
        the place of a row is raised for that row only. The batch is memory of the pipeline, valid for as
        long as it is referred to.
    postprocess : callable, optional
        Takes the prediction of a row, and the context if there is one. Without it the prediction is the
        result.
    models : mapping of str to Model, optional
        Several models by name instead of one; requests name theirs, the first is the default.
    inputs : sequence of Tensor, or of such sequences, optional
        The shapes that rows may have; without, the first row declares the one shape. With them the model is
        warmed with zeros before the first request, and a model that fails then fails here.
    batch : Batch
        How batches are made.
    threads : int
        Threads for the CPU stages; 0: one for each core, or four for each worker process.
    workers : int
        Processes that run ``preprocess`` and ``postprocess`` instead of threads, for functions that hold the
        interpreter's lock. They are started anew, as by `multiprocessing` with ``spawn``: functions must be
        importable. Tensors cross in shared memory. A process that dies or hangs is replaced; its requests are
        tried once more, then fail with `comptoir.UnavailableError` that tells the cause.
    worker_timeout : float
        Seconds after which a call to a worker counts as hung.
    worker_bytes : int
        Room for the item, and for the result, of one call.
    worker_memory : int, optional
        Limit of the address space of a worker, in bytes.
    instances : int
        Batches that the device runs beside each other; a callable is then called by several threads at once.
    depth : int
        Batches that an instance has under way: 2 or 3 where copies overlap with the computation.
    queue : int
        Requests that may wait; what comes beyond is refused with `comptoir.OverloadedError`.
    deadline_ms : float, optional
        Deadline of requests that name none.
    warm_up : bool
        Whether models with declared inputs are warmed.
    trace_events : int
        Events that the timeline keeps; see `trace`.

    Raises
    ------
    comptoir.ConfigError
        For settings that cannot be used, naming the field.
    Exception
        What the model raised in its warm-up.

    Examples
    --------
    >>> import numpy as np
    >>> from comptoir import executor
    >>> with executor.Pipeline(model=lambda batch: batch * 2, postprocess=int) as pipe:
    ...     futures = [pipe.submit(np.int64(number)) for number in range(4)]
    ...     print([future.result() for future in futures])
    [0, 2, 4, 6]
    """

    def __init__(
        self,
        *,
        preprocess: Callable[..., Any] | None = None,
        model: Any = None,
        postprocess: Callable[..., Any] | None = None,
        models: Mapping[str, Model] | None = None,
        inputs: Inputs | None = None,
        batch: Batch | None = None,
        threads: int = 0,
        workers: int = 0,
        worker_timeout: float = 30.0,
        worker_bytes: int = 16 << 20,
        worker_memory: int | None = None,
        instances: int = 1,
        depth: int = 1,
        queue: int = 1024,
        deadline_ms: float | None = None,
        warm_up: bool = True,
        trace_events: int = 0,
    ) -> None:
        batch = batch or Batch()
        if models is None:
            if model is None:
                raise ConfigError("`model`: a pipeline needs a model", "EXECUTOR_CONFIG")
            models = {"model": Model(model, preprocess, postprocess, inputs)}
        elif model is not None or preprocess is not None or postprocess is not None or inputs is not None:
            message = "`models`: give functions, inputs and model either for one model or inside `models`"
            raise ConfigError(message, "EXECUTOR_CONFIG")
        if not isinstance(models, Mapping):
            raise wrong("models", "a mapping from names to executor.Model", models)
        for name, one in models.items():
            check(name, one, batch)
        if not hasattr(type(workers), "__index__") or workers < 0:
            raise wrong("workers", "a number from 0 on", workers)
        self._queue = queue
        spec = {
            # Threads only wait for the workers: enough of them that each finds the next call of either stage.
            "cpu_threads": threads or 4 * workers,
            "instances": instances,
            "depth": depth,
            "queue_limit": queue,
            "deadline_ms": deadline_ms,
            "batch": batch._spec(),
            "trace_events": trace_events,
        }
        processes = {
            "workers": workers,
            "worker_bytes": worker_bytes,
            "worker_timeout": worker_timeout,
            "worker_memory": worker_memory,
        }
        try:
            setups = [
                (*_setup(name, one, batch, warm_up), start(processes, one, batch) if workers else None)
                for name, one in models.items()
            ]
            self._native = ExecutorPipeline(as_json(spec), setups)
        except ConfigError as error:
            raise in_own_words(error, flat=is_flat(inputs)) from None
        OPEN.add(self)

    def submit(
        self,
        item: Any,
        *,
        model: str | None = None,
        deadline_ms: float | None = None,
        priority: int | None = None,
        timings: bool = False,
    ) -> Future:
        """Take an item; never waits for room.

        Parameters
        ----------
        item : object
            What ``preprocess`` takes.
        model : str, optional
            Name of the model.
        deadline_ms : float, optional
            When the result is of no use any more, in milliseconds from now.
        priority : int, optional
            From 0, which can wait, to 3, which comes first; 1 by default.
        timings : bool
            Whether the future tells where the time went.

        Returns
        -------
        Future
            The outcome.

        Raises
        ------
        comptoir.OverloadedError
            The queue is full.
        comptoir.DeadlineError
            The deadline has passed.
        comptoir.UnavailableError
            The pipeline is closed.
        """
        future = Future()
        try:
            deadline = None if deadline_ms is None else deadline_ms / 1e3
            future._ticket = self._native.submit(item, future, model, deadline, priority, timings)
        except (TypeError, ValueError, OverflowError) as error:
            raise (option_error(model, deadline_ms, priority, timings) or error) from None
        return future

    async def __call__(self, item: Any, **options: Any) -> Any:
        """Give the result of an item, for ``await pipe(item)``; the options are those of `submit`."""
        return await self.submit(item, **options)

    def map(self, items: Iterable[Any], *, window: int = 256, **options: Any) -> Iterator[Any]:
        """Results of many items, in their order.

        Parameters
        ----------
        items : iterable
            The items; taken as results are, so that it may be endless.
        window : int
            Items that are under way at once, at most ``queue``.
        **options
            As for `submit`.

        Yields
        ------
        object
            A result; the first error is raised in its place.
        """
        if not hasattr(type(window), "__index__") or window < 1:
            raise wrong("window", "a number from 1 on", window)
        return self._results(iterator("items", items), min(window, self._queue), options)

    def _results(self, items: Iterator[Any], window: int, options: dict[str, Any]) -> Iterator[Any]:
        waiting: collections.deque[Future] = collections.deque()
        try:
            for item in items:
                if len(waiting) >= window:
                    yield waiting.popleft().result()
                while True:
                    try:
                        waiting.append(self.submit(item, **options))
                        break
                    except OverloadedError:
                        # Others fill the queue as well: there is room when ours have left it.
                        if not waiting:
                            raise
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def swap(self, model: Any, *, name: str | None = None, version: str, share: float = 1.0) -> None:
        """Let a new version of a model take over, while requests go on; none is lost.

        The version is warmed beside the old one first; what it raises then is raised here, and nothing has
        changed.

        Parameters
        ----------
        model : callable or a model of `comptoir.executor`
            The version, loaded.
        name : str, optional
            Name of the model.
        version : str
            Name of the version, for statistics.
        share : float
            Its share of the rows; below 1 both versions serve, until `set_share`.
        """
        check_code(model)
        name = None if name is None else text("name", name)
        code = getattr(model, "_native", model)
        self._native.swap(name, code, text("version", version), number("share", share))

    def set_share(self, share: float, *, name: str | None = None) -> None:
        """Change the share of the version that is taking over: 1 completes it, 0 takes it back."""
        name = None if name is None else text("name", name)
        self._native.set_share(name, number("share", share))

    def drain(self, timeout: float = 60.0) -> bool:
        """Wait until versions that serve no more have finished their last batch; False at the timeout."""
        return self._native.drain_versions(number("timeout", timeout))

    def stats(self) -> dict[str, Any]:
        """Tell what has happened since the start, and what is inside now.

        Returns
        -------
        dict
            ``uptime`` in seconds, ``utilisation`` of each instance, ``live`` requests, ``workers``
            (processes), and for each of ``models`` its ``outcomes``, queue, ``batches``, ``batch_sizes``
            (pairs: a power of two, and how many batches have at most so many rows and more than half),
            ``stages`` with quantiles in seconds, and ``versions`` with their fitted ``latency``: seconds of
            a batch, and of each row.
        """
        stats: dict[str, Any] = json.loads(self._native.stats())
        stats["workers"] = [
            {"model": model, **worker}
            for model, workers in self._native.workers()
            for worker in json.loads(workers)
        ]
        return stats

    def prometheus(self) -> str:
        """Give the numbers of `stats` in the text format of Prometheus."""
        return self._native.prometheus()

    def trace(self, path: str | PathLike[str]) -> None:
        """Write the timeline of the latest ``trace_events`` events, for https://ui.perfetto.dev or chrome://tracing.

        It is empty unless ``trace_events`` is set.
        """
        with open(file("path", path), "w", encoding="utf-8") as timeline:
            timeline.write(self._native.trace())

    def close(self, grace: float = 60.0) -> bool:
        """Take no more requests, let those inside finish, and stop.

        Parameters
        ----------
        grace : float
            Seconds to wait; what is not done then ends with `comptoir.UnavailableError`, as it does at
            Ctrl-C.

        Returns
        -------
        bool
            Whether all could finish.
        """
        grace = number("grace", grace)
        OPEN.discard(self)
        return self._native.close(grace)

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close(60.0 if kind is None else 0.0)


def _setup(name: str, one: Model, batch: Batch, warm_up: bool) -> tuple[Any, ...]:
    """One model as the native pipeline takes it."""
    batch = one.batch or batch
    native = getattr(one.model, "_native", None)
    shapes = shapes_of(one.inputs)
    if shapes is None and native is not None and native.inputs is not None:
        shapes = [json.loads(native.inputs)]
    settings = {
        "name": name,
        "weight": one.weight,
        "batch": batch._spec(),
        "shapes": shapes,
        "warm_up": warm_up,
    }
    model = one.model if native is None else native
    preprocess, postprocess = one.preprocess, one.postprocess
    if isinstance(preprocess, ImageTransform):
        shapes = shapes or [[preprocess.output._spec()]]
        settings["shapes"] = shapes
        if preprocess._placement:
            postprocess = _placed(postprocess)
        return as_json(settings), preprocess._native, model, postprocess, one.version, False
    return as_json(settings), preprocess, model, postprocess, one.version, not batch.stack


def _placed(postprocess: Callable[..., Any] | None) -> Callable[..., Any] | None:
    """Give ``postprocess`` its placement by name."""
    if postprocess is None:
        return None

    def placed(prediction: Any, *place: tuple[Any, ...]) -> Any:
        return postprocess(prediction, *(Placement(*one) for one in place))

    return placed
