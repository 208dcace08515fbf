"""What the synthetic shop sells, and the dice that decide about it."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

__all__ = ["POOLS", "Dice", "Item", "make_items"]

POOLS = ("web", "north", "south")
SHARES = (0.60, 0.25, 0.15)
"""Part of the sales that leaves each warehouse."""

COLOURS = ("white", "red", "blue", "green", "black", "grey", "yellow", "oak")
THINGS = (
    "mug",
    "bowl",
    "lamp",
    "cushion",
    "clock",
    "vase",
    "frame",
    "basket",
    "towel",
    "candle",
    "kettle",
    "stool",
)
LINES = ("Aude", "Brest", "Calais", "Dole", "Evian", "Foix", "Gap", "Hyeres", "Issoire", "Jura")


class Dice:
    """Random numbers from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed).random

    def below(self, limit: int) -> int:
        """Whole number from 0 to below the limit."""
        return int(self.random() * limit)


@dataclass(frozen=True)
class Item:
    """An item of the shop.

    Attributes
    ----------
    code, name : str
        How it is called.
    base_cost : int
        Purchase price on the first day in cents.
    trend : int
        Change of the purchase price over a year in thousandths.
    markup : int
        Selling price in per cent of the purchase price.
    lot_size, reorder_at : tuple of int
        Quantity ordered at a time, and that at which it is ordered, by warehouse.
    sold_until : int
        Last day on which it is in fashion; what is left stays where it is.
    """

    code: str
    name: str
    base_cost: int
    trend: int
    markup: int
    lot_size: tuple[int, ...]
    reorder_at: tuple[int, ...]
    sold_until: int

    def cost(self, day: int) -> int:
        """Purchase price of a piece in cents on a day."""
        return max(1, self.base_cost * (365_000 + self.trend * day) // 365_000)

    def price(self, day: int) -> int:
        """Selling price of a piece in cents: adapted to the cost at the start of each quarter."""
        return self.cost(day // 91 * 91) * self.markup // 100


def make_items(dice: Dice, count: int) -> list[Item]:
    """Make the items, those that sell best first.

    Parameters
    ----------
    dice : Dice
        Decides.
    count : int
        How many.

    Returns
    -------
    list of Item
    """
    return [_item(dice, index, count) for index in range(count)]


def _item(dice: Dice, index: int, count: int) -> Item:
    # Sales pick an item by the square of a random number; this is the probability of each, times sales a day.
    demand = (math.sqrt((index + 1) / count) - math.sqrt(index / count)) * count
    part = dice.random()
    name = (
        f"{COLOURS[index % len(COLOURS)]} {THINGS[index // len(COLOURS) % len(THINGS)]} "
        f"{LINES[index * 7 % len(LINES)]}"
    )
    return Item(
        code=f"A{index + 1:05d}",
        name=f"{name[0].upper()}{name[1:]}",
        base_cost=120 + int(6000 * part * part * part),
        trend=dice.below(280) - 70,
        markup=135 + dice.below(60),
        lot_size=tuple(max(4, int(demand * share * 75)) for share in SHARES),
        reorder_at=tuple(max(1, int(demand * share * 12)) for share in SHARES),
        sold_until=30 + dice.below(320) if dice.random() < 0.1 else 1_000_000,
    )
