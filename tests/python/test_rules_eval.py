"""One expression on one event: from which objects, to which values."""

import json
from collections import OrderedDict, UserDict, defaultdict, namedtuple
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace

import pytest

import comptoir
from comptoir import rules

USER = rules.Env({"user": "User"}, types={"User": {"level": "int", "tags": "list(string)", "name": "string"}})


@dataclass
class User:
    level: int
    tags: list
    name: str = "Ada"


class Slotted:
    __slots__ = ("level", "tags")

    def __init__(self, level, tags):
        self.level, self.tags = level, tags


UserTuple = namedtuple("UserTuple", ["level", "tags"])


def evaluate(source, types, **variables):
    return rules.compile(source, types).eval(variables)


@pytest.mark.parametrize(
    "user",
    [
        {"level": 5, "tags": ["new", "eu"]},
        OrderedDict(level=5, tags=("new", "eu")),
        UserDict(level=5, tags=["eu"]),
        User(5, ["eu"]),
        Slotted(5, {"eu"}),
        UserTuple(5, frozenset({"eu"})),
        SimpleNamespace(level=5, tags=["eu"]),
    ],
    ids=lambda user: type(user).__name__,
)
@pytest.mark.parametrize("outside", [lambda user: {"user": user}, lambda user: SimpleNamespace(user=user)])
def test_an_event_may_be_any_object(user, outside):
    program = rules.compile("user.level >= 5 && 'eu' in user.tags", USER)
    assert program.eval(outside(user)) is True
    assert program.eval(user=user) is True
    assert rules.compile("size(user.tags)", USER).eval(outside(user)) == len(
        user["tags"] if isinstance(user, dict | UserDict) else user.tags
    )


def test_keywords_come_before_the_event():
    program = rules.compile("a + b", {"a": "int", "b": "int"})
    assert program.eval({"a": 1, "b": 2}, b=10) == 11


def test_a_variable_with_dots_is_found_whole_or_step_by_step():
    program = rules.compile("order.pay > 1", {"order.pay": "int"})
    assert program.eval({"order.pay": 2}) is True
    assert program.eval({"order": {"pay": 2}}) is True
    assert program.eval(SimpleNamespace(order=SimpleNamespace(pay=0))) is False


def test_only_what_is_read_is_touched():
    class Event(dict):
        def __missing__(self, key):
            raise AssertionError(key)

    seen = []

    class Lazy:
        def __getattr__(self, name):
            seen.append(name)
            return 3

    program = rules.compile("item.price + item.price", {"item": "dyn"})
    assert program.inputs == {"item": "dyn"}
    env = rules.Env({"item": "Item"}, types={"Item": {"price": "int", "cost": "int"}})
    assert rules.compile("item.price * item.price", env).eval(Event(item=Lazy())) == 9
    assert seen == ["price"]


def test_a_defaultdict_does_not_grow():
    event = defaultdict(dict)
    program = rules.compile("has(user.level)", USER)
    assert program.eval(event) is False
    assert event == {}


UTC = timezone.utc
CHINA = timezone(timedelta(hours=8))
VALUES = [
    ("bool", True),
    ("int", -(2**63)),
    ("int", 2**63 - 1),
    ("uint", 2**64 - 1),
    ("double", 0.1),
    ("double", float("inf")),
    ("string", "naïve 値 😀"),
    ("string", ""),
    ("bytes", b"\x00\xff"),
    ("decimal", Decimal("12345678901234567890.123456789")),
    ("decimal", Decimal("-0.30")),
    ("timestamp", datetime(2026, 11, 25, 12, 30, 1, 999_999, tzinfo=UTC)),
    ("timestamp", datetime(1, 1, 1, tzinfo=UTC)),
    ("timestamp", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ("duration", timedelta(days=-3, microseconds=7)),
    ("list(int)", [1, 2, 3]),
    ("list(string)", ["a", "b"]),
    ("list(list(double))", [[1.5], []]),
    ("map(string, int)", {"a": 1}),
    ("map(int, list(string))", {1: ["x"]}),
    ("wrapper(int)", None),
    ("wrapper(int)", 7),
    ("dyn", {"a": [1, 2.5, "x", None, True, {"b": b"c"}]}),
    ("dyn", 2**64 - 1),
    ("dyn", Decimal("1.10")),
]


@pytest.mark.parametrize(
    ("kind", "value"), VALUES, ids=[f"{kind}-{index}" for index, (kind, _) in enumerate(VALUES)]
)
def test_values_come_back_as_they_went(kind, value):
    result = evaluate("x", {"x": kind}, x=value)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("double", 3, 3.0),
        ("double", 2**53, float(2**53)),
        ("decimal", 3, Decimal(3)),
        ("decimal", "12.30", Decimal("12.30")),
        ("decimal", Decimal("1E+2"), Decimal(100)),
        ("timestamp", date(2026, 11, 25), datetime(2026, 11, 25, tzinfo=UTC)),
        ("timestamp", datetime(2026, 11, 25, 12), datetime(2026, 11, 25, 12, tzinfo=UTC)),
        ("timestamp", datetime(2026, 11, 25, 12, tzinfo=CHINA), datetime(2026, 11, 25, 4, tzinfo=UTC)),
        ("timestamp", "2026-11-25T12:00:00+08:00", datetime(2026, 11, 25, 4, tzinfo=UTC)),
        ("duration", "90s", timedelta(seconds=90)),
        ("list(int)", (1, 2), [1, 2]),
        ("list(int)", range(3), [0, 1, 2]),
        ("bytes", bytearray(b"ab"), b"ab"),
        ("optional_type(int)", None, None),
        ("optional_type(int)", 4, 4),
    ],
)  # fmt: skip
def test_conversions(kind, value, expected):
    assert evaluate("x", {"x": kind}, x=value) == expected


def test_numpy_scalars_are_numbers():
    numpy = pytest.importorskip("numpy")
    assert evaluate("a + 1", {"a": "int"}, a=numpy.int64(4)) == 5
    assert evaluate("a + 1.0", {"a": "double"}, a=numpy.float32(0.5)) == 1.5


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("int", 1.0, "RULES_INVALID_ARGUMENT"),
        ("int", True, "RULES_INVALID_ARGUMENT"),
        ("int", "1", "RULES_INVALID_ARGUMENT"),
        ("int", 2**63, "RULES_RANGE"),
        ("uint", -1, "RULES_RANGE"),
        ("double", True, "RULES_INVALID_ARGUMENT"),
        ("double", Decimal("1.5"), "RULES_INVALID_ARGUMENT"),
        ("double", 10**400, "RULES_RANGE"),
        ("decimal", 9.9, "RULES_INVALID_ARGUMENT"),
        ("decimal", Decimal("NaN"), "RULES_INVALID_ARGUMENT"),
        ("decimal", Decimal(10) ** 60, "RULES_INVALID_ARGUMENT"),
        ("decimal", 10**60, "RULES_INVALID_ARGUMENT"),
        ("string", b"x", "RULES_INVALID_ARGUMENT"),
        ("string", "\ud800", "RULES_HOST"),
        ("bytes", "x", "RULES_INVALID_ARGUMENT"),
        ("timestamp", 5, "RULES_INVALID_ARGUMENT"),
        ("timestamp", "yesterday", "RULES_INVALID_ARGUMENT"),
        ("duration", timedelta.max, "RULES_RANGE"),
        ("list(int)", "abc", "RULES_INVALID_ARGUMENT"),
        ("list(int)", {"a": 1}, "RULES_INVALID_ARGUMENT"),
        ("map(string, int)", [1], "RULES_INVALID_ARGUMENT"),
        ("dyn", object(), "RULES_INVALID_ARGUMENT"),
        ("dyn", 2**64, "RULES_RANGE"),
    ],
)
def test_an_object_of_another_type_is_an_error_where_it_is_read(kind, value, code):
    with pytest.raises(comptoir.RuleDataError) as caught:
        evaluate("x", {"x": kind}, x=value)
    assert caught.value.code == code
    assert rules.compile("flag || x == x", {"flag": "bool", "x": kind}).eval(flag=True, x=value) is True


def test_none_is_null():
    assert evaluate("x == null", {"x": "wrapper(string)"}, x=None) is True
    assert rules.compile("has(user.name)", USER).eval(user={"name": None}) is False


def test_json_gives_what_python_gives():
    env = rules.Env.from_json_example({"order": {"pay": 9.5, "items": [{"qty": 1, "sku": "a"}]}, "at": "x"})
    program = rules.compile("order.items.map(i, i.sku + string(i.qty)) + [at]", env)
    event = {"order": {"pay": 1, "items": [{"qty": 2, "sku": "b"}]}, "at": "now"}
    expected = ["b2", "now"]
    assert program.eval(event) == expected
    assert program.eval_json(json.dumps(event)) == expected
    assert program.eval_json(json.dumps(event).encode()) == expected
    with pytest.raises(comptoir.RuleDataError, match="no JSON") as caught:
        program.eval_json("{")
    assert (caught.value.code, caught.value.line, caught.value.column) == ("RULES_JSON", 1, 1)


def test_cel_vectors():
    vectors = [
        ("1 + 2 * 3", 7),
        ("'abc'.matches('a.c')", True),
        ("[1, 2, 3].filter(x, x > 1).map(x, x * x)", [4, 9]),
        ("{'a': 1u}['a']", 1),
        ("-7 / 2", -3),
        ("-7 % 2", -1),
        ("'é'.size()", 1),
        ("timestamp('2009-02-13T23:31:30Z') + duration('1h')", datetime(2009, 2, 14, 0, 31, 30, tzinfo=UTC)),
        ("type(1) == int", True),
        ("optional.none().orValue(5)", 5),
        ("1/0 > 0 || true", True),
        ("decimal('0.1') + decimal('0.2') == decimal('0.3')", True),
    ]
    for source, expected in vectors:
        assert rules.compile(source, {}).eval() == expected, source


def test_partial_and_cost():
    program = rules.compile("user.level >= 3 && size(user.name) > 2", USER)
    left = program.partial({"user": {"level": 4}}, unknown=["user.name"])
    assert (left.is_known, left.expression) == (False, "size(user.name) > 2")
    assert program.partial({"user": {"level": 1}}, unknown=["user.name"]) == rules.Residual(True, False, None)
    assert rules.compile(left.expression, USER).eval(user={"name": "Ada"}) is True
    least, most = program.cost({"user.name": (0, 40)})
    assert 0 < least <= most < 100
    with pytest.raises(comptoir.RuleConfigError):
        program.partial({}, unknown=["["])


def test_a_program_says_what_it_is():
    program = rules.compile("user.level + 1", USER)
    assert (program.type, program.source, program.inputs) == ("int", "user.level + 1", {"user.level": "int"})
    assert repr(program) == 'Program("user.level + 1": int)'


def test_environments_from_what_there_is():
    schema = {"properties": {"a": {"type": "integer"}, "b": {"type": ["string", "null"]}}}
    assert rules.Env.from_json_schema(schema).variables == {"a": "int", "b": "wrapper(string)"}
    env = rules.Env.from_json_example({"a": [1, 2.5]}, variables={"now": "timestamp"}, budget=100)
    assert env.variables == {"a": "list(double)", "now": "timestamp"}
    with pytest.raises(comptoir.RuleLimitError) as caught:
        env.compile("a.all(x, a.all(y, x + y > 0.0))").eval(a=[1.0] * 100)
    assert caught.value.code == "RULES_BUDGET_EXCEEDED"


def test_a_list_of_text_is_read_again_when_it_changes():
    program = rules.compile("code in codes", {"code": "string", "codes": "list(string)"})
    codes = ["a", "b"]
    assert program.eval(code="b", codes=codes) is True
    codes[1] = "c"
    assert program.eval(code="b", codes=codes) is False
    codes.append("b")
    assert program.eval(code="b", codes=codes) is True
    assert program.eval(code="b", codes=[]) is False
    assert program.eval(code="999", codes=[str(number) for number in range(1000)]) is True
    assert program.eval(code="b", codes=("a", "b")) is True
    with pytest.raises(comptoir.RuleDataError, match="expected string, found a Python `int`"):
        rules.compile("codes[1]", {"codes": "list(string)"}).eval(codes=["a", 1])
