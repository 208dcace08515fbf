"""A valued history and its results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from comptoir import _native
from comptoir._native import Table
from comptoir.costing import _arguments
from comptoir.costing._policy import Policy, PolicyLike
from comptoir.costing._vouchers import TemplateLike, TrialBalance, Vouchers, template_text


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
        return self._native.ageing(self._day(as_of), _arguments.days("buckets", buckets))

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
        bounds = _arguments.days("buckets", buckets)
        shares = _arguments.texts("rates", rates, "COSTING_PROVISION_RATES")
        return self._native.provision(self._day(as_of), bounds, shares, booked)

    def vouchers(
        self,
        template: TemplateLike | None = None,
        *,
        by: Literal["movement", "document", "day", "month", "period"] = "day",
    ) -> Vouchers:
        """Vouchers by a template. The same history always gives the same vouchers with the same ids.

        Parameters
        ----------
        template : str or mapping, optional
            Name of a built-in template (``ifrs`` or ``cas``), or a template as mapping, JSON or YAML text;
            that given to `value` without one.
        by : {"movement", "document", "day", "month", "period"}
            What goes into one voucher; a period is a month. Documents are read from the column ``document``.

        Returns
        -------
        Vouchers
        """
        entries, movements, balanced = self._native.vouchers(
            *self._chosen(template), _arguments.text("by", by)
        )
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
        return self._native.stock_card(_arguments.text("item", item))

    def summary(self, period: Literal["day", "month", "total"] = "month") -> Table:
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
        return self._native.summary(_arguments.text("period", period))

    def turnover(self, first: date | str, last: date | str) -> Table:
        """Turnover and days of supply between two days, both included.

        Parameters
        ----------
        first, last : date or str
            The window.

        Returns
        -------
        Table
            ``item, pool, consumed_quantity, cost_of_sales, average_inventory`` (mean of the values at the
            ends of the days), ``turnover, days_in_inventory, on_hand, days_of_supply``.
        """
        return self._native.turnover(_arguments.text("first", first), _arguments.text("last", last))

    def _day(self, as_of: date | str | None) -> str:
        return _arguments.text("as_of", self.last_day if as_of is None else as_of)

    def _chosen(self, template: TemplateLike | None) -> tuple[str, str]:
        return self._template if template is None else template_text(template)

    def __repr__(self) -> str:
        counts = self.counts
        shown = f"{counts.accepted} accepted, {counts.rejected} rejected, {counts.corrections} corrections"
        return f"Valuation({shown})"


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
        (movements that stand or fall together), ``class`` (item class). A reader gives its rows once: given
        again, it is a history without rows, as `Valuation.counts` shows.
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
    template = template_text("ifrs" if vouchers is None else vouchers)
    return Valuation(_native.costing_value(movements, chosen.to_json()), chosen, template)
