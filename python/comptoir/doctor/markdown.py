"""The report as Markdown, and the tables that it shares with the HTML form."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from comptoir.doctor.report import Layer, Mixed, Report

__all__ = ["Table", "page", "summary", "tables"]

Table = tuple[str, list[str], list[list[str]], str]
"""Heading, header, rows, and what stands in place of no rows."""

MOST_LAYERS = 20


def page(report: Report) -> str:
    """Make the Markdown text."""
    lines = [f"# Model doctor: {report.model.source}", ""]
    lines += [line for note in report.notes for line in (f"> **Note.** {note}", "")]
    lines += [f"- {line}" for line in summary(report)]
    for heading, header, rows, empty in tables(report):
        lines += ["", f"## {heading}", ""]
        lines += _table(header, rows) if rows else [empty]
    return "\n".join(lines) + "\n"


def summary(report: Report) -> Iterator[str]:
    """Say the most important in a few lines."""
    model, inputs = report.model, report.inputs
    yield f"Verdict: {report.worst()}"
    yield f"Model: {model.nodes} nodes, {model.parameters:,} parameters, operator set {model.opset}"
    for kind, entries in (("Inputs", model.inputs), ("Outputs", model.outputs)):
        yield f"{kind}: {', '.join(f'`{name}` {form}' for name, form in entries.items())}"
    seed = "" if inputs.seed is None else f", seed {inputs.seed}"
    yield f"Samples: {inputs.count} ({inputs.kind}{seed}), SHA-256 {inputs.sha256[:16]}"
    if model.sha256 is not None:
        yield f"SHA-256 of the model: {model.sha256}"
    yield f"Versions: {', '.join(f'{name} {number}' for name, number in report.libraries.items())}"
    yield from _mixed(report.mixed)


def tables(report: Report) -> Iterator[Table]:
    """Give the tables of the report."""
    findings = [
        [one.severity, one.code, one.place, one.message + (" (repaired)" if one.repaired else "")]
        for one in report.findings
    ]
    yield "Findings", ["severity", "code", "place", "what"], findings, "None."
    worst = sorted(report.layers, key=_noise, reverse=True)[:MOST_LAYERS]
    heading = f"Layers with the largest error of their own ({len(worst)} of {len(report.layers)})"
    header = ["layer", "operator", "largest", "overflow", "flushed", "subnormal"]
    header += ["own error", "of range", "own SNR dB", "accumulated", "of range", "cosine"]
    yield heading, header, [_layer(layer) for layer in worst], "The model has no 32-bit float layers."
    lost = [
        [w.name, f"{w.count:,}", number(w.max_abs), f"{w.overflow:,}", f"{w.flushed:,}", ", ".join(w.layers)]
        for w in report.weights
    ]
    header = ["initialiser", "values", "largest", "overflow", "flushed to zero", "layers"]
    yield "Weights that 16 bits change", header, lost, "None."
    risks = [[risk.layer, risk.operator, risk.reason] for risk in report.risks]
    yield "Operators that are delicate in 16 bits", ["layer", "operator", "why"], risks, "None."
    yield from _speeds(report)
    skipped = [[one.what, one.reason] for one in report.skipped]
    yield "Not measured", ["what", "why"], skipped, "Nothing was left out."


def number(value: float | None) -> str:
    """Write a figure with four digits."""
    if value is None:
        return ""
    return f"{value:.4g}" if math.isfinite(value) else str(value)


def _speeds(report: Report) -> Iterator[Table]:
    rows = [
        [
            one.provider.removesuffix("ExecutionProvider"),
            one.precision,
            str(row.batch),
            number(row.p50_ms),
            number(row.p99_ms),
            f"{row.items_per_second:,.0f}",
            str(row.runs),
        ]
        for one in report.speeds
        for row in one.rows
    ]
    header = ["provider", "precision", "batch", "p50 ms", "p99 ms", "items/s", "runs"]
    yield "Speed", header, rows, "Not measured."
    fits = [
        [
            one.provider.removesuffix("ExecutionProvider"),
            one.precision,
            *(number(value) for value in (one.base_ms, one.item_ms, one.residual_ms)),
        ]
        for one in report.speeds
        if one.base_ms is not None
    ]
    header = ["provider", "precision", "a ms", "b ms", "residual ms"]
    yield "Fit: a + b n milliseconds for a batch of n", header, fits, "Fewer than two batch sizes."


def _mixed(mixed: Mixed) -> Iterator[str]:
    yield (
        f"All layers in 16 bits: {mixed.measure} error {number(mixed.half_error)}, "
        f"tolerance {number(mixed.tolerance)}"
    )
    if mixed.keep:
        state = "minimal" if mixed.minimal else "not proved minimal"
        names = ", ".join(f"`{name}`" for name in mixed.keep[:MOST_LAYERS])
        more = f" and {len(mixed.keep) - MOST_LAYERS} more" if len(mixed.keep) > MOST_LAYERS else ""
        yield (
            f"Keep {len(mixed.keep)} of {mixed.candidates} layers in 32 bits ({state}, "
            f"{len(mixed.trials)} runs, {mixed.seconds:.1f} s): {names}{more}; error {number(mixed.error)}"
        )
    if mixed.written is not None:
        yield f"Mixed model: {mixed.written}, error on this machine {number(mixed.written_error)}"


def _layer(layer: Layer) -> list[str]:
    own, all_ = layer.isolated, layer.accumulated
    alone = ["", "", ""] if own is None else [number(x) for x in (own.max_abs, own.relative, own.snr_db)]
    return [
        layer.name,
        layer.operator,
        number(layer.max_abs),
        f"{layer.overflow:,}",
        f"{layer.flushed:,}",
        f"{layer.subnormal_share:.2%}",
        *alone,
        *(number(x) for x in (all_.max_abs, all_.relative)),
        "" if math.isnan(all_.cosine) else f"{all_.cosine:.6f}",
    ]


def _noise(layer: Layer) -> float:
    return -math.inf if layer.isolated is None else -layer.isolated.snr_db


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield _row(header)
    yield _row(["---"] * len(header))
    yield from (_row(row) for row in rows)


def _row(cells: Sequence[str]) -> str:
    escaped = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(escaped)} |"
