"""Capacity planning from Python."""

import pytest

import comptoir
from comptoir import executor

QUIET = {"cpu_ms": 1, "cpu_threads": 2, "fixed_ms": 3, "per_row_ms": 0.5}


def test_regular_requests_take_the_stages_alone():
    plan = executor.plan(trace_ms=[5.0 * number for number in range(100)], **QUIET)
    assert (plan.load.p50_ms, plan.load.max_ms, plan.load.batch_sizes) == (4.5, 4.5, {1: 100})
    assert (plan.per_second, plan.holds, plan.highest_per_second) == (200.0, True, None)


def test_the_batch_settings_count():
    burst = [0.0] * 64
    small = executor.plan(trace_ms=burst, batch=executor.Batch(max_size=2), **QUIET)
    large = executor.plan(trace_ms=burst, batch=executor.Batch(max_size=32), **QUIET)
    assert max(small.load.batch_sizes) == 2
    assert large.load.max_ms < small.load.max_ms
    assert small.options[0].field in {"batch.max_size", "device.instances"}


def test_the_text_has_the_figures_and_the_advice():
    plan = executor.plan(per_second=100, requests=200, deadline_ms=2, **QUIET)
    assert "the deadline of 2 ms cannot be met: a request alone takes 4.50 ms" in str(plan)
    assert str(plan).startswith("load        100 requests/s, 200 simulated\n")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "`per_second`: give per_second or trace_ms"),
        ({"per_second": 10, "instances": 0}, "`device.instances`: must be from 1 to 4096, found 0"),
        ({"per_second": 10, "trace_ms": [1]}, "`trace_ms`: give per_second or trace_ms, not both"),
        ({"per_second": 10, "deadline_ms": -1}, "`deadline_ms`: must be from 0 to 86400000, found -1"),
        ({"per_second": 1e308}, "`per_second`: must be above 0 and at most 1000000000"),
        ({"per_second": float("nan")}, "`per_second`: must be a finite number, found nan"),
        ({"per_second": "10"}, "`per_second`: invalid type: string"),
        (
            {"trace_ms": [2, 1]},
            "`trace_ms`: must be in ascending order, from 0 to 2678400000: time 1 is 1.0 after 2.0",
        ),
        ({"trace_ms": [1, None]}, r"`trace_ms\[1\]`: invalid type: null"),
        ({"per_second": 10, "requests": 10**400}, "`requests`: expected a number of 64 bits"),
        ({"per_second": 10, "queue_limit": -1}, "`queue_limit`: "),
        ({"per_second": 10, "batch": {}}, "`batch`: expected an executor.Batch"),
    ],
)
def test_settings_are_refused_by_their_name(settings, message):
    with pytest.raises(comptoir.ConfigError, match=message):
        executor.plan(**QUIET, **settings)
