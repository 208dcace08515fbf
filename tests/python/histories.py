"""Histories as Arrow tables, results as plain values, and random histories."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from comptoir import costing
from oracle_books import FIRST_DAY, Books, Correction, Line, Move

# Where COMPTOIR_EXAMPLES is set, every property is tried that often: for a long search by hand.
settings.register_profile(
    "costing",
    deadline=None,
    derandomize=os.environ.get("CI") == "true",
    max_examples=int(os.environ.get("COMPTOIR_EXAMPLES", "60")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("costing")

ROUNDINGS = ("half_even", "half_up", "down", "up", "floor", "ceiling")
NEGATIVES = ("reject", "carry", "cover", "variance")


def cents(amount: Decimal | None) -> int | None:
    """An amount of two places as whole cents."""
    return None if amount is None else int(amount.scaleb(2).to_integral_exact())


def money(units: int | None) -> Decimal | None:
    return None if units is None else Decimal(units).scaleb(-2)


def table(moves: Sequence[Move]) -> pa.Table:
    """The moves as an Arrow table in their order; quantities are integers, amounts have two places."""
    text = ("id", "kind", "ref", "item", "pool", "lot", "group")
    columns: dict[str, Any] = {
        name: pa.array([getattr(m, name) for m in moves], pa.string()) for name in text
    }
    columns["movement_id"] = columns.pop("id")
    columns["at"] = pa.array([FIRST_DAY + timedelta(days=move.at) for move in moves], pa.date32())
    columns["quantity"] = pa.array([move.qty for move in moves], pa.int64())
    columns["amount"] = pa.array([money(move.amount) for move in moves], pa.decimal128(38, 2))
    return pa.table(columns)


def history(text: str, **shared: Any) -> list[Move]:
    """One move a day: `kind quantity amount ref`, `-` for what is absent; the ids are m0, m1, ..."""
    moves = []
    for day, line in enumerate(part for part in text.split(";") if part.strip()):
        kind, qty, amount, ref = (line.split() + ["-"] * 3)[:4]
        moves.append(
            Move(
                id=f"m{day}",
                at=day,
                kind=kind,
                qty=None if qty == "-" else int(qty),
                amount=None if amount == "-" else cents(Decimal(amount)),
                ref=None if ref == "-" else ref,
                **shared,
            )
        )
    return moves


def valued(moves: Sequence[Move] | str, **policy: Any) -> costing.Valuation:
    moves = history(moves) if isinstance(moves, str) else moves
    return costing.value(table(moves), costing.Policy(**policy))


def rows(result: Any) -> list[dict[str, Any]]:
    """Rows of any table that the library gives."""
    return pa.table(result).to_pylist()


def columns_of(result: Any, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows(result)]


def values(valuation: costing.Valuation) -> list[str]:
    """Values of all postings as text: short to compare with hand calculation."""
    return [str(row["value"]) for row in rows(valuation.postings)]


def closing(valuation: costing.Valuation) -> list[str]:
    """Quantity and value of every balance: `"3 33.60"`."""
    return [f"{row['quantity']} {row['value']}" for row in rows(valuation.balances)]


def codes(valuation: costing.Valuation) -> list[tuple[int, str]]:
    return [(row["row"], row["code"].removeprefix("COSTING_")) for row in rows(valuation.rejected)]


def books(valuation: costing.Valuation) -> Books:
    """The engine's result in the form of the oracle's."""
    found = Books()
    for row in rows(valuation.postings):
        line = Line(
            int(row["quantity"]),
            cents(row["value"]) or 0,
            int(row["on_hand"]),
            cents(row["on_hand_value"]) or 0,
            cents(row["variance"]) or 0,
        )
        if row["reason"] is None:
            found.lines[row["movement_id"]] = line
        else:
            found.corrections.append(
                Correction(
                    row["movement_id"],
                    row["adjusts"],
                    row["reason"],
                    line.value,
                    line.on_hand_value,
                    line.quantity,
                    line.variance,
                )
            )
    found.rejected = {row["movement_id"]: row["code"] for row in rows(valuation.rejected)}
    return found


def balances(valuation: costing.Valuation) -> dict[tuple[str, str | None], tuple[int, int]]:
    return {
        (row["item"], row["pool"]): (int(row["quantity"]), cents(row["value"]) or 0)
        for row in rows(valuation.balances)
    }


def held(found: dict[Any, tuple[int, int]]) -> dict[Any, tuple[int, int]]:
    return {key: balance for key, balance in found.items() if balance != (0, 0)}


def assert_laws(valuation: costing.Valuation, inputs: int) -> None:
    """What holds for every result: nothing lost, and conservation after every line in book order."""
    by_item = valuation.policy.to_dict()["scope"] == "item"
    counts = valuation.counts
    assert counts.input == inputs == counts.accepted + counts.rejected
    total = sum(row["value"] for row in rows(valuation.postings))
    assert total == sum(row["value"] for row in rows(valuation.balances))
    for item in {row["item"] for row in rows(valuation.postings)}:
        running: dict[Any, tuple[Decimal, Decimal]] = {}
        for row in rows(valuation.stock_card(item)):
            key = None if by_item else row["pool"]
            quantity, value = running.get(key, (Decimal(0), Decimal(0)))
            running[key] = (quantity + row["quantity"], value + row["value"])
            assert running[key] == (row["on_hand"], row["on_hand_value"]), row


# --- random histories

OUT = ("issue", "count_loss", "transfer_out")
KINDS = (
    "receipt", "receipt", "receipt", "issue", "issue", "issue", "count_loss", "count_gain", "count", "reset",
    "sales_return", "sales_return_free", "purchase_return", "purchase_return_free", "transfer",
    "cost_adjustment", "reversal",
)  # fmt: skip
REFERS_TO = {
    "sales_return": ("issue",),
    "purchase_return": ("receipt",),
    "cost_adjustment": ("receipt",),
    "reversal": ("receipt", "issue"),
}


def build(
    steps: Iterable[tuple[str, int, int, int, int, int]],
    *,
    layered: bool,
    pools: Sequence[str | None] = ("A", "B"),
    lots: Sequence[str | None] = (None,),
) -> list[Move]:
    """Moves from drawn numbers; a kind that needs an earlier movement becomes an issue when there is none."""
    moves: list[Move] = []
    day = 0
    for kind, key, qty, amount, pick, gap in steps:
        day += gap
        item, pool = ("mug", "pot")[key % 2], pools[key // 2 % len(pools)]
        name = f"m{len(moves):04}"
        lot = lots[(qty + amount) % len(lots)]
        where: dict[str, Any] = {"item": item, "pool": pool, "lot": lot}
        base = kind.removesuffix("_free")
        if kind == "transfer":
            to = pools[(key // 2 + 1) % len(pools)]
            moves.append(Move(name, day, "transfer_out", qty, None, **where))
            arrival = Move(f"m{len(moves):04}", day, "transfer_in", qty, None, name, **where)
            moves.append(replace(arrival, pool=to, lot=lots[pick % len(lots)]))
            continue
        known = [
            move
            for move in moves
            if move.kind in REFERS_TO.get(kind, ()) and (move.item, move.pool) == (item, pool)
        ]
        if kind in REFERS_TO and not known:
            if kind == "cost_adjustment" and not layered:
                moves.append(Move(name, day, kind, None, amount - 500, **where))
                continue
            kind = base = "issue"
        ref = known[pick % len(known)] if kind in REFERS_TO else None
        where["lot"] = ref.lot if ref else lot
        if kind in ("sales_return", "purchase_return") and ref is not None and ref.qty is not None:
            qty = qty % ref.qty + 1
        takes_amount = kind in ("receipt", "reset") or (kind == "count_gain" and pick % 2)
        moves.append(
            Move(
                name,
                day,
                "count" if kind == "reset" else base,
                None if kind in ("cost_adjustment", "reversal") else qty,
                amount - 500 if kind == "cost_adjustment" else amount if takes_amount else None,
                ref.id if ref else None,
                **where,
            )
        )
    return moves


def histories(
    *,
    layered: bool = False,
    biggest: int = 30,
    dearest: int = 5000,
    size: int = 30,
    kinds: Sequence[str] = KINDS,
    lots: Sequence[str | None] = (None,),
) -> st.SearchStrategy[list[Move]]:
    """Random histories of two items in two pools, in book order."""
    step = st.tuples(
        st.sampled_from(kinds),
        st.integers(0, 3),
        st.integers(1, biggest),
        st.integers(0, dearest),
        st.integers(0, 40),
        st.integers(0, 3),
    )
    steps = st.lists(step, min_size=1, max_size=size)
    return steps.map(lambda steps: build(steps, layered=layered, lots=lots))


METHODS = st.sampled_from(("moving_average", "fifo", "lifo"))
POLICIES = st.fixed_dictionaries(
    {
        "method": METHODS,
        "negative": st.sampled_from(NEGATIVES),
        "rounding": st.sampled_from(ROUNDINGS),
        "late_cost": st.sampled_from(("replay", "prospective", "stock_coverage")),
        "returns": st.sampled_from(("original_cost", "current_cost", "fifo_head")),
        "scope": st.sampled_from(("pool", "item")),
        "transfer_age": st.sampled_from(("keep", "restart")),
    }
)
HISTORIES = histories(layered=True)
