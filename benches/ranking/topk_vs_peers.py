"""The best 100 of each group on two threads: comptoir beside Polars, DuckDB, ClickHouse (chdb) and DataFusion.

BENCH_ROWS rows (10 million without it) in BENCH_GROUPS groups (1,000), whose sizes fall as 1 / rank; two filters, a
weighted score, ties by id. Each engine runs in a process of its own, in memory and from a Parquet file, on the same
data; the answers are compared by hash. Prints the median and the best of BENCH_PASSES (5) in seconds, the memory that
the passes took beside the data, and the ratio of the fastest peer to comptoir. Peers that are not installed are
left out (`pip install -r requirements-bench.txt`). All give group, item and score; `explained` is comptoir again with what
explanations need kept beside, as it is unless a spec says `show: {explain: false}`.
"""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = os.environ["RAYON_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "2"

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = int(os.environ.get("BENCH_ROWS", "10_000_000"))
GROUPS = int(os.environ.get("BENCH_GROUPS", "1_000"))
PASSES = int(os.environ.get("BENCH_PASSES", "5"))
K = 100
SPEC = {
    "id": "best",
    "group": ["grp"],
    "item": "id",
    "eligibility": "stock > 0 && rating >= 3.0",
    "score": "0.4 * gmv + 30.0 * double(sales) + 2.0 * double(clicks) + 5.0 * rating",
    "k": K,
    "show": {"explain": False},
}
# Constants of SQL are decimals unless they are said to be doubles.
SQL = f"""
    select grp, id, score from (
        select grp, id, score, row_number() over (partition by grp order by score desc, id) as place from (
            select grp, id, cast(0.4 as double) * gmv + cast(30.0 as double) * sales
                + cast(2.0 as double) * clicks + cast(5.0 as double) * cast(rating as double) as score
            from source where stock > 0 and rating >= 3.0
        ) as scored
    ) as placed where place <= {K}
"""
CLICKHOUSE = f"""
    select grp, id, 0.4 * gmv + 30.0 * sales + 2.0 * clicks + 5.0 * toFloat64(rating) as score
    from source where stock > 0 and rating >= 3.0 order by score desc, id limit {K} by grp settings max_threads = 2
"""


def write(path):
    """Writes the rows in row groups of a million."""
    draw = np.random.default_rng(7)
    upper = np.cumsum(1.0 / np.arange(1, GROUPS + 1))
    names = draw.permutation(GROUPS).astype(np.int32)
    writer = None
    for start in range(0, ROWS, 5_000_000):
        count = min(5_000_000, ROWS - start)
        place = np.searchsorted(upper, draw.random(count) * upper[-1])
        table = pa.table(
            {
                "id": np.arange(start, start + count) * 2654435761 % (1 << 40),
                "grp": names[np.minimum(place, GROUPS - 1)],
                "gmv": np.round(draw.lognormal(3, 1.5, count), 2),
                "sales": draw.geometric(0.02, count).astype(np.int32),
                "clicks": draw.geometric(0.001, count).astype(np.int32),
                "rating": (draw.integers(10, 51, count) / 10).astype(np.float32),
                "stock": np.where(draw.random(count) < 0.15, 0, draw.integers(1, 1000, count)).astype(
                    np.int32
                ),
            }
        )
        if writer is None:
            packed = ["grp", "rating", "stock"]
            writer = pq.ParquetWriter(path, table.schema, compression="lz4", use_dictionary=packed)
        writer.write_table(table, row_group_size=1_000_000)
    writer.close()


def with_comptoir(path, in_memory, spec=SPEC):
    from comptoir import ranking

    table = pq.read_table(path) if in_memory else None

    def run():
        if table is not None:
            return pa.table(ranking.build(spec, table, threads=2).table())
        file = pq.ParquetFile(path, memory_map=True)
        columns = file.schema_arrow
        batches = file.iter_batches(batch_size=1_000_000, use_threads=True)
        stream = pa.RecordBatchReader.from_batches(columns, batches)
        return pa.table(ranking.build(spec, stream, threads=2).table())

    return run


def with_explanations(path, in_memory):
    return with_comptoir(path, in_memory, SPEC | {"show": {"explain": True}})


def with_polars(path, in_memory):
    import polars as pl

    source = pl.read_parquet(path).lazy() if in_memory else pl.scan_parquet(path)
    double = {name: pl.col(name).cast(pl.Float64) for name in ("sales", "clicks", "rating")}
    score = 0.4 * pl.col("gmv") + 30.0 * double["sales"] + 2.0 * double["clicks"] + 5.0 * double["rating"]
    scored = source.filter((pl.col("stock") > 0) & (pl.col("rating") >= 3.0)).select("grp", "id", score=score)
    best = pl.col("id", "score").top_k_by(["score", "id"], K, reverse=[False, True])
    query = scored.group_by("grp").agg(best).explode("id", "score")
    return lambda: query.collect().to_arrow()


def with_duckdb(path, in_memory):
    import duckdb

    connection = duckdb.connect()
    connection.execute("set threads = 2; set preserve_insertion_order = false")
    kind = "table" if in_memory else "view"
    connection.execute(f"create {kind} source as select * from read_parquet('{path}')")
    return lambda: connection.sql(SQL).to_arrow_table()


def with_chdb(path, in_memory):
    from chdb.session import Session

    session = Session()
    session.query("create database if not exists bench")
    source = f"file('{path}', Parquet)"
    if in_memory:
        session.query(f"create table bench.source engine = Memory as select * from {source}")
        source = "bench.source"
    query = CLICKHOUSE.replace("source", source)
    return lambda: pa.ipc.open_stream(session.query(query, "ArrowStream").bytes()).read_all()


def with_datafusion(path, in_memory):
    import datafusion

    context = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(2))
    if in_memory:
        context.register_record_batches("source", [pq.read_table(path).to_batches()])
    else:
        context.register_parquet("source", path)
    return lambda: pa.Table.from_batches(context.sql(SQL).collect())


ENGINES = {
    "comptoir": with_comptoir,
    "explained": with_explanations,
    "polars": with_polars,
    "duckdb": with_duckdb,
    "chdb": with_chdb,
    "datafusion": with_datafusion,
}


PACKAGES = {"explained": "comptoir"}


def digest(table):
    """A hash of all places, whatever order and width the engine gives them in."""
    group, item, score = (
        np.asarray(table[name]).astype(kind)
        for name, kind in (("grp", np.int32), ("id", np.int64), ("score", np.float64))
    )
    order = np.lexsort((item, -score, group))
    return hashlib.sha256(b"".join(part[order].tobytes() for part in (group, item, score))).hexdigest()


def resident(field):
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(field))) / 1024


def measure(engine, path, form):
    """Runs one engine and prints what it took as JSON."""
    run = ENGINES[engine](path, form == "memory")
    Path("/proc/self/clear_refs").write_text("5")
    before, times = resident("VmRSS"), []
    for _ in range(PASSES):
        table = None  # what the pass before gave is no part of this one
        start = time.perf_counter()
        table = run()
        times.append(time.perf_counter() - start)
    extra = resident("VmHWM") - before
    found = {"median": float(np.median(times)), "best": min(times), "extra": extra, "hash": digest(table)}
    print(json.dumps(found))


def compare(path, form):
    found = {}
    for engine in ENGINES:
        if importlib.util.find_spec(PACKAGES.get(engine, engine)) is None:
            print(f"{form:8} {engine:10} not installed")
            continue
        call = [sys.executable, __file__, engine, path, form]
        line = subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
        found[engine] = json.loads(line)
        shown = "median {median:.3f} s, best {best:.3f} s, extra {extra:.0f} MB".format_map(found[engine])
        print(f"{form:8} {engine:10} {shown}", flush=True)
    assert len({one["hash"] for one in found.values()}) == 1, "the answers differ"
    peers = [one["median"] for engine, one in found.items() if engine not in ("comptoir", "explained")]
    if peers and "comptoir" in found:
        print(f"{form:8} fastest peer / comptoir {min(peers) / found['comptoir']['median']:.2f}", flush=True)


def main():
    print(f"{ROWS:,} rows, {GROUPS:,} groups, two threads", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "rows.parquet")
        write(path)
        for form in ("memory", "parquet"):
            compare(path, form)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        measure(*sys.argv[1:])
    else:
        main()
