"""The calls of `tests/vectors` through the public Python API; `test_vectors` compares what they give."""

from __future__ import annotations

import json
import struct
import tempfile
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from math import inf, isfinite
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import comptoir
from comptoir import costing, executor, ranking, rules

Outcome = dict[str, Any]
"""What a call gives, by the name of the file that holds what is expected."""

NAMES = {inf: "Infinity", -inf: "-Infinity"}
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Case:
    """A directory of `tests/vectors`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.name = f"{directory.parent.name}/{directory.name}"

    def bytes(self, argument: str) -> bytes:
        """Give an argument; nothing where there is no such file."""
        path = self.directory / argument
        return path.read_bytes() if path.exists() else b""

    def text(self, argument: str) -> str:
        """Give an argument as text."""
        return self.bytes(argument).decode()

    def lines(self, argument: str) -> list[str]:
        """Give the lines of an argument."""
        text = self.text(argument)
        return text.split("\n") if text else []

    def table(self, argument: str) -> pa.Table:
        """Give a table."""
        return pa.ipc.open_stream(self.bytes(f"{argument}.arrows")).read_all()

    def optional_table(self, argument: str) -> pa.Table | None:
        """Give a table, where there is one."""
        return self.table(argument) if (self.directory / f"{argument}.arrows").exists() else None

    def object(self, argument: str) -> dict[str, Any]:
        """Give a JSON object; an empty one where there is no such file."""
        fields: dict[str, Any] = json.loads(self.text(argument) or "{}")
        return fields


def run(case: Case) -> Outcome:
    """Give what the call of a case gives; its errors are raised."""
    return CALLS[case.text("call")](case)


def costing_policy(case: Case) -> Outcome:
    return {"expected.json": json.loads(_policy(case).to_json())}


def costing_counts(case: Case) -> Outcome:
    counts = costing.value(case.table("input"), _policy(case)).counts
    return {"expected.json": asdict(counts)}


def costing_table(case: Case) -> Outcome:
    valuation = costing.value(case.table("input"), _policy(case))
    request = case.object("request")
    kind = request.pop("table")
    if kind in ("postings", "layers", "balances", "rejected"):
        return _table(getattr(valuation, kind))
    if kind == "provision":
        return _table(valuation.provision(**request, booked=case.optional_table("booked")))
    if kind == "trial_balance":
        return _table(valuation.trial_balance(request.get("template", "ifrs")).accounts)
    if kind in ("voucher_entries", "voucher_movements"):
        vouchers = valuation.vouchers(request.get("template", "ifrs"), by=request.get("by", "day"))
        return _table(getattr(vouchers, kind.removeprefix("voucher_")))
    return _table(getattr(valuation, kind)(**request))


def costing_control(case: Case) -> Outcome:
    valuation = costing.value(case.table("input"), _policy(case))
    template = json.loads(case.text("template"))
    trial = valuation.trial_balance(template)
    balanced = valuation.vouchers(template, by="movement").balanced
    sums = {"accounts_total": str(trial.inventory), "stock_value": str(trial.stock)}
    return {"expected.json": {"balanced": balanced, **sums}}


def rules_eval_json(case: Case) -> Outcome:
    return {"expected.json": as_json(_program(case).eval_json(case.bytes("event")))}


def rules_test_json(case: Case) -> Outcome:
    return _truth(_program(case).eval_json(case.bytes("event")))


def rules_partial_json(case: Case) -> Outcome:
    left = _program(case).partial(case.object("event"), unknown=json.loads(case.text("unknown")))
    return {"expected.json": {"value": left.value} if left.is_known else {"expression": left.expression}}


def rules_cost(case: Case) -> Outcome:
    given = case.object("sizes").items()
    sizes = {path: tuple(size) if isinstance(size, list) else size for path, size in given}
    return {"expected.json": list(_program(case).cost(sizes))}


def rules_slots(case: Case) -> Outcome:
    event: dict[str, Any] = {}
    for line in case.lines("slots"):
        name, kind, text = line.split("\t")
        if kind != "absent":
            *path, last = name.split(".")
            fields = event
            for part in path:
                fields = fields.setdefault(part, {})
            fields[last] = SLOTS[kind](text)
    return _truth(_program(case).eval(event))


def rules_eval_table(case: Case) -> Outcome:
    result = _program(case).eval_batch(case.table("input"), **case.object("shared"))
    return _faulty(result.values, result)


def rules_select(case: Case) -> Outcome:
    selection = _program(case).select(case.table("input"), **case.object("shared"))
    return _faulty(selection.rows, selection)


def rules_decide_json(case: Case) -> Outcome:
    decision = rules.RuleSet.load(case.text("set")).decide(_event(case))
    return {"expected.json": as_json(decision.to_dict())}


def rules_explain_json(case: Case) -> Outcome:
    traces = [asdict(trace) for trace in rules.RuleSet.load(case.text("set")).explain(_event(case))]
    return {"expected.json": as_json([{"rule": trace.pop("id"), **trace} for trace in traces])}


def rules_decide_table(case: Case) -> Outcome:
    decisions = rules.RuleSet.load(case.text("set")).decide_batch(
        case.table("input"), **case.object("shared")
    )
    return _faulty(decisions.table, decisions)


def rules_select_set(case: Case) -> Outcome:
    selection = rules.RuleSet.load(case.text("set")).select(case.table("input"), **case.object("shared"))
    return _faulty(selection.rows, selection)


def ranking_board(case: Case) -> Outcome:
    return _table(_board(case).table())


def ranking_report(case: Case) -> Outcome:
    return {"expected.json": asdict(_board(case).report)}


def ranking_explain(case: Case) -> Outcome:
    group = json.loads(case.text("group")) if case.text("group") else None
    return {"expected.json": [asdict(one) for one in _board(case).explain(case.text("item"), group)]}


def ranking_page(case: Case) -> Outcome:
    lines, cursor = [], None
    with tempfile.TemporaryDirectory() as directory:
        with ranking.Publisher(directory, keep=1) as publisher:
            publisher.publish(_board(case))
        reader = ranking.Reader(directory)
        for line in case.lines("page"):
            start, limit = line.split("\t")
            place: dict[str, Any] = {"cursor": cursor} if start == "next" else {"offset": int(start)}
            page = reader.page(case.text("board"), tuple(case.lines("group")), limit=int(limit), **place)
            lines += _page(page)
            cursor = page and page.next_cursor
    return {"expected.txt": "\n".join(lines)}


def ranking_leaderboard(case: Case) -> Outcome:
    live = ranking.Leaderboard()
    lines = []
    for line in case.lines("ops"):
        operation, *words = line.split("\t")
        if operation == "update":
            lines.append(bits(live.update(words[0], float(words[1]))))
        elif operation == "remove":
            lines.append(bits(live.remove(words[0])))
        elif operation == "rank":
            lines.append(str(live.rank_of(words[0]) or "none"))
        else:
            assert operation == "top", line
            lines.append("\t".join(f"{entry.item}\t{bits(entry.score)}" for entry in live.top(int(words[0]))))
    return {"expected.txt": "\n".join(lines)}


def executor_run(case: Case) -> Outcome:
    config = case.object("config")
    spec = config.get("pipeline", {})
    models = {}
    for one in config.get("models", []):
        image, more = one.get("image"), one.get("spec", {})
        shapes = more.get("shapes")
        models[more.get("name", "model")] = executor.Model(
            executor.Simulated(**one["simulated"]),
            preprocess=image and executor.ImageTransform(**_image(image)),
            inputs=shapes and [[executor.Tensor(**tensor) for tensor in shape] for shape in shapes],
        )
    settings = {"threads": spec.pop("cpu_threads", 0), **spec}
    with executor.Pipeline(models=models, **settings) as pipeline:
        prediction = pipeline.submit(_item(case), **case.object("options")).result(timeout=60)
    return {"expected.bin": np.ascontiguousarray(prediction).tobytes()}


CALLS: dict[str, Callable[[Case], Outcome]] = {
    "costing.policy": costing_policy,
    "costing.counts": costing_counts,
    "costing.table": costing_table,
    "costing.control": costing_control,
    "rules.eval_json": rules_eval_json,
    "rules.test_json": rules_test_json,
    "rules.partial_json": rules_partial_json,
    "rules.cost": rules_cost,
    "rules.slots": rules_slots,
    "rules.eval_table": rules_eval_table,
    "rules.select": rules_select,
    "rules.decide_json": rules_decide_json,
    "rules.explain_json": rules_explain_json,
    "rules.decide_table": rules_decide_table,
    "rules.select_set": rules_select_set,
    "ranking.board": ranking_board,
    "ranking.report": ranking_report,
    "ranking.explain": ranking_explain,
    "ranking.page": ranking_page,
    "ranking.leaderboard": ranking_leaderboard,
    "executor.run": executor_run,
}

SLOTS: dict[str, Callable[[str], Any]] = {
    "bool": lambda text: text == "true",
    "int": int,
    "uint": int,
    "double": lambda text: struct.unpack(">d", bytes.fromhex(text))[0],
    "string": str,
    "decimal": Decimal,
    # As text, since a datetime has no nanoseconds.
    "timestamp": lambda text: _moment(int(text) // 10**9, int(text) % 10**9),
    "duration": lambda text: f"{Decimal(text) / 10**9}s",
    "null": lambda _: None,
}


def _policy(case: Case) -> costing.Policy:
    text = case.text("policy")
    return costing.Policy.preset(json.loads(text)) if text.startswith('"') else costing.Policy(text)


def _table(table: object) -> Outcome:
    return {"expected.arrows": comptoir.Table(table).to_ipc()}


def _program(case: Case) -> rules.Program:
    return rules.compile(case.text("source"), rules.Env(**case.object("environment")))


def _event(case: Case) -> Any:
    # A decimal of an event must not become a float on its way.
    return json.loads(case.text("event"), parse_float=Decimal)


def _truth(value: object) -> Outcome:
    assert isinstance(value, bool), value
    return {"expected.txt": "true" if value else "false"}


def _faulty(values: object, result: Any) -> Outcome:
    counted = {
        "faults.arrows": comptoir.Table(result.faults).to_ipc(),
        "expected.txt": str(result.fault_count),
    }
    return {**_table(values), **counted}


def _board(case: Case) -> ranking.Result:
    board = ranking.Board(case.text("spec"), **case.object("context"))
    board.push(case.table("input"))
    second = case.optional_table("input2")
    if second is not None:
        board.push(second)
    return board.finish()


def _page(page: ranking.Page | None) -> list[str]:
    if page is None:
        return ["none"]
    places = [f"{entry.position}\t{entry.item}\t{bits(entry.score)}" for entry in page]
    return [f"{page.total}\t{'yes' if page.next_cursor else 'no'}", *places]


def _image(spec: Mapping[str, Any]) -> dict[str, Any]:
    limits = {f"max_{name}": limit for name, limit in spec.get("limits", {}).items()}
    return {name: value for name, value in spec.items() if name != "limits"} | limits


def _item(case: Case) -> Any:
    if (case.directory / "file.bin").exists():
        return case.bytes("file.bin")
    arrays = {}
    for path in sorted(case.directory.glob("tensor.*.txt")):
        name, dtype, sides = path.read_text().split("\t")
        content = path.with_suffix(".bin").read_bytes()
        arrays[name] = np.frombuffer(content, dtype).reshape([int(side) for side in sides.split()])
    return next(iter(arrays.values())) if len(arrays) == 1 else arrays


def bits(number: float | None) -> str:
    """Give the bits of a number as 16 hexadecimal digits."""
    return "none" if number is None else struct.pack(">d", number).hex()


def as_json(value: Any) -> Any:
    """Give a value of rules as JSON, in the form of protocol buffers."""
    if isinstance(value, Mapping):
        return {str(name): as_json(one) for name, one in value.items()}
    if isinstance(value, list):
        return [as_json(one) for one in value]
    if isinstance(value, float) and not isfinite(value):
        return NAMES.get(value, "NaN")
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        since = value - EPOCH
        return _moment(since // timedelta(seconds=1), since.microseconds * 1000)
    if isinstance(value, timedelta):
        return f"{Decimal(value // timedelta(microseconds=1)) / 10**6}s"
    return value


def _moment(seconds: int, nanos: int) -> str:
    text = (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    digits = f"{nanos:09}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f"{text}.{digits}Z" if digits else f"{text}Z"
