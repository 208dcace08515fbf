"""Movements from the UCI Online Retail data: a year of invoice lines of a British gift shop.

The data tells what was sold and sent back, not what was bought; receipts follow by the rule in `RULES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from comptoir.demo.history import History, InputError, Progress

__all__ = ["COLUMNS", "history"]

COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)

RULES = (
    "Positive lines are sales; those at price zero without a customer are goods found in a count.",
    "Negative lines of invoices that begin with C are sales returns; others are damages and count losses.",
    "Lines whose stock code is neither five digits, DCGS... nor PADS are charges and move no stock.",
    "Stock codes are read in capitals: some are typed both ways.",
    "Receipts: one per stock code and week, of the quantity sold in that week, on its Monday, at 60 % of the "
    "median price of the week's sales (of all sales where the week has none with a price), rounded to pence.",
)

GOODS = r"^([0-9]{5}|DCGS|PADS)"
MONEY = pa.decimal128(18, 2)
REVENUE = pa.decimal128(18, 3)
TIME = pa.timestamp("ms")


def history(table: pa.Table, say: Progress) -> History:
    """Make movements of the invoice lines.

    Parameters
    ----------
    table : pyarrow.Table
        The lines, with at least `COLUMNS`.
    say : callable
        Told what is being done.

    Returns
    -------
    History

    Raises
    ------
    InputError
        If a column has another type than the published data.
    """
    say("sorting invoice lines into sales, returns and corrections")
    lines = _lines(table)
    goods = lines.filter(lines["is_goods"])
    sold = goods.filter(pc.equal(goods["kind"], "issue"))
    say("deriving receipts")
    receipts = _receipts(sold)
    gifts = pc.sum(pc.equal(sold["mills"], 0)).as_py() or 0
    columns = ["movement_id", "item", "at", "kind", "quantity", "amount", "revenue"]
    return History(
        title="Online Retail: a British gift shop, December 2010 to December 2011",
        movements=pa.concat_tables([receipts.select(columns), goods.select(columns)]),
        policy={"negative": "cover", "ties": "row"},
        input_rows=table.num_rows,
        rules=RULES,
        currency="£",
        left_out=_left_out(lines),
        names=_names(table),
        facts={
            "Receipts derived": f"{receipts.num_rows:,}",
            "Sales at price zero to customers": f"{gifts:,}",
        },
        orders=goods.select(["movement_id", "order", "market"]),
    )


def _lines(table: pa.Table) -> pa.Table:
    """Lines with the columns of movements, the price in thousandths, and whether they are goods."""
    try:
        price = table["UnitPrice"].cast(pa.decimal128(12, 3))
        at = table["InvoiceDate"].cast(TIME)
        quantity = table["Quantity"].cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise InputError(
            f"the Online Retail file has another form than the published one: {error}"
        ) from error
    mills = pc.multiply(price, pa.scalar(Decimal(1000))).cast(pa.int64())
    item = pc.utf8_upper(table["StockCode"])
    kind = _kind(table, quantity, mills)
    is_sale = pc.is_in(kind, pa.array(["issue", "sales_return"]))
    revenue = pc.multiply(quantity.cast(pa.decimal128(19, 0)), price).cast(REVENUE)
    number = pa.array(range(1, table.num_rows + 1)).cast(pa.string())
    return pa.table(
        {
            "movement_id": pc.binary_join_element_wise(table["InvoiceNo"], number, "/"),
            "item": item,
            "at": at,
            "kind": kind,
            "quantity": pc.abs(quantity),
            "amount": pa.nulls(table.num_rows, MONEY),
            "revenue": pc.if_else(is_sale, revenue, None),
            "mills": mills,
            "is_goods": pc.match_substring_regex(item, GOODS),
            "order": table["InvoiceNo"],
            "market": table["Country"],
        }
    )


def _kind(table: pa.Table, quantity: pa.ChunkedArray, mills: pa.ChunkedArray) -> pa.ChunkedArray:
    is_negative = pc.less(quantity, 0)
    is_credit = pc.starts_with(table["InvoiceNo"], "C")
    is_found = pc.and_(pc.equal(mills, 0), pc.is_null(table["CustomerID"]))
    outgoing = pc.if_else(is_found, "count_gain", "issue")
    return pc.if_else(is_negative, pc.if_else(is_credit, "sales_return", "count_loss"), outgoing)


def _left_out(lines: pa.Table) -> Mapping[str, int]:
    charges = lines.filter(pc.invert(lines["is_goods"]))
    negative = pc.sum(pc.less(charges["mills"], 0)).as_py() or 0
    found = {
        "postage, fees and other charges": charges.num_rows - negative,
        "negative prices (bad debt)": negative,
    }
    return {reason: count for reason, count in found.items() if count}


def _receipts(sold: pa.Table) -> pa.Table:
    """One receipt per stock code and week of the quantity sold."""
    week = pc.floor_temporal(sold["at"], unit="week")
    by_week = sold.append_column("week", week).select(["item", "week", "quantity", "mills"])
    rows = []
    grouped = by_week.group_by(["item", "week"], use_threads=False)
    for row in grouped.aggregate([("quantity", "sum"), ("mills", "list")]).to_pylist():
        cents = _cost(row["mills_list"])
        if cents is None:
            cents = _cost(by_week.filter(pc.equal(by_week["item"], row["item"]))["mills"].to_pylist())
        if cents:
            rows.append((row["item"], row["week"], row["quantity_sum"], cents))
    rows.sort(key=lambda row: (row[1], row[0]))
    return pa.table(
        {
            "movement_id": [_receipt_id(item, week) for item, week, _, _ in rows],
            "item": [row[0] for row in rows],
            "at": pa.array([row[1] for row in rows], TIME),
            "kind": ["receipt"] * len(rows),
            "quantity": pa.array([row[2] for row in rows], pa.int64()),
            "amount": pa.array([Decimal(row[2] * row[3]).scaleb(-2) for row in rows], MONEY),
            "revenue": pa.nulls(len(rows), REVENUE),
        }
    )


def _receipt_id(item: str, week: datetime) -> str:
    return f"receipt/{week.date()}/{item}"


def _cost(mills: list[int]) -> int | None:
    """60 % of the median of prices in thousandths, in pence, rounded half to even."""
    prices = sorted([price for price in mills if price > 0])
    if not prices:
        return None
    two_medians = prices[(len(prices) - 1) // 2] + prices[len(prices) // 2]
    whole, rest = divmod(3 * two_medians, 100)
    return whole + (rest > 50 or (rest == 50 and whole % 2 == 1))


def _names(table: pa.Table) -> Mapping[str, str]:
    """Take the first description in capitals of each stock code; notes are in small letters."""
    named = table.filter(pc.utf8_is_upper(table["Description"]))
    item = pc.utf8_upper(named["StockCode"])
    first = pa.table({"item": item, "name": named["Description"]})
    first = first.group_by("item", use_threads=False).aggregate([("name", "first")])
    return dict(zip(first["item"].to_pylist(), first["name_first"].to_pylist(), strict=True))
