"""The sales lines of a history, looked at by a rule set: what a guard would have stopped, and why."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from comptoir.demo import words
from comptoir.demo.history import Progress
from comptoir.rules import RuleSet, RuleTrace

__all__ = ["RULES", "Finding", "Guarded", "guard", "text"]

RULES = """
format: 1
name: order guard
version: 1
environment:
  variables:
    qty: decimal # negative where goods come back
    amount: decimal # of the whole line
    cost: decimal # what the goods of the line cost
    usual_price: wrapper(decimal) # median of the item's sales
    usual_qty: wrapper(decimal)
variables:
  - {name: usual_amount, expression: "usual_price * qty"}
outputs: {action: string, reason: string}
hit_policy: first
rules:
  - id: goods for nothing
    when: qty > decimal('0') && amount == decimal('0')
    outputs: {action: block, reason: price zero}
  - id: far below the floor
    when: qty > decimal('0') && usual_price != null && amount < variables.usual_amount * decimal('0.30')
    outputs: {action: block, reason: less than 30 % of the usual price}
  - id: quantity outlier
    when: qty >= decimal('20') && usual_qty != null && qty >= usual_qty * decimal('10')
    outputs: {action: review, reason: ten times the usual quantity}
  - id: below the floor
    when: qty > decimal('0') && usual_price != null && amount < variables.usual_amount * decimal('0.50')
    outputs: {action: review, reason: less than half of the usual price}
  - id: sold below cost
    when: qty > decimal('0') && amount < cost
    outputs: {action: review, reason: the goods cost more than they brought}
  - id: large return
    when: qty < decimal('0') && amount <= decimal('-200')
    outputs: {action: review, reason: 200 or more goes back}
  - id: dear
    mode: shadow
    when: qty > decimal('0') && usual_price != null && amount > variables.usual_amount * decimal('1.25')
    outputs: {action: review, reason: a quarter above the usual price}
"""
PRICE = pa.decimal128(18, 4)


@dataclass(frozen=True)
class Finding:
    """The lines for which a rule counts.

    Attributes
    ----------
    rule, action, reason : str
        The rule and what it gives.
    lines : int
        How many lines.
    value : Decimal
        Their selling amounts, returns and sales added alike.
    """

    rule: str
    action: str
    reason: str
    lines: int
    value: Decimal


@dataclass(frozen=True)
class Guarded:
    """What the guard found.

    Attributes
    ----------
    lines : int
        Sales lines that were looked at.
    seconds : float
        How long deciding took.
    findings : list of Finding
        By rule, those that block first, then by value.
    on_trial : dict of str to int
        Lines of rules that are evaluated and change nothing.
    example : str
        One line in words; empty where no rule counts.
    because : list of str
        The clauses that decided it, with their values.
    """

    lines: int
    seconds: float
    findings: list[Finding]
    on_trial: dict[str, int]
    example: str
    because: list[str]


def guard(sales: pa.Table, say: Progress) -> Guarded | None:
    """Look at sales lines.

    Parameters
    ----------
    sales : pyarrow.Table
        Columns ``movement_id, item, day, qty, amount, cost``.
    say : callable
        Told what is being done.

    Returns
    -------
    Guarded or None
        None where there are no lines.
    """
    if sales.num_rows == 0:
        return None
    say("looking at sales lines")
    lines = _with_usual(sales)
    rule_set = RuleSet.load(RULES)
    started = time.perf_counter()
    decided = pa.table(rule_set.decide_batch(lines))
    seconds = time.perf_counter() - started
    row, fired = _flat(decided["fired"])
    found = pa.table(
        {
            "rule": fired,
            "row": row,
            "action": _texts(decided["action"]).take(row),
            "reason": _texts(decided["reason"]).take(row),
            "value": pc.abs(lines["amount"]).take(row),
        }
    )
    example, because = _example(rule_set, lines, found)
    shadow = pc.value_counts(_flat(decided["shadow"])[1]).to_pylist()
    return Guarded(
        lines=lines.num_rows,
        seconds=seconds,
        findings=_findings(found),
        on_trial={one["values"]: one["counts"] for one in shadow},
        example=example,
        because=because,
    )


def _with_usual(sales: pa.Table) -> pa.Table:
    """Add median price and quantity of each item's sales."""
    sales = sales.set_column(sales.column_names.index("item"), "item", _texts(sales["item"]))
    sold = sales.filter(
        pc.and_(pc.greater(sales["qty"], Decimal(0)), pc.greater(sales["amount"], Decimal(0)))
    )
    price = pc.round(pc.divide(sold["amount"], sold["qty"]), 4).cast(PRICE)
    for name, value in (("usual_price", price), ("usual_qty", sold["qty"])):
        items, medians = _medians(sold["item"], value)
        sales = sales.append_column(name, medians.take(pc.index_in(sales["item"], items)))
    return sales


def _medians(item: pa.ChunkedArray, value: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """Items and the middle of their values, of two the lower."""
    in_order = pa.table({"item": item, "value": value}).sort_by(
        [("item", "ascending"), ("value", "ascending")]
    )
    counted = in_order.group_by("item", use_threads=False).aggregate([("value", "count")]).sort_by("item")
    count = counted["value_count"].combine_chunks()
    first = pc.subtract(pc.cumulative_sum(count), count)
    middle = pc.add(first, pc.divide(pc.subtract(count, 1), 2))
    return counted["item"].combine_chunks(), in_order["value"].combine_chunks().take(middle)


def _flat(lists: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """Rows and elements of a column of lists."""
    whole = lists.combine_chunks()
    return pc.list_parent_indices(whole), pc.list_flatten(whole).cast(pa.string())


def _texts(column: pa.ChunkedArray) -> pa.Array:
    """Text of a column that may be a dictionary."""
    return column.cast(pa.string()).combine_chunks()


def _findings(found: pa.Table) -> list[Finding]:
    grouped = found.group_by(["rule", "action", "reason"], use_threads=False)
    rows = grouped.aggregate([("value", "count"), ("value", "sum")]).to_pylist()
    made = [
        Finding(row["rule"], row["action"], row["reason"], row["value_count"], row["value_sum"])
        for row in rows
    ]
    return sorted(made, key=lambda one: (one.action != "block", -one.value, one.rule))


def _example(rule_set: RuleSet, lines: pa.Table, found: pa.Table) -> tuple[str, list[str]]:
    """Explain the line of the largest value, of those that are blocked if any is."""
    if found.num_rows == 0:
        return "", []
    order = [("action", "ascending"), ("value", "descending"), ("row", "ascending")]
    event = lines.slice(found.sort_by(order)["row"][0].as_py(), 1).to_pylist()[0]
    counts: RuleTrace = next(
        rule for rule in rule_set.explain(event) if rule.truth and rule.mode == "enforce"
    )
    because = []
    for clause in counts.clauses:
        values = ", ".join(f"{name} = {value}" for name, value in clause.values.items())
        because.append(f"{clause.text} ({values})" if values else clause.text)
    line = f"{event['movement_id']} of {event['day']}: {words.counted(event['qty'])} of {event['item']}"
    return f"{line} for {words.money(event['amount'])}: {counts.id}", because


def text(guarded: Guarded, currency: str) -> str:
    """Write what was found as a short block.

    Parameters
    ----------
    guarded : Guarded
        What was found.
    currency : str
        Sign before amounts.

    Returns
    -------
    str
    """
    return "\n".join(_text(guarded, currency))


def _text(guarded: Guarded, currency: str) -> Iterator[str]:
    yield f"Order guard: {guarded.lines:,} sales lines in {guarded.seconds:.2f} s"
    for one in guarded.findings:
        value = words.money(one.value, currency)
        yield f"  {one.action:<7} {one.rule:<20} {one.lines:>9,} lines {value:>18}   {one.reason}"
    for rule, lines in guarded.on_trial.items():
        yield f"  {'(trial)':<7} {rule:<20} {lines:>9,} lines"
    if not guarded.findings:
        yield "  nothing to look at"
        return
    yield f"For example {guarded.example}"
    yield from (f"  because {clause}" for clause in guarded.because)
