"""Functions in worker processes: results, exceptions, and every way in which a worker may end."""

import os
import pickle
import signal
import sys
import threading
import time

import numpy as np
import pytest

import comptoir
from comptoir import executor


class OddError(Exception):
    """Cannot be pickled back: it needs two arguments."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


class MuteError(Exception):
    """Has no words and cannot be pickled."""

    def __init__(self):
        self.function = lambda: 0

    def __str__(self):
        raise RuntimeError("no words")


def prepare(item):
    """Do what the item says, else give a row of it."""
    if isinstance(item, bytes):
        return np.frombuffer(item, "uint8")
    match item:
        case "raise":
            raise KeyError("asked for")
        case "file":
            return open("caf\udce9.jpg", "rb").read()
        case "mute":
            raise MuteError
        case "odd":
            raise OddError(1, 2)
        case "exit":
            return os._exit(3)
        case "sys.exit":
            return sys.exit(4)
        case "block":
            return time.sleep(600)
        case "memory":
            return np.ones(8 << 30, "uint8")
        case "large":
            return np.ones(1 << 20, "float64")
        case "none":
            return None
        case "triple":
            return 1, 2, 3
        case ("pair", number):
            return np.array([number, number], "float32"), {"number": number}
        case ("named", number):
            return {"b": np.float32(number), "a": np.arange(number, number + 3)}
        case ("pid", _):
            return np.array([os.getpid()])
    return np.array([item], "float32")


def double(batch):
    return batch * 2


def unchanged(batch):
    return batch


def describe(prediction, context=None):
    return os.getpid(), prediction.tolist(), context


def trouble(prediction):
    """Do what the prediction says, else give it and the process."""
    match int(prediction[0]):
        case 1007:
            raise OddError(1, 2)
        case 1008:
            raise ValueError("1008")
        case 1009:
            return os._exit(3)
        case 1010:
            return lambda: 0
        case 1011:
            return b"x" * 100_000
        case 1012:
            return time.sleep(600)
        case number if 2000 <= number < 3000:
            time.sleep(0.4)
    return int(prediction[0]), os.getpid()


def words(text):
    return text.split(), len(text)


def joined(prediction, length):
    return f"{prediction} {length}"


def pipeline(**settings):
    return executor.Pipeline(**({"preprocess": prepare, "model": double, "workers": 2} | settings))


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def test_rows_come_from_other_processes():
    with pipeline() as pipe:
        assert [float(result[0]) for result in pipe.map(range(300))] == [2.0 * n for n in range(300)]
        stats, text = pipe.stats(), pipe.prometheus()
    assert len(stats["workers"]) == 2
    assert sum(worker["calls"] for worker in stats["workers"]) == 300
    calls = [f'worker_calls_total{{model="model",worker="{at}"}}' for at in range(2)]
    answered = [text.split(f"comptoir_executor_{name} ")[1].split("\n")[0] for name in calls]
    assert [int(number) for number in answered] == [worker["calls"] for worker in stats["workers"]]
    assert os.getpid() not in [worker["pid"] for worker in stats["workers"]]


def test_bytes_go_in_as_they_are_and_every_kind_of_result_comes_out():
    with pipeline() as pipe:
        assert pipe.submit(b"\x01\x02").result(60).tolist() == [2, 4]
    with pipeline(postprocess=describe) as pipe:
        pid, prediction, context = pipe.submit(("pair", 3)).result(60)
        assert pid in [worker["pid"] for worker in pipe.stats()["workers"]]
        assert (prediction, context) == ([6, 6], {"number": 3})
    inputs = [executor.Tensor("a", "int64", [3]), executor.Tensor("b", "float32", [])]
    with pipeline(model=lambda batch: batch["a"].sum(axis=1) * batch["b"], inputs=inputs) as pipe:
        assert pipe.submit(("named", 2)).result(60) == 18


def test_rows_that_go_to_a_worker_together_end_each_with_its_own_outcome():
    settings = {"model": unchanged, "postprocess": trouble, "worker_bytes": 1 << 16, "worker_timeout": 2.0}
    settings["batch"] = executor.Batch(min_size=32, max_delay_ms=1000)
    with pipeline(**settings) as pipe:
        # Once it is known how quick the function is, rows go together: without that there were 640 calls.
        list(pipe.map(range(320)))
        calls = sum(worker["calls"] for worker in pipe.stats()["workers"])
        list(pipe.map(range(320)))
        assert sum(worker["calls"] for worker in pipe.stats()["workers"]) - calls < 500
        numbers = [*range(5), *range(1007, 1013), *range(5, 26)]
        outcomes = [future.exception(60) or future.result() for future in map(pipe.submit, numbers)]
    by_number = dict(zip(numbers, outcomes, strict=True))
    assert all(by_number[number][0] == number for number in range(26))
    codes = {
        number: getattr(by_number[number], "code", type(by_number[number])) for number in range(1007, 1013)
    }
    assert codes == {
        1007: "EXECUTOR_WORKER_FAILED",
        1008: ValueError,
        1009: "EXECUTOR_WORKER_DIED",
        1010: AttributeError if sys.version_info < (3, 14) else pickle.PicklingError,
        1011: "EXECUTOR_WORKER_SIZE",
        1012: "EXECUTOR_WORKER_HUNG",
    }


def together(timeout, numbers):
    """Give seconds and outcome of each number, and how many calls failed; all go in one call."""
    batch = executor.Batch(min_size=16, max_size=16, max_delay_ms=1000)
    settings = {"model": unchanged, "postprocess": trouble, "worker_timeout": timeout, "batch": batch}
    with pipeline(threads=1, **settings) as pipe:
        # It must be known how quick the function is.
        list(pipe.map(range(320)))
        ended = {}
        start = time.monotonic()
        futures = {number: pipe.submit(number) for number in numbers}
        for number, future in futures.items():
            future.add_done_callback(
                lambda _, number=number: ended.update({number: time.monotonic() - start})
            )
        outcomes = {number: future.exception(60) or future.result() for number, future in futures.items()}
        failures = sum(worker["failures"] for worker in pipe.stats()["workers"])
    return ended, outcomes, failures


def test_a_row_that_hangs_in_a_call_of_several_takes_its_timeout_once():
    ended, outcomes, failures = together(2.0, [*range(7), 1012, *range(7, 15)])
    assert outcomes.pop(1012).code == "EXECUTOR_WORKER_HUNG"
    assert [outcome[0] for outcome in outcomes.values()] == list(range(15))
    assert failures == 1
    assert max(ended.values()) < 3.5


def test_slow_rows_of_one_call_have_their_timeout_each():
    _, outcomes, failures = together(1.0, [*range(4), *range(2000, 2005), *range(4, 11)])
    assert [outcome[0] for outcome in outcomes.values()] == [*range(4), *range(2000, 2005), *range(4, 11)]
    assert failures == 0


def test_a_worker_survives_an_exception_that_has_no_words():
    with pipeline(workers=1) as pipe:
        error = pipe.submit("file").exception(60)
        assert type(error) is FileNotFoundError
        assert error.filename == "caf\udce9.jpg"
        error = pipe.submit("mute").exception(60)
        assert error.code == "EXECUTOR_WORKER_FAILED"
        assert "MuteError" in str(error)
        assert pipe.stats()["workers"][0]["restarts"] == 0


def test_objects_that_are_no_tensors_cross_too():
    def model(lists):
        return ["-".join(one) for one in lists]

    with executor.Pipeline(
        preprocess=words, model=model, postprocess=joined, workers=1, batch=executor.Batch(stack=False)
    ) as pipe:
        assert pipe.submit("a bc").result(60) == "a-bc 4"


def test_an_exception_comes_back_as_itself_with_the_workers_traceback():
    with pipeline() as pipe:
        error = pipe.submit("raise").exception(60)
        assert type(error) is KeyError
        if sys.version_info >= (3, 11):
            assert 'raise KeyError("asked for")' in error.__notes__[0]
        odd = pipe.submit("odd").exception(60)
        assert isinstance(odd, comptoir.DataError)
        assert odd.code == "EXECUTOR_WORKER_FAILED"
        assert "OddError: 1 and 2" in str(odd)
        assert isinstance(pipe.submit("sys.exit").exception(60), SystemExit)
        triple = pipe.submit("triple").exception(60)
        assert "it gave a tuple of 3" in str(triple)
        assert triple.code == "EXECUTOR_STAGE"
        nothing = pipe.submit("none").exception(60)
        assert isinstance(nothing, comptoir.DataError)
        assert str(nothing).startswith("input `input`: expected elements of uint8")
        assert nothing.code == "EXECUTOR_DTYPE"
        assert pipe.submit(1).result(60).tolist() == [2]
        assert [worker["restarts"] for worker in pipe.stats()["workers"]] == [0, 0]


def test_a_worker_that_exits_is_replaced_and_its_request_told_why():
    with pipeline() as pipe:
        error = pipe.submit("exit").exception(60)
        assert isinstance(error, comptoir.UnavailableError)
        assert error.code == "EXECUTOR_WORKER_DIED"
        assert "exited with code 3" in str(error)
        assert [float(result[0]) for result in pipe.map(range(50))] == [2.0 * n for n in range(50)]
        assert sum(worker["restarts"] for worker in pipe.stats()["workers"]) >= 1


def test_a_killed_worker_loses_no_request():
    with pipeline() as pipe:
        stop = threading.Event()

        def kill():
            while not stop.wait(0.15):
                pids = [worker["pid"] for worker in pipe.stats()["workers"] if worker["phase"] == "up"]
                if len(pids) == 2:
                    os.kill(pids[0], signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        results, lost = [], []
        end = time.monotonic() + 2
        number = 0
        while time.monotonic() < end:
            future = pipe.submit(number)
            try:
                results.append(float(future.result(60)[0]) == 2.0 * number)
            except comptoir.UnavailableError as error:
                # Tried twice, and both workers were killed.
                lost.append(str(error))
            number += 1
        stop.set()
        killer.join()
    assert all(results)
    assert len(lost) <= 3
    assert all("SIGKILL" in words for words in lost)
    assert len(results) > 50


@pytest.mark.parametrize("how", ["block", "stop"])
def test_a_worker_that_hangs_is_killed_and_replaced(how):
    with pipeline(workers=1, worker_timeout=1.0) as pipe:
        pid = pipe.stats()["workers"][0]["pid"]
        if how == "stop":
            os.kill(pid, signal.SIGSTOP)
            assert pipe.submit(1).result(60).tolist() == [2]
        else:
            error = pipe.submit("block").exception(60)
            assert error.code == "EXECUTOR_WORKER_HUNG"
        assert pipe.submit(2).result(60).tolist() == [4]
        assert pipe.stats()["workers"][0]["pid"] != pid


@pytest.mark.parametrize("where", [{}, {"model": unchanged, "batch": executor.Batch(stack=False)}])
def test_a_thread_waits_for_a_worker_no_longer_than_the_deadline(where):
    with pipeline(workers=2, threads=1, worker_timeout=60.0, **where) as pipe:
        with pytest.raises(comptoir.DeadlineError):
            pipe.submit("block", deadline_ms=100).result(30)
        # The only thread is free again, and the other worker too.
        assert float(pipe.submit(2).result(30)[0]) in (2, 4)
        outcomes = pipe.stats()["models"][0]["outcomes"]
        assert (outcomes["late"], outcomes["failed"]) == (1, 0)
        assert [worker["restarts"] for worker in pipe.stats()["workers"]] == [0, 0]


def test_a_stopped_worker_is_seen_within_100_ms():
    times = []
    with pipeline(workers=1, worker_timeout=60.0) as pipe:
        for _ in range(5):
            end = time.monotonic() + 60
            while (worker := pipe.stats()["workers"][0])["phase"] != "up":
                assert time.monotonic() < end
            os.kill(worker["pid"], signal.SIGSTOP)
            future = pipe.submit(1)
            start = time.monotonic()
            while pipe.stats()["workers"][0]["phase"] == "up":
                assert time.monotonic() < end
                time.sleep(0.001)
            times.append(time.monotonic() - start)
            assert future.result(60).tolist() == [2]
            assert pipe.stats()["workers"][0]["last_cause"] == "was stopped by a signal"
    # What it takes is a property of the supervisor; what a busy machine adds is not.
    assert min(times) <= 0.1, times


def test_memory_and_sizes_have_limits():
    with pipeline(workers=1, worker_memory=4 << 30, worker_bytes=1 << 16) as pipe:
        assert isinstance(pipe.submit("memory").exception(60), MemoryError)
        error = pipe.submit("large").exception(60)
        assert error.code == "EXECUTOR_WORKER_SIZE"
        assert "does not fit into the 65536 bytes" in str(error)
        error = pipe.submit(b"x" * 100_000).exception(60)
        assert error.code == "EXECUTOR_WORKER_SIZE"
        assert pipe.submit(2).result(60).tolist() == [4]


def test_functions_that_cannot_be_imported_are_refused_before_anything_starts():
    with pytest.raises(
        comptoir.ConfigError, match="`preprocess`: worker processes must be able to import it"
    ):
        pipeline(preprocess=lambda item: item)


def test_closing_leaves_no_process_and_no_descriptor():
    pipeline().close()
    before = descriptors()
    for _ in range(2):
        with pipeline() as pipe:
            pids = [worker["pid"] for worker in pipe.stats()["workers"]]
            pipe.submit(1).result(60)
        del pipe
        assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
    # What an earlier test left to a thread may have gone meanwhile.
    assert descriptors() <= before
