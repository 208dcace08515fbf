"""Python callables over columns."""

import datetime
import decimal

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import comptoir
from comptoir import rules


def function(signature, implementation, **more):
    name, rest = signature.split("(", 1)
    args, result = rest.split("): ")
    return rules.function(name, args.split("; "), result, implementation, is_columnar=True, **more)


def compiled(source, one, **variables):
    return rules.Env(variables, functions=[one]).compile(source)


def test_it_is_called_once_a_block_with_the_rows_that_need_it():
    seen = []

    def big(values):
        seen.append(len(values))
        return np.asarray(values) >= 90

    program = compiled("big(a) && a > 80", function("big(int): bool", big), a="int")
    table = pa.table({"a": [row % 100 for row in range(20_000)]})
    assert len(program.select(table).rows) == 2_000
    assert (len(seen), sum(seen)) == (3, 3_800)
    assert program.eval(a=95) is True
    assert seen[3:] == [1]


MOMENT = datetime.datetime(2024, 2, 29, 12, 0, 0, 5, tzinfo=datetime.timezone.utc)


@pytest.mark.parametrize(
    ("ty", "values"),
    [
        ("int", [-(2**63), 7]),
        ("uint", [0, 2**64 - 1]),
        ("double", [0.1, float("inf")]),
        ("bool", [True, False]),
        ("string", ["é", ""]),
        ("decimal", [decimal.Decimal("1.50"), decimal.Decimal(-7)]),
        ("timestamp", [MOMENT, MOMENT]),
        ("duration", [datetime.timedelta(seconds=90), datetime.timedelta(0)]),
    ],
)
@pytest.mark.parametrize("take", [lambda column: column, pa.array, np.asarray, pl.Series, pa.chunked_array])
def test_columns_of_any_library_go_there_and_back(ty, values, take):
    def same(column):
        assert len(column) in (1, 2)
        assert repr(column).startswith(f"Array({len(column)} values: ")
        return take([pa.array(column)] if take is pa.chunked_array else column)

    program = compiled("same(a)", function(f"same({ty}): {ty}", same), a=ty)
    table = pa.table({"a": pa.array(values, type=pa.uint64() if ty == "uint" else None)})
    assert program.eval_batch(table).values.to_pyarrow()["value"].to_pylist() == values
    assert program.eval(a=values[0]) == values[0]


def test_columns_are_python_lists_where_that_is_enough():
    def shout(texts, marks):
        pairs = zip(texts.to_pylist(), marks.to_pylist(), strict=True)
        return [text.upper() if mark else text for text, mark in pairs]

    program = compiled("shout(s, b)", function("shout(string; bool): string", shout), s="string", b="bool")
    result = program.eval_batch(pa.table({"s": ["a", "b"], "b": [True, False]}))
    assert result.values.to_pydict() == {"value": ["A", "b"]}


def test_a_null_is_an_error_of_its_row_or_null():
    def ratio(values):
        divisors = pa.array([value or None for value in values.to_pylist()], type=pa.int64())
        return pc.divide(6, divisors)

    table = pa.table({"a": [3, 0, 2]})
    result = compiled("ratio(a)", function("ratio(int): int", ratio), a="int").eval_batch(table)
    assert result.values.to_pydict() == {"value": [2, None, 3]}
    assert [(fault["row"], fault["code"]) for fault in result.faults.to_pylist()] == [(1, "RULES_HOST")]
    assert "gives no value" in result.faults.to_pylist()[0]["message"]
    nullable = function("ratio(int): wrapper(int)", ratio)
    result = compiled("ratio(a) == null || ratio(a) > 2", nullable, a="int").eval_batch(table)
    assert result.values.to_pydict() == {"value": [False, True, True]}


def test_nulls_of_wrappers_are_given():
    def filled(values):
        return [value or 0 for value in np.asarray(values)]

    program = compiled("filled(a)", function("filled(wrapper(int)): int", filled), a="wrapper(int)")
    assert program.eval_batch(pa.table({"a": [3, None]})).values.to_pydict() == {"value": [3, 0]}


@pytest.mark.parametrize(
    ("gives", "message"),
    [
        (lambda values: np.zeros(1, int), r"function `f\(int\): int`: gave 1 values for 3 rows"),
        (lambda values: np.zeros(3), "gave a column of float64, expected an integer"),
        (lambda values: np.zeros((3, 1), int), "expected an array of one dimension, found one of 2"),
        (lambda values: [1, "a", 2], "the result of function `f`: expected int, found"),
        (lambda values: 7, "the result of function `f`: expected an array or a list, found int"),
        (lambda values: pa.table({"a": values}), "gave a column of struct"),
        (lambda values: 1 // 0, "function `f` raised ZeroDivisionError"),
    ],
)
def test_what_is_wrong_ends_the_evaluation_and_names_the_function(gives, message):
    program = compiled("f(a) > 0", function("f(int): int", gives), a="int")
    with pytest.raises(comptoir.RuleDataError, match=message) as caught:
        program.select(pa.table({"a": [1, 2, 3]}))
    assert caught.value.code == "RULES_HOST"
    assert isinstance(caught.value.__cause__, ZeroDivisionError) == ("raised" in message)


def test_an_interrupt_gets_through():
    def interrupt(values):
        raise KeyboardInterrupt

    program = compiled("f(a) || a", function("f(bool): bool", interrupt), a="bool")
    with pytest.raises(KeyboardInterrupt):
        program.eval_batch(pa.table({"a": [True, False]}))


@pytest.mark.parametrize(
    "signature", ["f(dyn): int", "f(map(string, int)): int", "f(int): optional_type(int)"]
)
def test_types_without_columns_are_refused(signature):
    with pytest.raises(comptoir.RuleConfigError, match="are not given to functions"):
        function(signature, print)


def test_it_needs_an_argument():
    with pytest.raises(comptoir.RuleConfigError, match="needs an argument"):
        rules.function("f", [], "int", print, is_columnar=True)


def test_in_rule_sets():
    big = function("big(int): bool", lambda values: np.asarray(values) > 10)
    spec = {"environment": {"variables": {"a": "int"}}, "rules": [{"id": "big", "when": "big(a)"}]}
    rule_set = rules.RuleSet.load(spec, functions=[big])
    assert rule_set.decide({"a": 11}).fired == ["big"]
    table = pa.table({"a": list(range(2000))})
    assert len(rule_set.select(table).rows) == 1989


def test_a_row_whose_value_loses_a_part_is_null():
    column = pa.array([decimal.Decimal(10**29), decimal.Decimal(5), None], pa.decimal128(38, 0))
    program = rules.Env({"m": "decimal"}).compile("[m]")
    result = program.eval_batch(pa.table({"m": column}))
    assert pa.table(result.values)["value"].to_pylist() == [None, [decimal.Decimal(5)], [None]]
    assert pa.table(result.faults)["row"].to_pylist() == [0]


def test_none_in_a_list_of_text_is_null_as_in_json():
    program = rules.Env({"ls": "list(string)"}).compile("ls.exists(x, x == null)")
    assert program.eval(ls=["a", None]) is True
    assert program.eval(ls=("a", None)) is True
    assert program.eval_json('{"ls": ["a", null]}') is True
    assert program.eval(ls=["a"]) is False
