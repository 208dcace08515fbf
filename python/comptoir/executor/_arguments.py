"""Settings and arguments as callers give them, for the native side.

A setting of the wrong kind is a `ConfigError` with `EXECUTOR_CONFIG`, an argument of a call that is of the
wrong type an `ArgumentError` with `HOST_ARGUMENT`; both name it.
"""

from __future__ import annotations

import json
import math
import operator
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from comptoir._arguments import digits, named, number, refused, text
from comptoir.errors import ConfigError, Error

__all__ = ["as_json", "file", "in_own_words", "iterator", "numbers", "option_error", "wrong"]

PARAMETERS = {
    "call_timeout": "worker_timeout",
    "cpu_threads": "threads",
    "input_bytes": "worker_bytes",
    "memory_bytes": "worker_memory",
    "output_bytes": "worker_bytes",
    "queue_limit": "queue",
}
"""Settings that are called otherwise in Python."""


def wrong(field: str, expected: str, found: Any) -> ConfigError:
    """Make the error for a setting of the wrong kind."""
    shown = repr(found) if isinstance(found, str) else f"`{type(found).__name__}`"
    return named(field, ConfigError(f"`{field}`: expected {expected}, found {shown}", "EXECUTOR_CONFIG"))


def as_json(settings: Mapping[str, Any]) -> str:
    """Give settings as JSON: numbers of NumPy as numbers, and a wrong one by its field."""
    return json.dumps({name: _plain(name, value) for name, value in settings.items()})


def _plain(field: str, value: Any) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Mapping):
        return {name: _plain(f"{field}.{name}", one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(f"{field}[{at}]", one) for at, one in enumerate(value)]
    kind = type(value)
    try:
        if hasattr(kind, "__index__"):
            return _bounded(field, operator.index(value))
        if hasattr(kind, "__float__"):
            return _finite(field, float(value))
    except TypeError:
        pass
    raise wrong(field, "a number or text", value)


def _finite(field: str, number: float) -> float:
    """Refuse what JSON cannot write, and no setting can be."""
    if math.isfinite(number):
        return number
    message = f"`{field}`: must be a finite number, found {number}"
    raise named(field, ConfigError(message, "EXECUTOR_CONFIG"))


def in_own_words(error: ConfigError, *, flat: bool) -> ConfigError:
    """Give an error of the native side with the name that the setting has in Python.

    `flat` says that ``inputs`` was given as the inputs of one shape.
    """
    shown = re.match(r"`([^`]+)`: ", str(error))
    field = shown[1] if shown else ""
    own = re.sub(r"^(models\[\d+\]\.)?shapes", "inputs", PARAMETERS.get(field, field))
    if flat:
        own = own.replace("inputs[0]", "inputs", 1)
    if own == field:
        return error
    return named(own, ConfigError(str(error).replace(f"`{field}`", f"`{own}`", 1), error.code))


def _bounded(field: str, number: int) -> int:
    """Refuse a whole number that no setting can be and that JSON may not be able to write."""
    if -(2**63) <= number < 2**64:
        return number
    message = f"`{field}`: expected a number of 64 bits, found {digits(number)}"
    raise named(field, ConfigError(message, "EXECUTOR_CONFIG"))


def numbers(value: Any) -> list[Any]:
    """Give what stands for several numbers, of which one number is a short form."""
    try:
        return list(value)
    except TypeError:
        return [value]


def file(field: str, value: Any) -> str:
    """Give the path of a file."""
    try:
        return os.fsdecode(value)
    except TypeError:
        raise wrong(field, "a path", value) from None


def iterator(name: str, values: Any) -> Iterator[Any]:
    """Give the iterator of an argument."""
    try:
        return iter(values)
    except TypeError:
        raise refused(name, "an iterable", values) from None


def option_error(model: Any, deadline_ms: Any, priority: Any, timings: Any) -> Error | None:
    """Find the option of a request that the native side did not take; looked for only then."""
    try:
        if model is not None:
            text("model", model)
        if deadline_ms is not None:
            number("deadline_ms", deadline_ms)
    except Error as error:
        return error
    if not isinstance(timings, bool):
        return refused("timings", "a bool", timings)
    try:
        found = 0 if priority is None else operator.index(priority)
    except TypeError:
        return refused("priority", "a whole number", priority)
    if 0 <= found <= 3:
        return None
    message = f"`priority`: must be 0, 1, 2 or 3, found {digits(found)}"
    return named("priority", ConfigError(message, "EXECUTOR_CONFIG"))
