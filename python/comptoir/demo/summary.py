"""The summary on the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from comptoir.demo import words
from comptoir.demo.figures import Figures
from comptoir.demo.history import History

__all__ = ["summary"]

TOP = 5


def summary(history: History, figures: Figures) -> str:
    """Sum a valued history up in plain text.

    Parameters
    ----------
    history : History
        What was valued.
    figures : Figures
        Its figures.

    Returns
    -------
    str
    """
    blocks = (
        _head(history, figures),
        _table("", [], words.headline(history, figures)),
        _methods(history, figures),
        _ageing(history, figures),
        _rejected(history, figures),
        _corrections(history, figures),
        _checks(figures),
    )
    return "\n\n".join("\n".join(block) for block in map(list, blocks) if block)


def _head(history: History, figures: Figures) -> Iterator[str]:
    yield history.title
    yield "=" * len(history.title)
    for rule in history.rules:
        yield from textwrap.wrap(rule, 110, initial_indent="- ", subsequent_indent="  ")
    yield ""
    counts = figures.counts
    lines = [
        ("Input", f"{history.input_rows:,} lines, {counts.input:,} stock movements"),
        *((f"Left out: {reason}", f"{count:,} lines") for reason, count in history.left_out.items()),
        *history.facts.items(),
        (
            "In the books",
            f"{counts.accepted:,} movements and {counts.corrections:,} corrections of earlier ones",
        ),
        ("Rejected", f"{counts.rejected:,}, of which {counts.duplicates:,} exact repetitions"),
        *words.policy(figures.policy),
    ]
    yield from _table("", [], lines, right=())


def _methods(history: History, figures: Figures) -> Iterator[str]:
    rows = []
    for line in figures.methods:
        row = [words.method(line.method), words.money(line.stock, history.currency)]
        if figures.cost:
            row.append(words.money(line.cost, history.currency))
        if figures.revenue is not None:
            row.append(words.money(figures.revenue - line.cost, history.currency))
        rows.append(row)
    header = ["", "stock value", "cost of sales", "gross margin"][: len(rows[0])]
    yield from _table("The same movements by method", header, rows, right=(1, 2, 3))


def _ageing(history: History, figures: Figures) -> Iterator[str]:
    held = sum((bucket.value for bucket in figures.buckets), figures.shortage * 0)
    rows = [
        [
            bucket.label,
            words.counted(bucket.quantity),
            words.money(bucket.value, history.currency),
            words.per_cent(bucket.value, held),
        ]
        for bucket in figures.buckets
    ]
    if figures.shortage:
        rows.append(["sold but not there", "", words.money(figures.shortage, history.currency), ""])
    title = f"Age of the stock on {figures.last_day}"
    yield from _table(title, ["", "quantity", "value", "share"], rows, right=(1, 2, 3))


def _rejected(history: History, figures: Figures) -> Iterator[str]:
    if not figures.rejections:
        yield "Rejected lines: none"
        return
    rows = [
        [
            words.rejection(reason.code),
            f"{reason.count:,}",
            f"row {reason.row} (`{reason.movement_id}`): {reason.message}",
        ]
        for reason in figures.rejections
    ]
    yield from _table("Rejected lines", ["reason", "lines", "for example"], rows, right=(1,))


def _corrections(history: History, figures: Figures) -> Iterator[str]:
    if not figures.corrections:
        yield "Corrections of earlier movements: none"
        return
    rows = [
        [
            words.correction(row["reason"]),
            f"{row['value_count']:,}",
            words.money(row["absolute_sum"], history.currency),
            words.money(row["value_sum"], history.currency),
        ]
        for row in figures.corrections
    ]
    header = ["reason", "postings", "moved", "net effect on stock"]
    yield from _table("Corrections of earlier movements", header, rows, right=(1, 2, 3))
    largest = [
        [
            str(row["day"]),
            str(row["item"]),
            words.money(row["value"], history.currency),
            words.correction(row["reason"]),
        ]
        for row in figures.largest[:TOP]
    ]
    yield ""
    yield from _table("Largest of them", ["day", "item", "stock value", "reason"], largest, right=(2,))


def _checks(figures: Figures) -> Iterator[str]:
    answer = words.yes_no(figures.is_balanced)
    yield f"Vouchers balanced: {answer} ({figures.vouchers:,} vouchers, {figures.entries:,} lines)"
    yield f"Inventory accounts agree with the stock: {words.yes_no(figures.agrees)}"
    if figures.variance:
        yield f"Charged to the variance account: {words.money(figures.variance)}"
    speed = figures.counts.input / max(figures.seconds, 1e-9)
    yield f"Valued {figures.counts.input:,} movements in {figures.seconds:.2f} s ({speed:,.0f} a second)"


def _table(
    title: str, header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = (1,)
) -> Iterator[str]:
    """Lines of a table whose columns are as wide as what stands in them."""
    shown = [list(header), *map(list, rows)] if header else [list(row) for row in rows]
    widths = [max(len(row[column]) for row in shown) for column in range(len(shown[0]))]
    if title:
        yield title
    for row in shown:
        cells = (
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        yield f"  {'   '.join(cells)}".rstrip()
