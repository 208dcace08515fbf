"""Every named policy value against its neighbours, with numbers worked out by hand."""

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from comptoir import costing
from histories import cents, closing, codes, columns_of, rows, table, valued, values
from oracle_books import Move


def corrections(valuation: costing.Valuation) -> list[tuple[str, str, str]]:
    """Movement corrected, reason and value of every correction."""
    lines = [row for row in rows(valuation.postings) if row["reason"]]
    return [(row["adjusts"], row["reason"], str(row["value"])) for row in lines]


def variances(valuation: costing.Valuation) -> list[str]:
    return [str(row["variance"]) for row in rows(valuation.postings) if row["variance"]]


# --- methods

METHODS = {
    # Receipts 2 @ 1, 2 @ 2, 2 @ 4; issue 3.
    "moving_average": ("-7.00", "3 7.00"),
    "fifo": ("-4.00", "3 10.00"),
    "lifo": ("-10.00", "3 4.00"),
}


@pytest.mark.parametrize("method", METHODS)
def test_method(method: str) -> None:
    valuation = valued("receipt 2 2; receipt 2 4; receipt 2 8; issue 3", method=method)
    assert (values(valuation)[3], closing(valuation)[0]) == METHODS[method]


def test_method_periodic_average_counts_later_receipts_of_the_month() -> None:
    # Month: 2 for 2.00 and 2 for 6.00, so 2.00 each, although the issue stands before the second receipt.
    moves = "receipt 2 2; issue 1; receipt 2 6"
    assert values(valued(moves, method="periodic_average")) == ["2.00", "-2.00", "6.00"]
    assert values(valued(moves)) == ["2.00", "-1.00", "6.00"]


def test_method_specific_takes_its_own_lot() -> None:
    moves = [
        Move("r1", 0, "receipt", 1, 1000, lot="A"),
        Move("r2", 1, "receipt", 1, 3000, lot="B"),
        Move("i1", 2, "issue", 1, lot="B"),
        Move("i2", 3, "issue", 1, lot="B"),
        Move("i3", 4, "issue", 1),
    ]
    valuation = valued(moves, method="specific")
    assert values(valuation) == ["10.00", "30.00", "-30.00"]
    assert codes(valuation) == [(3, "NEGATIVE_STOCK"), (4, "LOT_REQUIRED")]


def test_method_standard_sends_the_difference_to_variance() -> None:
    valuation = valued("receipt 10 120; issue 4; issue 6", method="standard", standard_cost="10")
    assert values(valuation) == ["100.00", "-40.00", "-60.00"]
    assert variances(valuation) == ["20.00"]
    assert codes(valued("receipt 10 120", method="standard")) == [(0, "NO_STANDARD_COST")]


# --- negative stock

NEGATIVE: dict[str, tuple[list[str], str, list[str]]] = {
    # 10 @ 10, issue 15, receipt 10 @ 13: 5 left at 10 without being there.
    # carry: -50 + 130. cover: the 5 cost 13, not 10, and the issue bears 15 more; variance: the account does.
    "carry": (["100.00", "-150.00", "130.00"], "5 80.00", []),
    "cover": (["100.00", "-150.00", "130.00", "-15.00"], "5 65.00", []),
    "variance": (["100.00", "-150.00", "115.00"], "5 65.00", ["15.00"]),
}


@pytest.mark.parametrize("method", ["moving_average", "fifo"])
@pytest.mark.parametrize("negative", NEGATIVE)
def test_negative(method: str, negative: str) -> None:
    valuation = valued("receipt 10 100; issue 15; receipt 10 130", method=method, negative=negative)
    expected, left, variance = NEGATIVE[negative]
    assert values(valuation) == expected
    assert closing(valuation) == [left]
    assert variances(valuation) == variance
    assert corrections(valuation) == [("m1", "shortage_covered", "-15.00")][: len(expected) - 3]


def test_negative_reject() -> None:
    valuation = valued("receipt 10 100; issue 15; receipt 10 130")
    assert codes(valuation) == [(1, "NEGATIVE_STOCK")]
    assert rows(valuation.rejected)[0]["message"] == "issue of 15 exceeds the 10 on hand"
    assert closing(valuation) == ["20 230.00"]


def test_shortage_leaves_at_the_cost_of_what_is_taken_last() -> None:
    moves = "receipt 1 1; receipt 1 3; issue 3"
    # Average 2, newest layer 3, oldest layer 1.
    for method, expected in (("moving_average", "-6.00"), ("fifo", "-7.00"), ("lifo", "-5.00")):
        assert values(valued(moves, method=method, negative="carry"))[2] == expected


def test_shortage_cost() -> None:
    # 5 short at 10; the receipt of 2 @ 20 covers 2; the other 3 stay at 10, or are worth 20 each.
    moves = "receipt 1 10; issue 6; receipt 2 40"
    assert closing(valued(moves, negative="cover")) == ["-3 -30.00"]
    assert closing(valued(moves, negative="cover", shortage_cost="latest_receipt")) == ["-3 -60.00"]


def test_fallback_cost_before_any_cost_is_known() -> None:
    assert values(valued("issue 3", negative="carry")) == ["0.00"]
    assert values(valued("issue 3", negative="carry", fallback_cost="1.25")) == ["-3.75"]


# --- returns

RETURNS = {
    # The issue took the layer of 10. Left are 20 and 40, average 30; FIFO issues 20 first, LIFO 40.
    "fifo": {"original_cost": "10.00", "current_cost": "20.00", "fifo_head": "20.00"},
    "lifo": {"original_cost": "10.00", "current_cost": "40.00", "fifo_head": "20.00"},
    "moving_average": {"original_cost": "10.00", "current_cost": "30.00", "fifo_head": "30.00"},
}


@pytest.mark.parametrize("cost", ["original_cost", "current_cost", "fifo_head"])
@pytest.mark.parametrize("method", RETURNS)
def test_sales_returns(method: str, cost: str) -> None:
    moves = "receipt 1 10; issue 1; receipt 1 20; receipt 1 40; sales_return 1 - m1"
    assert values(valued(moves, method=method, returns={"sales": cost}))[4] == RETURNS[method][cost]


def test_purchase_returns() -> None:
    moves = "receipt 1 10; receipt 1 20; receipt 1 60; issue 1; purchase_return 1 - m2"
    # FIFO: the issue took 10; own receipt 60, head 20.
    assert values(valued(moves, method="fifo", returns={"purchase": "original_cost"}))[4] == "-60.00"
    assert values(valued(moves, method="fifo", returns={"purchase": "fifo_head"}))[4] == "-20.00"
    # Average 30: own receipt 60 leaves 0 for the other one, current 30.
    assert values(valued(moves, returns={"purchase": "original_cost"}))[4] == "-60.00"
    assert values(valued(moves, returns={"purchase": "current_cost"}))[4] == "-30.00"


def test_purchase_returns_at_current_cost_take_what_an_issue_would() -> None:
    moves = "receipt 1 10; receipt 1 20; receipt 1 60; purchase_return 1 - m1"
    assert values(valued(moves, method="fifo", returns={"purchase": "current_cost"}))[3] == "-10.00"
    assert values(valued(moves, method="lifo", returns={"purchase": "current_cost"}))[3] == "-60.00"


def test_purchase_returns_at_the_head_under_lifo() -> None:
    moves = "receipt 1 10; receipt 1 20; receipt 1 60; purchase_return 1 - m1"
    assert values(valued(moves, method="lifo", returns={"purchase": "fifo_head"}))[3] == "-10.00"


def test_returns_may_differ_by_direction() -> None:
    moves = "receipt 2 20; issue 1; receipt 1 40; sales_return 1 - m1; purchase_return 1 - m0"
    both = valued(moves, returns={"sales": "current_cost", "purchase": "original_cost"})
    assert values(both)[3:] == ["25.00", "-10.00"]


# --- late cost, amendments


LATE = {
    # 10 @ 10, issue 6, landed cost 20: 2 a unit, of which 12 belong to the issue.
    "replay": (["100.00", "-60.00", "20.00", "-12.00"], "4 48.00", []),
    "prospective": (["100.00", "-60.00", "20.00"], "4 60.00", []),
    "stock_coverage": (["100.00", "-60.00", "8.00"], "4 48.00", ["12.00"]),
}


@pytest.mark.parametrize("method", ["moving_average", "fifo", "lifo"])
@pytest.mark.parametrize("late_cost", LATE)
def test_late_cost(method: str, late_cost: str) -> None:
    moves = "receipt 10 100; issue 6; cost_adjustment - 20 m0"
    valuation = valued(moves, method=method, late_cost=late_cost)
    assert (values(valuation), closing(valuation)[0], variances(valuation)) == LATE[late_cost]
    assert corrections(valuation) == [("m1", "late_cost", "-12.00")][: len(values(valuation)) - 3]


def test_prospective_without_stock_goes_to_variance() -> None:
    valuation = valued("receipt 10 100; issue 10; cost_adjustment - 20 m0", late_cost="prospective")
    assert values(valuation) == ["100.00", "-100.00", "0.00"]
    assert variances(valuation) == ["20.00"]


def test_amendment() -> None:
    # The receipt of 2 @ 1 should have been 4 for 4.00. FIFO issued 2 @ 1 and 1 @ 5; with four it is 3 @ 1.
    moves = "receipt 2 2; receipt 2 10; issue 3; amendment 4 4 m0"
    kept = valued(moves, method="fifo", amendment="keep_place")
    assert corrections(kept) == [("m2", "amended", "4.00")]
    assert closing(kept) == ["3 11.00"]
    appended = valued(moves, method="fifo", amendment="append")
    assert corrections(appended) == []
    assert closing(appended) == ["3 7.00"]


# --- provisional receipts


def provisional(way: str, **policy: Any) -> costing.Valuation:
    moves = [
        Move("p", 10, "provisional_receipt", 10, 10000),
        Move("s", 45, "settlement", None, 12000, ref="p"),
    ]
    return valued(moves, provisional=way, **policy)


def test_provisional_difference_on_invoice() -> None:
    assert values(provisional("difference_on_invoice")) == ["100.00", "20.00"]


def test_provisional_reverse_on_invoice() -> None:
    valuation = provisional("reverse_on_invoice")
    assert values(valuation) == ["100.00", "120.00", "-100.00"]
    assert corrections(valuation) == [("p", "estimate_reversed", "-100.00")]


def test_provisional_month_start_reversal() -> None:
    valuation = provisional("month_start_reversal")
    assert corrections(valuation) == [("p", "month_start_reversal", "-100.00")]
    lines = [row for row in rows(valuation.postings) if row["reason"]]
    assert lines[0]["at"] == date(2026, 2, 1)
    assert closing(valuation) == ["10 120.00"]


def test_month_start_reversal_estimates_again_until_the_invoice_comes() -> None:
    moves = [
        Move("p", 10, "provisional_receipt", 10, 10000),
        Move("s", 70, "settlement", None, 12000, ref="p"),
    ]
    valuation = valued(moves, provisional="month_start_reversal")
    reasons = [reason for _, reason, _ in corrections(valuation)]
    assert reasons == ["month_start_reversal", "reestimated", "month_start_reversal"]
    assert closing(valuation) == ["10 120.00"]


def test_an_estimate_made_again_stands_in_the_month_that_it_closes() -> None:
    moves = [
        Move("p", 10, "provisional_receipt", 10, 10000),
        Move("s", 70, "settlement", None, 12000, ref="p"),
    ]
    valuation = valued(moves, provisional="month_start_reversal")
    aged = rows(valuation.ageing("2026-02-28"))
    assert [row["value"] for row in aged] == [Decimal("100.00")]
    february = [row for row in rows(valuation.summary("month")) if row["period"] == date(2026, 2, 1)]
    assert february[0]["closing_value"] == Decimal("100.00")


# --- transfers, scope, ties


def transferred(**policy: Any) -> costing.Valuation:
    moves = [
        Move("r", 0, "receipt", 10, 10000, pool="A"),
        Move("o", 40, "transfer_out", 10, pool="A"),
        Move("t", 40, "transfer_in", 10, ref="o", pool="B"),
    ]
    return valued(moves, **policy)


@pytest.mark.parametrize("method", ["fifo", "moving_average"])
def test_transfer_age(method: str) -> None:
    kept = rows(transferred(method=method).ageing("2026-02-10"))
    assert [row["oldest"] for row in kept if row["quantity"]] == [date(2026, 1, 1)]
    restarted = rows(transferred(method=method, transfer_age="restart").ageing("2026-02-10"))
    assert [row["oldest"] for row in restarted if row["quantity"]] == [date(2026, 2, 10)]


def test_scope() -> None:
    moves = [
        Move("r1", 0, "receipt", 1, 100, pool="A", lot="x"),
        Move("r2", 1, "receipt", 1, 300, pool="A", lot="y"),
        Move("r3", 2, "receipt", 2, 1600, pool="B", lot="x"),
        Move("i1", 3, "issue", 1, pool="A", lot="y"),
    ]
    # Lot y of A cost 3, A costs 2 on average, everything 20 / 4 = 5.
    for scope, expected in (("lot", "-3.00"), ("pool", "-2.00"), ("item", "-5.00")):
        assert values(valued(moves, scope=scope))[3] == expected


def test_ties() -> None:
    moves = [
        Move("b", 0, "issue", 1),
        Move("c", 0, "receipt", 1, 100),
        Move("a", 0, "receipt", 1, 300),
    ]
    # By id: receipt of 3, issue, receipt of 1. By row: the issue finds nothing. Receipts first: average 2.
    assert values(valued(moves, ties="id")) == ["-3.00", "1.00", "3.00"]
    assert codes(valued(moves, ties="row")) == [(0, "NEGATIVE_STOCK")]
    assert values(valued(moves, ties="receipts_first")) == ["-2.00", "1.00", "3.00"]


def test_integer_ids_tie_by_number_and_text_by_bytes() -> None:
    moves = table([Move("9", 0, "receipt", 1, 100), Move("10", 0, "issue", 1)])
    assert costing.value(moves).counts.rejected == 1
    numbers = moves.set_column(moves.schema.get_field_index("movement_id"), "movement_id", pa.array([9, 10]))
    assert costing.value(numbers).counts.rejected == 0


# --- rounding

HALF = {
    # 1 of 2 units for 0.05, a tie, and 1 of 3 units for 0.05.
    "half_even": ("0.02", "0.02"),
    "half_up": ("0.03", "0.02"),
    "down": ("0.02", "0.01"),
    "up": ("0.03", "0.02"),
    "floor": ("0.02", "0.01"),
    "ceiling": ("0.03", "0.02"),
}


@pytest.mark.parametrize("rounding", HALF)
def test_rounding_of_half_a_cent(rounding: str) -> None:
    tie, two_thirds = HALF[rounding]
    # 1 of 2 units for 0.05 is 0.025; 1 of 3 units for 0.05 is 0.01666...
    assert values(valued("receipt 2 0.05; issue 1; issue 1", rounding=rounding))[1] == f"-{tie}"
    assert values(valued("receipt 3 0.05; issue 1; issue 2", rounding=rounding))[1] == f"-{two_thirds}"


def test_half_even_goes_to_the_even_cent() -> None:
    for amount, expected in (("0.01", "0.00"), ("0.03", "-0.02"), ("0.05", "-0.02"), ("0.07", "-0.04")):
        assert values(valued(f"receipt 2 {amount}; issue 1"))[1] == expected


def test_floor_and_down_differ_on_a_negative_value() -> None:
    # carry: 2 @ 1 out of nothing known, so -0.05 of value on 2 units after the receipt.
    moves = "opening -2 -0.05; receipt 4 0.00; issue 1"
    found = {
        rounding: cents(rows(valued(moves, negative="carry", rounding=rounding).postings)[2]["value"])
        for rounding in HALF
    }
    # On hand 2 units worth -0.05: the issue of one gives -(-0.025).
    assert found == {"half_even": 2, "half_up": 3, "down": 2, "up": 3, "floor": 3, "ceiling": 2}


def test_what_is_left_at_zero_goes_with_the_last_unit() -> None:
    assert values(valued("receipt 3 10; issue 1; issue 1; issue 1")) == ["10.00", "-3.33", "-3.34", "-3.33"]


# --- closed periods, change of method, zones


def test_closed_period() -> None:
    moves = [Move("r1", 0, "receipt", 1, 100), Move("r2", 40, "receipt", 1, 300)]
    refused = valued(moves, open_from="2026-02-01")
    assert codes(refused) == [(0, "CLOSED_PERIOD")]
    moved = valued(moves, open_from="2026-02-01", closed_period="first_open_day")
    assert closing(moved) == ["2 4.00"]
    summary = columns_of(moved.summary("month"), "period", "received_quantity")
    assert summary == [(date(2026, 2, 1), 2)]


def test_switch_of_method() -> None:
    moves = "receipt 1 1; receipt 1 3; issue 1; receipt 1 8; issue 1"
    # FIFO issues 1; the day after day 2 the average holds: (3 + 8) / 2.
    switch = {"from": "2026-01-04", "method": "moving_average"}
    assert values(valued(moves, method="fifo", switch=switch)) == ["1.00", "3.00", "-1.00", "8.00", "-5.50"]
    # Or at the newest receipt's cost, which is 3.
    switch = {"from": "2026-01-03", "method": "fifo", "value": "last_receipt"}
    valuation = valued(moves, switch=switch)
    # Average: 2 units for 4.00 become 6.00; the issue takes 3.
    assert [reason for _, reason, _ in corrections(valuation)] == ["method_switched"]
    assert values(valuation) == ["1.00", "3.00", "-3.00", "8.00", "-3.00", "2.00"]


def test_utc_offset_decides_the_month() -> None:
    at = pa.array(
        [datetime(2026, 1, 31, 17, tzinfo=timezone.utc), datetime(2026, 2, 3, tzinfo=timezone.utc)],
        pa.timestamp("us", "UTC"),
    )
    moves = table([Move("r1", 0, "receipt", 1, 100), Move("r2", 1, "receipt", 1, 300)])
    moves = moves.set_column(moves.schema.get_field_index("at"), "at", at)
    for offset, expected in (("+00:00", [1, 1]), ("+08:00", [2])):
        valuation = costing.value(moves, costing.Policy(utc_offset=offset))
        assert [row["received_quantity"] for row in rows(valuation.summary("month"))] == expected
