"""The promises P1 to P10 of the costing core, each as a property of random histories."""

import os
import random
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from comptoir import costing
from histories import (
    FIRST_DAY,
    HISTORIES,
    KINDS,
    METHODS,
    NEGATIVES,
    POLICIES,
    assert_laws,
    balances,
    books,
    closing,
    codes,
    columns_of,
    held,
    histories,
    rows,
    table,
    valued,
)
from oracle import value
from oracle_books import Move


def content(valuation: costing.Valuation) -> list[Any]:
    """Everything that a valuation says, without regard to the order of the rows."""
    posted = sorted(map(repr, rows(valuation.postings)))
    refused = sorted(map(repr, columns_of(valuation.rejected, "movement_id", "code", "message")))
    return [
        posted,
        sorted(map(repr, rows(valuation.balances))),
        sorted(map(repr, rows(valuation.layers))),
        refused,
    ]


@given(moves=HISTORIES, policy=POLICIES)
def test_p1_no_float_anywhere(moves: list[Move], policy: dict[str, str]) -> None:
    valuation = valued(moves, **policy)
    for result in (
        valuation.postings,
        valuation.layers,
        valuation.balances,
        valuation.ageing("2026-03-01"),
        valuation.summary(),
    ):
        assert not [field for field in pa.table(result).schema if pa.types.is_floating(field.type)]


@given(moves=histories(layered=True, biggest=10**18, dearest=10**18), policy=POLICIES)
def test_p1_overflow_is_an_error_and_never_wraps(moves: list[Move], policy: dict[str, str]) -> None:
    valuation = valued(moves, **policy)
    assert_laws(valuation, len(moves))
    for row in rows(valuation.balances):
        assert abs(row["quantity"]) < 10**18
        assert abs(row["value"]) < 10**16


@given(moves=HISTORIES, policy=POLICIES)
def test_p2_conservation_after_every_line(moves: list[Move], policy: dict[str, str]) -> None:
    assert_laws(valued(moves, **policy), len(moves))


@settings(max_examples=25)
@given(moves=HISTORIES, policy=POLICIES)
def test_p2_conservation_of_every_prefix(moves: list[Move], policy: dict[str, str]) -> None:
    for length in range(1, len(moves) + 1):
        valuation = valued(moves[:length], **policy)
        total = sum(row["value"] for row in rows(valuation.postings))
        assert total == sum(row["value"] for row in rows(valuation.balances))


@given(moves=HISTORIES, policy=POLICIES)
def test_p2_money_paid_is_stock_cost_or_variance(moves: list[Move], policy: dict[str, str]) -> None:
    """Every cent of a receipt is in the stock or in the variance account."""
    valuation = valued(moves, **policy)
    amounts = {move.id: move.amount for move in moves if move.kind == "receipt"}
    for name, line in books(valuation).lines.items():
        if name in amounts:
            assert line.value + line.variance == amounts[name]


@given(moves=HISTORIES, policy=POLICIES)
def test_p3_empty_is_empty(moves: list[Move], policy: dict[str, str]) -> None:
    valuation = valued(moves, **policy)
    assert all(row["value"] == 0 for row in rows(valuation.balances) if row["quantity"] == 0)
    lines = rows(valuation.postings)
    late = {row["movement_id"] for row in lines if row["reason"] is not None}
    # The line of a movement that causes corrections stands before them.
    for row in lines:
        assert row["on_hand"] or not row["on_hand_value"] or row["movement_id"] in late, row


@given(moves=HISTORIES, policy=POLICIES, by=st.sampled_from(("movement", "day", "month", "period")))
def test_p4_vouchers_balance(moves: list[Move], policy: dict[str, str], by: Any) -> None:
    valuation = valued(moves, **policy)
    vouchers = valuation.vouchers(by=by)
    assert vouchers.balanced
    sums: dict[str, Decimal] = {}
    for row in rows(vouchers.entries):
        sums[row["voucher_id"]] = (
            sums.get(row["voucher_id"], Decimal(0)) + (row["debit"] or 0) - (row["credit"] or 0)
        )
    assert not any(sums.values())
    balance = valuation.trial_balance()
    assert balance.agrees
    assert balance.stock == sum(row["value"] for row in rows(valuation.balances))


@given(moves=HISTORIES, policy=POLICIES, cut=st.integers(1, 7), seed=st.integers(0, 99))
def test_p5_order_and_chunks_of_the_input_do_not_matter(
    moves: list[Move], policy: dict[str, str], cut: int, seed: int
) -> None:
    expected = content(valued(moves, **policy))
    shuffled = random.Random(seed).sample(moves, len(moves))
    assert content(valued(shuffled, **policy)) == expected
    whole = table(shuffled)
    chunked = pa.Table.from_batches(whole.to_batches(max_chunksize=cut))
    assert content(costing.value(chunked, policy)) == expected


SCRIPT = """
import hashlib, sys
import pyarrow as pa
from comptoir import costing
movements = pa.ipc.open_file(sys.argv[1]).read_all()
digest = hashlib.sha256()
for policy in ({"method": "fifo", "negative": "cover"}, {"negative": "carry"}):
    valuation = costing.value(movements, policy)
    tables = [valuation.postings, valuation.layers, valuation.balances, valuation.rejected]
    for result in (*tables, valuation.vouchers()):
        sink = pa.BufferOutputStream()
        found = pa.table(result)
        with pa.ipc.new_stream(sink, found.schema) as writer:
            writer.write_table(found)
        digest.update(sink.getvalue())
print(digest.hexdigest())
"""


def thread_history() -> pa.Table:
    """Enough rows for several tasks, from a fixed seed."""
    draw = random.Random(7)
    count = 60_000
    kinds = [draw.choice(("receipt", "issue", "issue", "count")) for _ in range(count)]
    days = [FIRST_DAY + timedelta(days=draw.randrange(300)) for _ in range(count)]
    amounts = [Decimal(draw.randrange(9999)).scaleb(-2) if kind == "receipt" else None for kind in kinds]
    return pa.table(
        {
            "movement_id": [f"m{number}" for number in range(count)],
            "item": [f"item-{draw.randrange(900)}" for _ in range(count)],
            "at": pa.array(days, pa.date32()),
            "kind": kinds,
            "quantity": pa.array([draw.randrange(1, 50) for _ in range(count)], pa.int32()),
            "amount": pa.array(amounts, pa.decimal128(12, 2)),
        }
    )


def test_p5_the_number_of_threads_does_not_matter(tmp_path: Path) -> None:
    movements = thread_history()
    path = tmp_path / "movements.arrow"
    with pa.ipc.new_file(path, movements.schema) as writer:
        writer.write_table(movements)

    def digest(threads: int) -> str:
        environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
        command = [sys.executable, "-c", SCRIPT, str(path)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert digest(1) == digest(2) != ""


@given(moves=HISTORIES, policy=POLICIES, picks=st.lists(st.integers(0, 29), min_size=1, max_size=5))
def test_p6_repeated_rows_change_nothing(moves: list[Move], policy: dict[str, str], picks: list[int]) -> None:
    again = [moves[pick % len(moves)] for pick in picks]
    once, twice = valued(moves, **policy), valued([*moves, *again], **policy)
    assert twice.counts.duplicates == len(again)
    assert columns_of(twice.postings, "movement_id", "value") == columns_of(
        once.postings, "movement_id", "value"
    )
    assert balances(twice) == balances(once)


def test_p6_an_id_with_other_content_is_an_error() -> None:
    moves = [Move("a", 0, "receipt", 2, 200), Move("a", 0, "receipt", 3, 200)]
    valuation = valued(moves)
    assert codes(valuation) == [(1, "DUPLICATE_ID")]
    assert closing(valuation) == ["2 2.00"]


@given(data=st.data(), policy=POLICIES)
def test_p7_a_group_stands_or_falls_together(data: st.DataObject, policy: dict[str, str]) -> None:
    kinds = ("receipt", "issue", "issue", "transfer", "count_loss")
    drawn = data.draw(histories(layered=True, kinds=kinds))
    grouped = [
        Move(**{**vars(move), "group": data.draw(st.sampled_from((None, None, "g1", "g2", "g3")))})
        for move in drawn
    ]
    valuation = valued(grouped, **policy)
    refused = {row["movement_id"] for row in rows(valuation.rejected)}
    for group in ("g1", "g2", "g3"):
        members = {move.id for move in grouped if move.group == group}
        assert members <= refused or not members & refused
    assert_laws(valuation, len(grouped))
    # What fell did nothing: the rest alone has the same values.
    rest = [move for move in grouped if move.id not in refused]
    assert balances_of(rest, policy) == held(balances(valuation))


def balances_of(moves: list[Move], policy: dict[str, str]) -> dict[Any, tuple[int, int]]:
    return held(balances(valued(moves, **policy)))


@given(moves=HISTORIES, policy=POLICIES)
def test_p7_rejected_rows_do_nothing(moves: list[Move], policy: dict[str, str]) -> None:
    valuation = valued(moves, **policy)
    refused = {row["movement_id"] for row in rows(valuation.rejected)}
    rest = [move for move in moves if move.id not in refused]
    again = valued(rest, **policy)
    assert not again.counts.rejected
    assert held(balances(again)) == held(balances(valuation))


@given(data=st.data(), method=METHODS, negative=st.sampled_from(NEGATIVES))
def test_p8_a_late_row_is_as_if_it_had_come_in_time(data: st.DataObject, method: str, negative: str) -> None:
    kinds = tuple(kind for kind in KINDS if kind != "transfer" or method != "lifo")
    moves = data.draw(histories(layered=True, kinds=kinds))
    late = data.draw(st.integers(0, len(moves) - 1))
    backdated = [*moves[:late], *moves[late + 1 :], moves[late]]
    policy = {"method": method, "negative": negative}
    assert books(valued(backdated, late_cost="prospective", **policy)).lines == value(moves, **policy).lines


@given(data=st.data(), method=METHODS, share=st.integers(-400, 4000))
def test_p8_a_late_cost_is_as_if_the_receipt_had_cost_it(
    data: st.DataObject, method: str, share: int
) -> None:
    """Replay: own posting and corrections of every movement add up to its cost in the corrected history."""
    kinds = ("receipt", "receipt", "issue", "issue", "count_loss", "sales_return", "purchase_return")
    moves = data.draw(histories(layered=True, kinds=kinds, dearest=3000))
    receipts = [move for move in moves if move.kind == "receipt" and (move.amount or 0) + share >= 0]
    if not receipts:
        return
    aim = data.draw(st.sampled_from(receipts))
    landed = Move("z", moves[-1].at, "cost_adjustment", None, share, aim.id, aim.item, aim.pool)
    corrected = [Move(**{**vars(m), "amount": (m.amount or 0) + share}) if m is aim else m for m in moves]
    policy = {"method": method, "negative": "reject"}
    valuation = valued([*moves, landed], late_cost="replay", **policy)
    expected = value(corrected, **policy)
    assert held(balances(valuation)) == held(expected.balances())
    sums: dict[str, int] = {}
    found = books(valuation)
    for name, line in found.lines.items():
        target = aim.id if name == "z" else name
        sums[target] = sums.get(target, 0) + line.value
    for line in found.corrections:
        sums[line.adjusts] = sums.get(line.adjusts, 0) + line.value
    assert sums == {name: line.value for name, line in expected.lines.items()}


@given(moves=HISTORIES, policy=POLICIES, cut=st.integers(0, 29))
def test_p9_a_prefix_has_the_lines_that_it_has_in_the_whole(
    moves: list[Move], policy: dict[str, str], cut: int
) -> None:
    prefix = moves[: cut % len(moves) + 1]
    whole, part = books(valued(moves, **policy)), books(valued(prefix, **policy))
    assert part.lines == {move.id: whole.lines[move.id] for move in prefix if move.id in whole.lines}


@given(
    moves=HISTORIES,
    policy=POLICIES,
    receipt=st.booleans(),
    qty=st.integers(1, 40),
    amount=st.integers(0, 9999),
)
def test_p10_a_reversal_restores_quantity_and_value(
    moves: list[Move], policy: dict[str, str], receipt: bool, qty: int, amount: int
) -> None:
    at, item, pool = moves[-1].at, moves[-1].item, moves[-1].pool
    kind = "receipt" if receipt else "issue"
    one = Move("x", at, kind, qty, amount if receipt else None, item=item, pool=pool)
    back = Move("y", at, "reversal", ref="x", item=item, pool=pool)
    before, after = valued(moves, **policy), valued([*moves, one, back], **policy)
    assert {key: qty for key, (qty, _) in held(balances(after)).items()} == {
        key: qty for key, (qty, _) in held(balances(before)).items()
    }
    short = any(row["quantity"] < 0 for row in rows(before.balances))
    if not (short and receipt):  # a receipt that covers a shortage settles its cost for good
        assert held(balances(after)) == held(balances(before))


def test_p10_a_reversal_is_not_reversed() -> None:
    valuation = valued("receipt 2 2; reversal - - m0; reversal - - m1")
    assert codes(valuation) == [(2, "REVERSAL_OF_REVERSAL")]
