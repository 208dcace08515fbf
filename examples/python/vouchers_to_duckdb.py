"""Movements come out of DuckDB, their vouchers and the stock go back into it.

    python vouchers_to_duckdb.py [shop.duckdb]

No table is copied through Python: both sides speak Arrow. Needs duckdb.
"""

import sys

import duckdb

from comptoir.costing import Policy, value

MOVEMENTS = """
create or replace table movements (movement_id varchar, item varchar, pool varchar, "at" timestamp,
    kind varchar, quantity integer, amount decimal(12, 2), ref varchar);
insert into movements values
    ('r1', 'mug',  'paris', '2026-01-05 09:00', 'receipt',         40, 120.00, null),
    ('r2', 'lamp', 'paris', '2026-01-06 09:00', 'receipt',         10, 255.50, null),
    ('s1', 'mug',  'paris', '2026-01-12 15:10', 'issue',           12,   null, null),
    ('f1', 'lamp', 'paris', '2026-01-20 11:00', 'cost_adjustment', null, 14.50, 'r2'),
    ('t1', 'mug',  'paris', '2026-02-02 18:00', 'transfer_out',    20,   null, null),
    ('t2', 'mug',  'lyon',  '2026-02-03 08:00', 'transfer_in',     20,   null, 't1'),
    ('s2', 'mug',  'lyon',  '2026-02-10 10:30', 'issue',            5,   null, null),
    ('b1', 'mug',  'paris', '2026-02-11 16:00', 'sales_return',     1,   null, 's1');
"""


def main(path: str) -> None:
    """Value the movements and keep vouchers and balances in the database."""
    with duckdb.connect(path) as database:
        database.execute(MOVEMENTS)
        valuation = value(database.sql("select * from movements"), Policy(method="moving_average"), "ifrs")
        vouchers = valuation.vouchers(by="month")
        database.register("entries", vouchers.entries)
        database.execute("create or replace table vouchers as select * from entries")
        database.register("on_hand", valuation.balances)
        database.execute("create or replace table balances as select * from on_hand")
        print(f"balanced: {vouchers.balanced}, rejected: {valuation.counts.rejected}")
        print(database.sql("select date, summary, account, debit, credit from vouchers order by all"))
        print(database.sql("select * from balances order by item, pool"))


if __name__ == "__main__":
    main(*sys.argv[1:] or [":memory:"])
