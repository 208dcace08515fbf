"""Tables of every producer, columns of every type: the same result, in the caller's types."""

from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comptoir import costing
from histories import columns_of, rows, table
from oracle_books import Move

MOVES = [
    Move("1", 0, "receipt", 10, 10000, item="7", pool="1"),
    Move("2", 1, "receipt", 5, 7500, item="7", pool="1"),
    Move("3", 2, "issue", 12, item="7", pool="1"),
    Move("4", 3, "sales_return", 2, ref="3", item="7", pool="1"),
    Move("5", 4, "receipt", 1, 100, item="8", pool="2"),
    Move("6", 5, "issue", 9, item="8", pool="2"),
]
POLICY = {"method": "fifo"}
TABLES = ("postings", "layers", "balances", "rejected")


def base() -> pa.Table:
    whole = table(MOVES)
    return whole.select([name for name in whole.schema.names if name not in ("lot", "group")])


def encoded(**types: pa.DataType) -> pa.Table:
    return recoded(base(), types)


def recoded(whole: pa.Table, types: dict[str, pa.DataType]) -> pa.Table:
    for name, wanted in types.items():
        column = whole[name].combine_chunks()
        if pa.types.is_integer(wanted) and pa.types.is_string(column.type):
            column = column.cast(pa.int64())
        if pa.types.is_decimal(wanted) and pa.types.is_integer(column.type):
            column = column.cast(pa.decimal128(19, 0))
        column = (
            column.dictionary_encode().cast(wanted) if pa.types.is_dictionary(wanted) else column.cast(wanted)
        )
        whole = whole.set_column(whole.schema.get_field_index(name), name, column)
    return whole


def content(valuation: costing.Valuation) -> list[Any]:
    """All tables as text, whatever the types of ids and items."""
    return [
        [{key: str(cell) for key, cell in row.items()} for row in rows(getattr(valuation, n))] for n in TABLES
    ]


EXPECTED = content(costing.value(base(), POLICY))


def test_the_numbers_by_hand() -> None:
    valuation = costing.value(base(), POLICY)
    # 10 @ 10 and 2 @ 15 leave; of the 130.00 the 2 that come back bear 21.67.
    assert [str(value) for (value,) in columns_of(valuation.postings, "value")] == [
        "100.00", "75.00", "-130.00", "21.67", "1.00",
    ]  # fmt: skip
    assert columns_of(valuation.rejected, "row", "movement_id", "code") == [
        (5, "6", "COSTING_NEGATIVE_STOCK")
    ]


TEXT = {
    "string": pa.string(),
    "large_string": pa.large_string(),
    "string_view": pa.string_view(),
    "dictionary": pa.dictionary(pa.int32(), pa.string()),
    "small dictionary": pa.dictionary(pa.int8(), pa.string()),
    "large dictionary": pa.dictionary(pa.int64(), pa.large_string()),
}
INTEGERS = {
    str(kind): kind for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint64())
}


@pytest.mark.parametrize("name", [*TEXT, *INTEGERS])
def test_ids_items_and_pools_keep_their_types(name: str) -> None:
    wanted = {**TEXT, **INTEGERS}[name]
    valuation = costing.value(encoded(movement_id=wanted, item=wanted, pool=wanted, ref=wanted), POLICY)
    assert content(valuation) == EXPECTED
    postings = pa.table(valuation.postings).schema
    assert [postings.field(column).type for column in ("movement_id", "item", "pool", "adjusts")] == [
        wanted
    ] * 4
    assert pa.table(valuation.balances).schema.field("item").type == wanted
    assert pa.table(valuation.rejected).schema.field("movement_id").type == wanted


@pytest.mark.parametrize("name", TEXT)
def test_kind_may_be_any_text(name: str) -> None:
    valuation = costing.value(encoded(kind=TEXT[name]), POLICY)
    assert content(valuation) == EXPECTED
    assert pa.table(valuation.postings).schema.field("kind").type == TEXT[name]


AMOUNTS = [
    pa.decimal32(9, 2),
    pa.decimal64(18, 2),
    pa.decimal128(38, 2),
    pa.decimal256(76, 2),
    pa.decimal128(20, 4),
]
QUANTITIES = [
    pa.int8(),
    pa.int16(),
    pa.int32(),
    pa.uint16(),
    pa.uint64(),
    pa.decimal32(9, 0),
    pa.decimal256(40, 0),
]


@pytest.mark.parametrize("wanted", AMOUNTS, ids=str)
def test_amount_may_be_any_decimal(wanted: pa.DataType) -> None:
    assert content(costing.value(encoded(amount=wanted), POLICY)) == EXPECTED


@pytest.mark.parametrize("wanted", QUANTITIES, ids=str)
def test_quantity_may_be_any_integer_or_decimal(wanted: pa.DataType) -> None:
    assert content(costing.value(encoded(quantity=wanted), POLICY)) == EXPECTED


@pytest.mark.parametrize("wanted", [pa.int16(), pa.int64(), pa.uint32()], ids=str)
def test_amount_may_be_whole_numbers(wanted: pa.DataType) -> None:
    assert content(costing.value(encoded(amount=wanted), POLICY)) == EXPECTED


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Shanghai"])
def test_times_of_any_unit(unit: str, zone: str | None) -> None:
    wanted = pa.timestamp(unit, zone)
    whole = base()
    at = whole["at"].cast(pa.timestamp(unit)).cast(wanted)
    valuation = costing.value(whole.set_column(whole.schema.get_field_index("at"), "at", at), POLICY)
    assert columns_of(valuation.postings, "movement_id", "value") == columns_of(
        costing.value(base(), POLICY).postings, "movement_id", "value"
    )
    assert pa.table(valuation.postings).schema.field("at").type == wanted


def test_quantities_with_decimal_places() -> None:
    whole = base()
    quantity = pa.array(
        [Decimal("1.250"), Decimal("0.750"), Decimal("2.000"), Decimal("0.5"), 1, 9], pa.decimal128(9, 3)
    )
    valuation = costing.value(
        whole.set_column(whole.schema.get_field_index("quantity"), "quantity", quantity)
    )
    assert [str(number) for (number,) in columns_of(valuation.postings, "quantity")][:3] == [
        "1.250",
        "0.750",
        "-2.000",
    ]
    assert rows(valuation.postings)[2]["value"] == Decimal("-175.00")


# --- producers and consumers


def arrow_input() -> pa.Table:
    return encoded(amount=pa.decimal128(18, 2))


def duckdb_input() -> Any:
    connection = duckdb.connect()
    connection.register("movements", arrow_input())
    return connection.sql("select * from movements")


PRODUCERS = {
    "pyarrow table": lambda: arrow_input(),
    "pyarrow batch": lambda: arrow_input().combine_chunks().to_batches()[0],
    "pyarrow reader": lambda: arrow_input().to_reader(max_chunksize=2),
    "polars": lambda: pl.from_arrow(arrow_input()),
    "polars rechunked": lambda: pl.concat(
        [pl.from_arrow(arrow_input().slice(n, 1)) for n in range(6)], rechunk=False
    ),
    "pandas": lambda: arrow_input().to_pandas(types_mapper=pd.ArrowDtype),
    "duckdb": lambda: duckdb_input(),
}


@pytest.mark.parametrize("name", PRODUCERS)
def test_tables_of_any_producer(name: str) -> None:
    assert content(costing.value(PRODUCERS[name](), POLICY)) == EXPECTED


@pytest.mark.parametrize("name", TABLES)
def test_results_into_any_consumer(name: str) -> None:
    valuation = costing.value(base(), POLICY)
    result = getattr(valuation, name)
    expected = rows(result)
    assert pl.DataFrame(result).to_dicts() == expected
    assert len(pd.DataFrame.from_arrow(result)) == len(expected)
    connection = duckdb.connect()
    connection.register("result", pa.table(result))
    assert connection.sql("select count(*) from result").fetchall() == [(len(expected),)]
    assert pa.RecordBatchReader.from_stream(result).read_all().to_pylist() == expected


def test_a_result_is_an_input_again() -> None:
    """What was posted as receipts and issues can be sent through once more."""
    postings = pa.table(costing.value(base(), POLICY).postings)
    assert (
        costing.value(postings.rename_columns({"value": "amount"}).slice(0, 2), POLICY).counts.accepted == 2
    )


def test_times_with_a_zone_come_back_with_it() -> None:
    at = pa.array([datetime(2026, 1, 1, tzinfo=timezone.utc)] * 6, pa.timestamp("us", "UTC"))
    whole = base()
    found = costing.value(whole.set_column(whole.schema.get_field_index("at"), "at", at), POLICY)
    assert rows(found.postings)[0]["at"] == datetime(2026, 1, 1, tzinfo=timezone.utc)


# --- rows with one id


REPEATED = [
    *MOVES,
    MOVES[0],
    MOVES[2],
    replace(MOVES[1], amount=7600),
    replace(MOVES[1], qty=4),
    replace(MOVES[3], at=4),
    replace(MOVES[4], pool="3"),
    replace(MOVES[4], ref="1"),
    replace(MOVES[5], item="9"),
]
FORMS: list[dict[str, pa.DataType]] = [
    {},
    {"amount": pa.string(), "quantity": pa.string()},
    {"amount": pa.decimal256(40, 2), "quantity": pa.int16()},
    dict.fromkeys(("movement_id", "item", "pool", "kind", "ref"), pa.dictionary(pa.int32(), pa.string())),
    dict.fromkeys(("movement_id", "item", "pool", "ref"), pa.int64()),
    dict.fromkeys(("movement_id", "item", "pool", "kind", "ref"), pa.string_view()),
]


@given(
    order=st.permutations(range(len(REPEATED))),
    form=st.sampled_from(FORMS),
    size=st.integers(1, len(REPEATED)),
)
def test_which_row_of_an_id_counts_is_a_matter_of_what_rows_say(
    order: list[int], form: dict[str, pa.DataType], size: int
) -> None:
    """Repetitions of the same and of other content, in any order, encoding and cut."""

    def outcome(order: list[int], form: dict[str, pa.DataType], size: int) -> Any:
        whole = recoded(table([REPEATED[number] for number in order]), form)
        valuation = costing.value(whole.to_reader(max_chunksize=size), costing.Policy(quantity_scale=0))
        lines = [
            [str(row[name]) for name in ("movement_id", "quantity", "value", "on_hand_value")]
            for row in rows(valuation.postings)
        ]
        same = [REPEATED.index(REPEATED[number]) for number in order]
        fates = sorted((same[row["row"]], row["code"]) for row in rows(valuation.rejected))
        assert valuation.counts.accepted + valuation.counts.rejected == len(REPEATED)
        return sorted(lines), fates

    assert outcome(order, form, size) == outcome(list(range(len(REPEATED))), {}, len(REPEATED))
