"""Rank numbers, comparisons and diversity."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import repeat
from typing import Any, Literal, overload

from comptoir._native import Array, ranking_compare, ranking_mmr, ranking_rank
from comptoir.errors import ArgumentError, ConfigError, DataError
from comptoir.ranking._arguments import each, number
from comptoir.ranking._board_result import Result
from comptoir.ranking._results import Comparison, Move


def rank(
    values: object,
    method: str = "ordinal",
    *,
    order: Literal["descending", "desc", "ascending", "asc"] = "descending",
    nulls: Literal["keep", "first", "top", "last", "bottom"] = "keep",
    ids: object | None = None,
    seed: int = 0,
) -> Array:
    """Give each value its rank, with the words of scipy and polars.

    Values are compared as what they are: integers of any width and decimals exactly, text by its characters.
    NaN and null are missing values; negative zero equals zero.

    Parameters
    ----------
    values : Arrow array, NumPy array or iterable
        Numbers, text, dates, times or booleans.
    method : str
        How equal values are numbered, with other names in brackets:

        - ``ordinal`` (``first``, ``row_number``): each by itself, in the order in which they are given
        - ``min`` (``competition``, ``rank``): all with their smallest number: 1, 2, 2, 4
        - ``max``: all with their largest: 1, 3, 3, 4
        - ``dense`` (``dense_rank``): the same number and none left out: 1, 2, 2, 3
        - ``average``: the mean of their numbers: 1, 2.5, 2.5, 4
        - ``percent`` (``percent_rank``): (min - 1) / (n - 1), 0 for a single value
        - ``random``: each by itself, by a hash of its id and the seed, whatever the order of the input
    order : str
        Which value comes first: ``descending`` (``desc``), the largest, or ``ascending`` (``asc``).
    nulls : str
        Where missing values stand: ``keep`` gives them no rank, ``first`` (``top``) and ``last``
        (``bottom``) put them before or after all others, in either order.
    ids : Arrow array, NumPy array or iterable, optional
        An id for each value, for ``random``.
    seed : int
        For ``random``.

    Returns
    -------
    Array
        ``uint64``, or ``float64`` for ``average`` and ``percent``.

    Raises
    ------
    ConfigError
        For a method, order or place of nulls that does not exist, or a seed that is not between 0 and
        2**64 - 1.
    SchemaError
        For values that have no order.
    DataError
        If the method is ``random`` and there is not one id for each value.

    Examples
    --------
    >>> from comptoir import ranking
    >>> list(ranking.rank([30, None, 50, 30], "min"))
    [2, None, 1, 2]
    >>> list(ranking.rank([2**60, 2**60 + 1], order="ascending"))
    [1, 2]
    >>> list(ranking.rank([0.5, float("nan"), 0.25], "average", nulls="last"))
    [1.0, 3.0, 2.0]
    """
    return ranking_rank(values, method, order, nulls, ids, seed)


@overload
def compare(old: Result, new: Result, persistence: float = 0.9) -> dict[tuple[Any, ...], Comparison]: ...
@overload
def compare(old: Iterable[Hashable], new: Iterable[Hashable], persistence: float = 0.9) -> Comparison: ...
def compare(
    old: Iterable[Hashable] | Result, new: Iterable[Hashable] | Result, persistence: float = 0.9
) -> Comparison | dict[tuple[Any, ...], Comparison]:
    """Compare two orders of items: what a change does to a board before it goes live.

    Parameters
    ----------
    old, new : iterable or Result
        Items from the first place on, each once, such as ``Page.items``; or the results of two variants of a
        board, which are compared group by group.
    persistence : float
        Weight of a place in the rank-biased overlap as a share of that before it, between 0 and 1. With 0.9
        the first ten places have 86 % of the weight.

    Returns
    -------
    Comparison or dict
        For results a dict from the values of each group that is in either; a group that is in one only is
        compared with an empty board.

    Raises
    ------
    DataError
        For an item that stands twice in one order.
    ConfigError
        For a persistence that is not between 0 and 1, and for results with other groups or items.

    Examples
    --------
    >>> from comptoir import ranking
    >>> comparison = ranking.compare(["mug", "bag", "pen"], ["bag", "mug", "cup"])
    >>> comparison.kendall_tau
    -1.0
    >>> comparison.moved[-1]
    Move(item='pen', old=3, new=None)

    Two variants of a board:

    >>> import pyarrow as pa
    >>> sales = pa.table({"country": ["FR"] * 2, "sku": ["mug", "bag"], "units": [4, 7], "price": [9.0, 2.5]})
    >>> spec = {"id": "top", "group": ["country"], "item": "sku", "score": "units", "k": 2}
    >>> variant = {**spec, "score": "double(units) * price"}
    >>> ranking.compare(ranking.build(spec, sales), ranking.build(variant, sales))[("FR",)].kendall_tau
    -1.0
    """
    persistence = number("persistence", persistence, "RANKING_PERSISTENCE")
    if not 0 < persistence < 1:
        raise ConfigError(
            f"the persistence must be between 0 and 1, found {persistence}", "RANKING_PERSISTENCE"
        )
    if isinstance(old, Result) and isinstance(new, Result):
        return _compare_boards(old, new, persistence)
    if isinstance(old, Result) or isinstance(new, Result):
        raise ArgumentError("a result is compared with a result", "RANKING_OTHER_BOARD")
    codes: dict[Hashable, int] = {}
    overlap, biased, tau, moved = ranking_compare(
        _coded("old", old, codes), _coded("new", new, codes), persistence
    )
    items = list(codes)
    return Comparison(overlap, biased, tau, [Move(items[code], *positions) for code, *positions in moved])


def _compare_boards(old: Result, new: Result, persistence: float) -> dict[tuple[Any, ...], Comparison]:
    for field in ("group", "item"):
        if old.spec[field] != new.spec[field]:
            raise ConfigError(
                f"boards with another `{field}` cannot be compared: {old.spec[field]}, {new.spec[field]}",
                "RANKING_OTHER_BOARD",
            )
    before, after = _orders(old), _orders(new)
    groups = dict.fromkeys([*before, *after])
    return {group: compare(before.get(group, []), after.get(group, []), persistence) for group in groups}


def _orders(result: Result) -> dict[tuple[Any, ...], list[Hashable]]:
    """Items of each group in the order of their positions."""
    columns = result.table().to_pydict()
    orders: dict[tuple[Any, ...], list[Hashable]] = {}
    if columns:
        groups = zip(*(columns[name] for name in result.spec["group"]), strict=True)
        items = columns[result.spec["item"]]
        for group, item in zip(groups if result.spec["group"] else repeat(()), items, strict=False):
            orders.setdefault(group, []).append(item)
    return orders


def _coded(name: str, items: Iterable[Hashable], codes: dict[Hashable, int]) -> list[int]:
    """Give items numbers that both orders share."""
    coded: list[int] = []
    for item in each(name, items):
        try:
            coded.append(codes.setdefault(item, len(codes)))
        except TypeError:
            found = f"`{name}[{len(coded)}]` must be a hashable item, not `{type(item).__name__}`"
            raise ArgumentError(found, "RANKING_ITEM_KIND") from None
    if len(set(coded)) < len(coded):
        known = list(codes)
        twice = next(code for place, code in enumerate(coded) if code in coded[:place])
        raise DataError(f"item `{known[twice]}` stands twice in `{name}`", "RANKING_ITEM_TWICE")
    return coded


def mmr(
    relevance: object,
    vectors: Sequence[Sequence[float]] | None = None,
    *,
    likeness: Sequence[Sequence[float]] | None = None,
    lambda_: float = 0.5,
    k: int | None = None,
) -> list[int]:
    """Order candidates by maximal marginal relevance: relevant ones first, each unlike those before it.

    At each place stands the candidate with the largest lambda x relevance - (1 - lambda) x (its largest
    likeness to one that stands already), the first of equal ones (J. Carbonell, J. Goldstein, "The Use of
    MMR, Diversity-Based Reranking for Reordering Documents and Producing Summaries", SIGIR 1998).

    Parameters
    ----------
    relevance : Arrow array, NumPy array or iterable
        A number for each candidate. NaN and null come last.
    vectors : sequence of sequences of float, optional
        A vector for each candidate; likeness is the cosine of their angle.
    likeness : sequence of sequences of float, optional
        The likeness of each candidate to each other, in place of vectors.
    lambda_ : float
        1 asks for relevance only, 0 for difference only.
    k : int, optional
        How many to choose; all without it.

    Returns
    -------
    list of int
        Places of the candidates in `relevance`, from 0.

    Raises
    ------
    ConfigError
        For a lambda outside 0 to 1, or not exactly one of vectors and likeness.
    DataError
        For another number of vectors than of candidates, or vectors of several lengths.

    Examples
    --------
    >>> from comptoir import ranking
    >>> ranking.mmr([0.9, 0.8, 0.5], [[1, 0], [1, 0.1], [0, 1]])
    [0, 2, 1]
    """
    lambda_ = number("lambda_", lambda_, "RANKING_LAMBDA")
    if not 0 <= lambda_ <= 1:
        raise ConfigError(f"lambda must be between 0 and 1, found {lambda_}", "RANKING_LAMBDA")
    if (vectors is None) == (likeness is None):
        raise ConfigError("give either vectors or likeness", "RANKING_LIKENESS")
    rows = vectors if likeness is None else likeness
    assert rows is not None
    return ranking_mmr(relevance, rows, likeness is not None, lambda_, k)
