"""What must hold on a GPU: the kernel gives the bits of the CPU, tensors and models in ONNX see what was written, faults end
their batch alone, what is missing is named."""

import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx_models

import comptoir
from comptoir import executor

SCALE = np.float32(1 / 255)
MEAN = np.array([0.485, 0.456, 0.406], "float32")
STD = np.array([0.229, 0.224, 0.225], "float32")
NORMALISE = {"scale": float(SCALE), "mean": MEAN.tolist(), "std": STD.tolist()}


def on_cpu(picture, colour, dtype):
    """Normalise as the documentation says, in NumPy's single precision."""
    planes = picture if colour == "rgb" else picture[..., ::-1]
    return ((planes.astype("float32") * SCALE - MEAN) / STD).transpose(2, 0, 1).astype(dtype)


def kernel(_):
    """Every form of the kernel on every grey level, in small and odd and large pictures, bit by bit."""
    rng = np.random.default_rng(7)
    compared = 0
    for colour, dtype, (width, height), depth in itertools.product(
        ("rgb", "bgr"), ("float16", "float32"), ((7, 5), (224, 224), (641, 479)), (1, 3)
    ):
        model = executor.CudaModel(width=width, height=height, colour=colour, dtype=dtype, **NORMALISE)
        pictures = rng.integers(0, 256, (40, height, width, 3), "uint8")
        with executor.Pipeline(model=model, depth=depth, batch=executor.Batch(max_size=16)) as pipe:
            for picture, found in zip(pictures, pipe.map(pictures), strict=True):
                expected = on_cpu(picture, colour, dtype)
                assert found.dtype == expected.dtype
                assert found.tobytes() == expected.tobytes(), (colour, dtype, width, height, depth)
                compared += found.size
    return {"elements compared bit by bit": compared}


def every_type(count):
    """Give rows with a tensor of each type, and the tensors as inputs."""
    rng = np.random.default_rng(10)
    rows = [
        {kind: (rng.normal(size=(3, 5)) * 90).astype(kind) for kind in onnx_models.KINDS}
        for _ in range(count)
    ]
    return rows, [executor.Tensor(kind, kind, [3, 5]) for kind in onnx_models.KINDS]


def as_they_are(_):
    """Tensors of every type come back from the device as they were written, on every lane."""
    rows, inputs = every_type(300)
    for depth in (1, 3):
        model = executor.CudaModel(inputs=inputs)
        with executor.Pipeline(model=model, depth=depth, batch=executor.Batch(max_size=16)) as pipe:
            for row, found in zip(rows, pipe.map(rows), strict=True):
                for kind in onnx_models.KINDS:
                    assert found[kind].dtype == kind
                    assert found[kind].tobytes() == row[kind].tobytes(), (kind, depth)
    return {"rows": {"every type": {"compared": 2 * len(rows)}}}


def onnx_bound(_):
    """A model in ONNX that is bound to the memory of a lane gives what a plain session gives."""
    lacks = onnx_models.lacking()
    if lacks:
        return {"left out": lacks}
    compared = {}
    with tempfile.TemporaryDirectory() as folder:
        for part in (onnx_every_type, onnx_read_on_the_cpu, onnx_pictures):
            compared[part.__doc__.rstrip(".")] = {"compared": part(Path(folder) / "model.onnx")}
    return {"rows": compared}


def onnx_every_type(path):
    """Inputs of every type, bit by bit."""
    rows, inputs = every_type(300)
    for lanes in ({"depth": 1}, {"depth": 3}, {"depth": 2, "instances": 2}):
        model = executor.CudaModel.onnx(
            onnx_models.every_type(path), providers=onnx_models.PROVIDERS, streams=lanes.get("instances", 1)
        )
        assert model.inputs == inputs
        with executor.Pipeline(model=model, batch=executor.Batch(max_size=16), **lanes) as pipe:
            for row, found in zip(rows, pipe.map(rows), strict=True):
                assert all(
                    found[f"{kind} out"].tobytes() == row[kind].tobytes() for kind in onnx_models.KINDS
                )
    return 3 * len(rows)


def onnx_read_on_the_cpu(path):
    """An input that a node reads on the CPU, bit by bit."""
    three = executor.Batch(max_size=3, min_size=3, max_delay_ms=60_000)
    model = executor.CudaModel.onnx(onnx_models.reshaped(path), providers=onnx_models.PROVIDERS)
    rng = np.random.default_rng(11)
    # One thread, so that rows lie in the batch as they were sent.
    with executor.Pipeline(model=model, batch=three, depth=3, threads=1, warm_up=False) as pipe:
        for sides in [(3, 2, 3), (3, 3, 2), (3, 6, 1), (3, 1, 6)] * 50:
            x = rng.normal(size=(3, 6)).astype("float32")
            rows = [{"x": one, "sides": np.array(side, "int64")} for one, side in zip(x, sides, strict=True)]
            found = np.stack(list(pipe.map(rows, window=3)))
            assert found.shape == sides, (found.shape, sides)
            assert found.tobytes() == x.tobytes()
    return 200


def onnx_pictures(path):
    """Pictures normalised in front of a convolution, to 1 part in 1,000."""
    import onnxruntime

    height, width = 64, 48
    onnx_models.features(path, height, width)
    pictures = np.random.default_rng(12).integers(0, 256, (96, height, width, 3), "uint8")
    planes = np.stack([on_cpu(picture, "rgb", "float32") for picture in pictures])
    names = {"cuda": "CUDAExecutionProvider", "cpu": "CPUExecutionProvider"}
    plain = onnxruntime.InferenceSession(path, providers=[names[one] for one in onnx_models.PROVIDERS])
    [expected] = plain.run(None, {"x": planes})
    model = executor.CudaModel.onnx(
        path, providers=onnx_models.PROVIDERS, width=width, height=height, dtype="float32", **NORMALISE
    )
    with executor.Pipeline(model=model, depth=3, batch=executor.Batch(max_size=16)) as pipe:
        found = np.stack(list(pipe.map(pictures)))
    # An algorithm of another batch size, and products of 19 bits, which some devices take.
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
    return len(pictures)


def torch_sees_it(_):
    """A tensor of PyTorch over the batch, on its stream, holds the same; outputs come back whole."""
    import torch

    pictures = np.random.default_rng(8).integers(0, 256, (200, 32, 48, 3), "uint8")
    seen = set()

    def function(batch):
        seen.add((batch.shape[1:], batch.dtype, batch.device.type))
        return {"sums": batch.double().sum(dim=(1, 2, 3)), "same": batch, "half": batch.bfloat16()}

    model = executor.CudaModel(function, width=48, height=32, dtype="float32", **NORMALISE)
    with executor.Pipeline(model=model, depth=3, batch=executor.Batch(max_size=16)) as pipe:
        for picture, found in zip(pictures, pipe.map(pictures), strict=True):
            expected = on_cpu(picture, "rgb", "float32")
            assert found["same"].tobytes() == expected.tobytes()
            assert abs(found["sums"] - expected.astype("float64").sum()) < 1e-6
            assert np.abs(found["half"] - expected).max() < 0.02
    assert seen == {((3, 32, 48), torch.float32, "cuda")}
    return {"pictures": len(pictures)}


def faults(_):
    """A function that raises ends the request at fault, and the device goes on."""
    rng = np.random.default_rng(9)
    pictures = rng.integers(1, 256, (64, 8, 8, 3), "uint8")
    pictures[13] = 0

    def function(batch):
        if (batch.flatten(1).amax(dim=1) == 0).any().item():
            raise ValueError("a black picture")
        return batch.flatten(1).amax(dim=1)

    model = executor.CudaModel(function, width=8, height=8, dtype="float32")
    with executor.Pipeline(model=model, depth=2, warm_up=False) as pipe:
        futures = [pipe.submit(picture) for picture in pictures]
        failed = [at for at, future in enumerate(futures) if future.exception() is not None]
        assert failed == [13], failed
        assert all(futures[at].result() == pictures[at].max() for at in range(64) if at != 13)
    return {"failed alone": failed}


NAMED = """
import json, comptoir
from comptoir import executor
try:
    executor.CudaModel(**json.loads(__import__("sys").argv[1]))
except comptoir.Error as error:
    print(error.code)
"""


def named(_):
    """What is missing has a code."""
    expected = {
        "EXECUTOR_CUDA_NO_DEVICE": ({}, {"CUDA_VISIBLE_DEVICES": "-1"}),
        "EXECUTOR_CUDA_NO_COMPILER": ({"nvrtc": "/nowhere/libnvrtc.so.12"}, {}),
        "EXECUTOR_CUDA_UNKNOWN_DEVICE": ({"device": 99}, {}),
        "EXECUTOR_CUDA_CONFIG": ({"std": [0, 1, 1]}, {}),
    }
    for code, (settings, environment) in expected.items():
        command = [sys.executable, "-c", NAMED, json.dumps(settings)]
        answer = subprocess.run(
            command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )
        assert answer.stdout.strip() == code, (code, answer.stdout, answer.stderr)
    try:
        executor.CudaModel(width=10**9)
    except comptoir.ConfigError:
        return {"codes": list(expected)}
    raise AssertionError("a picture of a billion pixels was taken")


CHECKS = {
    "check: kernel and CPU, bit by bit": kernel,
    "check: tensors as they were written": as_they_are,
    "check: PyTorch on the stream of the batch": torch_sees_it,
    "check: ONNX bound to the memory of a lane": onnx_bound,
    "check: a fault ends its request alone": faults,
    "check: what is missing is named": named,
}
