"""Bad input by name: each is a `comptoir.Error` that says where."""

import pickle
from collections.abc import Mapping

import pyarrow as pa
import pytest

import comptoir
from comptoir import rules

ENV = rules.Env({"user": "User", "limit": "int"}, types={"User": {"level": "int", "name": "string"}})


def refused(call, *args, **kwargs):
    with pytest.raises(comptoir.Error) as caught:
        call(*args, **kwargs)
    return caught.value


def test_unknown_name():
    error = refused(rules.compile, "user.level >= 3\n && limt > 1", ENV)
    assert isinstance(error, comptoir.RuleConfigError)
    assert (error.code, error.line, error.column) == ("RULES_UNKNOWN_NAME", 2, 5)
    assert (
        error.rendered
        == "2:5: undeclared name `limt`\n |  && limt > 1\n |     ^^^^\n = hint: did you mean `limit`?"
    )
    assert refused(rules.compile, "user.lvel > 1", ENV).code == "RULES_UNKNOWN_FIELD"


def test_type_mismatch():
    error = refused(rules.compile, "user.name >= 3", ENV)
    assert (error.code, error.line, error.column) == ("RULES_NO_OVERLOAD", 1, 11)
    assert "^" in error.rendered


def test_text_that_is_no_expression():
    for source in ("", "1 +", "a b", "(" * 1000, "'", "\0", "[" * 100_000):
        error = refused(rules.compile, source, ENV)
        assert error.code in ("RULES_SYNTAX", "RULES_LIMIT", "RULES_LITERAL", "RULES_UNKNOWN_NAME"), source[
            :9
        ]
        assert error.line == 1


def test_an_error_survives_pickling():
    error = pickle.loads(pickle.dumps(refused(rules.compile, "user.lvel > 1", ENV)))
    assert (error.line, error.column, type(error)) == (1, 6, comptoir.RuleConfigError)
    assert "^" in error.rendered


def test_wrong_declarations():
    assert refused(rules.Env, {"a": "list("}).code == "RULES_DECLARATION"
    assert "`Usr` is not declared" in str(refused(rules.Env, {"a": "Usr"}, types={"User": {}}))
    assert refused(rules.Env, types={"User": {"a": "in t"}}).code == "RULES_DECLARATION"
    assert refused(rules.Env.from_json_example, [1]).code == "RULES_DECLARATION"
    assert refused(rules.Env.from_json_schema, {"type": "object"}).code == "RULES_DECLARATION"
    assert refused(rules.Env.from_arrow, [1]).code == "ARROW_NOT_ARROW"


def rule_set(**fields):
    return {"environment": {"variables": {"a": "int"}}, "rules": [], **fields}


def test_duplicate_ids():
    error = refused(rules.RuleSet.load, rule_set(rules=[{"id": "x"}, {"id": "y"}, {"id": "x"}]))
    assert isinstance(error, comptoir.RuleConfigError)
    assert (error.code, error.path) == ("RULES_DUPLICATE_ID", "rules[2].id")


def test_cyclic_variables():
    variables = [
        {"name": "one", "expression": "variables.two + 1"},
        {"name": "two", "expression": "variables.one + 1"},
    ]
    error = refused(rules.RuleSet.load, rule_set(variables=variables))
    assert error.code == "RULES_VARIABLE_CYCLE"
    assert "one -> two -> one" in str(error)


def test_a_wrong_rule_says_which():
    rules_of = [{"id": str(number), "when": "a > 1"} for number in range(3)] + [
        {"id": "bad", "when": "a >\n b"}
    ]
    error = refused(rules.RuleSet.load, rule_set(rules=rules_of))
    assert (error.path, error.line, error.column) == ("rules[3].when", 2, 2)
    assert error.rendered.startswith("`rules[3].when`:\n2:2: undeclared name `b`")
    assert refused(rules.RuleSet.load, rule_set(rulse=[])).code == "RULES_SET_SYNTAX"
    assert refused(rules.RuleSet.load, "rules: [\n").code == "RULES_SET_SYNTAX"
    assert refused(rules.RuleSet.load, '{"rules": 1}\n').path == "rules"


def test_a_table_without_a_needed_column():
    table = pa.table({"user.level": [1], "limits": [2]})
    error = refused(rules.compile("user.level > limit", ENV).eval_batch, table)
    assert isinstance(error, comptoir.SchemaError)
    assert error.code == "TYPES_COLUMN_MISSING"
    assert "`limit`" in str(error)
    loaded = rules.RuleSet.load(rule_set(rules=[{"id": "x", "when": "a > 1"}]))
    for call in (loaded.decide_batch, loaded.select):
        assert refused(call, table).code == "TYPES_COLUMN_MISSING"
    assert refused(loaded.diff, loaded, table).code == "TYPES_COLUMN_MISSING"


def test_a_column_of_a_wrong_type():
    error = refused(rules.compile("limit > 1", ENV).select, pa.table({"limit": ["a"]}))
    assert (error.code, type(error)) == ("TYPES_COLUMN_TYPE", comptoir.SchemaError)
    assert refused(rules.compile("limit > 1", ENV).eval_batch, [1]).code == "ARROW_NOT_ARROW"


def test_a_shared_variable_that_is_not_declared_or_of_a_wrong_type():
    program = rules.compile("limit > 1", ENV)
    table = pa.table({"x": [1]})
    assert "`limt` is not declared" in str(refused(program.eval_batch, table, limt=1))
    assert "`limit`: expected int" in str(refused(program.eval_batch, table, limit="1"))


class Raising:
    level = 7

    def __getattr__(self, name):
        raise ValueError(f"no {name} today")


class RaisingMapping(Mapping):
    def __getitem__(self, key):
        raise OSError(f"cannot read {key}")

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 1


def test_an_object_that_raises():
    program = rules.compile("user.level > 5 && user.name == 'Ada'", ENV)
    error = refused(program.eval, {"user": Raising()})
    assert (error.code, type(error)) == ("RULES_HOST", comptoir.RuleDataError)
    assert str(error) == "reading `user.name` raised ValueError: no name today"
    assert isinstance(error.__cause__, ValueError)
    assert (error.line, error.column) == (1, 19)
    assert rules.compile("user.name == 'Ada' || user.level > 5", ENV).eval(user=Raising()) is True
    error = refused(program.eval, {"user": RaisingMapping()})
    assert isinstance(error.__cause__, OSError)
    assert isinstance(refused(program.eval, RaisingMapping()).__cause__, OSError)


def test_an_object_that_raises_in_a_rule_set():
    spec = rule_set(
        environment={"variables": {"a": "int", "b": "int"}},
        rules=[{"id": "a", "when": "a > 1"}, {"id": "b", "when": "b > 1"}],
    )

    class Event:
        b = 2

        @property
        def a(self):
            raise RuntimeError("gone")

    decision = rules.RuleSet.load(spec).decide(Event())
    assert decision.fired == ["b"]
    assert [fault.message for fault in decision.faults] == ["reading `a` raised RuntimeError: gone"]


def test_an_interrupt_is_no_error_of_a_read():
    class Interrupted:
        def __getattr__(self, name):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rules.compile("user.name == 'Ada' || true", ENV).eval(user=Interrupted())


def test_what_is_not_there():
    program = rules.compile("user.level > 5", ENV)
    for event in ({}, {"user": None}, {"user": {}}, None, 5, object(), {"user": "text"}):
        error = refused(program.eval, event)
        assert (error.code, error.line, error.column) == ("RULES_NO_SUCH_FIELD", 1, 1)
    assert "^" in error.rendered


def test_a_list_that_holds_itself_ends():
    endless = []
    endless.append(endless)
    program = rules.compile("x == x", {"x": "dyn"})
    assert "nested deeper than 64 levels" in str(refused(program.eval, x=endless))
    wide = [0]
    for _ in range(60):
        wide = [wide, wide]
    assert "more than 4194304 parts" in str(refused(program.eval, x=wide))


def test_a_budget():
    program = rules.compile("xs.all(x, xs.all(y, x + y > 0))", rules.Env({"xs": "list(int)"}, budget=1000))
    assert program.eval(xs=[1, 2]) is True
    error = refused(program.eval, xs=list(range(1, 200)))
    assert (error.code, type(error)) == ("RULES_BUDGET_EXCEEDED", comptoir.RuleLimitError)
