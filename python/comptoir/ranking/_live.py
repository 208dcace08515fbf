"""Boards that are kept current from a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from comptoir._native import RankingLive
from comptoir.ranking._results import Entry

__all__ = ["LiveBoard", "LiveCounts", "Members"]

Members: TypeAlias = Mapping[Any, float] | Iterable[tuple[Any, float]]
"""Members of a group with their scores: a mapping, or pairs."""

UNDERFLOW = 2


class LiveCounts(NamedTuple):
    """What has happened on a live board.

    Attributes
    ----------
    events : int
        Updates and removals.
    shown : int
        Those of them that changed the first ``k`` of their group, or met it short.
    underflows : int
        Those of them that left fewer than ``k`` known.
    rescans : int
        Groups that were read again because they were short.
    scanned : int
        Members that were read for it.
    """

    events: int
    shown: int
    underflows: int
    rescans: int
    scanned: int


class LiveBoard:
    """The first ``k`` of each group, kept current from changes of scores and removals.

    Members stand by score, the highest first, then by member. Of each group ``k`` + ``slack`` members are
    kept; a group whose kept members have left is read again from its source, so that memory does not grow
    with members.

    Parameters
    ----------
    k : int
        Places of each group.
    slack : int
        Members kept beside. Where scores never fall and nobody leaves, 0 is enough.
    source : callable, optional
        Takes a group as it was given and returns all its members now, the event included, each once. Without
        it a short group waits for `refill`. What it raises comes through; the event stands, and the next one
        of the group asks again.

    Raises
    ------
    ConfigError
        For ``k`` below 1, or ``slack`` below 0.

    Notes
    -----
    Threads may share a board, but the events of one group should come from one of them: what others change
    while a source is read is lost unless the source has it.

    Examples
    --------
    >>> from comptoir import ranking
    >>> sold = {"mug": 30, "bag": 50, "pen": 40}
    >>> board = ranking.LiveBoard(2, source=lambda country: sold)
    >>> [board.update("FR", item, units) for item, units in sold.items()]
    [True, True, True]
    >>> [entry.item for entry in board.top("FR")]
    ['bag', 'pen']
    >>> del sold["bag"]
    >>> board.remove("FR", "bag")
    True
    >>> [entry.item for entry in board.top("FR")]
    ['pen', 'mug']
    >>> board.counts.rescans
    1
    """

    __slots__ = ("_native", "_source")

    _native: RankingLive
    _source: Callable[[Any], Members] | None

    def __init__(
        self, k: int = 10, slack: int = 0, *, source: Callable[[Any], Members] | None = None
    ) -> None:
        self._native = RankingLive(k, slack)
        self._source = source

    def update(self, group: object, member: int | str, score: float) -> bool:
        """Give a member of a group a score.

        Parameters
        ----------
        group : value or sequence of values
            As for `Reader.page`.
        member : int or str
            The member, known or new.
        score : float
            Its score from now on.

        Returns
        -------
        bool
            Whether the first ``k`` of the group have changed.

        Raises
        ------
        DataError
            For a score that is NaN or None.
        """
        return self._after(group, self._native.update(group, member, score))

    def remove(self, group: object, member: int | str) -> bool:
        """Take a member off a group.

        Parameters
        ----------
        group : value or sequence of values
            As for `update`.
        member : int or str
            The member; one that is not there changes nothing.

        Returns
        -------
        bool
            Whether the first ``k`` of the group have changed.
        """
        return self._after(group, self._native.remove(group, member))

    def refill(self, group: object, members: Members) -> bool:
        """Make these the members of a group: all that it has now, each once.

        Parameters
        ----------
        group : value or sequence of values
            As for `update`.
        members : mapping or iterable of pairs
            Members with their scores, in any order.

        Returns
        -------
        bool
            Whether the first ``k`` have changed; True for a group that was short.

        Raises
        ------
        DataError
            For a score that is NaN or None; the group stays as it is.
        ArgumentError
            For members that are no pairs, and a member or a score of another type.
        """
        pairs = members.items() if isinstance(members, Mapping) else members
        return self._native.refill(group, pairs) != 0

    def top(self, group: object) -> list[Entry]:
        """Give the first ``k`` of a group.

        Parameters
        ----------
        group : value or sequence of values
            As for `update`.

        Returns
        -------
        list of Entry
            Fewer where it has no more, or is short.
        """
        return self._native.top(group)

    def is_short(self, group: object) -> bool:
        """Tell whether a group waits for `refill`.

        Parameters
        ----------
        group : value or sequence of values
            As for `update`.

        Returns
        -------
        bool
        """
        return self._native.is_short(group)

    @property
    def kept(self) -> int:
        """Members that are kept, of all groups."""
        return self._native.kept()

    @property
    def counts(self) -> LiveCounts:
        """What has happened so far."""
        return LiveCounts(*self._native.counts())

    def _after(self, group: object, change: int) -> bool:
        """Read a group again that is short."""
        if change == UNDERFLOW and self._source is not None:
            self.refill(group, self._source(group))
        return change != 0
