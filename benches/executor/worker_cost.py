"""What a request through worker processes takes of the processors: parent and workers, beside the stage alone.

The stage alone is run in this process, where fresh pages for every array cost it more than in a worker, unless
MALLOC_MMAP_THRESHOLD_=33554432 and MALLOC_TRIM_THRESHOLD_=268435456 are set. Rates say little on a machine that others use; processor time says what a request costs. The job and the clients are
those of `serving.py`; with `light` the stage gives a ready array, so that what is left is the way to a worker and back.

    python benches/executor/worker_cost.py [SECONDS [light]]
"""

import asyncio
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np
from serving_ways import job
from serving_ways.clients import Clients

from comptoir import executor

COUNT = 64
READY = np.zeros((3, 224, 224), np.float32)


def ready(_):
    return READY


def processor_time(pids):
    """Seconds that processes have run, by the kernel's own account."""
    tasks = (task for pid in pids for task in Path("/proc", str(pid), "task").iterdir())
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def main(seconds, light):
    """Print the processor time of a request."""
    files, stage = job.pictures(), ready if light else job.preprocess
    rows = [stage(file) for file in files]
    expected = [job.postprocess(job.device(row[None])[0]) for row in rows]
    start = time.process_time()
    [stage(file) for file in files * 20]
    alone = (time.process_time() - start) / len(files) / 20
    with executor.Pipeline(
        preprocess=stage, model=job.device, postprocess=job.postprocess, workers=job.CORES
    ) as pipe:
        pids = [worker["pid"] for worker in pipe.stats()["workers"]]
        asyncio.run(Clients(1.0, files, expected).ask(COUNT, pipe))
        before = resource.getrusage(resource.RUSAGE_SELF), processor_time(pids)
        clients = Clients(seconds, files, expected)
        clients.warm = 0
        asyncio.run(clients.ask(COUNT, pipe))
        after = resource.getrusage(resource.RUSAGE_SELF), processor_time(pids)
    requests = len(clients.latencies)
    own = sum(getattr(after[0], one) - getattr(before[0], one) for one in ("ru_utime", "ru_stime"))
    parent, workers = own / requests * 1e3, (after[1] - before[1]) / requests * 1e3
    print(f"stage alone {alone * 1e3:.3f} ms; {requests} requests by {COUNT} clients, {os.cpu_count()} cores")
    print(f"parent {parent:.3f} ms, workers {workers:.3f} ms, together {parent + workers:.3f} ms a request")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0, "light" in sys.argv[2:])
