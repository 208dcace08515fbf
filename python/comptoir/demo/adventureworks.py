"""Movements from the AdventureWorks purchasing files: receipts with four-decimal prices, and their use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from comptoir.demo.history import History, InputError, Progress

__all__ = ["FILES", "history"]

FILES = ("PurchaseOrderDetail.csv", "ProductInventory.csv", "Product.csv")

RULES = (
    "Every purchase order line is a receipt of the received quantity at its due date and four-decimal price.",
    "The rejected quantity goes back to the supplier on the same day, at the cost of its receipt.",
    "What ProductInventory holds less than was received has gone into production: one issue per product, on "
    "the first of the month after the last receipt.",
    "What it holds beyond the receipts was there before, at a cost that nobody knows, and is left alone.",
)


class Line(NamedTuple):
    """A purchase order line."""

    number: str
    day: datetime
    product: str
    price: Decimal
    received: Decimal
    rejected: Decimal


Row = tuple[str, str, datetime, str, Decimal, Decimal | None, str | None]


def history(path: Path, say: Progress) -> History:
    """Make movements of the purchase order lines and of the inventory.

    Parameters
    ----------
    path : Path
        Directory with `FILES`, tab separated without header.
    say : callable
        Told what is being done.

    Returns
    -------
    History

    Raises
    ------
    InputError
        If a file has another form than the published one.
    """
    say("reading purchase order lines")
    lines = list(_lines(path / FILES[0]))
    rows = [row for line in lines for row in _receipt(line)]
    stock = _inventory(path / FILES[1])
    rest = _rest(lines, stock)
    ids, items, days, kinds, quantities, costs, references = zip(*rows, *rest, strict=True)
    movements = pa.table(
        {
            "movement_id": pa.array(ids),
            "item": pa.array(items),
            "at": pa.array([day.date() for day in days]),
            "kind": pa.array(kinds),
            "quantity": pa.array(quantities, pa.decimal128(12, 2)),
            "unit_cost": pa.array(costs, pa.decimal128(18, 4)),
            "ref": pa.array(references, pa.string()),
        }
    )
    return History(
        title="AdventureWorks: purchasing of a bicycle maker",
        movements=movements,
        policy={"method": "fifo", "money_scale": 4, "ties": "row"},
        input_rows=len(lines),
        rules=RULES,
        currency="$",
        names={row[0]: row[1] for row in _rows(path / FILES[2])},
        facts=_comparison(lines, stock),
    )


def _lines(path: Path) -> Iterator[Line]:
    for number, row in enumerate(_rows(path), 1):
        try:
            yield Line(
                number=row[1],
                day=datetime.fromisoformat(row[2]),
                product=row[4],
                price=Decimal(row[5]),
                received=Decimal(row[7]),
                rejected=Decimal(row[8]),
            )
        except (IndexError, ValueError, ArithmeticError) as error:
            raise InputError(f"line {number} of `{path}` is no purchase order line: {error!s}") from error


def _rows(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield line.rstrip("\r\n").split("\t")


def _receipt(line: Line) -> Iterator[Row]:
    receipt = f"receipt/{line.number}"
    yield receipt, line.product, line.day, "receipt", line.received, line.price, None
    if line.rejected:
        yield f"return/{line.number}", line.product, line.day, "purchase_return", line.rejected, None, receipt


def _inventory(path: Path) -> Mapping[str, Decimal]:
    stock: dict[str, Decimal] = defaultdict(Decimal)
    for number, row in enumerate(_rows(path), 1):
        try:
            stock[row[0]] += Decimal(row[4])
        except (IndexError, ArithmeticError) as error:
            raise InputError(f"line {number} of `{path}` is no inventory line: {error!s}") from error
    return stock


def _stocked(lines: list[Line]) -> Mapping[str, Decimal]:
    stocked: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        stocked[line.product] += line.received - line.rejected
    return stocked


def _rest(lines: list[Line], stock: Mapping[str, Decimal]) -> list[Row]:
    """Issue to production what was received and is no longer there."""
    after = max(line.day for line in lines)
    after = datetime(after.year + after.month // 12, after.month % 12 + 1, 1)
    rows: list[Row] = []
    for product, stocked in _stocked(lines).items():
        used = stocked - stock.get(product, Decimal(0))
        if used > 0:
            rows.append((f"used/{product}", product, after, "production_issue", used, None, None))
    return rows


def _comparison(lines: list[Line], stock: Mapping[str, Decimal]) -> Mapping[str, str]:
    stocked = _stocked(lines)
    received = sum(stocked.values(), Decimal(0))
    held = sum((stock.get(product, Decimal(0)) for product in stocked), Decimal(0))
    more = sum(stock.get(product, Decimal(0)) > quantity for product, quantity in stocked.items())
    return {
        "Received and stocked": f"{received:,.0f} units of {len(stocked):,} products",
        "Held according to ProductInventory": f"{held:,.0f} units of these products",
        "Products held beyond what was received": f"{more:,}",
    }
