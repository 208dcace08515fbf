"""Boards from tables."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, TypeAlias, TypeVar

from comptoir._native import RankingBoard, ranking_push
from comptoir._source import plain, read, written
from comptoir.errors import ConfigError
from comptoir.ranking._arguments import each, expect
from comptoir.ranking._board_result import Result

T = TypeVar("T")

SpecLike: TypeAlias = Mapping[str, Any] | str | os.PathLike[str]
"""A board spec as a mapping, as JSON or YAML text, or the path of a file."""


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
    RuleConfigError
        For text in it that is no expression, with the path of the field, line and column.
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

    def __init__(
        self,
        spec: SpecLike,
        *,
        now: date | str | None = None,
        audience: Mapping[str, Any] | None = None,
        unit: str | None = None,
        force: Mapping[str, bool] | None = None,
    ) -> None:
        text, form, _ = read("spec", spec, "RANKING_SPEC")
        self._native = RankingBoard(form, text, _context(now, audience, unit, force))

    def push(self, table: object, *, threads: int | None = None) -> None:
        """Add the rows of a table. Other Python threads go on meanwhile.

        Parameters
        ----------
        table : object with ``__arrow_c_stream__`` or ``__arrow_c_array__``
            Table or stream of pyarrow, polars, pandas 3 or DuckDB. A stream is never held as a whole.
        threads : int, optional
            How many to use; all cores without it. The result does not depend on it.

        Raises
        ------
        RuleConfigError
            At the first table, for an expression that does not go with its columns, with the path of the
            field.
        SchemaError
            For a column that is missing, has a type that does not go, or another type than in tables before
            (``RANKING_SCHEMA_CHANGE``). Columns are looked at before any row is taken, so that the board is
            as it was; only in a later part of a stream some rows have been taken.
        UnavailableError
            After an error that came when rows had been taken, such as that of a stream that raises in the
            middle: a part of the rows is in the board. `push`, `merge` and `finish` refuse it from then on
            (``RANKING_PUSH_FAILED``); build it anew. Also once the board is finished or was merged into
            another one (``HOST_CLOSED``).
        """
        ranking_push([self._native], table, threads)

    def merge(self, other: Board) -> None:
        """Add what another board of the same spec has collected; that one is then of no more use.

        Parameters
        ----------
        other : Board
            The other collector.

        Raises
        ------
        ConfigError
            If the specs (``RANKING_OTHER_BOARD``) or what they are made for (``RANKING_OTHER_CONTEXT``)
            differ, or both are the same board (``HOST_ARGUMENT``).
        SchemaError
            If the tables had other columns.
        UnavailableError
            If a push to one of them has failed (``RANKING_PUSH_FAILED``), or one of them is of no more use
            (``HOST_CLOSED``).

        Notes
        -----
        After an error both boards are as they were.
        """
        self._native.merge(_other(other, Board)._native)

    def finish(self) -> Result:
        """Rank what was collected. The board is then of no more use.

        Returns
        -------
        Result

        Raises
        ------
        DataError
            For a sum that does not fit: an integer in 64 bits, a decimal in 20 digits before the point.
        UnavailableError
            The second time, and for a board that was merged into another one (``HOST_CLOSED``); if a push has
            failed (``RANKING_PUSH_FAILED``).
        """
        return Result(self._native.finish())

    @property
    def spec(self) -> dict[str, Any]:
        """The spec, with every field."""
        spec: dict[str, Any] = json.loads(self._native.spec()[0])
        return spec

    def __repr__(self) -> str:
        return f"Board({self.spec['id']!r})"


class Boards:
    """Collects the rows of many boards in one pass over them.

    Parameters
    ----------
    specs : iterable of mapping, str or path
        A spec for each board, as for `Board`; no id twice.
    now, audience, unit, force
        As for `Board`, the same for all.

    Raises
    ------
    ConfigError
        For a spec that is wrong, or an id that is given twice.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from comptoir import ranking
    >>> def top(name, score):
    ...     return {"id": name, "item": "sku", "score": score, "k": 1}
    >>> boards = ranking.Boards([top("sold", "units"), top("dear", "price")])
    >>> boards.push(pa.table({"sku": ["mug", "bag"], "units": [4, 7], "price": [9.0, 2.5]}))
    >>> [result.table().to_pydict()["sku"] for result in boards.finish()]
    [['bag'], ['mug']]
    """

    __slots__ = ("_boards",)

    _boards: list[Board]

    def __init__(
        self,
        specs: Iterable[SpecLike],
        *,
        now: date | str | None = None,
        audience: Mapping[str, Any] | None = None,
        unit: str | None = None,
        force: Mapping[str, bool] | None = None,
    ) -> None:
        given = each("specs", specs)
        self._boards = [Board(spec, now=now, audience=audience, unit=unit, force=force) for spec in given]
        names = [board.spec["id"] for board in self._boards]
        for place, name in enumerate(names):
            if name in names[:place]:
                raise ConfigError(f"board `{name}` is given twice", "RANKING_BOARD_TWICE")

    def push(self, table: object, *, threads: int | None = None) -> None:
        """Add the rows of a table to all boards. A stream is read once.

        Parameters
        ----------
        table, threads
            As for `Board.push`.

        Raises
        ------
        RuleConfigError, SchemaError
            As for `Board.push`.
        """
        ranking_push([board._native for board in self._boards], table, threads)

    def merge(self, other: Boards) -> None:
        """Add what other boards of the same specs have collected; they are then of no more use.

        Parameters
        ----------
        other : Boards
            The other collectors, in the same order.

        Raises
        ------
        ConfigError
            If the specs differ.
        """
        if len(self) != len(_other(other, Boards)):
            raise ConfigError("only collectors of the same boards can be merged", "RANKING_OTHER_BOARD")
        pairs = list(zip(self._boards, other._boards, strict=True))
        for board, more in pairs:
            board._native.check_merge(more._native)
        for board, more in pairs:
            board.merge(more)

    def finish(self) -> list[Result]:
        """Rank what was collected. The boards are then of no more use.

        Returns
        -------
        list of Result
            In the order of the specs.

        Raises
        ------
        DataError
            As for `Board.finish`.
        """
        return [board.finish() for board in self._boards]

    def __len__(self) -> int:
        return len(self._boards)

    def __repr__(self) -> str:
        return f"Boards({[board.spec['id'] for board in self._boards]!r})"


def build(
    spec: SpecLike,
    table: object,
    *,
    threads: int | None = None,
    now: date | str | None = None,
    audience: Mapping[str, Any] | None = None,
    unit: str | None = None,
    force: Mapping[str, bool] | None = None,
) -> Result:
    """Make a board of one table.

    Parameters
    ----------
    spec : mapping, str or path
        As for `Board`.
    table : object with ``__arrow_c_stream__`` or ``__arrow_c_array__``
        As for `Board.push`.
    threads : int, optional
        As for `Board.push`.
    now, audience, unit, force
        As for `Board`.

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
    board = Board(spec, now=now, audience=audience, unit=unit, force=force)
    board.push(table, threads=threads)
    return board.finish()


def _other(other: T, kind: type[T]) -> T:
    expect("other", other, (kind,), f"a `{kind.__name__}`", "RANKING_OTHER_BOARD")
    return other


def _context(
    now: date | str | None,
    audience: Mapping[str, Any] | None,
    unit: str | None,
    force: Mapping[str, bool] | None,
) -> str:
    """For whom and for when a board is made, as JSON text."""
    if isinstance(now, datetime):
        now = now.isoformat() + ("Z" if now.tzinfo is None else "")
    elif isinstance(now, date):
        now = f"{now.isoformat()}T00:00:00Z"
    given = {"now": now, "audience": audience, "unit": unit, "force": force}
    parts = [
        f"{json.dumps(name)}: {written(name, value, 'RANKING_CONTEXT', plain)}"
        for name, value in given.items()
        if value is not None
    ]
    return f"{{{', '.join(parts)}}}"
