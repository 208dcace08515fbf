"""Arguments as callers give them: what does not go is an error of the package that names the argument."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from comptoir.errors import ArgumentError, ConfigError, DataError, Error

T = TypeVar("T")
E = TypeVar("E", bound=Error)

CODE = "HOST_ARGUMENT"
"""The code of an argument that cannot be used, where a module has no more exact one."""


def expect(name: str, value: object, kinds: tuple[type[Any], ...], words: str, code: str = CODE) -> None:
    """Refuse an argument of none of these types."""
    if not isinstance(value, kinds):
        raise refused(name, words, value, code)


def refused(name: str, words: str, value: object, code: str = CODE) -> ArgumentError:
    """Make the error for an argument of a type that does not go."""
    return named(name, ArgumentError(f"`{name}` must be {words}, not `{type(value).__name__}`", code))


def named(name: str, error: E) -> E:
    """Give an error the argument as its path."""
    error.path = name
    return error


def digits(number: int) -> str:
    """Write a number for a message; Python writes none of very many digits."""
    return str(number) if abs(number) < 10**60 else "a number of many digits"


def text(name: str, value: Any, code: str = CODE) -> str:
    """Give an argument that must be text, which half a pair of surrogates is not."""
    if not isinstance(value, str):
        raise refused(name, "text", value, code)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise named(name, DataError(f"`{name}` is no UTF-8: {error}", "HOST_UTF8")) from None
    return value


def each(name: str, values: Iterable[T], code: str = CODE) -> list[T]:
    """Give what an iterable gives. What it raises comes through."""
    try:
        iterator = iter(values)
    except TypeError:
        raise refused(name, "an iterable", values, code) from None
    return list(iterator)


def texts(name: str, values: Iterable[str]) -> list[str]:
    """Give texts; one text would give its characters."""
    if isinstance(values, str):
        raise refused(name, "an iterable of texts", values)
    return [text(f"{name}[{place}]", value) for place, value in enumerate(each(name, values))]


def entries(name: str, mapping: Mapping[str, Any], value: Callable[[str, Any], T]) -> list[tuple[str, T]]:
    """Give the entries of a mapping from text; `value` takes the path of each and its value."""
    expect(name, mapping, (Mapping,), "a mapping")
    return [(text(f"a name in {name}", key), value(f"{name}.{key}", of)) for key, of in mapping.items()]


def number(name: str, value: Any, code: str = CODE) -> float:
    """Give an argument as a float."""
    kind = type(value)
    if hasattr(kind, "__float__") or hasattr(kind, "__index__"):
        try:
            return float(value)
        except OverflowError as error:
            message = f"`{name}` must be a number that a float can hold"
            raise named(name, ConfigError(message, code)) from error
        except (TypeError, ValueError):
            pass
    raise refused(name, "a number", value, code)


def whole(name: str, value: Any) -> int:
    """Give a whole number of 64 bits from 0 on."""
    try:
        number = operator.index(value)
    except TypeError:
        raise refused(name, "a whole number", value) from None
    if not 0 <= number < 2**64:
        raise named(
            name, ConfigError(f"`{name}` must be between 0 and 2^64 - 1, found {digits(number)}", CODE)
        )
    return number
