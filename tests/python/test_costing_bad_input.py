"""Bad input: a clear error with its place, and nothing lost."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import comptoir
from comptoir import costing
from histories import assert_laws, closing, codes, rows, table, valued
from oracle_books import Move

GOOD = [Move("r1", 0, "receipt", 10, 10000), Move("i1", 1, "issue", 4)]


def with_bad(*bad: Move, **policy: Any) -> costing.Valuation:
    """The good rows stand: 6 units for 60.00 are left whatever the bad rows say."""
    valuation = valued([*GOOD, *bad], **policy)
    assert closing(valuation)[:1] == ["6 60.00"]
    assert_laws(valuation, 2 + len(bad))
    return valuation


def replaced(name: str, column: pa.Array | None) -> pa.Table:
    good = table(GOOD)
    place = good.schema.get_field_index(name)
    return good.remove_column(place) if column is None else good.set_column(place, name, column)


def message(valuation: costing.Valuation) -> str:
    (row,) = rows(valuation.rejected)
    text: str = row["message"]
    assert text[0].islower()
    assert not text.endswith(".")
    return text


# --- columns


@pytest.mark.parametrize("column", ["movement_id", "item", "at", "kind", "quantity", "amount"])
def test_a_missing_column_is_named(column: str) -> None:
    with pytest.raises(comptoir.SchemaError) as caught:
        costing.value(replaced(column, None))
    assert caught.value.code == "TYPES_COLUMN_MISSING"
    assert f"`{column}`" in str(caught.value)


@pytest.mark.parametrize(
    ("column", "array", "hint"),
    [
        ("amount", pa.array([100.0, None], pa.float64()), "decimal"),
        ("amount", pa.array([100.0, None], pa.float32()), "decimal"),
        ("quantity", pa.array([10.0, 4.0]), "decimal"),
        ("at", pa.array(["2026-01-01", "2026-01-02"]), "date"),
        ("kind", pa.array([1, 2]), "text"),
        ("movement_id", pa.array([1.5, 2.5]), "float64"),
        ("item", pa.array([True, False]), "bool"),
        ("quantity", pa.array([b"1", b"2"]), "binary"),
    ],
)
def test_a_wrong_type_names_column_and_type(column: str, array: pa.Array, hint: str) -> None:
    with pytest.raises(comptoir.SchemaError) as caught:
        costing.value(replaced(column, array))
    assert f"`{column}`" in str(caught.value)
    assert hint in str(caught.value).lower()
    assert caught.value.code.startswith("TYPES_")


def test_a_repeated_column_is_refused() -> None:
    good = table(GOOD)
    with pytest.raises(comptoir.SchemaError, match="`item`"):
        costing.value(good.append_column("item", good["item"]))


def test_no_table_at_all() -> None:
    with pytest.raises(comptoir.NotArrowError):
        costing.value([{"movement_id": "r1"}])


# --- rows


def test_unknown_kind() -> None:
    valuation = with_bad(Move("x", 2, "sale", 1))
    assert codes(valuation) == [(2, "UNKNOWN_KIND")]
    assert "`kind`" in message(valuation)


@pytest.mark.parametrize("column", ["movement_id", "item", "at", "kind", "quantity"])
def test_null_where_none_may_be(column: str) -> None:
    rows_in = table([*GOOD, Move("x", 2, "issue", 1)])
    place = rows_in.schema.get_field_index(column)
    cells = [*rows_in[column].to_pylist()[:2], None]
    bad = rows_in.set_column(place, column, pa.array(cells, rows_in.schema.field(column).type))
    valuation = costing.value(bad)
    assert codes(valuation) == [(2, "NULL_VALUE")]
    assert closing(valuation) == ["6 60.00"]
    assert valuation.counts.accepted == 2


@pytest.mark.parametrize("kind", ["receipt", "opening", "provisional_receipt", "cost_adjustment"])
def test_a_kind_that_needs_an_amount(kind: str) -> None:
    valuation = with_bad(Move("x", 2, kind, 1))
    assert codes(valuation) == [(2, "AMOUNT")]
    assert "`amount`" in message(valuation)


def test_a_negative_amount_of_a_receipt() -> None:
    assert codes(with_bad(Move("x", 2, "receipt", 1, -1))) == [(2, "AMOUNT")]


def test_repeated_id_with_the_same_content_is_ignored_and_counted() -> None:
    valuation = with_bad(GOOD[1])
    assert codes(valuation) == [(2, "DUPLICATE_IGNORED")]
    assert valuation.counts.duplicates == 1
    assert "row 1" in message(valuation)


@pytest.mark.parametrize(
    "other",
    [
        Move("i1", 1, "issue", 5),
        Move("i1", 2, "issue", 4),
        Move("i1", 1, "count_loss", 4),
        Move("i1", 1, "issue", 4, item="pot"),
        Move("i1", 1, "issue", 4, pool="A"),
        Move("i1", 1, "issue", 4, lot="L"),
        Move("i1", 1, "issue", 4, group="g"),
        Move("i1", 1, "issue", 4, ref="r1"),
        Move("i1", 1, "issue", 4, 400),
    ],
)
def test_repeated_id_with_other_content_is_rejected(other: Move) -> None:
    valuation = with_bad(other)
    assert codes(valuation) == [(2, "DUPLICATE_ID")]
    assert valuation.counts.duplicates == 0
    assert "row 1" in message(valuation)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (Move("x", 2, "sales_return", 1, ref="nothing"), "REFERENCE_UNKNOWN"),
        (Move("x", 0, "sales_return", 1, ref="i1"), "REFERENCE_LATER"),
        (Move("x", 2, "sales_return", 1, ref="r1"), "REFERENCE_KIND"),
        (Move("x", 2, "purchase_return", 1, ref="i1"), "REFERENCE_KIND"),
        (Move("x", 2, "transfer_in", 1, ref="i1"), "REFERENCE_KIND"),
        (Move("x", 2, "sales_return", 1, ref="i1", item="pot"), "REFERENCE_ITEM"),
        (Move("x", 2, "reversal", ref="i1", pool="A"), "REFERENCE_POOL"),
        (Move("x", 2, "sales_return", 5, ref="i1"), "REFERENCE_EXCEEDED"),
        (Move("x", 2, "reversal"), "REFERENCE_MISSING"),
        (Move("x", 2, "transfer_in", 1), "REFERENCE_MISSING"),
        (Move("x", 2, "settlement", 1, 100, ref="r1"), "REFERENCE_KIND"),
    ],
)
def test_bad_references(bad: Move, code: str) -> None:
    valuation = with_bad(bad)
    assert codes(valuation) == [(2, code)]
    assert message(valuation)


def test_reference_to_a_rejected_movement() -> None:
    valuation = with_bad(Move("x", 2, "issue", 100), Move("y", 3, "sales_return", 1, ref="x"))
    assert codes(valuation) == [(2, "NEGATIVE_STOCK"), (3, "REFERENCE_REJECTED")]


@pytest.mark.parametrize("kind", ["receipt", "issue", "count_loss", "count_gain", "transfer_out"])
@pytest.mark.parametrize("qty", [0, -1])
def test_quantities_that_a_kind_forbids(kind: str, qty: int) -> None:
    valuation = with_bad(Move("x", 2, kind, qty, 100))
    assert codes(valuation) == [(2, "QUANTITY_SIGN")]
    assert f"found {qty}" in message(valuation)


def test_a_count_may_find_nothing_but_not_less() -> None:
    assert closing(valued([*GOOD, Move("c", 2, "count", 0)])) in ([], ["0 0.00"])
    assert codes(with_bad(Move("c", 2, "count", -1))) == [(2, "QUANTITY_SIGN")]


def test_numbers_beyond_18_digits() -> None:
    limit = 10**18
    for bad in (Move("x", 2, "receipt", 1, limit), Move("x", 2, "receipt", limit, 1)):
        valuation = with_bad(bad)
        assert codes(valuation) == [(2, "OVERFLOW")]
        assert "18 digits" in message(valuation)


def test_a_sum_beyond_18_digits() -> None:
    most = 10**18 - 1
    moves = [Move("a", 0, "receipt", 1, most, item="pot"), Move("b", 1, "receipt", 1, 1, item="pot")]
    valuation = valued(moves)
    assert codes(valuation) == [(1, "OVERFLOW")]
    assert closing(valuation) == ["1 9999999999999999.99"]


def test_numbers_beyond_64_bits() -> None:
    big = pa.array([Decimal("1" + "0" * 25), None], pa.decimal128(38, 2))
    valuation = costing.value(replaced("amount", big))
    assert codes(valuation)[0] == (0, "OVERFLOW")
    assert valuation.counts.accepted + valuation.counts.rejected == 2


def test_excess_scale_is_refused_not_rounded() -> None:
    amount = pa.array([Decimal("100.001"), None], pa.decimal128(12, 3))
    valuation = costing.value(replaced("amount", amount), {"negative": "carry"})
    assert codes(valuation) == [(0, "EXCESS_SCALE")]
    exact = pa.array([Decimal("100.000"), None], pa.decimal128(12, 3))
    assert closing(costing.value(replaced("amount", exact))) == ["6 60.00"]
    whole = costing.value(
        replaced("quantity", pa.array([Decimal("10.5"), Decimal(4)])), {"quantity_scale": 0}
    )
    assert codes(whole)[0] == (0, "EXCESS_SCALE")


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_timestamps_out_of_range(unit: str) -> None:
    per_second = {"s": 1, "ms": 10**3, "us": 10**6}[unit]
    good = int((datetime(2026, 1, 1) - datetime(1970, 1, 1)).total_seconds())
    times = [good * per_second, (good + 60) * per_second, 253_402_300_800 * per_second]
    moves = table([*GOOD, Move("x", 2, "receipt", 1, 100)])
    at = pa.array(times, pa.int64()).cast(pa.timestamp(unit))
    valuation = costing.value(moves.set_column(moves.schema.get_field_index("at"), "at", at))
    assert codes(valuation) == [(2, "TIME_RANGE")]
    assert "`at`" in message(valuation)
    assert closing(valuation) == ["6 60.00"]


# --- size and streams


def test_empty_input() -> None:
    schema = table(GOOD).schema
    for empty in (table(GOOD).slice(0, 0), pa.Table.from_batches([], schema)):
        valuation = costing.value(empty)
        assert valuation.counts == costing.Counts(0, 0, 0, 0, 0)
        for result in (valuation.postings, valuation.layers, valuation.balances, valuation.rejected):
            assert pa.table(result).num_rows == 0
        assert pa.table(valuation.postings).schema.field("movement_id").type == pa.string()
        with pytest.raises(comptoir.ConfigError):
            _ = valuation.last_day
        assert valuation.vouchers().balanced
        assert valuation.trial_balance().agrees
        assert pa.table(valuation.ageing(date(2026, 1, 1))).num_rows == 0
        assert pa.table(valuation.summary()).num_rows == 0


TEN_MILLION = 10_000_000


def many(items: np.ndarray) -> pa.Table:
    """One receipt of one piece for 1.00 per item code, all on one day."""
    count = len(items)
    ones = pa.array(np.ones(count, np.int64))
    kind = pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int8)), ["receipt"])
    ids = pa.array(np.arange(count))
    days = pa.array(np.zeros(count, np.int32)).cast(pa.date32())
    arrays = {
        "movement_id": ids,
        "item": pa.array(items),
        "at": days,
        "kind": kind,
        "quantity": ones,
        "amount": ones,
    }
    return pa.table(arrays)


@pytest.mark.parametrize("method", ["moving_average", "fifo"])
def test_one_item_with_ten_million_rows(method: str) -> None:
    valuation = costing.value(many(np.full(TEN_MILLION, 7, np.int32)), {"method": method})
    assert closing(valuation) == ["10000000 10000000.00"]
    assert valuation.counts.accepted == TEN_MILLION


@pytest.mark.parametrize("method", ["moving_average", "fifo"])
def test_ten_million_items_with_one_row(method: str) -> None:
    valuation = costing.value(many(np.arange(TEN_MILLION)), {"method": method})
    assert pa.table(valuation.balances).num_rows == TEN_MILLION
    assert valuation.counts.accepted == TEN_MILLION


def test_a_stream_that_fails_in_the_middle() -> None:
    first = table(GOOD)

    def batches() -> Iterator[pa.RecordBatch]:
        yield from first.to_batches()
        raise OSError("the cable was pulled")

    reader = pa.RecordBatchReader.from_batches(first.schema, batches())
    with pytest.raises(comptoir.DataError) as caught:
        costing.value(reader)
    assert "the cable was pulled" in str(caught.value)
    assert caught.value.code == "ARROW_STREAM"
    assert closing(costing.value(first)) == ["6 60.00"]


@pytest.mark.parametrize("where", [0, 1, 2])
def test_the_good_rows_stand_wherever_the_bad_one_is(where: int) -> None:
    moves = [*GOOD]
    moves.insert(where, Move("x", 1, "sale", 1))
    valuation = valued(moves)
    assert codes(valuation) == [(where, "UNKNOWN_KIND")]
    assert closing(valuation) == ["6 60.00"]


@pytest.mark.parametrize(
    ("column", "items", "amounts"),
    [
        ("amount", ["a", "a"], [Decimal("1.00"), None]),
        ("item", ["a", None], [Decimal("1.00"), Decimal("2.00")]),
    ],
)
def test_what_is_booked_must_be_there(column: str, items: list, amounts: list) -> None:
    valuation = valued([Move("a", 1, "receipt", 1, 100)])
    item = rows(valuation.balances)[0]["item"]
    items = [item if name == "a" else None for name in items]
    booked = pa.table({"item": items, "amount": pa.array(amounts, pa.decimal128(18, 2))})
    with pytest.raises(comptoir.DataError) as caught:
        valuation.provision(["0", "0.5"], as_of="2024-12-31", buckets=(30,), booked=booked)
    assert (caught.value.code, column in str(caught.value), "row 1" in str(caught.value)) == (
        "TYPES_NULL",
        True,
        True,
    )
