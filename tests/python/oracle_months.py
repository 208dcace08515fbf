"""A slow, obvious valuation under the average of each month, in exact arithmetic.

Each month is read for what moves at a cost of its own, then its unit cost is a fraction, and every movement
is valued at it once. Flour is valued before bread, so that what bread is made of has a cost. Stock never runs
out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from oracle_books import Move
from oracle_stock import rounded, share

ITEMS = ("flour", "bread")


@dataclass
class Entry:
    """A movement with its value, once that is known, and what came back of it or was taken back."""

    move: Move
    quantity: int
    value: int | None
    back: int = 0
    back_value: int = 0
    open_qty: int = 0
    open_amount: int = 0
    is_out: bool = False
    # What invoices changed of its cost, which their own lines post.
    invoiced: int = 0

    @property
    def left(self) -> int:
        return abs(self.quantity) - self.back


@dataclass
class Batch:
    """What a group has issued and its receipts have not taken over."""

    value: int = 0
    to_come: int = 0


class Months:
    """The months of a history, one after another."""

    def __init__(self, moves: Sequence[Move], first_day: date, rounding: str, provisional: str) -> None:
        self.moves = sorted(moves, key=lambda move: (move.at, move.id))
        self.first_day = first_day
        self.rounding = rounding
        self.provisional = provisional
        self.entries: dict[str, Entry] = {}
        self.stock = {item: [0, 0] for item in ITEMS}
        self.values: dict[str, int] = {}
        self.batches: dict[str, Batch] = {}
        self.fed: list[Entry] = []
        for move in self.moves:
            if move.kind == "production_receipt":
                self.batches.setdefault(str(move.group), Batch()).to_come += move.qty or 0

    def run(self) -> dict[str, int]:
        """Values by movement."""
        months = sorted({self.month_of(move.at) for move in self.moves})
        for month in months:
            own = [move for move in self.moves if self.month_of(move.at) == month]
            self.take_estimates_back(month)
            self.fed = []
            for item in ITEMS:
                self.run_item(item, [move for move in own if move.item == item], month == months[-1])
            self.feed_groups(own[-1])
        return self.values

    def month_of(self, at: int) -> tuple[int, int]:
        day = self.first_day + timedelta(days=at)
        return day.year, day.month

    # --- estimates taken back at the start of a month, and made again at its end

    def take_estimates_back(self, month: tuple[int, int]) -> None:
        for entry in self.open_estimates():
            if self.month_of(entry.move.at) < month and not entry.is_out:
                self.add(entry.move.item, -entry.open_qty, -entry.open_amount)
                entry.is_out = True

    def estimate_again(self, item: str) -> None:
        """What has no invoice stands in the books when a month closes, and counts in its cost."""
        for entry in self.open_estimates():
            if entry.is_out and entry.move.item == item:
                self.add(item, entry.open_qty, entry.open_amount)
                entry.is_out = False

    def open_estimates(self) -> list[Entry]:
        by_month = self.provisional == "month_start_reversal"
        return [entry for entry in self.entries.values() if by_month and entry.open_qty]

    # --- one item in one month

    def add(self, item: str, quantity: int, value: int) -> None:
        self.stock[item][0] += quantity
        self.stock[item][1] += value

    def run_item(self, item: str, moves: list[Move], is_last_month: bool) -> None:
        rated = []
        for move in moves:
            entry = self.read(move)
            self.entries[move.id] = entry
            self.stock[item][0] += 0 if entry.value is None else entry.quantity
            self.stock[item][1] += entry.value or 0
            if entry.value is None:
                rated.append(entry)
        if not is_last_month:
            self.estimate_again(item)
        quantity, value = self.stock[item]
        assert quantity > 0 or not rated, "the oracle knows no shortage"
        rate = Fraction(value, quantity) if quantity else Fraction(0)
        for entry in rated:
            entry.value = self.rated(entry, rate)
            self.add(item, entry.quantity, entry.value)
        for move in moves:
            self.values[move.id] = self.entries[move.id].value or 0
            if item == "flour":
                self.fed.append(self.entries[move.id])

    def rated(self, entry: Entry, rate: Fraction) -> int:
        """A movement at the month's cost; what comes back of one of the month, as that left."""
        origin = self.entries.get(entry.move.ref or "")
        if origin is None:
            return rounded(entry.quantity * rate, self.rounding)
        return self.part(origin, abs(entry.quantity), entry)

    def read(self, move: Move) -> Entry:
        """What a movement does, and its value where the month's cost does not decide it."""
        qty = move.qty or 0
        origin = self.entries.get(move.ref or "")
        match move.kind:
            case "receipt":
                return Entry(move, qty, move.amount)
            case "provisional_receipt":
                return Entry(move, qty, move.amount, open_qty=qty, open_amount=move.amount or 0)
            case "cost_adjustment":
                return Entry(move, 0, move.amount)
            case "production_receipt":
                return Entry(move, qty, self.share_of_group(move))
            case "issue" | "count_loss" | "production_issue":
                return Entry(move, -qty, None)
        assert origin is not None, move.kind
        if move.kind == "settlement":
            return self.settle(move, origin)
        if move.kind == "reversal" and origin.is_out and origin.open_qty:
            out = min(qty, origin.open_qty)
            origin.back_value += self.close(origin, out)
            origin.back += out
            qty -= out
            if not qty:
                return Entry(move, 0, 0)
        entry = Entry(move, -qty if origin.quantity > 0 else qty, None)
        if origin.value is not None:
            entry.value = self.part(origin, qty, entry)
        if move.kind == "reversal":
            self.close(origin, 0 if origin.is_out else min(qty, origin.open_qty))
            if origin.move.kind == "production_receipt":
                self.batches[str(origin.move.group)].value -= entry.value or 0
        return entry

    def part(self, origin: Entry, qty: int, entry: Entry) -> int:
        """The share of what comes back; the last part takes the rest. A reversed return can be made again."""
        worth = abs((origin.value or 0) + origin.invoiced)
        is_last = qty == origin.left
        part = (
            worth - origin.back_value if is_last else share(worth, qty, abs(origin.quantity), self.rounding)
        )
        origin.back += qty
        origin.back_value += part
        before = self.entries.get(origin.move.ref or "")
        if entry.move.kind == "reversal" and before is not None:
            undone = share(before.back_value, qty, before.back, self.rounding)
            before.back -= qty
            before.back_value -= undone
        return -part if (origin.value or 0) > 0 else part

    # --- invoices

    def close(self, receipt: Entry, qty: int) -> int:
        """Ends the estimate of a part of a receipt, and gives it."""
        estimate = share(receipt.open_amount, qty, receipt.open_qty, self.rounding) if qty else 0
        receipt.open_qty -= qty
        receipt.open_amount -= estimate
        return estimate

    def settle(self, move: Move, receipt: Entry) -> Entry:
        qty = move.qty or receipt.open_qty
        was_out = receipt.is_out
        estimate = self.close(receipt, qty)
        amount = move.amount or 0
        receipt.invoiced += amount - estimate
        if was_out:
            return Entry(move, qty, amount)
        return Entry(move, 0, amount - estimate)

    # --- production

    def share_of_group(self, move: Move) -> int:
        self.feed_groups(move)
        batch = self.batches[str(move.group)]
        qty = move.qty or 0
        is_last = qty >= batch.to_come
        worth = batch.value if is_last else share(batch.value, qty, batch.to_come, self.rounding)
        batch.value -= worth
        batch.to_come -= qty
        # Goods never cost less than nothing.
        return max(worth, 0)

    def feed_groups(self, until: Move) -> None:
        """Notes what the flour of the month has issued up to a movement, and what came back of it."""
        while self.fed and (self.fed[0].move.at, self.fed[0].move.id) <= (until.at, until.id):
            entry = origin = self.fed.pop(0)
            while origin.move.ref is not None:
                origin = self.entries[origin.move.ref]
            if origin.move.kind == "production_issue":
                self.batches.setdefault(str(origin.move.group), Batch()).value -= entry.value or 0
