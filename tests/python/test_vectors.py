"""Every case of `tests/vectors` through the Python API gives what it gives in every host."""

import json
from pathlib import Path

import pytest

import comptoir
from vector_calls import CALLS, Case, run

ROOT = Path(__file__).resolve().parents[1] / "vectors"
CASES = [Case(path.parent) for path in sorted(ROOT.glob("*/*/call"))]

KINDS: dict[str, type[comptoir.Error]] = {
    "schema": comptoir.SchemaError,
    "data": comptoir.DataError,
    "config": comptoir.ConfigError,
    "limit": comptoir.LimitError,
    "storage": comptoir.StorageError,
    "overloaded": comptoir.OverloadedError,
    "timeout": comptoir.DeadlineError,
    "cancelled": comptoir.CancelledError,
    "unavailable": comptoir.UnavailableError,
    "internal": comptoir.InternalError,
}

# What Python has no words for, and why. Everything else runs.
LACKING: dict[str, str] = {
    "costing/error-booked": "only `provision` has a parameter `booked`",
    "costing/error-policy-empty": "text may be YAML, and empty YAML is a policy of defaults",
    "costing/error-request-field": "each table is a method with parameters",
    "costing/error-request-json": "each table is a method with parameters",
    "costing/error-request-unknown": "each table is a method with parameters",
    "executor/error-bytes": "an array has as many bytes as its shape says",
    "executor/error-config-field": "settings are keywords",
    "executor/error-config-json": "settings are keywords",
    "executor/error-no-image": "bytes without a `preprocess` are refused as no array",
    "executor/error-no-kind": "a model is an argument, never left out",
    "executor/error-options-field": "options are keywords",
    "executor/error-options-json": "options are keywords",
    "ranking/error-context-json": "the context is keywords",
    "rules/cost-error-sizes": "sizes are a mapping",
    "rules/error-environment-field": "an environment is keywords",
    "rules/error-environment-json": "an environment is keywords",
    "rules/error-not-bool": "`eval` gives values of every type",
    "rules/set-error-event": "an event is an object, not text",
}

# Where code and kind are the same in other words: text that is no JSON is read as YAML by Python.
OTHER_WORDS = {"costing/error-policy-json", "ranking/error-spec-json", "rules/set-error-json"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_gives_what_it_gives_in_every_host(case: Case) -> None:
    if case.name in LACKING:
        assert LACKING[case.name]
        return
    error = case.text("error")
    if error:
        _fails(case, error)
    else:
        _gives(case)


def test_every_case_is_known() -> None:
    assert len(CASES) >= 150
    assert {case.text("call") for case in CASES} == set(CALLS)
    assert set(LACKING) | OTHER_WORDS <= {case.name for case in CASES}


def _fails(case: Case, error: str) -> None:
    kind, code, path, line, column, row, message = error.split("\n", 6)
    with pytest.raises(comptoir.Error) as caught:
        run(case)
    found = caught.value
    assert found.code == code
    assert isinstance(found, KINDS[kind])
    if case.name in OTHER_WORDS:
        return
    assert str(found) == message
    assert [str(part or "") for part in (found.line, found.column)] == [line, column]
    assert (found.path or "") == path
    assert ("" if found.row is None else str(found.row)) == row


def _gives(case: Case) -> None:
    outcome = run(case)
    names = {path.name for path in case.directory.glob("expected.*")} | {
        path.name for path in case.directory.glob("faults.arrows")
    }
    assert set(outcome) == names
    for name, found in outcome.items():
        content = case.bytes(name)
        if name.endswith(".json"):
            assert found == json.loads(content)
        else:
            assert found == (content if isinstance(found, bytes) else content.decode())
