"""Clients of one way: each takes the next picture when it has its result, and checks it."""

import asyncio
import itertools
import time


class Clients:
    """What clients measure: latencies after a fifth of the time, and that every result is the expected one."""

    def __init__(self, seconds, files, expected):
        self.files, self.expected, self.latencies = files, expected, []
        start = time.perf_counter()
        self.warm, self.end = start + seconds / 5, start + seconds

    def requests(self, first):
        """Pictures to ask for, with their number, until the time is over."""
        for number in itertools.count(first):
            if time.perf_counter() >= self.end:
                return
            at = number % len(self.files)
            yield at, self.files[at]

    def done(self, started, at, result):
        """Take notice of the result of picture `at`."""
        assert result == self.expected[at], (at, result, self.expected[at])
        if started > self.warm:
            self.latencies.append(time.perf_counter() - started)

    async def ask(self, count, answer):
        """Let `count` clients ask `answer`, a coroutine function of a picture."""

        async def client(first):
            for at, file in self.requests(first):
                started = time.perf_counter()
                self.done(started, at, await answer(file))

        await asyncio.gather(*(client(first) for first in range(count)))

    def figures(self):
        """Requests a second, and the median and 99 % latency in ms."""
        ordered = sorted(self.latencies)
        rate = len(ordered) / (self.end - self.warm)
        return rate, ordered[len(ordered) // 2] * 1e3, ordered[len(ordered) * 99 // 100] * 1e3
