"""Pipelines from Python: three plain functions, batches, outcomes, versions."""

import asyncio
import concurrent.futures
import json
import threading
import time

import numpy as np
import pytest

import comptoir
from comptoir import executor

ONE = [executor.Tensor("x", "float32", [2])]


def double(batch):
    return batch * 2


def gate():
    """A model that waits until the event is set, with the sizes of the batches it saw."""
    event, sizes = threading.Event(), []

    def model(batch):
        sizes.append(len(batch))
        assert event.wait(30)
        return batch * 2

    return event, sizes, model


def wait_for(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_three_plain_functions_make_a_pipeline():
    def preprocess(text):
        return np.array([float(word) for word in text.split()], dtype="float32")

    with executor.Pipeline(
        preprocess=preprocess,
        model=lambda batch: batch.sum(axis=1),
        postprocess=lambda total: round(float(total), 3),
    ) as pipe:
        futures = [pipe.submit(f"{number} 0.5") for number in range(100)]
        assert [future.result(30) for future in futures] == [number + 0.5 for number in range(100)]
        assert list(pipe.map(f"{number} 1" for number in range(1000))) == [
            number + 1 for number in range(1000)
        ]
        outcomes = pipe.stats()["models"][0]["outcomes"]
        assert outcomes == {
            "done": 1100,
            "failed": 0,
            "late": 0,
            "overloaded": 0,
            "cancelled": 0,
            "closed": 0,
        }


def test_a_context_goes_from_preprocess_to_postprocess():
    with executor.Pipeline(
        preprocess=lambda pair: (np.float32(pair[0]), pair[1]),
        model=double,
        postprocess=lambda value, context: (float(value), context),
    ) as pipe:
        assert pipe.submit((3, "three")).result(30) == (6.0, "three")


def test_several_inputs_and_outputs_have_names():
    inputs = [executor.Tensor("a", "int64", [2]), executor.Tensor("b", "float64", [])]

    def model(batch):
        return {"sum": batch["a"].sum(axis=1), "b": batch["b"]}

    with executor.Pipeline(model=model, inputs=inputs) as pipe:
        results = list(pipe.map({"b": np.float64(n) / 2, "a": np.array([n, 1])} for n in range(50)))
    assert results == [{"sum": n + 1, "b": n / 2} for n in range(50)]


def test_batches_are_seen_without_a_copy_and_stay_while_they_are_referred_to():
    seen = []

    def model(batch):
        seen.append(batch)
        return batch

    with executor.Pipeline(model=model, batch=executor.Batch(max_size=4)) as pipe:
        results = list(pipe.map(np.full(1000, n, "float32") for n in range(200)))
    for n, result in enumerate(results):
        assert (result == n).all()
        # The result is a row of the very batch that the model saw: nothing was copied on the way.
        assert any(np.shares_memory(result, batch) for batch in seen)
    assert sorted(int(row[0]) for batch in seen for row in batch) == list(range(200))
    assert all(batch.ctypes.data % 64 == 0 or batch.base is not None for batch in seen)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float16", "float32", "float64"])
def test_every_type_and_layout_arrives_as_it_was(dtype):
    source = np.arange(24).reshape(2, 3, 4).astype(dtype)
    for array in (source, source.transpose(2, 0, 1), source[:, ::2], source[:0], np.array(5, dtype)):
        with executor.Pipeline(model=lambda batch: batch) as pipe:
            result = pipe.submit(array).result(30)
        assert result.dtype == array.dtype
        assert result.shape == array.shape
        assert (result == array).all()


def test_objects_that_are_no_tensors_go_as_a_list():
    with executor.Pipeline(
        preprocess=str.split,
        model=lambda lists: [len(words) for words in lists],
        batch=executor.Batch(stack=False),
    ) as pipe:
        assert list(pipe.map(["a b", "c", ""])) == [2, 1, 0]


def test_a_bad_item_fails_alone_with_its_own_exception():
    def preprocess(number):
        if number == 3:
            raise KeyError("three")
        return np.float32(number)

    def model(batch):
        if (batch == 5).any():
            raise ZeroDivisionError("five")
        return [ValueError("seven") if value == 7 else value for value in batch]

    def postprocess(value):
        if value == 9:
            raise OverflowError("nine")
        return int(value)

    with executor.Pipeline(preprocess=preprocess, model=model, postprocess=postprocess) as pipe:
        futures = [pipe.submit(number) for number in range(12)]
        concurrent.futures.wait(futures, 30)
    expected = {3: KeyError, 5: ZeroDivisionError, 7: ValueError, 9: OverflowError}
    for number, future in enumerate(futures):
        if number in expected:
            assert type(future.exception()) is expected[number]
        else:
            assert future.result() == number


def test_shapes_that_were_not_declared_are_fixed_by_the_first_row():
    with executor.Pipeline(model=double) as pipe:
        pipe.submit(np.zeros(4, "float32")).result(30)
        with pytest.raises(comptoir.DataError, match=r"expected shape \[4\], found \[5\]"):
            pipe.submit(np.zeros(5, "float32")).result(30)


def test_rows_of_different_declared_shapes_are_never_in_one_batch():
    shapes = [[executor.Tensor("x", "float32", [n])] for n in (1, 2)]
    sizes = []

    def model(batch):
        sizes.append(batch.shape)
        return batch.sum(axis=1)

    with executor.Pipeline(model=model, inputs=shapes, warm_up=False) as pipe:
        items = [np.ones(1 + n % 2, "float32") for n in range(100)]
        assert [float(total) for total in pipe.map(items)] == [1 + n % 2 for n in range(100)]
    assert {shape[1] for shape in sizes} == {1, 2}


def test_warm_up_fails_loudly_and_with_the_models_own_exception():
    def model(batch):
        raise MemoryError(f"{len(batch)} rows")

    with pytest.raises(MemoryError, match="1 rows"):
        executor.Pipeline(model=model, inputs=ONE)


def test_overload_deadline_and_cancellation_have_their_own_errors():
    event, _, model = gate()
    with executor.Pipeline(model=model, threads=1, queue=2, batch=executor.Batch(max_size=1)) as pipe:
        futures = []

        def flood():
            while True:
                futures.append(pipe.submit(np.float32(1)))
                time.sleep(0.005)

        with pytest.raises(comptoir.OverloadedError) as raised:
            flood()
        assert raised.value.code == "EXECUTOR_OVERLOADED"
        assert futures[-1].cancel()
        assert futures[-1].cancelled()
        with pytest.raises(concurrent.futures.CancelledError):
            futures[-1].result()
        with pytest.raises(comptoir.DeadlineError) as raised:
            pipe.submit(np.float32(1), deadline_ms=20).result(30)
        assert isinstance(raised.value, TimeoutError)
        with pytest.raises(comptoir.DeadlineError, match="at submission"):
            pipe.submit(np.float32(1), deadline_ms=0)
        event.set()
        assert [future.result(30) for future in futures[:-1]] == [2] * (len(futures) - 1)


def test_what_is_cancelled_in_time_never_reaches_the_model():
    event, sizes, model = gate()
    with executor.Pipeline(model=model) as pipe:
        first = pipe.submit(np.float32(1))
        wait_for(lambda: sizes)
        others = [pipe.submit(np.float32(1)) for _ in range(20)]
        assert all(future.cancel() for future in others)
        event.set()
        assert first.result(30) == 2
        assert pipe.submit(np.float32(2)).result(30) == 4
    assert sum(sizes) == 2


def test_awaiting_works_and_cancelling_the_task_cancels_the_request():
    event, sizes, model = gate()

    async def main(pipe):
        task = asyncio.create_task(pipe(np.float32(1)))
        while not sizes:
            await asyncio.sleep(0.001)
        doomed = asyncio.create_task(pipe(np.float32(2)))
        await asyncio.sleep(0.02)
        doomed.cancel()
        with pytest.raises(asyncio.CancelledError):
            await doomed
        event.set()
        assert await task == 2
        return await asyncio.gather(*(pipe(np.float32(n)) for n in range(200)))

    with executor.Pipeline(model=model) as pipe:
        assert asyncio.run(main(pipe)) == [2 * n for n in range(200)]
        assert pipe.stats()["models"][0]["outcomes"]["cancelled"] == 1


def test_a_version_takes_over_under_load_and_no_request_is_lost():
    stop, seen = threading.Event(), {2: 0, 3: 0}

    def client():
        while not stop.is_set():
            seen[int(pipe.submit(np.float32(1)).result(30))] += 1

    with executor.Pipeline(model=double) as pipe:
        threads = [threading.Thread(target=client) for _ in range(4)]
        [thread.start() for thread in threads]
        wait_for(lambda: seen[2] > 20)
        pipe.swap(lambda batch: batch * 3, version="b", share=0.5)
        wait_for(lambda: seen[3] > 20)
        assert [version["name"] for version in pipe.stats()["models"][0]["versions"]] == ["1", "b"]
        pipe.set_share(1.0)
        assert pipe.drain()
        wait_for(lambda: seen[3] > 200)
        stop.set()
        [thread.join() for thread in threads]
        assert pipe.submit(np.float32(1)).result(30) == 3
        outcomes = pipe.stats()["models"][0]["outcomes"]
    assert outcomes["done"] == sum(seen.values()) + 1
    assert outcomes["failed"] == outcomes["closed"] == 0


def test_closing_finishes_or_ends_what_is_inside():
    pipe = executor.Pipeline(model=double)
    futures = [pipe.submit(np.float32(n)) for n in range(500)]
    assert pipe.close()
    assert [future.result(0) for future in futures] == [2 * n for n in range(500)]
    with pytest.raises(comptoir.UnavailableError) as raised:
        pipe.submit(np.float32(1))
    assert raised.value.code == "EXECUTOR_CLOSED"
    event, _, model = gate()
    pipe = executor.Pipeline(model=model)
    futures = [pipe.submit(np.float32(1)) for _ in range(100)]
    assert not pipe.close(0.02)
    assert all(isinstance(future.exception(0), comptoir.UnavailableError) for future in futures)
    event.set()


def test_timings_add_up_and_prometheus_and_trace_can_be_read(tmp_path):
    with executor.Pipeline(
        preprocess=lambda n: np.float32(n),
        model=executor.Simulated(2, 0.1),
        postprocess=np.sum,
        trace_events=100,
    ) as pipe:
        start = time.perf_counter()
        future = pipe.submit(1, timings=True)
        assert future.result(30) == 1.0
        took = time.perf_counter() - start
        timings = future.timings
        assert timings.batch_size == 1
        assert timings.infer >= 0.0021
        assert sum(timings[:5]) <= took
        assert pipe.submit(1).timings is None
        list(pipe.map(range(50)))
        text = pipe.prometheus()
        assert 'comptoir_executor_stage_seconds_count{model="model",stage="infer"} 52' in text
        assert 'comptoir_executor_requests_total{model="model",outcome="done"} ' in text
        pipe.trace(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    names = {event["name"].split()[0] for event in events}
    assert {"preprocess", "infer", "postprocess"} <= names
    assert len(events) <= 102


def test_map_has_no_more_under_way_than_the_queue_takes():
    with executor.Pipeline(model=double, queue=4, batch=executor.Batch(max_size=1)) as pipe:
        assert list(pipe.map((np.float32(n) for n in range(200)), window=100)) == [2 * n for n in range(200)]


def test_map_waits_for_its_own_where_others_fill_the_queue(monkeypatch):
    with executor.Pipeline(model=double) as pipe:
        submit, calls = pipe.submit, []

        def refuses_every_third(item):
            calls.append(item)
            if len(calls) % 3 == 0:
                raise comptoir.OverloadedError("full", "EXECUTOR_OVERLOADED")
            return submit(item)

        monkeypatch.setattr(pipe, "submit", refuses_every_third)
        assert list(pipe.map(np.float32(n) for n in range(50))) == [2 * n for n in range(50)]
        assert len(calls) > 50
        calls[:] = [0, 0]
        # None of ours is inside, so there is nothing to wait for.
        with pytest.raises(comptoir.OverloadedError):
            list(pipe.map([np.float32(1)]))


def test_a_batch_is_read_without_a_copy_by_its_buffer_and_by_dlpack():
    def model(batch):
        assert np.shares_memory(np.from_dlpack(batch), batch)
        assert memoryview(batch).nbytes == batch.nbytes
        return batch

    with executor.Pipeline(model=model) as pipe:
        result = pipe.submit(np.arange(6).reshape(2, 3)).result(30)
    assert np.shares_memory(np.from_dlpack(result), result)


def test_models_share_a_pipeline_by_name_and_priority_is_checked():
    models = {
        "double": executor.Model(double),
        "triple": executor.Model(lambda batch: batch * 3, postprocess=int),
    }
    with executor.Pipeline(models=models) as pipe:
        assert pipe.submit(np.float32(2), model="triple").result(30) == 6
        assert pipe.submit(np.float32(2)).result(30) == 4
        with pytest.raises(comptoir.ConfigError, match="there is no model `x`: known are `double`, `triple`"):
            pipe.submit(np.float32(2), model="x")
        with pytest.raises(comptoir.ConfigError, match="`priority`"):
            pipe.submit(np.float32(2), priority=4)


def test_many_threads_submit_while_versions_change_and_the_pipeline_closes():
    for round_ in range(5):
        pipe = executor.Pipeline(model=double, queue=100)
        outcomes = []

        def client(number, pipe=pipe, outcomes=outcomes):
            for n in range(20):
                try:
                    future = pipe.submit(np.float32(number), deadline_ms=50 if number % 3 == 0 else None)
                except (comptoir.OverloadedError, comptoir.UnavailableError):
                    continue
                if number % 5 == 0 and n % 4 == 0:
                    future.cancel()
                try:
                    outcomes.append(future.result(30) in (2 * number, 3 * number))
                except (comptoir.DeadlineError, comptoir.UnavailableError, concurrent.futures.CancelledError):
                    outcomes.append(True)

        threads = [threading.Thread(target=client, args=(number,)) for number in range(64)]
        [thread.start() for thread in threads]
        try:
            pipe.swap(lambda batch: batch * 3, version="b", share=0.3)
            pipe.set_share(1.0)
        except comptoir.UnavailableError:
            pass
        time.sleep(0.01 * round_)
        pipe.close(0.01)
        [thread.join(60) for thread in threads]
        assert all(outcomes)
        counts = pipe.stats()["models"][0]
        assert sum(counts["outcomes"].values()) == counts["submitted"] == 64 * 20
