"""``python -m comptoir.demo [DATA]``: value a history, guard and rank its sales, write a report."""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections.abc import Sequence
from pathlib import Path

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the command line without one.

    Returns
    -------
    int
        Exit status: 2 when the input or an option cannot be used, with the reason on standard error.
    """
    options = _parser().parse_args(arguments)
    missing = [name for name in ("pyarrow", "plotly") if importlib.util.find_spec(name) is None]
    if missing:
        print(f"comptoir: {' and '.join(missing)} missing: pip install 'comptoir[demo]'", file=sys.stderr)
        return 2
    return _run(options)


def _run(options: argparse.Namespace) -> int:
    from comptoir import Error
    from comptoir.costing import Policy
    from comptoir.demo import boards, detection, guard, report, shop, sources
    from comptoir.demo.figures import figures
    from comptoir.demo.history import InputError, progress
    from comptoir.demo.summary import summary

    started = time.perf_counter()
    say = progress(sys.stderr)
    try:
        if options.data is None:
            history = shop.history(options.seed, options.items, options.days, say)
        else:
            history = sources.read(options.data, say)
        fields = {**history.policy, **({"method": options.method} if options.method else {})}
        found = figures(history, Policy(fields), say)
        guarded = guard.guard(found.sales_lines, say)
        ranked = boards.boards(history, found.sales_lines, say)
        detected = detection.detection(say)
        say("drawing the report")
        report.write(options.out, history, found, guarded, ranked, detected)
    except (InputError, Error, OSError) as error:
        say("")
        print(f"comptoir: {error}", file=sys.stderr)
        return 2
    say("")
    print(summary(history, found))
    if guarded is not None:
        print(f"\n{guard.text(guarded, history.currency)}\n")
    if ranked is not None:
        print(f"{boards.text(ranked)}\n")
    print(f"{detection.text(detected)}\n")
    print(f"The whole run took {time.perf_counter() - started:.1f} s; report: {options.out}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m comptoir.demo",
        description="Value a stock history, print a summary and write an HTML report.",
    )
    parser.add_argument(
        "data",
        nargs="?",
        type=Path,
        metavar="DATA",
        help="movements as parquet or csv, the UCI Online Retail file, or the AdventureWorks directory; "
        "without it a synthetic year of a shop",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out/report.html"), help="the report (out/report.html)"
    )
    parser.add_argument(
        "--method", choices=("moving_average", "fifo", "lifo", "periodic_average"), help="costing method"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the synthetic shop (1)")
    parser.add_argument("--items", type=_positive, default=2000, help="items of the synthetic shop (2000)")
    parser.add_argument("--days", type=_positive, default=365, help="days of the synthetic shop (365)")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected one or more, found `{text}`")
    return number


if __name__ == "__main__":
    sys.exit(main())
