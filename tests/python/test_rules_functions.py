"""Python callables in expressions."""

import pyarrow as pa
import pytest

import comptoir
from comptoir import rules


def env_of(*functions, **variables):
    return rules.Env(variables, functions=functions)


def test_a_callable_is_a_function():
    area = rules.function("geo.area", ["double", "double"], "double", lambda width, height: width * height)
    tags = rules.function("tags", ["string"], "list(string)", lambda text: text.split(), is_member=True)
    env = env_of(area, tags, w="double", text="string")
    assert env.compile("geo.area(w, 2.0)").eval(w=3) == 6.0
    assert env.compile("'b' in text.tags()").eval(text="a b") is True
    assert repr(tags) == "Function('string::tags(): list(string)')"


def test_over_a_table_it_is_called_for_each_row():
    double = rules.function("twice", ["int"], "int", lambda value: value * 2)
    result = env_of(double, a="int").compile("twice(a) > 3").eval_batch(pa.table({"a": list(range(5000))}))
    assert result.values.to_pydict()["value"] == [value > 1 for value in range(5000)]


def test_what_it_raises_is_an_error_with_its_cause():
    def fail(value):
        raise LookupError(f"no {value}")

    env = env_of(rules.function("fail", ["int"], "int", fail), a="int", flag="bool")
    with pytest.raises(comptoir.RuleDataError, match="function `fail` raised LookupError: no 7") as caught:
        env.compile("fail(a) > 1").eval(a=7)
    assert isinstance(caught.value.__cause__, LookupError)
    assert (caught.value.code, caught.value.line, caught.value.column) == ("RULES_HOST", 1, 5)
    program = env.compile("fail(a) > 1 || flag")
    assert program.eval(a=7, flag=True) is True
    result = program.eval_batch(pa.table({"a": [1, 2], "flag": [True, False]}))
    assert result.values.to_pydict() == {"value": [True, None]}
    assert [(fault["row"], fault["code"]) for fault in result.faults.to_pylist()] == [(1, "RULES_HOST")]


def test_an_interrupt_is_absorbed_by_nothing():
    def interrupt():
        raise KeyboardInterrupt

    env = env_of(rules.function("interrupt", [], "bool", interrupt), a="bool")
    with pytest.raises(KeyboardInterrupt):
        env.compile("interrupt() || a").eval(a=True)


def test_a_result_of_another_type_is_an_error():
    env = env_of(rules.function("text", ["int"], "string", lambda value: value), a="int")
    with pytest.raises(comptoir.RuleDataError, match="the result of function `text`: expected string, found"):
        env.compile("text(a)").eval(a=1)


def test_an_expression_may_evaluate_another():
    inner = rules.compile("missing.field > 1", rules.Env({"missing": "M"}, types={"M": {"field": "int"}}))

    def ask(value):
        return inner.eval({"missing": {}}) if value else True

    program = env_of(rules.function("ask", ["bool"], "bool", ask), a="bool").compile("ask(a)")
    assert program.eval(a=False) is True
    with pytest.raises(comptoir.RuleDataError) as caught:
        program.eval(a=True)
    assert isinstance(caught.value.__cause__, comptoir.RuleDataError)
    assert caught.value.__cause__.code == "RULES_NO_SUCH_FIELD"


@pytest.mark.parametrize(
    ("args", "result"), [(["nonsense("], "int"), (["int"], "list("), (["int"], "Struct")]
)
def test_a_wrong_declaration_is_refused(args, result):
    with pytest.raises(comptoir.RuleConfigError) as caught:
        rules.function("f", args, result, print)
    assert caught.value.code == "RULES_DECLARATION"


def test_two_functions_of_one_form_are_refused():
    one = rules.function("f", ["int"], "int", int)
    with pytest.raises(comptoir.RuleConfigError, match="declared already"):
        env_of(one, one)


def test_rule_sets_take_functions_too():
    big = rules.function("big", ["int"], "bool", lambda value: value > 10)
    spec = {"environment": {"variables": {"a": "int"}}, "rules": [{"id": "big", "when": "big(a)"}]}
    rule_set = rules.RuleSet.load(spec, functions=[big])
    assert rule_set.decide({"a": 11}).fired == ["big"]
    assert rule_set.select(pa.table({"a": [1, 20, 30]})).rows.to_pydict() == {"row": [1, 2]}
