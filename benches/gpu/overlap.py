"""How far the steps of batches overlap, from the timeline of a model on a GPU."""

STEPS = ("copy_in", "compute", "copy_out")


def union(intervals):
    """Sort intervals and join those that touch."""
    joined = []
    for start, end in sorted(intervals):
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([start, end])
    return joined


def common(one, other):
    """Give the time that two lists of apart, ascending intervals have in common."""
    total, at = 0.0, 0
    for start, end in one:
        while at < len(other) and other[at][1] <= start:
            at += 1
        here = at
        while here < len(other) and other[here][0] < end:
            total += min(end, other[here][1]) - max(start, other[here][0])
            here += 1
    return total


def overlap(steps):
    """Which part of the copies ran while the device computed, and which part of the time it computed."""
    spans = {name: union((s.start_ms, s.end_ms) for s in steps if s.step == name) for name in STEPS}
    length = {name: sum(end - start for start, end in found) for name, found in spans.items()}
    ends = [step.end_ms for step in steps]
    whole = max(ends, default=0) - min((step.start_ms for step in steps), default=0)
    percent = {
        f"% of {name} beside compute": 100 * common(spans[name], spans["compute"]) / max(length[name], 1e-9)
        for name in ("copy_in", "copy_out")
    }
    return {**percent, "% of time computing": 100 * length["compute"] / max(whole, 1e-9)}


def chrome(steps):
    """Write steps in the Trace Event Format, a thread for each lane and step."""
    return {
        "displayTimeUnit": "ms",
        "traceEvents": [
            {
                "ph": "X",
                "name": f"{step.step} {step.rows}",
                "pid": step.lane,
                "tid": STEPS.index(step.step),
                "ts": step.start_ms * 1e3,
                "dur": (step.end_ms - step.start_ms) * 1e3,
            }
            for step in steps
        ],
    }
