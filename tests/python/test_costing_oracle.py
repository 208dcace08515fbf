"""The engine's postings against the exact oracle, on random histories."""

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histories import FIRST_DAY, KINDS, NEGATIVES, ROUNDINGS, assert_laws, balances, books, histories, valued
from oracle import value
from oracle_books import Move
from oracle_stock import rounded

METHODS = ("moving_average", "fifo", "lifo")
RETURNS = ("original_cost", "current_cost", "fifo_head")


def assert_same(moves: list[Move], shown: list[Move] | None = None, **policy: str) -> None:
    """Value the rows as shown (any order) and compare with the oracle, posting by posting."""
    valuation = valued(shown or moves, late_cost="prospective", **policy)
    expected = value(moves, **policy)
    found = books(valuation)
    assert found.rejected == expected.rejected
    assert found.lines == expected.lines
    days = {move.id: move.at for move in moves}
    times = [days[line.cause] for line in found.corrections]
    assert times == sorted(times)
    # Corrections of one day stand in the order of the input; the oracle's in book order.
    assert sorted(found.corrections, key=lambda line: line.cause) == expected.corrections
    held = {key: balance for key, balance in expected.balances().items() if balance != (0, 0)}
    assert {key: balance for key, balance in balances(valuation).items() if balance != (0, 0)} == held
    assert_laws(valuation, len(moves))


@pytest.mark.parametrize("negative", NEGATIVES)
@pytest.mark.parametrize("method", METHODS)
@given(data=st.data())
def test_postings_equal_the_oracle(method: str, negative: str, data: st.DataObject) -> None:
    # The order of layers after a transfer under LIFO has a test of its own: test_costing_faults.py.
    kinds = tuple(kind for kind in KINDS if kind != "transfer" or method != "lifo")
    moves = data.draw(histories(layered=method != "moving_average", kinds=kinds))
    policy = {
        "rounding": data.draw(st.sampled_from(ROUNDINGS)),
        "shortage_cost": data.draw(st.sampled_from(("kept", "latest_receipt"))),
    }
    assert_same(moves, data.draw(st.permutations(moves)), method=method, negative=negative, **policy)


@pytest.mark.parametrize("method", METHODS)
@given(data=st.data())
def test_extreme_magnitudes_equal_the_oracle(method: str, data: st.DataObject) -> None:
    without = {"cost_adjustment", "transfer"} if method == "lifo" else {"cost_adjustment"}
    kinds = tuple(kind for kind in KINDS if kind not in without)
    drawn = histories(layered=True, biggest=10**17, dearest=10**17, size=16, kinds=kinds)
    negative = data.draw(st.sampled_from(NEGATIVES))
    rounding = data.draw(st.sampled_from(ROUNDINGS))
    assert_same(data.draw(drawn), method=method, negative=negative, rounding=rounding)


@pytest.mark.parametrize("cost", RETURNS)
@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=30)
@given(data=st.data())
def test_returns_equal_the_oracle(method: str, cost: str, data: st.DataObject) -> None:
    kinds = ("receipt", "receipt", "issue", "sales_return", "sales_return_free", "purchase_return")
    moves = data.draw(histories(layered=True, kinds=kinds))
    negative = data.draw(st.sampled_from(NEGATIVES))
    valuation = valued(moves, method=method, negative=negative, returns=cost)
    expected = value(moves, method=method, negative=negative, sales=cost, purchase=cost)
    found = books(valuation)
    assert found.rejected == expected.rejected
    assert found.lines == expected.lines


@settings(max_examples=60)
@given(data=st.data())
@pytest.mark.parametrize("negative", ["reject", "carry"])
def test_periodic_average_equals_the_oracle(negative: str, data: st.DataObject) -> None:
    rounding = data.draw(st.sampled_from(ROUNDINGS))
    steps = data.draw(
        st.lists(
            st.tuples(
                st.sampled_from(("receipt", "receipt", "issue", "issue", "count_loss", "all")),
                st.integers(1, 30),
                st.integers(0, 5000),
                st.integers(0, 12),
            ),
            min_size=1,
            max_size=40,
        )
    )
    moves: list[Move] = []
    day = held = 0
    for kind, qty, amount, gap in steps:
        day += gap
        if kind != "receipt" and negative == "reject":
            if held <= 0:
                continue
            qty = held if kind == "all" else qty % held + 1
        held += qty if kind == "receipt" else -qty
        name, kind = f"m{len(moves):04}", "issue" if kind == "all" else kind
        moves.append(Move(name, day, kind, qty, amount if kind == "receipt" else None))
    shown = data.draw(st.permutations(moves))
    valuation = valued(shown, method="periodic_average", negative=negative, rounding=rounding)
    assert not valuation.counts.rejected
    assert {name: line.value for name, line in books(valuation).lines.items()} == monthly(moves, rounding)
    assert_laws(valuation, len(moves))


def monthly(moves: list[Move], rounding: str) -> dict[str, int]:
    """Values under the average of each month; what is left of an empty month goes with its last issue."""
    qty = total = 0
    rate = Fraction(0)
    found: dict[str, int] = {}
    for month in sorted({month_of(move) for move in moves}):
        own = [move for move in moves if month_of(move) == month]
        receipts = [move for move in own if move.kind == "receipt"]
        issues = [move for move in own if move.kind != "receipt"]
        qty += sum(move.qty or 0 for move in receipts)
        total += sum(move.amount or 0 for move in receipts)
        found |= {move.id: move.amount or 0 for move in receipts}
        if qty > 0:
            rate = Fraction(total, qty)
        for move in issues:
            found[move.id] = rounded(-(move.qty or 0) * rate, rounding)
            qty -= move.qty or 0
            total += found[move.id]
        if qty == 0:
            found[(issues or receipts)[-1].id] -= total
            total = 0
    return found


def month_of(move: Move) -> tuple[int, int]:
    day = FIRST_DAY + timedelta(days=move.at)
    return day.year, day.month
