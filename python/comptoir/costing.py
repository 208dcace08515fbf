"""Inventory valuation: what stock is worth, how old it is, and the vouchers that follow.

`value` takes a whole history of movements as an Arrow table and gives a `Valuation`. A `Policy` says by which
method stock is valued and what happens in every case in which systems differ.

Examples
--------
>>> import pyarrow as pa
>>> from datetime import date
>>> from decimal import Decimal
>>> from comptoir import costing
>>> movements = pa.table({
...     "movement_id": ["r1", "r2", "i1"],
...     "item": ["mug", "mug", "mug"],
...     "at": [date(2026, 1, 5), date(2026, 1, 9), date(2026, 1, 12)],
...     "kind": ["receipt", "receipt", "issue"],
...     "quantity": [10, 5, 12],
...     "amount": pa.array([Decimal("100.00"), Decimal("56.00"), None], pa.decimal128(12, 2)),
... })
>>> valuation = costing.value(movements, costing.Policy(method="fifo"))
>>> [row["value"] for row in valuation.postings.to_pylist()]
[Decimal('100.00'), Decimal('56.00'), Decimal('-122.40')]
>>> valuation.balances.to_pylist()
[{'item': 'mug', 'pool': None, 'quantity': Decimal('3'), 'value': Decimal('33.60'), 'unit_cost': Decimal('11.200000')}]
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from comptoir import _native
from comptoir._native import Table

__all__ = [
    "Counts",
    "PeriodUnit",
    "Policy",
    "PolicyLike",
    "TemplateLike",
    "TrialBalance",
    "Valuation",
    "VoucherUnit",
    "Vouchers",
    "presets",
    "value",
    "voucher_template",
]


class Policy:
    """How stock is valued. Every field has a default; an unknown one is refused.

    Parameters
    ----------
    source : mapping or str, optional
        Fields as a mapping, or as JSON or YAML text. Keywords are laid over it.
    **fields
        Fields of the policy, such as ``method="fifo"``, ``negative="cover"``, ``returns="original_cost"``,
        ``money_scale=2``, ``rounding="half_even"``. The guide lists them all (docs/policy.md).

    Raises
    ------
    ConfigError
        With the path of the field that is wrong.

    Examples
    --------
    >>> from comptoir.costing import Policy
    >>> Policy(method="fifo").to_dict()["negative"]
    'reject'
    >>> Policy.preset("odoo", method="fifo") == Policy(Policy.preset("odoo").to_dict(), method="fifo")
    True
    """

    __slots__ = ("_json",)

    _json: str

    def __init__(self, source: Mapping[str, Any] | str | None = None, /, **fields: Any) -> None:
        if isinstance(source, str):
            form = "json" if source.lstrip().startswith("{") else "yaml"
            text = _native.costing_policy(form, source)
            if fields:
                text = _native.costing_policy("json", _dump({**json.loads(text), **fields}))
        else:
            text = _native.costing_policy("json", _dump({**(source or {}), **fields}))
        self._json = text

    @classmethod
    def preset(cls, name: str, **fields: Any) -> Policy:
        """Policy of a common system, with fields laid over it.

        Parameters
        ----------
        name : str
            One of `presets`.
        **fields
            Fields that are to be otherwise.

        Returns
        -------
        Policy

        Raises
        ------
        ConfigError
            For a name that is none of the presets, or a wrong field.
        """
        return cls(_native.costing_policy("preset", name), **fields)

    def to_dict(self) -> dict[str, Any]:
        """All fields as a dict.

        Returns
        -------
        dict
        """
        fields: dict[str, Any] = json.loads(self._json)
        return fields

    def to_json(self) -> str:
        """All fields as JSON text.

        Returns
        -------
        str
        """
        return self._json

    def __eq__(self, other: object) -> bool:
        return self._json == other._json if isinstance(other, Policy) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._json)

    def __repr__(self) -> str:
        default = Policy().to_dict()
        shown = {name: field for name, field in self.to_dict().items() if default[name] != field}
        return f"Policy({', '.join(f'{name}={field!r}' for name, field in shown.items())})"


PolicyLike: TypeAlias = Policy | Mapping[str, Any] | str
"""A policy, or what `Policy` can be made of."""

TemplateLike: TypeAlias = Mapping[str, Any] | str
"""A voucher template: name of a built-in one, mapping, JSON or YAML text."""

VoucherUnit: TypeAlias = Literal["movement", "document", "day", "month", "period"]
"""What goes into one voucher."""

PeriodUnit: TypeAlias = Literal["day", "month", "total"]
"""Length of the periods of a summary."""


def presets() -> dict[str, str]:
    """Names of the presets, each with the system that it stands for.

    Returns
    -------
    dict of str to str
    """
    return dict(_native.costing_presets())


@dataclass(frozen=True)
class Counts:
    """How many rows went where; ``accepted + rejected == input`` always holds.

    Attributes
    ----------
    input : int
        Rows of the input.
    accepted : int
        Movements in the books.
    rejected : int
        Rows that are not, exact repetitions included.
    duplicates : int
        Of the rejected, exact repetitions of an earlier row, which were ignored.
    corrections : int
        Correction postings beside the movements.
    """

    input: int
    accepted: int
    rejected: int
    duplicates: int
    corrections: int


@dataclass(frozen=True)
class Vouchers:
    """Vouchers of a history. Passed to an Arrow library it stands for `entries`.

    Attributes
    ----------
    entries : Table
        One row per line: ``voucher_id, date, key, summary, account, debit, credit``.
    movements : Table
        One row per movement that a voucher comes from: ``voucher_id, movement_id``.
    balanced : bool
        Whether debits equal credits in every voucher.
    """

    entries: Table
    movements: Table
    balanced: bool

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Arrow stream of `entries`."""
        return self.entries.__arrow_c_stream__(requested_schema)


@dataclass(frozen=True)
class TrialBalance:
    """Trial balance. Passed to an Arrow library it stands for `accounts`.

    Attributes
    ----------
    accounts : Table
        ``account, opening, debit, credit, balance``.
    inventory : Decimal
        Balance of all inventory accounts.
    stock : Decimal
        Value of the stock.
    """

    accounts: Table
    inventory: Decimal
    stock: Decimal

    @property
    def agrees(self) -> bool:
        """Whether the inventory accounts hold the value of the stock."""
        return self.inventory == self.stock

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Arrow stream of `accounts`."""
        return self.accounts.__arrow_c_stream__(requested_schema)


class Valuation:
    """A valued history. Made by `value`; all tables are Arrow tables in the caller's types."""

    __slots__ = ("_native", "_template", "policy")

    policy: Policy
    """The policy under which the history was valued."""

    def __init__(self, native: _native.CostingValuation, policy: Policy, template: tuple[str, str]) -> None:
        self._native = native
        self._template = template
        self.policy = policy

    @property
    def counts(self) -> Counts:
        """How many rows went where."""
        return Counts(*self._native.counts())

    @property
    def postings(self) -> Table:
        """One row per accepted movement in the order of the input, then the corrections by time.

        Columns ``movement_id, item, pool, at, kind`` as in the input; ``quantity, value`` the signed change;
        ``on_hand, on_hand_value`` the stock after it; ``unit_cost`` of that stock, null when it is empty;
        ``variance`` what the variance account is charged; ``adjusts`` the movement whose cost a correction
        corrects, and its ``reason``.
        """
        return self._native.postings()

    @property
    def layers(self) -> Table:
        """Open layers at the end, oldest first, for the methods that keep layers."""
        return self._native.layers()

    @property
    def balances(self) -> Table:
        """Quantity, value and unit cost on hand at the end, by item and pool."""
        return self._native.balances()

    @property
    def rejected(self) -> Table:
        """Rows that are not in the books: ``row`` (from 0), ``movement_id``, ``code``, ``message``."""
        return self._native.rejected()

    @property
    def last_day(self) -> date:
        """Day of the last movement in the books.

        Raises
        ------
        ConfigError
            If no movement is in the books.
        """
        return date(1970, 1, 1) + timedelta(days=self._native.last_day())

    def ageing(self, as_of: date | str | None = None, buckets: Sequence[int] = (30, 60, 90)) -> Table:
        """Quantity and value by age of the stock at the end of a day, under any method.

        Methods without layers age by first in, first out; transfers keep the date of the receipt unless the
        policy says otherwise. A shortage stands in columns of its own, so that buckets and shortage add up to
        quantity and value on hand.

        Parameters
        ----------
        as_of : date or str, optional
            The day; that of the last movement without one. Later movements do not count.
        buckets : sequence of int
            Last day of each bucket, ascending: ``(30, 60, 90)`` makes 0-30, 31-60, 61-90 and above 90 days.

        Returns
        -------
        Table
            ``item, pool, quantity_0_30, value_0_30, ..., quantity_over_90, value_over_90, shortage_quantity,
            shortage_value, quantity, value, average_age, oldest``.
        """
        return self._native.ageing(self._day(as_of), list(buckets))

    def provision(
        self,
        rates: Sequence[Decimal | str],
        *,
        as_of: date | str | None = None,
        buckets: Sequence[int] = (90, 180, 360),
        booked: object | None = None,
    ) -> Table:
        """Provision for old stock, against what is booked already.

        Parameters
        ----------
        rates : sequence of Decimal or str
            One rate from 0 to 1 for each bucket.
        as_of : date or str, optional
            The day; that of the last movement without one.
        buckets : sequence of int
            As for `ageing`.
        booked : Arrow table, optional
            ``item``, ``amount`` and optionally ``pool`` of the provision in the books.

        Returns
        -------
        Table
            ``item, pool, value, required, booked, change, action, booked_after``; ``action`` is ``charge``,
            ``reversal`` (never more than was booked), ``release`` (the stock is gone) or ``keep``.
        """
        return self._native.provision(self._day(as_of), list(buckets), [str(rate) for rate in rates], booked)

    def vouchers(self, template: TemplateLike | None = None, *, by: VoucherUnit = "day") -> Vouchers:
        """Vouchers by a template. The same history always gives the same vouchers with the same ids.

        Parameters
        ----------
        template : str or mapping, optional
            Name of a built-in template (``ifrs`` or ``cas``), or a template as mapping, JSON or YAML text; that
            given to `value` without one.
        by : {"movement", "document", "day", "month", "period"}
            What goes into one voucher; a period is a month. Documents are read from the column ``document``.

        Returns
        -------
        Vouchers
        """
        entries, movements, balanced = self._native.vouchers(*self._chosen(template), by)
        return Vouchers(entries, movements, balanced)

    def trial_balance(self, template: TemplateLike | None = None) -> TrialBalance:
        """Debit, credit and balance by account, and the inventory accounts against the stock.

        Parameters
        ----------
        template : str or mapping, optional
            As for `vouchers`.

        Returns
        -------
        TrialBalance
        """
        accounts, inventory, stock = self._native.trial_balance(*self._chosen(template))
        return TrialBalance(accounts, Decimal(inventory), Decimal(stock))

    def stock_card(self, item: object) -> Table:
        """All postings of an item in book order, with the running stock of each pool and of all pools.

        Parameters
        ----------
        item : str or int
            The item, as in the column ``item``.

        Returns
        -------
        Table
        """
        return self._native.stock_card(str(item))

    def summary(self, period: PeriodUnit = "month") -> Table:
        """Receipts, issues and balance by period, item and pool.

        For every row opening + received - issued + adjusted = closing holds, with issued as a positive number
        in the direction of an issue.

        Parameters
        ----------
        period : {"day", "month", "total"}
            Length of the periods.

        Returns
        -------
        Table
            ``period`` (first day), ``item, pool``, quantity and value of ``opening_*, received_*, issued_*,
            adjusted_*, closing_*``, and ``variance``.
        """
        return self._native.summary(period)

    def turnover(self, first: date | str, last: date | str) -> Table:
        """Turnover and days of supply between two days, both included.

        Parameters
        ----------
        first, last : date or str
            The window.

        Returns
        -------
        Table
            ``item, pool, consumed_quantity, cost_of_sales, average_inventory`` (mean of the values at the ends
            of the days), ``turnover, days_in_inventory, on_hand, days_of_supply``.
        """
        return self._native.turnover(str(first), str(last))

    def _day(self, as_of: date | str | None) -> str:
        return str(self.last_day if as_of is None else as_of)

    def _chosen(self, template: TemplateLike | None) -> tuple[str, str]:
        return self._template if template is None else _template(template)

    def __repr__(self) -> str:
        counts = self.counts
        return f"Valuation({counts.accepted} accepted, {counts.rejected} rejected, {counts.corrections} corrections)"


def value(
    movements: object, policy: PolicyLike | None = None, vouchers: TemplateLike | None = None
) -> Valuation:
    """Values a history of movements.

    Parameters
    ----------
    movements : object with ``__arrow_c_stream__`` or ``__arrow_c_array__``
        Table of pyarrow, polars, pandas 3 or DuckDB, rows in any order. Columns ``movement_id``, ``item``,
        ``at`` (date or timestamp), ``kind``, ``quantity``, and ``amount`` or ``unit_cost`` (decimals or
        integers; floats are refused). Optional ``pool``, ``ref`` (movement referred to), ``lot``, ``group``
        (movements that stand or fall together), ``class`` (item class).
    policy : Policy, mapping or str, optional
        How stock is valued; moving average without one.
    vouchers : str or mapping, optional
        Template of the vouchers, as for `Valuation.vouchers`; ``ifrs`` without one.

    Returns
    -------
    Valuation

    Raises
    ------
    SchemaError
        For a missing column or a wrong type, with the column, the expected and the found type.
    ConfigError
        For a policy that is not coherent.
    """
    chosen = policy if isinstance(policy, Policy) else Policy(policy)
    template = _template("ifrs" if vouchers is None else vouchers)
    return Valuation(_native.costing_value(movements, chosen.to_json()), chosen, template)


def voucher_template(template: TemplateLike) -> dict[str, Any]:
    """Fields of a voucher template, checked; start from a built-in one and change what differs.

    Parameters
    ----------
    template : str or mapping
        As for `Valuation.vouchers`.

    Returns
    -------
    dict

    Examples
    --------
    >>> from comptoir.costing import voucher_template
    >>> voucher_template("ifrs")["name"]
    'ifrs-1'
    """
    fields: dict[str, Any] = json.loads(_native.costing_template(*_template(template)))
    return fields


def _template(template: TemplateLike) -> tuple[str, str]:
    if not isinstance(template, str):
        return "json", _dump(template)
    if ":" not in template:
        return "preset", template
    return ("json" if template.lstrip().startswith("{") else "yaml"), template


def _dump(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, default=_plain)


def _plain(field: Any) -> Any:
    if isinstance(field, Decimal):
        return str(field)
    if hasattr(field, "isoformat"):
        return field.isoformat()
    raise TypeError(f"a policy cannot hold {type(field).__name__}")
