"""The cases of other systems: they pass, their numbers are those of the sources, and the runner tells when not."""

import json
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from comptoir import costing

CASES = Path(__file__).resolve().parents[1] / "cases"
CASE_FILE = CASES / "costing.yaml"

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


def run(*files):
    """Run the case runner as a user does."""
    command = [sys.executable, str(CASES / "costing.py"), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def write(path, *cases):
    path.write_text(yaml.safe_dump(list(cases)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def cases():
    """All cases of the file, by id."""
    entries = yaml.load(CASE_FILE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    return {entry["id"]: entry for entry in entries}


@pytest.fixture
def sources(shared):
    """The cases as their collector wrote them down, by id."""
    lines = shared("cases/costing.jsonl").read_text(encoding="utf-8").splitlines()
    return {case["id"]: case for case in map(json.loads, lines)}


def simple(**changes):
    case = {
        "id": "simple",
        "policy": {"method": "fifo"},
        "moves": [
            {"kind": "receipt", "quantity": "3", "unit_cost": "2.50"},
            {"kind": "issue", "quantity": "1"},
        ],
        "expect": [{"quantity": "2", "value": "5.00"}],
    }
    return case | changes


def test_all_cases_pass(cases):
    outcome = run(CASE_FILE)
    lines = outcome.stdout.splitlines()
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    skipped = [case for case in cases.values() if "skip" in case]
    assert lines[-1] == f"{len(cases) - len(skipped)} passed, 0 failed, {len(skipped)} skipped"
    assert len(lines) == len(cases) + 1


@pytest.mark.parametrize(
    ("expect", "text"),
    [
        ({"value": "5.01"}, "value: expected 5.01 got 5"),
        ({"quantity": "3"}, "quantity: expected 3 got 2"),
        ({"unit_cost": "2.51"}, "unit_cost: expected 2.51 got 2.5"),
        ({"posted": {"issue": ["2.49"]}}, "posted issue: expected [2.49] got [2.50]"),
        ({"costs": {"m2": "2.49"}}, "cost of m2: expected 2.49 got 2.5"),
        ({"changes": {"m2": "2.50"}}, "change by m2: expected 2.50 got -2.5"),
        ({"corrections": ["1"]}, "corrections: expected [1] got []"),
        ({"value_after": ["7.50", "4.99"]}, "value_after: expected [7.50, 4.99] got [7.5, 5]"),
        ({"layers": [["2", "2.49"]]}, "layers: expected [[2, 2.49]] got [[2, 2.5]]"),
        ({"layers": []}, "layers: expected [] got [[2, 2.5, 2020-01-01, nothing]]"),
        (
            {"rejected": {"m2": "COSTING_NEGATIVE_STOCK"}},
            "rejected: expected {m2: COSTING_NEGATIVE_STOCK} got {}",
        ),
        ({"error": "COSTING_POLICY"}, "error: expected COSTING_POLICY got no error"),
    ],
)
def test_a_wrong_number_fails_with_both(tmp_path, expect, text):
    outcome = run(write(tmp_path / "wrong.yaml", simple(expect=[expect])))
    failed, last = outcome.stdout.splitlines()
    assert outcome.returncode == 1
    assert last == "0 passed, 1 failed, 0 skipped"
    assert failed == f"failed simple: {text}"


def test_every_case_fails_when_its_numbers_are_bent(cases, tmp_path):
    bent = [case | {"expect": [bend(expect) for expect in case["expect"]]} for case in cases.values()]
    outcome = run(write(tmp_path / "bent.yaml", *bent))
    passed = [line for line in outcome.stdout.splitlines() if line.startswith("passed")]
    assert outcome.returncode == 1, outcome.stderr
    assert passed == []


def bend(expect):
    """Change the last number of an expectation by the smallest step that it shows."""
    settings = ("after", "without", "policy", "item", "pool", "lot", "reasons")
    checks = [name for name in expect if name not in settings and expect[name] != []]
    return expect | {checks[-1]: bend_last(expect[checks[-1]])} if checks else expect


def bend_last(value):
    if isinstance(value, dict):
        name = [name for name in value if name not in ("as_of", "oldest", "places")][-1]
        return value | {name: bend_last(value[name])}
    if isinstance(value, list):
        # The last layer that is not empty; of a layer the quantity.
        place = max(index for index, part in enumerate(value) if part != [])
        if isinstance(value[place], str):
            place = 0 if len(value) > 1 and "-" in value[-1][1:] else place
        return value[:place] + [bend_layer(value[place])] + value[place + 1 :]
    number = Decimal(value)
    return str(number + Decimal(1).scaleb(number.as_tuple().exponent))


def bend_layer(value):
    is_layer = isinstance(value, list) and isinstance(value[0], str)
    return [bend_last(value[0]), *value[1:]] if is_layer else bend_last(value)


def test_rejections_must_be_expected(tmp_path):
    moves = [
        {"kind": "receipt", "quantity": "1", "unit_cost": "2"},
        {"kind": "issue", "quantity": "2", "id": "big"},
    ]
    silent = simple(id="silent", moves=moves, expect=[{"value": "2"}])
    expected = simple(moves=moves, expect=[{"value": "2", "rejected": {"big": "COSTING_NEGATIVE_STOCK"}}])
    outcome = run(write(tmp_path / "rejected.yaml", silent, expected))
    assert outcome.stdout.splitlines() == [
        "failed silent: rejected: expected {} got {big: COSTING_NEGATIVE_STOCK}",
        "passed simple",
        "1 passed, 1 failed, 0 skipped",
    ]


def test_refused_calls_and_skipped_cases(tmp_path):
    wrong = simple(policy={"method": "hifo"})
    refused = simple(id="refused", policy={"method": "hifo"}, expect=[{"error": "COSTING_POLICY"}])
    skipped = simple(id="skipped", skip="no policy explains it")
    outcome = run(write(tmp_path / "policy.yaml", wrong, refused, skipped))
    lines = outcome.stdout.splitlines()
    assert lines[0].startswith("failed simple: error: expected no error got COSTING_POLICY (")
    assert lines[1:] == [
        "passed refused",
        "skipped skipped: no policy explains it",
        "1 passed, 1 failed, 1 skipped",
    ]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"polcy": {}}, "case `simple`: unknown field `polcy`"),
        ({"moves": [{"kind": "receipt", "qty": "1"}]}, "case `simple`: moves[1]: unknown field `qty`"),
        ({"moves": [{"quantity": "1"}]}, "case `simple`: moves[1].kind: expected text, found `None`"),
        (
            {"moves": [{"kind": "issue", "quantity": "1e3"}]},
            "moves[1].quantity: expected a decimal number, found `1e3`",
        ),
        (
            {"moves": [{"kind": "issue", "at": "soon"}]},
            "moves[1].at: expected a date or a time, found `soon`",
        ),
        ({"expect": []}, "case `simple`: expect: a case that expects nothing cannot pass"),
        ({"expect": [{"after": 1}]}, "case `simple`: expect[1]: expected at least one of quantity"),
        ({"expect": [{"after": 3, "value": "1"}]}, "expect[1].after: the case has 2 moves, found 3"),
        ({"expect": [{"costs": {"m7": "1"}}]}, "case `simple`: expect[1]: no move is called `m7`"),
        (
            {"expect": [{"layers": [["1", "x"]]}]},
            "expect[1].layers[1]: expected a layer [quantity, unit cost, date, lot]",
        ),
    ],
)
def test_a_malformed_file_is_named_with_case_and_field(tmp_path, changes, text):
    outcome = run(write(tmp_path / "malformed.yaml", simple(**changes)))
    assert outcome.returncode == 2
    assert outcome.stdout == ""
    assert text in outcome.stderr
    assert "malformed.yaml" in outcome.stderr


def test_files_that_are_no_case_files(tmp_path):
    absent = run(tmp_path / "absent.yaml")
    assert (absent.returncode, "absent.yaml" in absent.stderr) == (2, True)
    twice = run(write(tmp_path / "twice.yaml", simple(), simple()))
    assert (twice.returncode, "there is another case of this id" in twice.stderr) == (2, True)
    path = tmp_path / "repeated.yaml"
    path.write_text("- {id: a, id: b}", encoding="utf-8")
    assert "the key `id` is repeated" in run(path).stderr


def test_numbers_need_no_quotes(tmp_path):
    path = tmp_path / "unquoted.yaml"
    path.write_text(
        "- id: tenths\n"
        "  moves:\n"
        "    - {kind: receipt, quantity: 0.3, unit_cost: 0.1, at: 2021-01-01 10:00:00}\n"
        "    - {kind: issue, quantity: 0.1, repeat: 3}\n"
        "  expect: [{quantity: 0, value: 0.00, posted: {issue: [0.01, 0.01, 0.01]}}]\n",
        encoding="utf-8",
    )
    assert run(path).stdout.splitlines() == ["passed tenths", "1 passed, 0 failed, 0 skipped"]


# The cases against their sources.


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
    days = list(days)
    numbers = [day if isinstance(day, int) else int(yaml_date(day)) for day in days]
    return [number - numbers[0] for number in numbers]


def yaml_date(text):
    return yaml.safe_load(text).toordinal()


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
    lot = "null" if batch.startswith("N") else batch
    return [number(quantity), Decimal(value) / Decimal(quantity), day, lot]


def number(value):
    try:
        return Decimal(str(value))
    except ArithmeticError:
        return value


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
    patterns = Counter(part for part in text.split("`") if part.endswith("*"))
    missing = [
        name
        for name in cases
        if f"`{name}`" not in text and not any(name.startswith(pattern[:-1]) for pattern in patterns)
    ]
    assert missing == []
