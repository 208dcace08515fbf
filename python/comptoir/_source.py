"""Specs as users give them: mappings, text and files."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from comptoir._arguments import CODE, expect, named, text
from comptoir.errors import ArgumentError, ConfigError, DataError


def read(
    name: str, source: Mapping[str, Any] | str | os.PathLike[str], code: str = CODE
) -> tuple[str, str, str | None]:
    """Text, form (json, yaml or mapping) and directory of a spec.

    Text has several lines or an opening brace; else it is a path.
    """
    expect(name, source, (Mapping, str, os.PathLike), "a mapping, text or a path", code)
    if isinstance(source, Mapping):
        return written(name, source, code, plain), "mapping", None
    if isinstance(source, str) and ("\n" in source or source.lstrip().startswith("{")):
        return text(name, source, code), _form(source), None
    path = Path(source)
    try:
        content = path.read_text(encoding="utf-8")
    except UnicodeError as error:
        raise named(
            name, DataError(f"file `{path!s}` of `{name}` is no UTF-8: {error}", "HOST_UTF8")
        ) from None
    return content, _form(content), str(path.parent)


def _form(text: str) -> str:
    if not text.lstrip().startswith("{"):
        return "yaml"
    try:
        json.loads(text)
    except ValueError:
        # YAML may begin with a brace too.
        return "yaml"
    return "json"


def written(name: str, value: object, code: str = CODE, default: Callable[[Any], Any] | None = None) -> str:
    """Write an argument as JSON text; `default` gives what JSON has no form for."""
    try:
        return json.dumps(value, default=default)
    except TypeError as error:
        raise named(name, ArgumentError(f"`{name}` cannot be written as JSON: {error}", code)) from None
    except (ValueError, RecursionError) as error:
        # A mapping that holds itself.
        raise named(name, ConfigError(f"`{name}` cannot be written as JSON: {error}", code)) from None


def plain(value: Any) -> Any:
    """Give what JSON has no form for as text."""
    if isinstance(value, Decimal | timedelta):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"`{type(value).__name__}` has no form in JSON")
