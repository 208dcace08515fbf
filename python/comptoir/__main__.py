"""The command ``comptoir``: ``rules check|test|eval``, ``doctor MODEL`` and ``demo [DATA]``."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Sequence

__all__ = ["main"]

USAGE = """usage: comptoir COMMAND ...

commands:
  rules    check and test rule sets, evaluate expressions
  doctor   examine an ONNX model: 16-bit floats, speed, repairs
  demo     value a stock history and write a report

`comptoir COMMAND --help` says more."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the command line without one.

    Returns
    -------
    int
        Exit status of the command; 2 where there is none of that name or what it needs is not installed.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] in (["-h"], ["--help"]):
        print(USAGE)
        return 0
    if given[:1] == ["rules"]:
        return _rules(given)
    if given[:1] == ["demo"]:
        from comptoir.demo.__main__ import main as demo

        return demo(given[1:])
    if given[:1] == ["doctor"]:
        try:
            from comptoir.doctor.command import main as doctor
        except ModuleNotFoundError as error:
            print(f"comptoir: {error}", file=sys.stderr)
            return 2
        return doctor(given[1:])
    problem = f"unknown command `{given[0]}`" if given else "no command is given"
    print(f"comptoir: {problem}\n{USAGE}", file=sys.stderr)
    return 2


def _rules(given: list[str]) -> int:
    from comptoir import _native

    sys.stdout.flush()
    is_main = threading.current_thread() is threading.main_thread()
    # Python would note an interrupt and wait for the end.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL) if is_main else None
    try:
        return _native.rules_command(["comptoir", *given])
    finally:
        if is_main:
            signal.signal(signal.SIGINT, before)


if __name__ == "__main__":
    sys.exit(main())
