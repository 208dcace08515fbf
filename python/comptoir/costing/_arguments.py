"""Arguments as the native module takes them; what cannot be one is an error of ours that names it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from numbers import Integral
from typing import Any

from comptoir.errors import ConfigError

DEEPEST = 64
"""Levels of lists and mappings in a policy or template."""

MOST_DAYS = 2**32 - 1


def wrong(name: str, message: str, code: str = "HOST_ARGUMENT") -> ConfigError:
    """Make an error that names an argument."""
    error = ConfigError(f"`{name}`: {message}", code)
    error.path = name
    return error


def text(name: str, given: object) -> str:
    """Give as text what is a date, a name or a number."""
    if given is None:
        raise wrong(name, "expected text, found `None`")
    try:
        shown = str(given)
        shown.encode()
    except (ValueError, RecursionError) as error:
        # Half a surrogate pair, an integer of thousands of digits, lists in lists.
        raise wrong(name, str(error)) from error
    return shown


def days(name: str, given: object) -> list[int]:
    """Give bounds of age buckets in whole days."""
    found = []
    for number, bound in enumerate(_elements(name, given, "COSTING_AGEING_BUCKETS")):
        number_of_days = _integer(bound)
        if number_of_days is None or not 0 <= number_of_days <= MOST_DAYS:
            message = f"expected whole days from 0 to {MOST_DAYS}, found `{_shown(bound)}`"
            raise wrong(f"{name}[{number}]", message, "COSTING_AGEING_BUCKETS")
        found.append(number_of_days)
    return found


def texts(name: str, given: object, code: str) -> list[str]:
    """Give numbers as text, one by one."""
    return [text(f"{name}[{number}]", one) for number, one in enumerate(_elements(name, given, code))]


def _elements(name: str, given: object, code: str) -> list[object]:
    if isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping):
        return list(given)
    raise wrong(name, f"expected a list, found `{_shown(given)}`", code)


def fields_text(what: str, fields: Mapping[str, Any], code: str) -> str:
    """Write fields of a policy or template as JSON text; decimals and dates become text."""
    return json.dumps(_Plain(what, code).of(fields, "", 0))


def fields_of(what: str, source: object, code: str) -> Mapping[str, Any]:
    """Take a mapping of fields, and nothing else."""
    if isinstance(source, Mapping):
        return source
    raise ConfigError(f"{what}: expected a mapping or text, found `{type(source).__name__}`", code)


class _Plain:
    """Fields as JSON has them, or an error with the path of the one that it has no form for."""

    def __init__(self, what: str, code: str) -> None:
        self.what = what
        self.code = code

    def of(self, field: Any, path: str, depth: int) -> Any:
        if depth > DEEPEST:
            raise self.error(path, f"more than {DEEPEST} levels of lists and mappings")
        if field is None or isinstance(field, bool | str):
            return field
        if isinstance(field, Integral):
            return self.integer(int(field), path)
        if isinstance(field, float):
            if not math.isfinite(field):
                raise self.error(path, f"expected a number, found `{field}`")
            return field
        if isinstance(field, Mapping):
            return {
                self.key(key, path): self.of(one, _below(path, key), depth + 1) for key, one in field.items()
            }
        if isinstance(field, list | tuple):
            return [self.of(one, f"{path}[{number}]", depth + 1) for number, one in enumerate(field)]
        if isinstance(field, Decimal):
            return str(field)
        if hasattr(field, "isoformat"):
            return field.isoformat()
        raise self.error(path, f"cannot be a `{type(field).__name__}`")

    def integer(self, field: int, path: str) -> int:
        if field.bit_length() > 128:
            raise self.error(path, "an integer of more than 128 bits")
        return field

    def key(self, key: object, path: str) -> str:
        if isinstance(key, str):
            return key
        number = _integer(key)
        if number is not None:
            return str(self.integer(number, path))
        raise self.error(path, f"names of fields are text, found `{_shown(key)}`")

    def error(self, path: str, message: str) -> ConfigError:
        place = f"{self.what} field `{path}`" if path else self.what
        error = ConfigError(f"{place}: {message}", self.code)
        error.path = path or None
        return error


def _integer(given: object) -> int | None:
    """Give an integer of Python or NumPy as one of Python; a truth value is none."""
    is_truth = given is True or given is False
    return int(given) if isinstance(given, Integral) and not is_truth else None


def _below(path: str, key: object) -> str:
    return f"{path}.{_shown(key)}" if path else _shown(key)


def _shown(given: object) -> str:
    try:
        shown = str(given)
    except (ValueError, RecursionError):
        return type(given).__name__
    return shown if len(shown) <= 40 else f"{shown[:40]}..."
