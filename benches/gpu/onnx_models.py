"""Models in ONNX for the checks and timings, and what of ONNX this machine lacks."""

import importlib

import numpy as np

KINDS = ("uint8", "int32", "int64", "float16", "float32", "float64")
PROVIDERS = ["cuda", "cpu"]


def lacking():
    """Name what the parts on ONNX need and this machine lacks; nothing where all is there."""
    lacks = []
    for name in ("onnx", "onnxruntime"):
        try:
            importlib.import_module(name)
        except ImportError as error:
            lacks.append(f"Python package {name}: {error}")
    if not lacks:
        import onnxruntime

        if "cuda" in PROVIDERS and "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
            lacks.append("onnxruntime without CUDA: install onnxruntime-gpu in its place")
        elif hasattr(onnxruntime, "preload_dlls"):
            # The CUDA libraries that came with PyTorch.
            onnxruntime.preload_dlls()
    return "; ".join(lacks)


def save(path, nodes, inputs, outputs, initializers=()):
    """Write a model; inputs and outputs are (name, NumPy type, shape)."""
    import onnx
    from onnx import helper

    def value(name, kind, shape):
        element = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
        return helper.make_tensor_value_info(name, element, shape)

    sides = [[value(*one) for one in side] for side in (inputs, outputs)]
    graph = helper.make_graph(nodes, "g", *sides, list(initializers))
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def every_type(path):
    """Give each input back, of every type that rows have."""
    from onnx import helper

    return save(
        path,
        [helper.make_node("Identity", [kind], [f"{kind} out"]) for kind in KINDS],
        [(kind, kind, ["n", 3, 5]) for kind in KINDS],
        [(f"{kind} out", kind, ["n", 3, 5]) for kind in KINDS],
    )


def reshaped(path):
    """Planes of six numbers in another shape, which rows say together: an input that a node reads on the CPU."""
    from onnx import helper

    return save(
        path,
        [helper.make_node("Reshape", ["x", "sides"], ["y"])],
        [("x", "float32", ["n", 6]), ("sides", "int64", ["n"])],
        [("y", "float32", ["a", "b", "c"])],
    )


def features(path, height, width):
    """Planes to sums over them after a convolution."""
    from onnx import helper, numpy_helper

    weights = np.random.default_rng(7).normal(size=(8, 3, 3, 3)).astype("float32")
    return save(
        path,
        [
            helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
            helper.make_node("GlobalAveragePool", ["c"], ["p"]),
            helper.make_node("Flatten", ["p"], ["y"]),
        ],
        [("x", "float32", ["n", 3, height, width])],
        [("y", "float32", ["n", 8])],
        [numpy_helper.from_array(weights, "w")],
    )
