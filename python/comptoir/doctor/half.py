"""Models with 16-bit floats: real ones to deploy, and emulated ones to measure.

ONNX Runtime's CPU provider has few 16-bit kernels. It runs the other operators in 32 bits and leaves out
the rounding between them, so that an overflow which a GPU would meet does not show. The emulated form
computes in 32 bits too, but rounds every result to 16 bits and back by explicit casts, which stay. That is
what tensor cores do: 16-bit storage, 32-bit accumulation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from comptoir.doctor.model import Model, copy, opset

__all__ = ["HALF", "ISOLATED", "Form", "convert", "convertible"]

HALF, ISOLATED = "/half", "/isolated"
"""Suffixes of the 16-bit value of a tensor, and of what its layer makes of exact inputs."""


class Form(Enum):
    """What a conversion makes."""

    REAL = "16-bit tensors, inputs and outputs as before"
    EMULATED = "32-bit tensors, every result rounded to 16 bits"
    ISOLATED = "the 32-bit model, and beside each layer its emulated twin on the same inputs"


def convert(model: Model, keep: Collection[str], form: Form) -> Model:
    """Convert a prepared model, its inputs and outputs excepted.

    Bodies of If, Loop and Scan are converted too, unless the node that holds them is kept.

    Parameters
    ----------
    model : onnx.ModelProto
        As `comptoir.doctor.model.prepare` makes it.
    keep : collection of str
        Names of nodes of the main graph that stay in 32 bits.
    form : Form
        What to make.
    """
    made = copy(model)
    _convert_graph(made.graph, {}, _Setting(made, frozenset(keep), form), "")
    return made


def convertible(model: Model) -> list[str]:
    """Give the names of the nodes of the main graph that a conversion changes."""
    types = _types(model.graph, {})
    return [node.name for node in model.graph.node if _bodies(node) or _half_inputs(node, types, model)]


@dataclass(frozen=True)
class _Setting:
    model: Model
    keep: frozenset[str]
    form: Form


@dataclass
class _Builder:
    """The nodes of one graph as they are made. A tensor `t` has 32 bits; `t/half` is its 16-bit value."""

    setting: _Setting
    types: dict[str, int]
    weights: dict[str, Any]
    depth: str
    nodes: list[Any] = field(default_factory=list)
    new_weights: list[Any] = field(default_factory=list)
    halves: set[str] = field(default_factory=set)
    only_half: set[str] = field(default_factory=set)

    def add(self, node: Any) -> None:
        """Emit a node in the precision that the setting asks for."""
        bodies = _bodies(node)
        form = self.setting.form
        inputs = set() if bodies else _half_inputs(node, self.types, self.setting.model)
        if not self.depth and node.name in self.setting.keep:
            self._full_node(node)
        elif bodies and form is not Form.ISOLATED:
            for attribute in bodies:
                _convert_graph(attribute.g, self.types, self.setting, f"{self.depth}/{node.name}")
            self._full_node(node)
        elif inputs and form is Form.ISOLATED:
            self._full_node(node)
            self._half_node(node, inputs, ISOLATED)
        elif inputs:
            self._half_node(node, inputs, HALF)
        else:
            self._full_node(node)

    def full(self, name: str) -> None:
        """See to it that a tensor exists in 32 bits."""
        if name in self.only_half:
            self.only_half.discard(name)
            if self.setting.form is Form.REAL:
                self._emit("Cast", name + self._half, name, to=TensorProto.FLOAT)
            else:
                self._emit("Identity", name + self._half, name)

    def _full_node(self, node: Any) -> None:
        for name in (*node.input, *(n for body in _bodies(node) for n in _captured(body.g))):
            self.full(name)
        self.nodes.append(node)

    def _half_node(self, node: Any, inputs: set[int], suffix: str) -> None:
        made = onnx.NodeProto()
        made.CopyFrom(node)
        for index, name in enumerate(node.input):
            if index in inputs:
                made.input[index] = self._half_of(name)
            else:
                self.full(name)
        suffix = self._half if suffix == HALF else suffix
        is_real = self.setting.form is Form.REAL
        if suffix == ISOLATED:
            made.name += ISOLATED
        if is_real and node.op_type == "Cast":
            _set_type(made)
        self.nodes.append(made)
        for index, name in enumerate(node.output):
            is_half = self.types.get(name) == TensorProto.FLOAT
            if not name or (not is_half and suffix != ISOLATED):
                continue
            made.output[index] = name + suffix if is_real else name + suffix + "/raw"
            if is_half and not is_real:
                self._round(made.output[index], name + suffix)
            if suffix != ISOLATED:
                self.halves.add(name)
                self.only_half.add(name)

    def _half_of(self, name: str) -> str:
        made = name + self._half
        if name in self.halves:
            return made
        self.halves.add(name)
        if name in self.weights:
            self._half_weight(name, made)
        elif self.setting.form is Form.REAL:
            self._emit("Cast", name, made, to=TensorProto.FLOAT16)
        else:
            self._round(name, made)
        return made

    def _half_weight(self, name: str, made: str) -> None:
        with np.errstate(over="ignore"):
            array = numpy_helper.to_array(self.weights[name]).astype(np.float16)
        if self.setting.form is not Form.REAL:
            array = array.astype(np.float32)
        self.new_weights.append(numpy_helper.from_array(array, made))

    def _round(self, name: str, made: str) -> None:
        self._emit("Cast", name, made + "/bits", to=TensorProto.FLOAT16)
        self._emit("Cast", made + "/bits", made, to=TensorProto.FLOAT)

    def _emit(self, operator: str, name: str, made: str, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(operator, [name], [made], made + "/node", **attributes))

    @property
    def _half(self) -> str:
        # A body may not reuse a name of the graph around it.
        return self.depth + HALF


def _convert_graph(graph: Any, outer: dict[str, int], setting: _Setting, depth: str) -> None:
    weights = {weight.name: weight for weight in graph.initializer if weight.data_type == TensorProto.FLOAT}
    builder = _Builder(setting, _types(graph, outer), weights, depth)
    for node in graph.node:
        builder.add(node)
    for output in graph.output:
        builder.full(output.name)
    del graph.node[:]
    graph.node.extend(builder.nodes)
    used = {name for node in graph.node for name in _used(node)} | {entry.name for entry in graph.output}
    kept = [w for w in graph.initializer if w.name in used]
    kept = [*(onnx.TensorProto.FromString(w.SerializeToString()) for w in kept), *builder.new_weights]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    del graph.value_info[:]


def _types(graph: Any, outer: dict[str, int]) -> dict[str, int]:
    entries = (*graph.input, *graph.value_info, *graph.output)
    types = {entry.name: int(entry.type.tensor_type.elem_type) for entry in entries}
    return {**outer, **types, **{weight.name: int(weight.data_type) for weight in graph.initializer}}


def _half_inputs(node: Any, types: dict[str, int], model: Model) -> set[int]:
    """Give the inputs that can have 16 bits, if that gives the node a 16-bit output by its schema."""
    version = opset(model, node.domain)
    try:
        schema = onnx.defs.get_schema(node.op_type, version, node.domain)
    except onnx.defs.SchemaError:
        return set()
    allowed = {c.type_param_str for c in schema.type_constraints if "tensor(float16)" in c.allowed_type_strs}
    inputs = {
        index: _formal(schema.inputs, index)
        for index, name in enumerate(node.input)
        if types.get(name) == TensorProto.FLOAT and _formal(schema.inputs, index) in allowed
    }
    outputs = {
        _formal(schema.outputs, index)
        for index, name in enumerate(node.output)
        if types.get(name) == TensorProto.FLOAT
    }
    is_cast = node.op_type == "Cast" and bool(outputs)
    return set(inputs) if is_cast or outputs & set(inputs.values()) else set()


def _formal(parameters: Any, index: int) -> str:
    # The last parameter stands for all that follow where it is variadic.
    return str(parameters[min(index, len(parameters) - 1)].type_str) if parameters else ""


def _bodies(node: Any) -> list[Any]:
    return [attribute for attribute in node.attribute if attribute.type == onnx.AttributeProto.GRAPH]


def _captured(graph: Any) -> Iterator[str]:
    for node in graph.node:
        yield from _used(node)
    yield from (entry.name for entry in graph.output)


def _used(node: Any) -> Iterator[str]:
    yield from node.input
    for body in _bodies(node):
        yield from _captured(body.g)


def _set_type(node: Any) -> None:
    for attribute in node.attribute:
        if attribute.name == "to":
            attribute.i = TensorProto.FLOAT16
