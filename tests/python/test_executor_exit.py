"""Interpreters that end while a pipeline has work."""

import subprocess
import sys

import pytest

PRELUDE = """
import threading, time
import numpy as np
from comptoir import executor
"""


def run(code):
    return subprocess.run(
        [sys.executable, "-c", PRELUDE + code], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    "code",
    [
        # Work is queued and nobody waits for it.
        "pipe = executor.Pipeline(model=lambda b: (time.sleep(0.01), b)[1])\n"
        "[pipe.submit(np.float32(1)) for _ in range(500)]",
        # The last reference goes while work is under way.
        "pipe = executor.Pipeline(model=lambda b: (time.sleep(0.01), b)[1])\n"
        "[pipe.submit(np.float32(1)) for _ in range(500)]\ndel pipe",
        # The program ends by an exception inside the with block.
        "with executor.Pipeline(model=lambda b: b) as pipe:\n"
        "    [pipe.submit(np.float32(1)) for _ in range(100)]\n    raise SystemExit(0)",
        # Another thread goes on submitting.
        "pipe = executor.Pipeline(model=lambda b: b)\n"
        "def client():\n"
        "    while True:\n"
        "        try: pipe.submit(np.float32(1)).result()\n"
        "        except Exception: return\n"
        "threading.Thread(target=client, daemon=True).start()\ntime.sleep(0.05)",
    ],
    ids=["queued", "deleted", "exit", "client"],
)
def test_the_interpreter_ends_quietly(code):
    ended = run(code)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_model_that_never_returns_does_not_keep_the_interpreter():
    ended = run(
        "pipe = executor.Pipeline(model=lambda b: threading.Event().wait())\n"
        "future = pipe.submit(np.float32(1))\ntime.sleep(0.1)\n"
        "print(pipe.close(0.05), type(future.exception(1)).__name__)"
    )
    assert ended.stdout == "False UnavailableError\n"
    assert ended.returncode == 0, ended.stderr
