"""Programs on the CUDA driver that the Rust tests bring, each in a process of its own."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

CRATE = Path(__file__).resolve().parents[2] / "crates/comptoir-cuda"


def build(directory):
    """Build the tests' driver and compiler as a library."""
    if shutil.which("cc") is None or not sys.platform.startswith("linux"):
        if os.environ.get("CI") == "true":
            pytest.fail("there is no C compiler")
        pytest.skip("needs a C compiler on Linux")
    library = directory / "libcuda.so"
    kernel = f'-DKERNEL="{CRATE / "src/normalise.cu"}"'
    flags = ["-std=gnu11", "-O1", "-w", "-ffp-contract=off", "-shared", "-fPIC", "-Wl,-soname,libcuda.so"]
    subprocess.run(
        ["cc", *flags, kernel, CRATE / "tests/support/driver.c", "-o", library, "-lpthread"], check=True
    )
    return library


SETUP = """
import ctypes, gc, json, sys
import numpy as np
driver = ctypes.CDLL(sys.argv[1])
import comptoir
from comptoir import executor

pictures = np.random.default_rng(7).integers(0, 256, (100, 5, 7, 3), "uint8")
SCALE = np.float32(1 / 255)
MEAN, STD = np.array([0.485, 0.456, 0.406], "float32"), np.array([0.229, 0.224, 0.225], "float32")
LIKE = dict(width=7, height=5, scale=float(SCALE), mean=MEAN.tolist(), std=STD.tolist(), nvrtc=sys.argv[1])

def on_cpu(picture, colour="rgb", dtype="float16"):
    planes = picture if colour == "rgb" else picture[..., ::-1]
    return ((planes.astype("float32") * SCALE - MEAN) / STD).transpose(2, 0, 1).astype(dtype)
"""

CLEAN = """
gc.collect()
assert (driver.fake_faults(), driver.fake_live()) == (0, 0), (driver.fake_faults(), driver.fake_live())
print("clean")
"""


def run(driver, program, *arguments, end=CLEAN, path=None):
    """Run a program, whose arguments are `sys.argv[2:]`, and see that nothing is left of it."""
    code = SETUP + textwrap.dedent(program) + end
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [path, os.environ.get("PYTHONPATH")])),
    }
    answer = subprocess.run(
        [sys.executable, "-c", code, driver, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1] == "clean"
