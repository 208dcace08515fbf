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
            ({}, "EXECUTOR_STAGE", "expected 1 tensors for a row, found 0"),
            ((1, 2, 3), "EXECUTOR_STAGE", "it gave a tuple of 3"),
        ]:
            with pytest.raises(comptoir.DataError) as raised:
                pipe.submit(item).result(30)
            assert raised.value.code == code
            assert message in str(raised.value)
        assert pipe.submit(np.ones(2, "float32")).result(30).tolist() == [2, 2]


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"batch": executor.Batch(max_size=0)}, "batch.max_size"),
        ({"batch": executor.Batch(min_size=99)}, "batch.min_size"),
        ({"instances": 0}, "instances"),
        ({"depth": 0}, "depth"),
        ({"queue": 0}, "queue_limit"),
        ({"deadline_ms": -1.0}, "deadline_ms"),
        ({"threads": -1}, "cpu_threads"),
        ({"threads": 100_000}, "cpu_threads"),
        ({"inputs": [executor.Tensor("x", "bool", [1])]}, "shapes[0][0].dtype"),
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
