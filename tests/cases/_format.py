"""Reading case files: YAML in, checked cases out; README.md describes the form."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
FIRST_DAY = datetime.date(2020, 1, 1)
ONE_DAY = datetime.timedelta(days=1)

CASE_FIELDS = {"id", "source", "note", "skip", "policy", "moves", "expect"}
NUMBER_FIELDS = ("quantity", "amount", "unit_cost")
TEXT_FIELDS = ("id", "item", "pool", "ref", "lot", "group", "class")
MOVE_FIELDS = {"kind", "at", "repeat", "added", *NUMBER_FIELDS, *TEXT_FIELDS}

# How the value of each field of an expectation is read.
SETTING_FIELDS = {
    "policy": "mapping",
    "after": "count",
    "without": "names",
    "item": "text",
    "pool": "text",
    "lot": "text",
}
CHECK_FIELDS: dict[str, str | dict[str, str]] = {
    "quantity": "decimal",
    "value": "decimal",
    "unit_cost": "decimal",
    "rounded_unit_cost": {"places": "count", "unit_cost": "decimal", "difference": "decimal"},
    "posted": "decimals by name",
    "costs": "decimal by name",
    "unit_costs": "decimal by name",
    "changes": "decimal by name",
    "variances": "decimal by name",
    "corrections": "decimals",
    "reasons": "texts",
    "quantity_after": "decimals",
    "value_after": "decimals",
    "layers": "layers",
    "layers_after": "lists of layers",
    "ageing": {
        "as_of": "date",
        "buckets": "counts",
        "quantities": "decimals",
        "values": "decimals",
        "shortage_quantity": "decimal",
        "shortage_value": "decimal",
        "average_age": "decimal",
        "oldest": "date",
    },
    "rejected": "text by name",
    "error": "text",
}


class FormatError(Exception):
    """A case file that is not of the documented form; the message names file, case and field."""


@dataclass(frozen=True)
class Move:
    """One movement, numbered from 1 in the order of the file.

    `name` is what `ref` and the expectations call it; `id` is its identity for the engine, and only
    differs from the name when two moves have the same id on purpose.
    """

    number: int
    name: str
    id: str
    kind: str
    at: datetime.date | datetime.datetime
    numbers: Mapping[str, Decimal | None]
    texts: Mapping[str, str | None]


@dataclass(frozen=True)
class Layer:
    """A layer; of an expected one only the first `shown` of the four values are compared."""

    quantity: Decimal
    unit_cost: Decimal | Fraction | None = None
    at: datetime.date | None = None
    lot: str | None = None
    shown: int = 4


@dataclass(frozen=True)
class Expectation:
    """What one run of a case must give: under which settings, and the checks by field name."""

    settings: Mapping[str, Any]
    checks: Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A history under a policy, and what must come out."""

    id: str
    policy: Mapping[str, Any]
    moves: Sequence[Move]
    expect: Sequence[Expectation]
    skip: str | None = None
    ids: Mapping[str, str] = field(default_factory=dict)


def read_file(path: Path) -> list[Case]:
    """Read all cases of a file; raises FormatError for what the form does not allow."""
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FormatError(f"{path}: {error}") from error
    try:
        if not isinstance(document, list):
            raise FormatError("expected a list of cases")
        cases = [_case(entry, number) for number, entry in enumerate(document, start=1)]
        for number, case in enumerate(cases):
            if any(other.id == case.id for other in cases[:number]):
                raise FormatError(f"case `{case.id}`: id: there is another case of this id")
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error
    return cases


class _Loader(yaml.SafeLoader):
    """YAML without binary floats and without repeated keys: `0.1` is exactly one tenth."""


def _decimal_node(loader: _Loader, node: yaml.ScalarNode) -> Decimal:
    if not DECIMAL.fullmatch(node.value):
        raise yaml.constructor.ConstructorError(
            None, None, f"expected a plain decimal number, found `{node.value}`", node.start_mark
        )
    return Decimal(node.value)


def _mapping_node(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [key.value for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key `{key}` is repeated", node.start_mark
            )
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:float", _decimal_node)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping_node)


def _case(entry: Any, number: int) -> Case:
    place = f"case {number}"
    if isinstance(entry, dict) and isinstance(entry.get("id"), str):
        place = f"case `{entry['id']}`"
    _only(entry, CASE_FIELDS, place)
    for name in ("id", "source", "note", "skip"):
        if name in entry or name == "id":
            _read("text", entry.get(name), f"{place}: {name}")
    policy = _read("mapping", entry.get("policy", {}), f"{place}: policy")
    moves = _moves(entry.get("moves"), place)
    names = {move.name for move in moves}
    expect = [
        _expectation(item, names, len(moves), f"{place}: expect[{index}]")
        for index, item in enumerate(_list(entry.get("expect"), f"{place}: expect"), start=1)
    ]
    if not expect and "skip" not in entry:
        raise FormatError(f"{place}: expect: a case that expects nothing cannot pass")
    return Case(entry["id"], policy, moves, expect, entry.get("skip"))


def _moves(entries: Any, place: str) -> list[Move]:
    moves: list[Move] = []
    for index, entry in enumerate(_list(entries, f"{place}: moves"), start=1):
        where = f"{place}: moves[{index}]"
        _only(entry, MOVE_FIELDS, where)
        for _ in range(_read("count", entry.get("repeat", 1), f"{where}.repeat")):
            moves.append(_move(entry, moves, where))
    return moves


def _move(entry: Mapping[str, Any], before: Sequence[Move], where: str) -> Move:
    number = len(before) + 1
    identity = entry.get("id", f"m{number}")
    taken = {move.name for move in before}
    texts = {name: _optional("text", entry, name, where) for name in TEXT_FIELDS}
    return Move(
        number=number,
        name=f"m{number}" if identity in taken else identity,
        id=identity,
        kind=_read("text", entry.get("kind"), f"{where}.kind"),
        at=_read("instant", entry["at"], f"{where}.at") if "at" in entry else _next_day(before),
        numbers={name: _optional("decimal", entry, name, where) for name in NUMBER_FIELDS},
        texts=texts | {"item": texts["item"] or "item"},
    )


def _next_day(before: Sequence[Move]) -> datetime.date | datetime.datetime:
    return before[-1].at + ONE_DAY if before else FIRST_DAY


def _expectation(entry: Any, names: set[str], moves: int, place: str) -> Expectation:
    _only(entry, {*SETTING_FIELDS, *CHECK_FIELDS}, place)
    settings = {
        name: _read(SETTING_FIELDS[name], value, f"{place}.{name}")
        for name, value in entry.items()
        if name in SETTING_FIELDS
    }
    checks = {
        name: _read(CHECK_FIELDS[name], value, f"{place}.{name}")
        for name, value in entry.items()
        if name in CHECK_FIELDS
    }
    if not checks:
        raise FormatError(f"{place}: expected at least one of {', '.join(CHECK_FIELDS)}")
    if settings.get("after", 0) > moves:
        raise FormatError(f"{place}.after: the case has {moves} moves, found {settings['after']}")
    by_name = ("costs", "unit_costs", "changes", "variances", "rejected")
    used = [
        *settings.get("without", ()),
        *(name for field_name in by_name for name in checks.get(field_name, ())),
    ]
    for name in used:
        if name not in names:
            raise FormatError(f"{place}: no move is called `{name}`")
    return Expectation(settings, checks)


def _optional(form: str, entry: Mapping[str, Any], name: str, where: str) -> Any:
    return None if entry.get(name) is None else _read(form, entry[name], f"{where}.{name}")


def _only(entry: Any, known: set[str], place: str) -> None:
    if not isinstance(entry, dict):
        raise FormatError(f"{place}: expected a mapping, found `{entry}`")
    for name in entry:
        if name not in known:
            raise FormatError(f"{place}: unknown field `{name}`, expected one of {', '.join(sorted(known))}")


def _list(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise FormatError(f"{place}: expected a list, found `{value}`")
    return value


def _read(form: str | Mapping[str, str], value: Any, place: str) -> Any:
    """Read a value of a form named in the tables above."""
    if isinstance(form, Mapping):
        _only(value, set(form), place)
        return {name: _read(form[name], part, f"{place}.{name}") for name, part in value.items()}
    if form.endswith(" by name"):
        part_form = form.removesuffix(" by name")
        return {
            str(name): _read(part_form, part, f"{place}.{name}")
            for name, part in _read("mapping", value, place).items()
        }
    if form in LISTS:
        return [
            _read(LISTS[form], part, f"{place}[{index}]")
            for index, part in enumerate(_list(value, place), start=1)
        ]
    found = READERS[form](value)
    if found is None:
        raise FormatError(f"{place}: expected {FORM_NAMES[form]}, found `{value}`")
    return found


def _as_decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, Decimal)):
        return Decimal(value)
    return Decimal(value) if isinstance(value, str) and DECIMAL.fullmatch(value) else None


def _as_count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _as_date(value: Any) -> datetime.date | None:
    return value if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime) else None


def _as_layer(value: Any) -> Layer | None:
    if not isinstance(value, list) or not 1 <= len(value) <= 4:
        return None
    quantity, unit_cost, at, lot = value + [None] * (4 - len(value))
    amount, cost = _as_decimal(quantity), _as_decimal(unit_cost)
    if amount is None or (cost is None) != (unit_cost is None) or (at is not None and _as_date(at) is None):
        return None
    return Layer(amount, cost, at, lot, shown=len(value)) if isinstance(lot, (str, type(None))) else None


LISTS = {
    "decimals": "decimal",
    "counts": "count",
    "texts": "text",
    "names": "text",
    "layers": "layer",
    "lists of layers": "layers",
}
READERS = {
    "decimal": _as_decimal,
    "count": _as_count,
    "date": _as_date,
    "instant": lambda value: value if isinstance(value, datetime.date) else None,
    "text": lambda value: value if isinstance(value, str) and value else None,
    "mapping": lambda value: value if isinstance(value, dict) else None,
    "layer": _as_layer,
}
FORM_NAMES = {
    "decimal": "a decimal number",
    "count": "a whole number",
    "date": "a date",
    "instant": "a date or a time",
    "text": "text",
    "mapping": "a mapping",
    "layer": "a layer [quantity, unit cost, date, lot]",
}
