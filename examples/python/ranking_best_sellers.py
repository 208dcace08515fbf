"""Best sellers by country and month: ranked, compared with what an operator asks for, published, explained.

    python ranking_best_sellers.py [LINES.parquet]

The file has the columns of the UCI Online Retail data: InvoiceNo, StockCode, Quantity, InvoiceDate, UnitPrice
(decimal) and Country; without one, lines are made. The boards are those of
examples/ranking/best_sellers.yaml. Needs pyarrow and PyYAML.
"""

import sys
import tempfile
import time
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from comptoir import Error, ranking

SPEC = Path(__file__).resolve().parent.parent / "ranking" / "best_sellers.yaml"
COLUMNS = ["InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "Country"]
NOW = "2011-12-10T00:00:00Z"
GROUP = ("United Kingdom", date(2011, 11, 1))


def main(source: str | None) -> int:
    """Rank the lines before and after an operator, publish both, page, explain and roll back."""
    asked: dict[str, Any] = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
    plain = {name: field for name, field in asked.items() if name not in ("constraints", "interventions")}
    try:
        lines = with_month(pq.read_table(source, columns=COLUMNS) if source else made_lines(20_000))
        started = time.perf_counter()
        before, after = ranking.build(plain, lines), ranking.build(asked, lines, now=NOW)
        seconds = time.perf_counter() - started
        free = ranking.build({**plain, "having": "orders >= 1"}, lines)
    except (Error, OSError, pa.ArrowException) as error:
        print(f"{source or SPEC}: {error}", file=sys.stderr)
        return 1
    print(f"{lines.num_rows:,} lines, {len(before)} places before and {len(after)} after in {seconds:.2f} s")
    leader = max(pa.table(free).to_pylist(), key=lambda row: row["units"])
    units = f"{leader['units']:,} units of {leader['orders']} order(s)"
    print(f"without the floor on orders {leader['StockCode']} would lead: {units}")
    write(before, after)
    publish(before, after)
    return 0


def with_month(lines: pa.Table) -> pa.Table:
    """Add the month, the amount of a line, and when its item was first sold."""
    day = lines["InvoiceDate"].cast(pa.date32())
    amount = pc.multiply(lines["Quantity"].cast(pa.decimal128(19, 0)), lines["UnitPrice"])
    first = pa.table({"item": lines["StockCode"], "day": day}).group_by("item", use_threads=False)
    seen = first.aggregate([("day", "min")])
    row = pc.index_in(lines["StockCode"], seen["item"].combine_chunks())
    lines = lines.append_column("month", pc.floor_temporal(day, unit="month").cast(pa.date32()))
    return lines.append_column("line", amount).append_column("first_sold", seen["day_min"].take(row))


def write(before: ranking.Result, after: ranking.Result) -> None:
    """Print one board side by side, and what could not be done anywhere."""
    boards = [places(result) for result in (before, after)]
    print(f"\n  {GROUP[0]}, {GROUP[1]:%B %Y}")
    for old, new in zip(*boards, strict=True):
        organic = new["organic_position"]
        moved = "" if organic == new["position"] else f"number {organic} by units"
        cells = [f"{row['StockCode']} ({row['units']:,})" for row in (old, new)]
        print(f"  {new['position']:>2} {cells[0]:<20}{cells[1]:<20}{moved}".rstrip())
    old_items, new_items = ([row["StockCode"] for row in board] for board in boards)
    change = ranking.compare(old_items, new_items)
    print(f"  overlap {change.overlap:.2f}, rank-biased overlap {change.rank_biased_overlap:.2f}")
    unmet = {tuple(one["group"]) for one in after.report.unmet}
    print(f"  {len(unmet)} of {len(set(groups(after)))} boards cannot meet a quota")
    for one in after.report.unpinned:
        place = f"{one['position']} of {', '.join(one['group'])}"
        print(f"  `{one['id']}`: {one['item']} is not at {place}: {one['code']}")


def publish(before: ranking.Result, after: ranking.Result) -> None:
    """Publish both versions, read the second in pages, explain a place of it, and go back to the first."""
    with tempfile.TemporaryDirectory() as directory, ranking.Publisher(directory) as publisher:
        publisher.publish(before, watermark=datetime.fromisoformat(NOW.replace("Z", "+00:00")))
        reader = ranking.Reader(directory)
        publisher.publish(after)
        reader.refresh()
        page = reader.page("best sellers", GROUP, limit=4)
        while page is not None:
            print(f"  version {page.version}: {', '.join(str(entry.item) for entry in page)}")
            cursor = page.next_cursor
            page = reader.page("best sellers", GROUP, cursor=cursor, limit=4) if cursor else None
        third = next(row["StockCode"] for row in places(after) if row["position"] == 3)
        print(f"\n{after.explain(third, GROUP)[0]}\n")
        publisher.rollback(1)
        reader.refresh()
        rank = reader.rank_of("best sellers", GROUP, third)
        place = "not on the board" if rank is None else f"number {rank}"
        print(f"rolled back to version {reader.version}: {third} is {place}")


def places(result: ranking.Result) -> list[dict[str, Any]]:
    """Give the places of one board."""
    table = pa.table(result)
    shown = pc.and_(pc.equal(table["Country"], GROUP[0]), pc.equal(table["month"], GROUP[1]))
    rows: list[dict[str, Any]] = table.filter(shown).to_pylist()
    return rows


def groups(result: ranking.Result) -> list[tuple[Any, ...]]:
    """Give the group of each place."""
    table = pa.table(result)
    return list(zip(table["Country"].to_pylist(), table["month"].to_pylist(), strict=True))


def made_lines(count: int) -> pa.Table:
    """Make lines of a shop, the same on every machine: some items sell often, some come late."""
    rows = []
    for row in range(count):
        item = (row * 7919) % 97 * ((row * 104_729) % 53) // 60
        first = 300 if item % 5 == 2 else 0
        day = first + (row * 31) % (373 - first)
        quantity = 1 + (row * 17) % 12
        country = "United Kingdom" if row % 5 else "France"
        at = datetime(2010, 12, 1) + timedelta(days=day)
        rows.append((str(500_000 + row // 4), f"{23_550 + item}", quantity, at, item % 9 + 1, country))
    # A wholesaler's order, the only one of its item.
    rows.append(("600000", "23843", 80_995, datetime(2011, 12, 9), 2, "United Kingdom"))
    columns = list(zip(*rows, strict=True))
    price = pa.array([Decimal(f"{value}.25") for value in columns[4]], pa.decimal128(12, 3))
    return pa.table([*map(pa.array, columns[:4]), price, pa.array(columns[5])], COLUMNS)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit("usage: python ranking_best_sellers.py [LINES.parquet]")
    sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else None))
