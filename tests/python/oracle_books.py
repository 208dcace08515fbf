"""The records of the oracle: movements, their lines, and what later ones need to know of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from oracle_groups import Groups
from oracle_stock import Layer, Stock

FIRST_DAY = date(2026, 1, 1)


@dataclass(frozen=True)
class Move:
    """One row of a history; `at` counts days from `FIRST_DAY`, `amount` cents."""

    id: str
    at: int
    kind: str
    qty: int | None = None
    amount: int | None = None
    ref: str | None = None
    item: str = "mug"
    pool: str | None = None
    lot: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class Line:
    """What a movement posts: its change, the stock after it, the charge to the variance account."""

    quantity: int
    value: int
    on_hand: int
    on_hand_value: int
    variance: int = 0


@dataclass(frozen=True)
class Correction:
    """A change of the cost of an earlier movement."""

    cause: str
    adjusts: str
    reason: str
    value: int
    on_hand_value: int
    quantity: int = 0
    variance: int = 0


@dataclass
class Entry:
    """What later movements may need to know about an accepted one."""

    move: Move
    place: int
    quantity: int
    value: int
    variance: int
    taken: int = 0
    taken_value: int = 0
    parts: list[Layer] = field(default_factory=list)
    open_qty: int = 0
    open_amount: int = 0
    is_out: bool = False
    comings: int = 0

    @property
    def left(self) -> int:
        return abs(self.quantity) - self.taken


@dataclass
class Books:
    """The whole result."""

    lines: dict[str, Line] = field(default_factory=dict)
    corrections: list[Correction] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)
    stocks: dict[tuple[str, str | None], Stock] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    groups: Groups = field(default_factory=lambda: Groups([], "half_even"))

    def balances(self) -> dict[tuple[str, str | None], tuple[int, int]]:
        return {key: (stock.qty, stock.value) for key, stock in self.stocks.items()}


@dataclass
class Posted:
    """Outcome of one step."""

    quantity: int
    value: int
    variance: int = 0
    parts: list[Layer] = field(default_factory=list)
