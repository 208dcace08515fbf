"""The report as one HTML file with its charts inside, readable without a network."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from comptoir.doctor.markdown import summary, tables
from comptoir.doctor.report import Layer, Report
from comptoir.errors import ConfigError

__all__ = ["page"]

BLUE, ORANGE, RED, GREY = "#2f5d8a", "#d98032", "#b3261e", "#8b97a5"
FLOOR, CEILING = 1e-9, 1e12
"""Limits of the logarithmic axes: a layer without error would have no place on them."""

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #23303d; background: #f4f6f8; margin: 0; }
main { max-width: 1080px; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 0 0 .8rem; }
section { background: #fff; border: 1px solid #dde3e9; border-radius: 8px; padding: 1.2rem 1.4rem; }
section { margin-top: 1.2rem; } .scroll { overflow-x: auto; } ul { overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #e7ebef; vertical-align: top; }
th { color: #5c6b7a; white-space: nowrap; }
.loud { background: #fff3e0; border-left: 4px solid #d98032; padding: .5rem 1rem; margin: .5rem 0; }
"""


def page(report: Report) -> str:
    """Make the HTML text.

    Raises
    ------
    comptoir.ConfigError
        plotly is missing (``DOCTOR_MISSING_PACKAGE``).
    """
    try:
        import plotly.offline
    except ModuleNotFoundError as error:
        message = "plotly missing: pip install 'comptoir[doctor]'"
        raise ConfigError(message, "DOCTOR_MISSING_PACKAGE") from error
    title = escape(f"Model doctor: {report.model.source}")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n"
        f"<script>{plotly.offline.get_plotlyjs()}</script>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        + "\n".join(_body(report))
        + "\n</main>\n</body>\n</html>\n"
    )


def _body(report: Report) -> Iterator[str]:
    yield from (f'<p class="loud">{escape(note)}</p>' for note in report.notes)
    lines = "".join(f"<li>{escape(line)}</li>" for line in summary(report))
    yield f"<section><ul>{lines}</ul></section>"
    found = list(tables(report))
    yield from _section(*found[0])
    yield from _charts(report)
    for table in found[1:]:
        yield from _section(*table)


def _section(heading: str, header: list[str], rows: list[list[str]], empty: str) -> Iterator[str]:
    yield f"<section><h2>{escape(heading)}</h2>"
    if rows:
        yield f'<div class="scroll"><table><thead>{_row("th", header)}</thead><tbody>'
        yield from (_row("td", row) for row in rows)
        yield "</tbody></table></div>"
    else:
        yield f"<p>{escape(empty)}</p>"
    yield "</section>"


def _row(tag: str, cells: list[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _charts(report: Report) -> Iterator[str]:
    import plotly.io

    drawn = []
    if report.layers:
        drawn.append(("errors", "Error by layer, relative to its range", _errors(report)))
        drawn.append(("ranges", "Range of the values by layer", _ranges(report)))
    if report.speeds:
        drawn.append(("speed", "Time by batch size", _speed(report)))
    for name, heading, figure in drawn:
        text = plotly.io.to_html(
            figure, full_html=False, include_plotlyjs=False, div_id=name, config={"displayModeBar": False}
        )
        yield f"<section><h2>{escape(heading)}</h2>{text}</section>"


def _errors(report: Report) -> Any:
    own = [None if one.isolated is None else _bounded(one.isolated.relative) for one in report.layers]
    accumulated = [_bounded(one.accumulated.relative) for one in report.layers]
    drawn = _lines(report, {"accumulated": (accumulated, BLUE), "isolated": (own, ORANGE)})
    kept = set(report.mixed.keep)
    marked = [(place, one) for place, one in enumerate(report.layers) if one.name in kept]
    if marked:
        drawn.add_scatter(
            x=[place for place, _ in marked],
            y=[_bounded(one.accumulated.relative) for _, one in marked],
            text=[_label(one) for _, one in marked],
            mode="markers",
            name="kept in 32 bits",
            marker={"color": RED, "size": 10, "symbol": "diamond"},
        )
    return drawn


def _ranges(report: Report) -> Any:
    largest = [_bounded(one.max_abs) for one in report.layers]
    smallest = [_bounded(one.min_nonzero) for one in report.layers]
    drawn = _lines(report, {"largest": (largest, BLUE), "smallest but zero": (smallest, GREY)})
    drawn.add_hline(y=65504, line_color=RED, line_dash="dash", annotation_text="overflow")
    drawn.add_hline(y=2**-24, line_color=RED, line_dash="dash", annotation_text="flush to zero")
    return drawn


def _lines(report: Report, series: Mapping[str, tuple[Sequence[float | None], str]]) -> Any:
    import plotly.graph_objects as go

    drawn = go.Figure()
    for name, (values, colour) in series.items():
        drawn.add_scatter(
            x=list(range(len(values))),
            y=values,
            text=[_label(one) for one in report.layers],
            name=name,
            mode="lines+markers",
            line={"color": colour},
            marker={"size": 4},
        )
    return _styled(drawn, "layer, in the order of the graph", "log")


def _speed(report: Report) -> Any:
    import plotly.graph_objects as go

    drawn = go.Figure()
    for one in report.speeds:
        name = f"{one.provider.removesuffix('ExecutionProvider')} {one.precision}"
        sizes = [row.batch for row in one.rows]
        drawn.add_scatter(x=sizes, y=[row.p50_ms for row in one.rows], name=f"{name} p50", mode="markers")
        if one.base_ms is not None and one.item_ms is not None:
            fitted = [one.base_ms + one.item_ms * size for size in sizes]
            drawn.add_scatter(x=sizes, y=fitted, name=f"{name} a + b n", mode="lines")
    drawn.update_yaxes(ticksuffix=" ms")
    return _styled(drawn, "batch size", "linear")


def _styled(drawn: Any, title: str, scale: str) -> Any:
    drawn.update_layout(
        template="plotly_white",
        font={"family": "system-ui, sans-serif", "size": 13, "color": "#23303d"},
        height=400,
        margin={"l": 70, "r": 30, "t": 30, "b": 50},
        legend={"orientation": "h", "y": 1.12, "x": 0},
    )
    drawn.update_xaxes(title=title)
    drawn.update_yaxes(type=scale, exponentformat="power")
    return drawn


def _bounded(value: float) -> float:
    return CEILING if math.isnan(value) else min(max(value, FLOOR), CEILING)


def _label(layer: Layer) -> str:
    return escape(f"{layer.name} ({layer.operator})")
