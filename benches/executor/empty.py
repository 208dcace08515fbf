"""A job without work, from Python: what a pipeline costs beside `concurrent.futures.ThreadPoolExecutor`.

The model and the functions give back what they get, 64 requests are under way, and every result is compared. Prints
requests a second, the median of ROUNDS (5), and the ratio to a pool that runs one function for each item, and so
does less: it makes no batches.

What bounds it: one interpreter, which all functions and the caller share.

    python benches/executor/empty.py [ROUNDS]
"""

import collections
import concurrent.futures
import statistics
import sys
import time

import numpy as np

from comptoir import executor

ITEMS, WINDOW = 40_000, 64


def same(value):
    return value


def with_pool(item):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        waiting = collections.deque()

        def results(count):
            for _ in range(count):
                if len(waiting) >= WINDOW:
                    yield waiting.popleft().result()
                waiting.append(pool.submit(same, item))
            while waiting:
                yield waiting.popleft().result()

        return rate(results, item)


def with_pipeline(item, preprocess=None, postprocess=None, **batch):
    settings = executor.Batch(max_size=WINDOW, **batch)
    with executor.Pipeline(
        preprocess=preprocess, model=same, postprocess=postprocess, batch=settings
    ) as pipe:
        return rate(lambda count: pipe.map((item for _ in range(count)), window=WINDOW), item)


def rate(results, item):
    list(results(1_000))
    start = time.perf_counter()
    found = list(results(ITEMS))
    taken = time.perf_counter() - start
    assert len(found) == ITEMS
    assert all(np.array_equal(one, item) for one in found)
    return ITEMS / taken


def main(rounds):
    array = np.arange(4, dtype=np.float32)
    both = {"preprocess": same, "postprocess": same}
    ways = {
        "ThreadPoolExecutor": lambda: with_pool(1),
        "pipeline of objects": lambda: with_pipeline(1, stack=False),
        "objects, three functions": lambda: with_pipeline(1, **both, stack=False),
        "pipeline of arrays": lambda: with_pipeline(array),
        "arrays, three functions": lambda: with_pipeline(array, **both),
    }
    rates = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            rates[name].append(way())
    medians = {name: statistics.median(found) for name, found in rates.items()}
    for name, median in medians.items():
        ratio = median / medians["ThreadPoolExecutor"]
        print(f"{name:<36} {median:>9,.0f}/s  {ratio:5.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
