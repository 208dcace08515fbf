"""The runner of ranking cases: all cases pass, and every wrong value and malformed line is told."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CASES = Path(__file__).resolve().parents[1] / "cases"
CASE_FILE = CASES / "ranking.jsonl"


def run(*files):
    """Run the case runner as a user does."""
    command = [sys.executable, str(CASES / "ranking.py"), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def write(path, *cases):
    path.write_text("\n".join(case if isinstance(case, str) else json.dumps(case) for case in cases))
    return path


def rank_case(**changes):
    given = {"values": [3, 1, 2], "method": "min", "order": "asc"}
    return {"kind": "rank", "input": given, "expected": [3, 1, 2]} | changes


def test_all_own_cases_pass():
    outcome = run(CASE_FILE)
    lines = outcome.stdout.splitlines()
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert lines[-1] == f"{len(lines) - 1} passed, 0 failed, 0 skipped"
    assert len(lines) > 40


def test_the_cases_of_other_systems_pass(shared):
    outcome = run(shared("cases/ranking.jsonl"))
    lines = outcome.stdout.splitlines()
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert lines[-1] == "52 passed, 0 failed, 2 skipped"
    assert [line for line in lines if line.startswith("skipped")] == [
        "skipped 49 rank_from_score_real: the case has scores, but no ranks to compare with",
        "skipped 54 calibration_kl: comptoir has nothing that is called `calibration_kl`",
    ]


def bent(value):
    """The same with another number or text at its end."""
    if isinstance(value, dict):
        name = list(value)[-1]
        return value | {name: bent(value[name])}
    if isinstance(value, list):
        return [*value[:-1], bent(value[-1])] if value else [1]
    if isinstance(value, str):
        return value + "?"
    return 1 if value is None else value + 1


def test_every_own_case_fails_when_it_is_bent(tmp_path):
    cases = [json.loads(line) for line in CASE_FILE.read_text(encoding="utf-8").splitlines()]
    wrong = [case | {"expected": bent(case["expected"])} for case in cases]
    outcome = run(write(tmp_path / "bent.jsonl", *wrong))
    assert outcome.returncode == 1, outcome.stderr
    assert [line for line in outcome.stdout.splitlines() if line.startswith("passed")] == []


def test_lines_say_what_was_expected_and_found(tmp_path):
    wrong = rank_case(expected=[1, 2, 3])
    unknown = {"kind": "tarot", "input": {}, "expected": 1}
    more = rank_case(input=rank_case()["input"] | {"pct": True}, id="share")
    refused = rank_case(input={"values": [1], "method": "best"})
    outcome = run(write(tmp_path / "all.jsonl", rank_case(), "", wrong, unknown, more, refused))
    assert outcome.returncode == 1
    assert outcome.stdout.splitlines() == [
        "passed 1 rank",
        "FAILED 3 rank: ranks: expected [1, 2, 3], found [3, 1, 2]",
        "skipped 4 tarot: comptoir has nothing that is called `tarot`",
        "skipped share: comptoir has nothing for `pct`",
        "FAILED 6 rank: RANKING_NAME: `best` is no rank method: "
        "use one of ordinal, min, max, dense, average, percent, random",
        "1 passed, 2 failed, 2 skipped",
    ]


def test_floats_within_the_tolerance_of_the_note(tmp_path):
    case = {"kind": "hn_decay", "input": [{"votes": 100, "age_hours": 5}], "expected": [2.9817]}
    outcome = run(write(tmp_path / "near.jsonl", case, case | {"note": "tolerance 1e-4"}))
    assert [line.split()[0] for line in outcome.stdout.splitlines()] == ["FAILED", "passed", "1"]


MALFORMED = [
    ("[1]", "line 2: expected an object, found `[1]`"),
    ("{", "line 2: no JSON: "),
    ('{"kind": "rank", "input": {}}', "line 2: the field `expected` is missing"),
    ('{"kind": 1, "input": {}, "expected": 1}', "line 2: `kind` must be text, found `1`"),
    ('{"kind": "rank", "input": {}, "expected": 1}', "line 2: rank: the field `values` is missing"),
    ('{"kind": "rank", "input": {"values": 3}, "expected": 1}', "line 2: rank: expected a list of values"),
    ('{"kind": "mrr", "input": {"ranked": 1, "relevant": 2}, "expected": 1}', "line 2: mrr: ArgumentError"),
]


@pytest.mark.parametrize(("line", "text"), MALFORMED)
def test_a_malformed_line_is_named(tmp_path, line, text):
    outcome = run(write(tmp_path / "malformed.jsonl", rank_case(), line, rank_case()))
    lines = outcome.stdout.splitlines()
    assert outcome.returncode == 1, outcome.stderr
    assert lines[1].startswith("FAILED ")
    assert "malformed.jsonl, " + text in lines[1]
    assert [lines[0], *lines[2:]] == ["passed 1 rank", "passed 3 rank", "2 passed, 1 failed, 0 skipped"]


def test_files_that_are_no_case_files(tmp_path):
    assert run(tmp_path / "none.jsonl").returncode == 2
    (tmp_path / "photo").write_bytes(b"\xff\xd8")
    assert run(tmp_path / "photo").returncode == 2
    assert run().returncode == 2
    assert run("--help").returncode == 0
