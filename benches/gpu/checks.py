"""What must hold on a GPU: the kernel gives the bits of the CPU, faults end their batch alone, what is missing is named."""

import itertools
import json
import os
import subprocess
import sys

import numpy as np

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
    "check: PyTorch on the stream of the batch": torch_sees_it,
    "check: a fault ends its request alone": faults,
    "check: what is missing is named": named,
}
