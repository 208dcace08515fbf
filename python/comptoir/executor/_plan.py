"""What a configuration holds, found out in virtual time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from comptoir._native import executor_plan
from comptoir.executor._arguments import as_json, numbers
from comptoir.executor._settings import Batch, check_batch

__all__ = ["Change", "Load", "Plan", "plan"]


@dataclass(frozen=True)
class Load:
    """What becomes of the requests of a simulated load. Times are those of the requests that are done.

    Attributes
    ----------
    requests, done, failed, late, overloaded, cancelled : int
        Requests that came, and how many of them had each outcome.
    done_per_second : float
        Results per second.
    mean_ms, p50_ms, p90_ms, p99_ms, max_ms : float
        Time from arrival to result, in milliseconds.
    device_busy, cpu_busy : float
        Share of the time in which the device and the CPU threads worked, from 0 to 1.
    mean_batch : float
        Mean rows of a batch.
    batch_sizes : dict of int to int
        How many batches there were of each size.
    """

    requests: int
    done: int
    failed: int
    late: int
    overloaded: int
    cancelled: int
    done_per_second: float
    mean_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    device_busy: float
    cpu_busy: float
    mean_batch: float
    batch_sizes: dict[int, int]


@dataclass(frozen=True)
class Change:
    """Another configuration, which differs in one field.

    Attributes
    ----------
    field : str
        ``cpu_threads``, ``device.instances``, ``device.depth`` or ``batch.max_size``.
    before, after : int
        Its value now and in the other configuration.
    per_second : float
        The highest rate that then holds the deadline; without a deadline the capacity.
    """

    field: str
    before: int
    after: int
    per_second: float


@dataclass(frozen=True)
class Plan:
    """What `plan` found out; ``print(plan)`` shows it as text.

    Attributes
    ----------
    per_second : float
        Requests per second that come.
    load : Load
        What becomes of them.
    holds : bool
        Whether at least 99 % of the requests have a result in time.
    cpu_per_second, device_per_second : float
        Requests per second that the CPU threads and the device can do.
    bottleneck : str
        Which of them can do less: ``cpu`` or ``device``.
    highest_per_second : float or None
        The highest rate of which 99 % have a result in time; none without a deadline, for a trace, and where
        no rate holds.
    options : list of Change
        What other configurations would hold, the best first.
    advice : list of str
        What to do, in words.
    """

    per_second: float
    load: Load
    holds: bool
    cpu_per_second: float
    device_per_second: float
    bottleneck: Literal["cpu", "device"]
    highest_per_second: float | None
    options: list[Change]
    advice: list[str]
    text: str

    def __str__(self) -> str:
        return self.text


def plan(
    *,
    per_second: float | None = None,
    trace_ms: Sequence[float] | None = None,
    deadline_ms: float | None = None,
    cpu_ms: float,
    cpu_threads: int,
    fixed_ms: float,
    per_row_ms: float,
    copy_in_ms: float = 0.0,
    copy_out_ms: float = 0.0,
    instances: int = 1,
    depth: int = 1,
    batch: Batch | None = None,
    queue_limit: int = 1024,
    requests: int = 10_000,
    seed: int = 1,
) -> Plan:
    """Say what a configuration holds, which resource limits it, and what to change.

    The pipeline is simulated in virtual time by the policy that `Pipeline` uses. The same arguments give the
    same plan on every machine.

    Parameters
    ----------
    per_second : float, optional
        Rate of requests, which come independently of each other. Give this or `trace_ms`.
    trace_ms : sequence of float, optional
        When requests came, in milliseconds, in ascending order.
    deadline_ms : float, optional
        Time from arrival to deadline.
    cpu_ms : float
        CPU time of a request.
    cpu_threads : int
        Threads of the CPU stages.
    fixed_ms, per_row_ms : float
        Time of the device for a batch of n rows: ``fixed_ms + per_row_ms * n``.
    copy_in_ms, copy_out_ms : float
        Time in which a row is copied to the device and back.
    instances, depth, batch, queue_limit
        As for `Pipeline`.
    requests : int
        Requests that are simulated, for a rate.
    seed : int
        Chooses the random numbers.

    Raises
    ------
    comptoir.ConfigError
        A setting cannot be used; the message names it.

    Examples
    --------
    >>> from comptoir import executor
    >>> times = {"cpu_ms": 1, "fixed_ms": 4, "per_row_ms": 0.15}
    >>> plan = executor.plan(per_second=1500, deadline_ms=50, cpu_threads=2, **times)
    >>> plan.holds, plan.bottleneck, plan.cpu_per_second
    (True, 'cpu', 2000.0)
    >>> plan.options[0].field, plan.options[0].after
    ('cpu_threads', 3)
    """
    batch = Batch() if batch is None else batch
    check_batch(batch)
    device = {
        "fixed_ms": fixed_ms,
        "per_row_ms": per_row_ms,
        "copy_in_ms": copy_in_ms,
        "copy_out_ms": copy_out_ms,
        "instances": instances,
        "depth": depth,
    }
    spec = {
        "per_second": per_second,
        "trace_ms": None if trace_ms is None else numbers(trace_ms),
        "deadline_ms": deadline_ms,
        "cpu_ms": cpu_ms,
        "cpu_threads": cpu_threads,
        "device": device,
        "batch": batch._spec(),
        "queue_limit": queue_limit,
        "requests": requests,
        "seed": seed,
    }
    found, text = executor_plan(as_json(spec))
    fields = json.loads(found)
    load = fields.pop("load")
    load["batch_sizes"] = {int(size): count for size, count in load["batch_sizes"].items()}
    options = [
        Change(change["field"], change["from"], change["to"], change["per_second"])
        for change in fields.pop("options")
    ]
    return Plan(load=Load(**load), options=options, text=text, **fields)
