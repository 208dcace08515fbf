"""A stock history as the demo values it, and how the program tells what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO, TypeAlias

import pyarrow as pa

__all__ = ["History", "InputError", "Progress", "progress"]


@dataclass(frozen=True)
class History:
    """Movements of a business and what is to be known about them.

    Attributes
    ----------
    title : str
        What the history is, for headings.
    movements : pyarrow.Table
        Movements for `comptoir.costing.value`, with a further column ``revenue`` where sales are known: the
        selling amount of an issue, negative for a sales return.
    policy : mapping
        Fields of the costing policy that suits the history.
    rules : tuple of str
        How the movements were made from the input, in words.
    currency : str
        Sign before amounts.
    input_rows : int
        Rows of the input, movements or not.
    left_out : mapping of str to int
        Rows of the input that are no stock movements, by reason.
    names : mapping of str to str
        Descriptions of items.
    facts : mapping of str to str
        Facts to be told beside the valuation, by label.
    orders : pyarrow.Table, optional
        Columns ``movement_id``, ``order`` and ``market`` of sales, where these are known.
    """

    title: str
    movements: pa.Table
    policy: Mapping[str, Any]
    input_rows: int
    rules: tuple[str, ...] = ()
    currency: str = ""
    left_out: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    orders: pa.Table | None = None


class InputError(Exception):
    """The input is none that the demo can read; the message says what was expected."""


Progress: TypeAlias = Callable[[str], None]
"""Told what is being done now; an empty text means that nothing is left to do."""


def progress(stream: TextIO) -> Progress:
    """Make a progress line on a terminal; anywhere else, as in a pipe, nothing is written.

    Parameters
    ----------
    stream : text file
        Usually the standard error stream.

    Returns
    -------
    callable
        Takes the text that replaces the line.
    """
    if not stream.isatty():
        return lambda _text: None

    def show(text: str) -> None:
        stream.write(f"\r\x1b[K{text}")
        stream.flush()

    return show
