"""How good an order is, where it is known what is relevant, and what chance would make of a share.

Examples
--------
>>> from comptoir.ranking import evaluate
>>> round(evaluate.ndcg([0, 5, 0, 4, 3], ideal=[5, 4, 3, 2]), 4)
0.6108
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable
from typing import Literal, NamedTuple

from comptoir._native import ranking_dcg, ranking_minimum_table, ranking_ndcg
from comptoir.errors import ArgumentError, ConfigError, DataError
from comptoir.ranking._arguments import count, each, expect, number, text

__all__ = ["MinimumTable", "dcg", "mean_reciprocal_rank", "minimum_table", "ndcg"]

# No board has as many places.
_ALL = 2**32


def dcg(grades: object, k: int | None = None, *, gain: Literal["linear", "exponential"] = "linear") -> float:
    """Discounted cumulative gain: the sum of gain / log2(position + 1).

    Parameters
    ----------
    grades : column
        Grade of relevance of each item, in the order of the board; null counts as 0.
    k : int, optional
        Only the first places count.
    gain : str
        ``linear``: the grade itself (K. Järvelin, J. Kekäläinen, "Cumulated gain-based evaluation of IR
        techniques", ACM TOIS 20, 2002). ``exponential``: 2^grade - 1 (C. Burges et al., "Learning to Rank
        using Gradient Descent", ICML 2005).

    Returns
    -------
    float

    Raises
    ------
    ConfigError
        For a gain that does not exist.

    Examples
    --------
    >>> from comptoir.ranking import evaluate
    >>> evaluate.dcg([3, 0, 2])
    4.0
    """
    return ranking_dcg(grades, _ALL if k is None else k, _is_exponential(gain))


def ndcg(
    grades: object,
    ideal: object | None = None,
    k: int | None = None,
    *,
    gain: Literal["linear", "exponential"] = "linear",
) -> float:
    """Discounted cumulative gain as a share of that of the best order.

    Parameters
    ----------
    grades : column
        As for `dcg`.
    ideal : column, optional
        Grades of all relevant items, in any order; those of the board without it.
    k : int, optional
        Only the first places count, of both.
    gain : str
        As for `dcg`.

    Returns
    -------
    float
        0 to 1; 0 where nothing is relevant.

    Raises
    ------
    ConfigError
        For a gain that does not exist.

    Examples
    --------
    >>> from comptoir.ranking import evaluate
    >>> evaluate.ndcg([3, 2, 1]), evaluate.ndcg([1, 2, 3]) < 1
    (1.0, True)
    """
    best = grades if ideal is None else ideal
    return ranking_ndcg(grades, best, _ALL if k is None else k, _is_exponential(gain))


def mean_reciprocal_rank(
    orders: Iterable[Iterable[object]], relevant: Iterable[Collection[object]], k: int | None = None
) -> float:
    """Mean of 1 / position of the first relevant item (E. Voorhees, "The TREC-8 QA Track Report", 1999).

    Parameters
    ----------
    orders : iterable of iterables
        Items of each query, the first place first.
    relevant : iterable of collections
        What is relevant for each.
    k : int, optional
        Only the first places count.

    Returns
    -------
    float
        0 to 1; a query without a relevant item counts as 0. 0 without queries.

    Raises
    ------
    DataError
        If there are not as many orders as collections.

    Examples
    --------
    >>> from comptoir.ranking import evaluate
    >>> evaluate.mean_reciprocal_rank([["a", "b"], ["c", "a"]], [{"b"}, {"c"}])
    0.75
    """
    most = _ALL if k is None else count("k", k)
    all_orders, all_relevant = each("orders", orders), each("relevant", relevant)
    if len(all_orders) != len(all_relevant):
        found = f"`relevant`: there are {len(all_orders)} orders: expected as many, found {len(all_relevant)}"
        raise DataError(found, "RANKING_LENGTH")
    shares = []
    for place, (order, wanted) in enumerate(zip(all_orders, all_relevant, strict=True)):
        expect(f"relevant[{place}]", wanted, (Container,), "a collection", "RANKING_ITERABLE")
        items = each(f"orders[{place}]", order)[:most]
        first = next((position for position, item in enumerate(items, 1) if _is_in(item, wanted)), None)
        shares.append(0.0 if first is None else 1 / first)
    return sum(shares) / len(shares) if shares else 0.0


class MinimumTable(NamedTuple):
    """How many of a band there must be at least in each prefix of a board.

    Attributes
    ----------
    counts : list of int
        For the prefix of one item, of two, and so on.
    alpha : float
        Significance of each prefix.
    fail_probability : float
        How likely chance alone falls short of the table at some prefix.
    """

    counts: list[int]
    alpha: float
    fail_probability: float


def minimum_table(
    k: int, share: float, alpha: float = 0.1, *, is_adjusted: bool = True, prefixes: int | None = None
) -> MinimumTable:
    """Give the counts below which a board would fall by chance only rarely (FA*IR).

    Each place is taken to be drawn from the band with probability `share`; a prefix needs the smallest count
    whose cumulative binomial probability is at least alpha (M. Zehlike et al., "FA*IR: A Fair Top-k Ranking
    Algorithm", CIKM 2017).

    Parameters
    ----------
    k : int
        Places of the board.
    share : float
        Share of the band, between 0 and 1.
    alpha : float
        How often chance may fall short, between 0 and 1.
    is_adjusted : bool
        Whether alpha is meant for the whole board rather than for each prefix by itself. The significance of
        prefixes is then lowered until the whole table is missed as nearly as often as alpha says.
    prefixes : int, optional
        How many prefixes `fail_probability` and the adjustment are about; all without it. The implementation
        of the authors (fairsearch-core) leaves out the last: with k - 1 the result is theirs.

    Returns
    -------
    MinimumTable

    Raises
    ------
    ConfigError
        For a share or an alpha that is not between 0 and 1.

    Examples
    --------
    >>> from comptoir.ranking import evaluate
    >>> evaluate.minimum_table(10, 0.2, 0.15, is_adjusted=False).counts
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1]
    """
    share, alpha = number("share", share, "RANKING_SHARE"), number("alpha", alpha, "RANKING_SHARE")
    for name, value in (("share", share), ("alpha", alpha)):
        if not 0 < value < 1:
            raise ConfigError(f"`{name}` must be between 0 and 1, found {value}", "RANKING_SHARE")
    return MinimumTable(
        *ranking_minimum_table(k, share, alpha, is_adjusted, k if prefixes is None else prefixes)
    )


def _is_in(item: object, wanted: Container[object]) -> bool:
    try:
        return item in wanted
    except TypeError:
        message = f"an item of this order cannot be looked up: `{type(item).__name__}`"
        raise ArgumentError(message, "RANKING_ITEM_KIND") from None


def _is_exponential(gain: str) -> bool:
    if text("gain", gain) not in ("linear", "exponential"):
        raise ConfigError(f"`{gain}` is no gain: use one of linear, exponential", "RANKING_NAME")
    return gain == "exponential"
