"""Rank numbers, comparisons, formulas and columns, beside slow oracles in plain Python and peers."""

import math
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import comptoir
from comptoir import ranking
from comptoir.ranking import evaluate, normalise

MISSING = (None, math.nan)
METHODS = ("ordinal", "min", "max", "dense", "average", "percent")


def is_missing(value):
    return value is None or value != value


def oracle(values, method, order, nulls):
    """Ranks by sorting and counting."""
    chosen = [
        (place, value) for place, value in enumerate(values) if nulls != "keep" or not is_missing(value)
    ]
    known = sorted({value for _, value in chosen if not is_missing(value)}, reverse=order == "descending")
    levels = {value: level for level, value in enumerate(known)}
    edge = -1 if nulls == "first" else len(known)
    keyed = sorted((edge if is_missing(value) else levels[value], place) for place, value in chosen)
    ranks = [None] * len(values)
    for number, (level, place) in enumerate(keyed, 1):
        same = [other for other, (other_level, _) in enumerate(keyed, 1) if other_level == level]
        before = len({other for other, _ in keyed if other < level})
        ranks[place] = {
            "ordinal": number,
            "min": same[0],
            "max": same[-1],
            "dense": before + 1,
            "average": sum(same) / len(same),
            "percent": (same[0] - 1) / (len(keyed) - 1) if len(keyed) > 1 else 0.0,
        }[method]
    return ranks


def column_of(values):
    return st.lists(st.none() | values, max_size=12)


@given(
    values=column_of(st.integers(-(2**63), 2**63 - 1) | st.integers(2**60, 2**60 + 3))
    | column_of(st.floats() | st.sampled_from([0.0, -0.0, 1.0]))
    | column_of(st.text(max_size=2))
    | column_of(st.dates())
    | column_of(st.booleans())
    | column_of(st.decimals(-10, 10, places=2)),
    method=st.sampled_from(METHODS),
    order=st.sampled_from(["ascending", "descending"]),
    nulls=st.sampled_from(["keep", "first", "last"]),
)
def test_ranks_are_those_of_a_slow_oracle(values, method, order, nulls):
    found = list(ranking.rank(values, method, order=order, nulls=nulls))
    assert found == pytest.approx(oracle(values, method, order, nulls), nan_ok=False)


@given(values=column_of(st.integers(-3, 3)), order=st.sampled_from(["ascending", "descending"]))
def test_ranks_are_those_of_polars(values, order):
    series = pl.Series("values", values, dtype=pl.Int64)
    for method in ("ordinal", "min", "max", "dense", "average"):
        expected = series.rank(method, descending=order == "descending").to_list()
        assert list(ranking.rank(series, method, order=order)) == expected


TYPES = [
    *(pa.int8(), pa.uint16(), pa.int64(), pa.uint64(), pa.float16(), pa.float32()),
    *(pa.decimal128(20, 3), pa.decimal256(50, 3), pa.date32(), pa.date64()),
    *(pa.timestamp("ns"), pa.duration("ms"), pa.time64("us")),
]


@pytest.mark.parametrize("data_type", TYPES, ids=str)
def test_all_widths(data_type):
    values = [3, 1, None, 3, 2]
    if pa.types.is_date64(data_type):
        values = [None if value is None else value * 86_400_000 for value in values]
    if pa.types.is_float16(data_type):
        array = pa.array([None if value is None else np.float16(value) for value in values], data_type)
    elif pa.types.is_decimal(data_type):
        array = pa.array([None if value is None else Decimal(value) for value in values], data_type)
    else:
        array = pa.array(values, pa.int32() if data_type.bit_width == 32 else pa.int64()).cast(data_type)
    ranks = ranking.rank(array, "min")
    assert (ranks.type, list(ranks)) == ("uint64", [1, 4, None, 1, 3])


def test_large_integers_keep_their_last_digit():
    values = [2**63, 2**63 + 1, 2**64 - 1, 2**63]
    assert list(ranking.rank(np.array(values, dtype=np.uint64), "min")) == [3, 2, 1, 3]
    assert list(ranking.rank([2**100, 2**100 + 1])) == [2, 1]
    assert list(ranking.rank(pa.array([Decimal(10**37), Decimal(10**37 + 1)]))) == [2, 1]


def test_chunks_dictionaries_and_one_column_tables():
    chunked = pa.chunked_array([["b", "a"], [None], ["b"]])
    assert list(ranking.rank(chunked, "dense")) == [1, 2, None, 1]
    assert list(ranking.rank(chunked.dictionary_encode(), "dense")) == [1, 2, None, 1]
    assert list(ranking.rank(pl.Series(["b", "a"], dtype=pl.Categorical))) == [1, 2]
    assert list(ranking.rank(pa.table({"x": [1, 2]}))) == [2, 1]


def test_numpy_arrays():
    assert list(ranking.rank(np.array([0.5, np.nan, 1.5]))) == [2, None, 1]
    days = np.array(["2024-01-01", "NaT", "2024-01-02"], dtype="datetime64[ns]")
    assert list(ranking.rank(days)) == [2, None, 1]
    assert list(ranking.rank([np.int32(1), np.int32(2)])) == [2, 1]


def test_words_of_other_libraries():
    values = [3, 1, 3, None]
    words = [("first", "ordinal"), ("row_number", "ordinal"), ("competition", "min"), ("rank", "min")]
    for word, method in [*words, ("dense_rank", "dense"), ("percent_rank", "percent")]:
        assert list(ranking.rank(values, word)) == list(ranking.rank(values, method))
    for short, long in (("desc", "descending"), ("asc", "ascending")):
        assert list(ranking.rank(values, order=short)) == list(ranking.rank(values, order=long))
    for word, place in (("top", "first"), ("bottom", "last")):
        assert list(ranking.rank(values, nulls=word)) == list(ranking.rank(values, nulls=place))


@given(st.permutations(range(6)), st.integers(0, 2**64 - 1))
def test_random_ranks_follow_ids(order, seed):
    ids, values = ["a", "b", "c", "d", "e", "f"], [1, 1, 2, 1, 2, 1]
    straight = dict(zip(ids, ranking.rank(values, "random", ids=ids, seed=seed), strict=True))
    moved = [ids[place] for place in order]
    ranks = ranking.rank([values[place] for place in order], "random", ids=moved, seed=seed)
    assert dict(zip(moved, ranks, strict=True)) == straight
    assert {straight["c"], straight["e"]} == {1, 2}


def test_random_ranks_need_ids():
    for ids in (None, ["a"]):
        with pytest.raises(comptoir.DataError) as caught:
            ranking.rank([1, 2], "random", ids=ids)
        assert caught.value.code == "RANKING_IDS"


def test_wrong_words_and_values_are_named():
    for wrong in ({"method": "best"}, {"order": "up"}, {"nulls": "drop"}):
        with pytest.raises(comptoir.ConfigError, match="use one of") as caught:
            ranking.rank([1], **wrong)
        assert caught.value.code == "RANKING_NAME"
    with pytest.raises(comptoir.SchemaError, match="expected numbers, text"):
        ranking.rank(pa.array([[1], [2]]))
    with pytest.raises(
        comptoir.SchemaError, match=r"`values`\[1\]: a `str` does not go with the values before"
    ):
        ranking.rank([1, "2"])
    with pytest.raises(comptoir.SchemaError, match=r"`values`\[0\]: a `object` is no value"):
        ranking.rank([object()])
    with pytest.raises(comptoir.SchemaError, match="a table of 2") as caught:
        ranking.rank(pa.table({"a": [1], "b": [2]}))
    assert caught.value.code == "ARROW_NOT_COLUMN"
    with pytest.raises(comptoir.SchemaError, match="has no exact float"):
        ranking.rank([0.5, 2**53 + 1])
    with pytest.raises(TypeError):
        ranking.rank(5)


def test_arrays_hold_what_lists_hold():
    moment = datetime(2024, 3, 31, 8, 30, tzinfo=timezone(timedelta(hours=2)))
    for values in (
        [True, None, False],
        [1, -1, None],
        [2**63, None],
        [0.5, 2, None],
        ["é", "", None],
        [date(2024, 3, 31), None],
        [Decimal("1.25"), Decimal("-3.00"), None],
        [moment, None],
        [None, None],
        [],
    ):
        array = comptoir.Array(values)
        assert list(array) == values
        assert array.to_pyarrow().to_pylist() == values
        assert (len(array), array.null_count) == (len(values), values.count(None))
    assert comptoir.Array([1, 2, 3])[-1] == 3
    for place in (3, -4):
        with pytest.raises(IndexError):
            comptoir.Array([1, 2, 3])[place]
    assert pl.Series(comptoir.Array([1, 2])).to_list() == [1, 2]


def test_what_changed_between_two_orders():
    same = ranking.compare(["a", "b"], ["a", "b"])
    assert (same.overlap, same.rank_biased_overlap, same.kendall_tau, same.moved) == (1.0, 1.0, 1.0, [])
    change = ranking.compare([1, 2, 3, 4], [1, 4, 2, 9])
    assert change.overlap == 0.75
    assert change.kendall_tau == pytest.approx(1 / 3)
    assert change.moved == [(4, 4, 2), (2, 2, 3), (9, None, 4), (3, 3, None)]
    assert ranking.compare([], ["x"]).kendall_tau is None
    with pytest.raises(comptoir.DataError, match="item `b` stands twice in `new`"):
        ranking.compare(["a"], ["b", "a", "b"])
    for persistence in (0, 1, math.nan):
        with pytest.raises(comptoir.ConfigError):
            ranking.compare([1], [1], persistence)


@given(st.permutations(range(7)))
def test_kendalls_tau_counts_pairs(order):
    pairs = [(left, right) for left in range(7) for right in range(left + 1, 7)]
    agree = sum(1 if order[left] < order[right] else -1 for left, right in pairs)
    assert ranking.compare(range(7), order).kendall_tau == pytest.approx(agree / len(pairs))


def test_relevance_against_likeness():
    square = [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert ranking.mmr([0.9, 0.8, 0.5], likeness=square) == [0, 2, 1]
    assert ranking.mmr([0.9, 0.8, 0.5], likeness=square, lambda_=1, k=2) == [0, 1]
    assert ranking.mmr([None, 0.1], np.eye(2)) == [1, 0]
    with pytest.raises(comptoir.ConfigError, match="either vectors or likeness"):
        ranking.mmr([1.0])
    with pytest.raises(comptoir.ConfigError, match="between 0 and 1"):
        ranking.mmr([1.0], [[1.0]], lambda_=2)
    with pytest.raises(ValueError, match="there are 2 candidates"):
        ranking.mmr([1.0, 2.0], [[1.0]])


def test_formulas_over_numbers_and_columns():
    assert normalise.log1p(math.e - 1) == 1.0
    assert list(normalise.log1p([0, None, math.nan]))[:2] == [0.0, None]
    trials = pa.array([20, 29], pa.uint8())
    lower = normalise.wilson_lower(np.array([0, 1]), trials)
    assert list(lower) == [normalise.wilson_lower(0, 20), normalise.wilson_lower(1, 29)]
    assert lower.type == "float64"
    assert list(normalise.half_life([Decimal("8.0"), None], 7, 7)) == [4.0, None]
    assert normalise.cap(None, 0, 1) is None
    with pytest.raises(ValueError, match="one length"):
        normalise.cap([1, 2], [1], 3)
    with pytest.raises(comptoir.SchemaError, match="expected numbers, found utf8") as caught:
        normalise.log1p(["a"])
    assert caught.value.code == "ARROW_NOT_NUMBERS"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.floats(0, 1))
def test_values_among_others_are_those_of_numpy(values, share):
    assert normalise.quantile(values, share) == pytest.approx(np.quantile(values, share))
    if np.ptp(values) > 1e-3:
        expected = (np.array(values) - np.mean(values)) / np.std(values)
        assert list(normalise.z_score(values)) == pytest.approx(list(expected), rel=1e-6, abs=1e-6)
        expected = (np.array(values) - min(values)) / (max(values) - min(values))
        assert list(normalise.min_max(values)) == pytest.approx(list(expected))
    below = [sum(other < value for other in values) for value in values]
    same = [sum(other == value for other in values) for value in values]
    expected = [(less + equal / 2) / len(values) for less, equal in zip(below, same, strict=True)]
    assert list(normalise.percentile(values)) == pytest.approx(expected)


def test_how_good_an_order_is():
    assert evaluate.dcg([3, 0, 2], 1) == 3.0
    assert evaluate.ndcg([0, 0]) == 0.0
    assert evaluate.ndcg([2, 1], ideal=[3, 2], gain="exponential") < 1
    assert evaluate.mean_reciprocal_rank([["a", "b"]], [{"b"}], k=1) == 0.0
    assert evaluate.mean_reciprocal_rank([], []) == 0.0
    with pytest.raises(comptoir.ConfigError, match="no gain"):
        evaluate.dcg([1], gain="cubic")
    for share, alpha in ((0, 0.1), (0.5, 1), (math.nan, 0.1)):
        with pytest.raises(comptoir.ConfigError, match="between 0 and 1"):
            evaluate.minimum_table(5, share, alpha)


@given(st.integers(1, 12), st.floats(0.05, 0.95), st.floats(0.01, 0.3))
def test_chance_misses_a_minimum_table_as_often_as_it_says(k, share, alpha):
    table = evaluate.minimum_table(k, share, alpha, is_adjusted=False)
    missed = 0.0
    for draws in range(2**k):
        drawn = [draws >> place & 1 for place in range(k)]
        counts = np.cumsum(drawn)
        if any(count < least for count, least in zip(counts, table.counts, strict=True)):
            missed += share ** sum(drawn) * (1 - share) ** (k - sum(drawn))
    assert table.fail_probability == pytest.approx(missed, abs=1e-12)
    adjusted = evaluate.minimum_table(k, share, alpha)
    assert abs(adjusted.fail_probability - alpha) <= abs(table.fail_probability - alpha) + 1e-12
