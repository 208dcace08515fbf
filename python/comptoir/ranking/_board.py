"""Boards from tables."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from comptoir._native import RankingBoard, RankingResult, Table
from comptoir._source import read

SpecLike: TypeAlias = Mapping[str, Any] | str | os.PathLike[str]
"""A board spec as a mapping, as JSON or YAML text, or the path of a file."""


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
    without_score : int
        Candidates whose score is null, NaN or an error.
    candidates : int
        Candidates that were ranked: rows, or items of a group where there are metrics.
    faults : list of dict
        Expressions that had no value: ``path`` in the spec, ``code``, ``count`` and one ``message``. They
        are not true, add nothing to a metric, and are no score.
    cut_ties : list
        The groups in which the first that is not on the board has the score of the last that is.
    """

    rows: int
    not_eligible: int
    without_item: int
    below_floor: int
    without_score: int
    candidates: int
    faults: list[dict[str, Any]]
    cut_ties: list[Any]


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
            The columns of the group, the item, ``position`` (from 1 in each group) and ``score``; groups in
            the order of their values, null last.
        """
        return self._native.table()

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

    def __len__(self) -> int:
        return self.table().num_rows

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.table().__arrow_c_stream__(requested_schema)

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        return self.table().__arrow_c_array__(requested_schema)

    def __repr__(self) -> str:
        return f"Result({self._spec[0]['id']!r}, {len(self)} places)"


class Board:
    """Collects the rows of a board: push tables, merge collectors, finish.

    The result is the same, to the last bit, however the rows are cut into tables, ordered and shared out over
    collectors, threads and processes of one machine. Memory grows with the groups, not with the rows; where
    the spec has metrics, with their items.

    Parameters
    ----------
    spec : mapping, str or path
        What the board is, as a mapping, as JSON or YAML text, or the path of a file with it (docs/ranking.md
        has all fields).

    Raises
    ------
    ConfigError
        For a spec that is wrong, with the path of the field.
    OSError
        For a file that cannot be read.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from comptoir import ranking
    >>> spec = '''
    ... id: best sellers
    ... item: sku
    ... eligibility: quantity > 0
    ... metrics: {units: {sum: quantity}, orders: {count: "true"}}
    ... having: orders >= 2
    ... score: units
    ... k: 10
    ... '''
    >>> board = ranking.Board(spec)
    >>> board.push(pa.table({"sku": ["mug", "bag", "mug"], "quantity": [3, 80, 2]}))
    >>> board.push(pa.table({"sku": ["pen", "pen", "bag"], "quantity": [1, 1, -80]}))
    >>> result = board.finish()
    >>> result.table().to_pydict()
    {'sku': ['mug', 'pen'], 'position': [1, 2], 'score': [5, 2]}
    >>> result.report.not_eligible, result.report.below_floor
    (1, 1)
    """

    __slots__ = ("_native",)

    _native: RankingBoard

    def __init__(self, spec: SpecLike) -> None:
        text, form, _ = read(spec)
        self._native = RankingBoard(form, text)

    def push(self, table: object) -> None:
        """Add the rows of a table. Other Python threads go on meanwhile.

        Parameters
        ----------
        table : object with ``__arrow_c_stream__`` or ``__arrow_c_array__``
            Table or stream of pyarrow, polars, pandas 3 or DuckDB. A stream is never held as a whole.

        Raises
        ------
        RuleConfigError
            At the first table, for an expression that does not go with its columns, with the path of the
            field.
        SchemaError
            For a column that is missing, has a type that does not go, or another type than in tables before
            (``RANKING_SCHEMA_CHANGE``).
        """
        self._native.push(table)

    def merge(self, other: Board) -> None:
        """Add what another board of the same spec has collected; that one is then of no more use.

        Parameters
        ----------
        other : Board
            The other collector.

        Raises
        ------
        ConfigError
            If the specs differ.
        """
        self._native.merge(other._native)

    def finish(self) -> Result:
        """Rank what was collected. The board is then of no more use.

        Returns
        -------
        Result

        Raises
        ------
        DataError
            For a sum that does not fit in 38 digits.
        """
        return Result(self._native.finish())

    @property
    def spec(self) -> dict[str, Any]:
        """The spec, with every field."""
        spec: dict[str, Any] = json.loads(self._native.spec()[0])
        return spec

    def __repr__(self) -> str:
        return f"Board({self.spec['id']!r})"


def build(spec: SpecLike, table: object) -> Result:
    """Make a board of one table.

    Parameters
    ----------
    spec : mapping, str or path
        As for `Board`.
    table : object with ``__arrow_c_stream__`` or ``__arrow_c_array__``
        As for `Board.push`.

    Returns
    -------
    Result

    Raises
    ------
    ConfigError, SchemaError, DataError
        As for `Board`.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from comptoir import ranking
    >>> spec = {"id": "top", "item": "sku", "score": "units * 2", "k": 2}
    >>> ranking.build(spec, pa.table({"sku": ["mug", "bag", "pen"], "units": [4, 7, 1]})).table().to_pydict()
    {'sku': ['bag', 'mug'], 'position': [1, 2], 'score': [14, 8]}
    """
    board = Board(spec)
    board.push(table)
    return board.finish()
