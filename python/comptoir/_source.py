"""Specs as users give them: mappings, text and files."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any


def read(source: Mapping[str, Any] | str | os.PathLike[str]) -> tuple[str, str, str | None]:
    """Text, form (json, yaml or mapping) and directory of a spec.

    Text has several lines or an opening brace; else it is a path.
    """
    if isinstance(source, Mapping):
        return json.dumps(source, default=plain), "mapping", None
    if isinstance(source, str) and ("\n" in source or source.lstrip().startswith("{")):
        return source, _form(source), None
    path = Path(source)
    text = path.read_text(encoding="utf-8")
    return text, _form(text), str(path.parent)


def _form(text: str) -> str:
    if not text.lstrip().startswith("{"):
        return "yaml"
    try:
        json.loads(text)
    except ValueError:
        # YAML may begin with a brace too.
        return "yaml"
    return "json"


def plain(value: Any) -> Any:
    """Give what JSON has no form for as text."""
    if isinstance(value, Decimal | timedelta):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"`{type(value).__name__}` has no form in JSON")
