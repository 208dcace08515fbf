"""The cases against their sources: no number of another system is bent, and the documentation names them."""

import datetime
import json
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from comptoir import costing

CASE_FILE = Path(__file__).resolve().parents[1] / "cases" / "costing.yaml"

PLAIN_KINDS = {
    "in": ("receipt", "transfer_in"),
    "out": ("issue", "transfer_out"),
    "amend": ("amendment",),
    "purchase_return": ("purchase_return",),
    "sales_return": ("sales_return",),
    "re_return": ("reversal",),
    "set": ("count",),
    "set_standard": ("revaluation",),
    "state": ("opening",),
    "landed_cost": ("cost_adjustment",),
    "price_diff": ("cost_adjustment",),
}
METHODS = {
    "fifo_specific": {"method": "specific"},
    "moving_average_per_batch": {"method": "moving_average", "scope": "lot"},
}


@pytest.fixture(scope="module")
def cases():
    """All cases of the file, by id."""
    return {case["id"]: case for case in yaml.safe_load(CASE_FILE.read_text(encoding="utf-8"))}


@pytest.fixture
def sources(shared):
    """The cases as they were collected, by id."""
    lines = shared("cases/costing.jsonl").read_text(encoding="utf-8").splitlines()
    return {case["id"]: case for case in map(json.loads, lines)}


def test_every_source_is_a_case(cases, sources):
    assert sorted(cases) == sorted(sources)


def test_policies_have_the_method_of_the_source(cases, sources):
    for name, source in sources.items():
        chosen = dict(cases[name]["policy"])
        preset = chosen.pop("preset", None)
        policy = (costing.Policy.preset(preset) if preset else costing.Policy()).to_dict() | chosen
        wanted = METHODS.get(source["method"], {"method": source["method"]})
        if source["method"] == "switch":
            assert "switch" in chosen, name
        elif source["method"] != "ageing":
            assert {field: policy[field] for field in wanted} == wanted, name


def test_movements_are_those_of_the_source(cases, sources):
    for name, source in sources.items():
        found = [
            move
            for move in cases[name]["moves"]
            for _ in range(int(move.get("repeat", 1)))
            if "added" not in move
        ]
        wanted = [part for move in source["moves"] for part in source_moves(move)]
        assert len(found) == len(wanted), name
        pairs = list(zip(wanted, found, strict=True))
        for number, (expected, move) in enumerate(pairs, start=1):
            compare_move(f"{name}, move {number}", expected, move)
        days = [(expected["day"], move["at"]) for expected, move in pairs if "day" in expected]
        assert relative_days(day for day, _ in days) == relative_days(at for _, at in days), name


def source_moves(move):
    """A movement of the source with its fields named as here; a transfer is two."""
    parts = {
        "kinds": PLAIN_KINDS.get(move["t"]),
        "quantity": move.get("qty", move.get("ref_qty")),
        "unit_cost": move.get("rate"),
        "amount": move.get("amount", move.get("value")),
        "ref": move.get("ref"),
        "pool": move.get("wh"),
        "lot": move.get("batch"),
    }
    if "day" in move:
        parts["day"] = move["day"]
    if move["t"] == "transfer":
        yield parts | {"kinds": ("transfer_out",), "pool": move["src"]}
        yield parts | {"kinds": ("transfer_in",), "pool": move["dst"], "ref": None}
    elif "layers" in move:
        for quantity, unit_cost in move["layers"]:
            yield parts | {"quantity": quantity, "unit_cost": unit_cost}
    else:
        yield parts


def compare_move(place, expected, move):
    assert move["kind"] in expected["kinds"], place
    for field in ("quantity", "unit_cost", "amount"):
        if field == "unit_cost" and move["kind"] in ("transfer_in", "issue"):
            continue  # what comes or goes here has the cost that the method gives it
        found = move.get(field)
        assert (found and Decimal(found)) == (expected[field] and Decimal(expected[field])), (
            f"{place}: {field}"
        )
    assert move.get("pool") == expected["pool"], place
    if not move["kind"].startswith("transfer"):
        assert move.get("ref") == expected["ref"], place
    if expected["lot"] is not None:
        # The batches N1 to N4 are pooled: they have no lot.
        assert move.get("lot") == (None if expected["lot"].startswith("N") else expected["lot"]), place


def relative_days(days):
    """Days after the first one, of day numbers or dates."""
    numbers = [
        day if isinstance(day, int) else datetime.date.fromisoformat(str(day)).toordinal() for day in days
    ]
    return [number - numbers[0] for number in numbers]


# Where the number of a source stands: fields of an expectation in which it may be found.
PLACES = {
    "qty": ["quantity"],
    "total_qty": ["quantity"],
    "value": ["value"],
    "value_before_out": ["value"],
    "value_after_issue": ["value"],
    "per_warehouse_value": ["value"],
    "per_item_value": ["value"],
    "rate": ["unit_cost", "unit_costs"],
    "rate_F_before": ["unit_cost"],
    "rate_F_after": ["unit_cost"],
    "incoming_F_after": ["unit_costs"],
    "return_rate_after": ["unit_costs"],
    "out_rate_after": ["unit_costs"],
    "rate_2dp": ["rounded_unit_cost.unit_cost"],
    "rate_2dp_after_in": ["rounded_unit_cost.unit_cost"],
    "odoo_rounding_adjustment": ["rounded_unit_cost.difference"],
    "out_values": ["posted.issue"],
    "return_values": ["posted.sales_return"],
    "out_value_before": ["costs"],
    "out_value_after": ["costs"],
    "return_before": ["costs"],
    "return_after": ["costs"],
    "return_value_before": ["costs"],
    "return_value_after": ["costs"],
    "fifo_head_return": ["costs"],
    "origin_return": ["costs"],
    "corrections": ["corrections"],
    "changes": ["changes"],
    "total": ["sum of changes"],
    "diff_last": ["changes"],
    "value_after": ["value_after"],
    "value_after_in": ["value_after"],
    "layers": ["layers"],
    "layers_final": ["layers"],
    "layers_after": ["layers_after"],
    "queue_qty": ["layers"],
    "queue": ["layers"],
    "head_qty": ["first layer"],
    "as_of": ["ageing.as_of"],
    "ranges": ["ageing.buckets"],
    "buckets_value": ["ageing.values"],
    "buckets_qty_value": ["ageing buckets"],
    "left_in_transfer": ["layers with value"],
}
FINAL = {"qty", "value", "total_qty"}
SETTINGS = {"after", "policy"}


def test_expected_numbers_are_those_of_the_source(cases, sources):
    for name, source in sources.items():
        wanted = {key: value for key, value in source["expect"].items() if not key.startswith("bug_")}
        for key, value in wanted.items():
            checks = [
                expect for expect in cases[name]["expect"] if key not in FINAL or not SETTINGS & expect.keys()
            ]
            found = [
                numbers for expect in checks for place in PLACES[key] for numbers in candidates(expect, place)
            ]
            assert plain(value, key) in found, f"{name}: {key} = {value} is not among {found}"


def candidates(expect, place):
    """What an expectation gives at a place, as comparable values: whole, and each value of a mapping."""
    if place == "sum of changes":
        return [[sum(map(Decimal, expect.get("changes", {}).values()))]]
    if place == "first layer":
        return [plain(layers[0][0]) for layers in [expect.get("layers")] if layers]
    if place == "ageing buckets":
        ageing = expect.get("ageing", {})
        pairs = zip(ageing.get("quantities", []), ageing.get("values", []), strict=True)
        return [plain([number for pair in pairs for number in pair])]
    if place == "layers with value":
        return [
            plain([[quantity, day, str(Decimal(quantity) * Decimal(cost))]])
            for quantity, cost, day, *_ in full_layers(expect)
        ]
    value = expect
    for part in place.split("."):
        value = value.get(part, {}) if isinstance(value, dict) else {}
    if isinstance(value, dict):
        return [plain(part) for part in value.values()] + ([plain(list(value.values()))] if value else [])
    return [plain(value)]


def full_layers(expect):
    return [layer for layer in expect.get("layers", []) if len(layer) >= 3]


def plain(value, key=""):
    """Numbers and dates as a flat list, batches left out, so that both ways of writing compare."""
    if key == "queue":
        return [part for entry in value for part in plain_queue(entry)]
    if isinstance(value, list):
        return [flat for part in value for flat in plain(part)]
    return [number(value)]


def plain_queue(entry):
    """A slot of a queue as its layer: [quantity, date], or [batch, quantity, date, value]."""
    if len(entry) == 2:
        quantity, day = entry
        return [number(quantity), number("0"), day]
    batch, quantity, day, value = entry
    lot = None if batch.startswith("N") else batch
    return [number(quantity), Decimal(value) / Decimal(quantity), day, lot]


def number(value):
    """A number as a decimal, anything else as text."""
    try:
        return Decimal(str(value))
    except ArithmeticError:
        return None if value is None else str(value)


# The documentation of the presets.


def test_the_table_of_systems_shows_the_presets(root):
    lines = (root / "docs" / "systems.md").read_text(encoding="utf-8").splitlines()
    rows = [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("|")
    ]
    start = next(index for index, row in enumerate(rows) if row[0] == "choice")
    names = [name.split("`")[0] for name in rows[start][1:]]
    assert sorted(names) == sorted(costing.presets())
    for row in rows[start + 2 : start + 13]:
        for name, shown in zip(names, row[1:], strict=True):
            policy = costing.Policy.preset(name).to_dict()
            field, _, direction = row[0].replace("`", "").partition(", ")
            found = policy[field][direction] if direction else policy[field]
            assert shown == found, (name, row[0])


def test_systems_names_every_case(root, cases):
    text = (root / "docs" / "systems.md").read_text(encoding="utf-8")
    patterns = [part for part in text.split("`") if part.endswith("*")]
    missing = [
        name
        for name in cases
        if f"`{name}`" not in text and not any(name.startswith(pattern[:-1]) for pattern in patterns)
    ]
    assert missing == []
