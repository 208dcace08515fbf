"""What a case may expect, and how each expectation is held against the books.

Every check yields triples: what was compared, the expected and the actual value. Numbers are compared
exactly, as fractions.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import _engine
from _format import Case, Expectation, Layer

import comptoir

Found = tuple[str, Any, Any]


@dataclass(frozen=True)
class Books:
    """A case under the settings of one expectation; histories are valued when they are asked for."""

    case: Case
    settings: Mapping[str, Any]

    @functools.cached_property
    def moves(self) -> list[Any]:
        """The movements that the settings leave."""
        without = self.settings.get("without", ())
        last = self.settings.get("after", len(self.case.moves))
        return [move for move in self.case.moves if move.number <= last and move.name not in without]

    @functools.cached_property
    def result(self) -> _engine.Result:
        """The books of all these movements."""
        return self._run(len(self.moves))

    def prefixes(self) -> Iterator[_engine.Result]:
        """Give the books after each movement, in the order of the file."""
        return (self._run(count) for count in range(1, len(self.moves) + 1))

    def number(self, name: str) -> int:
        """Give the number of the movement of this name."""
        return next(move.number for move in self.case.moves if move.name == name)

    def fitting(self, rows: Sequence[Any]) -> list[Any]:
        """Give the rows of the item, pool and lot that the settings name; all where they name none."""
        wanted = {name: self.settings[name] for name in ("item", "pool", "lot") if name in self.settings}
        return [row for row in rows if all(getattr(row, name) == value for name, value in wanted.items())]

    def _run(self, count: int) -> _engine.Result:
        return _engine.run(self.moves[:count], {**self.case.policy, **self.settings.get("policy", {})})


def failures(case: Case, expectation: Expectation) -> Iterator[str]:
    """Check one expectation of a case; give a text for everything that is otherwise."""
    refusal = expectation.checks.get("error")
    books = Books(case, expectation.settings)
    try:
        if refusal is not None and books.result:
            yield f"error: expected {refusal} got no error"
            return
        for what, expected, actual in _found(books, expectation.checks):
            if expected != actual:
                yield f"{what}: expected {show(expected)} got {show(actual)}"
    except comptoir.Error as error:
        if error.code != refusal:
            yield f"error: expected {refusal or 'no error'} got {error.code} ({error})"


def _found(books: Books, checks: Mapping[str, Any]) -> Iterator[Found]:
    rejected = {str(name): code for name, code in checks.get("rejected", {}).items()}
    names = {move.number: move.name for move in books.moves}
    yield "rejected", rejected, {names[number]: code for number, code in books.result.rejected.items()}
    yield from _laws(books.result)
    for name, expected in checks.items():
        if name != "rejected":
            yield from CHECKS[name](books, expected)


def _laws(result: _engine.Result) -> Iterator[Found]:
    """Give what holds for every history: lines add up to balances, and no movement is lost."""
    for name in ("quantity", "value"):
        balances = sum(getattr(balance, name) for balance in result.balances)
        yield f"sum of posted {name}", balances, sum(getattr(line, name) for line in result.lines)
    posted = {line.number for line in result.lines if line.reason is None}
    yield "movements posted or rejected", len(result.moves), len(posted) + len(result.rejected)


def _sum(name: str) -> Callable[[Books, Decimal], Iterator[Found]]:
    def check(books: Books, expected: Decimal) -> Iterator[Found]:
        yield _named(name, books), expected, _total(books, books.result, name)

    return check


def _total(books: Books, result: _engine.Result, name: str) -> Fraction:
    return sum((Fraction(getattr(row, name)) for row in books.fitting(result.balances)), Fraction(0))


def _named(name: str, books: Books) -> str:
    place = [books.settings[part] for part in ("item", "pool", "lot") if part in books.settings]
    return f"{name} of {' '.join(place)}" if place else name


def _unit_cost(books: Books, expected: Decimal) -> Iterator[Found]:
    """One balance has its unit cost in the table; that of several is their value by their quantity."""
    rows = books.fitting(books.result.balances)
    if len(rows) == 1:
        actual = rows[0].unit_cost
    else:
        actual = _quotient(_total(books, books.result, "value"), _total(books, books.result, "quantity"))
    yield _named("unit_cost", books), expected, actual


def _rounded_unit_cost(books: Books, expected: Mapping[str, Any]) -> Iterator[Found]:
    quantity, value = (_total(books, books.result, name) for name in ("quantity", "value"))
    steps = 10 ** expected.get("places", 2)
    exact = _quotient(value, quantity)
    rounded = None if exact is None else Fraction((exact * steps + Fraction(1, 2)).__floor__(), steps)
    if "unit_cost" in expected:
        yield "rounded_unit_cost", expected["unit_cost"], rounded
    if "difference" in expected:
        yield "rounded_unit_cost.difference", expected["difference"], (rounded or 0) * quantity - value


def _quotient(value: Decimal | Fraction, quantity: Decimal | Fraction) -> Fraction | None:
    return Fraction(value) / Fraction(quantity) if quantity else None


def _posted(books: Books, expected: Mapping[str, list[Decimal]]) -> Iterator[Found]:
    for kind, values in expected.items():
        yield f"posted {kind}", values, [abs(line.value) for line in books.result.of_kind(kind)]


def _cost(books: Books, name: str) -> tuple[Decimal, Decimal]:
    lines = books.result.at_cost_of(books.number(name))
    return abs(sum((line.value for line in lines), Decimal())), abs(
        sum((line.quantity for line in lines), Decimal())
    )


def _costs(books: Books, expected: Mapping[str, Decimal]) -> Iterator[Found]:
    for name, cost in expected.items():
        yield f"cost of {name}", cost, _cost(books, name)[0]


def _unit_costs(books: Books, expected: Mapping[str, Decimal]) -> Iterator[Found]:
    for name, unit_cost in expected.items():
        yield f"unit cost of {name}", unit_cost, _quotient(*_cost(books, name))


def _caused(field: str, what: str) -> Callable[[Books, Mapping[str, Decimal]], Iterator[Found]]:
    def check(books: Books, expected: Mapping[str, Decimal]) -> Iterator[Found]:
        for name, amount in expected.items():
            lines = books.result.caused_by(books.number(name))
            yield f"{what} {name}", amount, sum((getattr(line, field) for line in lines), Decimal())

    return check


def _corrections(books: Books, expected: list[Decimal]) -> Iterator[Found]:
    yield "corrections", expected, [line.value for line in books.result.lines if line.reason is not None]


def _reasons(books: Books, expected: list[str]) -> Iterator[Found]:
    yield "reasons", expected, [line.reason for line in books.result.lines if line.reason is not None]


def _after_each(field: str) -> Callable[[Books, list[Decimal]], Iterator[Found]]:
    def check(books: Books, expected: list[Decimal]) -> Iterator[Found]:
        yield (
            _named(f"{field}_after", books),
            expected,
            [_total(books, result, field) for result in books.prefixes()],
        )

    return check


def _layers(books: Books, expected: list[Layer]) -> Iterator[Found]:
    yield _named("layers", books), *_comparable(expected, _open_layers(books, books.result))


def _layers_after(books: Books, expected: list[list[Layer]]) -> Iterator[Found]:
    results = list(books.prefixes())
    yield "number of moves in layers_after", len(expected), len(results)
    for number, (layers, result) in enumerate(zip(expected, results, strict=False), start=1):
        yield _named(f"layers after {number}", books), *_comparable(layers, _open_layers(books, result))


def _open_layers(books: Books, result: _engine.Result) -> list[Layer]:
    """Give the open layers, oldest first; a stock below zero counts as one layer at its unit cost."""
    rows = sorted(books.fitting(result.layers), key=lambda layer: layer.at)
    rows = [layer for layer in rows if layer.quantity > 0]
    short = [balance for balance in books.fitting(result.balances) if balance.quantity < 0]
    return [
        Layer(row.quantity, _quotient(row.value, row.quantity), _day(getattr(row, "at", None)), row.lot)
        for row in [*rows, *short]
    ]


def _comparable(expected: list[Layer], actual: list[Layer]) -> tuple[list[Any], list[Any]]:
    """Compare what the expectation gives; neighbours that differ in quantity only count as one."""
    shown = max((layer.shown for layer in expected), default=4)
    return _merged(expected, shown), _merged(actual, shown)


def _merged(layers: list[Layer], shown: int) -> list[list[Any]]:
    merged: list[list[Any]] = []
    for layer in layers:
        row = [Fraction(layer.quantity), layer.unit_cost, layer.at, layer.lot][:shown]
        if shown > 1 and merged and merged[-1][1:] == row[1:]:
            merged[-1][0] += row[0]
        else:
            merged.append(row)
    return merged


def _day(at: datetime.date | None) -> datetime.date | None:
    return at.date() if isinstance(at, datetime.datetime) else at


def _ageing(books: Books, expected: Mapping[str, Any]) -> Iterator[Found]:
    rows = _engine.ageing(books.result, expected["as_of"], expected["buckets"])
    rows = [
        row
        for row in rows
        if all(books.settings.get(name, row[name]) == row[name] for name in ("item", "pool"))
    ]
    for name in ("quantities", "values"):
        if name in expected:
            yield (
                f"ageing {name}",
                expected[name],
                [sum(bucket) for bucket in zip(*(row[name] for row in rows), strict=True)],
            )
    for name in ("shortage_quantity", "shortage_value"):
        if name in expected:
            yield f"ageing {name}", expected[name], sum(row[name] for row in rows)
    for name in ("average_age", "oldest"):
        if name in expected:
            # Neither adds up over items and pools, so several rows must agree.
            found = {row[name] for row in rows}
            yield f"ageing {name}", expected[name], found.pop() if len(found) == 1 else sorted(found, key=str)


CHECKS: dict[str, Callable[[Books, Any], Iterator[Found]]] = {
    "quantity": _sum("quantity"),
    "value": _sum("value"),
    "unit_cost": _unit_cost,
    "rounded_unit_cost": _rounded_unit_cost,
    "posted": _posted,
    "costs": _costs,
    "unit_costs": _unit_costs,
    "changes": _caused("value", "change by"),
    "variances": _caused("variance", "variance of"),
    "corrections": _corrections,
    "reasons": _reasons,
    "quantity_after": _after_each("quantity"),
    "value_after": _after_each("value"),
    "layers": _layers,
    "layers_after": _layers_after,
    "ageing": _ageing,
}


def show(value: Any) -> str:
    """Write a value for people: numbers as decimals, to nine places where they do not end."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {show(part)}" for name, part in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(show(part) for part in value) + "]"
    if isinstance(value, Fraction):
        return f"{Decimal(value.numerator) / Decimal(value.denominator):.9f}".rstrip("0").rstrip(".")
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "nothing" if value is None else str(value)
