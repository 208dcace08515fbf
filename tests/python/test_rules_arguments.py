"""Odd arguments of rules by name: each is a `comptoir.Error` with a code, never one of Python's own alone."""

import pytest

import comptoir
from comptoir import rules

PROGRAM = rules.compile(
    "tags.exists(tag, tag == 'new') && level > 3", {"tags": "list(string)", "level": "int"}
)
SET = rules.RuleSet.load(
    {"environment": {"variables": {"a": "int"}}, "rules": [{"id": "x", "when": "a > 1"}]}
)


def brand(sku):
    return sku


CALLS = {
    "partial.unknown": (
        lambda given: PROGRAM.partial({}, unknown=given),
        "unknown",
        (5, None, "level"),
    ),
    "partial.unknown[1]": (
        lambda given: PROGRAM.partial({}, unknown=["a", given]),
        "unknown[1]",
        (5, None, ["b"]),
    ),
    "cost.sizes": (PROGRAM.cost, "sizes", (5, "tags", [("tags", 1)], {"tags"})),
    "cost.sizes['tags']": (
        lambda given: PROGRAM.cost({"tags": given}),
        "sizes['tags']",
        ("2", None, 1.5, (1,), (1, 2, 3), (0, "2"), [None, 1], -1, 2**64, (0, 10**5000)),
    ),
    "cost.path": (lambda given: PROGRAM.cost({given: 1}), "a path in sizes", (5, None, b"tags")),
    "eval_json": (PROGRAM.eval_json, "event", (5, None, {"level": 1}, bytearray(b"{}"))),
    "compile.source": (lambda given: rules.compile(given, {}), "source", (5, None, b"1 > 2")),
    "compile.env": (lambda given: rules.compile("1 > 2", given), "env", (5, None, "level", [("a", "int")])),
    "Env.variables": (rules.Env, "variables", (5, "a", [("a", "int")])),
    "Env.variables.a": (lambda given: rules.Env({"a": given}), "variables.a", (int, None, 5)),
    "Env.types": (lambda given: rules.Env(types=given), "types", (5, ["A"])),
    "Env.types.A": (lambda given: rules.Env(types={"A": given}), "types.A", (5, "int")),
    "Env.types.A.b": (lambda given: rules.Env(types={"A": {"b": given}}), "types.A.b", (5, int)),
    "Env.functions": (lambda given: rules.Env(functions=given), "functions", (5, brand)),
    "Env.functions[0]": (lambda given: rules.Env(functions=[given]), "functions[0]", (5, brand, "brand")),
    "Env.container": (lambda given: rules.Env(container=given), "container", (5, b"a")),
    "Env.budget": (lambda given: rules.Env(budget=given), "budget", ("5", 1.5, -1, 2**64)),
    "Env.from_json_example": (rules.Env.from_json_example, "example", ({"a": object()}, {"a": {1}})),
    "function.name": (lambda given: rules.function(given, ["int"], "int", brand), "name", (5, None)),
    "function.args": (lambda given: rules.function("f", given, "int", brand), "args", (5, None, "int")),
    "function.args[0]": (lambda given: rules.function("f", [given], "int", brand), "args[0]", (5, int)),
    "function.result": (lambda given: rules.function("f", ["int"], given, brand), "result", (5, int)),
    "function.implementation": (
        lambda given: rules.function("f", ["int"], "int", given),
        "implementation",
        (5, "brand", None),
    ),
    "function.cost": (
        lambda given: rules.function("f", [], "int", brand, cost=given),
        "cost",
        ("1", -1, None),
    ),
    "RuleSet.load.source": (rules.RuleSet.load, "source", (5, None, ["a"], {"rules": object()})),
    "RuleSet.load.environment": (
        lambda given: rules.RuleSet.load({}, environment=given),
        "environment",
        (5, "a", {"variables": object()}),
    ),
    "RuleSet.load.functions": (
        lambda given: rules.RuleSet.load({}, functions=given),
        "functions",
        (5, brand),
    ),
    "RuleSet.why_not": (lambda given: SET.why_not(given, {"a": 1}), "rule", (5, None)),
}


@pytest.mark.parametrize("name", CALLS)
def test_an_argument_that_cannot_be_used_is_named(name):
    call, path, all_given = CALLS[name]
    for given in all_given:
        with pytest.raises((comptoir.ArgumentError, comptoir.ConfigError)) as caught:
            call(given)
        error = caught.value
        assert (error.code, error.path) == ("HOST_ARGUMENT", path), (given, error)
        assert f"`{path}`" in str(error)


def test_what_goes_is_taken():
    assert PROGRAM.cost({"tags": [0, 20], "tags[]": 3}) == PROGRAM.cost({"tags": (0, 20), "tags[]": (3, 3)})
    assert PROGRAM.partial({"tags": ["new"]}, unknown=("level",)).expression == "level > 3"
    assert PROGRAM.eval_json(b'{"tags": [], "level": 1}') is False


def test_half_a_pair_of_surrogates_is_no_text():
    for call in (
        lambda: PROGRAM.eval_json('{"a": "\ud800"}'),
        lambda: PROGRAM.partial({}, unknown=["\ud800"]),
        lambda: PROGRAM.cost({"\ud800": 1}),
        lambda: rules.compile("'\ud800'", {}),
        lambda: rules.Env({"\ud800": "int"}),
        lambda: rules.RuleSet.load("name: \ud800\n"),
    ):
        with pytest.raises(comptoir.DataError) as caught:
            call()
        assert caught.value.code == "HOST_UTF8"


def test_a_method_needs_an_argument():
    with pytest.raises(comptoir.ConfigError, match="`args`") as caught:
        rules.function("f", [], "int", brand, is_member=True)
    assert caught.value.code == "HOST_ARGUMENT"


def test_a_rule_set_that_is_none():
    for call in (rules.RuleSetHandle, rules.RuleSetHandle(SET).swap, lambda given: SET.diff(given, None)):
        with pytest.raises(comptoir.ArgumentError, match="expected a RuleSet") as caught:
            call(5)
        assert caught.value.code == "HOST_ARGUMENT"


def test_a_mapping_that_holds_itself():
    endless = {}
    endless["rules"] = endless
    with pytest.raises(comptoir.ConfigError) as caught:
        rules.RuleSet.load(endless)
    assert (caught.value.code, caught.value.path) == ("HOST_ARGUMENT", "source")
