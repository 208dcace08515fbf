"""Runs case files of rankings through comptoir: values, boards and formulas with what must come out.

Usage: python tests/cases/ranking.py FILE.jsonl...

One line per case (passed, FAILED with what was expected and found, skipped with the reason), then their
counts. A line that is not of the form that README.md describes is a case that failed. The exit status is 1
when a case failed and 2 when a file cannot be read.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _ranking_kinds import KINDS, MalformedError, SkippedError, differences


class FormatError(Exception):
    """A line that is not of the documented form; the message names file and line."""


class UnreadableError(Exception):
    """A file that cannot be read as text."""


@dataclass(frozen=True)
class Case:
    """One line of a file."""

    place: str
    name: str
    kind: str
    input: Any
    expected: Any
    tolerance: float


def main(arguments: list[str]) -> int:
    """Run the cases of the files named and give the exit status."""
    if not arguments or arguments[0].startswith("-"):
        print(__doc__)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    try:
        lines = [line for argument in arguments for line in read_file(Path(argument))]
    except UnreadableError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    counts = Counter(run_line(*line) for line in lines)
    print(", ".join(f"{counts[outcome]} {outcome.lower()}" for outcome in ("passed", "FAILED", "skipped")))
    return 1 if counts["FAILED"] else 0


def read_file(path: Path) -> Iterator[tuple[str, int, str]]:
    """Read the lines of a file, each with its place and number; empty lines count for nothing."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableError(f"{path}: {error}") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield f"{path}, line {number}", number, line


def run_line(place: str, number: int, line: str) -> str:
    """Run the case of a line and give the outcome; a malformed line has failed."""
    try:
        return report(read_line(place, number, line))
    except FormatError as error:
        print(f"FAILED {error}", flush=True)
        return "FAILED"


def read_line(place: str, number: int, line: str) -> Case:
    """Read one case."""
    try:
        case = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{place}: no JSON: {error}") from error
    if not isinstance(case, dict):
        raise FormatError(f"{place}: expected an object, found `{line[:40]}`")
    for field in ("kind", "input", "expected"):
        if field not in case:
            raise FormatError(f"{place}: the field `{field}` is missing")
    if not isinstance(case["kind"], str):
        raise FormatError(f"{place}: `kind` must be text, found `{case['kind']}`")
    name = str(case.get("id", f"{number} {case['kind']}"))
    return Case(
        place, name, case["kind"], case["input"], case["expected"], tolerance(str(case.get("note", "")))
    )


def tolerance(note: str) -> float:
    """How far floats may be from what is expected: what the note says, or the last digits of a double."""
    _, found, text = note.partition("tolerance ")
    try:
        return float(text.split()[0]) if found else 1e-12
    except (ValueError, IndexError):
        return 1e-12


def report(case: Case) -> str:
    """Run a case, print its line and give the outcome."""
    outcome, detail = "passed", ""
    run = KINDS.get(case.kind)
    try:
        if run is None:
            raise SkippedError(f"comptoir has nothing that is called `{case.kind}`")
        found = differences(run(case.input, case.expected), case.tolerance)
        if found:
            outcome, detail = "FAILED", f": {'; '.join(found)}"
    except SkippedError as skip:
        outcome, detail = "skipped", f": {skip}"
    except MalformedError as error:
        raise FormatError(f"{case.place}: {case.kind}: {error}") from error
    print(f"{outcome} {case.name}{detail}", flush=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
