"""Charts of a valued history. Only here do exact amounts become floats, to be drawn."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from comptoir.demo.figures import Figures
from comptoir.demo.history import History

__all__ = ["Chart", "charts"]

BLUE, ORANGE, GREEN, GREY = "#2f5d8a", "#d98032", "#4f8a5b", "#8b97a5"
TOP = 15

Chart = tuple[str, str, Any]
"""Id, heading and figure."""


def charts(history: History, figures: Figures) -> list[Chart]:
    """Draw the charts that the history has data for.

    Parameters
    ----------
    history : History
        What was valued.
    figures : Figures
        Its figures.

    Returns
    -------
    list of (str, str, plotly figure)
    """
    drawn: list[Chart] = [
        ("stock-value", "Stock value over time", _stock_value(figures)),
        ("ageing", f"Age of the stock on {figures.last_day}", _ageing(figures)),
    ]
    if figures.revenue is not None and figures.months:
        drawn.insert(1, ("margin", "Sales and margin by month", _margin(figures)))
    drawn.append(("items", "Items with the highest stock value", _items(history, figures)))
    for name, _, figure in drawn:
        _style(figure, history.currency, height=500 if name == "items" else 380)
    return drawn


def _stock_value(figures: Figures) -> Any:
    line = go.Scatter(
        x=[day for day, _ in figures.days],
        y=_floats([amount for _, amount in figures.days]),
        line={"color": BLUE, "width": 2, "shape": "hv"},
        fill="tozeroy",
        fillcolor="rgba(47, 93, 138, 0.12)",
        name="stock value",
    )
    return go.Figure(line)


def _margin(figures: Figures) -> Any:
    months = [f"{month.first_day:%b %Y}" for month in figures.months]
    share = [month.margin * 100 / month.revenue if month.revenue else Decimal(0) for month in figures.months]
    drawn = make_subplots(specs=[[{"secondary_y": True}]])
    drawn.add_bar(
        x=months, y=_floats([m.cost for m in figures.months]), name="cost of sales", marker_color=GREY
    )
    drawn.add_bar(
        x=months, y=_floats([m.margin for m in figures.months]), name="gross margin", marker_color=GREEN
    )
    drawn.add_scatter(
        x=months,
        y=_floats(share),
        name="margin in % of sales",
        line={"color": ORANGE, "width": 2},
        mode="lines+markers",
        secondary_y=True,
        hovertemplate="%{y:.1f} %",
    )
    drawn.update_layout(barmode="relative")
    top = float(max(max(share), Decimal(50))) * 1.1
    drawn.update_yaxes(
        secondary_y=True, range=[min(0.0, float(min(share))), top], ticksuffix=" %", dtick=10, showgrid=False
    )
    return drawn


def _ageing(figures: Figures) -> Any:
    bars = go.Bar(
        x=[bucket.label for bucket in figures.buckets],
        y=_floats([bucket.value for bucket in figures.buckets]),
        text=[f"{bucket.value:,.0f}" for bucket in figures.buckets],
        textposition="outside",
        cliponaxis=False,
        customdata=[f"{bucket.quantity:,f} pieces" for bucket in figures.buckets],
        hovertemplate="%{x}: %{y:,.2f}, %{customdata}<extra></extra>",
        marker_color=[GREEN, BLUE, BLUE, ORANGE, "#b3452e"][: len(figures.buckets)],
    )
    return go.Figure(bars)


def _items(history: History, figures: Figures) -> Any:
    rows = figures.items[:TOP][::-1]
    bars = go.Bar(
        x=_floats([row["value"] for row in rows]),
        y=[_label(history, row["item"]) for row in rows],
        text=[f"{row['value']:,.0f}" for row in rows],
        textposition="auto",
        orientation="h",
        marker_color=BLUE,
        hovertemplate="%{y}: %{x:,.2f}<extra></extra>",
    )
    drawn = go.Figure(bars)
    drawn.update_yaxes(automargin=True)
    return drawn


def _label(history: History, item: str) -> str:
    name = history.names.get(item, "")
    return f"{item}  {name[:34]}".rstrip()


def _floats(amounts: list[Decimal]) -> list[float]:
    return [float(amount) for amount in amounts]


def _style(figure: Any, currency: str, height: int) -> None:
    figure.update_layout(
        template="plotly_white",
        font={"family": "system-ui, sans-serif", "size": 13, "color": "#23303d"},
        height=height,
        margin={"l": 70, "r": 30, "t": 30, "b": 50},
        hovermode="x unified" if figure.data[0].orientation != "h" else "closest",
        legend={"orientation": "h", "y": 1.12, "x": 0},
    )
    axis = figure.update_xaxes if figure.data[0].orientation == "h" else figure.update_yaxes
    axis(tickprefix=currency, selector={"ticksuffix": None}, separatethousands=True)
