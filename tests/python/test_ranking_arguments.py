"""Odd arguments by name: each is a `comptoir.Error` with a code, never one of Python's own alone."""

import math
import tempfile

import numpy as np
import pyarrow as pa
import pytest

import comptoir
from comptoir import ranking
from comptoir.ranking import evaluate, normalise

LARGE = 2**63
HUGE = 10**5000
SPEC = {"id": "top", "group": ["country"], "item": "sku", "score": "units", "k": 3}
TABLE = pa.table({"country": ["FR"], "sku": ["mug"], "units": [3]})


@pytest.fixture(scope="module")
def reader():
    with tempfile.TemporaryDirectory() as directory:
        with ranking.Publisher(directory) as publisher:
            publisher.publish(ranking.build(SPEC, TABLE))
            reader = ranking.Reader(directory)
        yield reader


def refused(call, code, *texts):
    with pytest.raises(comptoir.Error) as caught:
        call()
    error = caught.value
    assert error.code == code, str(error)
    for text in texts:
        assert text in str(error)
    return error


@pytest.mark.parametrize(
    "item", [LARGE, -LARGE - 1, HUGE, 1.5, None, True, b"a"], ids=lambda item: type(item).__name__
)
def test_items_that_are_none(reader, item):
    board, live, result = ranking.Leaderboard(), ranking.LiveBoard(2), ranking.build(SPEC, TABLE)
    for call in (
        lambda: board.update(item, 1.0),
        lambda: board.remove(item),
        lambda: board.rank_of(item),
        lambda: board.score_of(item),
        lambda: board.neighbours(item),
        lambda: item in board,
        lambda: live.update("FR", item, 1.0),
        lambda: live.remove("FR", item),
        lambda: live.refill("FR", [(item, 1.0)]),
        lambda: reader.rank_of("top", "FR", item),
        lambda: result.explain(item, "FR"),
    ):
        error = refused(call, "RANKING_ITEM_KIND", "an item is an ")
        assert isinstance(error, comptoir.DataError)
        assert isinstance(error, TypeError) == (type(item) is not int)
    assert len(board) == 0


def test_scores_that_are_none():
    board, live = ranking.Leaderboard(), ranking.LiveBoard(2)
    calls = [
        lambda score: board.update("ann", score),
        lambda score: live.update("FR", "ann", score),
        lambda score: live.refill("FR", {"ann": score}),
    ]
    for call in calls:
        for score in (None, math.nan):
            refused(lambda call=call, score=score: call(score), "RANKING_SCORE_NAN", "member `ann`")
        refused(lambda call=call: call(10**400), "RANKING_SCORE", "a score is a float")
        error = refused(lambda call=call: call("3"), "RANKING_SCORE", "a score is a number, not `str`")
        assert isinstance(error, comptoir.ArgumentError)


def test_counts_that_are_none(reader, tmp_path):
    board = ranking.Leaderboard()
    publisher = ranking.Publisher(tmp_path / "one")
    calls = {
        "count": board.top,
        "around": lambda count: board.neighbours("ann", count),
        "k": ranking.LiveBoard,
        "slack": lambda count: ranking.LiveBoard(2, count),
        "limit": lambda count: reader.page("top", "FR", limit=count),
        "offset": lambda count: reader.page("top", "FR", offset=count),
        "keep": lambda count: ranking.Publisher(tmp_path / "other", keep=count),
        "version": publisher.rollback,
        "threads": lambda count: ranking.build(SPEC, TABLE, threads=count),
    }
    for name, call in calls.items():
        for count in (-1, 2**70, -(2**70), HUGE, -HUGE):
            error = refused(lambda call=call, count=count: call(count), "RANKING_COUNT", f"`{name}` must be")
            assert isinstance(error, comptoir.ConfigError)
        error = refused(lambda call=call: call("x"), "RANKING_COUNT", f"`{name}` must be a whole number")
        assert isinstance(error, comptoir.ArgumentError)
    refused(lambda: evaluate.dcg([1, 2], 2**70), "RANKING_COUNT", "`k` must be")
    refused(lambda: ranking.mmr([1.0], [[1.0]], k=2**70), "RANKING_COUNT", "`k` must be")
    refused(
        lambda: evaluate.mean_reciprocal_rank([["a"]], [["a"]], -HUGE),
        "RANKING_COUNT",
        "`k` must be 0 or more, found a number of many",
    )
    refused(lambda: evaluate.dcg([1.0], gain=HUGE), "RANKING_TEXT", "`gain` must be text")


def test_seeds_that_are_none():
    def rank(seed):
        return ranking.rank([1, 2], "random", ids=["a", "b"], seed=seed)

    assert sorted(rank(2**64 - 1)) == [1, 2]
    for seed in (-1, 2**64, HUGE):
        error = refused(lambda seed=seed: rank(seed), "RANKING_SEED", "`seed` must be between 0 and")
        assert isinstance(error, comptoir.ConfigError)
    assert isinstance(refused(lambda: rank("x"), "RANKING_SEED"), comptoir.ArgumentError)


def test_other_arguments(reader):
    assert isinstance(refused(lambda: reader.page("top", 0.5), "RANKING_GROUP_KIND"), TypeError)
    for interval in (0, -1.0, math.nan):
        refused(lambda interval=interval: reader.follow(interval), "RANKING_INTERVAL", "above zero")
    refused(lambda: ranking.mmr([1.0, 2.0], [[1.0]]), "RANKING_LENGTH", "there are 2 candidates")
    ragged = "`vectors`[1]: expected 1 numbers, found 2"
    refused(lambda: ranking.mmr([1.0, 2.0], [[1.0], [1.0, 2.0]]), "RANKING_LENGTH", ragged)


def test_words_that_are_none(reader, tmp_path):
    publisher = ranking.Publisher(tmp_path / "words")

    def publish(**fields):
        given = {"board": "top", "group": ["country"], "item": "sku", "score": "units", **fields}
        return publisher.publish(ranking.BoardTable(TABLE, **given))

    calls = {
        "method": lambda word: ranking.rank([1], word),
        "order": lambda word: ranking.rank([1], order=word),
        "nulls": lambda word: ranking.rank([1], nulls=word),
        "board": lambda word: reader.page(word, "FR"),
        "cursor": lambda word: reader.page("top", "FR", cursor=word),
        "item": lambda word: publish(item=word),
        "score": lambda word: publish(score=word),
        "position": lambda word: publish(position=word),
        "group[0]": lambda word: publish(group=[word]),
    }
    calls_of_boards = [lambda word: reader.rank_of(word, "FR", "mug"), lambda word: publish(board=word)]
    for name, call in [*calls.items(), *(("board", call) for call in calls_of_boards)]:
        for word in (5, b"x", 1.5):
            error = refused(lambda call=call, word=word: call(word), "RANKING_TEXT", f"`{name}` must be text")
            assert isinstance(error, comptoir.ArgumentError)
    refused(lambda: reader.page("top", "FR", offset=1, cursor="x"), "RANKING_PAGE_START", "not both")


def test_numbers_that_are_none(reader):
    calls = {
        ("persistence", "RANKING_PERSISTENCE"): lambda value: ranking.compare(["a"], ["b"], value),
        ("lambda_", "RANKING_LAMBDA"): lambda value: ranking.mmr([1.0], [[1.0]], lambda_=value),
        ("share", "RANKING_SHARE"): lambda value: evaluate.minimum_table(10, value),
        ("alpha", "RANKING_SHARE"): lambda value: evaluate.minimum_table(10, 0.5, value),
        ("interval", "RANKING_INTERVAL"): reader.follow,
        ("vectors[1][0]", "RANKING_NUMBER"): lambda value: ranking.mmr([1.0, 2.0], [[1.0], [value]]),
        ("likeness[0][0]", "RANKING_NUMBER"): lambda value: ranking.mmr([1.0], likeness=[[value]]),
        ("value", "RANKING_NUMBER"): normalise.log1p,
        ("high", "RANKING_NUMBER"): lambda value: normalise.cap([1.0], 0.0, value),
    }
    for (name, code), call in calls.items():
        values = [object(), 1j] if code == "RANKING_NUMBER" and "[" not in name else ["0.5", object(), [0.5]]
        for value in values:
            error = refused(lambda call=call, value=value: call(value), code, f"`{name}` must be a number")
            assert isinstance(error, comptoir.ArgumentError)
        error = refused(lambda call=call: call(10**400), code, f"`{name}` must be a number that a float")
        assert isinstance(error, comptoir.ConfigError)
    error = refused(lambda: normalise.quantile([1.0], "x"), "RANKING_SHARE", "`share` must be a number")
    assert isinstance(error, comptoir.ArgumentError)
    for share in (-1.0, 1.5, float("nan")):
        error = refused(
            lambda share=share: normalise.quantile([1.0], share), "RANKING_SHARE", "between 0 and 1"
        )
        assert isinstance(error, comptoir.ConfigError)
    assert ranking.mmr([1.0, 2.0], np.array([[1.0], [2.0]])) == [1, 0]


def test_lists_that_are_none(tmp_path):
    live = ranking.LiveBoard(2)
    publisher = ranking.Publisher(tmp_path / "lists")
    calls = {
        "old": lambda given: ranking.compare(given, ["a"]),
        "new": lambda given: ranking.compare(["a"], given),
        "vectors": lambda given: ranking.mmr([1.0], given),
        "vectors[0]": lambda given: ranking.mmr([1.0], [given]),
        "likeness": lambda given: ranking.mmr([1.0], likeness=given),
        "members": lambda given: live.refill("FR", given),
        "boards": publisher.publish,
        "specs": ranking.Boards,
        "orders": lambda given: evaluate.mean_reciprocal_rank(given, []),
        "orders[0]": lambda given: evaluate.mean_reciprocal_rank([given], [["a"]]),
        "relevant": lambda given: evaluate.mean_reciprocal_rank([], given),
    }
    for name, call in calls.items():
        error = refused(lambda call=call: call(5), "RANKING_ITERABLE", f"`{name}` must be an iterable")
        assert isinstance(error, comptoir.ArgumentError)
    columns = {
        "values": lambda given: ranking.rank(given),
        "relevance": lambda given: ranking.mmr(given, [[1.0]]),
        "grades": evaluate.dcg,
    }
    for name, call in columns.items():
        refused(lambda call=call: call(5), "ARROW_NOT_COLUMN", f"`{name}`: expected an Arrow array")
    for pair in (5, "ab", ("ann",), ("ann", 1.0, 2.0)):
        error = refused(
            lambda pair=pair: live.refill("FR", [("bob", 1.0), pair]), "RANKING_PAIR", "`members[1]`"
        )
        assert isinstance(error, comptoir.ArgumentError)
    live.refill("FR", (pair for pair in [["ann", 1.0], ("bob", 2)]))
    assert [entry.item for entry in live.top("FR")] == ["bob", "ann"]


def test_lengths_that_differ():
    error = refused(
        lambda: normalise.cap([1.0, 2.0], 0.0, [1.0]), "RANKING_LENGTH", "`high`", "`value` has 2 values"
    )
    assert isinstance(error, comptoir.DataError)
    refused(lambda: evaluate.mean_reciprocal_rank([["a"]], []), "RANKING_LENGTH", "there are 1 orders")


def test_objects_of_other_kinds(tmp_path):
    result, board = ranking.build(SPEC, TABLE), ranking.Board(SPEC)
    publisher = ranking.Publisher(tmp_path / "kinds")
    cases = [
        (lambda: ranking.compare(result, ["a"]), "RANKING_OTHER_BOARD"),
        (lambda: ranking.compare([["a"]], ["a"]), "RANKING_ITEM_KIND"),
        (lambda: board.merge(5), "RANKING_OTHER_BOARD"),
        (lambda: ranking.Boards([SPEC]).merge(board), "RANKING_OTHER_BOARD"),
        (lambda: ranking.Board(5), "RANKING_SPEC"),
        (lambda: ranking.Board(SPEC, audience={"age": object()}), "RANKING_CONTEXT"),
        (lambda: publisher.publish([5]), "RANKING_BOARD_KIND"),
        (lambda: publisher.publish(result, watermark="now"), "RANKING_WATERMARK"),
        (lambda: publisher.publish(result, spec_hash=5), "RANKING_HASH"),
        (lambda: evaluate.mean_reciprocal_rank([["a"]], [5]), "RANKING_ITERABLE"),
        (lambda: evaluate.mean_reciprocal_rank([[["a"]]], [{"a"}]), "RANKING_ITEM_KIND"),
        (lambda: evaluate.mean_reciprocal_rank([["a"]], [["a"]], "x"), "RANKING_COUNT"),
    ]
    for call, code in cases:
        assert isinstance(refused(call, code), comptoir.ArgumentError)


def test_a_directory_that_is_no_path():
    for call in (ranking.Publisher, ranking.Reader):
        for given in (5, None, ["boards"]):
            error = refused(lambda call=call, given=given: call(given), "HOST_ARGUMENT", "`directory`")
            assert (type(error), error.path) == (comptoir.ArgumentError, "directory")


def test_half_a_pair_of_surrogates_is_no_text(reader, tmp_path):
    half, result = "\ud800", ranking.build(SPEC, TABLE)
    publisher = ranking.Publisher(tmp_path / "half")
    for call in (
        lambda: reader.page(half),
        lambda: reader.page("top", half),
        lambda: reader.page("top", ("FR", half)),
        lambda: reader.page("top", "FR", cursor=half),
        lambda: reader.rank_of("top", "FR", half),
        lambda: result.explain(half),
        lambda: ranking.Leaderboard().update(half, 1.0),
        lambda: ranking.LiveBoard(2).update(half, "mug", 1.0),
        lambda: ranking.rank(["mug", half]),
        lambda: ranking.rank([1], half),
        lambda: ranking.Board(f"id: {half}\n"),
        lambda: publisher.publish(ranking.BoardTable(TABLE, half, item="sku", score="units")),
        lambda: ranking.Publisher(tmp_path / half),
        lambda: ranking.Reader(tmp_path / half),
    ):
        assert type(refused(call, "HOST_UTF8", "is no UTF-8")) is comptoir.DataError


def test_a_file_of_a_spec_that_is_no_utf8(tmp_path):
    path = tmp_path / "top.yaml"
    path.write_bytes("id: présentoir\n".encode("latin-1"))
    assert refused(lambda: ranking.Board(path), "HOST_UTF8", "top.yaml").path == "spec"
