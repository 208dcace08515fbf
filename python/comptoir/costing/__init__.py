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
>>> valuation.balances.to_pylist()  # doctest: +ELLIPSIS
[{'item': 'mug', 'pool': None, 'quantity': Decimal('3'), 'value': Decimal('33.60'), 'unit_cost': ...}]
"""

from comptoir.costing._policy import Policy, PolicyLike, presets
from comptoir.costing._valuation import Counts, Valuation, value
from comptoir.costing._vouchers import TemplateLike, TrialBalance, Vouchers, voucher_template

__all__ = [
    "Counts",
    "Policy",
    "PolicyLike",
    "TemplateLike",
    "TrialBalance",
    "Valuation",
    "Vouchers",
    "presets",
    "value",
    "voucher_template",
]
