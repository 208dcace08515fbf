"""The job behind a pipeline behind HTTP: an ASGI application of a few lines, served by uvicorn."""

import argparse

import uvicorn

from comptoir import executor
from serving_ways import inside, job

PIPE = executor.Pipeline(preprocess=inside.native(), model=job.device, postprocess=job.postprocess)


async def application(scope, receive, send):
    """Answer a posted picture with the number of its class."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    answer = str(await PIPE(body)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int, required=True)
    uvicorn.run(application, port=arguments.parse_args().port, log_level="warning", lifespan="off")
