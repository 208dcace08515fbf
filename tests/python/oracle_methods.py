"""The oracle's stocks of methods with rules of their own: specific identification."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from oracle_stock import Layer, Rejected, Stock


def new_stock(rules: dict[str, Any]) -> Stock:
    return {"specific": LotStock}.get(rules["method"], Stock)(rules)


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

    def reset(self, layers: list[Layer]) -> None:
        """What a count finds of a lot is one new layer of it."""
        if self.there:
            self.take(self.there)
        for layer in layers:
            self.receive(layer.value, [layer])
