"""Histories that the engine once got wrong, each cut down to a few rows and worked out by hand."""

import pyarrow as pa

from comptoir import costing
from histories import codes, rows, table, valued, values
from oracle_books import Move


def test_lifo_takes_the_newest_layer_after_a_transfer() -> None:
    moves = [
        Move("m0", 0, "receipt", 1, 100, pool="A"),
        Move("m1", 1, "receipt", 1, 900, pool="A"),
        Move("m2", 2, "transfer_out", 2, pool="A"),
        Move("m3", 2, "transfer_in", 2, ref="m2", pool="B"),
        Move("m4", 3, "issue", 1, pool="B"),
    ]
    assert values(valued(moves, method="lifo"))[4] == "-9.00"


def test_fifo_layers_of_one_day_stay_apart_in_a_transfer() -> None:
    moves = [
        Move("m0", 0, "receipt", 1, 100, pool="A"),
        Move("m1", 0, "receipt", 1, 900, pool="A"),
        Move("m2", 2, "transfer_out", 2, pool="A"),
        Move("m3", 2, "transfer_in", 2, ref="m2", pool="B"),
        Move("m4", 3, "issue", 1, pool="B"),
    ]
    valuation = valued(moves, method="fifo")
    assert values(valuation)[4] == "-1.00"
    assert [str(row["value"]) for row in rows(valuation.layers)] == ["9.00"]


def test_corrections_stand_in_book_order_whatever_the_order_of_the_input() -> None:
    moves = [
        Move("m0", 0, "issue", 16),
        Move("m1", 0, "receipt", 7, 278),
        Move("m2", 0, "receipt", 7, 278),
    ]
    for shown in (moves, moves[::-1]):
        lines = rows(valued(shown, negative="cover").postings)
        assert [row["movement_id"] for row in lines if row["reason"]] == ["m1", "m2"]


def test_an_id_repeated_with_another_document_is_no_repetition() -> None:
    moves = table([Move("m0", 0, "receipt", 1, 100)] * 2).append_column("document", pa.array(["d1", "d2"]))
    assert codes(costing.value(moves)) == [(1, "DUPLICATE_ID")]


def test_an_id_repeated_with_another_unknown_reference_is_no_repetition() -> None:
    moves = [Move("m0", 0, "receipt", 1, 100, ref=ref) for ref in ("x", "y")]
    assert codes(valued(moves))[-1] == (1, "DUPLICATE_ID")
