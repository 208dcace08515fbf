"""Bad input by name: each is a `comptoir.Error` that says where."""

import os
import resource
import subprocess
import sys
import tempfile

import pyarrow as pa
import pytest

import comptoir
from comptoir import ranking

TABLE = pa.table({"country": ["FR", "DE"], "sku": ["mug", "bag"], "units": [3, 4], "price": [1.5, None]})
SPEC = {"id": "top", "group": ["country"], "item": "sku", "score": "units", "k": 3}


def refused(call, *args, **kwargs):
    with pytest.raises(comptoir.Error) as caught:
        call(*args, **kwargs)
    return caught.value


def build(table=TABLE, **fields):
    return ranking.build({**SPEC, **fields}, table)


def board(table=TABLE, name="top", **fields):
    return ranking.BoardTable(table, name, **{"group": "country", "item": "sku", "score": "units", **fields})


@pytest.fixture
def publisher(tmp_path):
    with ranking.Publisher(tmp_path) as publisher:
        yield publisher


def test_a_score_that_does_not_type_check():
    error = refused(build, score="units + sku")
    assert isinstance(error, comptoir.RuleConfigError)
    assert (error.code, error.path, error.line, error.column) == ("RULES_NO_OVERLOAD", "score", 1, 1)
    assert "board spec, score: " in str(error)
    assert "^" in error.rendered
    text = refused(build, score="sku")
    assert (text.code, str(text)) == (
        "RANKING_SPEC",
        "board spec, score: expected a number, found string: `sku`",
    )
    unknown = refused(build, score="unit")
    assert (unknown.code, unknown.path) == ("RULES_UNKNOWN_NAME", "score")


def test_a_condition_that_is_none():
    error = refused(build, eligibility="units")
    assert str(error) == "board spec, eligibility: expected a condition, found int: `units`"
    assert (
        refused(build, metrics={"sold": {"sum": "units"}}, score="sold", having="sold").code == "RANKING_SPEC"
    )


def test_a_group_key_that_is_missing():
    error = refused(build, group=["county"])
    assert isinstance(error, comptoir.SchemaError)
    assert (error.code, str(error)) == (
        "TYPES_COLUMN_MISSING",
        "column `county` is missing: did you mean `country`?",
    )
    assert refused(build, item="code").code == "TYPES_COLUMN_MISSING"
    assert refused(build, group=["price"]).code == "TYPES_COLUMN_TYPE"


def test_a_schema_that_changes_between_tables():
    collector = ranking.Board(SPEC)
    collector.push(TABLE)
    changed = TABLE.set_column(2, "units", pa.array([1.0, 2.0]))
    error = refused(collector.push, changed)
    assert isinstance(error, comptoir.SchemaError)
    assert (error.code, str(error)) == (
        "RANKING_SCHEMA_CHANGE",
        "column `units` was int64 and is float64 in a later batch",
    )
    assert refused(collector.push, TABLE.drop_columns(["units"])).code == "TYPES_COLUMN_MISSING"
    assert refused(collector.push, [1]).code == "ARROW_NOT_ARROW"
    collector.push(TABLE.select(["units", "country", "sku", "price"]))
    assert len(collector.finish()) == 2


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"k": 0}, "board spec, k: "),
        ({"k": -1}, "board spec, k: "),
        ({"id": ""}, "board spec, id: "),
        ({"version": 2}, "board spec, version: "),
        ({"scores": "units"}, "unknown field `scores`"),
        ({"group": ["sku"]}, "column `sku` is named twice"),
        ({"having": "units > 1"}, "board spec, having: "),
        ({"metrics": {"sold": {}}}, "board spec, metrics.sold"),
        ({"metrics": {"sold": {"sum": "units", "min": "units"}}}, "board spec, metrics.sold"),
        ({"ties": [{"by": "units", "order": "up"}]}, "board spec, ties[0].order: "),
    ],
)
def test_a_spec_that_is_wrong_names_the_field(fields, text):
    error = refused(ranking.Board, {**SPEC, **fields})
    assert isinstance(error, comptoir.ConfigError)
    assert error.code == "RANKING_SPEC"
    assert text in str(error)


def test_specs_that_are_none(tmp_path):
    for text in ("[1]\n", "id: [\n", '{"id": "a"', "{}", "[" * 1000 + "\n"):
        assert refused(ranking.Board, text).code == "RANKING_SPEC"
    with pytest.raises(FileNotFoundError):
        ranking.Board(tmp_path / "none.yaml")


def test_text_that_is_no_expression_is_an_error_of_the_spec(tmp_path):
    wrong = {**SPEC, "eligibility": "units >\n > 0"}
    (tmp_path / "top.yaml").write_text(
        "id: top\nitem: sku\nscore: units\nk: 1\nhaving: '>'\nmetrics: {n: {count: 'true'}}\n"
    )
    for call, path, place in (
        (lambda: ranking.Board(wrong), "eligibility", (2, 2)),
        (lambda: ranking.Boards([SPEC, {**wrong, "id": "more"}]), "eligibility", (2, 2)),
        (lambda: ranking.build(wrong, None), "eligibility", (2, 2)),
        (lambda: ranking.Board(tmp_path / "top.yaml"), "having", (1, 1)),
    ):
        error = refused(call)
        assert (type(error), error.code, error.path) == (comptoir.RuleConfigError, "RULES_SYNTAX", path)
        assert (error.line, error.column) == place
        assert "^" in error.rendered
    # What names and types say is known with the columns.
    collector = ranking.Board({**SPEC, "eligibility": "unit > 0"})
    assert refused(collector.push, TABLE).code == "RULES_UNKNOWN_NAME"


def test_collectors_that_do_not_go_together():
    one, other = ranking.Board(SPEC), ranking.Board({**SPEC, "k": 4})
    other.push(TABLE)
    assert refused(one.merge, other).code == "RANKING_OTHER_BOARD"
    assert len(other.finish()) == 2
    of_unit = ranking.Board(SPEC, unit="ann")
    error = refused(one.merge, of_unit)
    assert (error.code, "`unit` differs" in str(error)) == ("RANKING_OTHER_CONTEXT", True)
    changed = ranking.Board(SPEC)
    changed.push(TABLE.set_column(2, "units", pa.array([1.0, 2.0])))
    one.push(TABLE)
    assert refused(one.merge, changed).code == "RANKING_SCHEMA_CHANGE"
    assert len(changed.finish()) == 2
    itself = refused(one.merge, one)
    assert (type(itself), itself.code) == (comptoir.ConfigError, "HOST_ARGUMENT")
    assert "into itself" in str(itself)


def test_a_board_that_is_finished_or_merged_is_closed():
    one, other = ranking.Board(SPEC), ranking.Board(SPEC)
    one.merge(other)
    one.finish()
    calls = [
        one.finish,
        lambda: one.push(TABLE),
        lambda: one.merge(ranking.Board(SPEC)),
        lambda: ranking.Board(SPEC).merge(one),
        other.finish,
        lambda: other.push(TABLE),
    ]
    both = ranking.Boards([SPEC, {**SPEC, "id": "more"}])
    both.finish()
    calls += [
        both.finish,
        lambda: both.push(TABLE),
        lambda: ranking.Boards([SPEC, {**SPEC, "id": "more"}]).merge(both),
    ]
    for call in calls:
        error = refused(call)
        assert (type(error), error.code) == (comptoir.UnavailableError, "HOST_CLOSED")
        assert str(error) == "the board, which is finished or was merged into another one, is closed"


def test_a_producer_that_fails_is_quoted():
    def batches():
        yield TABLE.to_batches()[0]
        raise OSError("the disk is gone")

    reader = pa.RecordBatchReader.from_batches(TABLE.schema, batches())
    error = refused(ranking.Board(SPEC).push, reader)
    assert error.code == "ARROW_STREAM"
    assert "the disk is gone" in str(error)


def test_a_board_whose_stream_fails_in_the_middle_is_refused():
    def batches():
        yield pa.record_batch(
            {"country": ["FR"] * 1_100_000, "sku": ["mug"] * 1_100_000, "units": [1] * 1_100_000},
        )
        yield pa.record_batch({"country": ["FR"], "sku": ["mug"], "units": [1]})
        raise OSError("the disk is gone")

    schema = pa.schema({"country": pa.string(), "sku": pa.string(), "units": pa.int64()})
    collector = ranking.Board(SPEC)
    error = refused(collector.push, pa.RecordBatchReader.from_batches(schema, batches()), threads=2)
    assert error.code == "ARROW_STREAM"
    whole = ranking.Board(SPEC)
    for call in (
        lambda: collector.push(TABLE),
        collector.finish,
        lambda: collector.merge(whole),
        lambda: whole.merge(collector),
    ):
        error = refused(call)
        assert (type(error), error.code) == (comptoir.UnavailableError, "RANKING_PUSH_FAILED")
    assert len(whole.finish()) == 0


def test_a_finished_board_reads_nothing():
    def batches():
        asked.append(1)
        yield TABLE.to_batches()[0]

    asked = []
    collector = ranking.Board(SPEC)
    collector.finish()
    error = refused(collector.push, pa.RecordBatchReader.from_batches(TABLE.schema, batches()))
    assert error.code == "HOST_CLOSED"
    assert not asked


def test_tables_that_cannot_be_published(publisher):
    error = refused(publisher.publish, board(score="unit"))
    assert (error.code, type(error)) == ("TYPES_COLUMN_MISSING", comptoir.SchemaError)
    assert refused(publisher.publish, board(item="price")).code == "TYPES_COLUMN_TYPE"
    assert refused(publisher.publish, board(score="sku")).code == "TYPES_COLUMN_TYPE"
    null = refused(publisher.publish, board(score="price"))
    assert str(null) == "column `price`, row 1: null where a value is required"
    nan = pa.table({"item": [1], "score": [float("nan")]})
    assert str(refused(publisher.publish, ranking.BoardTable(nan, "top"))) == (
        "column `score`, row 0: a score cannot be NaN"
    )
    twice = refused(publisher.publish, [board(), board()])
    assert (twice.code, str(twice)) == (
        "RANKING_BOARD_TWICE",
        'board `top` with group ["FR"] is given twice',
    )
    same = pa.table({"item": [1, 1], "score": [1, 2], "position": [1, 2]})
    assert refused(publisher.publish, ranking.BoardTable(same, "top")).code == "RANKING_ITEM_TWICE"
    places = pa.table({"item": [1, 2], "score": [1, 2], "position": [1, 1]})
    places = ranking.BoardTable(places, "top", position="position")
    assert refused(publisher.publish, places).code == "RANKING_POSITION_TWICE"
    kinds = refused(publisher.publish, [board(), ranking.BoardTable(same.slice(1), "other")])
    assert (kinds.code, "texts" in str(kinds)) == ("RANKING_ITEM_KIND", True)
    assert publisher.versions() == []


def test_what_goes_with_a_publication(publisher):
    for wrong in ("ab", "xy" * 32, b"short"):
        assert refused(publisher.publish, board(), spec_hash=wrong).code == "RANKING_HASH"
    with pytest.raises(TypeError, match="a watermark is a datetime or a date, not `str`"):
        publisher.publish(board(), watermark="2024-03-31")
    unknown = refused(publisher.rollback, 7)
    assert (unknown.code, type(unknown)) == ("RANKING_SNAPSHOT_VERSION", comptoir.StorageError)
    publisher.close()
    for call in (publisher.versions, lambda: publisher.publish(board()), lambda: publisher.rollback(1)):
        error = refused(call)
        assert (type(error), error.code) == (comptoir.UnavailableError, "HOST_CLOSED")
        assert str(error) == "the publisher is closed"


def test_a_directory_has_one_publisher(tmp_path):
    with ranking.Publisher(tmp_path):
        assert refused(ranking.Publisher, tmp_path).code == "RANKING_PUBLISHER_BUSY"
    ranking.Publisher(tmp_path).close()


def test_cursors_that_do_not_go(publisher, tmp_path):
    publisher.publish([board(), board(name="other")])
    reader = ranking.Reader(tmp_path)
    publisher.publish(board(pa.concat_tables([TABLE, TABLE.set_column(1, "sku", pa.array(["a", "b"]))])))
    reader.refresh()
    cursor = reader.page("top", "FR", limit=1).next_cursor
    foreign = refused(reader.page, "top", "DE", cursor=cursor)
    assert (foreign.code, type(foreign)) == ("RANKING_CURSOR_FOREIGN", comptoir.DataError)
    assert refused(reader.page, "top", "FR", cursor="next").code == "RANKING_CURSOR_SYNTAX"
    with pytest.raises(ValueError, match="an offset or a cursor"):
        reader.page("top", "FR", cursor=cursor, offset=1)
    gone = refused(reader.page, "top", "FR", cursor="99" + cursor)
    assert (gone.code, type(gone)) == ("RANKING_SNAPSHOT_VERSION", comptoir.StorageError)


def test_files_that_cannot_be_read(publisher, tmp_path):
    nothing = refused(ranking.Reader, tmp_path)
    assert (nothing.code, type(nothing)) == ("RANKING_SNAPSHOT_NONE", comptoir.StorageError)
    publisher.publish(board())
    reader = ranking.Reader(tmp_path)
    publisher.publish(board())
    path = sorted(tmp_path.glob("*.board"))[-1]
    whole = path.read_bytes()
    newer = whole[:8] + (99).to_bytes(4, "little") + whole[12:]
    for content, code in (
        (whole[:-1], "RANKING_SNAPSHOT_DAMAGED"),
        (whole[:-1] + b"?", "RANKING_SNAPSHOT_DAMAGED"),
        (newer, "RANKING_SNAPSHOT_NEWER"),
        (b"PNG" + whole, "RANKING_SNAPSHOT_FOREIGN"),
    ):
        path.unlink()
        path.write_bytes(content)
        error = refused(reader.refresh)
        assert (error.code, type(error)) == (code, comptoir.StorageError)
        assert str(path) in str(error)
        assert refused(ranking.Reader, tmp_path).code == code
        assert reader.page("top", "FR").items == ["mug"]


def test_a_directory_without_rights(tmp_path):
    (tmp_path / "file").write_text("")
    error = refused(ranking.Publisher, tmp_path / "file" / "boards")
    assert (error.code, type(error)) == ("RANKING_SNAPSHOT_IO", comptoir.StorageError)
    assert "cannot create" in str(error)
    # The superuser may write anywhere and so becomes another user, to whom pytest's directory is closed.
    with tempfile.TemporaryDirectory() as closed:
        os.chmod(closed, 0o555)
        code = f"""
import os
from comptoir import StorageError, ranking
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    ranking.Publisher({closed!r})
except StorageError as error:
    print(error.code, "ermission denied" in str(error))
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "RANKING_SNAPSHOT_IO True", done.stderr


def test_a_full_disk_leaves_the_version_that_was(publisher, tmp_path):
    publisher.publish(board())
    publisher.close()
    # A limit on the size of files is met as a full disk is: writing fails half way.
    code = f"""
import resource, signal
import pyarrow as pa
from comptoir import StorageError, ranking
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
publisher = ranking.Publisher({str(tmp_path)!r})
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
table = pa.table({{"item": list(range(50_000)), "score": list(range(50_000))}})
try:
    publisher.publish(ranking.BoardTable(table, "large"))
except StorageError as error:
    print(error.code, "cannot write" in str(error), publisher.versions())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "RANKING_SNAPSHOT_IO True [1]", done.stderr
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".tmp") == []
    assert ranking.Reader(tmp_path).page("top", "FR").items == ["mug"]
