"""The oracle's provisional receipts: their invoices, and their estimates at the borders of months."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from oracle_books import FIRST_DAY, Books, Correction, Entry, Move, Posted
from oracle_groups import close
from oracle_stock import Layer, Rejected, Stock


@dataclass(frozen=True)
class Border:
    """Where an estimate is taken back, on the first day of a month, or made again, on its last."""

    at: int
    is_out: bool
    receipt: str


def borders(order: Sequence[Move]) -> list[Border]:
    """The borders of all provisional receipts up to the last day of the history, in the order of time."""
    until = order[-1].at
    found = [
        border
        for move in order
        if move.kind == "provisional_receipt"
        for border in borders_of(move)
        if border.at <= until
    ]
    return sorted(found, key=lambda border: border.at)


def borders_of(receipt: Move) -> Iterator[Border]:
    """The borders of the months after a receipt, for longer than any history of the tests."""
    day = FIRST_DAY + timedelta(days=receipt.at)
    for number in range(120):
        start, end = month_after(day, number + 1), month_after(day, number + 2)
        yield Border((start - FIRST_DAY).days, True, receipt.id)
        yield Border((end - FIRST_DAY).days - 1, False, receipt.id)


def month_after(day: date, months: int) -> date:
    """First day of a month so many months after that of a day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)


def cross(books: Books, border: Border) -> Stock | None:
    """Take an estimate back, or make it again; gives the stock if there was anything to do."""
    receipt = books.entries.get(border.receipt)
    if receipt is None or not receipt.open_qty or receipt.is_out == border.is_out:
        return None
    stock = books.stocks[(receipt.move.item, receipt.move.pool)]
    stock.at_hand(receipt.move.lot, is_goods=True)
    qty, amount = receipt.open_qty, receipt.open_amount
    if border.is_out and qty > stock.there and not stock.gets_short:
        # A lot is never short: where some of the goods have left, their estimate stays.
        return None
    receipt.is_out = border.is_out
    if border.is_out:
        stock.awaiting += qty
        posted = take_back(stock, receipt, qty, amount, border)
    else:
        posted = come_in(stock, receipt, qty, amount)
    reason = "month_start_reversal" if border.is_out else "reestimated"
    name = border.receipt
    line = Correction(name, name, reason, posted.value, stock.value, posted.quantity, posted.variance)
    books.corrections.append(line)
    return stock


def come_in(stock: Stock, receipt: Entry, qty: int, amount: int) -> Posted:
    """Goods that the books hold again: of the age of the receipt, behind what it brought already."""
    receipt.comings += 1
    layer = Layer(qty, amount, receipt.move.at, receipt.place, receipt.comings)
    stock.awaiting -= qty
    try:
        added, variance = stock.receive(amount, [layer])
    except Rejected:
        stock.awaiting += qty
        raise
    return Posted(qty, added, variance)


def take_back(stock: Stock, receipt: Entry, qty: int, amount: int, border: Border) -> Posted:
    """The goods without an invoice leave at their estimate; what has left is short until the invoice."""
    name, worth = f"{border.receipt} at {border.at}", stock.worth_of(qty, amount)
    is_there = qty <= stock.there
    if not is_there:
        parts = stock.remove(qty, name, receipt.place, border.at, False)
    elif stock.keeps_layers:
        parts = stock.take_latest(receipt.place, qty, worth)
    else:
        parts = stock.remove_original(receipt, qty, worth)
    gone = sum(part.value for part in parts)
    if is_there or stock.rules["method"] == "standard":
        return Posted(-qty, -gone, gone - amount)
    # The estimate is all that leaves: the shortage has what the stock did not.
    difference = gone - amount
    stock.value += difference
    for short in stock.shorts:
        short.value -= difference if short.move == name else 0
    return Posted(-qty, -amount)


def settle(books: Books, stock: Stock, move: Move, origin: Entry, rules: dict[str, Any]) -> Posted:
    """The difference of an invoice, or the estimate taken back and the invoice posted.

    Whatever was posted, the invoice is a part of what the receipt cost.
    """
    qty = move.qty or origin.open_qty
    was_out = origin.is_out and origin.open_qty
    posted = come_in(stock, origin, qty, move.amount or 0) if was_out else Posted(0, 0)
    estimate = close(origin, qty, rules["rounding"])
    difference, worth = (move.amount or 0) - estimate, stock.worth_of(qty, estimate)
    taken = posted.value - worth if was_out else stock.add_value(difference, origin)
    origin.value += taken
    origin.variance += difference - taken
    if was_out:
        return posted
    if rules["provisional"] == "difference_on_invoice":
        return Posted(0, taken, difference - taken)
    before = stock.value - worth - taken
    over = estimate - worth
    line = Correction(move.id, origin.move.id, "estimate_reversed", -worth, before, -qty, -over)
    books.corrections.append(line)
    return Posted(qty, worth + taken, difference - taken + over)
