"""Arguments as callers give them: what does not go is an error of the package that names the argument."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any, TypeVar

from comptoir import _arguments
from comptoir._arguments import digits, expect, named, number, refused
from comptoir.errors import ConfigError

__all__ = ["count", "each", "expect", "number", "text"]

T = TypeVar("T")


def count(name: str, value: Any) -> int:
    """Give an argument as a whole number from 0 on."""
    try:
        whole = operator.index(value)
    except TypeError:
        raise refused(name, "a whole number", value, "RANKING_COUNT") from None
    if whole < 0:
        raise named(name, ConfigError(f"`{name}` must be 0 or more, found {digits(whole)}", "RANKING_COUNT"))
    return whole


def text(name: str, value: Any) -> str:
    """Give an argument that must be text."""
    return _arguments.text(name, value, "RANKING_TEXT")


def each(name: str, values: Iterable[T]) -> list[T]:
    """Give what an iterable gives. What it raises comes through."""
    return _arguments.each(name, values, "RANKING_ITERABLE")
