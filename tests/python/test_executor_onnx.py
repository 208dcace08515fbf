"""Models in ONNX, run without Python in between; ONNX Runtime's own Python interface is the oracle."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import comptoir
from comptoir import executor


def save(path, nodes, inputs, outputs, initializers=()):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(initializers))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


@pytest.fixture
def linear(tmp_path):
    """y = x W + b, and its largest entry, for rows of four numbers."""
    rng = np.random.default_rng(7)
    weights = numpy_helper.from_array(rng.normal(size=(4, 3)).astype("float32"), "w")
    return save(
        tmp_path / "linear.onnx",
        [
            helper.make_node("MatMul", ["x", "w"], ["y"]),
            helper.make_node("ArgMax", ["y"], ["best"], axis=1, keepdims=0),
        ],
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [
            helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3]),
            helper.make_tensor_value_info("best", TensorProto.INT64, ["n"]),
        ],
        [weights],
    )


def identity(path, element, shape):
    return save(
        path,
        [helper.make_node("Identity", ["x"], ["y"])],
        [helper.make_tensor_value_info("x", element, shape)],
        [helper.make_tensor_value_info("y", element, shape)],
    )


def test_predictions_are_those_of_onnx_runtime(linear):
    rows = np.random.default_rng(3).normal(size=(300, 4)).astype("float32")
    expected_y, expected_best = onnxruntime.InferenceSession(linear).run(None, {"x": rows})
    model = executor.OnnxModel(linear, sessions=2)
    assert (model.providers, [tensor.name for tensor in model.inputs]) == (["cpu"], ["x"])
    with executor.Pipeline(model=model, instances=2) as pipe:
        for result, y, best in zip(pipe.map(rows), expected_y, expected_best, strict=True):
            np.testing.assert_allclose(result["y"], y, rtol=1e-6)
            assert result["best"] == best
        stats = pipe.stats()["models"][0]
    assert stats["rows"] == 300
    assert stats["batches"] < 300


@pytest.mark.parametrize(
    ("element", "dtype"),
    [
        (TensorProto.UINT8, "uint8"),
        (TensorProto.INT32, "int32"),
        (TensorProto.INT64, "int64"),
        (TensorProto.FLOAT16, "float16"),
        (TensorProto.FLOAT, "float32"),
        (TensorProto.DOUBLE, "float64"),
    ],
)
def test_every_type_of_element_passes_through(tmp_path, element, dtype):
    model = executor.OnnxModel(identity(tmp_path / "m.onnx", element, ["n", 2, 3]))
    row = (np.arange(6).reshape(2, 3) * 1.5).astype(dtype)
    with executor.Pipeline(model=model) as pipe:
        result = pipe.submit(row).result(30)
    assert result.dtype == row.dtype
    assert (result == row).all()


def test_a_fixed_batch_and_open_sides_are_refused_by_name(tmp_path):
    fixed = identity(tmp_path / "fixed.onnx", TensorProto.FLOAT, [1, 2])
    with pytest.raises(comptoir.ConfigError, match=r"`inputs\.x`: has a fixed batch of 1"):
        executor.OnnxModel(fixed)
    open_side = identity(tmp_path / "open.onnx", TensorProto.FLOAT, ["n", "words"])
    with pytest.raises(comptoir.ConfigError, match="has the open side `words`"):
        executor.OnnxModel(open_side)
    with executor.Pipeline(model=executor.OnnxModel(open_side, sides={"words": 5})) as pipe:
        assert pipe.submit(np.ones(5, "float32")).result(30).sum() == 5
        with pytest.raises(comptoir.DataError, match=r"input `x`: expected shape \[5\], found \[6\]"):
            pipe.submit(np.ones(6, "float32")).result(30)


def test_missing_files_and_providers_are_clear_errors(tmp_path, linear):
    with pytest.raises(comptoir.UnavailableError, match=r"model `.*none.onnx`"):
        executor.OnnxModel(tmp_path / "none.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    with pytest.raises(comptoir.UnavailableError, match=r"bad\.onnx"):
        executor.OnnxModel(tmp_path / "bad.onnx")
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("CUDA is there")
    with pytest.raises(comptoir.UnavailableError, match="provider `cuda`"):
        executor.OnnxModel(linear, providers=["cuda"])
    model = executor.OnnxModel(
        linear, providers=[{"name": "tensorrt", "fp16": True}, "cuda", "cpu"], fall_back=True
    )
    assert model.providers == ["cpu"]
    with pytest.raises(comptoir.ConfigError, match="unknown variant `tpu`"):
        executor.OnnxModel(linear, providers=["tpu"])


def test_a_version_of_a_model_in_onnx_takes_over(tmp_path, linear):
    with executor.Pipeline(model=executor.OnnxModel(linear)) as pipe:
        assert set(pipe.submit(np.ones(4, "float32")).result(30)) == {"y", "best"}
        new = identity(tmp_path / "new.onnx", TensorProto.FLOAT, ["n", 4])
        pipe.swap(executor.OnnxModel(new), version="2")
        assert pipe.submit(np.ones(4, "float32")).result(30).tolist() == [1, 1, 1, 1]
        wrong = identity(tmp_path / "wrong.onnx", TensorProto.FLOAT, ["n", 9])
        with pytest.raises(comptoir.DataError, match="warm-up"):
            pipe.swap(executor.OnnxModel(wrong), version="3")
        assert pipe.submit(np.ones(4, "float32")).result(30).tolist() == [1, 1, 1, 1]
