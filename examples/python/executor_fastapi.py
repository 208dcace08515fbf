"""A model server with FastAPI around a pipeline, and a client that loads it.

    python executor_fastapi.py            # starts the server, loads it for a moment, prints what the client
    saw uvicorn executor_fastapi:app          # serves on port 8000

Routes: POST /predict with numbers as JSON, GET /health for the load balancer, GET /metrics for Prometheus.
Errors of a pipeline become HTTP statuses: 503 with Retry-After when it is overloaded, 504 after the
deadline, 422 for a bad item. Needs the packages fastapi and uvicorn, and httpx for the client.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

import comptoir
from comptoir import executor

FEATURES = 16
SECONDS, CLIENTS = 2.0, 32


def preprocess(numbers: list[float]) -> npt.NDArray[np.float32]:
    """Turn the numbers of a request into a row."""
    return np.asarray(numbers, dtype="float32")


def model(batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Stand in for a network: 4 ms for a batch and a little for each row."""
    time.sleep(0.004 + 0.00015 * len(batch))
    result: npt.NDArray[np.float32] = np.tanh(batch).mean(axis=1)
    return result


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Start the pipeline, warmed, before the first request, and let requests finish at the end."""
    inputs = [executor.Tensor("x", "float32", [FEATURES])]
    app.state.pipe = executor.Pipeline(
        preprocess=preprocess, model=model, postprocess=float, inputs=inputs, deadline_ms=500, queue=256
    )
    yield
    await asyncio.to_thread(app.state.pipe.close, 10.0)


app = FastAPI(lifespan=lifespan)


@app.post("/predict")
async def predict(request: Request) -> dict[str, float]:
    """Answer one request; if its client goes away, the task is cancelled and so is the work."""
    return {"score": await request.app.state.pipe(await request.json())}


@app.get("/health")
async def health(request: Request) -> dict[str, Any]:
    """Say that the pipeline is there, and what it holds."""
    return {"live": request.app.state.pipe.stats()["live"]}


@app.get("/metrics")
async def metrics(request: Request) -> PlainTextResponse:
    """Give the numbers to Prometheus."""
    return PlainTextResponse(request.app.state.pipe.prometheus())


@app.exception_handler(comptoir.Error)
@app.exception_handler(ValueError)
async def failed(request: Request, error: Exception) -> Response:
    """Turn the outcome of a request into a status."""
    status, headers = 422, {}
    if isinstance(error, comptoir.OverloadedError):
        status, headers = 503, {"Retry-After": "1"}
    elif isinstance(error, comptoir.DeadlineError):
        status = 504
    elif isinstance(error, comptoir.UnavailableError):
        status = 503
    code = getattr(error, "code", "VALUE")
    return JSONResponse({"error": str(error), "code": code}, status_code=status, headers=headers)


async def load(url: str) -> None:
    """Send requests from many clients, and print what they saw."""
    import httpx

    statuses: dict[int, int] = {}
    latencies: list[float] = []
    end = time.perf_counter() + SECONDS

    async def one(http: httpx.AsyncClient, rng: np.random.Generator) -> None:
        while time.perf_counter() < end:
            started = time.perf_counter()
            response = await http.post("/predict", json=rng.normal(size=FEATURES).tolist())
            latencies.append(time.perf_counter() - started)
            statuses[response.status_code] = statuses.get(response.status_code, 0) + 1

    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        await asyncio.gather(*(one(http, np.random.default_rng(seed)) for seed in range(CLIENTS)))
        bad = await http.post("/predict", json=["not a number"])
        wrong = await http.post("/predict", json=[1.0, 2.0])
        print(f"health {(await http.get('/health')).json()}")
        lines = (await http.get("/metrics")).text.splitlines()
    latencies.sort()
    print(f"{CLIENTS} clients: {len(latencies) / SECONDS:.0f} requests/s, statuses {statuses}")
    median, most = latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100]
    print(f"median {median * 1e3:.1f} ms, 99 % below {most * 1e3:.1f} ms")
    print(f"not a number: {bad.status_code} {bad.json()['error']}")
    print(f"wrong shape: {wrong.status_code} {wrong.json()['error']}")
    print(next(line for line in lines if line.startswith("comptoir_executor_batches_total{")))


def main() -> None:
    """Serve on a free port and load the server."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    asyncio.run(load(f"http://127.0.0.1:{port}"))
    server.should_exit = True
    thread.join()


if __name__ == "__main__":
    main()
