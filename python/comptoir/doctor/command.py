"""``comptoir doctor MODEL``: examine a model and write reports."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from comptoir.doctor import DEFAULT_PROVIDERS, Pictures, examine
from comptoir.doctor.model import reason
from comptoir.errors import Error, StorageError

if TYPE_CHECKING:
    from comptoir.doctor import Report

__all__ = ["main"]

THRESHOLDS = {"info": {"info", "warning", "error"}, "warning": {"warning", "error"}, "error": {"error"}}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the command line without one.

    Returns
    -------
    int
        Exit status: 0 where nothing is as grave as ``--fail-on``, 1 where something is, 2 where an option,
        the model or an input cannot be used, with the reason on standard error.
    """
    options = _parser().parse_args(arguments)
    try:
        report = _examined(options)
        _write(report, options)
    except (Error, OSError) as error:
        print(f"comptoir: {error}", file=sys.stderr)
        return 2
    if options.markdown is None:
        print(report.to_markdown(), end="")
    return 1 if report.worst() in THRESHOLDS.get(options.fail_on, ()) else 0


def _examined(options: argparse.Namespace) -> Report:
    return examine(
        options.model,
        options.inputs,
        tolerance=options.tolerance,
        budget=options.budget,
        speed_budget=options.speed_budget,
        providers=[_provider(name) for name in options.providers or DEFAULT_PROVIDERS],
        pictures=Pictures(tuple(options.mean), tuple(options.std), options.layout),
        limit=options.limit,
        seed=options.seed,
        repair=options.repair,
        output=options.output,
    )


def _write(report: Report, options: argparse.Namespace) -> None:
    for path, make in (
        (options.markdown, report.to_markdown),
        (options.html, report.to_html),
        (options.json, report.to_json),
    ):
        if path is None:
            continue
        text = make()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except (OSError, ValueError) as error:
            raise StorageError(f"report `{path}`: {reason(error)}", "DOCTOR_NOT_WRITTEN") from error


def _provider(name: str) -> str:
    known = {"cpu": "CPU", "cuda": "CUDA", "tensorrt": "Tensorrt"}
    return f"{known[name]}ExecutionProvider" if name in known else name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="comptoir doctor",
        description="Say what 16-bit floats do to an ONNX model, which layers must keep 32 bits, how fast it "
        "is, and what to repair.",
    )
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL", help="the ONNX file, with 32-bit floats")
    add("--inputs", type=Path, metavar="DIR", help=".npy, .npz, .jpg or .png; without it random values")
    add("--limit", type=int, default=32, help="most samples (32)")
    add("--seed", type=int, default=0, help="of random values (0)")
    add("--mean", type=float, nargs="+", default=[0.0], help="of pictures, 1 or 3 grey levels (0)")
    add("--std", type=float, nargs="+", default=[255.0], help="of pictures, 1 or 3 grey levels (255)")
    add("--layout", choices=("nchw", "nhwc"), default="nchw", help="of pictures (nchw)")
    add("--tolerance", type=float, default=0.01, help="largest error of outputs relative to range (0.01)")
    add("--budget", type=float, default=60.0, help="seconds to search layers to keep in 32 bits (60)")
    add("--speed-budget", type=float, default=10.0, help="seconds for the speed table, 0 for none (10)")
    add("--providers", nargs="+", help="cpu, cuda, tensorrt or full names (all three)")
    add("--repair", type=Path, metavar="ONNX", help="write the model with its repairs")
    add("--output", type=Path, metavar="ONNX", help="write the mixed model")
    add("--markdown", type=Path, metavar="FILE", help="write Markdown here rather than to standard output")
    add("--html", type=Path, metavar="FILE", help="write HTML with charts")
    add("--json", type=Path, metavar="FILE", help="write JSON")
    add(
        "--fail-on",
        choices=("info", "warning", "error", "never"),
        default="error",
        help="gravity of findings from which the exit status is 1 (error)",
    )
    return parser
