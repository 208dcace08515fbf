"""The oracle's stocks of methods with rules of their own: specific identification and standard cost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from oracle_stock import Layer, Rejected, Stock


def new_stock(rules: dict[str, Any]) -> Stock:
    return {"specific": LotStock, "standard": StandardStock}.get(rules["method"], Stock)(rules)


@dataclass
class LotStock(Stock):
    """Goods that lie apart by lot: a movement takes what lies under its own, which is never short."""

    lot: str | None = None

    def at_hand(self, lot: str | None, *, is_goods: bool) -> None:
        if is_goods and lot is None:
            raise Rejected("COSTING_LOT_REQUIRED")
        self.lot = lot

    @property
    def reach(self) -> list[Layer]:
        return [layer for layer in self.layers if layer.lot == self.lot]

    @property
    def there(self) -> int:
        return sum(layer.qty for layer in self.reach)

    @property
    def counted(self) -> int:
        return self.there

    @property
    def gets_short(self) -> bool:
        return False

    def put(self, layer: Layer) -> None:
        super().put(replace(layer, lot=layer.lot or self.lot))

    def reset(self, layers: list[Layer]) -> int:
        """What a count finds of a lot is one new layer of it."""
        if self.there:
            self.take(self.there)
        for layer in layers:
            self.receive(layer.value, [layer])
        return 0


@dataclass
class StandardStock(Stock):
    """Goods that stand at a standard cost, also where they are short; what they cost beside it variance."""

    def __post_init__(self) -> None:
        # What is short has its cost already: no receipt covers it with another one.
        if self.rules["negative"] != "reject":
            self.rules = {**self.rules, "negative": "carry"}

    @property
    def cost(self) -> tuple[int, int]:
        return Fraction(self.rules["standard_cost"]).as_integer_ratio()

    def worth_of(self, qty: int, amount: int) -> int:
        return self.price(qty, self.cost)

    def current(self) -> tuple[int, int]:
        return (self.value, self.qty) if self.qty > 0 else self.cost

    def shortage_cost(self) -> tuple[int, int]:
        return self.cost

    def receive(self, amount: int, layers: list[Layer]) -> tuple[int, int]:
        worth = self.worth_of(sum(layer.qty for layer in layers), amount)
        added, variance = super().receive(worth, layers)
        return added, variance + amount - worth

    def bring_back(self, amount: int, layers: list[Layer]) -> tuple[int, int]:
        return super().receive(amount, layers)

    def reset(self, layers: list[Layer]) -> int:
        amount, qty = sum(layer.value for layer in layers), sum(layer.qty for layer in layers)
        worth = self.worth_of(qty, amount)
        super().reset([replace(layer, value=worth) for layer in layers])
        self.qty, self.value = qty, worth
        return amount - worth

    def add_value(self, amount: int, origin: Any) -> int:
        return 0
