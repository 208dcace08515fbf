"""The case runner: the cases of other systems pass, and every wrong number and malformed file is told."""

import datetime
import importlib
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

CASES = Path(__file__).resolve().parents[1] / "cases"
CASE_FILE = CASES / "costing.yaml"


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
    return {case["id"]: case for case in yaml.safe_load(CASE_FILE.read_text(encoding="utf-8"))}


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


WRONG = [
    ({"value": "5.01"}, "value: expected 5.01 got 5"),
    ({"quantity": "3"}, "quantity: expected 3 got 2"),
    ({"unit_cost": "2.51"}, "unit_cost: expected 2.51 got 2.500000"),
    ({"rounded_unit_cost": {"places": 1, "unit_cost": "2.6"}}, "rounded_unit_cost: expected 2.6 got 2.5"),
    ({"posted": {"issue": ["2.49"]}}, "posted issue: expected [2.49] got [2.50]"),
    ({"costs": {"m2": "2.49"}}, "cost of m2: expected 2.49 got 2.50"),
    ({"unit_costs": {"m2": "2.49"}}, "unit cost of m2: expected 2.49 got 2.5"),
    ({"changes": {"m2": "2.50"}}, "change by m2: expected 2.50 got -2.50"),
    ({"variances": {"m2": "1"}}, "variance of m2: expected 1 got 0.00"),
    ({"corrections": ["1"]}, "corrections: expected [1] got []"),
    ({"reasons": ["late_cost"]}, "reasons: expected [late_cost] got []"),
    ({"quantity_after": ["3"]}, "quantity_after: expected [3] got [3, 2]"),
    ({"value_after": ["7.50", "4.99"]}, "value_after: expected [7.50, 4.99] got [7.5, 5]"),
    ({"layers": [["2", "2.49"]]}, "layers: expected [[2, 2.49]] got [[2, 2.5]]"),
    ({"layers": []}, "layers: expected [] got [[2, 2.5, 2020-01-01, nothing]]"),
    ({"layers_after": [[["3"]], [["3"]]]}, "layers after 2: expected [[3]] got [[2]]"),
    (
        {"ageing": {"as_of": datetime.date(2020, 2, 5), "buckets": [30], "values": ["5", "0"]}},
        "ageing values: expected [5, 0] got [0.00, 5.00]",
    ),
    ({"pool": "B", "value": "5"}, "value of B: expected 5 got 0"),
    ({"rejected": {"m2": "COSTING_AMOUNT"}}, "rejected: expected {m2: COSTING_AMOUNT} got {}"),
    ({"error": "COSTING_POLICY"}, "error: expected COSTING_POLICY got no error"),
]


def test_a_wrong_number_fails_with_both(tmp_path):
    wrong = [simple(id=f"wrong{number}", expect=[expect]) for number, (expect, _) in enumerate(WRONG)]
    outcome = run(write(tmp_path / "wrong.yaml", *wrong))
    assert outcome.returncode == 1
    assert outcome.stdout.splitlines() == [
        *(f"failed wrong{number}: {text}" for number, (_, text) in enumerate(WRONG)),
        f"0 passed, {len(WRONG)} failed, 0 skipped",
    ]


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
        place = max(index for index, part in enumerate(value) if part != [])
        return [*value[:place], bend_layer(value[place]), *value[place + 1 :]]
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


MALFORMED = [
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
]


@pytest.fixture
def reader(monkeypatch):
    """The reader of case files, as the runner imports it."""
    monkeypatch.syspath_prepend(str(CASES))
    return importlib.import_module("_format")


@pytest.mark.parametrize(("changes", "text"), MALFORMED)
def test_a_malformed_file_is_named_with_case_and_field(tmp_path, reader, changes, text):
    with pytest.raises(reader.FormatError, match=re.escape(text)) as raised:
        reader.read_file(write(tmp_path / "malformed.yaml", simple(**changes)))
    assert "malformed.yaml" in str(raised.value)


def test_files_that_are_no_case_files(tmp_path, reader):
    with pytest.raises(reader.FormatError, match=r"absent\.yaml"):
        reader.read_file(tmp_path / "absent.yaml")
    with pytest.raises(reader.FormatError, match="there is another case of this id"):
        reader.read_file(write(tmp_path / "twice.yaml", simple(), simple()))
    path = tmp_path / "repeated.yaml"
    path.write_text("- {id: a, id: b}", encoding="utf-8")
    with pytest.raises(reader.FormatError, match="the key `id` is repeated"):
        reader.read_file(path)


def test_a_malformed_file_has_an_exit_status_of_its_own(tmp_path):
    outcome = run(CASE_FILE, write(tmp_path / "malformed.yaml", simple(polcy={})))
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert "case `simple`: unknown field `polcy`" in outcome.stderr


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


def test_moves_are_as_they_are_written(tmp_path):
    morning = datetime.datetime(2021, 1, 1, 9)
    moves = [
        {
            "kind": "receipt",
            "quantity": "1",
            "amount": "2",
            "id": "r",
            "at": morning,
        },
        {
            "kind": "receipt",
            "quantity": "1",
            "amount": "3",
            "id": "r",
            "at": morning,
        },
        {"kind": "issue", "quantity": "1", "at": datetime.date(2021, 1, 1), "item": "other"},
        {"kind": "sales_return", "quantity": "1", "ref": "nobody"},
        {"kind": "gift", "quantity": "1"},
    ]
    expect = {
        "value": "2",
        "rejected": {
            "m2": "COSTING_DUPLICATE_ID",
            "m3": "COSTING_NEGATIVE_STOCK",
            "m4": "COSTING_REFERENCE_UNKNOWN",
            "m5": "COSTING_UNKNOWN_KIND",
        },
    }
    outcome = run(write(tmp_path / "moves.yaml", simple(moves=moves, expect=[expect])))
    assert outcome.stdout.splitlines()[0] == "passed simple"
