"""Bad input of pipelines is refused by name."""

import numpy as np
import pytest

import comptoir
from comptoir import executor

ONE = [executor.Tensor("x", "float32", [2])]


def double(batch):
    return batch * 2


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (lambda batch: batch[:0], "the output has 0 rows for a batch of 1"),
        (lambda batch: {"a": batch, "b": [1, 2, 3]}, "output `b` has 3 rows for a batch of 1"),
        (lambda batch: (batch, None), "output 1 is `NoneType`: expected an array or list"),
        (lambda batch: None, "the output is `NoneType`"),
        (lambda batch: {}, "there is no output for a batch of 1"),
        (lambda batch: (), "there is no output for a batch of 1"),
    ],
)
def test_a_model_that_returns_something_else_is_told_so(output, message):
    with executor.Pipeline(model=output) as pipe, pytest.raises(comptoir.DataError) as raised:
        pipe.submit(np.float32(1)).result(30)
    assert message in str(raised.value)
    assert raised.value.code == "EXECUTOR_STAGE"


def test_wrong_shapes_and_types_name_the_input():
    with executor.Pipeline(model=double, inputs=ONE) as pipe:
        for item, code, message in [
            (np.zeros(3, "float32"), "EXECUTOR_SHAPE", "input `x`: expected shape [2], found [3]"),
            (np.zeros(2), "EXECUTOR_DTYPE", "input `x`: expected elements of float32, found float64"),
            (np.array(["a"]), "EXECUTOR_DTYPE", "found <U1"),
            ({"y": np.zeros(2, "float32")}, "EXECUTOR_STAGE", "expected the inputs `x`, found `y`"),
            ({}, "EXECUTOR_STAGE", "expected the inputs `x`, found nothing"),
            ((1, 2, 3), "EXECUTOR_STAGE", "it gave a tuple of 3"),
        ]:
            with pytest.raises(comptoir.DataError) as raised:
                pipe.submit(item).result(30)
            assert raised.value.code == code
            assert message in str(raised.value)
        assert pipe.submit(np.ones(2, "float32")).result(30).tolist() == [2, 2]


class Wordless:
    """Cannot say what it is."""

    def __repr__(self):
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"batch": executor.Batch(max_size=0)}, "batch.max_size"),
        ({"batch": executor.Batch(min_size=99)}, "batch.min_size"),
        ({"instances": 0}, "instances"),
        ({"depth": 0}, "depth"),
        ({"queue": 0}, "queue"),
        ({"deadline_ms": -1.0}, "deadline_ms"),
        ({"threads": -1}, "threads"),
        ({"threads": 100_000}, "threads"),
        ({"inputs": [executor.Tensor("x", "bool", [1])]}, "inputs[0].dtype"),
        ({"model": None}, "model"),
        ({"model": 3}, "model"),
        ({"model": executor.Simulated}, "model"),
        ({"batch": 32}, "batch"),
        ({"preprocess": 3}, "preprocess"),
        ({"postprocess": "float"}, "postprocess"),
        ({"inputs": ["x"]}, "inputs"),
        ({"inputs": ONE[0]}, "inputs"),
        ({"workers": -1}, "workers"),
        ({"deadline_ms": 1e300}, "deadline_ms"),
        ({"deadline_ms": float("nan")}, "deadline_ms"),
        ({"workers": "2"}, "workers"),
        ({"workers": 1.5}, "workers"),
        ({"workers": 1, "worker_timeout": "1"}, "worker_timeout"),
        ({"workers": 1, "worker_timeout": 0}, "worker_timeout"),
        ({"workers": 1, "worker_bytes": -1}, "worker_bytes"),
        ({"workers": 1, "worker_memory": "a"}, "worker_memory"),
        ({"threads": object()}, "threads"),
        ({"threads": 10**5000}, "threads"),
        ({"deadline_ms": Wordless()}, "deadline_ms"),
        ({"model": None, "models": 3}, "models"),
        ({"model": None, "models": {3: executor.Model(double)}}, "models"),
        ({"model": None, "models": {"a": executor.Model(double, version=3)}}, "version"),
        ({"batch": executor.Batch(preferred="a")}, "batch.preferred[0]"),
        ({"batch": executor.Batch(stack="no")}, "batch.stack"),
        ({"inputs": [executor.Tensor("x", "float32", ["a"])]}, "inputs[0].shape[0]"),
        ({"inputs": [executor.Tensor("x", "float32", [1.5])]}, "inputs[0].shape[0]"),
        ({"inputs": [executor.Tensor("x", np.float32, [1])]}, "inputs[0].dtype"),
        ({"inputs": [executor.Tensor("x", "float32", [10**12])]}, "inputs.x"),
    ],
)
def test_settings_are_refused_by_their_field(settings, field):
    with pytest.raises(comptoir.ConfigError) as raised:
        executor.Pipeline(**({"model": double} | settings))
    assert f"`{field}`" in str(raised.value)
    assert raised.value.code == "EXECUTOR_CONFIG"


def test_a_simulated_device_refuses_impossible_times():
    with pytest.raises(comptoir.ConfigError, match="`fixed_ms`: must be from 0 to 60000, found -1"):
        executor.Simulated(-1)


def test_one_of_several_models_of_the_wrong_kind_is_named():
    with pytest.raises(comptoir.ConfigError, match=r"`models\.a`: expected an executor\.Model"):
        executor.Pipeline(models={"a": double})
    with pytest.raises(comptoir.ConfigError, match="`models`: give functions"):
        executor.Pipeline(model=double, models={"a": executor.Model(double)})


def test_an_item_that_is_no_array_names_the_input():
    with executor.Pipeline(model=double) as pipe:
        for item in ("text", None, object()):
            with pytest.raises(comptoir.DataError, match="input `input`: expected elements of uint8"):
                pipe.submit(item).result(30)


def test_times_without_end_are_no_panic():
    pipe = executor.Pipeline(model=double)
    assert pipe.drain(1e18)
    with pytest.raises(comptoir.ConfigError, match="`deadline_ms`"):
        pipe.submit(np.float32(1), deadline_ms=float("nan"))
    assert pipe.close(1e18)


def test_numbers_of_numpy_are_numbers():
    shape = executor.Tensor("x", "float32", np.array([2]))
    batch = executor.Batch(max_size=np.int64(4), max_delay_ms=np.float32(1), preferred=np.array([2, 4]))
    settings = {"threads": np.int32(2), "queue": np.uint8(9), "deadline_ms": np.float32(1000)}
    with executor.Pipeline(model=double, inputs=[shape], batch=batch, **settings) as pipe:
        item = np.ones(2, "float32")
        assert pipe.submit(item, deadline_ms=np.float32(900), priority=np.int8(3)).result(30).tolist() == [
            2,
            2,
        ]
    picture = {"mean": np.array([1, 2, 3]), "std": np.float32(2), "scale": np.float64(1), "fill": np.int64(0)}
    assert executor.ImageTransform(np.int64(2), 2, **picture).output.shape == [3, 2, 2]


@pytest.mark.parametrize(
    ("call", "name", "error"),
    [
        (lambda pipe: pipe.submit(1, deadline_ms="5"), "deadline_ms", comptoir.ArgumentError),
        (lambda pipe: pipe.submit(1, deadline_ms=10**400), "deadline_ms", comptoir.ConfigError),
        (lambda pipe: pipe.submit(1, priority="high"), "priority", comptoir.ArgumentError),
        (lambda pipe: pipe.submit(1, priority=-1), "priority", comptoir.ConfigError),
        (lambda pipe: pipe.submit(1, priority=300), "priority", comptoir.ConfigError),
        (lambda pipe: pipe.submit(1, priority=10**5000), "priority", comptoir.ConfigError),
        (lambda pipe: pipe.submit(1, model=3), "model", comptoir.ArgumentError),
        (lambda pipe: pipe.submit(1, model="\ud800"), "model", comptoir.DataError),
        (lambda pipe: pipe.submit(1, timings="yes"), "timings", comptoir.ArgumentError),
        (lambda pipe: pipe.map([1], window=0), "window", comptoir.ConfigError),
        (lambda pipe: pipe.map([1], window="a"), "window", comptoir.ConfigError),
        (lambda pipe: pipe.map(3), "items", comptoir.ArgumentError),
        (lambda pipe: pipe.drain("a"), "timeout", comptoir.ArgumentError),
        (lambda pipe: pipe.close(None), "grace", comptoir.ArgumentError),
        (lambda pipe: pipe.swap(3, version="2"), "model", comptoir.ConfigError),
        (lambda pipe: pipe.swap(executor.Simulated, version="2"), "model", comptoir.ConfigError),
        (lambda pipe: pipe.swap(double, version=2), "version", comptoir.ArgumentError),
        (lambda pipe: pipe.swap(double, version="2", share="a"), "share", comptoir.ArgumentError),
        (lambda pipe: pipe.swap(double, version="2", name=3), "name", comptoir.ArgumentError),
        (lambda pipe: pipe.set_share("a"), "share", comptoir.ArgumentError),
        (lambda pipe: pipe.trace(None), "path", comptoir.ConfigError),
        (
            lambda _: executor.plan(cpu_ms=1, cpu_threads=1, fixed_ms=1, per_row_ms=1, batch=3),
            "batch",
            comptoir.ConfigError,
        ),
        (
            lambda _: executor.plan(cpu_ms="a", cpu_threads=1, fixed_ms=1, per_row_ms=1),
            "cpu_ms",
            comptoir.ConfigError,
        ),
        (lambda _: executor.OnnxModel(None), "path", comptoir.ConfigError),
        (lambda _: executor.OnnxModel("x", providers=3), "providers", comptoir.ConfigError),
        (lambda _: executor.OnnxModel("x", sides=3), "sides", comptoir.ConfigError),
        (lambda _: executor.ImageTransform(8, 8, placement="x"), "placement", comptoir.ConfigError),
        (lambda _: executor.ImageTransform(8, 8, dtype=np.uint8), "dtype", comptoir.ConfigError),
        (lambda _: executor.ImageTransform(8, 8)(10**12), "file", comptoir.ArgumentError),
        (lambda _: executor.ImageTransform(8, 8).place("text"), "file", comptoir.ArgumentError),
    ],
)
def test_an_argument_that_cannot_be_used_is_named(call, name, error):
    with executor.Pipeline(model=double) as pipe, pytest.raises(error) as raised:
        call(pipe)
    assert f"`{name}`" in str(raised.value)
    assert raised.value.code in ("EXECUTOR_CONFIG", "HOST_ARGUMENT", "HOST_UTF8")
    assert isinstance(raised.value, comptoir.Error)


def test_a_number_is_no_picture():
    # `bytes` would make zeros of it, as many as it says.
    with executor.Pipeline(preprocess=executor.ImageTransform(8, 8), model=double) as pipe:
        error = pipe.submit(10**15).exception(30)
    assert isinstance(error, comptoir.ArgumentError)
    assert str(error) == "`file` must be bytes, not `int`"


def test_one_item_without_memory_fails_alone():
    # Pages that nobody has touched; a batch of such rows is beyond what a process can address.
    huge = np.zeros(1 << 32, "uint8")
    with executor.Pipeline(model=double, batch=executor.Batch(max_size=65536)) as pipe:
        error = pipe.submit(huge).exception(30)
        assert str(error) == "`inputs.input`: 65536 rows of shape [4294967296] do not fit into memory"
        assert pipe.submit(np.float32(2)).result(30) == 4


def test_a_closed_pipeline_takes_no_version():
    pipe = executor.Pipeline(model=double)
    pipe.close()
    with pytest.raises(comptoir.UnavailableError):
        pipe.swap(double, version="2")
