"""What a rule set says of itself: how another one differs, its memory, its decision tables."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal


@dataclass(frozen=True)
class Sample:
    """An output of one event before and after.

    Attributes
    ----------
    event : int
        Row of the event.
    before, after : object
        The value as in JSON, a list where several rules give it, None where none does.
    """

    event: int
    before: Any
    after: Any


@dataclass(frozen=True)
class RuleChange:
    """How a rule's firing differs.

    Attributes
    ----------
    gained, lost : int
        Events for which it fires only in the new, only in the old set.
    amount : Decimal or None
        The amount of both.
    samples : list of int
        The first such rows.
    """

    gained: int
    lost: int
    amount: Decimal | None
    samples: list[int]


@dataclass(frozen=True)
class OutputChange:
    """How an output differs.

    Attributes
    ----------
    changed : int
        Events with another value.
    amount : Decimal or None
        The amount of these.
    samples : list of Sample
        The first of them.
    """

    changed: int
    amount: Decimal | None
    samples: list[Sample]


@dataclass(frozen=True)
class Diff:
    """What changes if one rule set takes the place of another.

    Attributes
    ----------
    before, after : tuple of str
        Version and hash of the sets.
    events : int
        Events that were decided.
    changed : int
        Events whose rules or outputs differ.
    amount : Decimal or None
        The amount of these, where one was chosen: the money at risk.
    without_amount : int
        Changed events whose amount is not known.
    rules : dict of str to RuleChange
        Rules that fire more or less.
    outputs : dict of str to OutputChange
        Outputs that differ.
    """

    before: tuple[str, str]
    after: tuple[str, str]
    events: int
    changed: int
    amount: Decimal | None
    without_amount: int
    rules: dict[str, RuleChange]
    outputs: dict[str, OutputChange]


@dataclass(frozen=True)
class Memory:
    """Bytes of memory that a rule set takes.

    Attributes
    ----------
    clauses, index, texts : int
        Compiled clauses; the index; ids, sources and outputs.
    """

    clauses: int
    index: int
    texts: int


@dataclass(frozen=True)
class TableFinding:
    """Something about a decision table that is wrong or may be meant.

    Attributes
    ----------
    kind : {"gap", "overlap", "shadowed"}
        Inputs that no row is for; rows with inputs in common; a row that never counts.
    rows : list of int
        The rows, from 1.
    text : str
        What it is, in one line.
    """

    kind: Literal["gap", "overlap", "shadowed"]
    rows: list[int]
    text: str


@dataclass(frozen=True)
class TableReport:
    """What the checks of a decision table found.

    Attributes
    ----------
    id : str
        The table.
    findings : list of TableFinding
        Gaps, overlaps, shadowed rows.
    opaque : list of int
        Rows with an expression in a cell, which the checks do not look into.
    is_complete : bool
        Whether all combinations were looked at.
    """

    id: str
    findings: list[TableFinding]
    opaque: list[int]
    is_complete: bool
