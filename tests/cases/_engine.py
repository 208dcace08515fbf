"""Running a history through comptoir, and what came out as plain values."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
from _format import NUMBER_FIELDS, TEXT_FIELDS, Move

from comptoir import costing

# Wide enough for any number that a case may hold, also for those that comptoir must refuse.
PRECISION = 38


@dataclass(frozen=True)
class Line:
    """A posting. `number` is that of the movement, `adjusts` that of the movement corrected."""

    number: int
    adjusts: int | None
    reason: str | None
    kind: str
    quantity: Decimal
    value: Decimal
    variance: Decimal


@dataclass(frozen=True)
class Balance:
    """Quantity and value on hand of an item, pool and lot."""

    item: str
    pool: str | None
    lot: str | None
    quantity: Decimal
    value: Decimal
    unit_cost: Decimal | None


@dataclass(frozen=True)
class OpenLayer:
    """Quantity and value left of a receipt."""

    item: str
    pool: str | None
    lot: str | None
    at: datetime.date
    quantity: Decimal
    value: Decimal


@dataclass(frozen=True)
class Result:
    """The books of a history."""

    moves: Sequence[Move]
    lines: Sequence[Line]
    balances: Sequence[Balance]
    layers: Sequence[OpenLayer]
    rejected: Mapping[int, str]
    valuation: Any

    def of_kind(self, kind: str) -> list[Line]:
        """Give the movements' own lines of a kind, in the order of the file."""
        return [line for line in self.lines if line.kind == kind and line.reason is None]

    def at_cost_of(self, number: int) -> list[Line]:
        """Give a movement's own line and all that correct its cost."""
        return [line for line in self.lines if number == (line.adjusts if line.reason else line.number)]

    def caused_by(self, number: int) -> list[Line]:
        """Give a movement's own line and the corrections that it caused."""
        return [line for line in self.lines if line.number == number]


def run(moves: Sequence[Move], choices: Mapping[str, Any]) -> Result:
    """Value the moves under a policy; raises `comptoir.Error` when the call as a whole is refused."""
    valuation = costing.value(movement_table(moves), policy(choices))
    numbers: dict[str, int] = {}
    for move in moves:
        numbers.setdefault(_identity(move, moves), move.number)
    postings = [_line(row, numbers) for row in _rows(valuation.postings)]
    rejected = {moves[row["row"]].number: row["code"] for row in _rows(valuation.rejected)}
    balances = [
        Balance(row["item"], row.get("pool"), row.get("lot"), row["quantity"], row["value"], row["unit_cost"])
        for row in _rows(valuation.balances)
    ]
    layers = [
        OpenLayer(row["item"], row.get("pool"), row.get("lot"), row["at"], row["quantity"], row["value"])
        for row in _rows(valuation.layers)
    ]
    return Result(moves, postings, balances, layers, rejected, valuation)


def policy(choices: Mapping[str, Any]) -> costing.Policy:
    """Build a policy: a preset, if one is named, with the other choices laid over it."""
    named = {name: _plain(value) for name, value in choices.items()}
    preset = named.pop("preset", None)
    return costing.Policy(named) if preset is None else costing.Policy.preset(preset, **named)


def ageing(result: Result, as_of: datetime.date, buckets: Sequence[int]) -> list[dict[str, Any]]:
    """Age the stock; each row holds its buckets as lists `quantities` and `values`."""
    rows = _rows(result.valuation.ageing(as_of, buckets))
    for row in rows:
        for name, buckets_of in (("quantities", "quantity_"), ("values", "value_")):
            row[name] = [number for column, number in row.items() if column.startswith(buckets_of)]
    return rows


def _plain(value: Any) -> Any:
    """Write numbers and dates as text, as policies hold them."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def movement_table(moves: Sequence[Move]) -> pa.Table:
    """Build the input table. Optional columns that no move uses are left out, as a producer would."""
    columns: dict[str, pa.Array] = {
        "movement_id": pa.array([_identity(move, moves) for move in moves], pa.string()),
        "at": _instants([move.at for move in moves]),
        "kind": pa.array([move.kind for move in moves], pa.string()),
    }
    for name in NUMBER_FIELDS:
        numbers = [move.numbers[name] for move in moves]
        if name != "unit_cost" or any(number is not None for number in numbers):
            columns[name] = _decimals(numbers)
    for name in set(TEXT_FIELDS) - {"id"}:
        texts = [move.texts[name] for move in moves]
        if name == "ref":
            texts = [None if text is None else _reference(text, moves) for text in texts]
        if any(text is not None for text in texts):
            columns[name] = pa.array(texts, pa.string())
    return pa.table(columns)


def _identity(move: Move, moves: Sequence[Move]) -> str:
    """Give the movement id: it sorts as the file does, so that ties of time stay in file order."""
    first = next(other for other in moves if other.id == move.id)
    return f"{first.number:06}-{first.id}"


def _reference(text: str, moves: Sequence[Move]) -> str:
    found = next((move for move in moves if move.id == text), None)
    return text if found is None else _identity(found, moves)


def _decimals(numbers: Iterable[Decimal | None]) -> pa.Array:
    numbers = list(numbers)
    scale = max((-int(number.as_tuple().exponent) for number in numbers if number is not None), default=0)
    return pa.array(numbers, pa.decimal128(PRECISION, scale))


def _instants(instants: Sequence[datetime.date]) -> pa.Array:
    """Give dates as dates; with a time among them all are timestamps, a date being its midnight."""
    if not any(isinstance(instant, datetime.datetime) for instant in instants):
        return pa.array(instants, pa.date32())
    times = [
        instant
        if isinstance(instant, datetime.datetime)
        else datetime.datetime.combine(instant, datetime.time())
        for instant in instants
    ]
    if not any(time.tzinfo for time in times):
        return pa.array(times, pa.timestamp("us"))
    aware = [time if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc) for time in times]
    return pa.array(aware, pa.timestamp("us", tz="UTC"))


def _rows(table: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pa.table(table).to_pylist()
    return rows


def _line(row: Mapping[str, Any], numbers: Mapping[str, int]) -> Line:
    adjusts = row["adjusts"]
    return Line(
        number=numbers[row["movement_id"]],
        adjusts=None if adjusts is None else numbers[adjusts],
        reason=row["reason"],
        kind=row["kind"],
        quantity=row["quantity"],
        value=row["value"],
        variance=row["variance"],
    )
