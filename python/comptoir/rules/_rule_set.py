"""Rule sets: many rules as one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from comptoir._arguments import expect, text
from comptoir._native import RulesSet
from comptoir._source import plain, read, written
from comptoir.errors import ArgumentError, ConfigError
from comptoir.rules._env import Function, declared_functions
from comptoir.rules._reports import (
    Diff,
    Memory,
    OutputChange,
    RuleChange,
    Sample,
    TableFinding,
    TableReport,
)
from comptoir.rules._results import (
    ClauseTrace,
    Decision,
    Decisions,
    RuleFault,
    RuleTrace,
    Selection,
    WhyNot,
)

RuleSetLike: TypeAlias = Mapping[str, Any] | str | os.PathLike[str]
"""A rule set as a mapping, as JSON or YAML text, or the path of a file."""


class RuleSet:
    """Compiled rule set. It never changes; any number of threads may decide with it at once.

    `load` makes it.

    Examples
    --------
    >>> from comptoir import rules
    >>> guard = rules.RuleSet.load({
    ...     "version": "7",
    ...     "environment": {"variables": {"price": "decimal", "floor": "decimal"}},
    ...     "hit_policy": "first",
    ...     "rules": [
    ...         {"id": "free", "when": "price == decimal('0')", "outputs": {"action": "block"}},
    ...         {"id": "cheap", "when": "price < floor", "outputs": {"action": "review"}},
    ...     ],
    ... })
    >>> decision = guard.decide({"price": "8.99", "floor": 10})
    >>> decision.fired, decision.outputs, decision.version
    (['cheap'], {'action': 'review'}, '7')
    >>> print(guard.why_not("free", {"price": 1, "floor": 10}))
    `free` did not fire: `price == decimal("0")` is false (price = 1)
    """

    __slots__ = ("_native",)

    _native: RulesSet

    def __init__(self, native: RulesSet) -> None:
        self._native = native

    @classmethod
    def load(
        cls,
        source: RuleSetLike,
        *,
        environment: Mapping[str, Mapping[str, Any]] | None = None,
        functions: Iterable[Function] = (),
    ) -> RuleSet:
        """Read and compile a rule set.

        Parameters
        ----------
        source : mapping, str or path
            The set as a mapping, as JSON or YAML text, or the path of a file with it. A ``csv`` of a decision
            table that names a file is looked for beside the file of the set.
        environment : mapping, optional
            ``variables`` and ``types`` for a policy in the form of cel-policy, which has none of its own;
            `source` is read as such a policy if it is given.
        functions : iterable of Function
            Functions beside those of the language.

        Returns
        -------
        RuleSet

        Raises
        ------
        RuleConfigError
            For a set that is wrong, with the ``path`` of the field, such as ``rules[3].when``.
        ArgumentError, ConfigError
            For an argument of another type, and a mapping that has no form in JSON (``HOST_ARGUMENT``).
        OSError
            For a file that cannot be read.
        """
        content, form, base = read("source", source)
        declared = None
        if environment is not None:
            expect("environment", environment, (Mapping,), "a mapping")
            form, declared = "policy", written("environment", environment, default=plain)
        own = [one._native for one in declared_functions(functions)]
        return cls(RulesSet(form, content, declared, base, own))

    @property
    def name(self) -> str:
        """What the set is called."""
        return self._native.labels()[0]

    @property
    def version(self) -> str:
        """The author's label of this state of the set."""
        return self._native.labels()[1]

    @property
    def hash(self) -> str:
        """Hash of the content: equal for equal sets, whether they came from YAML or JSON."""
        return self._native.labels()[2]

    @property
    def rules(self) -> list[str]:
        """Ids of all rules in the order of the file, those of decision tables after the others."""
        return self._native.rules()

    @property
    def inputs(self) -> dict[str, str]:
        """Inputs that an event has to give, with their types."""
        return dict(self._native.inputs())

    @property
    def memory(self) -> Memory:
        """Bytes of memory that the set takes."""
        return Memory(*self._native.memory())

    @property
    def tables(self) -> list[TableReport]:
        """What the checks of each decision table found."""
        return [
            TableReport(table, [TableFinding(*one) for one in findings], opaque, is_complete)  # type: ignore[arg-type]
            for table, findings, opaque, is_complete in self._native.tables()
        ]

    def decide(self, event: object) -> Decision:
        """Decide one event.

        Parameters
        ----------
        event : mapping or object
            Holds the variables, as for `Program.eval`.

        Returns
        -------
        Decision
            An error in a rule is in ``faults``; it stops no other rule.
        """
        fired, outputs, shadow, shadow_outputs, faults = self._native.decide(event)
        _, version, content = self._native.labels()
        own = [RuleFault(*fault) for fault in faults]
        return Decision(
            fired, outputs, shadow, shadow_outputs, own, version, content, lambda: self.explain(event)
        )

    def decide_batch(self, table: object, /, **shared: object) -> Decisions:
        """Decide the rows of a table. Other Python threads go on meanwhile.

        Parameters
        ----------
        table : object with ``__arrow_c_stream__`` or ``__arrow_c_array__``
            Table of pyarrow, polars, pandas 3 or DuckDB.
        **shared
            Variables without a column, the same for all rows.

        Returns
        -------
        Decisions

        Raises
        ------
        SchemaError
            For a column that is missing or cannot be what was declared.

        Examples
        --------
        >>> import pyarrow as pa
        >>> from comptoir import rules
        >>> text = '''
        ... environment: {variables: {level: int}}
        ... hit_policy: first
        ... rules: [{id: vip, when: level >= 3, outputs: {group: gold}}]
        ... '''
        >>> decisions = rules.RuleSet.load(text).decide_batch(pa.table({"level": [5, 1]}))
        >>> pa.table(decisions).to_pydict()
        {'group': ['gold', None], 'fired': [['vip'], []]}
        """
        return Decisions(*self._native.decide_batch(table, shared))

    def select(self, table: object, /, **shared: object) -> Selection:
        """Select the rows of a table for which a rule counts: choosing items or users.

        Parameters
        ----------
        table : object with ``__arrow_c_stream__`` or ``__arrow_c_array__``
            As for `decide_batch`.
        **shared
            As for `decide_batch`.

        Returns
        -------
        Selection
        """
        return Selection(*self._native.select(table, shared))

    def diff(self, new: RuleSet, table: object, /, amount: str | None = None, **shared: object) -> Diff:
        """Compare: what would change if another set took the place of this one, over recorded events.

        Parameters
        ----------
        new : RuleSet
            The other set.
        table : object with ``__arrow_c_stream__`` or ``__arrow_c_array__``
            Recorded events, as for `decide_batch`.
        amount : str, optional
            Column or expression of the money at risk, a decimal or integer.
        **shared
            As for `decide_batch`.

        Returns
        -------
        Diff

        Raises
        ------
        SchemaError
            For a column that is missing or cannot be what was declared.
        RuleConfigError
            For an amount that does not compile or is no number.
        """
        check_set(new)
        money = None if amount is None else text("amount", amount)
        found = self._native.diff(new._native, table, money, shared)
        rules = {rule: RuleChange(*change) for rule, change in found["rules"].items()}
        outputs = {
            name: OutputChange(changed, money, [_sample(*sample) for sample in samples])
            for name, (changed, money, samples) in found["outputs"].items()
        }
        return Diff(**{**found, "rules": rules, "outputs": outputs})

    def explain(self, event: object) -> list[RuleTrace]:
        """Explain a decision: what each rule came to, clause by clause with values. It is slow; for people.

        Parameters
        ----------
        event : mapping or object
            As for `decide`.

        Returns
        -------
        list of RuleTrace
        """
        return [_rule_trace(*rule) for rule in self._native.explain(event)]

    def why_not(self, rule: str, event: object) -> WhyNot:
        """Say why a rule does not count for an event.

        Parameters
        ----------
        rule : str
            Its id.
        event : mapping or object
            As for `decide`.

        Returns
        -------
        WhyNot

        Raises
        ------
        ConfigError
            For a rule that the set does not have.
        """
        found = self._native.why_not(text("rule", rule), event)
        if found is None:
            raise ConfigError(f"the set has no rule `{rule}`", "RULES_UNKNOWN_RULE")
        reason, behind, why, trace = found
        return WhyNot(reason, behind, why, _rule_trace(*trace))

    def __len__(self) -> int:
        return len(self.rules)

    def __repr__(self) -> str:
        name, version, content = self._native.labels()
        return f"RuleSet({name!r}, version {version!r}, {len(self)} rules, {content})"


def check_set(found: object) -> None:
    """Refuse what is no rule set, before it is used where nobody sees from where it came."""
    if not isinstance(found, RuleSet):
        message = f"expected a RuleSet, found {type(found).__name__}: read one with RuleSet.load"
        raise ArgumentError(message, "HOST_ARGUMENT")


def _rule_trace(rule: str, mode: str, truth: bool | None, fault: str | None, clauses: list[Any]) -> RuleTrace:
    return RuleTrace(rule, mode, truth, fault, [ClauseTrace(*clause) for clause in clauses])


def _sample(event: int, before: str, after: str) -> Sample:
    return Sample(event, json.loads(before), json.loads(after))
