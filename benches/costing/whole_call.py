"""The whole call from Python, Arrow to Arrow, on 10M movements over 100k items.

Run: .venv/bin/python benches/costing/whole_call.py [rows] [items]
"""

from __future__ import annotations

import resource
import statistics
import sys
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


def run(name: str, movements: pa.Table, policy: costing.Policy) -> None:
    """Prints the median of five calls."""
    times, values = [], []
    rows = movements.num_rows
    for _ in range(5):
        start = time.perf_counter()
        valuation = costing.value(movements, policy)
        values.append(time.perf_counter() - start)
        postings = pa.table(valuation.postings)
        times.append(time.perf_counter() - start)
        assert postings.num_rows == rows, valuation
        del postings, valuation
    median, alone = statistics.median(times), statistics.median(values)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(
        f"{name:<44} {median:6.3f} s {rows / median / 1e6:7.1f} M/s (value alone {alone:.3f} s)"
        f"  input {movements.nbytes / 1e6:.0f} MB  peak {peak:.0f} MB",
        flush=True,
    )


def main() -> None:
    """Times ordered and unordered input under two methods."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    items = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    data = history(rows, items)
    for order in ("ordered", "unordered"):
        movements = table(data, order == "unordered")
        for method in ("moving_average", "fifo"):
            run(f"{method}, {order}, string items", movements, costing.Policy(method=method))


if __name__ == "__main__":
    main()
