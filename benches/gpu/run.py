"""Checks and times what only a machine with an NVIDIA GPU can; see README.md beside this file.

    python benches/gpu/run.py [--out benches/results] [--seconds 5]

Writes gpu.json, gpu.md and gpu-timeline.json (for Perfetto) into the folder, after each part, so that what was measured
stays when a later part fails. Exit code 0: everything ran and every check held. 1: a check or a part failed. 2: this
machine lacks something, which is named, and nothing was measured.
"""

import argparse
import importlib
import json
import platform
import subprocess
import sys
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGES = ["comptoir", "numpy", "torch", "PIL"]


def missing():
    """Name what this machine lacks."""
    lacks = []
    for name in PACKAGES:
        try:
            importlib.import_module(name)
        except ImportError as error:
            lacks.append(f"Python package {name}: {error}")
    if any(one.startswith("Python package comptoir") for one in lacks):
        return lacks
    import comptoir
    from comptoir import executor

    try:
        executor.cuda_devices()
    except comptoir.Error as error:
        lacks.append(f"{error.code}: {error}")
    if not any(one.startswith("Python package torch") for one in lacks):
        import torch

        if not torch.cuda.is_available():
            lacks.append("PyTorch sees no CUDA device")
    return lacks


def machine():
    """Say on what the figures were taken."""
    import torch

    import comptoir
    from comptoir import executor

    device = executor.cuda_devices()[0]
    query = ["nvidia-smi", "--query-gpu=name,driver_version,pcie.link.gen.current", "--format=csv,noheader"]
    try:
        smi = subprocess.run(query, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        smi = "no nvidia-smi"
    return {
        "device": device.name,
        "capability": ".".join(map(str, device.capability)),
        "driver_cuda": device.driver,
        "nvidia_smi": smi,
        "torch": torch.__version__,
        "comptoir": comptoir.__version__,
        "python": platform.python_version(),
        "cpu": platform.processor() or platform.machine(),
        "at": time.strftime("%Y-%m-%d %H:%M:%S %z"),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE.parent / "results")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each way that is timed")
    arguments = parser.parse_args()
    lacks = missing()
    if lacks:
        print("nothing was measured: this machine lacks", *lacks, sep="\n  ", file=sys.stderr)
        return 2
    sys.path.insert(0, str(HERE))
    from checks import CHECKS
    from report import markdown
    from timings import TIMINGS

    arguments.out.mkdir(parents=True, exist_ok=True)
    results = {"machine": machine(), "parts": {}, "failed": []}
    for name, part in {**CHECKS, **TIMINGS}.items():
        print(f"== {name}", flush=True)
        try:
            results["parts"][name] = part(arguments)
        except Exception:
            traceback.print_exc()
            results["failed"].append({"part": name, "error": traceback.format_exc()})
        (arguments.out / "gpu.json").write_text(json.dumps(results, indent=1) + "\n")
        (arguments.out / "gpu.md").write_text(markdown(results))
    print((arguments.out / "gpu.md").read_text())
    return 1 if results["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
