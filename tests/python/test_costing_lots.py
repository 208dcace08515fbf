"""Specific identification against the exact oracle: goods by lot, and what moves or revalues them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histories import NEGATIVES, ROUNDINGS, assert_laws, books, histories, valued
from oracle import value
from oracle_books import Move
from test_costing_months import STEPS, WAYS, Steps, history
from test_costing_oracle import RETURNS, assert_same

LOTS = ("x", "y", "x", "y", None)


@pytest.mark.parametrize("negative", NEGATIVES)
@given(moves=histories(lots=LOTS), rounding=st.sampled_from(ROUNDINGS), data=st.data())
def test_lots_equal_the_oracle(negative: str, moves: list[Move], rounding: str, data: st.DataObject) -> None:
    shown = data.draw(st.permutations(moves))
    assert_same(moves, shown, method="specific", negative=negative, rounding=rounding)


@pytest.mark.parametrize("cost", RETURNS)
@settings(max_examples=30)
@given(
    moves=histories(
        kinds=("receipt", "receipt", "issue", "sales_return", "sales_return_free", "purchase_return"),
        lots=LOTS,
    ),
)
def test_returns_of_lots_equal_the_oracle(cost: str, moves: list[Move]) -> None:
    found = books(valued(moves, method="specific", returns=cost))
    expected = value(moves, method="specific", sales=cost, purchase=cost)
    assert found.rejected == expected.rejected
    assert found.lines == expected.lines


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("is_scarce", [False, True])
@given(steps=STEPS, rounding=st.sampled_from(ROUNDINGS), data=st.data())
def test_estimates_of_lots_equal_the_oracle(
    is_scarce: bool, way: str, steps: Steps, rounding: str, data: st.DataObject
) -> None:
    """Where goods are scarce, some of an estimate have gone; the oracle knows no groups that fall."""
    without = ("production_issue", "production_receipt") if is_scarce else ()
    moves = history(steps, opening=3 if is_scarce else 500, without=without, lots=("x", "y"))
    policy = {"method": "specific", "provisional": way, "rounding": rounding}
    valuation = valued(data.draw(st.permutations(moves)), late_cost="prospective", **policy)
    expected, found = value(moves, **policy), books(valuation)
    assert found.rejected == expected.rejected
    assert is_scarce or not found.rejected
    assert found.lines == expected.lines
    assert sorted(map(repr, found.corrections)) == sorted(map(repr, expected.corrections))
    assert_laws(valuation, len(moves))
