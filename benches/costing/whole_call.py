"""The whole call from Python, Arrow to Arrow, on 10M movements over 100k items.

Every history and method runs in a process of its own, so that its peak of memory is its own. Rounds are interleaved with
the bound: writing as many bytes of fresh memory as the computed columns of the postings take, on one core.

Run: .venv/bin/python benches/costing/whole_call.py [--rows N] [--items N] [--rounds N]
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import statistics
import time

import numpy as np
import pyarrow as pa

from comptoir import costing


def history(rows: int, items: int, seed: int = 7) -> dict[str, np.ndarray]:
    """Seeded receipts (38 %) and issues; items skewed (smaller of two uniforms); stock never negative."""
    rng = np.random.default_rng(seed)
    item = np.minimum(rng.integers(0, items, rows), rng.integers(0, items, rows)).astype(np.int64)
    receipt = rng.random(rows) < 0.38
    quantity = np.where(receipt, rng.integers(1, 101, rows), rng.integers(1, 61, rows))
    order = np.argsort(item, kind="stable")
    quantity, receipt = _never_negative(item, order, quantity, receipt)
    price = rng.integers(100, 50_100, rows)
    amount = np.where(receipt, quantity * price, 0)
    at = (np.arange(rows, dtype=np.int64) * (730 * 86_400_000_000 // rows)) + 1_640_995_200_000_000
    return {"item": item, "receipt": receipt, "quantity": quantity, "amount": amount, "at": at}


def _never_negative(item, order, quantity, receipt):
    """Turns an issue beyond the stock into a receipt, item by item."""
    try:
        import numba

        walk = numba.njit(_walk)
    except ImportError:
        walk = _walk
    return walk(item, order, quantity.copy(), receipt.copy())


def _walk(item, order, quantity, receipt):
    stock = 0
    last = -1
    for place in order:
        if item[place] != last:
            last = item[place]
            stock = 0
        if not receipt[place] and quantity[place] > stock:
            receipt[place] = True
        stock += quantity[place] if receipt[place] else -quantity[place]
    return quantity, receipt


def table(data: dict[str, np.ndarray], shuffled: bool) -> pa.Table:
    """The history as an Arrow table with plain string item codes and decimal amounts."""
    rows = len(data["item"])
    amount = pa.Array.from_buffers(
        pa.decimal128(18, 2),
        rows,
        [pa.py_buffer(np.packbits(data["receipt"], bitorder="little")), pa.py_buffer(_wide(data["amount"]))],
    )
    made = pa.table(
        {
            "movement_id": pa.array(np.arange(rows, dtype=np.int64)),
            "item": pa.DictionaryArray.from_arrays(
                pa.array(data["item"].astype(np.int32)),
                pa.array([f"SKU{code:07d}" for code in range(int(data["item"].max()) + 1)]),
            ).cast(pa.string()),
            "at": pa.array(data["at"], pa.timestamp("us")),
            "kind": pa.DictionaryArray.from_arrays(
                pa.array((~data["receipt"]).astype(np.int8)), pa.array(["receipt", "issue"])
            ).cast(pa.string()),
            "quantity": pa.array(data["quantity"].astype(np.int64)),
            "amount": amount,
        }
    )
    if shuffled:
        made = made.take(pa.array(np.random.default_rng(1).permutation(rows)))
    return made.combine_chunks()


def _wide(values: np.ndarray) -> np.ndarray:
    wide = np.empty((len(values), 2), dtype=np.int64)
    wide[:, 0] = values
    wide[:, 1] = values >> 63
    return wide


# Quantity, value, quantity and value on hand, unit cost: decimals of 128 bits.
COMPUTED_BYTES = 5 * 16


def run(order: str, method: str, args: argparse.Namespace) -> None:
    """Prints the median of the rounds of one history and method."""
    movements = table(history(args.rows, args.items), order == "unordered")
    policy = costing.Policy(method=method)
    walls, cpus, ages, floors = [], [], [], []
    base, peak = _memory(reset=True), 0.0
    for _ in range(args.rounds + 1):
        start, used = time.perf_counter(), os.times()
        valuation = costing.value(movements, policy)
        postings = pa.table(valuation.postings)
        walls.append(time.perf_counter() - start)
        now = os.times()
        cpus.append(now.user + now.system - used.user - used.system)
        assert postings.num_rows == args.rows, valuation
        peak = peak or _memory() - base
        start = time.perf_counter()
        valuation.ageing("2023-12-31", [30, 90, 180, 365])
        ages.append(time.perf_counter() - start)
        del postings, valuation
        floors.append(_touch(args.rows * COMPUTED_BYTES))
    # The first round meets memory that the machine has not handed to this process before.
    wall, cpu, age, floor = (statistics.median(times[1:]) for times in (walls, cpus, ages, floors))
    size = movements.nbytes
    print(
        f"{method + ', ' + order:<26} {wall:6.3f} s {args.rows / wall / 1e6:6.1f} M/s (best {args.rows / min(walls[1:]) / 1e6:.1f})"
        f"  {cpu / args.rows * 1e9:4.0f} ns CPU a row  memory {size / 1e6:.0f} MB in, {peak / size:.2f} x more"
        f"  writing the result {floor:.3f} s  ageing {age:.3f} s",
        flush=True,
    )


def _memory(*, reset: bool = False) -> float:
    """The peak of memory in bytes since the last reset."""
    if reset:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as refs:
            refs.write("5")
    with open("/proc/self/status", encoding="ascii") as status:
        peak = next(line for line in status if line.startswith("VmHWM"))
    return int(peak.split()[1]) * 1024.0


def _touch(size: int) -> float:
    start = time.perf_counter()
    np.empty(size, dtype=np.uint8).fill(1)
    return time.perf_counter() - start


def main() -> None:
    """Times ordered and unordered input under two methods."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5, help="rounds after the first, which warms up")
    args = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    for order, method in itertools.product(("ordered", "unordered"), ("moving_average", "fifo")):
        process = context.Process(target=run, args=(order, method, args))
        process.start()
        process.join()
        assert process.exitcode == 0, (order, method)


if __name__ == "__main__":
    main()
