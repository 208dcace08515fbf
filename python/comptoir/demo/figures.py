"""The figures that the summary and the report show, all exact decimals."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from comptoir.costing import Counts, Policy, Valuation, value
from comptoir.demo.history import History, Progress

__all__ = ["Bucket", "Figures", "MethodFigures", "Month", "Rejection", "figures"]

BUCKETS = (30, 60, 90, 180)
PROVISION_RATES = ("0", "0", "0.1", "0.25", "0.5")
SALES = ("issue", "sales_return")
ESTIMATES = ("estimate_reversed", "month_start_reversal", "reestimated")
ZERO = Decimal(0)

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Month:
    """Sales of a calendar month: revenue, cost of sales and their difference."""

    first_day: date
    revenue: Decimal
    cost: Decimal

    @property
    def margin(self) -> Decimal:
        """Gross margin."""
        return self.revenue - self.cost


@dataclass(frozen=True)
class Bucket:
    """Stock of an age in days, and the provision at the rate of the bucket."""

    label: str
    quantity: Decimal
    value: Decimal
    rate: Decimal


@dataclass(frozen=True)
class Rejection:
    """Rows rejected for one reason, with the first of them as an example."""

    code: str
    count: int
    row: int
    movement_id: str
    message: str


@dataclass(frozen=True)
class MethodFigures:
    """What the same movements come to under a costing method."""

    method: str
    stock: Decimal
    cost: Decimal
    variance: Decimal
    seconds: float


@dataclass(frozen=True)
class Figures:
    """All figures of a valued history.

    Attributes
    ----------
    counts : Counts
        How many rows went where.
    policy : Policy
        The policy.
    last_day : date
        Day of the last movement.
    stock, revenue, cost : Decimal
        Value on hand, sales, and their cost; no revenue where selling prices are unknown.
    production : Decimal
        Cost of material issued to production.
    months, days : list
        Sales by month; value on hand at the end of each day with movements.
    buckets : list of Bucket
        Stock by age.
    shortage, provision : Decimal
        Value of negative stock; provision for old stock, reckoned item by item.
    rejections, corrections, largest : list
        Rejected rows by reason; correction postings by reason; the largest of them.
    items : list of dict
        Items by stock value, with what they sold for and cost.
    methods : list of MethodFigures
        The same movements under each method.
    accounts : list of dict
        Trial balance.
    vouchers, entries : int
        How many vouchers, and lines in them, by day.
    is_balanced, agrees : bool
        Whether every voucher balances; whether inventory accounts hold the value on hand.
    variance : Decimal
        What the variance account was charged.
    seconds : float
        What the valuation took.
    """

    counts: Counts
    policy: Policy
    last_day: date
    stock: Decimal
    revenue: Decimal | None
    cost: Decimal
    production: Decimal
    months: list[Month]
    days: list[tuple[date, Decimal]]
    buckets: list[Bucket]
    shortage: Decimal
    provision: Decimal
    rejections: list[Rejection]
    corrections: Rows
    largest: Rows
    items: Rows
    methods: list[MethodFigures]
    accounts: Rows
    vouchers: int
    entries: int
    is_balanced: bool
    agrees: bool
    variance: Decimal
    seconds: float
    sales_lines: pa.Table


def figures(history: History, policy: Policy, say: Progress) -> Figures:
    """Value a history and sum it up.

    Parameters
    ----------
    history : History
        The movements.
    policy : Policy
        How they are valued; the other methods are shown beside it.
    say : callable
        Told what is being done.

    Returns
    -------
    Figures
    """
    say(f"valuing {history.movements.num_rows:,} movements")
    started = time.perf_counter()
    valuation = value(history.movements, policy)
    seconds = time.perf_counter() - started
    say("summing up")
    postings = _postings(history, valuation)
    sales = postings.filter(pc.is_in(postings["origin"], pa.array(SALES)))
    trial = valuation.trial_balance()
    vouchers = valuation.vouchers(by="day")
    entries = pa.table(vouchers)
    buckets, shortage, provision = _ageing(valuation)
    return Figures(
        counts=valuation.counts,
        policy=policy,
        last_day=valuation.last_day,
        stock=total(pa.table(valuation.balances)["value"]),
        revenue=total(sales["revenue"]) if "revenue" in history.movements.column_names else None,
        cost=-total(sales["value"]),
        production=-total(postings.filter(pc.equal(postings["origin"], "production_issue"))["value"]),
        months=_months(sales),
        days=_days(postings),
        buckets=buckets,
        shortage=shortage,
        provision=provision,
        rejections=_rejections(valuation),
        corrections=_corrections(postings),
        largest=_largest(postings),
        items=_items(valuation, sales),
        methods=_methods(history, policy, say),
        accounts=pa.table(trial).to_pylist(),
        vouchers=pc.count_distinct(entries["voucher_id"]).as_py(),
        entries=entries.num_rows,
        is_balanced=vouchers.balanced,
        agrees=trial.agrees,
        variance=total(postings["variance"]),
        seconds=seconds,
        sales_lines=_sales_lines(sales),
    )


def _sales_lines(sales: pa.Table) -> pa.Table:
    """Sales and returns with what they brought and cost, both negative where goods come back."""
    lines = sales.filter(pc.is_valid(sales["revenue"]))
    return pa.table(
        {
            "movement_id": lines["movement_id"],
            "item": lines["item"],
            "day": lines["day"],
            "qty": pc.negate(lines["quantity"]),
            "amount": lines["revenue"],
            "cost": pc.negate(lines["value"]),
        }
    )


def total(column: pa.ChunkedArray) -> Decimal:
    """Give the exact sum of a column, zero when it is empty."""
    found: Decimal | None = pc.sum(column).as_py()
    return ZERO if found is None else found


def _postings(history: History, valuation: Valuation) -> pa.Table:
    """Add their revenue to the postings, and as `origin` the kind of the movement whose cost they change."""
    postings = pa.table(valuation.postings)
    movements = history.movements
    rejected = pa.table(valuation.rejected)["row"]
    row = pa.array(range(movements.num_rows), rejected.type)
    accepted = movements.filter(pc.invert(pc.is_in(row, rejected.combine_chunks())))
    corrections = postings.num_rows - accepted.num_rows
    kind = postings["kind"].cast(pa.string())
    adjusted = pc.index_in(
        postings["adjusts"], postings["movement_id"].combine_chunks().slice(0, accepted.num_rows)
    )
    origin = pc.coalesce(pc.take(kind, adjusted), kind)
    if "revenue" in movements.column_names:
        revenue = accepted["revenue"]
        revenue = pa.chunked_array([*revenue.chunks, pa.nulls(corrections, revenue.type)])
    else:
        revenue = pa.chunked_array([pa.nulls(postings.num_rows, pa.decimal128(18, 2))])
    postings = postings.append_column("origin", origin).append_column("revenue", revenue)
    return postings.append_column(
        "day", postings["at"].cast(pa.timestamp("ms")).cast(pa.date32(), safe=False)
    )


def _months(sales: pa.Table) -> list[Month]:
    month = pc.floor_temporal(sales["day"], unit="month")
    grouped = sales.append_column("month", month).group_by("month")
    rows = grouped.aggregate([("revenue", "sum"), ("value", "sum")]).sort_by("month").to_pylist()
    return [Month(row["month"], row["revenue_sum"] or ZERO, -row["value_sum"]) for row in rows]


def _days(postings: pa.Table) -> list[tuple[date, Decimal]]:
    rows = postings.group_by("day").aggregate([("value", "sum")]).sort_by("day").to_pylist()
    value, days = ZERO, []
    for row in rows:
        value += row["value_sum"]
        days.append((row["day"], value))
    return days


def _ageing(valuation: Valuation) -> tuple[list[Bucket], Decimal, Decimal]:
    ages = pa.table(valuation.ageing(buckets=BUCKETS))
    names = [name.removeprefix("value_") for name in ages.column_names if name.startswith("value_")]
    buckets = [
        Bucket(
            label=_bucket_label(name),
            quantity=total(ages[f"quantity_{name}"]),
            value=total(ages[f"value_{name}"]),
            rate=Decimal(rate),
        )
        for name, rate in zip(names, PROVISION_RATES, strict=True)
    ]
    provision = pa.table(valuation.provision(PROVISION_RATES, buckets=BUCKETS))
    return buckets, total(ages["shortage_value"]), total(provision["required"])


def _bucket_label(name: str) -> str:
    return f"{name.replace('over_', 'over ').replace('_', '-')} days"


def _rejections(valuation: Valuation) -> list[Rejection]:
    found: dict[str, Rows] = defaultdict(list)
    for row in pa.table(valuation.rejected).to_pylist():
        found[row["code"]].append(row)
    reasons = [
        Rejection(code, len(rows), rows[0]["row"], str(rows[0]["movement_id"]), rows[0]["message"])
        for code, rows in found.items()
    ]
    return sorted(reasons, key=lambda reason: (-reason.count, reason.code))


def _corrections(postings: pa.Table) -> Rows:
    corrections = postings.filter(pc.is_valid(postings["reason"]))
    absolute = corrections.append_column("absolute", pc.abs(corrections["value"]))
    reason = absolute["reason"].cast(pa.string())
    absolute = absolute.set_column(absolute.column_names.index("reason"), "reason", reason)
    grouped = absolute.group_by("reason").aggregate(
        [("value", "count"), ("value", "sum"), ("absolute", "sum")]
    )
    rows: Rows = grouped.sort_by([("absolute_sum", "descending")]).to_pylist()
    return rows


def _largest(postings: pa.Table) -> Rows:
    """List the largest corrections, without estimates that only make room for their invoice."""
    reason = postings["reason"].cast(pa.string())
    is_cost = pc.and_(pc.is_valid(reason), pc.invert(pc.is_in(reason, pa.array(ESTIMATES))))
    corrections = postings.filter(is_cost)
    corrections = corrections.append_column("absolute", pc.abs(corrections["value"]))
    order = pc.sort_indices(corrections, [("absolute", "descending"), ("movement_id", "ascending")])
    columns = ["day", "item", "pool", "movement_id", "adjusts", "reason", "value"]
    rows: Rows = corrections.take(order[:10]).select(columns).to_pylist()
    return rows


def _items(valuation: Valuation, sales: pa.Table) -> Rows:
    balances = (
        pa.table(valuation.balances).group_by("item").aggregate([("quantity", "sum"), ("value", "sum")])
    )
    sold = sales.group_by("item").aggregate([("revenue", "sum"), ("value", "sum")])
    by_item = {row["item"]: row for row in sold.to_pylist()}
    rows = []
    for row in balances.sort_by([("value_sum", "descending"), ("item", "ascending")]).to_pylist():
        sale = by_item.get(row["item"], {})
        revenue, cost = sale.get("revenue_sum") or ZERO, -(sale.get("value_sum") or ZERO)
        rows.append(
            {
                "item": str(row["item"]),
                "quantity": row["quantity_sum"],
                "value": row["value_sum"],
                "revenue": revenue,
                "cost": cost,
                "margin": revenue - cost,
            }
        )
    return rows


def _methods(history: History, policy: Policy, say: Progress) -> list[MethodFigures]:
    lines = []
    for method in ("moving_average", "fifo", "periodic_average"):
        say(f"valuing by {method.replace('_', ' ')}")
        started = time.perf_counter()
        valuation = value(history.movements, Policy(policy.to_dict(), method=method))
        seconds = time.perf_counter() - started
        trial = valuation.trial_balance()
        balances = {row["account"]: row["balance"] for row in pa.table(trial).to_pylist()}
        lines.append(
            MethodFigures(
                method=method,
                stock=trial.stock,
                cost=balances.get("cost_of_sales", ZERO),
                variance=balances.get("cost_variances", ZERO),
                seconds=seconds,
            )
        )
    return lines
