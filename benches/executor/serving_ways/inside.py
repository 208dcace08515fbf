"""Ways inside the process of the clients."""

import asyncio
import concurrent.futures
import threading
import time

import numpy as np

from comptoir import executor

from . import job


def loop(_, clients):
    """Serve one picture after the other."""
    for at, file in clients.requests(0):
        started = time.perf_counter()
        clients.done(started, at, job.postprocess(job.device(job.preprocess(file)[None])[0]))


def threads(count, clients):
    """Give each client a thread; the device has a lock."""
    lock = threading.Lock()

    def client(first):
        for at, file in clients.requests(first):
            started = time.perf_counter()
            row = job.preprocess(file)
            with lock:
                output = job.device(row[None])
            clients.done(started, at, job.postprocess(output[0]))

    running = [threading.Thread(target=client, args=(first,)) for first in range(count)]
    [thread.start() for thread in running]
    [thread.join() for thread in running]


def batched(count, clients):
    """Preprocess on threads; the package `batched` gathers rows."""
    from batched.aio import dynamically

    cpu, gpu = concurrent.futures.ThreadPoolExecutor(job.CORES), concurrent.futures.ThreadPoolExecutor(1)

    async def run():
        here = asyncio.get_running_loop()

        @dynamically(batch_size=job.MAX_BATCH, timeout_ms=5.0)
        async def infer(rows):
            return list(await here.run_in_executor(gpu, lambda: job.device(np.stack(rows))))

        async def answer(file):
            return job.postprocess(await infer(await here.run_in_executor(cpu, job.preprocess, file)))

        await clients.ask(count, answer)

    asyncio.run(run())


def native(profile="opencv"):
    """The CPU stage in Rust."""
    return executor.ImageTransform(224, 224, profile=profile, mean=job.MEAN.tolist(), std=job.STD.tolist())


def pipeline(stage, **settings):
    """Serve by a pipeline around `stage`."""

    def run(count, clients):
        with executor.Pipeline(
            preprocess=stage, model=job.device, postprocess=job.postprocess, **settings
        ) as pipe:
            asyncio.run(clients.ask(count, pipe))

    return run
