"""Model inference whose CPU work is split from the device's work, batched and overlapped, in any process.

A service is three plain functions: ``preprocess`` turns an item into arrays, ``model`` takes a batch of
them, ``postprocess`` turns a prediction into a result. `Pipeline` runs them: the CPU stages of many
requests beside each other, the model on batches that are as large as the load asks for, and every request
to exactly one outcome.

Examples
--------
>>> import numpy as np
>>> from comptoir import executor
>>> def preprocess(text):
...     return np.array([float(word) for word in text.split()], dtype="float32")
>>> def model(batch):
...     return batch.sum(axis=1)
>>> with executor.Pipeline(preprocess=preprocess, model=model, postprocess=float) as pipe:
...     print(pipe.submit("1.5 2").result())
...     print(list(pipe.map(["1 2", "3 4"])))
3.5
[3.0, 7.0]
"""

from comptoir._native import DeviceArray, TensorView
from comptoir.executor._cuda import CudaModel
from comptoir.executor._devices import CudaDevice, CudaStep, cuda_devices
from comptoir.executor._future import Future, Timings
from comptoir.executor._image import ImageTransform, Placement
from comptoir.executor._models import OnnxModel, Simulated
from comptoir.executor._pipeline import Pipeline
from comptoir.executor._plan import Change, Load, Plan, plan
from comptoir.executor._settings import Batch, Model, Tensor

__all__ = [
    "Batch",
    "Change",
    "CudaDevice",
    "CudaModel",
    "CudaStep",
    "DeviceArray",
    "Future",
    "ImageTransform",
    "Load",
    "Model",
    "OnnxModel",
    "Pipeline",
    "Placement",
    "Plan",
    "Simulated",
    "Tensor",
    "TensorView",
    "Timings",
    "cuda_devices",
    "plan",
]
