"""Ways that are HTTP servers, each a process of its own, and a client that costs little.

The client shares the cores with the server, as a caller beside it would. It speaks HTTP/1.1 on kept connections and reads
no more of an answer than it needs.
"""

import asyncio
import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent


def server(module, body=bytes, kind="application/octet-stream", path="/inference", arguments=()):
    """Serve by `module`, which takes `--port`; `body` turns a picture into what is posted."""

    def run(count, clients):
        clients.files = [_request(path, kind, body(file)) for file in clients.files]
        with _started(module, arguments) as port:
            # The time counts from when the server is up.
            seconds = clients.end - clients.warm
            start = time.perf_counter()
            clients.warm, clients.end = start + seconds / 4, start + seconds / 4 + seconds
            asyncio.run(_ask(port, count, clients))

    return run


def as_json(file):
    """Write a picture as LitServe takes it: it has no way for bytes."""
    return json.dumps({"image": base64.b64encode(file).decode()}).encode()


def _request(path, kind, body):
    head = (
        f"POST {path} HTTP/1.1\r\nHost: here\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _ask(port, count, clients):
    free = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]

    async def answer(request):
        reader, writer = free.pop()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert b" 200" in head[:16], head
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        result = json.loads(await reader.readexactly(length))
        free.append((reader, writer))
        return result

    await clients.ask(count, answer)
    for _, writer in free:
        writer.close()


@contextlib.contextmanager
def _started(module, arguments):
    """Run a server in a group of processes of its own, which ends with it: children of a server may outlive it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", f"serving_ways.{module}", "--port", str(port), *arguments]
    with tempfile.TemporaryFile("w+") as words:
        process = subprocess.Popen(
            command, cwd=HERE.parent, stdout=words, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            _wait_for(port, process, words)
            yield port
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(port, process, words):
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            # Workers of some servers come up after the port.
            time.sleep(3)
            return
        time.sleep(0.1)
    words.seek(0)
    raise RuntimeError(f"the server does not come up: {words.read()[-2000:]}")
