"""Value a parquet file of movements and write what comes out as parquet files.

    python value_parquet.py movements.parquet out/

The file needs the columns movement_id, item, at, kind, quantity and amount (or unit_cost); money as decimals
or integers, never as floats. Needs pyarrow.
"""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from comptoir import Error
from comptoir.costing import Policy, value


def main(source: str, target: str) -> int:
    """Value the movements in one file and write the tables into a directory."""
    try:
        valuation = value(pq.ParquetFile(source).read(), Policy(method="fifo", negative="cover"))
    except Error as error:
        print(f"{source}: {error} [{error.code}]", file=sys.stderr)
        return 1
    directory = Path(target)
    directory.mkdir(parents=True, exist_ok=True)
    tables = {
        "postings": valuation.postings,
        "balances": valuation.balances,
        "rejected": valuation.rejected,
        "ageing": valuation.ageing(buckets=(30, 90, 180)),
    }
    for name, table in tables.items():
        pq.write_table(pa.table(table), directory / f"{name}.parquet")
    counts = valuation.counts
    print(f"{counts.accepted:,} movements valued, {counts.rejected:,} rejected")
    print(f"stock value {valuation.trial_balance().stock:,}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: value_parquet.py MOVEMENTS.parquet DIRECTORY")
    sys.exit(main(*sys.argv[1:]))
