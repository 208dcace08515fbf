"""Conditions on plain dicts take a short way. It comes to the same as the long way, which keywords take."""

import gc
import random
import sys

import pytest

import comptoir
from comptoir import rules

ENV = rules.Env(
    {
        "user": "User",
        "order": "Order",
        "level": "int",
        "price": "double",
        "code": "string",
        "codes": "list(string)",
        "flag": "bool",
    },
    types={
        "User": {"level": "int", "name": "string", "tags": "list(string)", "vip": "bool"},
        "Order": {"pay": "double", "cost": "double"},
    },
)
CONDITIONS = [
    "level >= 3",
    "price < 10.5 || flag",
    "flag",
    "code in codes",
    "!(code in codes) && level > 0",
    "code in ['a', 'b', 'c'] && user.level >= 3",
    "code.startsWith('a') || user.name.contains('d')",
    "order.pay < order.cost * 0.9 && !(user.name in user.tags)",
    "user.vip || user.level == 7 || order.pay > 100.0",
    "user.level > 1 && level > 1 && user.vip && code != 'b'",
    "code in codes || user.name in codes",
    "has(user.level) && user.level > 2",
]


class Number(int):
    pass


class Text(str):
    __slots__ = ()


class Fields(dict):
    pass


KEPT = ["a", "b", "d"]
ODD = [None, True, 3, Number(5), 2**63, -(2**63), -1, 2.5, float("nan"), "a", Text("b"), "\ud800", "値", b"a"]
ODD += [
    [],
    KEPT,
    ("a",),
    {"b"},
    ["a", 1],
    ["a", Text("b")],
    [str(number) for number in range(300)],
    {},
    object(),
]
USUAL = {
    "level": [0, 3, 4],
    "price": [1.0, 20.0, 20],
    "code": ["a", "b", "abcdefgh", ""],
    "codes": [KEPT, ["b"], []],
    "flag": [True, False],
}
INSIDE = {
    "user": {"level": [0, 3, 7], "name": ["d", "a", "Ada"], "tags": [KEPT, ["a"]], "vip": [True, False]},
    "order": {"pay": [1.0, 200.0], "cost": [5.0, 100.0]},
}


def events(draw, count):
    """Events most of which are as declared, some with a value that is odd or not there."""

    def fill(choices):
        fields = {}
        for name, values in choices.items():
            chance = draw.random()
            if chance > 0.03:
                fields[name] = draw.choice(ODD if chance < 0.1 else values)
        return Fields(fields) if draw.random() < 0.03 else fields

    for _ in range(count):
        event = fill(USUAL)
        for name, choices in INSIDE.items():
            if draw.random() > 0.05:
                event[name] = fill(choices) if draw.random() > 0.03 else draw.choice(ODD)
        yield event


def outcome(call, *args, **keywords):
    try:
        return call(*args, **keywords)
    except comptoir.RuleDataError as error:
        return error.code, str(error), error.line, error.column


@pytest.mark.parametrize("condition", CONDITIONS)
def test_the_short_way_comes_to_the_same(condition):
    program = rules.compile(condition, ENV)
    seen = set()
    for event in events(random.Random(condition), 3000):
        found = outcome(program.eval, event)
        assert found == outcome(program.eval, **event), event
        seen.add(found if isinstance(found, bool) else "error")
    assert seen == {True, False, "error"}


class Key:
    """A key in the place of another, which does something when it is compared."""

    def __init__(self, name, action):
        self.name, self.action = name, action

    def __hash__(self):
        return hash(self.name)

    def __eq__(self, other):
        return self.action()


def test_a_key_that_raises():
    def action():
        raise ZeroDivisionError

    program = rules.compile("user.level >= 3", ENV)
    for event in ({Key("user", action): 1}, {"user": {Key("level", action): 1}}):
        with pytest.raises(comptoir.RuleDataError) as caught:
            program.eval(event)
        assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_key_that_empties_the_event():
    """What was read before is held."""
    program = rules.compile("user.name == 'Ada Lovelace' && user.tags != [] && user.level >= 3 && flag", ENV)
    short = rules.compile("user.name.contains('d') && user.level >= 3 && code in codes", ENV)
    for one in (program, short):
        for at in ("level", "name"):
            event = {}

            def action(event=event):
                event.clear()
                gc.collect()
                return False

            inner = {Key(at, action): 1, "tags": ["a"], "vip": True}
            inner["name" if at == "level" else "level"] = (
                "".join(["Ada ", "Lovelace"]) if at == "level" else 5
            )
            event.update(user=inner, flag=True, code="a", codes=["a"])
            del inner
            with pytest.raises(comptoir.RuleDataError) as caught:
                one.eval(event)
            assert caught.value.code == "RULES_NO_SUCH_FIELD"


def test_a_list_that_changes_in_place():
    program = rules.compile("code in codes", ENV)
    codes = [f"code {number}" for number in range(20)]
    event = {"code": "code 7", "codes": codes}
    assert program.eval(event) is True
    assert program.eval(event) is True
    codes[7] = "other"
    assert program.eval(event) is False
    codes[7] = "".join(["code ", "7"])
    assert program.eval(event) is True
    codes[7] = 7
    assert outcome(program.eval, event) == outcome(program.eval, **event)
    codes[:] = []
    assert program.eval(event) is False


def test_nothing_is_kept_of_an_event():
    program = rules.compile("user.name == 'a' && user.level > 1", ENV)
    text = "".join(["long text ", "of an event"])
    inner = {"name": text, "level": 3}
    event = {"user": inner}
    before = [sys.getrefcount(one) for one in (event, inner, text)]
    for _ in range(100):
        program.eval(event)
    assert [sys.getrefcount(one) for one in (event, inner, text)] == before


def test_arguments_of_a_call():
    program = rules.compile("level > 1", ENV)
    assert program.eval({"level": 2}) is True
    assert program.eval({"level": 2}, level=1) is False
    assert program.eval(None, level=2) is True
    assert rules.Program.eval(program, {"level": 2}) is True
    assert (
        rules.compile("event > 1 && self > 1", {"event": "int", "self": "int"}).eval(event=2, self=2) is True
    )
    with pytest.raises(TypeError, match=r"at most 1 positional argument \(2 given\)"):
        program.eval({}, {})
    with pytest.raises(TypeError, match="doesn't apply to a 'int' object"):
        rules.Program.eval(1, {"level": 2})
