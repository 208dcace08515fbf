"""The engine's postings against the exact oracle, on random histories."""

import os

import pytest
from histories import KINDS, NEGATIVES, ROUNDINGS, assert_laws, balances, books, histories, valued
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle import Move, value

settings.register_profile(
    "costing",
    deadline=None,
    derandomize=os.environ.get("CI") == "true",
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("costing")

METHODS = ("moving_average", "fifo", "lifo")
RETURNS = ("original_cost", "current_cost", "fifo_head")


def assert_same(moves: list[Move], shown: list[Move] | None = None, **policy: str) -> None:
    """Value the rows as shown (any order) and compare with the oracle, posting by posting."""
    valuation = valued(shown or moves, late_cost="prospective", **policy)
    expected = value(moves, **policy)
    found = books(valuation)
    assert found.rejected == expected.rejected
    assert found.lines == expected.lines
    order = {move.id: (move.at, move.id) for move in moves}
    assert found.corrections == sorted(expected.corrections, key=lambda line: order[line.cause])
    held = {key: balance for key, balance in expected.balances().items() if balance != (0, 0)}
    assert {key: balance for key, balance in balances(valuation).items() if balance != (0, 0)} == held
    assert_laws(valuation, len(moves))


@pytest.mark.parametrize("negative", NEGATIVES)
@pytest.mark.parametrize("method", METHODS)
@given(data=st.data())
def test_postings_equal_the_oracle(method: str, negative: str, data: st.DataObject) -> None:
    moves = data.draw(histories(layered=method != "moving_average"))
    policy = {
        "rounding": data.draw(st.sampled_from(ROUNDINGS)),
        "shortage_cost": data.draw(st.sampled_from(("kept", "latest_receipt"))),
    }
    assert_same(moves, data.draw(st.permutations(moves)), method=method, negative=negative, **policy)


@pytest.mark.parametrize("method", METHODS)
@given(data=st.data())
def test_extreme_magnitudes_equal_the_oracle(method: str, data: st.DataObject) -> None:
    kinds = tuple(kind for kind in KINDS if kind != "cost_adjustment")
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
