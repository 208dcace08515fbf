"""What ranking functions give back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["Comparison", "Entry", "Move"]


class Entry(NamedTuple):
    """Place on a board.

    Attributes
    ----------
    position : int
        From 1.
    item : int or str
        What stands there.
    score : float
        Its score.
    """

    position: int
    item: int | str
    score: float


class Move(NamedTuple):
    """Item that does not stand where it stood.

    Attributes
    ----------
    item : object
        The item.
    old : int or None
        Its old position, from 1; None where it was not there.
    new : int or None
        Its new position; None where it is not there any more.
    """

    item: Any
    old: int | None
    new: int | None


@dataclass(frozen=True)
class Comparison:
    """How two orders of items differ.

    Attributes
    ----------
    overlap : float
        Items that stand in both, as a share of the longer order; 1 for two empty ones.
    rank_biased_overlap : float
        Overlap of the first d items, averaged over d with weights that fall from place to place: 0 for
        nothing in common, 1 for the same (W. Webber, A. Moffat, J. Zobel, "A Similarity Measure for
        Indefinite Rankings", ACM TOIS 28, 2010, formula 32).
    kendall_tau : float or None
        Kendall's tau of the items that stand in both: 1 for the same order, -1 for the opposite one; None
        for fewer than two.
    moved : list of Move
        Items that do not stand where they stood: those of the new order, then those that are gone.
    """

    overlap: float
    rank_biased_overlap: float
    kendall_tau: float | None
    moved: list[Move]
