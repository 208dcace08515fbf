"""Small models whose faults are known, made with onnx.helper."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT


def tensor(name, *shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, list(shape))


def node(operator, inputs, outputs, name="", **attributes):
    return helper.make_node(operator, inputs.split(), outputs.split(), name or operator.lower(), **attributes)


def model(nodes, inputs, outputs, weights=None, opset=17):
    """Make and check a model; `weights` are arrays by name, and 64-bit floats become 32-bit ones."""
    arrays = {name: np.asarray(value) for name, value in (weights or {}).items()}
    arrays = {n: a.astype(np.float32) if a.dtype == np.float64 else a for n, a in arrays.items()}
    initialisers = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    graph = helper.make_graph(nodes, "net", inputs, outputs, initialisers)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    onnx.checker.check_model(made)
    return made


def perceptron(seed=1, width=8):
    """Two layers that 16 bits hold well."""
    generator = np.random.default_rng(seed)
    return model(
        [
            node("MatMul", "x w1", "h", "first"),
            node("Relu", "h", "r", "relu"),
            node("MatMul", "r w2", "y", "second"),
        ],
        [tensor("x", "batch", width)],
        [tensor("y", "batch", 2)],
        {"w1": generator.standard_normal((width, width)), "w2": generator.standard_normal((width, 2))},
    )


def delicate(layers=12):
    """A chain of which only `tiny` suffers from 16 bits, because its weight becomes zero."""
    nodes, weights = [], {"tiny_w": [2e-8], "huge_w": [3e4]}
    name = "x"
    for index in range(layers):
        if index == layers // 2:
            nodes += [node("Mul", f"{name} tiny_w", "small", "tiny")]
            nodes += [node("Mul", "small huge_w", "back", "huge")]
            name = "back"
        weights[f"w{index}"] = [1.0 + index / 64]
        nodes.append(node("Mul", f"{name} w{index}", f"t{index}", f"scale{index}"))
        name = f"t{index}"
    nodes.append(node("Identity", name, "y", "end"))
    return model(nodes, [tensor("x", "batch", 4)], [tensor("y", "batch", 4)], weights)


def overflowing():
    """A tensor of up to 1e5 between two layers, which is harmless in 32 bits."""
    return model(
        [
            node("Mul", "x up", "big", "grow"),
            node("Mul", "big down", "small", "shrink"),
            node("Relu", "small", "y", "relu"),
        ],
        [tensor("x", "batch", 3)],
        [tensor("y", "batch", 3)],
        {"up": [5e4], "down": [1e-4]},
    )


def fixed(target=(1, 6), size=1):
    """A model for one item, whose Reshape holds the batch size and whose weight is listed as an input."""
    return model(
        [
            node("Transpose", "x", "t", perm=[0, 2, 1]),
            node("Reshape", "t shape", "flat"),
            node("MatMul", "flat w", "y"),
        ],
        [tensor("x", size, 2, 3), tensor("w", 6, 2)],
        [tensor("y", size, 2)],
        {"w": np.arange(12).reshape(6, 2) / 8, "shape": np.array(target, np.int64)},
    )


def branching():
    """An If whose branches compute with floats of the graph around it."""
    branches = [
        helper.make_graph(
            [node("Mul", "x w", f"{name}_m", f"{name}_mul"), node("Add", f"{name}_m w", name, f"{name}_add")],
            name,
            [],
            [tensor(name, "batch", 2)],
        )
        for name in ("yes", "no")
    ]
    return model(
        [
            node("Relu", "x", "r"),
            node("ReduceSum", "r", "sum", keepdims=0),
            node("Greater", "sum zero", "positive"),
            node("If", "positive", "chosen", "choice", then_branch=branches[0], else_branch=branches[1]),
            node("Add", "chosen r", "y", "last"),
        ],
        [tensor("x", "batch", 2)],
        [tensor("y", "batch", 2)],
        {"w": [0.1, 3.0], "zero": np.float32(0)},
    )


def resizing():
    """A Resize, whose scales have to stay in 32 bits."""
    return model(
        [node("Resize", "x none scales", "r", mode="linear"), node("Relu", "r", "y")],
        [tensor("x", "batch", 3, 2, 2)],
        [tensor("y", "batch", 3, 4, 4)],
        {"none": np.zeros(0, np.float32), "scales": [1.0, 1.0, 2.0, 2.0]},
    )


def pooling():
    """A MaxPool with a second output of integers."""
    return model(
        [node("MaxPool", "x", "p places", kernel_shape=[2, 2])],
        [tensor("x", "batch", 3, 2, 2)],
        [tensor("p", "batch", 3, 1, 1), tensor("places", "batch", 3, 1, 1, kind=TensorProto.INT64)],
    )


def looping():
    """A Loop with a float state, a scan output, and a weight of the graph around it."""
    whole, truth = TensorProto.INT64, TensorProto.BOOL
    body = helper.make_graph(
        [node("Add", "s w", "s_out"), node("Identity", "c", "c_out"), node("Mul", "s_out w", "each")],
        "body",
        [tensor("i", kind=whole), tensor("c", kind=truth), tensor("s", "batch", 3, 2, 2)],
        [tensor("c_out", kind=truth), tensor("s_out", "batch", 3, 2, 2), tensor("each", "batch", 3, 2, 2)],
    )
    return model(
        [node("Relu", "x", "r"), node("Loop", "times go r", "y z", body=body)],
        [tensor("x", "batch", 3, 2, 2)],
        [tensor("y", "batch", 3, 2, 2), tensor("z", None, "batch", 3, 2, 2)],
        {"w": [0.3, 0.7], "times": np.array(3, np.int64), "go": np.array(True)},
    )


def casting():
    """Casts from and to integers, and a float made from a shape alone."""
    return model(
        [
            node("Cast", "x", "i", "down", to=TensorProto.INT64),
            node("Cast", "i", "f", "up", to=TensorProto.FLOAT),
            node("Shape", "f", "shape"),
            node("ConstantOfShape", "shape", "zeros"),
            node("Add", "f zeros", "y"),
        ],
        [tensor("x", "batch", 3, 2, 2)],
        [tensor("y", "batch", 3, 2, 2)],
    )
