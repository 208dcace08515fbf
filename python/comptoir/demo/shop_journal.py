"""The journal of the synthetic shop: movements as columns, with the errors that people make in typing."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from comptoir.demo.shop_items import POOLS, Dice

__all__ = ["Journal"]

MONEY = pa.decimal128(18, 2)
MILLISECONDS_PER_MINUTE = 60_000
PREFIX = {
    "opening": "O",
    "issue": "S",
    "sales_return": "B",
    "receipt": "R",
    "provisional_receipt": "R",
    "purchase_return": "P",
    "settlement": "V",
    "cost_adjustment": "F",
    "transfer_out": "T",
    "transfer_in": "T",
    "count": "C",
}
COLUMNS = ("movement_id", "item", "pool", "at", "kind", "quantity", "cents", "ref", "revenue")

Row = tuple[Any, ...]


class Journal:
    """Movements in the order in which they were typed."""

    def __init__(self, dice: Dice, first_day: date) -> None:
        self._dice = dice
        midnight = datetime(first_day.year, first_day.month, first_day.day, tzinfo=timezone.utc)
        self._start = int(midnight.timestamp()) // 60
        self._rows: list[Row] = []

    def add(
        self,
        kind: str,
        index: int,
        code: str,
        pool: int,
        day: int,
        minute: int,
        quantity: int | None,
        *,
        cents: int | None = None,
        reference: str | None = None,
        revenue: int | None = None,
    ) -> str:
        """Write a movement down.

        Parameters
        ----------
        kind : str
            Kind of the movement.
        index, code : int, str
            The item.
        pool : int
            The warehouse.
        day, minute : int
            When, from the first day and from midnight.
        quantity : int, optional
            How much.
        cents : int, optional
            The amount.
        reference : str, optional
            The movement referred to.
        revenue : int, optional
            Selling amount in cents.

        Returns
        -------
        str
            Id of the movement.
        """
        movement_id = f"{PREFIX[kind]}{len(self._rows):07d}"
        at = (self._start + day * 1440 + minute) * MILLISECONDS_PER_MINUTE
        row = (movement_id, code, POOLS[pool], at, kind, quantity, cents, reference, revenue)
        self._rows.append(row)
        if self._dice.random() < 0.0003:
            self._rows.append(self._typed_wrong(row))
        return movement_id

    def _typed_wrong(self, row: Row) -> Row:
        """Repeat the row with an error."""
        movement_id, code, pool, at, kind, quantity, cents, reference, revenue = row
        again = f"{movement_id}x"
        choices: tuple[Row, ...] = (
            row,
            (movement_id, code, pool, at, kind, (quantity or 0) + 1, cents, reference, revenue),
            (again, code, pool, at, "isue", quantity, cents, reference, revenue),
            (again, code, pool, at, "issue", -(quantity or 1), None, None, revenue),
            (again, code, pool, at, "receipt", quantity or 1, None, None, None),
            (again, code, pool, at, "sales_return", 1, None, "S9999999", revenue),
            (again, code, pool, at, "receipt", None, cents or 100, None, None),
        )
        return choices[self._dice.below(len(choices))]

    def table(self) -> pa.Table:
        """All movements as an Arrow table.

        Returns
        -------
        pyarrow.Table
        """
        columns = dict(zip(COLUMNS, zip(*self._rows, strict=True), strict=True))
        return pa.table(
            {
                "movement_id": pa.array(columns["movement_id"]),
                "item": pa.array(columns["item"]),
                "pool": pa.array(columns["pool"]).dictionary_encode(),
                "at": pa.array(columns["at"], pa.timestamp("ms")),
                "kind": pa.array(columns["kind"]).dictionary_encode(),
                "quantity": pa.array(columns["quantity"], pa.int64()),
                "amount": _money(columns["cents"]),
                "ref": pa.array(columns["ref"], pa.string()),
                "revenue": _money(columns["revenue"]),
            }
        )


def _money(cents: tuple[int | None, ...]) -> pa.Array:
    units = pa.array(cents, pa.int64()).cast(pa.decimal128(19, 0))
    return pc.multiply(units, pa.scalar(Decimal("0.01"))).cast(MONEY)
