"""A picture job behind a pipeline, beside other ways in the process and beside servers, in one run.

The job: a JPEG of 640x480 is decoded, resized to 224x224, normalised to float32 NCHW (602 kB), put on a device that
takes 4 + 0.15 n ms for a batch of n, and the largest of 1,000 outputs is taken. Clients wait for their result one after
the other. Every way's results are compared with those of the plain loop (pictures whose pixels differ by a level may
have another largest output, so those of native decoding are compared with native decoding run alone).

What bounds it: the CPU stage, whose time for a picture and core stands in the first lines, on all cores, and the device,
n / (4 + 0.15 n ms). Servers pay for HTTP and share the cores with their clients; `comptoir behind uvicorn` pays the same.

    python benches/executor/serving.py [SECONDS [WAY]]
"""

import importlib.util
import statistics
import sys
import time

from serving_ways import inside, job
from serving_ways.clients import Clients
from serving_ways.servers import as_json, server

FILES = job.pictures()


def ways():
    """Each way, whether it decodes natively, the numbers of its clients, and the package that it needs."""
    some = [1, 16, 64]
    return {
        "plain loop": (inside.loop, False, [1], None),
        "threads and a lock": (inside.threads, False, [16, 64], None),
        "batched, threads": (inside.batched, False, some, "batched"),
        "mosec": (server("mosec_server"), False, some, "mosec"),
        "LitServe": (
            server("litserve_server", as_json, "application/json"),
            False,
            some,
            "litserve",
        ),
        "comptoir, OpenCV on threads": (
            inside.pipeline(job.preprocess, threads=job.CORES),
            False,
            some,
            None,
        ),
        "comptoir, OpenCV in processes": (
            inside.pipeline(job.preprocess, workers=job.CORES),
            False,
            some,
            None,
        ),
        "comptoir, native": (inside.pipeline(inside.native(), threads=job.CORES), True, some, None),
        "comptoir behind uvicorn, native": (server("comptoir_server"), True, some, "uvicorn"),
    }


def stage_times():
    """Say what the CPU stage takes, which bounds all ways."""
    for name, stage in {"OpenCV from Python": job.preprocess, "native": inside.native()}.items():
        took = []
        for _ in range(5):
            started = time.perf_counter()
            [stage(file) for file in FILES * 10]
            took.append((time.perf_counter() - started) / len(FILES) / 10)
        median = statistics.median(took)
        print(
            f"CPU stage, {name}: {median * 1e3:.2f} ms a picture on one core: "
            f"at most {job.CORES / median:.0f} requests/s on {job.CORES}"
        )


def main(seconds, only):
    """Measure each way and print its figures."""
    plain = [job.postprocess(job.device(job.preprocess(file)[None])[0]) for file in FILES]
    natively = [job.postprocess(job.device(inside.native()(file)[None])[0]) for file in FILES]
    stage_times()
    print(f"{'':32} {'clients':>7} {'requests/s':>11} {'p50 ms':>8} {'p99 ms':>8} {'ratio':>6}")
    base = None
    for name, (way, is_native, counts, package) in ways().items():
        if only not in name:
            continue
        if package and not importlib.util.find_spec(package):
            print(f"{name:32} {package} is not installed: left out")
            continue
        for count in counts:
            runs = []
            for _ in range(3):
                clients = Clients(seconds, FILES, natively if is_native else plain)
                way(count, clients)
                runs.append(clients.figures())
            rate, p50, p99 = sorted(runs)[1]
            base = base or rate
            print(
                f"{name:32} {count:>7} {rate:>11.0f} {p50:>8.2f} {p99:>8.2f} {rate / base:>6.1f}", flush=True
            )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0, sys.argv[2] if len(sys.argv) > 2 else "")
