"""What boards come to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from comptoir._native import RankingResult, Table


@dataclass(frozen=True)
class Report:
    """What became of the rows of a board, and what was left out.

    Attributes
    ----------
    rows : int
        Rows that were pushed.
    not_eligible : int
        Rows for which the eligibility is not true.
    without_item : int
        Rows without an item.
    below_floor : int
        Items of a group that do not fulfil ``having``.
    hidden : int
        Candidates that an intervention hides.
    without_score : int
        Candidates whose score is null, NaN or an error.
    candidates : int
        Candidates that were ranked: rows, or items of a group where there are metrics.
    without_value : dict of str to int
        By metric the rows that count for it and have no value: null, NaN or an error. They add nothing to it;
        metrics without such rows are left out.
    faults : list of dict
        Expressions that had no value: ``path`` in the spec, ``code``, ``count`` and one ``message``. They
        are not true, add nothing to a metric, and are no score.
    cut_ties : list of list
        The groups in which the first that is not on the board has the score of the last that is, in organic
        order.
    interventions : list of dict
        For each intervention its ``id``, how many ``candidates`` it concerns, and the ``reason`` why it does
        not count: None where it does.
    unpinned : list of dict
        Pins that do not stand where they were to: ``group``, ``id`` of the intervention, ``item``,
        ``position`` and the ``code`` of the reason: ``not_shown``, ``taken`` and ``elsewhere`` (``by``
        another pin), ``beyond_board`` (which has ``k`` places), ``moved_up`` (``to`` another place).
    unmet : list of dict
        Constraints that a board breaks: ``group``, ``id``, the first ``position`` at which it is broken, at
        how many ``positions``, how many were ``found`` there of ``least`` to ``most``, and the ``reason``:
        ``too_few`` items of the band, ``cannot_be_met`` together with those of higher priority,
        ``search_ended`` after its number of steps, or ``pins``.
    ended_early : list of dict
        Boards that end rather than break a strict constraint: ``group``, ``by`` which constraints, how many
        ``places`` it has before pins, ``of`` how many.
    """

    rows: int
    not_eligible: int
    without_item: int
    below_floor: int
    hidden: int
    without_score: int
    candidates: int
    without_value: dict[str, int]
    faults: list[dict[str, Any]]
    cut_ties: list[list[str | None]]
    interventions: list[dict[str, Any]]
    unpinned: list[dict[str, Any]]
    unmet: list[dict[str, Any]]
    ended_early: list[dict[str, Any]]


@dataclass(frozen=True)
class Explanation:
    """Why an item stands on a board where it does, or does not.

    Attributes
    ----------
    board : str
        Id of the board.
    group : list of str or None
        Values of the group as text, None for null.
    item : str
        The item as text.
    position : int or None
        Its place; None where it is not on the board.
    organic_position : int or None
        Its place by score and tie keys, before diversity, constraints and pins.
    absence : dict or None
        Why it is not on the board: a ``code`` such as ``not_eligible``, ``below_floor``, ``hidden``,
        ``without_score``, ``too_low``, ``displaced``, and what belongs to it: ``by`` names the interventions
        that hide it, or the pins or constraints that gave its place to others (``diversity`` for the spec's).
    score : number, str or None
        Its score after boosts; a decimal is text.
    organic_score : number, str or None
        Its score before boosts.
    values : dict
        Metrics or columns of which the score is made.
    terms : list of dict
        For each term of the score ``name``, ``value``, ``normalised``, ``weight`` and what it ``adds``.
    ties : list
        Tie keys with their values.
    boost : dict or None
        What its boosts and buries do together: ``factor``, then ``addition``, and whether they were
        ``bounded`` by ``boost_bounds``; None without any.
    interventions : list of dict
        ``id`` and ``effect`` of each intervention that concerns it, the most important first; for a pin that
        does not stand where it was to the ``fault``, as in `Report.unpinned`. Then those that do not count,
        with the ``reason``.
    """

    board: str
    group: list[str | None]
    item: str
    position: int | None
    organic_position: int | None
    absence: dict[str, Any] | None
    score: Any
    organic_score: Any
    values: dict[str, Any]
    terms: list[dict[str, Any]]
    ties: list[list[Any]]
    boost: dict[str, Any] | None
    interventions: list[dict[str, Any]]

    def __str__(self) -> str:
        group = f" of {', '.join(map(str, self.group))}" if self.group else ""
        lines = [f"`{self.item}` on `{self.board}`{group}: {self._place()}"]
        if self.score is not None:
            is_moved = self.organic_score not in (None, self.score)
            lines.append(
                f"score {self.score}" + (f", {self.organic_score} before boosts" if is_moved else "")
            )
        for term in self.terms:
            value, weight = term["normalised"], term["weight"]
            lines.append(f"term {term['name']}: {term['value']} -> {value} x {weight} = {term['adds']}")
        lines += [f"{name} = {value}" for name, value in self.values.items()]
        if self.boost is not None and self.boost["bounded"]:
            lines.append(f"boosts within bounds: x {self.boost['factor']} + {self.boost['addition']}")
        lines += [f"{one['id']}: {one['effect']}{_but(one)}" for one in self.interventions]
        return "\n  ".join(lines)

    def _place(self) -> str:
        if self.position is None:
            absence = self.absence or {"code": "not on the board"}
            by = ", ".join(absence.get("by", []))
            code = str(absence["code"]).replace("_", " ")
            return f"{code} by {by}" if by else code
        if self.organic_position in (None, self.position):
            return f"position {self.position}"
        return f"position {self.position}, {self.organic_position} before diversity, constraints and pins"


def _but(intervention: dict[str, Any]) -> str:
    """Say why an intervention does not do what it says."""
    if fault := intervention.get("fault"):
        rest = [f"{key} {value}" for key, value in fault.items() if key != "code"]
        return ", but " + " ".join([fault["code"].replace("_", " "), *rest])
    if reason := intervention.get("reason"):
        return f", but does not count: {reason['code'].replace('_', ' ')}"
    return ""


class Result:
    """Finished board of each group. It is an Arrow table itself, that of `table`; `Board.finish` makes it.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from comptoir import ranking
    >>> sales = pa.table({"country": ["FR", "FR", "DE"], "sku": ["mug", "bag", "mug"], "units": [40, 70, 10]})
    >>> spec = {"id": "top", "group": ["country"], "item": "sku", "score": "units", "k": 1}
    >>> result = ranking.build(spec, sales)
    >>> result.table().to_pylist()
    [{'country': 'DE', 'sku': 'mug', 'position': 1, 'score': 10}, {'country': 'FR', 'sku': 'bag', 'position':
    1, 'score': 70}]
    >>> result.report.candidates
    3
    """

    __slots__ = ("_native", "_spec")

    _native: RankingResult
    _spec: tuple[dict[str, Any], bytes]

    def __init__(self, native: RankingResult) -> None:
        self._native = native
        text, content = native.spec()
        self._spec = json.loads(text), content

    def table(self) -> Table:
        """Give the places.

        Returns
        -------
        Table
            The columns of the group, the item, ``position`` (from 1 in each group), ``score`` and what the
            spec shows beside; groups in the order of their values, null last. It has no columns where no
            table was pushed, since their types are not known.
        """
        return self._native.table()

    def explain(
        self, item: int | str, group: object = None, *, rows: object | None = None
    ) -> list[Explanation]:
        """Explain why an item stands where it does.

        Parameters
        ----------
        item : int or str
            The item.
        group : value or sequence of values, optional
            Its group, as for `Reader.page`, but a single null is ``[None]``; all groups that are known to
            have the item without it.
        rows : object with ``__arrow_c_stream__`` or ``__arrow_c_array__``, optional
            The rows of the board. Where these are the candidates, a board forgets those that are not among
            its best; with the rows it says of such an item what became of it.

        Returns
        -------
        list of Explanation
            One for each group.

        Examples
        --------
        >>> import pyarrow as pa
        >>> from comptoir import ranking
        >>> sales = pa.table({"sku": ["mug", "bag", "pen"], "units": [40, 70, 10]})
        >>> pin = {"id": "spring", "items": ["pen"], "pin": 1}
        >>> spec = {"id": "top", "item": "sku", "score": "units", "k": 2, "interventions": [pin]}
        >>> result = ranking.build(spec, sales)
        >>> print(result.explain("pen")[0])
        `pen` on `top`: position 1, 3 before diversity, constraints and pins
          score 10
          units = 10
          spring: pin to 1
        >>> result.explain("mug")[0].absence
        {'code': 'displaced', 'by': ['spring']}
        """
        if group is None and not self._spec[0]["group"]:
            # There is only one.
            group = ()
        return [Explanation(**one) for one in json.loads(self._native.explain(item, group, rows))]

    @property
    def report(self) -> Report:
        """What became of the rows, and what was left out."""
        return Report(**json.loads(self._native.report()))

    @property
    def spec(self) -> dict[str, Any]:
        """The spec, with every field."""
        return dict(self._spec[0])

    @property
    def spec_hash(self) -> str:
        """Hash of the spec: equal for equal specs, however they were written."""
        return self._spec[1].hex()

    @property
    def rules_hash(self) -> str:
        """Hash of the interventions and of the context that decides which count."""
        return bytes(self._native.rules_hash()).hex()

    def __len__(self) -> int:
        return self.table().num_rows

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.table().__arrow_c_stream__(requested_schema)

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        return self.table().__arrow_c_array__(requested_schema)

    def __repr__(self) -> str:
        return f"Result({self._spec[0]['id']!r}, {len(self)} places)"
