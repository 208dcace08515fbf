"""Models on NVIDIA GPUs without one: on the driver that the Rust tests bring, in a process of its own."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import comptoir
from comptoir import executor
from cuda_driver import run

ROOT = Path(__file__).resolve().parents[2]
WORDS = executor.Tensor("ids", "int64", [128])


def has_a_device():
    try:
        return bool(executor.cuda_devices())
    except comptoir.UnavailableError:
        return False


@pytest.mark.skipif(has_a_device(), reason="there is a GPU")
def test_what_this_machine_lacks_is_named():
    for call in (executor.cuda_devices, executor.CudaModel):
        with pytest.raises(comptoir.UnavailableError, match="NVIDIA driver") as raised:
            call()
        assert raised.value.code.startswith("EXECUTOR_CUDA_NO_D")  # driver or device


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"width": 0}, "`width`: must be from 1 to 8192, found 0"),
        ({"std": (1, 0, 1)}, "`std`: must be more than 0, found 0"),
        ({"dtype": "uint8"}, "`dtype`: must be float16 or float32, found uint8"),
        ({"streams": 0}, "`streams`: must be from 1 to 64, found 0"),
        ({"arrays": "jax"}, "`arrays`: expected torch or cuda, found 'jax'"),
        ({"model": 7}, "`model`: expected a callable, found 7"),
        ({"mean": (1, 2)}, "`inputs.pictures.mean`: "),
        ({"inputs": [WORDS], "mean": 0.0}, "`mean`: is of pictures, and `inputs` declares other rows"),
        ({"inputs": [WORDS], "width": 224}, "`width`: is of pictures, and `inputs` declares other rows"),
        ({"inputs": WORDS}, "`inputs`: expected a list of executor.Tensor, found `Tensor`"),
        ({"inputs": ["x"]}, "`inputs`: expected a list of executor.Tensor, found `list`"),
        ({"inputs": []}, "`inputs`: must be at least one"),
        ({"inputs": [WORDS, WORDS]}, "`inputs`: two are named `ids`"),
        ({"inputs": [executor.Tensor("x", "bool", [1])]}, "`inputs.as_is[0].dtype`: "),
    ],
)
def test_settings_that_cannot_be_used(settings, text):
    with pytest.raises(comptoir.ConfigError) as raised:
        executor.CudaModel(**settings)
    assert str(raised.value).startswith(text)


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="PyTorch is installed")
def test_without_torch_it_is_named():
    with pytest.raises(comptoir.UnavailableError, match="PyTorch cannot be imported") as raised:
        executor.CudaModel(lambda batch: batch)
    assert raised.value.code == "EXECUTOR_UNAVAILABLE"


def test_a_driver_without_functions_is_an_error_and_no_panic(driver):
    empty = driver.with_name("empty.so")
    (driver.parent / "empty.c").write_text("int cuInit(unsigned flags) { return 0; }")
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-Wl,-soname,libcuda.so", driver.parent / "empty.c", "-o", empty],
        check=True,
    )
    run(
        empty,
        """
        for call in (executor.cuda_devices, executor.CudaModel):
            try:
                call()
            except comptoir.UnavailableError as error:
                assert error.code == "EXECUTOR_CUDA_NO_DRIVER" and "has no `cu" in str(error), error
        """,
        end='\nprint("clean")',
    )


def test_predictions_are_those_of_numpy(driver):
    run(
        driver,
        """
        [device] = executor.cuda_devices()
        assert (device.name, device.capability, device.driver) == ("fake 0", (9, 0), "12.2")
        for colour in ("rgb", "bgr"):
            for dtype in ("float16", "float32"):
                model = executor.CudaModel(colour=colour, dtype=dtype, trace_events=6, **LIKE)
                assert model.inputs == [executor.Tensor("image", "uint8", [5, 7, 3])]
                assert model.providers == ["cuda fake 0"]
                with executor.Pipeline(model=model, depth=3) as pipe:
                    for picture, found in zip(pictures, pipe.map(pictures), strict=True):
                        assert found.tobytes() == on_cpu(picture, colour, dtype).tobytes()
                steps = model.timeline()
                assert [step.step for step in steps] == ["copy_in", "compute", "copy_out"] * 2
                assert all(step.start_ms < step.end_ms for step in steps)
        del model, pipe
        """,
    )


def test_a_function_gets_the_batch_on_the_device_and_gives_arrays_there(driver):
    run(
        driver,
        """
        seen = []
        def function(batch):
            face = batch.__cuda_array_interface__
            seen.append((batch.shape, face["typestr"], face["stream"] == batch.stream, face["strides"]))
            return {"a": batch, "b": batch} if len(seen) % 2 else (batch,)
        model = executor.CudaModel(function, arrays="cuda", **LIKE)
        with executor.Pipeline(model=model, warm_up=False, depth=2) as pipe:
            one = pipe.submit(pictures[0]).result()
            assert list(one) == ["a", "b"] and one["b"].tobytes() == on_cpu(pictures[0]).tobytes()
            assert pipe.submit(pictures[1]).result().tobytes() == on_cpu(pictures[1]).tobytes()
        assert seen[0] == ((1, 3, 5, 7), "<f2", True, None), seen[0]
        del model, pipe
        """,
    )


def test_tensors_of_every_type_reach_the_function_as_they_are(driver):
    run(
        driver,
        """
        rng = np.random.default_rng(7)
        kinds = ["uint8", "int32", "int64", "float16", "float32", "float64"]
        inputs = [executor.Tensor(kind, kind, [3, 2]) for kind in kinds]
        items = [{kind: (rng.normal(size=(3, 2)) * 50).astype(kind) for kind in kinds} for _ in range(50)]
        seen = []
        def function(batch):
            faces = {name: one.__cuda_array_interface__ for name, one in batch.items()}
            seen.append({name: (face["shape"][1:], face["typestr"]) for name, face in faces.items()})
            assert len({face["data"][0] for face in faces.values()}) == 6
            return batch
        # NVRTC is not there: only pictures need it.
        named = executor.CudaModel(function, inputs=inputs, arrays="cuda", nvrtc="/nowhere/libnvrtc.so")
        for model in (named, executor.CudaModel(inputs=inputs)):
            assert model.inputs == inputs
            with executor.Pipeline(model=model, depth=3, batch=executor.Batch(max_size=8)) as pipe:
                for item, found in zip(items, pipe.map(items), strict=True):
                    for kind in kinds:
                        assert found[kind].dtype == kind and found[kind].tobytes() == item[kind].tobytes()
                wrong = {**items[0], "int32": items[0]["int32"].astype("int64")}
                text = str(pipe.submit(wrong).exception())
                assert text == "input `int32`: expected elements of int32, found int64", text
                wrong = {**items[0], "uint8": np.zeros((2, 3), "uint8")}
                text = str(pipe.submit(wrong).exception())
                assert text == "input `uint8`: expected shape [3, 2], found [2, 3]", text
        typestr = {kind: np.dtype(kind).str for kind in kinds}
        assert seen[0] == {kind: ((3, 2), typestr[kind]) for kind in kinds}, seen[0]
        del model, named, pipe
        """,
    )


def test_one_tensor_reaches_the_function_by_itself(driver):
    run(
        driver,
        """
        seen = []
        def function(batch):
            seen.append(batch.shape[1:])
            return batch
        model = executor.CudaModel(function, inputs=[executor.Tensor("x", "float32", [4])], arrays="cuda")
        with executor.Pipeline(model=model) as pipe:
            assert pipe.submit(np.arange(4, dtype="float32")).result().tolist() == [0, 1, 2, 3]
        assert set(seen) == {(4,)}
        del model, pipe
        """,
    )


def test_what_a_function_raises_or_gives_wrongly_is_the_error_of_its_request(driver):
    run(
        driver,
        """
        class Wrong:
            def __init__(self, batch, **changes):
                self.batch, self.__cuda_array_interface__ = batch, batch.__cuda_array_interface__ | changes
        wrong = [
            (lambda batch: 1 / 0, "division by zero"),
            (lambda batch: 7, "__cuda_array_interface__"),
            (lambda batch: Wrong(batch, stream=1), "output `output` was made on another stream"),
            (lambda batch: Wrong(batch, strides=(1, 1, 1, 1)), "does not lie side by side"),
            (lambda batch: Wrong(batch, typestr="<c8"), "has elements of `<c8`"),
            (lambda batch: Wrong(batch, shape=(2, 3)), "has not one row for each of the 1 of the batch"),
        ]
        turn = [None]
        def function(batch):
            return batch if turn[0] is None else turn[0](batch)
        strided = lambda batch: Wrong(batch, strides=(210, 70, 14, 2), stream=None)
        model = executor.CudaModel(function, arrays="cuda", **LIKE)
        with executor.Pipeline(model=model, warm_up=False) as pipe:
            for bad, text in wrong:
                turn[0] = bad
                assert text in str(pipe.submit(pictures[0]).exception()), pipe.submit(pictures[0]).exception()
                turn[0] = strided
                assert pipe.submit(pictures[1]).result().tobytes() == on_cpu(pictures[1]).tobytes()
        del model, pipe, function, turn, wrong
        """,
    )


# As much of PyTorch as is called, over the same array: which calls are made, and in which order, is tested.
TORCH = """
import contextlib
calls = []
bfloat16, half = "bfloat16", "half"
def device(kind, number): return (kind, number)
class inference_mode(contextlib.nullcontext): pass
class Tensor:
    def __init__(self, source, dtype=half): self.source, self.dtype = source, dtype
    def contiguous(self): calls.append("contiguous"); return self
    def float(self): calls.append("float"); return Tensor(self.source)
    @property
    def __cuda_array_interface__(self):
        assert self.dtype is not bfloat16
        return {**self.source.__cuda_array_interface__, "version": 2, "stream": None}
def as_tensor(array, device):
    assert device == ("cuda", 0) and cuda.current == array.stream
    return Tensor(array)
class cuda:
    current = None
    device = contextlib.nullcontext
    class ExternalStream:
        def __init__(self, address, device): self.address = address
    @staticmethod
    @contextlib.contextmanager
    def stream(stream):
        cuda.current = stream.address
        yield
        cuda.current = None
"""


def test_torch_is_called_on_the_stream_of_the_batch(driver, tmp_path):
    (tmp_path / "torch.py").write_text(TORCH)
    run(
        driver,
        """
        import torch
        def function(batch):
            return {"half": batch, "brain": torch.Tensor(batch.source, torch.bfloat16)}
        model = executor.CudaModel(function, **LIKE)
        with executor.Pipeline(model=model, depth=1, warm_up=False) as pipe:
            found = pipe.submit(pictures[0]).result()
        assert found["half"].tobytes() == found["brain"].tobytes() == on_cpu(pictures[0]).tobytes()
        assert torch.calls == ["contiguous", "float", "contiguous"] and torch.cuda.current is None
        words = [executor.Tensor("ids", "int64", [3]), executor.Tensor("mask", "uint8", [3])]
        item = {"ids": np.arange(3), "mask": np.ones(3, "uint8")}
        def several(batch):
            assert torch.cuda.current is not None and all(type(one) is torch.Tensor for one in batch.values())
            return batch
        model = executor.CudaModel(several, inputs=words)
        with executor.Pipeline(model=model, depth=1, warm_up=False) as pipe:
            found = pipe.submit(item).result()
        assert {name: row.tolist() for name, row in found.items()} == {"ids": [0, 1, 2], "mask": [1, 1, 1]}
        assert torch.cuda.current is None
        del model, pipe
        """,
        path=str(tmp_path),
    )


def test_the_script_for_gpus_says_what_is_missing(tmp_path):
    script = ROOT / "benches/gpu/run.py"
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}
    answer = subprocess.run(
        [sys.executable, script, "--out", tmp_path],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert answer.returncode == 2, answer.stderr
    assert "nothing was measured: this machine lacks" in answer.stderr
    assert "EXECUTOR_CUDA_NO_D" in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_script_for_gpus_adds_overlap_up(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benches/gpu"))
    from overlap import chrome, common, overlap, union
    from report import markdown

    step = executor.CudaStep
    steps = [
        step(0, "copy_in", 8, 0.0, 2.0),
        step(0, "compute", 8, 2.0, 6.0),
        step(1, "copy_in", 8, 2.0, 4.0),
        step(0, "copy_out", 8, 6.0, 7.0),
        step(1, "compute", 8, 6.0, 10.0),
    ]
    assert union([(3, 5), (0, 1), (1, 2), (4, 6)]) == [[0, 2], [3, 6]]
    assert common([[0, 4], [6, 9]], [[1, 2], [3, 7]]) == 3
    found = overlap(steps)
    assert found == {
        "% of copy_in beside compute": 50.0,
        "% of copy_out beside compute": 100.0,
        "% of time computing": 80.0,
    }
    assert chrome(steps)["traceEvents"][1] | {} == {
        "ph": "X",
        "name": "compute 8",
        "pid": 0,
        "tid": 1,
        "ts": 2000.0,
        "dur": 4000.0,
    }
    page = markdown(
        {
            "machine": {"device": "none"},
            "parts": {"time: x": {"rows": {"one": found}, "at": 3}},
            "failed": [{"part": "check: y", "error": "broken\n"}],
        }
    )
    assert "| one | 50 | 100 | 80 |" in page
    assert "## check: y: FAILED" in page
    assert json.dumps(chrome(steps))
