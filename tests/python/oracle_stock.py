"""The oracle's stock of one item in one pool: quantity, value, layers and shortages, all exact."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

LIMIT = 10**18


class Rejected(Exception):  # noqa: N818
    """A movement that the books refuse, with its code."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


@dataclass
class Layer:
    """Quantity and value left of one receipt; `origin` is the movement's place in the order.

    What a transfer brought lies in as many layers as it left from, and `part` counts them.
    """

    qty: int
    value: int
    at: int
    origin: int
    part: int = 0
    lot: str | None = None
    # Whether it left without being there.
    is_missing: bool = False


@dataclass
class Short:
    """A quantity that left without being there, and the movement that took it."""

    move: str
    qty: int
    value: int
    correctable: bool


def rounded(exact: Fraction, rounding: str) -> int:
    """A fraction as a whole number, by one of the six modes."""
    below, above = math.floor(exact), math.ceil(exact)
    toward_zero, away = (below, above) if exact >= 0 else (above, below)
    match rounding:
        case "down":
            return toward_zero
        case "up":
            return away
        case "floor":
            return below
        case "ceiling":
            return above
    distance = abs(exact - toward_zero)
    if distance != Fraction(1, 2):
        return toward_zero if distance < Fraction(1, 2) else away
    if rounding == "half_up":
        return away
    assert rounding == "half_even", rounding
    return below if below % 2 == 0 else above


def share(value: int, part: int, whole: int, rounding: str) -> int:
    """The share of `value` that belongs to `part` of `whole`."""
    return rounded(Fraction(value * part, whole), rounding)


def bounded(number: int) -> int:
    if abs(number) >= LIMIT:
        raise Rejected("COSTING_OVERFLOW")
    return number


@dataclass
class Stock:
    """State of one key; `last` is value and quantity of what left last or of what covered a shortage."""

    rules: dict[str, Any]
    qty: int = 0
    value: int = 0
    last: tuple[int, int] = (0, 0)
    layers: list[Layer] = field(default_factory=list)
    shorts: list[Short] = field(default_factory=list)
    differences: list[tuple[str, int]] = field(default_factory=list)
    # Goods that are there while their estimate is out of the books.
    awaiting: int = 0

    @property
    def keeps_layers(self) -> bool:
        return self.rules["method"] in ("fifo", "lifo", "specific")

    @property
    def there(self) -> int:
        """What a movement can take."""
        return max(self.qty, 0)

    @property
    def counted(self) -> int:
        """What a stock count finds in the books."""
        return self.qty

    def at_hand(self, lot: str | None, *, is_goods: bool) -> None:
        """Which lot the next movement is of, and whether goods move: for stocks in which lots lie apart."""

    @property
    def reach(self) -> list[Layer]:
        """The layers that a movement takes from, in the order in which they came."""
        return self.layers

    def share(self, value: int, part: int, whole: int) -> int:
        return share(value, part, whole, self.rules["rounding"])

    def price(self, qty: int, cost: tuple[int, int]) -> int:
        """Value of a quantity at a cost that is known exactly; nothing when none is known."""
        return bounded(self.share(cost[0], qty, cost[1])) if cost[1] else 0

    def current(self) -> tuple[int, int]:
        return (self.value, self.qty) if self.qty > 0 else self.last

    def next_cost(self) -> tuple[int, int]:
        """Cost of the layer that an issue takes first; the average for methods without layers."""
        if not (self.keeps_layers and self.reach):
            return self.current()
        layer = self.reach[-1 if self.rules["method"] == "lifo" else 0]
        return layer.value, layer.qty

    # --- in

    def worth_of(self, qty: int, amount: int) -> int:
        """What goods that cost an amount stand at."""
        return amount

    def bring_back(self, amount: int, layers: list[Layer]) -> tuple[int, int]:
        """Add layers as they left."""
        return self.receive(amount, layers)

    def receive(self, amount: int, layers: list[Layer]) -> tuple[int, int]:
        """Add layers that together cost `amount`; gives the value that goes to stock and the variance."""
        qty = sum(layer.qty for layer in layers)
        bounded(self.qty + qty)
        bounded(self.value + amount)
        if self.qty >= 0:
            left = amount
            for layer in layers[:-1]:
                part = min(max(layer.value, min(left, 0)), max(left, 0))
                left -= part
                self.put(replace(layer, value=part))
            self.put(replace(layers[-1], value=left))
            self.qty += qty
            self.value += amount
            return amount, 0
        if self.rules["negative"] == "carry" or not self.shorts:
            return self.carry(qty, amount, layers)
        return self.cover(qty, amount, layers)

    def carry(self, qty: int, amount: int, layers: list[Layer]) -> tuple[int, int]:
        """Plain sum of the negative value and the receipt; what is left at zero is variance."""
        self.qty += qty
        self.value += amount
        self.last = (amount, qty)
        left = self.value if self.qty == 0 else 0
        self.value -= left
        if self.qty >= 0:
            self.shorts.clear()
        if self.qty > 0:
            self.keep_newest(self.qty, self.value, layers)
        return amount - left, left

    def cover(self, qty: int, amount: int, layers: list[Layer]) -> tuple[int, int]:
        """The oldest shortages get the receipt's cost; the differences correct them or are variance."""
        covered = min(qty, -self.qty)
        cost = amount if covered == qty else self.share(amount, covered, qty)
        rest = amount - cost
        variance = 0
        left = covered
        while left:
            short = self.shorts[0]
            part = min(short.qty, left)
            was = short.value if part == short.qty else self.share(short.value, part, short.qty)
            now = cost if part == left else self.share(cost, part, left)
            left, cost = left - part, cost - now
            short.qty, short.value = short.qty - part, short.value - was
            variance += self.difference(short, was - now)
            if not short.qty:
                self.shorts.pop(0)
        self.last = (amount, qty)
        if covered == qty and self.rules["shortage_cost"] == "latest_receipt":
            for short in self.shorts:
                now = self.price(short.qty, (amount, qty))
                variance += self.difference(short, short.value - now)
                short.value = now
        self.qty += qty
        self.value += amount - variance
        if qty > covered:
            self.keep_newest(qty - covered, rest, layers)
        return amount - variance, variance

    def difference(self, short: Short, amount: int) -> int:
        """Notes a correction, or gives the amount as variance where nothing may be corrected."""
        if short.correctable and self.rules["negative"] != "variance":
            if amount:
                self.differences.append((short.move, amount))
            return 0
        return -amount

    def keep_newest(self, qty: int, value: int, layers: list[Layer]) -> None:
        """Of layers that partly covered a shortage the newest `qty` stay, now worth `value`."""
        skip = sum(layer.qty for layer in layers) - qty
        self.layers.clear()
        kept = []
        # Under LIFO the newest comes back first; what had not been there covers the shortage.
        for layer in sorted(layers, key=lambda one: (not one.is_missing, one.origin, one.at, one.part)):
            dropped = min(skip, layer.qty)
            skip -= dropped
            gone = self.share(layer.value, dropped, layer.qty)
            kept.append(replace(layer, qty=layer.qty - dropped, value=layer.value - gone))
        adds_up = sum(layer.value for layer in kept) == value
        for layer in [layer for layer in kept if layer.qty]:
            worth = layer.value if adds_up else self.share(value, layer.qty, qty)
            qty, value = qty - layer.qty, value - worth
            self.put(replace(layer, value=worth))

    def put(self, layer: Layer) -> None:
        """At its place by origin; a part that comes back joins what is left of it."""
        if not self.keeps_layers:
            return
        for other in self.layers:
            if (other.origin, other.at, other.part) == (layer.origin, layer.at, layer.part):
                other.qty += layer.qty
                other.value += layer.value
                return
        self.layers.append(replace(layer, is_missing=False))
        self.layers.sort(key=lambda other: (other.origin, other.at, other.part))

    def reset(self, layers: list[Layer]) -> int:
        """Set the stock to what a count found; gives what the row's amount differs from the value of that."""
        self.layers.clear()
        self.shorts.clear()
        for layer in layers:
            self.put(replace(layer))
        self.qty = sum(layer.qty for layer in layers)
        self.value = sum(layer.value for layer in layers)
        if self.qty:
            self.last = (self.value, self.qty)
        return 0

    def add_value(self, amount: int, origin: Any) -> int:
        """Value onto the stock on hand, or the layers of the receipt; what finds no stock is not taken."""
        if not self.keeps_layers:
            if self.qty <= 0:
                return 0
            taken = max(amount, -max(self.value, 0))
        else:
            aimed = [layer for layer in self.layers if origin is None or layer.origin == origin.place]
            if not aimed:
                return 0
            taken = max(amount, -max(sum(layer.value for layer in aimed), 0))
            self.spread(taken, aimed)
        self.value = bounded(self.value + taken)
        return taken

    def spread(self, amount: int, layers: list[Layer]) -> None:
        """Shares by quantity, the last one takes the rest; no layer falls below nothing."""
        pieces = sum(layer.qty for layer in layers)
        left = sum(layer.value for layer in layers) + amount
        for layer in layers[:-1]:
            now = layer.value + self.share(amount, layer.qty, pieces)
            layer.value = min(max(now, 0), max(left, 0))
            left -= layer.value
        layers[-1].value = left

    # --- out

    def remove(self, qty: int, move: str, number: int, at: int, correctable: bool) -> list[Layer]:
        """Take `qty` by the method, beyond the stock as the policy says; gives the parts taken."""
        there = min(qty, self.there)
        if qty > there and not self.may_be_short(qty):
            raise Rejected("COSTING_NEGATIVE_STOCK")
        short_value = 0
        if qty > there:
            short_value = self.price(qty - there, self.shortage_cost())
            bounded(self.qty - qty)
            bounded(self.value - short_value)
        parts = self.take(there) if there else []
        if qty > there:
            self.qty -= qty - there
            self.value -= short_value
            if self.rules["negative"] not in ("carry", "reject"):
                self.shorts.append(Short(move, qty - there, short_value, correctable))
            parts.append(Layer(qty - there, short_value, at, number, is_missing=True))
        return parts

    @property
    def gets_short(self) -> bool:
        return True

    def may_be_short(self, qty: int) -> bool:
        """Goods that await their invoice are there, though not in the books."""
        return self.gets_short and (self.rules["negative"] != "reject" or qty <= self.qty + self.awaiting)

    def shortage_cost(self) -> tuple[int, int]:
        """Cost of a shortage: of the layer that is taken last, else the average, else the last known."""
        if self.qty <= 0:
            return self.last
        if self.keeps_layers:
            layer = self.layers[-1 if self.rules["method"] == "fifo" else 0]
            return layer.value, layer.qty
        return self.value, self.qty

    def take(self, qty: int, *, oldest: bool = False) -> list[Layer]:
        """Take `qty` that is there, by the method or from the oldest layers."""
        if self.keeps_layers:
            parts = self.take_layers(qty, -1 if self.rules["method"] == "lifo" and not oldest else 0)
            self.last = (parts[-1].value, parts[-1].qty)
            worth = sum(part.value for part in parts)
        else:
            emptied = qty == self.qty
            if emptied:
                self.last = (self.value, self.qty)
            worth = self.value if emptied else self.share(self.value, qty, self.qty)
            parts = [Layer(qty, worth, 0, 0)]
        self.qty -= qty
        self.value -= worth
        return parts

    def take_layers(self, qty: int, end: int) -> list[Layer]:
        parts = []
        while qty:
            layer = self.reach[end]
            part = self.split(layer, qty)
            qty -= part.qty
            parts.append(part)
        return parts

    def split(self, layer: Layer, qty: int) -> Layer:
        """Take up to `qty` from a layer: all of it, or a rounded share while the layer keeps the rest."""
        if layer.qty <= qty:
            self.layers.remove(layer)
            return layer
        worth = self.share(layer.value, qty, layer.qty)
        layer.qty -= qty
        layer.value -= worth
        return replace(layer, qty=qty, value=worth)

    def remove_original(self, origin: Any, qty: int, worth: int, *, latest: int = 0) -> list[Layer]:
        """Take `qty` out of what a receipt brought: its own layers first, or its own value from an average.

        Of its layers the latest ones give `latest` pieces: those that have no invoice.
        """
        if not self.keeps_layers:
            if qty < self.qty and worth <= self.value:
                self.last = (worth, qty)
                self.qty -= qty
                self.value -= worth
                return [Layer(qty, worth, 0, 0)]
            return self.take(qty)
        own = [layer for layer in self.layers if layer.origin == origin.place]
        parts: list[Layer] = []
        for layer in own[::-1]:
            self.add_part(parts, layer, min(latest, qty) - sum(part.qty for part in parts))
        for layer in own:
            self.add_part(parts, layer, qty - sum(part.qty for part in parts))
        return self.note_gone(parts, qty)

    def take_latest(self, origin: int, qty: int, worth: int) -> list[Layer]:
        """Take the latest goods of a receipt for `worth`; what has its invoice came before them."""
        parts: list[Layer] = []
        for layer in [layer for layer in self.layers if layer.origin == origin][::-1]:
            left = qty - sum(part.qty for part in parts)
            asked = worth - sum(part.value for part in parts)
            if 0 < left < layer.qty and asked <= layer.value:
                layer.qty, layer.value = layer.qty - left, layer.value - asked
                parts.append(replace(layer, qty=left, value=asked))
            else:
                self.add_part(parts, layer, left)
        return self.note_gone(parts, qty)

    def add_part(self, parts: list[Layer], layer: Layer, qty: int) -> None:
        if qty > 0 and layer in self.layers:
            parts.append(self.split(layer, qty))

    def note_gone(self, parts: list[Layer], qty: int) -> list[Layer]:
        """Counts parts that have left their layers as gone; what is missing of `qty` leaves by the method."""
        there, worth = sum(part.qty for part in parts), sum(part.value for part in parts)
        self.qty -= there
        self.value -= worth
        if there:
            self.last = (worth, there)
        return parts + (self.take(qty - there) if there < qty else [])
