"""The oracle's production groups and invoices, beside the stock of each key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oracle_stock import share


@dataclass
class Taken:
    """What a receipt took over from its group and has not given back."""

    group: str
    qty: int
    value: int


class Groups:
    """What groups have issued and their receipts have not taken over."""

    def __init__(self, moves: Sequence[Any], rounding: str) -> None:
        self.rounding = rounding
        self.value: dict[str, int] = {}
        self.to_come: dict[str, int] = {}
        self.taken: dict[str, Taken] = {}
        for move in moves:
            if move.kind == "production_receipt" and move.amount is None:
                self.to_come[move.group] = self.to_come.get(move.group, 0) + move.qty

    def take(self, move: Any) -> int:
        """The share of a receipt; the last one takes the rest."""
        value, to_come = self.value.get(move.group, 0), self.to_come[move.group]
        worth = value if move.qty >= to_come else share(value, move.qty, to_come, self.rounding)
        self.value[move.group] = value - worth
        self.to_come[move.group] = to_come - move.qty
        self.taken[move.id] = Taken(move.group, move.qty, worth)
        return worth

    def note(self, move: Any, root: Any, posted: Any) -> None:
        """What a movement issues for its group, brings back of an issue, or gives back of a receipt."""
        if root.kind == "production_issue" and root.group is not None:
            cost = posted.value + posted.variance
            self.value[root.group] = self.value.get(root.group, 0) - cost
        taken = self.taken.get(move.ref) if move.kind == "reversal" else None
        if taken is not None:
            qty = -posted.quantity
            back = taken.value if qty >= taken.qty else share(taken.value, qty, taken.qty, self.rounding)
            taken.qty -= qty
            taken.value -= back
            self.value[taken.group] += back


def close(receipt: Any, qty: int, rounding: str) -> int:
    """Ends the estimate of a part of a receipt, and gives it."""
    estimate = share(receipt.open_amount, qty, receipt.open_qty, rounding) if qty else 0
    receipt.open_qty -= qty
    receipt.open_amount -= estimate
    return estimate
