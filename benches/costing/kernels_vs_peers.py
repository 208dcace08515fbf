"""The valuation kernels beside numba, DuckDB and Polars, on the same 10M movements of 100k items.

Run: .venv/bin/python benches/costing/kernels_vs_peers.py [rows] [items]

Each figure is the median of five runs. Peers compute in floating point; the kernels are exact. A closing quantity must
be equal in all of them; values are compared within what floats can hold. The kernels run from a benchmark program that
reads the same columns, with large blocks on huge pages, as numpy and the Python extension have them.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numba
import numpy as np
import polars as pl
import pyarrow as pa

RUNS = 5
AS_OF = 19_730
ROOT = Path(__file__).resolve().parents[2]

AGEING = f"""
with receipt as (select item, day, qty, amount, sum(qty) over (partition by item order by i) until
                 from movement where qty > 0),
issued as (select item, -sum(qty) total from movement where qty < 0 group by item),
layer as (select day, qty, amount, least(qty, greatest(0, until - coalesce(total, 0))) rest
          from receipt left join issued using (item))
select least(({AS_OF} - day) // 30, 24) bucket, sum(rest), sum(amount * rest / qty)
from layer where rest > 0 group by bucket order by bucket
"""

ISSUE_COST = """
create or replace table cost as
with receipt as (select i, item, qty, amount, sum(qty) over (partition by item order by i) until
                 from movement where qty > 0),
issue as (select i, item, -qty qty, sum(-qty) over (partition by item order by i) until from movement where qty < 0)
select issue.i, sum(receipt.amount::double * (least(receipt.until, issue.until)
    - greatest(receipt.until - receipt.qty, issue.until - issue.qty)) / receipt.qty) cost
from issue join receipt on receipt.item = issue.item and receipt.until > issue.until - issue.qty
    and receipt.until - receipt.qty < issue.until
group by issue.i
"""


@numba.njit
def history(rows, items, seed):
    """Receipts of 1 to 100 pieces, issues of 1 to 60 and never more than on hand; items the lesser of two draws."""
    np.random.seed(seed)
    item = np.empty(rows, np.uint32)
    day = np.empty(rows, np.int32)
    qty = np.empty(rows, np.int64)
    amount = np.zeros(rows, np.int64)
    on_hand = np.zeros(items, np.int64)
    for row in range(rows):
        code = min(np.random.randint(0, items), np.random.randint(0, items))
        if on_hand[code] == 0 or np.random.randint(0, 100) < 38:
            pieces = 1 + np.random.randint(0, 100)
            qty[row] = pieces * 1000
            amount[row] = pieces * (10_000 + np.random.randint(0, 5_000_000))
        else:
            qty[row] = -min(on_hand[code], (1 + np.random.randint(0, 60)) * 1000)
        on_hand[code] += qty[row]
        item[row] = code
        day[row] = 19_000 + row * 730 // rows
    return item, day, qty, amount


@numba.njit
def average_value(item, qty, amount, items, value):
    """The float64 loop: the value of each movement."""
    stock_qty = np.zeros(items)
    stock_value = np.zeros(items)
    for row in range(len(item)):
        code = item[row]
        moved = float(qty[row])
        if moved > 0:
            change = float(amount[row])
        elif -moved == stock_qty[code]:
            change = -stock_value[code]
        else:
            change = stock_value[code] * moved / stock_qty[code]
        stock_qty[code] += moved
        stock_value[code] += change
        value[row] = change


@numba.njit
def average_value_and_balance(item, qty, amount, items, value, balance):
    """The float64 loop with the kernels' output: value and balance of each movement."""
    stock_qty = np.zeros(items)
    stock_value = np.zeros(items)
    for row in range(len(item)):
        code = item[row]
        moved = float(qty[row])
        if moved > 0:
            change = float(amount[row])
        elif -moved == stock_qty[code]:
            change = -stock_value[code]
        else:
            change = stock_value[code] * moved / stock_qty[code]
        stock_qty[code] += moved
        stock_value[code] += change
        value[row] = change
        balance[row] = stock_value[code]


@numba.njit
def memory_pass(item, qty, amount, value, balance):
    """What a kernel reads and writes, and nothing else: no kernel is faster on one core."""
    for row in range(len(item)):
        value[row] = qty[row] ^ item[row]
        balance[row] = amount[row]


def polars_ageing(frame: pl.DataFrame) -> pl.DataFrame:
    """Open layers and their ageing by running totals."""
    receipt = frame.filter(pl.col("qty") > 0).with_columns(
        pl.col("qty").cum_sum().over("item").alias("until")
    )
    issued = frame.filter(pl.col("qty") < 0).group_by("item").agg((-pl.col("qty").sum()).alias("total"))
    rest = pl.max_horizontal(pl.lit(0), pl.col("until") - pl.col("total").fill_null(0))
    layer = receipt.join(issued, on="item", how="left").with_columns(
        pl.min_horizontal("qty", rest).alias("rest")
    )
    bucket = pl.min_horizontal((AS_OF - pl.col("day")) // 30, pl.lit(24)).alias("bucket")
    value = (pl.col("amount") * pl.col("rest") / pl.col("qty")).sum().alias("value")
    return layer.filter(pl.col("rest") > 0).group_by(bucket).agg(pl.col("rest").sum(), value).sort("bucket")


def seconds(run, runs: int = RUNS) -> float:
    """The median time of a call."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def kernels(columns, items: int, folder: Path) -> tuple[dict[tuple[str, int], float], dict[str, np.ndarray]]:
    """Runs the kernels on the columns; returns the median time by name and threads, and what they computed."""
    file = folder / "movements"
    with file.open("wb") as out:
        out.write(np.uint64(len(columns[0])).tobytes())
        for column in columns:
            column.tofile(out)
    command = ["cargo", "bench", "--quiet", "-p", "comptoir-costing", "--bench", "kernels_file", "--"]
    environment = os.environ | {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
    done = subprocess.run(
        [*command, str(file), str(items), str(RUNS)],
        cwd=ROOT,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    times: dict[tuple[str, int], list[float]] = {}
    for name, threads, taken in (line.split("\t") for line in done.stdout.splitlines() if "\t" in line):
        times.setdefault((name, int(threads)), []).append(float(taken))
    results = {
        "average": np.fromfile(f"{file}.average", np.int64).reshape(2, -1),
        "fifo": np.fromfile(f"{file}.fifo", np.int64).reshape(2, -1),
        "ageing": np.fromfile(f"{file}.ageing", np.int64).reshape(-1, 2),
    }
    return {key: statistics.median(taken) for key, taken in times.items()}, results


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    items = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    item, day, qty, amount = history(rows, items, 7)
    with tempfile.TemporaryDirectory() as folder:
        times, results = kernels((item, day, qty, amount), items, Path(folder))

    def report(name: str, taken: float, against: float | None = None) -> None:
        ratio = "" if against is None else f"{taken / against:8.2f} x the time of the kernel"
        print(f"{name:<60}{rows / taken / 1e6:9.1f} M/s{ratio}", flush=True)

    value, balance = np.empty(rows), np.empty(rows)
    whole = [np.empty(rows, np.int64), np.empty(rows, np.int64)]
    memory_pass(item, qty, amount, *whole)
    bound = seconds(lambda: memory_pass(item, qty, amount, *whole))
    report(f"bound: 20 bytes in, 16 out ({rows * 36 / bound / 1e9:.1f} GB/s), one core", bound)

    kernel = times["moving_average", 1]
    report("moving_average, exact, one core", kernel)
    average_value(item[:9], qty[:9], amount[:9], items, value)
    report(
        "numba float64, value only", seconds(lambda: average_value(item, qty, amount, items, value)), kernel
    )
    average_value_and_balance(item[:9], qty[:9], amount[:9], items, value, balance)
    taken = seconds(lambda: average_value_and_balance(item, qty, amount, items, value, balance))
    report("numba float64, value and balance", taken, kernel)
    drift = np.abs(results["average"][1] - balance).max()
    print(f"  largest difference of a balance from the exact one: {drift:.1f} minor units")
    assert drift < 1e6, "balances of numba and of the kernel differ"

    report("fifo, exact, one core", times["fifo", 1])
    kernel = times["fifo", 2]
    report("fifo, exact, two cores", kernel)
    table = pa.table({"i": np.arange(rows), "item": item, "day": day, "qty": qty, "amount": amount})
    base = duckdb.connect()
    base.execute("set threads = 2")
    base.register("columns", table)
    base.execute("create table movement as select * from columns")
    report(
        "DuckDB cost per issue, interval join, two cores",
        seconds(lambda: base.execute(ISSUE_COST), 1),
        kernel,
    )
    cost = base.execute("select i, cost from cost").fetchnumpy()
    drift = np.abs(results["fifo"][0][cost["i"]] + cost["cost"]).max()
    print(f"  largest difference of an issue's cost from the exact one: {drift:.1f} minor units")
    assert drift < 100, "costs of DuckDB and of the kernel differ"

    report("closing_layers and age_buckets, one core", times["closing_layers and age_buckets", 1])
    kernel = times["closing_layers and age_buckets", 2]
    report("closing_layers and age_buckets, two cores", kernel)
    exact = results["ageing"]
    report(
        "DuckDB closing layers and ageing, two cores",
        seconds(lambda: base.execute(AGEING).fetchall()),
        kernel,
    )
    same_ageing("DuckDB", base.execute(AGEING).fetchall(), exact)
    frame = pl.from_arrow(table)
    report("Polars closing layers and ageing, all cores", seconds(lambda: polars_ageing(frame)), kernel)
    same_ageing("Polars", polars_ageing(frame).rows(), exact)


def same_ageing(name: str, rows, exact: np.ndarray) -> None:
    """Requires equal quantities in each bucket, and values as near as floats are."""
    for bucket, qty, value in rows:
        assert int(qty) == exact[bucket][0], f"{name}: quantity of bucket {bucket} differs"
        assert abs(float(value) - exact[bucket][1]) < 1e-9 * exact[bucket][1] + 1e6, (
            f"{name}: value of bucket {bucket}"
        )
    print(f"  {name}: quantities of all buckets equal")


if __name__ == "__main__":
    main()
