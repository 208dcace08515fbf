"""Best sellers by market and month, before and after what operators ask for, published and read back."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from comptoir import ranking
from comptoir.demo import words
from comptoir.demo.history import History, Progress

__all__ = ["Boards", "Place", "boards", "text"]

SPEC = """
id: best sellers
group: [market, month]
item: item
eligibility: qty > decimal('0')
metrics:
  units: {sum: qty}
  amount: {sum: amount}
  orders: {distinct: order}
  price: {ratio: [amount, units]}
  first_sold: {min: first_sold}
having: orders >= 5 # one order of a wholesaler does not make a best seller
score: units
ties: [{by: amount, order: desc}]
k: 10
slack: 90
show: {metrics: true, organic: true}
"""
FLOOR = "having: orders >= 5"
DEAR = {"id": "dear", "band": {"when": "price >= 5.0", "at_least": 2}}
NEW = {"id": "new", "band": {"when": "first_sold > month - duration('1440h')", "least_share": "20%"}}
NEW_AFTER_DAYS = 60
PIN_AT = 3


@dataclass(frozen=True)
class Place:
    """A place of the board that is shown, before and after.

    Attributes
    ----------
    position : int
        From 1.
    before, after : str
        Item and units.
    because : str
        Why the item of `after` stands there, where it is not its organic place.
    """

    position: int
    before: str
    after: str
    because: str


@dataclass(frozen=True)
class Boards:
    """What became of the best sellers.

    Attributes
    ----------
    lines : int
        Sales lines.
    count : int
        Boards: one for each market and month.
    seconds : float
        How long both variants of all boards took.
    shown : str
        Market and month of the board that is shown.
    places : list of Place
        Its places.
    overlap : float
        Share of its items that both variants have.
    explained : str
        Why the pinned item stands where it does.
    unmet : int
        Boards with a pin or a quota that could not be met.
    floor : str
        The item that would lead without the floor on orders, and with what; empty where there is none.
    versions : str
        What was published, read and rolled back.
    """

    lines: int
    count: int
    seconds: float
    shown: str
    places: list[Place]
    overlap: float
    explained: str
    unmet: int
    floor: str
    versions: str


def boards(history: History, sales: pa.Table, say: Progress) -> Boards | None:
    """Rank what sold, publish it, and change it as an operator does.

    Parameters
    ----------
    history : History
        Tells orders and markets where they are known.
    sales : pyarrow.Table
        Columns ``movement_id, item, day, qty, amount``.
    say : callable
        Told what is being done.

    Returns
    -------
    Boards or None
        None where nothing was sold often enough for a board.
    """
    say("ranking best sellers")
    lines = _lines(history, sales)
    started = time.perf_counter()
    plain = ranking.build(SPEC, lines)
    if len(plain) == 0:
        return None
    group = _largest(plain)
    spec = _asked(plain, lines, group)
    asked = ranking.build(spec, lines)
    seconds = time.perf_counter() - started
    before, after = (_places(result, group) for result in (plain, asked))
    pinned = spec["interventions"][0]["items"][0] if spec["interventions"] else None
    broken = {tuple(one["group"]) for one in [*asked.report.unmet, *asked.report.unpinned]}
    items = [[row["item"] for row in rows] for rows in (before, after)]
    return Boards(
        lines=lines.num_rows,
        count=pa.table(plain)
        .select(["market", "month"])
        .group_by(["market", "month"])
        .aggregate([])
        .num_rows,
        seconds=seconds,
        shown=f"{group[0]}, {group[1]:%B %Y}",
        places=_side_by_side(before, after, pinned),
        overlap=ranking.compare(items[0], items[1]).overlap,
        explained=str(asked.explain(pinned, group)[0]) if pinned else "",
        unmet=len(broken),
        floor=_without_floor(lines, plain),
        versions=_published(plain, asked, group),
    )


def _lines(history: History, sales: pa.Table) -> pa.Table:
    """Sales lines with order, market, month, and when their item was first sold."""
    movement, item = sales["movement_id"].cast(pa.string()), sales["item"].cast(pa.string())
    if history.orders is None:
        order, market = movement, pa.chunked_array([pa.repeat(pa.scalar("shop"), sales.num_rows)])
    else:
        row = pc.index_in(movement, history.orders["movement_id"].combine_chunks())
        order, market = history.orders["order"].take(row), history.orders["market"].take(row)
    day = sales["day"].cast(pa.date32())
    first = (
        pa.table({"item": item, "day": day}).group_by("item", use_threads=False).aggregate([("day", "min")])
    )
    known = pc.index_in(item, first["item"].combine_chunks())
    return pa.table(
        {
            "order": order,
            "market": market,
            "month": pc.floor_temporal(day, unit="month").cast(pa.date32()),
            "item": item,
            "qty": sales["qty"],
            "amount": sales["amount"],
            "first_sold": first["day_min"].take(known),
        }
    )


def _largest(plain: ranking.Result) -> tuple[str, date]:
    """Find the market that sold most, and its best month."""
    table = pa.table(plain)
    by_market = table.group_by("market", use_threads=False).aggregate([("units", "sum")])
    market = by_market.sort_by([("units_sum", "descending")])["market"][0].as_py()
    months = table.filter(pc.equal(table["market"], market)).group_by("month", use_threads=False)
    return market, months.aggregate([("units", "sum")]).sort_by([("units_sum", "descending")])["month"][
        0
    ].as_py()


def _asked(plain: ranking.Result, lines: pa.Table, group: tuple[str, date]) -> dict[str, Any]:
    """Give the spec with what an operator asks for: a quota of dear items, a share of new ones, a pin."""
    spec = plain.spec
    first, last = pc.min_max(lines["first_sold"]).as_py().values()
    constraints = [DEAR] + ([NEW] if (last - first).days > NEW_AFTER_DAYS else [])
    in_group = pc.and_(pc.equal(lines["market"], group[0]), pc.equal(lines["month"], group[1]))
    newest = lines.filter(in_group).sort_by([("first_sold", "descending"), ("item", "ascending")])
    on_board = {row["item"] for row in _places(plain, group)}
    pinned = next((item for item in _often(newest) if item not in on_board), None)
    where = f"market == {json.dumps(group[0])} && month == timestamp('{group[1]}T00:00:00Z')"
    pin = {"id": "spring window", "items": [pinned], "pin": PIN_AT, "group": where}
    return {**spec, "constraints": constraints, "interventions": [pin] if pinned else []}


def _often(newest: pa.Table) -> list[str]:
    """Items with orders enough for the board, the newest first."""
    sold = newest.filter(pc.greater(newest["qty"], Decimal(0)))
    counted = sold.group_by("item", use_threads=False).aggregate([("order", "count_distinct")])
    often: list[str] = counted.filter(pc.greater_equal(counted["order_count_distinct"], 5))[
        "item"
    ].to_pylist()
    return often


def _places(result: ranking.Result, group: tuple[str, date]) -> list[dict[str, Any]]:
    table = pa.table(result)
    is_shown = pc.and_(pc.equal(table["market"], group[0]), pc.equal(table["month"], group[1]))
    rows: list[dict[str, Any]] = table.filter(is_shown).to_pylist()
    return rows


def _side_by_side(
    before: list[dict[str, Any]], after: list[dict[str, Any]], pinned: str | None
) -> list[Place]:
    def cell(row: dict[str, Any]) -> str:
        return f"{row['item']} ({words.counted(row['units'])})"

    def because(row: dict[str, Any]) -> str:
        if row["item"] == pinned:
            return "pinned"
        organic = row["organic_position"]
        return "" if organic == row["position"] else f"number {organic} by units"

    rows = zip(before, after, strict=False)
    return [Place(new["position"], cell(old), cell(new), because(new)) for old, new in rows]


def _without_floor(lines: pa.Table, plain: ranking.Result) -> str:
    """Tell the largest item that leads a board only when the floor is taken away."""
    free = pa.table(ranking.build(SPEC.replace(FLOOR, "having: orders >= 1"), lines))
    leaders = {
        (row["market"], row["month"]): row["item"]
        for row in pa.table(plain).to_pylist()
        if row["position"] == 1
    }
    others = [
        row
        for row in free.filter(pc.equal(free["position"], 1)).to_pylist()
        if leaders.get((row["market"], row["month"]), row["item"]) != row["item"]
    ]
    if not others:
        return ""
    row = max(others, key=lambda row: (row["units"], row["item"]))
    orders = f"{row['orders']} order" + ("s" if row["orders"] > 1 else "")
    return (
        f"{row['item']}, {words.counted(row['units'])} units in {orders}, would lead {row['market']} in "
        f"{row['month']:%B %Y}"
    )


def _published(plain: ranking.Result, asked: ranking.Result, group: tuple[str, date]) -> str:
    """Publish both variants, read the second, and go back to the first."""
    with tempfile.TemporaryDirectory() as directory, ranking.Publisher(directory) as publisher:
        publisher.publish(plain)
        reader = ranking.Reader(directory)
        second = publisher.publish(asked)
        reader.refresh()
        page = reader.page("best sellers", group, limit=10)
        found = len(page) if page is not None else 0
        publisher.rollback(1)
        reader.refresh()
        return (
            f"{len(reader)} boards published as version 1 and changed as version {second}; "
            f"a reader took a page of {found} of version {second} "
            f"and followed the rollback to version {reader.version}"
        )


def text(found: Boards) -> str:
    """Write what was ranked as a short block.

    Parameters
    ----------
    found : Boards
        What became of the best sellers.

    Returns
    -------
    str
    """
    return "\n".join(_text(found))


def _text(found: Boards) -> Iterator[str]:
    took = f"twice, in {found.seconds:.2f} s"
    yield f"Best sellers: {found.count:,} boards of {found.lines:,} sales lines, {took}"
    yield f"  {found.shown:<30} {'before':<22} after"
    for place in found.places:
        yield f"  {place.position:>30} {place.before:<22} {place.after:<22} {place.because}".rstrip()
    if found.explained:
        yield from (f"  {line.strip()}" for line in found.explained.splitlines()[:1])
    if found.unmet:
        yield f"  {found.unmet:,} boards cannot meet a quota or a pin"
    if found.floor:
        yield f"  without the floor of 5 orders {found.floor}"
    yield f"  {found.versions}"
