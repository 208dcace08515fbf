"""Rule sets from Python: events, tables, comparison, explanation, tables of decisions."""

import json
from datetime import datetime, timezone
from decimal import Decimal
from types import SimpleNamespace

import polars
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import comptoir
from comptoir import rules

GUARD = """
name: guard
version: VERSION
environment:
  types: {Line: {sku: string, qty: int, price: decimal, floor: decimal}}
  variables: {line: Line}
variables:
  - {name: least, expression: "line.floor * decimal('SHARE')"}
outputs: {action: string, short: decimal}
hit_policy: POLICY
rules:
  - {id: zero, when: "line.price == decimal('0')", outputs: {action: block}}
  - id: below
    when: line.price > decimal('0') && line.price < variables.least
    outputs: {action: review, short: {cel: "line.floor - line.price"}}
  - {id: many, when: "100 / line.qty < 1", outputs: {action: review}}
  - {id: dear, when: "line.price > decimal('1000')", outputs: {action: look}, mode: shadow}
"""


def guard(version="1", share="0.9", policy="first"):
    text = GUARD.replace("VERSION", version).replace("SHARE", share).replace("POLICY", policy)
    return rules.RuleSet.load(text)


def line(price, floor="10.00", qty=1, sku="a"):
    return {"line": {"sku": sku, "qty": qty, "price": Decimal(price), "floor": Decimal(floor)}}


def table_of(events):
    kinds = {
        "sku": pa.string(),
        "qty": pa.int64(),
        "price": pa.decimal128(12, 2),
        "floor": pa.decimal128(12, 2),
    }
    columns = {
        name: pa.array([event["line"][name] for event in events], kind) for name, kind in kinds.items()
    }
    return pa.table({f"line.{name}": column for name, column in columns.items()})


def test_a_decision_by_policy():
    event = line("8.50", qty=500)
    first = guard().decide(event)
    assert (first.fired, first.outputs) == (["below"], {"action": "review", "short": Decimal("1.50")})
    all_of = guard(policy="all").decide(event)
    assert all_of.outputs == [
        {"rule": "below", "outputs": {"action": "review", "short": Decimal("1.50")}},
        {"rule": "many", "outputs": {"action": "review"}},
    ]
    collected = guard(policy="collect").decide(event)
    assert collected.outputs == {"action": ["review", "review"], "short": [Decimal("1.50")]}
    assert collected.fired == ["below", "many"]


def test_a_decision_says_who_decided_and_what_failed():
    rule_set = guard(policy="all")
    decision = rule_set.decide(line("2000", qty=0))
    assert (decision.version, decision.hash) == ("1", rule_set.hash)
    assert (decision.fired, decision.shadow) == ([], ["dear"])
    assert decision.shadow_outputs == [{"rule": "dear", "outputs": {"action": "look"}}]
    assert [(fault.rule, fault.code) for fault in decision.faults] == [("many", "RULES_DIVIDE_BY_ZERO")]
    shown = json.loads(decision.to_json())
    assert shown["faults"] == [
        {"rule": "many", "code": "RULES_DIVIDE_BY_ZERO", "message": "division by zero"}
    ]
    assert set(shown) == {"fired", "outputs", "shadow", "shadow_outputs", "faults", "version", "hash"}


def test_an_event_may_be_an_object():
    event = SimpleNamespace(line=SimpleNamespace(sku="a", qty=1, price=0, floor="10"))
    assert guard().decide(event).outputs == {"action": "block"}


@settings(deadline=None, max_examples=40)
@given(
    prices=st.lists(st.sampled_from(["0", "5.00", "8.99", "9.50", "2000"]), min_size=1, max_size=8),
    quantities=st.lists(st.sampled_from([0, 1, 101]), min_size=8, max_size=8),
    policy=st.sampled_from(["first", "all", "collect", "priority"]),
)
def test_a_table_gives_what_its_rows_give(prices, quantities, policy):
    rule_set = guard(policy=policy)
    events = [line(price, qty=qty) for price, qty in zip(prices, quantities, strict=False)]
    decisions = rule_set.decide_batch(table_of(events))
    single = [rule_set.decide(event) for event in events]
    columns = pa.table(decisions).to_pydict()
    assert columns["fired"] == [decision.fired for decision in single]
    assert columns["shadow"] == [decision.shadow for decision in single]
    if policy in ("first", "priority"):
        assert columns["short"] == [decision.outputs.get("short") for decision in single]
        assert columns["action"] == [decision.outputs.get("action") for decision in single]
    assert decisions.fault_count == sum(len(decision.faults) for decision in single)
    selected = rule_set.select(table_of(events)).rows.to_pydict()["row"]
    assert selected == [row for row, decision in enumerate(single) if decision.fired]


def test_chunks_are_kept_and_counted():
    parts = [table_of([line("0"), line("20", qty=0)]), table_of([line("20", qty=0), line("1")])]
    decisions = guard().decide_batch(pa.concat_tables(parts))
    assert len(decisions) == 4
    assert pa.table(decisions)["fired"].num_chunks == 2
    assert [fault["row"] for fault in decisions.faults.to_pylist()] == [1, 2]
    assert guard().select(polars.DataFrame(pa.concat_tables(parts))).rows.to_pydict() == {"row": [0, 3]}


def test_shared_variables():
    rule_set = rules.RuleSet.load(
        {
            "environment": {"variables": {"price": "double", "now": "timestamp"}},
            "at": "now",
            "rules": [{"id": "sale", "when": "price > 1.0", "valid_from": "2026-11-27T00:00:00Z"}],
        }
    )
    table = pa.table({"price": [0.5, 2.0]})
    before, after = datetime(2026, 11, 26, tzinfo=timezone.utc), datetime(2026, 11, 28, tzinfo=timezone.utc)
    assert rule_set.select(table, now=before).rows.to_pydict() == {"row": []}
    assert rule_set.select(table, now=after).rows.to_pydict() == {"row": [1]}


def test_a_comparison_over_recorded_events():
    events = [line("9.20"), line("9.60"), line("0"), line("8.00")]
    old, new = guard(), guard("2", "0.95")
    for amount in ("line.price", "line.price * decimal('1')"):
        diff = old.diff(new, table_of(events), amount=amount)
        assert (diff.events, diff.changed, diff.amount) == (4, 1, Decimal("9.20"))
        change = diff.rules["below"]
        assert (change.gained, change.lost, change.samples) == (1, 0, [0])
        assert diff.outputs["action"].samples == [rules.Sample(0, None, "review")]
    assert (diff.before[0], diff.after) == ("1", ("2", new.hash))
    assert old.diff(old, table_of(events)).changed == 0


def test_why_and_why_not():
    event = line("9.20", qty=0)
    traces = {trace.id: trace for trace in guard().explain(event)}
    assert traces["zero"].truth is False
    assert (traces["many"].truth, traces["many"].fault) == (None, "division by zero")
    below = traces["below"].clauses
    assert (below[0].text, below[0].truth) == ('line.price > decimal("0")', True)
    assert below[1].values == {"line.price": Decimal("9.20"), "variables.least": Decimal("9.00")}
    assert [trace.id for trace in guard().decide(event).trace()] == ["zero", "below", "many", "dear"]
    why = guard().why_not("below", event)
    assert (why.reason, why.behind, why.rule.id) == ("false", None, "below")
    assert guard().why_not("many", line("0", qty=200)).behind == "zero"
    with pytest.raises(comptoir.ConfigError) as caught:
        guard().why_not("nobody", event)
    assert caught.value.code == "RULES_UNKNOWN_RULE"


def test_forms_of_a_set(tmp_path):
    spec = {
        "name": "fees",
        "environment": {"variables": {"kind": "string", "weight": "int"}},
        "hit_policy": "first",
        "tables": [{"id": "fee", "csv": "fee.csv"}],
    }
    csv = "kind,weight,=> fee\nstandard,< 10,5\nexpress,< 10,9\n"
    (tmp_path / "fee.csv").write_text(csv)
    (tmp_path / "set.json").write_text(json.dumps(spec))
    from_file = rules.RuleSet.load(tmp_path / "set.json")
    inline = rules.RuleSet.load({**spec, "tables": [{"id": "fee", "csv": csv}]})
    assert from_file.hash == inline.hash
    assert from_file.decide({"kind": "express", "weight": 3}).outputs == {"fee": 9}
    assert rules.RuleSet.load(str(tmp_path / "set.json")).rules == ["fee#1", "fee#2"]
    (report,) = from_file.tables
    assert (report.id, report.is_complete, report.opaque) == ("fee", True, [])
    assert {finding.kind for finding in report.findings} == {"gap"}
    (tmp_path / "fee.csv").unlink()
    with pytest.raises(comptoir.RuleConfigError) as caught:
        rules.RuleSet.load(tmp_path / "set.json")
    assert caught.value.path == "tables[0].csv"
    with pytest.raises(FileNotFoundError):
        rules.RuleSet.load(tmp_path / "nothing.yaml")


def test_overlaps_are_reported():
    table = {"id": "t", "inputs": ["a"], "outputs": ["x"], "rows": [[">= 0", 1], ["> 5", 2], ["< 0", 3]]}
    spec = {"environment": {"variables": {"a": "int"}}, "hit_policy": "first", "tables": [table]}
    (report,) = rules.RuleSet.load(spec).tables
    assert {(finding.kind, tuple(finding.rows)) for finding in report.findings} == {
        ("overlap", (1, 2)),
        ("shadowed", (2,)),
    }


def test_a_cel_policy():
    policy = """
name: access
rule:
  match:
    - condition: user.level > 5
      output: "'all'"
    - output: "'none'"
"""
    environment = {"types": {"User": {"level": "int"}}, "variables": {"user": "User"}}
    rule_set = rules.RuleSet.load(policy, environment=environment)
    assert rule_set.decide({"user": {"level": 6}}).outputs == {"output": "all"}
    assert rule_set.decide({"user": {"level": 1}}).outputs == {"output": "none"}


def test_a_set_says_what_it_is():
    rule_set = guard()
    assert (rule_set.name, rule_set.version, len(rule_set)) == ("guard", "1", 4)
    assert rule_set.inputs["line.price"] == "decimal"
    assert rule_set.memory.index > 0
    assert repr(rule_set) == f"RuleSet('guard', version '1', 4 rules, {rule_set.hash})"
    assert guard().hash == rule_set.hash != guard("2").hash
