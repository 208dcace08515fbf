"""Tables cross the border both ways, from and to every producer, without a copy."""

import datetime
import decimal
import gc
import pickle

import duckdb
import numpy
import pandas
import polars
import pyarrow
import pytest

import comptoir
from comptoir import _native

TABLE = pyarrow.table(
    {
        "item": ["tea", None, "jam", "tea"],
        "quantity": pyarrow.array([3, -1, 4, None], pyarrow.int64()),
        "amount": pyarrow.array([decimal.Decimal("1.25")] * 4, pyarrow.decimal128(18, 2)),
        "at": pyarrow.array([datetime.datetime(2024, 2, 29, 12)] * 4, pyarrow.timestamp("us")),
        "day": pyarrow.array([datetime.date(2024, 2, 29)] * 4, pyarrow.date32()),
        "counted": [True, False, None, True],
    }
)


def buffers(table):
    """Addresses of all buffers of all chunks of all columns, with the offset into them."""
    return [
        (chunk.offset, [buffer.address if buffer else None for buffer in chunk.buffers()])
        for column in table.columns
        for chunk in column.chunks
    ]


def addresses(table):
    """Addresses of all value buffers: a producer may add or drop an all-valid bitmap."""
    return [found[1:] for _, found in buffers(table)]


class OnlyArray:
    """A producer that has the array form alone."""

    def __init__(self, batch):
        self.batch = batch

    def __arrow_c_array__(self, requested_schema=None):
        return self.batch.__arrow_c_array__(requested_schema)


# --- in ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "producer",
    [
        pytest.param(lambda: TABLE, id="pyarrow.Table"),
        pytest.param(lambda: TABLE.to_batches()[0], id="pyarrow.RecordBatch"),
        pytest.param(lambda: TABLE.to_reader(), id="pyarrow.RecordBatchReader"),
        pytest.param(lambda: OnlyArray(TABLE.to_batches()[0]), id="array form alone"),
        pytest.param(lambda: polars.DataFrame(TABLE), id="polars"),
        pytest.param(lambda: duckdb.table("TABLE"), id="DuckDB"),
        pytest.param(lambda: comptoir.Table(TABLE), id="comptoir"),
    ],
)
def test_every_producer_gives_the_same_rows(producer):
    table = comptoir.Table(producer())
    assert table.num_rows == len(table) == 4
    assert table.column_names == TABLE.column_names
    assert table.to_pylist() == TABLE.to_pylist()


def test_pandas_frame_in():
    frame = pandas.DataFrame({"item": ["tea", "jam"], "quantity": [3, 4]})
    assert comptoir.Table(frame).to_pydict() == {"item": ["tea", "jam"], "quantity": [3, 4]}


def test_chunks_stay_chunks():
    table = pyarrow.concat_tables([TABLE, TABLE.slice(1, 2)])
    echoed = pyarrow.table(_native._echo(table))
    assert echoed.equals(table)
    assert echoed.column("item").num_chunks == 2


def test_columns_with_different_chunks_are_aligned():
    ragged = pyarrow.table(
        {"a": pyarrow.chunked_array([[1, 2], [3]]), "b": pyarrow.chunked_array([["x"], ["y", "z"]])}
    )
    assert comptoir.Table(ragged).to_pydict() == {"a": [1, 2, 3], "b": ["x", "y", "z"]}


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows_and_no_columns(rows):
    assert comptoir.Table(TABLE.slice(0, rows)).num_rows == rows
    empty = comptoir.Table(pyarrow.table({}))
    assert (empty.num_rows, empty.num_columns, empty.to_pylist()) == (0, 0, [])


def test_schema_without_batches():
    reader = pyarrow.RecordBatchReader.from_batches(TABLE.schema, iter([]))
    table = comptoir.Table(reader)
    assert table.num_rows == 0
    assert pyarrow.table(table).schema == TABLE.schema
    assert pyarrow.record_batch(table).num_rows == 0


def test_schema_metadata_survives():
    table = pyarrow.table({"a": [1]}).replace_schema_metadata({"origin": "shop"})
    assert pyarrow.table(_native._echo(table)).schema.metadata == {b"origin": b"shop"}


# --- out --------------------------------------------------------------------


def test_out_to_pyarrow():
    table = comptoir.Table(TABLE)
    assert table.to_pyarrow().equals(TABLE)
    assert pyarrow.record_batch(table).equals(TABLE.to_batches()[0])
    assert pyarrow.schema(table) == TABLE.schema


def test_out_to_polars():
    assert comptoir.Table(TABLE).to_polars().equals(polars.DataFrame(TABLE))


def test_out_to_pandas():
    frame = comptoir.Table(TABLE).to_pandas()
    assert list(frame.columns) == TABLE.column_names
    assert frame["amount"].sum() == decimal.Decimal("5.00")


def test_out_to_duckdb():
    table = comptoir.Table(TABLE)
    found = duckdb.from_arrow(table).aggregate("sum(quantity), sum(amount)").fetchall()
    assert found == [(6, decimal.Decimal("5.00"))]
    assert duckdb.sql('select count(*) from "table"').fetchall() == [(4,)]


def test_one_array_joins_the_chunks():
    def batch(items, texts):
        columns = [pyarrow.array(items).dictionary_encode(), pyarrow.array(texts, pyarrow.string_view())]
        return pyarrow.record_batch(columns, names=["item", "text"])

    batches = [batch(["tea", "jam"], ["x", None]), batch(["rum"], ["a rather long text"])]
    joined = pyarrow.record_batch(comptoir.Table(pyarrow.Table.from_batches([*batches, batches[0]])))
    assert joined.column("item").to_pylist() == ["tea", "jam", "rum", "tea", "jam"]
    assert joined.column("text").to_pylist() == ["x", None, "a rather long text", "x", None]


def test_dictionary_keys_that_overflow_in_one_array_are_an_error():
    def batch(start):
        values = pyarrow.array([f"item {code}" for code in range(start, start + 100)])
        keys = pyarrow.array(range(100), pyarrow.int8())
        return pyarrow.record_batch({"item": pyarrow.DictionaryArray.from_arrays(keys, values)})

    table = comptoir.Table(pyarrow.RecordBatchReader.from_batches(batch(0).schema, [batch(0), batch(100)]))
    with pytest.raises(comptoir.LimitError, match="column `item`") as caught:
        table.__arrow_c_array__()
    assert caught.value.code == "ARROW_ONE_ARRAY"
    assert table.to_pydict()["item"][150] == "item 150"


def test_a_table_outlives_its_producer():
    table = comptoir.Table(pyarrow.table({"a": list(range(1000))}))
    gc.collect()
    out = pyarrow.table(table)
    del table
    gc.collect()
    assert out.column("a").to_pylist() == list(range(1000))


def test_a_table_pickles():
    assert pickle.loads(pickle.dumps(comptoir.Table(TABLE))).to_pylist() == TABLE.to_pylist()


@pytest.mark.parametrize("kind", [pyarrow.decimal32(9, 2), pyarrow.decimal64(18, 2)], ids=str)
def test_narrow_decimals_are_widened_for_everybody(kind):
    """Polars 2.1 reads decimals of 32 and 64 bits as if they had 128: wrong amounts without an error."""
    amounts = [decimal.Decimal("-1.25"), None, decimal.Decimal("9999999.99")]
    table = comptoir.Table(pyarrow.table({"amount": pyarrow.array(amounts, kind)}).slice(1))
    assert table.schema == f"amount decimal128({kind.precision}, 2)"
    assert table.to_polars()["amount"].to_list() == amounts[1:]
    assert table.to_pyarrow().column("amount").to_pylist() == amounts[1:]


# --- zero copy --------------------------------------------------------------


def test_pyarrow_buffers_are_shared():
    assert buffers(pyarrow.table(_native._echo(TABLE))) == buffers(TABLE)


def test_slices_share_buffers_and_keep_their_offset():
    chunks = [TABLE.slice(1, 2), TABLE.slice(3, 1)]
    table = pyarrow.concat_tables(chunks)
    echoed = pyarrow.table(_native._echo(table))
    assert echoed.equals(table)
    for before, after in zip(table.columns, echoed.columns, strict=True):
        if pyarrow.types.is_boolean(before.type):
            continue  # its values are bits, so an offset may stay in the array or move to the pointer
        assert value_addresses(before) == value_addresses(after)


def value_addresses(column):
    """Address of the first value (or first string offset) of each chunk."""
    width = column.type.bit_width // 8 if not pyarrow.types.is_string(column.type) else 4
    return [chunk.buffers()[1].address + chunk.offset * width for chunk in column.chunks]


def test_one_batch_is_exported_as_an_array_without_a_copy():
    batch = TABLE.to_batches()[0]
    exported = pyarrow.record_batch(_native._echo(batch))
    assert addresses(pyarrow.Table.from_batches([exported])) == addresses(TABLE)


def test_polars_buffers_are_shared():
    frame = polars.DataFrame({"quantity": numpy.arange(1000)})
    before = frame["quantity"].to_numpy(allow_copy=False).__array_interface__["data"][0]
    after = _native._echo(frame).to_polars()["quantity"].to_numpy(allow_copy=False)
    assert after.__array_interface__["data"][0] == before


def test_description():
    table = comptoir.Table(TABLE)
    assert table.schema.splitlines()[:4] == [
        "item string",
        "quantity int64",
        "amount decimal128(18, 2)",
        "at timestamp[us]",
    ]
    assert repr(comptoir.Table(TABLE.select(["item", "day"]))) == "Table(4 rows: item string, day date32)"


# --- failures ---------------------------------------------------------------


def failing_reader(error, batches=2):
    """Give `batches` batches, then raise `error`."""

    def generate():
        for _ in range(batches):
            yield TABLE.to_batches()[0]
        raise error

    return pyarrow.RecordBatchReader.from_batches(TABLE.schema, generate())


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_a_stream_that_fails_in_the_middle_carries_the_producers_message(batches):
    with pytest.raises(
        comptoir.DataError, match=f"reading batch {batches} of the input failed: .*disk is gone"
    ) as caught:
        comptoir.Table(failing_reader(OSError("disk is gone"), batches))
    assert caught.value.code == "ARROW_STREAM"
    assert "Producer error" not in str(caught.value)


def test_batches_of_a_failed_stream_are_released():
    gc.collect()
    before = pyarrow.total_allocated_bytes()

    def generate():
        yield pyarrow.record_batch({"a": pyarrow.compute.add(pyarrow.array(numpy.arange(1_000_000)), 1)})
        raise ValueError("stop")

    schema = pyarrow.schema({"a": pyarrow.int64()})
    with pytest.raises(comptoir.DataError):
        comptoir.Table(pyarrow.RecordBatchReader.from_batches(schema, generate()))
    gc.collect()
    assert pyarrow.total_allocated_bytes() <= before


def test_memory_is_released_exactly_once():
    gc.collect()
    before = pyarrow.total_allocated_bytes()
    for _ in range(20):
        table = pyarrow.table({"a": pyarrow.compute.add(pyarrow.array(numpy.arange(100_000)), 1)})
        echoed = _native._echo(table)
        echoed.__arrow_c_stream__()  # a capsule that nobody consumes
        echoed.__arrow_c_array__()
        pyarrow.table(echoed)
        del table, echoed
    gc.collect()
    assert pyarrow.total_allocated_bytes() <= before


@pytest.mark.parametrize(
    "thing", [[1, 2, 3], {"a": [1]}, None, 7, "table", numpy.arange(3), polars.DataFrame, comptoir.Table]
)
def test_what_is_not_arrow_is_told_what_to_pass(thing):
    with pytest.raises(
        comptoir.NotArrowError, match=r"pyarrow, polars, pandas 3 or DuckDB.*found `"
    ) as caught:
        comptoir.Table(thing)
    assert caught.value.code == "ARROW_NOT_ARROW"
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, comptoir.SchemaError)


@pytest.mark.parametrize("column", [pyarrow.array([1, 2]), pyarrow.chunked_array([[1], [2]])])
def test_a_column_is_no_table(column):
    with pytest.raises(comptoir.SchemaError, match="expected a table, found a single column of type `int64`"):
        comptoir.Table(column)


def test_null_rows_are_refused():
    rows = pyarrow.array([{"a": 1}, None, {"a": 2}])
    with pytest.raises(comptoir.DataError, match="batch 0, row 1: the row is null") as caught:
        comptoir.Table(rows)
    assert caught.value.code == "ARROW_NULL_ROW"


def test_a_stream_is_consumed_once():
    reader = TABLE.to_reader()
    assert comptoir.Table(reader).num_rows == 4
    capsule = TABLE.__arrow_c_stream__()

    class Replay:
        def __arrow_c_stream__(self, requested_schema=None):
            return capsule

    assert comptoir.Table(Replay()).num_rows == 4
    with pytest.raises(comptoir.SchemaError, match="already consumed"):
        comptoir.Table(Replay())


@pytest.mark.parametrize(
    "given",
    [None, 7, TABLE.schema.__arrow_c_schema__(), TABLE.to_batches()[0].__arrow_c_array__()],
    ids=["None", "int", "other capsule", "pair"],
)
def test_a_wrong_capsule_is_named(given):
    class Wrong:
        def __arrow_c_stream__(self, requested_schema=None):
            return given

    with pytest.raises(
        comptoir.SchemaError, match=r"Wrong` breaks the protocol: .*`arrow_array_stream`"
    ) as caught:
        comptoir.Table(Wrong())
    assert caught.value.code == "ARROW_PROTOCOL"


@pytest.mark.parametrize(
    "given",
    [None, (1, 2, 3), (1, 2), TABLE.to_batches()[0].__arrow_c_array__()[::-1]],
    ids=["None", "three", "ints", "swapped"],
)
def test_a_wrong_pair_of_capsules_is_named(given):
    class Wrong:
        def __arrow_c_array__(self, requested_schema=None):
            return given

    with pytest.raises(comptoir.SchemaError, match="capsule"):
        comptoir.Table(Wrong())


def test_an_exception_of_the_export_itself_passes_through():
    class Broken:
        def __arrow_c_stream__(self, requested_schema=None):
            raise KeyError("no such view")

    with pytest.raises(KeyError, match="no such view"):
        comptoir.Table(Broken())
