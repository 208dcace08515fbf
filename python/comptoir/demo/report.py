"""The report: one HTML file with its charts inside, readable without a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from html import escape
from pathlib import Path

import plotly.io
import plotly.offline

from comptoir.demo import words
from comptoir.demo.boards import Boards
from comptoir.demo.charts import charts
from comptoir.demo.detection import Detection
from comptoir.demo.figures import Figures
from comptoir.demo.guard import Guarded
from comptoir.demo.history import History

__all__ = ["page", "write"]

TOP_ITEMS = 20
STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #23303d; background: #f4f6f8; margin: 0; }
main { max-width: 1080px; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 0 0 .8rem; }
section { background: #fff; border: 1px solid #dde3e9; border-radius: 8px; }
section { padding: 1.2rem 1.4rem; margin-top: 1.2rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); }
.figures { gap: 1rem; margin-top: 1.2rem; }
.figures div { background: #fff; border: 1px solid #dde3e9; border-radius: 8px; padding: .9rem 1rem; }
.figures b { display: block; font-size: 1.08rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.figures small, .note { color: #5c6b7a; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem .7rem; border-bottom: 1px solid #e7ebef; vertical-align: top; }
th { color: #5c6b7a; font-weight: 600; white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
ul { margin: .2rem 0 0; padding-left: 1.2rem; }
.yes { color: #2f7a43; font-weight: 600; } .no { color: #b3261e; font-weight: 600; }
"""


def write(
    path: Path,
    history: History,
    figures: Figures,
    guarded: Guarded | None = None,
    ranked: Boards | None = None,
    detected: Detection | None = None,
) -> None:
    """Write the report, making its directory.

    Parameters
    ----------
    path : Path
        The file.
    history : History
        What was valued.
    figures : Figures
        Its figures.
    guarded : Guarded, optional
        What the order guard found in its sales.
    ranked : Boards, optional
        Its best sellers.
    detected : Detection, optional
        What a detector found in pictures.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(history, figures, guarded, ranked, detected), encoding="utf-8")


def page(
    history: History,
    figures: Figures,
    guarded: Guarded | None = None,
    ranked: Boards | None = None,
    detected: Detection | None = None,
) -> str:
    """Make the report.

    Parameters
    ----------
    history : History
        What was valued.
    figures : Figures
        Its figures.
    guarded : Guarded, optional
        What the order guard found in its sales.
    ranked : Boards, optional
        Its best sellers.
    detected : Detection, optional
        What a detector found in pictures.

    Returns
    -------
    str
        HTML text.
    """
    body = "\n".join(_body(history, figures, guarded, ranked, detected))
    title = escape(history.title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n"
        f"<script>{plotly.offline.get_plotlyjs()}</script>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _body(
    history: History,
    figures: Figures,
    guarded: Guarded | None,
    ranked: Boards | None,
    detected: Detection | None,
) -> Iterator[str]:
    counts = figures.counts
    yield f"<h1>{escape(history.title)}</h1>"
    yield (
        f'<p class="note">{counts.input:,} movements: {counts.accepted:,} in the books, '
        f"{counts.rejected:,} rejected; "
        f"{counts.corrections:,} corrections. Valued in {figures.seconds:.2f} s.</p>"
    )
    yield '<div class="figures">'
    for label, amount, remark in words.headline(history, figures):
        yield f"<div>{escape(label)}<b>{escape(amount)}</b><small>{escape(remark)}</small></div>"
    yield "</div>"
    yield from _section("Checks", _checks(figures))
    for chart_id, heading, figure in charts(history, figures):
        drawn = plotly.io.to_html(
            figure,
            full_html=False,
            include_plotlyjs=False,
            div_id=chart_id,
            config={"displayModeBar": False, "responsive": True},
        )
        yield from _section(heading, [drawn])
    yield from _section("The same movements by method", _methods(history, figures))
    yield from _section("Rejected lines", _rejections(figures))
    yield from _section("Corrections of earlier movements", _corrections(history, figures))
    if guarded is not None:
        yield from _section("Sales that a guard would stop", _guarded(guarded, history.currency))
    if ranked is not None:
        yield from _section(f"Best sellers: {ranked.shown}", _ranked(ranked, history))
    if detected is not None and not detected.missing:
        yield from _section(f"A detector behind a pipeline: {detected.what}", _detected(detected))
    yield from _section("Items", _items(history, figures))
    yield from _section("Trial balance of the stock vouchers", _accounts(history, figures))
    yield from _section("How the movements were made", _rules(history, figures))


def _section(heading: str, parts: Iterator[str] | Sequence[str]) -> Iterator[str]:
    yield f"<section><h2>{escape(heading)}</h2>"
    yield from parts
    yield "</section>"


def _checks(figures: Figures) -> Iterator[str]:
    checks = (
        (
            f"Vouchers balanced ({figures.vouchers:,} vouchers by day, {figures.entries:,} lines)",
            figures.is_balanced,
        ),
        ("Inventory accounts agree with the stock value", figures.agrees),
        ("Accepted and rejected rows add up to the input", _adds_up(figures)),
    )
    for text, holds in checks:
        answer = words.yes_no(holds)
        yield f'<div>{text}: <span class="{answer.lower()}">{answer}</span></div>'


def _adds_up(figures: Figures) -> bool:
    counts = figures.counts
    return counts.accepted + counts.rejected == counts.input


def _methods(history: History, figures: Figures) -> Iterator[str]:
    rows = []
    for line in figures.methods:
        margin = None if figures.revenue is None else figures.revenue - line.cost
        amounts = (line.stock, line.cost, margin, line.variance)
        cells = ["" if amount is None else words.money(amount, history.currency) for amount in amounts]
        rows.append([words.method(line.method), *cells, f"{line.seconds:.2f} s"])
    header = ["method", "stock value", "cost of sales", "gross margin", "variances", "took"]
    yield from _table(header, rows, numbers=range(1, 6))
    chosen = "; ".join(f"{question.lower()}: {answer}" for question, answer in words.policy(figures.policy))
    yield f'<p class="note">This report: {escape(chosen)}.</p>'


def _rejections(figures: Figures) -> Iterator[str]:
    if not figures.rejections:
        yield "<p>None.</p>"
        return
    rows = [
        [
            words.rejection(reason.code),
            f"{reason.count:,}",
            f"{reason.row}",
            reason.movement_id,
            reason.message,
        ]
        for reason in figures.rejections
    ]
    yield from _table(["reason", "lines", "first row", "movement", "message"], rows, numbers=(1, 2))


def _corrections(history: History, figures: Figures) -> Iterator[str]:
    if not figures.corrections:
        yield "<p>None.</p>"
        return
    currency = history.currency
    rows = [
        [
            words.correction(row["reason"]),
            f"{row['value_count']:,}",
            words.money(row["absolute_sum"], currency),
            words.money(row["value_sum"], currency),
        ]
        for row in figures.corrections
    ]
    yield from _table(["reason", "postings", "value moved", "net effect on stock"], rows, numbers=(1, 2, 3))
    largest = [
        [
            str(row["day"]),
            str(row["item"]),
            str(row["pool"] or ""),
            str(row["adjusts"] or ""),
            words.correction(row["reason"]),
            words.money(row["value"], currency),
        ]
        for row in figures.largest
    ]
    yield "<h2 style='margin-top:1.4rem'>The largest</h2>"
    yield from _table(["day", "item", "pool", "corrects", "reason", "stock value"], largest, numbers=(5,))


def _guarded(guarded: Guarded, currency: str) -> Iterator[str]:
    rows = [
        [one.action, one.rule, f"{one.lines:,}", words.money(one.value, currency), one.reason]
        for one in guarded.findings
    ]
    yield from _table(["action", "rule", "lines", "value", "reason"], rows, numbers=(2, 3))
    yield f'<p class="note">{guarded.lines:,} sales lines in {guarded.seconds:.2f} s.'
    if guarded.example:
        because = "; ".join(guarded.because)
        yield f" For example {escape(guarded.example)}, because {escape(because)}."
    yield "</p>"


def _detected(detected: Detection) -> Iterator[str]:
    counts = ", ".join(f"{name}: {count}" for name, count in (detected.found or {}).items())
    yield (
        f'<p class="note">{detected.pipeline:,.0f} pictures a second through a pipeline, '
        f"{detected.loop:,.0f} in a plain loop over Pillow and ONNX Runtime. Found in {escape(counts)}.</p>"
    )
    yield f'<img alt="A picture with what was found" src="{detected.picture}" style="max-width:100%">'


def _ranked(ranked: Boards, history: History) -> Iterator[str]:
    def named(cell: str) -> str:
        return f"{cell} {history.names.get(cell.split(' ')[0], '')}".strip()

    rows = [
        [f"{place.position}", named(place.before), named(place.after), place.because]
        for place in ranked.places
    ]
    yield from _table(["", "by units", "with pin and quotas", ""], rows, numbers=(0,))
    notes = [
        f"{ranked.count:,} boards of {ranked.lines:,} sales lines, twice, in {ranked.seconds:.2f} s",
        f"of this board {ranked.overlap:.0%} of the items stay",
    ]
    if ranked.unmet:
        notes.append(f"{ranked.unmet:,} boards cannot meet a quota or a pin")
    if ranked.floor:
        notes.append(f"without the floor of 5 orders {ranked.floor}")
    yield f'<p class="note">{escape("; ".join([*notes, ranked.versions]))}.</p>'


def _items(history: History, figures: Figures) -> Iterator[str]:
    currency = history.currency
    top = sorted(figures.items, key=lambda row: (-row["margin"], row["item"]))[:TOP_ITEMS]
    is_sold = figures.revenue is not None
    if not is_sold:
        top = figures.items[:TOP_ITEMS]
    rows = []
    for row in top:
        cells = [row["item"], history.names.get(row["item"], ""), words.counted(row["quantity"])]
        cells.append(words.money(row["value"], currency))
        if is_sold:
            cells.extend(words.money(row[name], currency) for name in ("revenue", "margin"))
            cells.append(words.per_cent(row["margin"], row["revenue"]))
        rows.append(cells)
    header = ["item", "name", "on hand", "stock value", "sales", "gross margin", "margin"]
    measure = "gross margin" if is_sold else "stock value"
    yield f'<p class="note">The {len(rows)} items with the highest {measure}.</p>'
    yield from _table(header if is_sold else header[:4], rows, numbers=range(2, 7))


def _accounts(history: History, figures: Figures) -> Iterator[str]:
    names = ("debit", "credit", "balance")
    rows = [
        [_account(row["account"]), *(words.money(row[name], history.currency) for name in names)]
        for row in figures.accounts
    ]
    sums = [sum((row[name] for row in figures.accounts), Decimal(0)) for name in names]
    rows.append(["Total", *(words.money(amount, history.currency) for amount in sums)])
    yield from _table(["account", *names], rows, numbers=(1, 2, 3))


def _account(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _rules(history: History, figures: Figures) -> Iterator[str]:
    yield "<ul>"
    yield from (f"<li>{escape(rule)}</li>" for rule in history.rules)
    yield f"<li>Input: {history.input_rows:,} lines.</li>"
    yield from (
        f"<li>Left out, {escape(reason)}: {count:,} lines.</li>" for reason, count in history.left_out.items()
    )
    yield from (f"<li>{escape(label)}: {escape(text)}.</li>" for label, text in history.facts.items())
    yield "</ul>"
    yield f'<p class="note">Policy: <code>{escape(repr(figures.policy))}</code></p>'


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> Iterator[str]:
    def cell(tag: str, column: int, text: str) -> str:
        return (
            f'<{tag} class="number">{escape(text)}</{tag}>'
            if column in numbers
            else f"<{tag}>{escape(text)}</{tag}>"
        )

    yield '<div class="scroll"><table><thead><tr>'
    yield "".join(cell("th", column, text) for column, text in enumerate(header))
    yield "</tr></thead><tbody>"
    for row in rows:
        yield f"<tr>{''.join(cell('td', column, text) for column, text in enumerate(row))}</tr>"
    yield "</tbody></table></div>"
