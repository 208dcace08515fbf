"""Models in ONNX bound to the memory of a GPU, without one: on the driver of the tests.

Its device memory is memory of the host, so a session on the CPU goes the whole way of the binding. ONNX
Runtime's own interface is the oracle.
"""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from cuda_driver import run

KINDS = {
    "uint8": TensorProto.UINT8,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "float16": TensorProto.FLOAT16,
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
}


def save(path, nodes, inputs, outputs, initializers=()):
    tensors = [[helper.make_tensor_value_info(*one) for one in side] for side in (inputs, outputs)]
    graph = helper.make_graph(nodes, "g", *tensors, list(initializers))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def convolution(path, element=TensorProto.FLOAT, size=("h", "w")):
    """Planes to features and the largest of them."""
    rng = np.random.default_rng(7)
    weights = numpy_helper.from_array(rng.normal(size=(4, 3, 3, 3)).astype("float32"), "w")
    return save(
        path,
        [
            helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
            helper.make_node("Conv", ["f", "w"], ["c"], pads=[1, 1, 1, 1]),
            helper.make_node("GlobalAveragePool", ["c"], ["p"]),
            helper.make_node("Flatten", ["p"], ["features"]),
            helper.make_node("ArgMax", ["features"], ["best"], axis=1, keepdims=0),
        ],
        [("x", element, ["n", 3, *size])],
        [("features", TensorProto.FLOAT, ["n", 4]), ("best", TensorProto.INT64, ["n"])],
        [weights],
    )


def identities(path):
    """Every type of element, as it comes."""
    return save(
        path,
        [helper.make_node("Identity", [kind], [f"{kind} out"]) for kind in KINDS],
        [(kind, element, ["n", 2, 3]) for kind, element in KINDS.items()],
        [(f"{kind} out", element, ["n", 2, 3]) for kind, element in KINDS.items()],
    )


MODEL = """
import onnxruntime
def bound(path, **settings):
    return executor.CudaModel.onnx(path, **{"providers": ["cpu"], **settings})
"""


def program(text):
    """Give a program with what all of these share."""
    return MODEL + "\n".join(line[8:] for line in text.splitlines())


@pytest.mark.parametrize(
    ("dtype", "element"), [("float16", TensorProto.FLOAT16), ("float32", TensorProto.FLOAT)]
)
def test_pictures_are_normalised_in_front_of_a_model(driver, tmp_path, dtype, element):
    run(
        driver,
        program("""
        path, dtype = sys.argv[2:]
        plain = onnxruntime.InferenceSession(path)
        # Batches of eight rows exactly, so that both sum in the same order.
        eight = executor.Batch(max_size=8, min_size=8, max_delay_ms=60_000)
        for lanes in (dict(depth=1), dict(depth=3), dict(depth=2, instances=2)):
            model = bound(path, dtype=dtype, streams=lanes.get("instances", 1), trace_events=3, **LIKE)
            assert model.inputs == [executor.Tensor("image", "uint8", [5, 7, 3])]
            assert model.providers == ["cpu"]
            with executor.Pipeline(model=model, batch=eight, **lanes) as pipe:
                for at in range(0, 96, 8):
                    some = pictures[at : at + 8]
                    planes = np.stack([on_cpu(one, "rgb", dtype) for one in some])
                    features, best = plain.run(None, {"x": planes})
                    for row, found in enumerate(pipe.map(some, window=8)):
                        assert list(found) == ["features", "best"]
                        assert found["features"].tobytes() == features[row].tobytes()
                        assert found["best"] == best[row]
            assert [step.step for step in model.timeline()] == ["copy_in", "compute", "copy_out"]
        del model, pipe
        """),
        convolution(tmp_path / "m.onnx", element, (5, 7)),
        dtype,
    )


def test_the_models_own_inputs_reach_it_as_they_are(driver, tmp_path):
    run(
        driver,
        program("""
        rng = np.random.default_rng(7)
        kinds = ["uint8", "int32", "int64", "float16", "float32", "float64"]
        items = [{kind: (rng.normal(size=(2, 3)) * 50).astype(kind) for kind in kinds} for _ in range(60)]
        batch = executor.Batch(max_size=16)
        for lanes in (dict(depth=1), dict(depth=3), dict(depth=2, instances=2)):
            model = bound(sys.argv[2], nvrtc="/nowhere/libnvrtc.so", streams=lanes.get("instances", 1))
            assert model.inputs == [executor.Tensor(kind, kind, [2, 3]) for kind in kinds]
            with executor.Pipeline(model=model, batch=batch, warm_up=False, **lanes) as pipe:
                # One at first, so that larger batches find the memory of the lane too small.
                for count in (1, 3, 60, 1, 60):
                    for item, found in zip(items[:count], pipe.map(items[:count]), strict=True):
                        for kind in kinds:
                            assert found[f"{kind} out"].dtype == kind
                            assert found[f"{kind} out"].tobytes() == item[kind].tobytes()
                wrong = {**items[0], "int64": np.zeros((2, 3), "int32")}
                text = str(pipe.submit(wrong).exception())
                assert text == "input `int64`: expected elements of int64, found int32", text
        del model, pipe
        """),
        identities(tmp_path / "m.onnx"),
    )


def test_a_real_model_finds_what_it_finds_by_its_own_copies(driver, shared):
    run(
        driver,
        program("""
        path, *files = sys.argv[2:]
        photos = [open(file, "rb").read() for file in files] * 4
        like = dict(scale=1 / 128, mean=127 / 128, std=1.0)
        batch = executor.Batch(max_size=4, min_size=4, max_delay_ms=60_000)
        planes = executor.ImageTransform(320, 240, **like)
        with executor.Pipeline(preprocess=planes, model=executor.OnnxModel(path), batch=batch) as pipe:
            expected = [pipe.map(photos[at : at + 4], window=4) for at in range(0, 16, 4)]
            expected = [row for rows in expected for row in rows]
        model = bound(path, width=320, height=240, dtype="float32", **like, nvrtc=sys.argv[1])
        pixels = executor.ImageTransform(320, 240, dtype="uint8", layout="nhwc")
        with executor.Pipeline(preprocess=pixels, model=model, batch=batch, depth=2) as pipe:
            found = [row for at in range(0, 16, 4) for row in pipe.map(photos[at : at + 4], window=4)]
        for one, other in zip(expected, found, strict=True):
            assert list(one) == list(other)
            assert all(one[name].tobytes() == other[name].tobytes() for name in one)
        del model, pipe
        """),
        shared("data/vision/ultraface_rfb320_dynbatch.onnx"),
        *(shared(f"data/vision/b640_{name}.jpg") for name in ("astronaut", "chelsea", "coffee", "rocket")),
    )


def test_a_model_that_takes_something_else_is_refused_with_both(driver, tmp_path):
    run(
        driver,
        program("""
        pictures, types = sys.argv[2:]
        like = {**LIKE, "nvrtc": sys.argv[1]}
        advice = "set width, height and dtype to the model's, if it takes pictures"
        wider = dict(width=8, dtype="float32")
        for changes, given in ((dict(), "float16 [3, 5, 7]"), (wider, "float32 [3, 5, 8]")):
            try:
                bound(pictures, **{**like, **changes})
            except comptoir.ConfigError as error:
                taken = "the model's input `x` takes float32 [3, 5, 7]"
                expected = f"`inputs`: {taken}, and pictures are normalised to {given}: {advice}"
                assert str(error) == expected, error
            else:
                raise AssertionError(given)
        try:
            bound(types, **like)
        except comptoir.ConfigError as error:
            assert str(error).startswith("`inputs`: the model takes `uint8` uint8 [2, 3], `int32` int32")
            assert str(error).endswith("and is given float16 [3, 5, 7]"), error
        else:
            raise AssertionError("six inputs from a picture")
        """),
        convolution(tmp_path / "m.onnx", size=(5, 7)),
        identities(tmp_path / "types.onnx"),
    )


def test_settings_of_the_model_are_looked_at_as_without_a_device(driver, tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    truth = save(
        tmp_path / "truth.onnx",
        [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.BOOL)],
        [("x", TensorProto.FLOAT, ["n", 2])],
        [("y", TensorProto.BOOL, ["n", 2])],
    )
    run(
        driver,
        program("""
        model, bad, truth, fixed = sys.argv[2:]
        other = [{"name": "cuda", "device": 1}]
        refused = [
            (model, dict(), "`inputs.x`: has the open side `h`, whose size must be declared in `sides`"),
            (fixed, dict(), "`inputs.x`: has a fixed batch of 2"),
            (bad, dict(), "bad.onnx"),
            (bad + "x", dict(), "bad.onnxx"),
            (truth, dict(), "`outputs`: `y` is "),
            (truth, dict(providers=other), "`cuda` is to run on device 1, and the model on device 0"),
            (truth, dict(providers=["cuda"]), "provider `cuda`"),
            (truth, dict(providers="cuda"), "`providers`: expected a list of names or mappings"),
            (truth, dict(providers=["tpu"]), "unknown variant `tpu`"),
            (truth, dict(streams=0), "`streams`: must be from 1 to 64, found 0"),
            (truth, dict(device=3), "`device`: there is no device 3"),
        ]
        for path, settings, text in refused:
            try:
                bound(path, **settings)
            except (comptoir.ConfigError, comptoir.UnavailableError) as error:
                assert text in str(error), (text, str(error))
            else:
                raise AssertionError(text)
        sides = {"h": 2, "w": 3}
        found = bound(model, providers=["tensorrt", "cuda", "cpu"], fall_back=True, sides=sides)
        assert found.providers == ["cpu"] and found.inputs == [executor.Tensor("x", "float32", [3, 2, 3])]
        del found
        # A device with memory of its own, which no CPU can read.
        driver.fake_memory(2)
        try:
            bound(model, sides=sides)
        except comptoir.ConfigError as error:
            assert str(error).startswith("`providers`: none of them runs on the device"), error
        else:
            raise AssertionError("a CPU read the memory of a device")
        """),
        convolution(tmp_path / "m.onnx"),
        tmp_path / "bad.onnx",
        truth,
        save(
            tmp_path / "fixed.onnx",
            [helper.make_node("Identity", ["x"], ["y"])],
            [("x", TensorProto.FLOAT, [2, 2])],
            [("y", TensorProto.FLOAT, [2, 2])],
        ),
    )


def test_what_fails_in_a_batch_is_the_error_of_its_requests(driver, tmp_path):
    """A call to the driver, an output without a row for each of the batch, and a node."""
    run(
        driver,
        program("""
        model, summed, gathered = sys.argv[2:]
        row = np.array([[3, 5, 7]], "float32").repeat(2, 0)
        with executor.Pipeline(model=bound(model), warm_up=False, depth=2) as pipe:
            for call in ("StreamSynchronize", "MemcpyHtoDAsync_v2", "MemcpyDtoHAsync_v2", "EventRecord"):
                driver.fake_fail(f"cu{call}".encode(), 0, 700)
                assert "the NVIDIA driver says" in str(pipe.submit(row).exception()), call
                assert pipe.submit(row).result().tolist() == row.tolist()
        with executor.Pipeline(model=bound(summed), warm_up=False) as pipe:
            for _ in range(2):
                text = str(pipe.submit(row).exception())
                assert "output `y` of shape [3] has not one row for each of the 1 of the batch" in text, text
        with executor.Pipeline(model=bound(gathered), depth=2, batch=executor.Batch(max_size=8)) as pipe:
            futures = [pipe.submit(np.array([at % 3 if at != 13 else 99])) for at in range(40)]
            failed = [at for at, future in enumerate(futures) if future.exception() is not None]
            assert failed == [13] and "Gather" in str(futures[13].exception()), failed
            assert all(futures[at].result() == [[10, 20, 30][at % 3]] for at in range(40) if at != 13)
        del pipe, futures
        """),
        save(
            tmp_path / "m.onnx",
            [helper.make_node("Identity", ["x"], ["y"])],
            [("x", TensorProto.FLOAT, ["n", 2, 3])],
            [("y", TensorProto.FLOAT, ["n", 2, 3])],
        ),
        save(
            tmp_path / "summed.onnx",
            [helper.make_node("ReduceMax", ["x"], ["y"], axes=[0, 1], keepdims=0)],
            [("x", TensorProto.FLOAT, ["n", 2, 3])],
            [("y", TensorProto.FLOAT, [3])],
        ),
        save(
            tmp_path / "gathered.onnx",
            [helper.make_node("Gather", ["table", "x"], ["y"])],
            [("x", TensorProto.INT64, ["n", 1])],
            [("y", TensorProto.INT64, ["n", 1])],
            [numpy_helper.from_array(np.array([10, 20, 30]), "table")],
        ),
    )


def test_outputs_may_have_sides_that_only_a_run_knows(driver, tmp_path):
    """And a version of the model takes over while the pipeline runs."""
    run(
        driver,
        program("""
        first, second = sys.argv[2:]
        row = np.array([0, 4, 0, 5, 6], "float32")
        with executor.Pipeline(model=bound(first), depth=2, warm_up=False) as pipe:
            assert pipe.submit(row).result().tolist() == [1, 3, 4]
            assert pipe.submit(row * 0).result().tolist() == []
            pipe.swap(bound(second), version="2")
            assert pipe.submit(row).result().tolist() == row.tolist()
        del pipe
        """),
        save(
            tmp_path / "first.onnx",
            [
                # Positions of what is not zero in a batch of one, as a row.
                helper.make_node("NonZero", ["x"], ["at"]),
                helper.make_node("Slice", ["at", "one", "two", "zero"], ["y"]),
            ],
            [("x", TensorProto.FLOAT, ["n", 5])],
            [("y", TensorProto.INT64, [1, "found"])],
            [numpy_helper.from_array(np.array([at]), name) for at, name in enumerate(("zero", "one", "two"))],
        ),
        save(
            tmp_path / "second.onnx",
            [helper.make_node("Identity", ["x"], ["y"])],
            [("x", TensorProto.FLOAT, ["n", 5])],
            [("y", TensorProto.FLOAT, ["n", 5])],
        ),
    )


def test_the_checks_for_gpus_hold_where_the_memory_is_the_hosts(driver, root):
    """The checks that run on a GPU, with the provider that this driver allows; they say what they lack."""
    run(
        driver,
        program("""
        sys.path.insert(0, sys.argv[2])
        import onnx_models
        assert "onnxruntime without CUDA" in onnx_models.lacking()
        from checks import as_they_are, onnx_bound
        assert list(onnx_bound(None)) == ["left out"]
        onnx_models.PROVIDERS = ["cpu"]
        assert as_they_are(None) == {"rows": {"every type": {"compared": 600}}}
        found = [row["compared"] for row in onnx_bound(None)["rows"].values()]
        assert found == [900, 200, 96], found
        """),
        root / "benches/gpu",
    )
