"""What each kind of ranking case runs, and how what comes out is compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import pyarrow as pa

from comptoir import ArgumentError, Error, ranking
from comptoir.ranking import evaluate, normalise

Pairs: TypeAlias = Iterable[tuple[str, Any, Any]]
"""What is compared: its name, what is expected, what was found."""

FLOATS = {"nan", "inf", "-inf", "-0.0"}
Z95 = 1.959963984540054


class SkippedError(Exception):
    """A case that is not run; the message is the reason."""


class MalformedError(Exception):
    """A case that is not of the form of its kind."""


def field(source: Any, name: str) -> Any:
    """Give a field that must be there."""
    if not isinstance(source, dict) or name not in source:
        raise MalformedError(f"the field `{name}` is missing")
    return source[name]


def only(source: Any, *known: str) -> None:
    """SkippedError a case that asks for more than is known: it would pass or fail for another reason."""
    if unknown := sorted(set(source) - set(known)):
        raise SkippedError(f"comptoir has nothing for `{', '.join(unknown)}`")


def numbers(values: Any) -> Any:
    """Read values; JSON has no NaN, infinity and negative zero, so that these are written as text."""
    if not isinstance(values, list):
        raise MalformedError(f"expected a list of values, found `{values}`")
    texts = {value for value in values if isinstance(value, str)}
    if texts and texts <= FLOATS:
        return [float(value) if isinstance(value, str) else value for value in values]
    return values


def ordered(source: Any) -> str:
    """Give the order of values by `order` or `desc`."""
    if "order" in source:
        return str(source["order"])
    return "descending" if source.get("desc", True) else "ascending"


def rank(source: Any, expected: Any) -> Pairs:
    """Ranks of values."""
    only(source, "values", "method", "order", "nulls", "ids", "seed")
    names = {name: source[name] for name in ("nulls", "ids", "seed") if name in source}
    found = ranking.rank(
        numbers(field(source, "values")), source.get("method", "ordinal"), order=ordered(source), **names
    )
    yield "ranks", expected, list(found)


def top_values(source: Any, expected: Any) -> Pairs:
    """The first values."""
    only(source, "values", "k", "desc", "order", "nulls")
    values = numbers(field(source, "values"))
    ranks = ranking.rank(values, order=ordered(source), nulls=source.get("nulls", "keep"))
    first = sorted((place, value) for place, value in zip(ranks, range(len(values)), strict=True) if place)
    yield "values", expected, [values[row] for place, row in first if place <= field(source, "k")]


def top_rows(source: Any, expected: Any) -> Pairs:
    """The first rows by several columns: the first one is the score, the others decide ties."""
    only(source, "columns", "by", "k", "desc", "group")
    columns, by = field(source, "columns"), field(source, "by")
    by = by if isinstance(by, list) else [by]
    falls = source.get("desc", True)
    falls = falls if isinstance(falls, list) else [falls] * len(by)
    group = source.get("group")
    rows = range(len(columns[by[0]]))
    board = ranking.build(
        {
            "id": "rows",
            "group": [group] if group else [],
            "item": "row",
            "score": by[0] if falls[0] else f"-{by[0]}",
            "ties": [
                {"by": name, "order": "desc" if fall else "asc"}
                for name, fall in zip(by[1:], falls[1:], strict=True)
            ],
            "k": field(source, "k"),
        },
        pa.table({**columns, "row": list(rows)}),
    )
    places = board.table().to_pylist()
    if group:
        # Groups stand in the order of their values; the case has its own.
        order = list(dict.fromkeys(expected[group]))
        places.sort(key=lambda place: (order.index(place[group]), place["position"]))
    for name, values in expected.items():
        yield name, values, [columns[name][place["row"]] for place in places]


def minimum_table(is_adjusted: bool, attribute: str) -> Callable[[Any, Any], Pairs]:
    """Give the run for a part of a minimum table."""

    def run(source: Any, expected: Any) -> Pairs:
        k, share, alpha = (field(source, name) for name in ("k", "p", "alpha"))
        # The implementation whose numbers are known leaves out the last prefix.
        table = evaluate.minimum_table(k, share, alpha, is_adjusted=is_adjusted, prefixes=k - 1)
        yield attribute, expected, getattr(table, attribute)

    return run


def mmr(source: Any, expected: Any) -> Pairs:
    """Items by relevance to a query and likeness to each other, both as cosines."""
    query, items = field(source, "query"), field(source, "items")
    relevance = [cosine(query, item) for item in items]
    yield "items", expected, ranking.mmr(relevance, items, lambda_=field(source, "lam"), k=field(source, "k"))


def cosine(left: Any, right: Any) -> float:
    """Cosine of the angle between two vectors."""
    dot = math.fsum(one * other for one, other in zip(left, right, strict=True))
    return dot / math.hypot(*left) / math.hypot(*right)


def gains(source: Any, expected: Any) -> Pairs:
    """Discounted gains in both forms."""
    grades, ideal, k = (field(source, name) for name in ("gains_in_rank_order", "all_gains", "k"))
    found = {
        "dcg": evaluate.dcg(grades, k),
        "ndcg": evaluate.ndcg(grades, ideal, k),
        "dcg_burges": evaluate.dcg(grades, k, gain="exponential"),
        "ndcg_burges": evaluate.ndcg(grades, ideal, k, gain="exponential"),
    }
    only(expected, *found)
    for name, value in expected.items():
        yield name, value, found[name]


def reciprocal_rank(source: Any, expected: Any) -> Pairs:
    """Mean reciprocal rank of several queries."""
    found = evaluate.mean_reciprocal_rank(field(source, "ranked"), field(source, "relevant"), source.get("k"))
    yield "mrr", expected, found


def wilson(source: Any, expected: Any) -> Pairs:
    """Both ends of a Wilson interval: to four digits, and in full."""
    counts = field(source, "successes"), field(source, "n")
    found = {"lower": normalise.wilson_lower(*counts, Z95), "upper": normalise.wilson_upper(*counts, Z95)}
    only(expected, "lower", "upper", "lower_full", "upper_full")
    for name, value in expected.items():
        bare = found[name.removesuffix("_full")]
        yield name, value, bare if name.endswith("_full") else round(bare, 4)


def rank_from_score(source: Any, expected: Any) -> Pairs:
    """Ranks by a real score."""
    if not isinstance(expected, list):
        raise SkippedError("the case has scores, but no ranks to compare with")
    yield "ranks", expected, list(ranking.rank(numbers(source), "min"))


def missing_values(source: Any, expected: Any) -> Pairs:
    """Ranks of NaN, null and negative zero, where engines disagree: one of them must be as comptoir says."""
    found = list(ranking.rank(numbers(field(source, "values")), "min", nulls="last"))
    same = [name for name, ranks in expected.items() if ranks == found]
    yield "ranks as one engine has them", same[:1] or expected, same[:1] if same else found


def sorted_set(source: Any, expected: Any) -> Pairs:
    """Members of a sorted set, the smallest score first."""
    only(expected, "zrange")
    board = ranking.Leaderboard()
    for score, member in field(source, "zadd"):
        board.update(member, -score)
    yield "members", field(expected, "zrange"), [entry.item for entry in board.top(len(board))]


def formula(run: Callable[..., Any], *names: str) -> Callable[[Any, Any], Pairs]:
    """Give the run for a formula over a list of arguments."""

    def over(source: Any, expected: Any) -> Pairs:
        columns = [[float(field(row, name)) for row in source] for name in names]
        yield "values", expected, list(run(*columns))

    return over


def compared(source: Any, expected: Any) -> Pairs:
    """Two orders side by side."""
    only(source, "old", "new", "persistence")
    found = ranking.compare(field(source, "old"), field(source, "new"), source.get("persistence", 0.9))
    for name, value in expected.items():
        one = getattr(found, name)
        yield name, value, [list(move) for move in one] if name == "moved" else one


KINDS: dict[str, Callable[[Any, Any], Pairs]] = {
    "rank": rank,
    "topk_nulls": top_values,
    "topk_multi": top_rows,
    "topk_group": top_rows,
    "fair_mtable_unadjusted": minimum_table(False, "counts"),
    "fair_mtable_adjusted": minimum_table(True, "counts"),
    "fair_adjust_alpha": minimum_table(True, "alpha"),
    "fair_fail_probability_of_adjusted_mtable": minimum_table(True, "fail_probability"),
    "mmr_cosine": mmr,
    "dcg_ndcg": gains,
    "mrr": reciprocal_rank,
    "wilson95": wilson,
    "rank_from_score_real": rank_from_score,
    "nan_null_matrix": missing_values,
    "zset_ties": sorted_set,
    "hn_decay": formula(normalise.hacker_news, "votes", "age_hours"),
    "reddit_hot": formula(normalise.reddit_hot, "score", "epoch"),
    "half_life": formula(normalise.half_life, "value", "age", "half_life"),
    "bayesian_average": formula(normalise.bayesian_average, "total", "count", "prior", "weight"),
    "compare": compared,
}


def differences(pairs: Pairs, tolerance: float) -> list[str]:
    """What is not as expected. An error that the case expects is `{"error": code}`."""
    found = []
    try:
        for name, expected, value in pairs:
            if not same(expected, value, tolerance):
                found.append(f"{name}: expected {expected}, found {value}")
    except (TypeError, KeyError, AttributeError, IndexError, ValueError) as error:
        # A value of a type that no function takes is one of the line.
        if isinstance(error, Error) and not isinstance(error, ArgumentError):
            return [f"{error.code}: {error}"]
        raise MalformedError(f"{type(error).__name__}: {error}") from error
    except Error as error:
        return [f"{error.code}: {error}"]
    return found


def same(expected: Any, found: Any, tolerance: float) -> bool:
    """Whether values are the same; floats within the tolerance."""
    if isinstance(expected, list) and isinstance(found, list):
        pairs = zip(expected, found, strict=False)
        return len(expected) == len(found) and all(same(left, right, tolerance) for left, right in pairs)
    if isinstance(expected, int | float) and isinstance(found, int | float):
        is_exact = isinstance(expected, int) and isinstance(found, int)
        return (
            expected == found
            if is_exact
            else math.isclose(expected, found, rel_tol=tolerance, abs_tol=tolerance)
        )
    return bool(expected == found)
