"""Arguments that say how many: each is named where it is too small."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

import comptoir
from comptoir import ranking

SPEC = {"id": "t", "item": "i", "score": "s", "k": 2}
TABLE = pa.table({"i": ["x", "y"], "s": [1.0, 2.0]})


def published(directory: Path) -> ranking.Reader:
    with ranking.Publisher(directory) as publisher:
        publisher.publish(ranking.build(SPEC, TABLE))
    return ranking.Reader(directory)


def rolled_back(directory: Path) -> None:
    with ranking.Publisher(directory) as publisher:
        publisher.rollback(-1)


CALLS: dict[str, tuple[int, Callable[[Path], object]]] = {
    "count": (0, lambda _: ranking.Leaderboard().top(-1)),
    "around": (0, lambda _: ranking.Leaderboard().neighbours("a", -1)),
    "slack": (0, lambda _: ranking.LiveBoard(1, slack=-1)),
    "k": (1, lambda _: ranking.LiveBoard(-1)),
    "keep": (1, lambda directory: ranking.Publisher(directory, keep=-1)),
    "version": (1, rolled_back),
    "limit": (0, lambda directory: published(directory).page("t", limit=-1)),
    "offset": (0, lambda directory: published(directory).page("t", offset=-1)),
    "threads": (0, lambda _: ranking.Board(SPEC).push(TABLE, threads=-1)),
    "prefixes": (0, lambda _: ranking.evaluate.minimum_table(10, 0.5, prefixes=-1)),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_number_that_is_too_small_is_named(name: str, tmp_path: Path) -> None:
    least, call = CALLS[name]
    with pytest.raises(comptoir.ConfigError, match=f"`{name}` must be {least} or more, found -1") as caught:
        call(tmp_path)
    assert caught.value.code == "RANKING_COUNT"


def test_a_board_without_places_and_a_publisher_that_keeps_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(comptoir.ConfigError, match="`k` must be 1 or more, found 0"):
        ranking.LiveBoard(0)
    with pytest.raises(comptoir.ConfigError, match="`keep` must be 1 or more, found 0"):
        ranking.Publisher(tmp_path, keep=0)
