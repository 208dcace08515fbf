"""What a pipeline is configured with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from comptoir.executor._arguments import numbers, wrong

__all__ = ["Batch", "Inputs", "Model", "Tensor", "check", "check_batch", "check_code", "shapes_of"]


@dataclass(frozen=True)
class Batch:
    """How batches are made.

    An idle device starts at once with what is ready, unless `min_size` says otherwise; while it is busy,
    rows gather up to `max_size`. A batch is made no larger than lets its earliest deadline be met.

    Parameters
    ----------
    max_size : int
        Rows of the largest batch.
    max_delay_ms : float
        How long the first row of a batch waits for `min_size` rows.
    min_size : int
        Rows that a batch waits for although the device is idle. At 1 an idle device never waits.
    preferred : sequence of int
        Sizes that the device likes: a larger batch is cut to the largest of them that fits.
    stack : bool
        Whether the model takes arrays with a row for each item. With False it takes the list of whatever
        ``preprocess`` gave.
    """

    max_size: int = 32
    max_delay_ms: float = 2.0
    min_size: int = 1
    preferred: Sequence[int] = ()
    stack: bool = True

    def _spec(self) -> dict[str, Any]:
        return {
            "max_size": self.max_size,
            "max_delay_ms": self.max_delay_ms,
            "min_size": self.min_size,
            "preferred": numbers(self.preferred),
        }


@dataclass(frozen=True)
class Tensor:
    """One input of a model, for one row: without the batch dimension.

    Parameters
    ----------
    name : str
        Name of the input.
    dtype : str
        ``uint8``, ``int32``, ``int64``, ``float16``, ``float32`` or ``float64``.
    shape : sequence of int
        Shape of one row.
    """

    name: str
    dtype: str
    shape: Sequence[int]

    def _spec(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype, "shape": numbers(self.shape)}


Inputs = Sequence[Tensor] | Sequence[Sequence[Tensor]]


@dataclass(frozen=True)
class Model:
    """One of several models of a pipeline.

    Parameters
    ----------
    model : callable or a model of `comptoir.executor`
        Takes a batch.
    preprocess, postprocess : callable, optional
        The functions before and after it.
    inputs : sequence of Tensor, or of such sequences, optional
        The shapes that rows may have; without, the first row declares the one shape.
    batch : Batch, optional
        How its batches are made, where it differs from the pipeline.
    weight : int
        Its share of the CPU threads and of the device where several models want them.
    version : str
        Name of its version, for statistics.
    """

    model: Any
    preprocess: Callable[..., Any] | None = None
    postprocess: Callable[..., Any] | None = None
    inputs: Inputs | None = None
    batch: Batch | None = None
    weight: int = 1
    version: str = field(default="1")


def check(name: str, model: Model, batch: Batch) -> None:
    """Refuse settings of the wrong kind before anything starts.

    Parameters
    ----------
    name : str
        Name of the model.
    model : Model
        Its settings.
    batch : Batch
        Those of the pipeline.

    Raises
    ------
    comptoir.ConfigError
        With the field.
    """
    if not isinstance(model, Model):
        raise wrong(f"models.{name}", "an executor.Model", model)
    if not isinstance(name, str):
        raise wrong("models", "a mapping from names", name)
    check_batch(model.batch or batch)
    check_code(model.model)
    if not isinstance(model.version, str):
        raise wrong("version", "text", model.version)
    for field_name, function in (("preprocess", model.preprocess), ("postprocess", model.postprocess)):
        if function is not None and not callable(function):
            raise wrong(field_name, "a callable", function)
    inputs = model.inputs
    if inputs is not None and not (isinstance(inputs, Sequence) and all(map(_is_input, inputs))):
        raise wrong("inputs", "a list of executor.Tensor, or a list of such lists", inputs)


def _is_input(entry: Any) -> bool:
    nested = isinstance(entry, Sequence) and not isinstance(entry, str)
    return isinstance(entry, Tensor) or (nested and all(isinstance(one, Tensor) for one in entry))


def check_batch(batch: Any) -> None:
    """Refuse what says nothing about batches."""
    if not isinstance(batch, Batch):
        raise wrong("batch", "an executor.Batch, such as Batch(max_size=32)", batch)
    if not isinstance(batch.stack, bool):
        raise wrong("batch.stack", "a bool", batch.stack)


def check_code(model: Any) -> None:
    """Refuse what is no model."""
    if isinstance(model, type) or not (callable(model) or hasattr(model, "_native")):
        raise wrong("model", "a callable over a batch or a model of comptoir.executor", model)


def shapes_of(inputs: Inputs | None) -> list[list[dict[str, Any]]] | None:
    """Give declared shapes as settings: a list of shapes, each the list of inputs."""
    if inputs is None:
        return None
    if is_flat(inputs):
        return [[tensor._spec() for tensor in inputs if isinstance(tensor, Tensor)]]
    return [[tensor._spec() for tensor in shape] for shape in inputs if not isinstance(shape, Tensor)]


def is_flat(inputs: Inputs | None) -> bool:
    """Say whether the inputs of one shape are given, and not a list of shapes."""
    return bool(inputs) and all(isinstance(tensor, Tensor) for tensor in inputs or ())
