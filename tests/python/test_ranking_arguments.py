"""Odd arguments by name: each is a `comptoir.Error` with a code, never one of Python's own alone."""

import math
import tempfile

import pyarrow as pa
import pytest

import comptoir
from comptoir import ranking
from comptoir.ranking import evaluate

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
        for count in (-1, 2**70, -(2**70), HUGE):
            error = refused(lambda call=call, count=count: call(count), "RANKING_COUNT", f"`{name}` must be")
            assert isinstance(error, comptoir.ConfigError)
        error = refused(lambda call=call: call("x"), "RANKING_COUNT", f"`{name}` must be a whole number")
        assert isinstance(error, comptoir.ArgumentError)
    refused(lambda: evaluate.dcg([1, 2], 2**70), "RANKING_COUNT", "`k` must be")
    refused(lambda: ranking.mmr([1.0], [[1.0]], k=2**70), "RANKING_COUNT", "`k` must be")


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
