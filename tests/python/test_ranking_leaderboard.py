"""The live leaderboard beside a sorted list."""

import math
import threading

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import comptoir
from comptoir import ranking

MEMBERS = st.integers(0, 9)
SCORES = st.floats(allow_nan=False) | st.sampled_from([0.0, -0.0, 1.0])
STEPS = st.lists(
    st.tuples(st.just("update"), MEMBERS, SCORES) | st.tuples(st.just("remove"), MEMBERS, st.none())
)


@given(STEPS)
def test_ranks_are_those_of_a_sorted_list(steps):
    board, scores = ranking.Leaderboard(), {}
    for step, member, score in steps:
        if step == "update":
            assert board.update(member, score) == scores.get(member)
            scores[member] = score
        else:
            assert board.remove(member) == scores.pop(member, None)
        order = sorted(scores, key=lambda member: (-scores[member], member))
        assert [entry.item for entry in board.top(100)] == order
        for rank, member in enumerate(order, 1):
            assert (board.rank_of(member), board.score_of(member)) == (rank, scores[member])
            near = board.neighbours(member, 2)
            assert [entry.position for entry in near] == list(
                range(max(rank - 2, 1), min(rank + 2, len(order)) + 1)
            )
            assert [entry.item for entry in near] == order[max(rank - 3, 0) : rank + 2]
    assert len(board) == len(scores)


@pytest.mark.parametrize(
    "members",
    [
        [7, 8, 7],
        pa.array([7, 8, 7], pa.uint16()),
        pa.array(["7", "8", "7"]),
        pa.array(["7", "8", "7"]).dictionary_encode(),
        pa.array(["7", "8", "7"], pa.string_view()),
        np.array([7, 8, 7]),
    ],
)
def test_many_at_once_and_the_last_score_counts(members):
    board = ranking.Leaderboard()
    board.update_many(members, [1, 2, 3])
    assert [(str(entry.item), entry.score) for entry in board.top()] == [("7", 3.0), ("8", 2.0)]


def test_equal_scores_stand_by_member_and_integers_before_text():
    board = ranking.Leaderboard()
    board.update_many(["d", "c", "b"], [1, 1, 1])
    board.update(5, 1.0)
    assert [entry.item for entry in board.top()] == [5, "b", "c", "d"]
    assert 5 in board
    assert "e" not in board
    assert board.rank_of("e") is None
    assert board.neighbours("e") == []


def test_what_is_refused_changes_nothing():
    board = ranking.Leaderboard()
    board.update("a", 1)
    with pytest.raises(comptoir.DataError, match="member `a`: a score cannot be NaN") as caught:
        board.update("a", math.nan)
    assert caught.value.code == "RANKING_SCORE_NAN"
    for members, scores, code in (
        (["a", "b"], [2.0, None], "RANKING_SCORE_NAN"),
        (["a"], [2.0, 3.0], "RANKING_LENGTH"),
        (["a", None], [2.0, 3.0], "RANKING_ITEM_KIND"),
        ([2**63], [1.0], "RANKING_ITEM_KIND"),
        ([0.5], [1.0], "RANKING_ITEM_KIND"),
    ):
        with pytest.raises(comptoir.DataError) as caught:
            board.update_many(members, scores)
        assert caught.value.code == code
    with pytest.raises(TypeError, match="an item is an `int` or a `str`, not `float`"):
        board.update(0.5, 1)
    assert board.top() == [(1, "a", 1.0)]


def test_many_threads_share_one():
    board = ranking.Leaderboard()

    def work(first):
        for number in range(2_000):
            board.update(first + number, float(number))
            board.rank_of(first)
        board.update_many(np.arange(first, first + 2_000), np.full(2_000, 1.0))

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 1_000, 5_000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(board) == 5_000
    assert board.rank_of(6_999) == 5_000


EVENTS = st.lists(
    st.tuples(st.sampled_from("xy"), st.integers(0, 6), st.integers(-3, 3) | st.none()), max_size=60
)


@given(EVENTS, st.integers(1, 3), st.integers(0, 2))
def test_a_live_board_shows_what_sorting_all_members_shows(events, k, slack):
    members = {"x": {}, "y": {}}
    board = ranking.LiveBoard(k, slack, source=lambda group: list(members[group].items()))
    for group, member, score in events:
        before = [tuple(entry)[1:] for entry in board.top(group)]
        if score is None:
            members[group].pop(member, None)
            changed = board.remove(group, member)
        else:
            members[group][member] = score
            changed = board.update(group, member, score)
        in_order = sorted(members[group].items(), key=lambda one: (-one[1], one[0]))[:k]
        assert [tuple(entry) for entry in board.top(group)] == [
            (place, *one) for place, one in enumerate(in_order, 1)
        ]
        assert changed or before == in_order
        assert board.kept <= 2 * (k + slack)
    assert board.counts.events == len(events)


def test_a_live_board_without_source_says_that_it_is_short():
    board = ranking.LiveBoard(1)
    board.update(("FR", None), "mug", 2)
    board.update(("FR", None), "bag", 1)
    assert board.remove(("FR", None), "mug")
    assert board.is_short(("FR", None))
    assert board.top(("FR", None)) == []
    assert board.refill(("FR", None), {"bag": 1})
    assert board.top(("FR", None)) == [(1, "bag", 1.0)]


def test_what_a_source_raises_comes_through_and_it_is_asked_again():
    asked = []

    def source(group):
        asked.append(group)
        if len(asked) == 1:
            raise OSError("no connection")
        return {"bag": 1}

    board = ranking.LiveBoard(1, source=source)
    board.update("FR", "mug", 2)
    board.update("FR", "bag", 1)
    with pytest.raises(OSError, match="no connection"):
        board.remove("FR", "mug")
    assert board.is_short("FR")
    board.update("FR", "pen", 0)
    assert asked == ["FR", "FR"]
    assert board.top("FR") == [(1, "bag", 1.0)]


def test_a_live_board_takes_no_nan():
    board = ranking.LiveBoard(1)
    with pytest.raises(comptoir.DataError, match="member `mug`: a score cannot be NaN or null"):
        board.update("FR", "mug", float("nan"))
    with pytest.raises(comptoir.DataError, match="member `mug`"):
        board.refill("FR", {"mug": None})
    assert board.kept == 0
