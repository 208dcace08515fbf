"""The standard method against the exact oracle: costs of whole cents, and such as need rounding."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histories import NEGATIVES, ROUNDINGS, assert_laws, books, histories, valued
from oracle import value
from oracle_books import Move
from test_costing_months import STEPS, WAYS, Steps, history
from test_costing_oracle import RETURNS

COSTS = ("4.20", "0.345", "1.2345")


def assert_standard(moves: list[Move], shown: list[Move], cost: str, **policy: str) -> None:
    """Value the rows as shown and compare with the oracle, posting by posting."""
    returns = policy.pop("returns", "original_cost")
    policy["method"] = "standard"
    valuation = valued(shown, late_cost="prospective", returns=returns, standard_cost=cost, **policy)
    expected = value(moves, standard_cost=100 * Fraction(cost), sales=returns, purchase=returns, **policy)
    found = books(valuation)
    assert found.rejected == expected.rejected
    assert found.lines == expected.lines
    assert sorted(map(repr, found.corrections)) == sorted(map(repr, expected.corrections))
    assert_laws(valuation, len(moves))


@pytest.mark.parametrize("negative", NEGATIVES)
@given(
    moves=histories(),
    cost=st.sampled_from(COSTS),
    rounding=st.sampled_from(ROUNDINGS),
    returns=st.sampled_from(RETURNS),
    data=st.data(),
)
def test_standard_cost_equals_the_oracle(
    negative: str, moves: list[Move], cost: str, rounding: str, returns: str, data: st.DataObject
) -> None:
    shown = data.draw(st.permutations(moves))
    assert_standard(moves, shown, cost, negative=negative, rounding=rounding, returns=returns)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("negative", ["reject", "carry"])
@settings(max_examples=40)
@given(steps=STEPS, cost=st.sampled_from(COSTS), rounding=st.sampled_from(ROUNDINGS), data=st.data())
def test_estimates_at_standard_cost_equal_the_oracle(
    negative: str, way: str, steps: Steps, cost: str, rounding: str, data: st.DataObject
) -> None:
    moves = history(steps, opening=500 if negative == "reject" else 10)
    shown = data.draw(st.permutations(moves))
    assert_standard(moves, shown, cost, negative=negative, rounding=rounding, provisional=way)
