"""Vouchers and trial balance of a history."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from comptoir import _native
from comptoir._native import Table
from comptoir.costing import _arguments
from comptoir.costing._policy import form_of

TemplateLike: TypeAlias = Mapping[str, Any] | str
"""A voucher template: name of a built-in one, mapping, JSON or YAML text."""


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
    fields: dict[str, Any] = json.loads(_native.costing_template(*template_text(template)))
    return fields


def template_text(template: TemplateLike) -> tuple[str, str]:
    """Form and text of a template, as the native module takes them."""
    if not isinstance(template, str):
        code = "COSTING_TEMPLATE_SYNTAX"
        fields = _arguments.fields_of("voucher template", template, code)
        return "mapping", _arguments.fields_text("voucher template", fields, code)
    template = _arguments.text("template", template)
    if ":" not in template:
        return "preset", template
    return form_of(template), template
