"""A picture job behind a pipeline, beside a plain loop, threads with a lock, and `batched`, in one process.

The job: a JPEG of 640x480 is decoded, resized to 224x224, normalised to float32 NCHW (602 kB), put on a device that
takes 4 + 0.15 n ms for a batch of n, and the largest of 1,000 outputs is taken. Clients wait for their result one after
the other. Every way's results are compared with those of the plain loop (pictures whose pixels differ by a level may
have another largest output, so those of native decoding are compared with native decoding run alone).

What bounds it: the CPU stage, about 1.3 ms natively and 2 ms with OpenCV from Python for each picture and core, and the
device, n / (4 + 0.15 n ms).

    python benches/executor/serving.py [SECONDS]
"""

import asyncio
import concurrent.futures
import io
import os
import statistics
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from comptoir import executor

cv2.setNumThreads(1)
FIXED, PER_ROW = 4e-3, 0.15e-3
MEAN = np.array([0.485, 0.456, 0.406], np.float32) * 255
STD = np.array([0.229, 0.224, 0.225], np.float32) * 255
CORES = os.cpu_count() or 1


def pictures():
    """Real photos where they are, else pictures from a seed."""
    shared = Path(os.environ.get("COMPTOIR_SHARED", "../shared"), "data", "vision")
    files = [path.read_bytes() for path in sorted(shared.glob("b640_*.jpg"))]
    if files:
        return files
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:480, 0:640]
    for _ in range(4):
        waves = [127 + 90 * np.sin(x / rng.uniform(9, 60) + y / rng.uniform(9, 60)) for _ in range(3)]
        noisy = np.clip(np.stack(waves, -1) + rng.normal(0, 12, (480, 640, 3)), 0, 255).astype("uint8")
        file = io.BytesIO()
        Image.fromarray(noisy).save(file, "JPEG", quality=90)
        files.append(file.getvalue())
    return files


def preprocess(file):
    image = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
    image = cv2.cvtColor(cv2.resize(image, (224, 224), interpolation=cv2.INTER_LINEAR), cv2.COLOR_BGR2RGB)
    return np.ascontiguousarray(((image.astype(np.float32) - MEAN) / STD).transpose(2, 0, 1))


def device(batch):
    time.sleep(FIXED + PER_ROW * len(batch))
    return batch.reshape(len(batch), -1)[:, :1000].copy()


def postprocess(row):
    return int(row.argmax())


def native():
    return executor.ImageTransform(224, 224, profile="opencv", mean=MEAN.tolist(), std=STD.tolist())


FILES = pictures()


class Clients:
    """Clients of one way: each takes the next picture when it has its result."""

    def __init__(self, seconds, expected):
        self.end, self.expected, self.latencies = time.perf_counter() + seconds, expected, []
        self.warm = time.perf_counter() + seconds / 5

    def open(self):
        return time.perf_counter() < self.end

    def done(self, started, at, result):
        assert result == self.expected[at % len(FILES)], (result, self.expected[at % len(FILES)])
        if started > self.warm:
            self.latencies.append(time.perf_counter() - started)

    def figures(self):
        self.latencies.sort()
        rate = len(self.latencies) / (self.end - self.warm)
        return (
            rate,
            self.latencies[len(self.latencies) // 2] * 1e3,
            self.latencies[len(self.latencies) * 99 // 100] * 1e3,
        )


def loop(_, clients):
    at = 0
    while clients.open():
        started = time.perf_counter()
        clients.done(started, at, postprocess(device(preprocess(FILES[at % len(FILES)])[None])[0]))
        at += 1


def threads(count, clients):
    lock = threading.Lock()

    def client(at):
        while clients.open():
            started = time.perf_counter()
            row = preprocess(FILES[at % len(FILES)])
            with lock:
                output = device(row[None])
            clients.done(started, at, postprocess(output[0]))
            at += 1

    running = [threading.Thread(target=client, args=(at,)) for at in range(count)]
    [thread.start() for thread in running]
    [thread.join() for thread in running]


def tasks(count, clients, answer):
    async def client(at):
        while clients.open():
            started = time.perf_counter()
            clients.done(started, at, await answer(FILES[at % len(FILES)]))
            at += 1

    async def run():
        await asyncio.gather(*(client(at) for at in range(count)))

    return run()


def batched(count, clients):
    from batched.aio import dynamically

    cpu, gpu = concurrent.futures.ThreadPoolExecutor(CORES), concurrent.futures.ThreadPoolExecutor(1)

    async def run():
        here = asyncio.get_running_loop()

        @dynamically(batch_size=32, timeout_ms=5.0)
        async def infer(rows):
            return list(await here.run_in_executor(gpu, lambda: device(np.stack(rows))))

        async def answer(file):
            return postprocess(await infer(await here.run_in_executor(cpu, preprocess, file)))

        await tasks(count, clients, answer)

    asyncio.run(run())


def pipeline(stage):
    def run(count, clients):
        with executor.Pipeline(
            preprocess=stage, model=device, postprocess=postprocess, threads=CORES
        ) as pipe:
            asyncio.run(tasks(count, clients, pipe))

    return run


def main(seconds):
    plain = [postprocess(device(preprocess(file)[None])[0]) for file in FILES]
    ours = [postprocess(device(native()(file)[None])[0]) for file in FILES]
    ways = {
        "plain loop": (loop, plain, [1]),
        "threads and a lock": (threads, plain, [16, 64]),
        "batched, threads": (batched, plain, [1, 16, 64]),
        "comptoir, OpenCV on threads": (pipeline(preprocess), plain, [1, 16, 64]),
        "comptoir, native stages": (pipeline(native()), ours, [1, 16, 64]),
    }
    try:
        import batched as _
    except ImportError:
        print("batched is not installed: left out")
        del ways["batched, threads"]
    for name, stage in {"OpenCV from Python": preprocess, "native": native()}.items():
        took = []
        for _ in range(5):
            started = time.perf_counter()
            [stage(file) for file in FILES * 10]
            took.append((time.perf_counter() - started) / len(FILES) / 10)
        print(f"CPU stage, {name}: {statistics.median(took) * 1e3:.2f} ms a picture on one core")
    print(f"{'':30} {'clients':>7} {'requests/s':>11} {'p50 ms':>8} {'p99 ms':>8} {'ratio':>6}")
    base = None
    for name, (way, expected, counts) in ways.items():
        for count in counts:
            runs = []
            for _ in range(3):
                clients = Clients(seconds, expected)
                way(count, clients)
                runs.append(clients.figures())
            rate, p50, p99 = sorted(runs)[1]
            base = base or rate
            print(
                f"{name:30} {count:>7} {rate:>11.0f} {p50:>8.2f} {p99:>8.2f} {rate / base:>6.1f}", flush=True
            )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0)
