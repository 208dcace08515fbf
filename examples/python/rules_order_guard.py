"""Guard order lines: what is blocked, what is looked at and why, and what another threshold would change.

    python rules_order_guard.py [LINES.parquet]

The file has the columns of the UCI Online Retail data: InvoiceNo, StockCode, Quantity, UnitPrice (decimal)
and CustomerID; without one, lines are made. The rules are those of examples/rules/order_guard.yaml.
Needs pyarrow.
"""

import sys
import time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from comptoir import Error
from comptoir.rules import RuleSet

RULES = Path(__file__).resolve().parent.parent / "rules" / "order_guard.yaml"
COLUMNS = ["InvoiceNo", "StockCode", "Quantity", "UnitPrice", "CustomerID"]


def main(source: str | None) -> int:
    """Decide all lines, explain one of them, and compare with a lower floor."""
    text = RULES.read_text(encoding="utf-8")
    try:
        lines = with_usual(pq.read_table(source, columns=COLUMNS) if source else made_lines(20_000))
        guard = RuleSet.load(text)
        started = time.perf_counter()
        decisions = guard.decide_batch(lines)
        seconds = time.perf_counter() - started
        lower = RuleSet.load(text.replace("usual_price * decimal('0.50')", "usual_price * decimal('0.40')"))
        diff = guard.diff(lower, lines, amount="price * qty")
    except (Error, OSError, pa.ArrowException) as error:
        print(f"{source or RULES}: {error}", file=sys.stderr)
        return 1
    print(f"{lines.num_rows:,} lines, {guard.name} version {guard.version}, decided in {seconds:.2f} s")
    found = pa.table(decisions)
    write(lines, found)
    explain(guard, lines, found)
    print(f"with a floor of 40 % in place of 50 %, {diff.changed:,} lines change, worth {diff.amount:,}")
    for rule, change in diff.rules.items():
        print(f"  {rule:<18}{change.gained:>+9,}{-change.lost:>+9,}")
    return 0


def write(lines: pa.Table, found: pa.Table) -> None:
    """Lines and their worth by action, by rule, and by rule on trial."""
    worth = pc.abs(pc.multiply(lines["qty"].cast(pa.decimal128(19, 0)), lines["price"])).combine_chunks()
    write_totals("action", pc.fill_null(found["action"].cast(pa.string()), "nothing to say"), worth)
    for head, name in (("rule", "fired"), ("on trial", "shadow")):
        ids = found[name].combine_chunks()
        write_totals(head, pc.list_flatten(ids).cast(pa.string()), worth.take(pc.list_parent_indices(ids)))


def write_totals(head: str, key: pa.Array, worth: pa.Array) -> None:
    """Print a row for each key, the one that is worth most first."""
    totals = pa.table({"key": key, "worth": worth}).group_by("key", use_threads=False)
    rows = totals.aggregate([("worth", "count"), ("worth", "sum")]).sort_by([("worth_sum", "descending")])
    print(f"\n  {head:<18}{'lines':>9}{'worth':>18}")
    for row in rows.to_pylist():
        print(f"  {row['key']:<18}{row['worth_count']:>9,}{row['worth_sum']:>18,}")


def explain(guard: RuleSet, lines: pa.Table, found: pa.Table) -> None:
    """Print why the first blocked line is blocked."""
    place = pc.index(found["action"].cast(pa.string()), "block").as_py()
    if place < 0:
        return
    line = lines.slice(place, 1).to_pylist()[0]
    print(f"\nblocked, for example: {line}")
    rule = next(rule for rule in guard.explain(line) if rule.truth)
    for clause in rule.clauses:
        print(f"  {rule.id}: {clause.text} is true, {clause.values}")
    print(f"  {guard.why_not('below-floor', line)}\n")


def with_usual(table: pa.Table) -> pa.Table:
    """Rename the columns for the rules and add the median price and quantity of each item's sales."""
    lines = table.rename_columns(["invoice", "item", "qty", "price", "customer"])
    sold = lines.filter(pc.and_(pc.greater(lines["qty"], 0), pc.greater(lines["price"], Decimal(0))))
    for name, value in (("usual_price", sold["price"]), ("usual_qty", sold["qty"])):
        items, medians = medians_of(sold["item"], value)
        lines = lines.append_column(name, medians.take(pc.index_in(lines["item"], items)))
    return lines


def medians_of(item: pa.ChunkedArray, value: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """Items and the middle of their values; of two the lower, so that it is a price that was paid."""
    in_order = pa.table({"item": item, "value": value}).sort_by(
        [("item", "ascending"), ("value", "ascending")]
    )
    counted = in_order.group_by("item", use_threads=False).aggregate([("value", "count")]).sort_by("item")
    count = counted["value_count"].combine_chunks()
    first = pc.subtract(pc.cumulative_sum(count), count)
    middle = pc.add(first, pc.divide(pc.subtract(count, 1), 2))
    return counted["item"].combine_chunks(), in_order["value"].combine_chunks().take(middle)


def made_lines(count: int) -> pa.Table:
    """Lines from a fixed seed: one in some hundreds is wrong in some way."""
    state = 42

    def below(limit: int) -> int:
        nonlocal state
        state = (state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        return (state >> 33) % limit

    rows = []
    for number in range(count):
        item = below(500)
        usual = 150 + item * item % 3_000
        wrong = {
            0: usual // 10,
            1: usual * 4 // 10,
            2: usual * 10,
            3: 0,
            4: -usual if number % 20 == 0 else usual,
        }
        cents = wrong.get(chance := below(200), usual * (900 + chance) // 1_000)
        qty = {0: 1_000 + below(9_000), 1: -below(2_000) - 1}.get(below(500), 1 + below(12))
        customer = 12_345 if below(4) else None
        rows.append(
            (str(536_365 + number // 20), str(20_000 + item), qty, Decimal(cents).scaleb(-2), customer)
        )
    types = [pa.string(), pa.string(), pa.int32(), pa.decimal128(12, 3), pa.int64()]
    columns = zip(COLUMNS, zip(*rows, strict=True), types, strict=True)
    return pa.table({name: pa.array(values, kind) for name, values, kind in columns})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))
