"""One expression on tables: the same as on each row, whatever library holds it."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace

import duckdb
import pandas
import polars
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import comptoir
from comptoir import rules

UTC = timezone.utc
ENV = rules.Env(
    {"order": "Order", "tags": "list(string)", "at": "timestamp", "limit": "decimal"},
    types={"Order": {"qty": "int", "price": "double", "pay": "decimal", "sku": "string", "gift": "bool"}},
)
SOURCES = [
    "order.qty * 2 + 1",
    "order.price / 3.0",
    "order.pay * decimal('0.9') < limit",
    "order.sku.startsWith('EU') && order.sku in ['EU-1', 'EU-2', 'US-1']",
    "100 / order.qty > 10 || order.gift",
    "order.sku + '!' + string(order.qty)",
    "tags.exists(t, t == order.sku) ? size(tags) : -1",
    "at + duration('36h')",
    "order.pay",
    "[order.qty, size(tags)]",
    "order.gift == null || order.gift",
    "has(order.sku) && order.sku != ''",
]
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "qty": st.integers(-5, 5),
            "price": st.floats(-1e6, 1e6),
            "pay": st.decimals(-(10**6), 10**6, places=2),
            "sku": st.sampled_from(["EU-1", "EU-2", "US-1", "", "値"]) | st.none(),
            "gift": st.booleans() | st.none(),
            "tags": st.lists(st.sampled_from(["EU-1", "b"]), max_size=3),
            "at": st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
        }
    ),
    min_size=1,
    max_size=12,
)  # fmt: skip
TYPES = {
    "order.qty": pa.int64(),
    "order.price": pa.float64(),
    "order.pay": pa.decimal128(12, 2),
    "order.sku": pa.string(),
    "order.gift": pa.bool_(),
    "tags": pa.list_(pa.string()),
    "at": pa.timestamp("us", "UTC"),
}


def table_of(rows):
    columns = {name: [row[name.removeprefix("order.")] for row in rows] for name in TYPES}
    return pa.table({name: pa.array(columns[name], kind) for name, kind in TYPES.items()})


def event_of(row, make):
    order = {name: row[name] for name in ("qty", "price", "pay", "sku", "gift")}
    return make({"order": make(order), "tags": row["tags"], "at": row["at"]})


def evaluated(program, event):
    try:
        return program.eval(event, limit=Decimal("100.00"))
    except comptoir.RuleDataError as error:
        return error.code


@settings(deadline=None, max_examples=60)
@given(rows=ROWS, cut=st.integers(1, 12), source=st.sampled_from(SOURCES), as_dict=st.booleans())
def test_a_table_gives_what_its_rows_give(rows, cut, source, as_dict):
    program = rules.compile(source, ENV)
    make = dict if as_dict else lambda fields: SimpleNamespace(**fields)
    expected = [evaluated(program, event_of(row, make)) for row in rows]
    table = pa.concat_tables([table_of(rows[start : start + cut]) for start in range(0, len(rows), cut)])
    result = program.eval_batch(table, limit=Decimal("100.00"))
    found = pa.table(result.values)
    assert found["value"].num_chunks == table["at"].num_chunks
    values = found["value"].to_pylist()
    faults = {fault["row"]: fault["code"] for fault in result.faults.to_pylist()}
    assert result.fault_count == len(faults)
    assert [faults.get(row, value) for row, value in enumerate(values)] == expected
    if program.type == "bool":
        selected = program.select(table, limit="100.00").rows.to_pydict()["row"]
        assert selected == [row for row, value in enumerate(expected) if value is True]


def test_every_library_gives_the_same():
    table = pa.table({"qty": [1, 20, 3], "sku": ["EU-1", "EU-2", "US-1"]})
    program = rules.compile("qty > 2 && sku.startsWith('EU')", rules.Env.from_arrow(table))
    expected = {"value": [False, True, False]}
    connection = duckdb.connect()
    connection.register("items", table)
    for form in (
        table,
        table.to_batches()[0],
        comptoir.Table(table),
        polars.DataFrame({"qty": [1, 20, 3], "sku": ["EU-1", "EU-2", "US-1"]}),
        polars.DataFrame(table).cast({"sku": polars.Categorical}),
        pandas.DataFrame({"qty": [1, 20, 3], "sku": ["EU-1", "EU-2", "US-1"]}),
        connection.sql("select * from items"),
    ):  # fmt: skip
        assert program.eval_batch(form).values.to_pydict() == expected, type(form)
        assert len(program.select(form)) == 1
        if not isinstance(form, pandas.DataFrame):
            assert set(rules.Env.from_arrow(form).variables) == {"qty", "sku"}


def test_structs_and_lists_of_structs():
    items = [[{"qty": 1, "sku": "a"}], [], [{"qty": 5, "sku": "b"}, {"qty": 0, "sku": "c"}]]
    table = pa.table({"order": [{"items": one, "paid": True} for one in items]})
    env = rules.Env.from_arrow(table.schema)
    program = rules.compile("order.paid && order.items.exists(i, i.qty > 0)", env)
    assert program.eval_batch(table).values.to_pydict() == {"value": [True, False, True]}
    assert [program.eval(row) for row in table.to_pylist()] == [True, False, True]


def test_shared_variables_stand_for_columns_that_are_not_there():
    program = rules.compile("code in allowed && now > since", {
        "code": "string", "allowed": "list(string)", "now": "timestamp", "since": "timestamp",
    })  # fmt: skip
    now = datetime(2026, 11, 25, tzinfo=UTC)
    table = pa.table({"code": ["a", "b"], "since": [now - timedelta(days=1)] * 2})
    assert program.select(table, allowed=("b", "c"), now=now).rows.to_pydict() == {"row": [1]}


def test_faults_are_bounded_and_counted():
    program = rules.compile("1 / a", {"a": "int"})
    result = program.eval_batch(pa.table({"a": pa.chunked_array([[0] * 1500, [1], [0] * 700])}))
    assert (result.fault_count, len(result.faults)) == (2200, 1000)
    assert result.values.num_rows == 2201


def test_a_table_without_chunks_has_columns_all_the_same():
    program = rules.compile("a > 1", {"a": "int"})
    empty = pa.table({"a": pa.chunked_array([], pa.int64())})
    assert pa.table(program.eval_batch(empty).values).schema.field("value").type == pa.bool_()
    with pytest.raises(comptoir.SchemaError):
        program.eval_batch(pa.schema({"b": pa.int64()}).empty_table())


def test_decimals_come_out_exact():
    program = rules.compile("a * decimal('1.1')", {"a": "decimal"})
    result = program.eval_batch(pa.table({"a": pa.array([Decimal("0.10")], pa.decimal64(10, 2))}))
    assert result.values.to_pydict() == {"value": [Decimal("0.110000000000000000")]}
