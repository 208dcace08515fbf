"""The valuation kernels beside numba, DuckDB and Polars, on the same 10M movements of 100k items.

The kernels and their peers take turns: each round runs every one of them once, so that other work on the machine falls
on all alike. A first round warms up and is not counted; inputs and outputs lie in memory that has been touched. Peers
compute in floating point; the kernels are exact. A closing quantity must be equal in all of them; values are compared
within what floats can hold. The kernels run in a benchmark program that reads the same columns, with large blocks on
huge pages, as numpy and the Python extension have them, and keeps freed memory for the next run, as the allocators of
DuckDB and Polars do.

Rates are medians, with the slowest and the fastest round; `core` is the rate per second of processor time, all threads
together, which other work disturbs less. A ratio is the median over the rounds of the peer's time to the kernel's.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numba
import numpy as np
import polars as pl
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

AS_OF = 19_730
# glibc: huge pages; nothing from mmap and one arena, so that freed memory stays with the program.
KEEP_MEMORY = ":".join(
    f"glibc.malloc.{setting}"
    for setting in ("hugetlb=1", "mmap_max=0", "arena_max=1", "trim_threshold=17179869184")
)
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


@dataclass
class Entry:
    """A program in the run, and the wall and processor seconds of its rounds."""

    name: str
    run: Callable[[], tuple[float, float]]
    kernel: str | None = None
    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


class Kernels:
    """The benchmark program of the kernels, which runs one for each line that it is sent."""

    def __init__(self, columns: tuple[np.ndarray, ...], items: int, folder: Path) -> None:
        self.file = folder / "movements"
        with self.file.open("wb") as out:
            out.write(np.uint64(len(columns[0])).tobytes())
            for column in columns:
                column.tofile(out)
        command = ["cargo", "bench", "--quiet", "-p", "comptoir-costing", "--bench", "kernels_file", "--"]
        self.process = subprocess.Popen(
            [*command, str(self.file), str(items)],
            cwd=ROOT,
            env=os.environ | {"GLIBC_TUNABLES": KEEP_MEMORY},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, line: str) -> str:
        """Sends a line and returns the answer."""
        requests, answers = self.process.stdin, self.process.stdout
        assert requests is not None
        assert answers is not None
        requests.write(line + "\n")
        requests.flush()
        answer = answers.readline()
        if not answer:
            raise SystemExit("the benchmark program of the kernels has stopped")
        return answer

    def round(self, kernel: str, threads: int) -> Callable[[], tuple[float, float]]:
        """A run of a kernel."""

        def run() -> tuple[float, float]:
            wall, processor = self.ask(f"{kernel} {threads}").split()
            return float(wall), float(processor)

        return run

    def results(self) -> dict[str, np.ndarray]:
        """What the last runs computed."""
        self.ask("write")
        shapes = {"average": (2, -1), "fifo": (2, -1), "ageing": (-1, 2)}
        return {
            name: np.fromfile(f"{self.file}.{name}", np.int64).reshape(shape)
            for name, shape in shapes.items()
        }

    def stop(self) -> None:
        """Ends the program."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait()


def timed(run: Callable[[], object]) -> Callable[[], tuple[float, float]]:
    """A run in this process."""

    def measured() -> tuple[float, float]:
        wall, processor = time.perf_counter(), time.process_time()
        run()
        return time.perf_counter() - wall, time.process_time() - processor

    return measured


@dataclass
class Peers:
    """Inputs and results of the peers."""

    columns: tuple[np.ndarray, ...]
    items: int

    def __post_init__(self) -> None:
        item, day, qty, amount = self.columns
        rows = len(item)
        self.value, self.balance = np.ones(rows), np.ones(rows)
        table = pa.table({"i": np.arange(rows), "item": item, "day": day, "qty": qty, "amount": amount})
        self.base = duckdb.connect()
        self.base.execute("set threads = 2")
        self.base.register("columns", table)
        self.base.execute("create table movement as select * from columns")
        self.frame = pl.from_arrow(table)

    def average(self) -> None:
        """Runs numba."""
        item, _, qty, amount = self.columns
        average_value_and_balance(item, qty, amount, self.items, self.value, self.balance)

    def check(self, exact: dict[str, np.ndarray]) -> None:
        """Holds what the peers computed against the exact results."""
        drift = np.abs(exact["average"][1] - self.balance).max()
        print(f"numba: largest difference of a balance from the exact one: {drift:.1f} minor units")
        assert drift < 1e6, "balances of numba and of the kernel differ"
        cost = self.base.execute("select i, cost from cost").fetchnumpy()
        drift = np.abs(exact["fifo"][0][cost["i"]] + cost["cost"]).max()
        print(f"DuckDB: largest difference of an issue's cost from the exact one: {drift:.1f} minor units")
        assert drift < 100, "costs of DuckDB and of the kernel differ"
        same_ageing("DuckDB", self.base.execute(AGEING).fetchall(), exact["ageing"])
        same_ageing("Polars", polars_ageing(self.frame).rows(), exact["ageing"])
        print("DuckDB, Polars: quantities of all age buckets equal")


def entries(kernels: Kernels, peers: Peers) -> list[Entry]:
    """All programs, in the order in which a round runs them."""
    average, fifo, ageing = "moving average", "fifo, two threads", "layers and ageing, two threads"
    issue_cost = timed(lambda: peers.base.execute(ISSUE_COST))
    duckdb_ageing = timed(lambda: peers.base.execute(AGEING).fetchall())
    return [
        Entry("memory pass", kernels.round("pass", 1)),
        Entry(average, kernels.round("average", 1)),
        Entry("  numba, float64", timed(peers.average), average),
        Entry("fifo, one thread", kernels.round("fifo", 1)),
        Entry(fifo, kernels.round("fifo", 2)),
        Entry("  DuckDB cost per issue, two threads", issue_cost, fifo),
        Entry("layers and ageing, one thread", kernels.round("ageing", 1)),
        Entry(ageing, kernels.round("ageing", 2)),
        Entry("  DuckDB, two threads", duckdb_ageing, ageing),
        Entry("  Polars, all cores", timed(lambda: polars_ageing(peers.frame)), ageing),
    ]


def report(programs: list[Entry], rows: int) -> None:
    """Prints the rates, the ratios to the kernels, and the distance of the kernels to the memory pass."""
    by_name = {program.name: program for program in programs}
    bound = by_name["memory pass"]
    gigabytes = 36 * rows / statistics.median(bound.wall) / 1e9
    print(f"memory pass: 20 bytes in and 16 out per movement, one thread: {gigabytes:.1f} GB/s")
    print(
        f"{'M/s':<40}{'median':>8}{'slowest':>9}{'fastest':>9}{'core':>8}{'ratio':>8}{'core':>7}{'of bound':>10}"
    )
    for program in programs:
        rates = [
            rows / seconds / 1e6
            for seconds in (statistics.median(program.wall), max(program.wall), min(program.wall))
        ]
        core = rows / max(statistics.median(program.processor), 1e-9) / 1e6
        line = f"{program.name:<40}{rates[0]:8.1f}{rates[1]:9.1f}{rates[2]:9.1f}{core:8.1f}"
        if program.kernel is None:
            line += f"{'':15}{ratio(bound.wall, program.wall):10.0%}"
        else:
            kernel = by_name[program.kernel]
            line += (
                f"{ratio(program.wall, kernel.wall):8.2f}{ratio(program.processor, kernel.processor):7.2f}"
            )
        print(line)


def ratio(times: list[float], others: list[float]) -> float:
    """The median of the ratios round by round."""
    return statistics.median(time / max(other, 1e-9) for time, other in zip(times, others, strict=True))


def same_ageing(name: str, rows: list[tuple[float, ...]], exact: np.ndarray) -> None:
    """Requires equal quantities in each bucket, and values as near as floats are."""
    for bucket, qty, value in rows:
        assert int(qty) == exact[bucket][0], f"{name}: quantity of bucket {bucket} differs"
        assert abs(float(value) - exact[bucket][1]) < 1e-9 * exact[bucket][1] + 1e6, (
            f"{name}: value of bucket {bucket}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "rows", nargs="?", type=int, default=10_000_000, help="movements (default %(default)s)"
    )
    parser.add_argument("items", nargs="?", type=int, default=100_000, help="items (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default %(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="seed of the history (default %(default)s)")
    arguments = parser.parse_args()
    columns = history(arguments.rows, arguments.items, arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        kernels = Kernels(columns, arguments.items, Path(folder))
        peers = Peers(columns, arguments.items)
        programs = entries(kernels, peers)
        for turn in range(arguments.rounds + 1):
            for program in programs:
                wall, processor = program.run()
                if turn > 0:
                    program.wall.append(wall)
                    program.processor.append(processor)
        exact = kernels.results()
        kernels.stop()
    report(programs, arguments.rows)
    peers.check(exact)


if __name__ == "__main__":
    main()
