"""Predicates over columns on one thread: comptoir beside Polars, DuckDB and ClickHouse (chdb).

BENCH_ROWS rows (10 million without it; a tenth for lists), plain strings and dictionaries, the same table for all,
equal counts asserted. DuckDB and ClickHouse have the rows in tables of their own, in memory, ClickHouse
dictionaries as `LowCardinality`. Prints nanoseconds a row, the best of three, and the ratio of the best peer to
comptoir. chdb is left out where it is not installed (`pip install -r requirements-bench.txt`).
"""

import os

os.environ["RAYON_NUM_THREADS"] = os.environ["POLARS_MAX_THREADS"] = "1"

import importlib.util
import shutil
import tempfile
import time

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from comptoir import rules

ROWS = int(os.environ.get("BENCH_ROWS", "10_000_000"))
BRANDS = [f"b{number}" for number in range(1, 9)]
WHITELIST = [f"C{number * 3}" for number in range(20)]
SOURCES = {
    "P1": f"level >= 3 && brand in {BRANDS} && price >= 100.0",
    "P2": "pay < cost * 0.9 && !(coupon in whitelist)",
    "P3": "sku.startsWith('SKU-EU-') && title.matches('(running|trail).*shoe')",
    "P4": "items.all(i, i.qty > 0 && i.price <= 900.0) && "
    "items.exists(i, i.category == 'electronics' && i.price > 500.0)",
}
POLARS = {
    "P1": (pl.col("level") >= 3) & pl.col("brand").is_in(BRANDS) & (pl.col("price") >= 100.0),
    "P2": (pl.col("pay") < pl.col("cost") * 0.9) & ~pl.col("coupon").is_in(WHITELIST),
    "P3": pl.col("sku").str.starts_with("SKU-EU-") & pl.col("title").str.contains("(running|trail).*shoe"),
}
ALL_FIT = (pl.element().struct["qty"] > 0) & (pl.element().struct["price"] <= 900.0)
ANY_FITS = (pl.element().struct["category"] == "electronics") & (pl.element().struct["price"] > 500.0)
POLARS["P4"] = pl.col("items").list.eval(ALL_FIT).list.all() & pl.col("items").list.eval(ANY_FITS).list.any()
SQL = {
    "P1": f"level >= 3 and brand in {tuple(BRANDS)} and price >= 100.0",
    "P2": f"pay < cost * 0.9::double and not (coupon in {tuple(WHITELIST)})",
    "P3": "starts_with(sku, 'SKU-EU-') and regexp_matches(title, '(running|trail).*shoe')",
    "P4": "len(list_filter(items, lambda i: not (i.qty > 0 and i.price <= 900.0))) = 0 and "
    "len(list_filter(items, lambda i: i.category = 'electronics' and i.price > 500.0)) > 0",
}
CLICKHOUSE = {
    **SQL,
    "P2": f"pay < cost * 0.9 and not (coupon in {tuple(WHITELIST)})",
    "P3": "startsWith(sku, 'SKU-EU-') and match(title, '(running|trail).*shoe')",
    "P4": "arrayAll((q, p) -> q > 0 and p <= 900.0, items.qty, items.price) and "
    "arrayExists((c, p) -> c = 'electronics' and p > 500.0, items.category, items.price)",
}
TEXTS = {"P1": ["brand"], "P2": ["coupon"], "P3": ["sku", "title"], "P4": []}


def made(name, rows):
    """The columns of a predicate; the draws do not depend on the other predicates."""
    draw = np.random.default_rng([7, int(name[1])])
    if name == "P1":
        brands = pick(draw, [f"b{number}" for number in range(16)], rows)
        return {"level": draw.integers(0, 10, rows), "brand": brands, "price": draw.random(rows) * 1_000}
    if name == "P2":
        cost = 10 + draw.random(rows) * 990
        coupons = pick(draw, [f"C{number}" for number in range(100)], rows)
        return {"pay": cost * (0.8 + 0.3 * draw.random(rows)), "cost": cost, "coupon": coupons}
    if name == "P3":
        skus = [
            f"SKU-{region}-{number:06d}" for region in ("EU", "US", "CN", "JP") for number in range(25_000)
        ]
        kinds = [f"{a} light {b}" for a in ("running", "trail", "casual", "formal") for b in ("shoe", "boot")]
        return {"sku": pick(draw, skus, rows), "title": pick(draw, [f"men {kind}" for kind in kinds], rows)}
    values = {
        "qty": draw.integers(1, 5, rows * 5),
        "price": draw.random(rows * 5) * 940,
        "category": pick(draw, ["electronics", "books", "toys", "garden", "food"], rows * 5).cast(
            pa.string()
        ),
    }
    items = pa.StructArray.from_arrays([pa.array(column) for column in values.values()], list(values))
    return {"items": pa.ListArray.from_arrays(pa.array(np.arange(0, rows * 5 + 1, 5), pa.int32()), items)}


def pick(draw, choices, rows):
    return pa.DictionaryArray.from_arrays(pa.array(draw.integers(0, len(choices), rows), pa.int32()), choices)


def timed(call, rows):
    """The answer, and nanoseconds a row: best of three after one to warm up."""
    answer, times = call(), []
    for _ in range(3):
        start = time.perf_counter()
        assert call() == answer
        times.append(time.perf_counter() - start)
    return answer, min(times) / rows * 1e9


def ours(name, table):
    env = rules.Env.from_arrow(table, variables={"whitelist": "list(string)"})
    program = rules.compile(SOURCES[name], env)
    shared = {"whitelist": WHITELIST} if name == "P2" else {}
    result = program.eval_batch(table, **shared)
    expected = pc.sum(pa.table(result.values)["value"]).as_py()
    # The timed call makes the column of truths, as Polars does, and no more.
    return lambda: program.eval_batch(table, **shared).fault_count, expected


def with_polars(name, table, is_dictionary):
    frame = pl.DataFrame(table)
    if is_dictionary:
        # Polars has no patterns on categories, so that it gets plain strings for P3.
        kind = pl.String if name == "P3" else pl.Categorical
        frame = frame.with_columns(pl.col(text).cast(kind) for text in TEXTS[name])
    return lambda: frame.select(POLARS[name].sum()).item()


def with_duckdb(name, table):
    connection = duckdb.connect()
    connection.execute("set threads = 1")
    connection.register("source", table)
    connection.execute("create table data as select * from source")
    return lambda: connection.execute(f"select count(*) from data where {SQL[name]}").fetchone()[0]


def with_clickhouse(name, table, is_dictionary):
    from chdb import session

    chdb = session.Session()
    if name == "P4":
        # Its own form of a list of structs: lists of equal length side by side.
        lists, items = table["items"].chunk(0), table["items"].chunk(0).flatten()
        columns = {
            f"items.{field.name}": pa.ListArray.from_arrays(lists.offsets, items.field(field.name))
            for field in items.type
        }
        table = pa.table(columns)
    elif not is_dictionary:
        table = pa.table({name: table[name].cast(plain(table[name].type)) for name in table.column_names})
    file = os.path.join(tempfile.mkdtemp(), "rows.arrow")
    with pa.OSFile(file, "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    chdb.query("create database bench")
    source = f"select * from file('{file}', Arrow) settings max_threads = 1"
    chdb.query(f"create table bench.data engine = Memory as {source}")
    shutil.rmtree(os.path.dirname(file))
    query = f"select count() from bench.data where {CLICKHOUSE[name]} settings max_threads = 1"
    return lambda: int(str(chdb.query(query, "CSV")).strip())


def plain(data_type):
    return data_type.value_type if pa.types.is_dictionary(data_type) else data_type


def compare(name, rows, is_dictionary):
    columns = made(name, rows)
    plain = {text: columns[text].cast(pa.string()) for text in TEXTS[name]}
    table = pa.table(columns if is_dictionary else {**columns, **plain})
    call, expected = ours(name, table)
    times = {"comptoir": timed(call, rows)[1]}
    peers = {"polars": with_polars(name, table, is_dictionary)}
    if not is_dictionary:
        peers["duckdb"] = with_duckdb(name, table)
    if importlib.util.find_spec("chdb"):
        peers["clickhouse"] = with_clickhouse(name, table, is_dictionary)
    for peer, run in peers.items():
        found, times[peer] = timed(run, rows)
        assert found == expected, (name, peer, found, expected)
    best = min(taken for peer, taken in times.items() if peer != "comptoir")
    shown = ", ".join(f"{engine} {taken:.2f}" for engine, taken in times.items())
    form = "dictionary" if is_dictionary else "plain"
    print(
        f"{name} {form:<10} {shown} ns/row; best peer / comptoir {best / times['comptoir']:.2f}", flush=True
    )


def main():
    for name in SOURCES:
        rows = max(1, ROWS // 10) if name == "P4" else ROWS
        compare(name, rows, is_dictionary=False)
        if TEXTS[name]:
            compare(name, rows, is_dictionary=True)


if __name__ == "__main__":
    main()
