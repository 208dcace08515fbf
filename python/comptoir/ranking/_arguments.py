"""Arguments as callers give them: what does not go is an error of the package that names the argument."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any, TypeVar

from comptoir.errors import ArgumentError, ConfigError

T = TypeVar("T")


def expect(name: str, value: object, kinds: tuple[type[Any], ...], words: str, code: str) -> None:
    """Refuse an argument of none of these types."""
    if not isinstance(value, kinds):
        raise ArgumentError(f"`{name}` must be {words}, not `{type(value).__name__}`", code)


def number(name: str, value: Any, code: str) -> float:
    """Give an argument as a float."""
    kind = type(value)
    if hasattr(kind, "__float__") or hasattr(kind, "__index__"):
        try:
            return float(value)
        except OverflowError as error:
            raise ConfigError(f"`{name}` must be a number that a float can hold", code) from error
        except (TypeError, ValueError):
            pass
    raise ArgumentError(f"`{name}` must be a number, not `{kind.__name__}`", code)


def count(name: str, value: Any) -> int:
    """Give an argument as a whole number from 0 on."""
    try:
        whole = operator.index(value)
    except TypeError:
        found = type(value).__name__
        raise ArgumentError(f"`{name}` must be a whole number, not `{found}`", "RANKING_COUNT") from None
    if whole < 0:
        raise ConfigError(f"`{name}` must be 0 or more, found {whole}", "RANKING_COUNT")
    return whole


def text(name: str, value: Any) -> str:
    """Give an argument that must be text."""
    if not isinstance(value, str):
        raise ArgumentError(f"`{name}` must be text, not `{type(value).__name__}`", "RANKING_TEXT")
    return value


def each(name: str, values: Iterable[T]) -> list[T]:
    """Give what an iterable gives. What it raises comes through."""
    try:
        iterator = iter(values)
    except TypeError:
        found = type(values).__name__
        raise ArgumentError(f"`{name}` must be an iterable, not `{found}`", "RANKING_ITERABLE") from None
    return list(iterator)
