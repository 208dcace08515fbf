"""Where a pipeline meets what Python does around it: event loops, forks, signals, pickles, messages."""

import asyncio
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import comptoir
from comptoir import executor


def double(batch):
    return batch * 2


def raising(error):
    def stage(_):
        raise error

    return stage


def large(_):
    return np.zeros(1 << 20, "float32")


def ends_iteration(pipe):
    async def main():
        return await asyncio.wait_for(pipe(np.float32(1)), 10)

    with pytest.raises(RuntimeError, match="StopIteration") as raised:
        asyncio.run(main())
    assert isinstance(raised.value.__cause__, StopIteration)


def test_a_task_that_awaits_a_stop_iteration_does_not_wait_for_ever():
    with executor.Pipeline(model=raising(StopIteration(5))) as pipe:
        ends_iteration(pipe)
    with executor.Pipeline(preprocess=raising(StopIteration(5)), model=double) as pipe:
        ends_iteration(pipe)


FORK = """
import os, sys, threading, time
import numpy as np
import comptoir
from comptoir import executor
def slow(batch):
    time.sleep(0.5)
    return batch.copy()
pipe = executor.Pipeline(model=slow, **{settings})
first = pipe.submit(np.float32(1))
child = os.fork()
if child == 0:
    with pipe:
        for call in (lambda: pipe.submit(np.float32(2)), pipe.stats, lambda: list(pipe.map([1]))):
            try:
                call()
            except comptoir.UnavailableError as error:
                print("child", error.code, flush=True)
    print("child", pipe.close(), flush=True)
    sys.exit(0)
start = time.monotonic()
print("ended with", os.waitpid(child, 0)[1], time.monotonic() - start < 5)
print(first.result(30), pipe.submit(np.float32(3)).result(30), pipe.close())
"""


@pytest.mark.parametrize("settings", [{}, {"workers": 1}], ids=["threads", "workers"])
def test_a_forked_process_is_told_that_the_pipeline_is_not_there(settings):
    ended = subprocess.run(
        [sys.executable, "-c", FORK.format(settings=settings)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stderr == ""
    assert ended.stdout.splitlines() == [
        *["child EXECUTOR_CLOSED"] * 3,
        "child False",
        "ended with 0 True",
        "1.0 3.0 True",
    ]


INTERRUPTED = """
import os, signal, threading, time
import numpy as np
from comptoir import executor
pipe = executor.Pipeline(model=lambda batch: threading.Event().wait())
future = pipe.submit(np.float32(1))
threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    pipe.close()
except KeyboardInterrupt:
    print("interrupted", type(future.exception(1)).__name__)
"""


def test_ctrl_c_ends_the_wait_of_close():
    start = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=90, check=False
    )
    assert (ended.stdout, ended.returncode) == ("interrupted UnavailableError\n", 0), ended.stderr
    assert time.monotonic() - start < 20


@pytest.fixture
def interruptible():
    """Take Ctrl-C as Python does by itself, also in the background of a shell, which has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_the_wait_of_drain():
    event, started = threading.Event(), threading.Event()

    def held(batch):
        started.set()
        event.wait(30)
        return batch * 2

    with executor.Pipeline(model=held) as pipe:
        future = pipe.submit(np.float32(1))
        assert started.wait(30)
        pipe.swap(double, version="2")
        start = time.monotonic()
        threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            pipe.drain()
        assert time.monotonic() - start < 20
        assert pipe.drain(0.01) is False
        event.set()
        assert pipe.drain()
        assert future.result(30) == 2


def test_an_exception_in_the_place_of_a_row_of_one_of_several_outputs_is_raised():
    def by_name(batch):
        return {"label": [ValueError("bad") if row < 0 else "good" for row in batch], "score": batch}

    def by_place(batch):
        return tuple(by_name(batch).values())

    for model in (by_name, by_place):
        with executor.Pipeline(model=model) as pipe:
            good, bad = pipe.submit(np.float32(1)), pipe.submit(np.float32(-1))
            assert "good" in (good.result(30).values() if model is by_name else good.result(30))
            assert isinstance(bad.exception(30), ValueError)
            assert pipe.stats()["models"][0]["outcomes"]["failed"] == 1


def test_the_text_for_prometheus_has_the_numbers_of_stats():
    with executor.Pipeline(model=double) as pipe:
        for _ in range(5):
            pipe.submit(np.float32(1)).result(30)
        pipe.swap(double, version="1", share=0.25)
        text = pipe.prometheus()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    series = [line.rsplit(" ", 1)[0] for line in lines]
    assert len(series) == len(set(series))
    assert 'comptoir_executor_batch_size_bucket{model="model",le="1"} 5' in lines
    assert 'comptoir_executor_batch_size_bucket{model="model",le="+Inf"} 5' in lines
    assert 'comptoir_executor_batch_size_sum{model="model"} 5' in lines
    assert 'comptoir_executor_preprocessing_requests{model="model"} 0' in lines
    share = 'comptoir_executor_version_share_ratio{model="model",version="1",role='
    assert [line for line in lines if line.startswith(share)] == [
        share + '"serving"} 0.75',
        share + '"taking over"} 0.25',
    ]
    assert any(name.startswith("comptoir_executor_version_batch_fixed_seconds{") for name in series)


def test_an_input_without_a_name_is_the_one_at_its_place():
    two = [executor.Tensor("a", "float32", [1]), executor.Tensor("b", "float32", [1])]
    one, four = np.float32([1]), np.float32([4])
    with executor.Pipeline(model=lambda batch: 10 * batch["a"] + batch["b"], inputs=two) as pipe:
        for item in ({"a": one, "b": four}, {"": one, "b": four}, {"a": one, "": four}):
            # Each item follows one that leaves other numbers in the memory of the batch.
            pipe.submit({"a": four, "b": one}).result(30)
            assert pipe.submit(item).result(30) == 14
    with executor.Pipeline(model=lambda batch: batch["1"]) as pipe:
        error = pipe.submit({1: one, "1": four}).exception(30)
        assert "two inputs are called `1`: give each a name of its own" in str(error)


def test_a_picture_transform_can_be_pickled():
    transform = executor.ImageTransform(4, 2, scale=0.5, layout="nhwc", placement=True)
    again = pickle.loads(pickle.dumps(transform))
    assert again.output == transform.output
    with executor.Pipeline(preprocess=again, model=double) as pipe:
        assert isinstance(pipe.submit(b"no picture").exception(30), comptoir.DataError)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"deadline_ms": float("nan")}, "`deadline_ms`: must be a finite number, found nan"),
        (
            {"batch": executor.Batch(max_delay_ms=float("inf"))},
            "`batch.max_delay_ms`: must be a finite number",
        ),
        ({"inputs": []}, "`inputs`: is empty"),
        ({"inputs": [[]]}, "`inputs[0]`: has no input"),
        ({"inputs": [executor.Tensor("x", "float32", [1])] * 2}, "`inputs`: input `x` is there twice"),
        ({"inputs": [[executor.Tensor("x", "float16x", [1])]]}, "`inputs[0][0].dtype`: unknown variant"),
    ],
)
def test_messages_about_settings_say_what_is_wrong(settings, message):
    with pytest.raises(comptoir.ConfigError, match=re.escape(message)):
        executor.Pipeline(**({"model": double} | settings))


def test_messages_about_items_say_what_was_found():
    two = [executor.Tensor("a", "float32", [2]), executor.Tensor("b", "float32", [2])]
    row = np.ones(2, "float32")
    with executor.Pipeline(model=lambda batch: batch["a"], inputs=two) as pipe:
        for item, message in [
            ({"a": row}, "expected the inputs `a`, `b`, found `a`"),
            (row, "expected the inputs `a`, `b`, found an array without a name"),
            ({}, "expected the inputs `a`, `b`, found nothing"),
        ]:
            assert message in str(pipe.submit(item).exception(30))
    with executor.Pipeline(model=double) as pipe:
        for item, found in [
            (None, "`NoneType`"),
            (np.array([True]), "bool"),
            (np.array([1, "a", None], object), "objects"),
            (np.array([1], "int8"), "int8"),
            (np.array([1], ">f4"), ">f4"),
        ]:
            assert str(pipe.submit(item).exception(30)).endswith(f"float64, found {found}")
        for deadline in (float("nan"), float("inf"), 1e300):
            with pytest.raises(comptoir.ConfigError, match="`deadline_ms`: must be milliseconds") as raised:
                pipe.submit(row, deadline_ms=deadline)
            assert len(str(raised.value)) < 120


def test_a_result_too_large_for_a_worker_names_the_setting():
    with executor.Pipeline(preprocess=large, model=double, workers=1, worker_bytes=1 << 16) as pipe:
        error = pipe.submit(b"item").exception(60)
        assert isinstance(error, comptoir.LimitError)
        assert str(error).endswith("raise `worker_bytes`")
        error = pipe.submit(b"x" * (1 << 20)).exception(60)
        assert str(error).endswith("raise `worker_bytes`")


@pytest.mark.parametrize("given", ["a", b"a", bytearray(b"a"), {1}, frozenset({1})])
def test_text_and_sets_are_no_rows(given):
    with executor.Pipeline(model=lambda batch: given) as pipe:
        error = pipe.submit(np.float32(1)).exception(30)
    name = type(given).__name__
    assert f"the output is `{name}`: expected an array or list with a row for each item" in str(error)
