"""The producer's side of published boards."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias

from comptoir._native import RankingPublisher
from comptoir.errors import ArgumentError, ConfigError
from comptoir.ranking._arguments import each, expect, text
from comptoir.ranking._board_result import Result

if TYPE_CHECKING:
    from comptoir._native import ArrowArrayExportable, ArrowStreamExportable


@dataclass(frozen=True)
class BoardTable:
    """Table whose rows are the places of boards, one board for each group.

    Parameters
    ----------
    table : object with ``__arrow_c_stream__`` or ``__arrow_c_array__``
        Table of pyarrow, polars, pandas 3 or DuckDB.
    board : str
        Name under which a reader asks for the boards.
    group : str or sequence of str
        Columns of the group: text, integers, decimals, booleans, dates or times. None: one board of the
        whole table.
    item : str
        Column of items: integers of 64 bits or text, of the same kind in all tables of one publication.
    score : str
        Column of scores: numbers. They become floats.
    position : str, optional
        Column of positions. Without it items stand by score, the highest first, then by item.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from comptoir import ranking
    >>> units = pa.table({"country": ["FR", "FR"], "sku": ["mug", "bag"], "units": [40, 70]})
    >>> board = ranking.BoardTable(units, "top", group="country", item="sku", score="units")
    """

    table: ArrowStreamExportable | ArrowArrayExportable
    board: str
    group: str | Sequence[str] = ()
    item: str = "item"
    score: str = "score"
    position: str | None = None


Publishable: TypeAlias = BoardTable | Result
"""What can be published."""


class Publisher:
    """Publishes boards in a directory, one process at a time; readers in any process follow.

    A version is written aside, synced and renamed, then it becomes the current one: a process that dies at
    any point leaves the old version or the new one, whole. It is a context manager; `close` lets another
    publisher have the directory.

    Parameters
    ----------
    directory : str or path
        It is made if it is not there.
    keep : int
        How many of the newest versions stay. The current one always does.

    Raises
    ------
    ConfigError
        For ``keep`` below 1.
    StorageError
        While another publisher has the directory (``RANKING_PUBLISHER_BUSY``), or for a directory that
        cannot be made or written.

    Examples
    --------
    >>> import pyarrow as pa, tempfile
    >>> from comptoir import ranking
    >>> directory = tempfile.mkdtemp()
    >>> units = pa.table({"sku": ["mug", "bag"], "units": [40, 70]})
    >>> with ranking.Publisher(directory, keep=2) as publisher:
    ...     for _ in range(3):
    ...         version = publisher.publish(ranking.BoardTable(units, "top", item="sku", score="units"))
    ...     publisher.versions()
    [2, 3]
    """

    __slots__ = ("_directory", "_native")

    _native: RankingPublisher
    _directory: str

    def __init__(self, directory: str | os.PathLike[str], *, keep: int = 3) -> None:
        self._native = RankingPublisher(directory, keep)
        self._directory = os.fspath(directory)

    def publish(
        self,
        boards: Publishable | Iterable[Publishable] | ArrowStreamExportable | ArrowArrayExportable,
        *,
        watermark: date | None = None,
        spec_hash: str | bytes | None = None,
        rules_hash: str | bytes | None = None,
    ) -> int:
        """Write the next version and make it the current one.

        Parameters
        ----------
        boards : Result, BoardTable, an iterable of these, or table
            The boards of the version. A result is published under the id of its spec. A table is one of the
            form that `Reader.table` gives, with the metadata of its schema: what was published before, or
            comes from an Arrow file.
        watermark : datetime or date, optional
            Up to which moment of the input it is made; without a zone it is UTC.
        spec_hash, rules_hash : str or bytes, optional
            Hashes of what it is made by: 32 bytes, or 64 hexadecimal digits. Where all boards are results,
            they are known: those of the only one, or the SHA-256 of those of all, in their order.

        Returns
        -------
        int
            Number of the version. When this returns, the version has reached the disk; when it raises, the
            current version is what it was.

        Raises
        ------
        StorageError
            If the file cannot be written, such as on a full disk.
        SchemaError
            For a column that is missing or has a type that does not go.
        DataError
            For a null or NaN, and an item, position or board that is given twice, with its place.
        UnavailableError
            Once it is closed (``HOST_CLOSED``).
        """
        micros = _micros(watermark)
        spec, rules = _hash("spec_hash", spec_hash), _hash("rules_hash", rules_hash)
        if isinstance(boards, Result | BoardTable):
            boards = [boards]
        elif hasattr(boards, "__arrow_c_stream__") or hasattr(boards, "__arrow_c_array__"):
            return self._native.publish_exported(boards, micros, spec, rules)
        given = each("boards", boards)
        none = bytes(32)
        return self._native.publish(
            [_parts(place, one) for place, one in enumerate(given)],
            micros or 0,
            spec or _hash_of(given, "spec_hash") or none,
            rules or _hash_of(given, "rules_hash") or none,
        )

    def rollback(self, version: int) -> None:
        """Make an earlier version the current one, after verifying it.

        Later versions stay, and the next one that is published has a higher number than all.

        Parameters
        ----------
        version : int
            One of `versions`.

        Raises
        ------
        StorageError
            For a version that is not there, or is damaged.
        UnavailableError
            Once it is closed (``HOST_CLOSED``).
        """
        self._native.rollback(version)

    def versions(self) -> list[int]:
        """Give the versions that are there.

        Returns
        -------
        list of int
            Ascending.

        Raises
        ------
        UnavailableError
            Once it is closed (``HOST_CLOSED``).
        """
        return self._native.versions()

    def close(self) -> None:
        """Let another publisher have the directory."""
        self._native.close()

    def __enter__(self) -> Publisher:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Publisher({self._directory!r})"


def _parts(place: int, one: Publishable) -> tuple[object, str, list[str], str, str, str | None]:
    if isinstance(one, Result):
        spec = one.spec
        return one, spec["id"], spec["group"], spec["item"], "score", "position"
    expect(f"boards[{place}]", one, (BoardTable,), "a Result or a BoardTable", "RANKING_BOARD_KIND")
    group = [one.group] if isinstance(one.group, str) else each("group", one.group)
    position = None if one.position is None else text("position", one.position)
    names = [text(f"group[{place}]", name) for place, name in enumerate(group)]
    board, item, score = text("board", one.board), text("item", one.item), text("score", one.score)
    return one.table, board, names, item, score, position


def _hash_of(boards: list[Publishable], name: str) -> bytes | None:
    """One hash of the hashes of all boards, if all have one."""
    hashes = [bytes.fromhex(getattr(one, name)) for one in boards if isinstance(one, Result)]
    if not hashes or len(hashes) < len(boards):
        return None
    return hashes[0] if len(hashes) == 1 else sha256(b"".join(hashes)).digest()


def _micros(moment: date | None) -> int | None:
    if moment is None:
        return None
    micros = RankingPublisher.micros(moment)
    if micros is None:
        found = f"a watermark is a datetime or a date, not `{type(moment).__name__}`"
        raise ArgumentError(found, "RANKING_WATERMARK")
    return micros


def _hash(name: str, value: str | bytes | None) -> bytes | None:
    if value is None:
        return None
    expect(name, value, (str, bytes, bytearray, memoryview), "text or bytes", "RANKING_HASH")
    try:
        bare = bytes.fromhex(value) if isinstance(value, str) else bytes(value)
    except ValueError:
        bare = b""
    if len(bare) != 32:
        raise ConfigError(f"`{name}` must be 32 bytes, or 64 hexadecimal digits", "RANKING_HASH")
    return bare
