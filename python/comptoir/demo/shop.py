"""A synthetic year of a shop with three warehouses, the same for the same seed on every machine.

Only `random.Random.random`, whose sequence Python guarantees, and whole numbers decide what happens.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta

from comptoir.demo.history import History, Progress
from comptoir.demo.shop_items import POOLS, Dice, Item, make_items
from comptoir.demo.shop_journal import Journal

__all__ = ["history"]

FIRST_DAY = date(2025, 1, 1)
SEASON = (82, 78, 88, 92, 98, 94, 84, 88, 98, 106, 148, 144)
"""Sales of each month in per cent of a mean month."""

RULES = (
    "Items lie in three warehouses, with an opening balance; the shop orders when one runs low. "
    "Some go out of fashion and stay.",
    "Purchase prices drift, sales follow the season, January and July have a clearance sale of 20 %.",
    "Customers send goods back, freight invoices come late, goods are transferred, counts find differences.",
    "One movement in some thousands is typed wrong, as people do.",
)

Event = Callable[["Year", int], None]
"""What is to happen on a day."""


class Year:
    """State of the shop while its year is made: what is on hand, and what is due on which day."""

    def __init__(self, dice: Dice, items: list[Item]) -> None:
        self.dice = dice
        self.items = items
        self.journal = Journal(dice, FIRST_DAY)
        self.on_hand: dict[tuple[int, int], int] = defaultdict(int)
        self.on_order: set[tuple[int, int]] = set()
        self.due: dict[int, list[Event]] = defaultdict(list)

    def plan(self, day: int, event: Event) -> None:
        """Note an event for a later day."""
        self.due[day].append(event)


def history(seed: int, items: int, days: int, say: Progress) -> History:
    """Make the history of a shop.

    Parameters
    ----------
    seed : int
        Another seed makes another history.
    items : int
        How many items the shop has.
    days : int
        How many days the history lasts.
    say : callable
        Told what is being done.

    Returns
    -------
    History
    """
    dice = Dice(seed)
    year = Year(dice, make_items(dice, items))
    _open(year)
    for day in range(days):
        if day % 10 == 0:
            say(f"making day {day} of {days}")
        for event in year.due.pop(day, []):
            event(year, day)
        _sell_for_a_day(year, day)
        _move_between_warehouses(year, day)
        _count(year, day)
    movements = year.journal.table()
    return History(
        title=f"Synthetic shop: {items:,} items in {len(POOLS)} warehouses from {FIRST_DAY}, seed {seed}",
        movements=movements,
        policy={"negative": "cover", "provisional": "reverse_on_invoice"},
        input_rows=movements.num_rows,
        rules=RULES,
        currency="€",
        names={item.code: item.name for item in year.items},
    )


def _open(year: Year) -> None:
    for index, item in enumerate(year.items):
        for pool in range(len(POOLS)):
            qty = item.reorder_at[pool] + year.dice.below(item.lot_size[pool] + 1)
            if qty:
                year.journal.add("opening", index, item.code, pool, 0, 1, qty, cents=qty * item.cost(0))
                year.on_hand[index, pool] = qty


def _sell_for_a_day(year: Year, day: int) -> None:
    month = (FIRST_DAY + timedelta(days=day)).month
    dice, count = year.dice, len(year.items)
    lines = max(1, count * SEASON[month - 1] * (70 + dice.below(61)) // 19_000)
    for _ in range(lines):
        part = dice.random()
        index = int(count * part * part)
        if day > year.items[index].sold_until:
            continue
        part = dice.random()
        pool = 0 if part < 0.6 else 1 if part < 0.85 else 2
        qty = 1 + dice.below(3) if dice.random() < 0.95 else 5 + dice.below(20)
        _sell(year, day, index, pool, qty, month in (1, 7))


def _sell(year: Year, day: int, index: int, pool: int, wanted: int, is_clearance: bool) -> None:
    on_hand = year.on_hand[index, pool]
    is_oversold = wanted > on_hand and year.dice.random() < 0.04
    qty = wanted if is_oversold else min(wanted, on_hand)
    if qty > 0:
        item = year.items[index]
        price = item.price(day)
        cents = qty * (price * 80 // 100 if is_clearance else price)
        minute = 480 + year.dice.below(720)
        sale = year.journal.add("issue", index, item.code, pool, day, minute, qty, revenue=cents)
        year.on_hand[index, pool] = on_hand - qty
        if year.dice.random() < 0.035:
            _plan_return(year, day, index, pool, qty, cents, sale)
    _order_if_low(year, day, index, pool)


def _plan_return(year: Year, day: int, index: int, pool: int, sold: int, cents: int, sale: str) -> None:
    qty = 1 + year.dice.below(sold)
    reference = sale if year.dice.random() < 0.8 else None

    def take_back(year: Year, day: int) -> None:
        refund = -(cents * qty // sold)
        code = year.items[index].code
        year.journal.add(
            "sales_return", index, code, pool, day, 1260, qty, reference=reference, revenue=refund
        )
        year.on_hand[index, pool] += qty

    year.plan(day + 2 + year.dice.below(20), take_back)


def _order_if_low(year: Year, day: int, index: int, pool: int) -> None:
    key = (index, pool)
    item = year.items[index]
    if key in year.on_order or year.on_hand[key] > item.reorder_at[pool]:
        return
    year.on_order.add(key)

    def receive(year: Year, day: int) -> None:
        year.on_order.discard(key)
        _receive(year, day, index, pool)

    year.plan(day + 2 + year.dice.below(8), receive)


def _receive(year: Year, day: int, index: int, pool: int) -> None:
    dice, item = year.dice, year.items[index]
    qty = max(1, item.lot_size[pool] * (80 + dice.below(41)) // 100) + max(0, -year.on_hand[index, pool])
    cents = qty * item.cost(day) * (970 + dice.below(61)) // 1000
    kind = "provisional_receipt" if dice.random() < 0.06 else "receipt"
    receipt = year.journal.add(kind, index, item.code, pool, day, 400, qty, cents=cents)
    year.on_hand[index, pool] += qty
    if kind == "provisional_receipt":
        invoice = cents * (985 + dice.below(41)) // 1000
        _plan_value(year, day + 6 + dice.below(25), "settlement", index, pool, invoice, receipt)
    elif dice.random() < 0.12:
        freight = cents * (10 + dice.below(50)) // 1000
        _plan_value(year, day + 4 + dice.below(20), "cost_adjustment", index, pool, freight, receipt)
    elif dice.random() < 0.02 and qty > 9:
        back = 1 + qty // 10
        year.journal.add("purchase_return", index, item.code, pool, day, 460, back, reference=receipt)
        year.on_hand[index, pool] -= back


def _plan_value(year: Year, day: int, kind: str, index: int, pool: int, cents: int, receipt: str) -> None:
    if cents == 0:
        return

    def book(year: Year, day: int) -> None:
        code = year.items[index].code
        year.journal.add(kind, index, code, pool, day, 1300, None, cents=cents, reference=receipt)

    year.plan(day, book)


def _move_between_warehouses(year: Year, day: int) -> None:
    dice, count = year.dice, len(year.items)
    for _ in range(math.ceil(count / 200)):
        index = dice.below(count)
        source = 1 + dice.below(2)
        qty = year.on_hand[index, source] // 4
        if qty > 0:
            _transfer(year, day, index, source, qty)


def _transfer(year: Year, day: int, index: int, source: int, qty: int) -> None:
    code = year.items[index].code
    sent = year.journal.add("transfer_out", index, code, source, day, 1320, qty)
    year.on_hand[index, source] -= qty

    def arrive(year: Year, day: int) -> None:
        year.journal.add("transfer_in", index, code, 0, day, 300, qty, reference=sent)
        year.on_hand[index, 0] += qty

    year.plan(day + 1 + year.dice.below(3), arrive)


def _count(year: Year, day: int) -> None:
    dice, count = year.dice, len(year.items)
    for _ in range(math.ceil(count / 180)):
        index, pool = dice.below(count), dice.below(len(POOLS))
        expected = year.on_hand[index, pool]
        found = max(0, expected + (dice.below(5) - 3 if dice.random() < 0.3 else 0))
        if expected >= 0:
            year.journal.add("count", index, year.items[index].code, pool, day, 1400, found)
            year.on_hand[index, pool] = found
