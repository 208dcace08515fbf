"""The model doctor: what 16-bit floats do to an ONNX model, which layers must keep 32, and how fast it is.

`examine` runs a model on samples and gives a `Report`; ``comptoir doctor model.onnx --inputs DIR`` does
the same from a shell. It needs ``pip install 'comptoir[doctor]'``.

Examples
--------
>>> import numpy as np, onnx
>>> from onnx import helper, numpy_helper
>>> from comptoir import doctor
>>> weight = numpy_helper.from_array(np.float32([[1e5], [1.0]]), "weight")
>>> value = helper.make_tensor_value_info
>>> graph = helper.make_graph(
...     [helper.make_node("MatMul", ["x", "weight"], ["y"], name="head")],
...     "net",
...     [value("x", onnx.TensorProto.FLOAT, ["batch", 2])],
...     [value("y", onnx.TensorProto.FLOAT, ["batch", 1])],
...     [weight],
... )
>>> model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
>>> report = doctor.examine(model, [{"x": np.float32([[0.5, 1.0]])}], speed_budget=0)
>>> report.mixed.keep, report.worst()
(('head',), 'error')
"""

from importlib.util import find_spec

MISSING = [name for name in ("numpy", "onnx", "onnxruntime") if find_spec(name) is None]
if MISSING:
    raise ModuleNotFoundError(
        f"comptoir.doctor: {' and '.join(MISSING)} missing: pip install 'comptoir[doctor]'", name=MISSING[0]
    )

from comptoir.doctor.examination import DEFAULT_PROVIDERS, examine  # noqa: E402 (after the check)
from comptoir.doctor.inputs import Pictures  # noqa: E402
from comptoir.doctor.mixed import Metric  # noqa: E402
from comptoir.doctor.report import (  # noqa: E402
    SCHEMA,
    Deviation,
    Finding,
    Inputs,
    Layer,
    Mixed,
    ModelFacts,
    Report,
    Risk,
    Skipped,
    SpeedRow,
    Speeds,
    Trial,
    Weight,
)

__all__ = [
    "DEFAULT_PROVIDERS",
    "SCHEMA",
    "Deviation",
    "Finding",
    "Inputs",
    "Layer",
    "Metric",
    "Mixed",
    "ModelFacts",
    "Pictures",
    "Report",
    "Risk",
    "Skipped",
    "SpeedRow",
    "Speeds",
    "Trial",
    "Weight",
    "examine",
]
