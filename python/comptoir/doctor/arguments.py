"""Arguments of `examine` as callers give them: what does not go is an error that names the argument."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comptoir._arguments import digits, each, expect, number, refused
from comptoir.doctor.model import invalid_setting

__all__ = ["at_least", "optional_path", "positive", "sample_mappings"]


def positive(name: str, value: Any) -> float:
    """Give a finite number from 0 on."""
    found = number(name, value)
    if not (math.isfinite(found) and found >= 0):
        raise invalid_setting(f"{name}: expected a number of at least 0, found `{value}`")
    return found


def at_least(least: int, name: str, value: Any) -> int:
    """Give a whole number from `least` on."""
    try:
        found = operator.index(value)
    except TypeError:
        raise refused(name, "a whole number", value) from None
    if found < least:
        raise invalid_setting(f"{name}: expected at least {least}, found `{digits(found)}`")
    return found


def optional_path(name: str, value: Any) -> Path | None:
    """Give the path of a file that is to be written; None where none is."""
    if value is None:
        return None
    try:
        found = os.fsdecode(value)
    except TypeError:
        raise refused(name, "a path", value) from None
    if not Path(found).name or "\0" in found:
        raise invalid_setting(f"{name}: expected the path of a file, found `{found!r}`")
    return Path(found)


def sample_mappings(value: Any) -> Path | Sequence[Mapping[str, Any]] | None:
    """Give the samples: the path of files, or a list of arrays by input name; None for random values."""
    if value is None or isinstance(value, Path):
        return value
    if isinstance(value, str):
        return Path(value)
    if isinstance(value, Mapping):
        raise refused("inputs", "a path or a list of mappings", value)
    found = each("inputs", value)
    for place, sample in enumerate(found):
        expect(f"inputs[{place}]", sample, (Mapping,), "a mapping")
    return found
