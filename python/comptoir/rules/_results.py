"""What evaluations and decisions give."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from comptoir._native import Table
from comptoir._source import plain


@dataclass(frozen=True)
class BatchResult:
    """Values of an expression for the rows of a table.

    Attributes
    ----------
    values : Table
        Column ``value``, null where the value is null or an error; a chunk for each chunk of the input.
    faults : Table
        ``row, code, message`` of the first 1,000 rows that are errors.
    fault_count : int
        How many rows are errors.
    """

    values: Table
    faults: Table
    fault_count: int


@dataclass(frozen=True)
class Selection:
    """Rows of a table for which an expression is true or a rule counts.

    Attributes
    ----------
    rows : Table
        Column ``row``: row numbers over the whole table, ascending.
    faults : Table
        ``row, code, message`` (and ``rule`` for a rule set) of the first 1,000 errors.
    fault_count : int
        How many errors there are.
    """

    rows: Table
    faults: Table
    fault_count: int

    def __len__(self) -> int:
        return self.rows.num_rows


@dataclass(frozen=True)
class Residual:
    """What an evaluation with unknown inputs came to.

    Attributes
    ----------
    is_known : bool
        Whether the unknown inputs do not matter.
    value : object
        The value, if so.
    expression : str or None
        Otherwise what is left, over the unknown inputs.
    """

    is_known: bool
    value: Any
    expression: str | None


@dataclass(frozen=True)
class RuleFault:
    """A rule without a truth, or an output without a value.

    Attributes
    ----------
    rule : str
        The rule.
    code : str
        Stable code, such as ``RULES_DIVIDE_BY_ZERO``.
    message : str
        What happened.
    """

    rule: str
    code: str
    message: str


@dataclass(frozen=True)
class ClauseTrace:
    """What a clause of a rule came to.

    Attributes
    ----------
    alternative : int
        The alternative of the condition's ``||`` that it belongs to, from 0.
    text : str
        The clause.
    truth : bool or None
        Its truth; None where it has none.
    fault : str or None
        Why it has none.
    values : dict
        The inputs that it reads, and their values; an input that is not there is left out.
    """

    alternative: int
    text: str
    truth: bool | None
    fault: str | None
    values: dict[str, Any]


@dataclass(frozen=True)
class RuleTrace:
    """What a rule came to.

    Attributes
    ----------
    id : str
        The rule.
    mode : {"enforce", "shadow", "off"}
        Its mode.
    truth : bool or None
        Truth of the condition; None where it has none.
    fault : str or None
        Why it has none.
    clauses : list of ClauseTrace
        All clauses, also those behind a false one.
    """

    id: str
    mode: str
    truth: bool | None
    fault: str | None
    clauses: list[ClauseTrace]


@dataclass(frozen=True)
class WhyNot:
    """Why a rule did not count.

    Attributes
    ----------
    reason : {"fired", "mode", "behind", "false", "fault"}
        It did count; its mode is not enforce; another counts before it; its condition is false; it has no
        truth.
    behind : str or None
        The rule that counts before it.
    text : str
        The reason in one line.
    rule : RuleTrace
        The rule with all its clauses.
    """

    reason: str
    behind: str | None
    text: str
    rule: RuleTrace

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Decision:
    """What a rule set says about an event.

    Attributes
    ----------
    fired : list of str
        Ids of the rules that count, in order.
    outputs : dict or list
        Under the hit policies ``first`` and ``priority`` a dict of the outputs; under ``collect`` a dict of
        lists; under ``all`` a list of dicts with ``rule`` and ``outputs``.
    shadow : list of str
        Ids of the rules in shadow mode whose condition is true.
    shadow_outputs : list of dict
        What these would give, each with ``rule`` and ``outputs``.
    faults : list of RuleFault
        Rules without a truth and outputs without a value. They stop no other rule.
    version, hash : str
        Label and content hash of the set that decided.
    """

    fired: list[str]
    outputs: Any
    shadow: list[str]
    shadow_outputs: list[dict[str, Any]]
    faults: list[RuleFault]
    version: str
    hash: str
    _trace: Callable[[], list[RuleTrace]] = field(repr=False, compare=False)

    def trace(self) -> list[RuleTrace]:
        """Give what each rule came to, clause by clause. The event is read again.

        Returns
        -------
        list of RuleTrace
        """
        return self._trace()

    def to_dict(self) -> dict[str, Any]:
        """Give the decision as a dict, without its trace.

        Returns
        -------
        dict
        """
        shown = {name: getattr(self, name) for name in self.__dataclass_fields__ if name[0] != "_"}
        return {**shown, "faults": [asdict(fault) for fault in self.faults]}

    def to_json(self) -> str:
        """Give the decision as JSON text: decimals, times and bytes as text.

        Returns
        -------
        str
        """
        return json.dumps(self.to_dict(), default=plain)


@dataclass(frozen=True)
class Decisions:
    """What a rule set says about the rows of a table. It is an Arrow table itself, that of `table`.

    Attributes
    ----------
    table : Table
        A column for each output, ``fired`` with the ids of the rules that count, and ``shadow`` where the set
        has rules in shadow mode; a row for each row of the input. Under ``collect`` and ``all`` outputs are
        lists.
    faults : Table
        ``row, rule, code, message`` of the first 1,000 rules without a truth.
    fault_count : int
        How many there are.
    """

    table: Table
    faults: Table
    fault_count: int

    def __len__(self) -> int:
        return self.table.num_rows

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)
