"""The promises P11 and P12 of the costing core, bounds and ageing, and long histories against the oracle."""

import random
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from histories import (
    FIRST_DAY,
    HISTORIES,
    NEGATIVES,
    POLICIES,
    ROUNDINGS,
    balances,
    books,
    held,
    histories,
    rows,
    valued,
)
from oracle import value
from oracle_books import Move

EMPTY = (0, 0)


@given(
    moves=histories(layered=True, kinds=("receipt", "receipt", "issue")), rounding=st.sampled_from(ROUNDINGS)
)
def test_p11_an_issue_is_at_most_a_rounding_away_from_the_exact_average(
    moves: list[Move], rounding: str
) -> None:
    valuation = valued(moves, rounding=rounding)
    found = books(valuation).lines
    stock: dict[Any, tuple[int, int]] = {}
    costs: dict[Any, list[Fraction]] = {}
    for move in moves:
        if move.id not in found:
            continue
        key, line = (move.item, move.pool), found[move.id]
        qty, worth = stock.get(key, EMPTY)
        if move.kind == "issue":
            exact = Fraction(worth * (move.qty or 0), qty)
            off = abs(-line.value - exact)
            assert off <= Fraction(1, 2) if rounding.startswith("half") else off < 1
        else:
            costs.setdefault(key, []).append(Fraction(line.value, line.quantity))
        stock[key] = (qty + line.quantity, worth + line.value)
        assert stock[key][1] >= 0
    assert held(stock) == held(balances(valuation))


@given(moves=HISTORIES, policy=POLICIES)
def test_p11_layers_are_positive_and_add_up(moves: list[Move], policy: dict[str, str]) -> None:
    valuation = valued(moves, **{**policy, "method": "fifo", "negative": "reject"})
    sums: dict[Any, tuple[int, Decimal]] = {}
    for row in rows(valuation.layers):
        assert row["quantity"] > 0
        assert row["value"] >= 0
        qty, worth = sums.get((row["item"], row["pool"]), (0, Decimal(0)))
        sums[(row["item"], row["pool"])] = (qty + row["quantity"], worth + row["value"])
    expected = {
        (r["item"], r["pool"]): (r["quantity"], r["value"]) for r in rows(valuation.balances) if r["quantity"]
    }
    assert sums == expected


@given(moves=HISTORIES, policy=POLICIES, days=st.integers(0, 100))
def test_p12_ageing_adds_up_to_the_stock(moves: list[Move], policy: dict[str, str], days: int) -> None:
    valuation = valued(moves, **policy)
    as_of = FIRST_DAY + timedelta(days=days)
    until = [move for move in moves if move.at <= days]
    expected = held(balances(valued(until, **policy))) if until else {}
    found = {}
    for row in rows(valuation.ageing(as_of, (3, 10, 30))):
        for what in ("quantity", "value"):
            parts = [number for name, number in row.items() if name.startswith(f"{what}_")]
            assert sum(parts) + row[f"shortage_{what}"] == row[what]
        found[(row["item"], row["pool"])] = (int(row["quantity"]), int(row["value"].scaleb(2)))
    assert held(found) == expected


@pytest.mark.parametrize("seed", range(3))
def test_a_long_history_equals_the_oracle(seed: int) -> None:
    draw = random.Random(seed)
    moves = [
        Move(
            f"m{n:05}",
            n // 20,
            kind,
            draw.randint(1, 40),
            draw.randint(0, 9999) if kind == "receipt" else None,
        )
        for n, kind in enumerate(draw.choices(("receipt", "issue", "count"), (5, 6, 1), k=4000))
    ]
    for method in ("moving_average", "fifo", "lifo"):
        policy = {"method": method, "negative": NEGATIVES[seed]}
        assert books(valued(moves, **policy)).lines == value(moves, **policy).lines
