"""Choose customers for campaigns and items for pages of a shop, by rules that their owners write.

    python rules_audience.py [LINES.parquet]

The file has the columns of the UCI Online Retail data; without one, a few lines are made. Customers and items
are summed up by DuckDB, whose tables go to the rules as they are. The rules are those of
examples/rules/audience.yaml and examples/rules/assortment.yaml. Needs duckdb and pyarrow.
"""

import sys
from datetime import datetime, timezone
from pathlib import Path

import duckdb
import pyarrow as pa

from comptoir import Error
from comptoir.rules import RuleSet

FOLDER = Path(__file__).resolve().parent.parent / "rules"
TODAY = datetime(2011, 12, 9, 18, tzinfo=timezone.utc)

CUSTOMERS = """
select CustomerID as customer, min(Country) as country,
    count(distinct InvoiceNo) filter (Quantity > 0) as orders,
    sum(Quantity * UnitPrice)::decimal(18, 3) as spent,
    coalesce(-sum(Quantity * UnitPrice) filter (Quantity < 0), 0)::decimal(18, 3) as returned,
    min(InvoiceDate) filter (Quantity > 0) as first_order,
    max(InvoiceDate) filter (Quantity > 0) as last_order,
from lines where CustomerID is not null group by CustomerID having orders > 0 order by CustomerID
"""
ITEMS = """
select upper(StockCode) as item, coalesce(max(Description), '') as description,
    quantile_disc(UnitPrice, 0.5) filter (Quantity > 0 and UnitPrice > 0) as usual_price,
    coalesce(sum(Quantity) filter (Quantity > 0), 0)::bigint as sold,
    count(distinct CustomerID) filter (Quantity > 0) as buyers,
    coalesce(-sum(Quantity) filter (Quantity < 0), 0)::bigint as returned,
    sum(Quantity * UnitPrice)::decimal(18, 3) as revenue,
    count(distinct date_trunc('week', InvoiceDate)) filter (Quantity > 0) as weeks_sold,
from lines where InvoiceDate >= (select max(InvoiceDate) from lines) - interval 12 week
    and regexp_matches(upper(StockCode), '^([0-9]{5}|DCGS|PADS)')
group by all having usual_price is not null order by item
"""
MADE = """
select * from (values
    ('1', '22423', 'CAKESTAND', 600, timestamp '2011-11-20 10:00', 12.75::decimal(12, 3), 1, 'Germany'),
    ('2', '22423', 'CAKESTAND', 1, timestamp '2011-11-28 10:00', 12.75, 1, 'Germany'),
    ('3', '22910', 'CHRISTMAS CARD', 6, timestamp '2011-12-01 10:00', 2.95, 2, 'United Kingdom')
) as made(InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, Country)
"""


def main(source: str | None) -> int:
    """Print the size of each audience and page, and some members."""
    try:
        with duckdb.connect() as database:
            lines = database.read_parquet(source) if source else database.sql(MADE)
            database.register("lines", lines)
            customers = database.sql(CUSTOMERS).to_arrow_table()
            items = database.sql(ITEMS).to_arrow_table()
        choose("audience.yaml", customers, "customer", today=TODAY)
        choose("assortment.yaml", items, "item")
    except (Error, duckdb.Error) as error:
        print(f"{source}: {error}", file=sys.stderr)
        return 1
    return 0


def choose(file: str, table: pa.Table, key: str, **shared: object) -> None:
    """Select the rows for which a rule counts, and print which rule chose how many."""
    rule_set = RuleSet.load(FOLDER / file)
    selection = rule_set.select(table, **shared)
    chosen = table.take(pa.table(selection.rows)["row"])
    print(f"{rule_set.name}: {len(selection):,} of {table.num_rows:,}, {selection.fault_count} faults")
    fired = pa.table(rule_set.decide_batch(chosen, **shared))["fired"].to_pylist()
    for rule in rule_set.rules:
        members = [row for row, rules in zip(chosen[key].to_pylist(), fired, strict=True) if rule in rules]
        print(f"  {rule:<18}{len(members):>7,}   {', '.join(map(str, members[:5]))}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))
