"""Runs case files through comptoir: histories of stock movements with the numbers that must come out.

Usage: python tests/cases/costing.py FILE.yaml...

One line per case (passed, failed with both numbers, skipped with the reason), then their counts. The
exit status is 1 when a case failed and 2 when a file is not of the form that README.md describes.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from _checks import failures
from _format import Case, FormatError, read_file


def main(arguments: list[str]) -> int:
    """Run the cases of the files named and give the exit status."""
    if not arguments or arguments[0].startswith("-"):
        print(__doc__)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    try:
        cases = [case for argument in arguments for case in read_file(Path(argument))]
    except FormatError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    counts = Counter(report(case) for case in cases)
    print(", ".join(f"{counts[outcome]} {outcome}" for outcome in ("passed", "failed", "skipped")))
    return 1 if counts["failed"] else 0


def report(case: Case) -> str:
    """Run a case, print its line and give the outcome."""
    if case.skip is not None:
        outcome, detail = "skipped", f": {case.skip}"
    else:
        found = list(
            dict.fromkeys(text for expectation in case.expect for text in failures(case, expectation))
        )
        outcome, detail = ("failed", f": {'; '.join(found)}") if found else ("passed", "")
    print(f"{outcome} {case.id}{detail}", flush=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
