"""Boards beside a slow oracle that sorts everything, and beside the queries of other engines."""

import itertools
import json
import math
import threading
import time
from decimal import Decimal

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comptoir import ranking

EVENT = st.fixed_dictionaries(
    {
        "country": st.sampled_from(["DE", "FR", None]),
        "sku": st.sampled_from(["a", "b", "c", "d", None]),
        "units": st.integers(-3, 5),
        "price": st.sampled_from([0.1, 0.2, 0.3, 1e16, -1e16, 1.0, math.nan, None]),
    }
)
EVENTS = st.lists(EVENT, max_size=30)
CUTS = st.lists(st.integers(0, 30), max_size=3)
SCHEMA = pa.schema({"country": pa.string(), "sku": pa.string(), "units": pa.int64(), "price": pa.float64()})


def table(rows):
    return pa.Table.from_pylist(rows, SCHEMA)


def in_order(value):
    """Null last."""
    return (value is None, value or "")


def pieces(rows, cuts):
    edges = [0, *sorted(cut % (len(rows) + 1) for cut in cuts), len(rows)]
    return [rows[start:end] for start, end in itertools.pairwise(edges)]


def collected(spec, parts, merged):
    """The result of a board whose parts are pushed one by one, or collected apart and merged."""
    board = ranking.Board(spec)
    for part in parts:
        if merged:
            other = ranking.Board(spec)
            other.push(table(part))
            board.merge(other)
        else:
            board.push(table(part))
    return board.finish()


@settings(max_examples=150, deadline=None)
@given(
    st.lists(EVENT, max_size=30), st.lists(st.integers(0, 30), max_size=3), st.booleans(), st.integers(1, 3)
)
def test_rows_as_candidates_beside_sorting_everything(rows, cuts, merged, k):
    spec = {
        "id": "price",
        "group": ["country"],
        "item": "sku",
        "eligibility": "units > 0",
        "score": "price",
        "ties": [{"by": "units", "order": "desc"}],
        "k": k,
    }
    result = collected(spec, pieces(rows, cuts), merged)
    chosen = [row for row in rows if row["units"] > 0 and row["sku"] is not None]
    scored = [row for row in chosen if row["price"] is not None and not math.isnan(row["price"])]
    expected, ties = [], 0
    for country in sorted({row["country"] for row in scored}, key=in_order):
        best = {}
        for row in sorted(scored, key=lambda row: (-row["price"], -row["units"], row["sku"])):
            if row["country"] == country:
                best.setdefault(row["sku"], row)
        order = list(best.values())
        for position, row in enumerate(order[:k], 1):
            expected.append((country, row["sku"], position, row["price"]))
        ties += len(order) > k and order[k]["price"] == order[k - 1]["price"]
    assert [tuple(place.values()) for place in result.table().to_pylist()] == expected
    report = result.report
    assert (report.rows, report.candidates) == (len(rows), len(scored))
    assert report.without_score == len(chosen) - len(scored)
    assert report.not_eligible == sum(row["units"] <= 0 for row in rows)
    assert report.without_item == sum(row["units"] > 0 and row["sku"] is None for row in rows)
    assert len(report.cut_ties) == ties


@settings(max_examples=150, deadline=None)
@given(EVENTS, CUTS, st.booleans(), st.randoms())
def test_events_as_metrics_beside_sorting_everything(rows, cuts, merged, random):
    spec = {
        "id": "sold",
        "group": ["country"],
        "item": "sku",
        "metrics": {
            "sold": {"sum": "units"},
            "paid": {"sum": "price", "where": "units > 0"},
            "orders": {"count": "units > 0"},
            "most": {"max": "units"},
        },
        "having": "orders >= 2",
        "score": "paid",
        "ties": [{"by": "sold", "order": "desc"}],
        "k": 9,
    }
    result = collected(spec, pieces(rows, cuts), merged)
    expected = []
    kept = [row for row in rows if row["sku"] is not None]
    for country in sorted({row["country"] for row in kept}, key=in_order):
        items = []
        for sku in {row["sku"] for row in kept if row["country"] == country}:
            own = [row for row in kept if (row["country"], row["sku"]) == (country, sku)]
            sales = [row for row in own if row["units"] > 0]
            prices = [row["price"] for row in sales if row["price"] is not None]
            prices = [price for price in prices if not math.isnan(price)]
            if len(sales) >= 2 and prices:
                items.append((-math.fsum(prices), -sum(row["units"] for row in own), sku))
        for position, (paid, _, sku) in enumerate(sorted(items), 1):
            expected.append((country, sku, position, -paid))
    assert [tuple(place.values()) for place in result.table().to_pylist()] == expected
    shuffled = list(rows)
    random.shuffle(shuffled)
    again = collected(spec, pieces(shuffled, cuts[::-1]), not merged)
    assert pa.table(again).equals(pa.table(result))
    assert again.report == result.report


@pytest.fixture(scope="module")
def items():
    random = np.random.default_rng(7)
    rows = 20_000
    return pa.table(
        {
            "grp": random.zipf(1.5, rows) % 50,
            "id": random.permutation(rows),
            "gmv": np.round(random.lognormal(3, 2, rows), 1),
            "sales": random.integers(0, 5, rows),
            "stock": random.integers(0, 2, rows),
        }
    )


TOP = {
    "id": "top",
    "group": ["grp"],
    "item": "id",
    "eligibility": "stock > 0",
    "score": "0.5 * gmv + 3.0 * double(sales)",
    "k": 7,
}


def test_top_of_groups_as_polars_has_it(items):
    score = 0.5 * pl.col("gmv") + 3.0 * pl.col("sales")
    expected = (
        pl.DataFrame(items)
        .filter(pl.col("stock") > 0)
        .with_columns(score=score)
        .sort("grp", "score", "id", descending=[False, True, False])
        .group_by("grp", maintain_order=True)
        .head(7)
        .select("grp", "id", "score")
    )
    found = pl.DataFrame(ranking.build(TOP, items)).select("grp", "id", "score")
    assert found.equals(expected)
    assert pl.DataFrame(ranking.build(TOP, pl.DataFrame(items))).select("grp", "id", "score").equals(expected)


def test_top_of_groups_as_duckdb_has_it(items):
    query = """
        select grp, id, row_number() over (partition by grp order by score desc, id) as position, score
        from (select *, 0.5 * gmv + 3.0 * sales as score from items where stock > 0)
        qualify position <= 7 order by grp, position
    """
    expected = duckdb.sql(query).to_arrow_table()
    assert pa.table(ranking.build(TOP, items)).to_pylist() == expected.to_pylist()
    assert pa.table(ranking.build(TOP, duckdb.sql("from items"))).to_pylist() == expected.to_pylist()


def test_metrics_as_duckdb_has_them(items):
    query = """
        select sales, grp, row_number() over (partition by sales order by units desc, grp) as position, units
        from (select sales, grp, sum(stock) as units from items group by all)
        qualify position <= 4 order by sales, position
    """
    expected = [tuple(row.values()) for row in duckdb.sql(query).to_arrow_table().to_pylist()]
    spec = {"id": "top", "group": ["sales"], "item": "grp", "metrics": {"units": {"sum": "stock"}}}
    found = ranking.build({**spec, "score": "units", "k": 4}, items).table().to_pylist()
    assert [tuple(row.values()) for row in found] == expected


def test_money_is_exact():
    lines = pa.table(
        {"sku": ["a", "a", "b"], "amount": pa.array([Decimal("0.10"), Decimal("0.20"), Decimal("0.30")])}
    )
    spec = {"id": "top", "item": "sku", "metrics": {"paid": {"sum": "amount"}}, "score": "paid", "k": 2}
    result = ranking.build({**spec, "k": 1}, lines)
    assert result.table().to_pydict()["score"] == [Decimal("0.3")]
    assert len(result.report.cut_ties) == 1


def test_specs_as_mapping_text_and_file(tmp_path):
    sales = pa.table({"sku": ["a", "b"], "units": [1, 2]})
    spec = {"id": "top", "item": "sku", "score": "units", "k": 1}
    yaml = "id: top\nitem: sku\nscore: units\nk: 1\n"
    (tmp_path / "board.yaml").write_text(yaml)
    results = [ranking.build(form, sales) for form in (spec, json.dumps(spec), yaml, tmp_path / "board.yaml")]
    assert {result.spec_hash for result in results} == {results[0].spec_hash}
    assert {tuple(result.table().to_pydict()["sku"]) for result in results} == {("b",)}
    assert results[0].spec["group"] == []
    assert repr(results[0]) == "Result('top', 1 places)"
    assert repr(ranking.Board(yaml)) == "Board('top')"


def test_no_rows_and_no_tables():
    spec = {"id": "top", "group": ["country"], "item": "sku", "score": "units", "k": 1}
    nothing = ranking.Board(spec).finish()
    assert (len(nothing), nothing.table().column_names) == (0, [])
    empty = ranking.build(spec, table([]))
    assert pa.table(empty).schema.names == ["country", "sku", "position", "score"]
    assert pa.table(empty).schema.field("score").type == pa.int64()
    assert pa.record_batch(empty).num_rows == 0


def test_a_stream_is_read_part_by_part_while_others_go_on():
    batch = pa.record_batch({"sku": np.arange(100_000), "units": np.arange(100_000)})
    pulled = []

    def batches():
        for number in range(40):
            pulled.append(number)
            time.sleep(0.001)  # as one that reads a file; what is at hand is read at once
            yield batch

    board = ranking.Board({"id": "top", "item": "sku", "score": "units", "k": 1})
    done = threading.Event()
    ticks = []

    def tick():
        while not done.is_set():
            ticks.append(len(pulled))
            done.wait(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    board.push(pa.RecordBatchReader.from_batches(batch.schema, batches()))
    done.set()
    ticker.join()
    assert board.finish().report.rows == 4_000_000
    assert len(pulled) == 40
    assert len(set(ticks)) > 2
