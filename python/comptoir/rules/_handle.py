"""The rule set that counts now."""

from __future__ import annotations

import threading

from comptoir.rules._results import Decision, Decisions, Selection
from comptoir.rules._rule_set import RuleSet, check_set

__all__ = ["RuleSetHandle"]


class RuleSetHandle:
    """A place for the set that counts now. Any number of threads may decide while one swaps the set.

    Parameters
    ----------
    rule_set : RuleSet
        The first set.

    Examples
    --------
    >>> from comptoir import rules
    >>> sets = [rules.RuleSet.load({"version": str(number), "rules": [{"id": "all"}]}) for number in (1, 2)]
    >>> handle = rules.RuleSetHandle(sets[0])
    >>> handle.swap(sets[1]).version, handle.decide({}).version
    ('1', '2')
    """

    __slots__ = ("_current", "_lock")

    def __init__(self, rule_set: RuleSet) -> None:
        check_set(rule_set)
        self._current = rule_set
        # Readers need no lock: reading an attribute is atomic.
        self._lock = threading.Lock()

    def load(self) -> RuleSet:
        """Give the set that counts now; it stays as it is for as long as it is held.

        Returns
        -------
        RuleSet
        """
        return self._current

    def swap(self, new: RuleSet) -> RuleSet:
        """Put another set in its place.

        Parameters
        ----------
        new : RuleSet
            The set that counts from now on.

        Returns
        -------
        RuleSet
            The one before.
        """
        check_set(new)
        with self._lock:
            before, self._current = self._current, new
        return before

    def decide(self, event: object) -> Decision:
        """Decide with the set that counts now.

        Parameters
        ----------
        event : mapping or object
            As for `RuleSet.decide`.

        Returns
        -------
        Decision
        """
        return self._current.decide(event)

    def decide_batch(self, table: object, /, **shared: object) -> Decisions:
        """Decide each row of a table with the set that counts when the call begins.

        Parameters
        ----------
        table : object with ``__arrow_c_stream__`` or ``__arrow_c_array__``
            As for `RuleSet.decide_batch`.
        **shared
            As for `RuleSet.decide_batch`.

        Returns
        -------
        Decisions
        """
        return self._current.decide_batch(table, **shared)

    def select(self, table: object, /, **shared: object) -> Selection:
        """Pick the rows that match, with the set that counts when the call begins.

        Parameters
        ----------
        table : object with ``__arrow_c_stream__`` or ``__arrow_c_array__``
            As for `RuleSet.select`.
        **shared
            As for `RuleSet.select`.

        Returns
        -------
        Selection
        """
        return self._current.select(table, **shared)

    def __repr__(self) -> str:
        return f"RuleSetHandle({self._current!r})"
