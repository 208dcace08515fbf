"""Boards that one process publishes and others read."""

import multiprocessing
import pickle
import subprocess
import sys
import tempfile
import threading
import time
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import comptoir
from comptoir import ranking


def numbers(count, board="numbers", **fields):
    """A board of the integers from 1, whose scores fall."""
    table = pa.table(
        {"item": list(range(1, count + 1)), "score": [float(-item) for item in range(1, count + 1)]}
    )
    return ranking.BoardTable(table, board, **fields)


@pytest.fixture
def publisher(tmp_path):
    with ranking.Publisher(tmp_path / "boards", keep=3) as publisher:
        yield publisher


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "boards"


def test_pages_are_sequences_of_entries(publisher, directory):
    publisher.publish(numbers(45))
    page = ranking.Reader(directory).page("numbers", offset=20)
    assert (len(page), page.total, page.version) == (20, 45, 1)
    assert page.items == list(range(21, 41))
    assert page.scores == [float(-item) for item in page.items]
    assert page.positions == page.items
    assert page[0] == ranking.Entry(21, 21, -21.0) == page[-20]
    assert [entry.item for entry in page] == page.items
    assert 22 in {entry.position for entry in page}
    for place in (20, -21):
        with pytest.raises(IndexError):
            page[place]
    assert repr(page) == "Page(20 of 45 places, version 1)"


def test_a_cursor_pages_through_one_version(publisher, directory):
    publisher.publish(numbers(45))
    reader = ranking.Reader(directory)
    seen, cursor = [], None
    while True:
        page = reader.page("numbers", cursor=cursor, limit=20)
        seen += page.items
        cursor = page.next_cursor
        publisher.publish(numbers(3))
        assert reader.refresh()
        if cursor is None:
            break
        assert isinstance(cursor, str)
    assert seen == list(range(1, 46))
    assert reader.page("numbers").total == 3


def test_boards_and_items_that_are_not_there(publisher, directory):
    publisher.publish(numbers(3))
    reader = ranking.Reader(directory)
    assert reader.page("other") is None
    assert reader.page("numbers", "FR") is None
    assert reader.rank_of("other", (), 1) is None
    assert [reader.rank_of("numbers", (), item) for item in (3, 4, "3")] == [3, None, None]
    assert reader.page("numbers", offset=9).items == []
    with pytest.raises(TypeError, match="an item is an `int` or a `str`"):
        reader.rank_of("numbers", (), 1.0)


MOMENT = datetime(2024, 3, 31, 8, 30, 0, 250_000, tzinfo=timezone(timedelta(hours=2)))
VALUES = [
    (pa.string(), "FR"),
    (pa.string(), ""),
    (pa.string(), "\0"),
    (pa.string(), None),
    (pa.large_string(), "é"),
    (pa.dictionary(pa.int8(), pa.string()), "red"),
    (pa.dictionary(pa.int8(), pa.int64()), 7),
    (pa.int8(), -7),
    (pa.uint64(), 2**64 - 1),
    (pa.bool_(), True),
    (pa.decimal128(9, 4), Decimal("12.5000")),
    (pa.decimal128(9, 0), Decimal("100")),
    (pa.date32(), date(2024, 3, 31)),
    (pa.date64(), date(2024, 3, 31)),
    (pa.timestamp("ms", "Europe/Paris"), MOMENT),
    (pa.timestamp("ns"), datetime(1969, 12, 31, 23, 59, 59)),
    (pa.timestamp("s"), None),
    (pa.null(), None),
]


@pytest.mark.parametrize(("data_type", "value"), VALUES, ids=lambda value: str(value))
def test_values_of_groups_are_asked_for_as_they_are(publisher, directory, data_type, value):
    other = "x" if pa.types.is_string(data_type) else None
    table = pa.table({"group": pa.array([value, other], data_type), "item": [1, 2], "score": [1.0, 2.0]})
    publisher.publish(ranking.BoardTable(table, "top", group="group"))
    reader = ranking.Reader(directory)
    expected = [2, 1] if value == other else [1]
    assert reader.page("top", value if value is not None else [None]).items == expected
    assert reader.page("top", [value]).items == expected
    assert reader.page("top", (value,)).items == expected


def test_texts_of_groups_are_documented(publisher, directory):
    columns = {f"g{number}": pa.array([value], data_type) for number, (data_type, value) in enumerate(VALUES)}
    table = pa.table({**columns, "item": ["a"], "score": [1]})
    publisher.publish(ranking.BoardTable(table, "top", group=list(columns)))
    [(_, group)] = ranking.Reader(directory).boards()
    assert group == (
        *("FR", "", "\0", None, "é", "red", "7", "-7", "18446744073709551615", "true", "12.5", "100"),
        *("2024-03-31", "2024-03-31", "2024-03-31T06:30:00.25Z", "1969-12-31T23:59:59Z", None, None),
    )
    assert ranking.Reader(directory).page("top", group).items == ["a"]


def test_a_group_has_no_floats():
    board = ranking.BoardTable(pa.table({"g": [0.5], "item": [1], "score": [1.0]}), "top", group="g")
    with pytest.raises(comptoir.SchemaError, match="column `g`: expected text, integers"):
        publish_once(board)
    reader = publish_once(numbers(1))
    with pytest.raises(TypeError, match="not `float`"):
        reader.page("numbers", 0.5)


def publish_once(board):
    directory = tempfile.mkdtemp()
    with ranking.Publisher(directory) as publisher:
        publisher.publish(board)
    return ranking.Reader(directory)


COUNTRIES = st.sampled_from(["a", "b", None])
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]), st.integers(0, 2), st.text("xyz", max_size=2), st.integers(-3, 3)
    ),
    unique_by=lambda row: row[:3],
    max_size=20,
)


@settings(max_examples=50, deadline=None)
@given(ROWS, st.integers(1, 5))
def test_what_is_published_is_read(rows, chunk):
    boards = {}
    for country, month, item, score in rows:
        boards.setdefault((country, month), []).append((-score, item))
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    types = (pa.string(), pa.int16(), pa.string(), pa.int8())
    arrays = [pa.array(values, data_type) for values, data_type in zip(columns, types, strict=True)]
    table = pa.table(arrays, names=["country", "month", "item", "score"])
    chunked = pa.Table.from_batches(table.to_batches(max_chunksize=chunk), table.schema)
    reader = publish_once(ranking.BoardTable(chunked, "top", group=["country", "month"]))
    assert len(reader) == len(boards)
    for group, entries in boards.items():
        page = reader.page("top", group, limit=100)
        assert [(-score, item) for _, item, score in page] == sorted(entries)
        assert [reader.rank_of("top", group, item) for item in page.items] == page.positions


def test_positions_decide_where_they_are_given(publisher, directory):
    table = pl.DataFrame({"item": ["a", "b", "c"], "score": [1, 9, 5], "place": [2, 30, 1]})
    publisher.publish(ranking.BoardTable(table, "top", position="place"))
    assert ranking.Reader(directory).page("top").items == ["c", "a", "b"]


def test_results_are_published_as_they_stand(publisher, directory):
    sales = pa.table({"country": ["FR", "FR", "DE"], "sku": ["mug", "bag", "mug"], "units": [40, 70, 10]})
    spec = {"id": "top", "group": ["country"], "item": "sku", "score": "units", "k": 5}
    result = ranking.build(spec, sales)
    publisher.publish([result, numbers(0), ranking.BoardTable(sales, "plain", "country", "sku", "units")])
    reader = ranking.Reader(directory)
    assert reader.page("top", "FR").items == reader.page("plain", "FR").items == ["bag", "mug"]
    assert reader.spec_hash is None
    publisher.publish(result)
    assert reader.refresh()
    assert (reader.spec_hash, reader.rules_hash, reader.watermark) == (
        result.spec_hash,
        result.rules_hash,
        None,
    )
    pin = {"id": "p", "items": ["mug"], "pin": 1}
    assert ranking.build({**spec, "interventions": [pin]}, sales).rules_hash != result.rules_hash
    publisher.publish([result, ranking.build({**spec, "id": "other"}, sales)], rules_hash="ab" * 32)
    assert reader.refresh()
    assert reader.rules_hash == "ab" * 32
    assert reader.spec_hash not in (None, result.spec_hash)


def test_a_version_says_what_it_is_made_of(publisher, directory):
    before = datetime.now(timezone.utc)
    publisher.publish(numbers(1), watermark=MOMENT, spec_hash=bytes(range(32)), rules_hash="0f" * 32)
    reader = ranking.Reader(directory)
    assert (reader.watermark, reader.spec_hash) == (MOMENT, bytes(range(32)).hex())
    assert before - timedelta(milliseconds=1) <= reader.created <= datetime.now(timezone.utc)
    assert 0 <= reader.age < 60
    publisher.publish(numbers(1), watermark=date(2024, 3, 31))
    assert reader.refresh()
    assert reader.watermark == datetime(2024, 3, 31, tzinfo=timezone.utc)
    assert repr(reader).endswith(", version 2, 1 boards)")


def test_versions_and_rollback(publisher, directory):
    assert [publisher.publish(numbers(count)) for count in (1, 2, 3, 4)] == [1, 2, 3, 4]
    assert publisher.versions() == [2, 3, 4]
    reader = ranking.Reader(directory)
    publisher.rollback(2)
    assert reader.page("numbers").total == 4
    assert reader.refresh()
    assert not reader.refresh()
    assert (reader.page("numbers").total, reader.version) == (2, 2)
    assert publisher.publish(numbers(1)) == 5


def test_a_reader_follows(publisher, directory):
    publisher.publish(numbers(1))
    reader = ranking.Reader(directory)
    reader.follow(0.005)
    publisher.publish(numbers(2))
    wait_until(lambda: reader.version == 2)
    (directory / "CURRENT").write_text("seven")
    wait_until(lambda: reader.error is not None)
    assert isinstance(reader.error, comptoir.StorageError)
    assert (reader.error.code, reader.page("numbers").total) == ("RANKING_SNAPSHOT_DAMAGED", 2)
    publisher.publish(numbers(3))
    wait_until(lambda: reader.version == 3)
    reader.follow(None)
    publisher.publish(numbers(4))
    time.sleep(0.03)
    assert reader.version == 3
    for interval in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="an interval"):
            reader.follow(interval)


def wait_until(is_so):
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_all_boards_as_one_table_and_back(publisher, directory, tmp_path):
    table = pa.table({"g": ["x", None], "item": ["a", "b"], "score": [1.5, 2.5]})
    publisher.publish(ranking.BoardTable(table, "top", group="g"), watermark=MOMENT, spec_hash="01" * 32)
    reader = ranking.Reader(directory)
    exported = pa.table(reader.table())
    assert exported.column_names == ["board", "group", "position", "item", "score"]
    assert exported.to_pylist()[0] == {
        "board": "top",
        "group": ["x"],
        "position": 1,
        "item": "a",
        "score": 1.5,
    }
    path = tmp_path / "boards.arrow"
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, exported.schema) as writer:
        writer.write_table(exported)
    with pa.ipc.open_file(path) as file:
        publisher.publish(file.read_all())
    assert reader.refresh()
    assert (reader.watermark, reader.spec_hash) == (MOMENT, "01" * 32)
    again = pa.table(reader.table())
    assert again.equals(exported)
    publisher.publish(reader.table(), spec_hash="02" * 32, watermark=date(2025, 1, 1))
    assert reader.refresh()
    assert reader.spec_hash == "02" * 32
    assert reader.page("top", [None]).items == ["b"]
    with pytest.raises(comptoir.DataError, match="column `board`") as caught:
        publisher.publish(table)
    assert caught.value.code == "RANKING_SNAPSHOT_TABLE"


def test_other_processes_read(publisher, directory):
    publisher.publish(numbers(7))
    code = f"from comptoir import ranking; print(ranking.Reader({str(directory)!r}).page('numbers').items)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[1, 2, 3, 4, 5, 6, 7]"
    reader = pickle.loads(pickle.dumps(ranking.Reader(directory)))
    assert reader.page("numbers").total == 7


def count_wrong(directory, swaps, results):
    """Reads until the last version is there; a wrong page is one that mixes versions."""
    reader, wrong = ranking.Reader(directory), 0
    while reader.version < swaps:
        reader.refresh()
        page = reader.page("numbers", limit=1000)
        wrong += page.items != list(range(1, page.version + 1)) or page.total != page.version
    results.put(wrong)


def test_no_reader_sees_a_mixed_version(publisher, directory):
    swaps = 300
    publisher.publish(numbers(1))
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    readers = [context.Process(target=count_wrong, args=(directory, swaps, results)) for _ in range(2)]
    for reader in readers:
        reader.start()
    for version in range(2, swaps + 1):
        publisher.publish(numbers(version))
    assert [results.get(timeout=60) for _ in readers] == [0, 0]
    for reader in readers:
        reader.join()


def test_threads_share_a_reader(publisher, directory):
    publisher.publish(numbers(50))
    reader, wrong = ranking.Reader(directory), []

    def read():
        for _ in range(500):
            page = reader.page("numbers", offset=10, limit=5)
            if page.items != [11, 12, 13, 14, 15]:
                wrong.append(page)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        publisher.publish(numbers(50))
        reader.refresh()
    for thread in threads:
        thread.join()
    assert not wrong
