"""Interpreters and programs that end while a pipeline has work, and what becomes of its workers."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

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


MAIN = """
import numpy as np, os, signal, sys, time
from comptoir import executor

def prepare(number):
    if number < 0:
        time.sleep(600)
    return np.float32(number + 1)

if __name__ == "__main__":
    pipe = executor.Pipeline(preprocess=prepare, model=lambda batch: batch, workers=1)
    print(float(pipe.submit(1).result()), pipe.stats()["workers"][0]["pid"], flush=True)
    if sys.argv[1] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if sys.argv[1] == "wait":
        pipe.submit(-1).result()
"""


def ended(pid):
    """Wait until a process is gone; who has ended may wait for the system's first process to notice."""
    end = time.monotonic() + 10
    while (stat := Path(f"/proc/{pid}/stat")).exists() and stat.read_text().split()[2] != "Z":
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(("how", "status"), [("end", 0), ("kill", -signal.SIGKILL)])
def test_functions_of_a_program_work_and_workers_end_with_it(tmp_path, how, status):
    (tmp_path / "program.py").write_text(MAIN)
    ran = subprocess.run(
        [sys.executable, "program.py", how],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (status, "")
    result, pid = ran.stdout.split()
    assert result == "2.0"
    ended(pid)


def test_ctrl_c_ends_a_program_that_waits_for_a_worker_and_its_workers(tmp_path):
    (tmp_path / "program.py").write_text(MAIN)
    program = subprocess.Popen(
        [sys.executable, "program.py", "wait"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        start_new_session=True,
    )
    _, pid = program.stdout.readline().split()
    time.sleep(0.3)
    # As a terminal does: to the program and its workers.
    os.killpg(program.pid, signal.SIGINT)
    _, words = program.communicate(timeout=60)
    assert program.returncode == -signal.SIGINT
    assert words.count("Traceback") == 1
    assert words.endswith("KeyboardInterrupt\n")
    ended(pid)
