"""Arguments that cannot be used: an error of comptoir with a code that names them, never a bare one."""

import math
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import comptoir
from comptoir import costing
from histories import history, table, valued

HALF_A_PAIR = "\ud800"
HUGE = 10**5000
ODD: list[Any] = [
    None, True, -1, 0, 1.5, math.nan, math.inf, HUGE, -HUGE, "", "x", HALF_A_PAIR, b"x", [], [None], {},
    {"a": 1}, object(), Decimal("NaN"), Decimal("1E+400"), date.min, date.max,
    datetime(2026, 1, 1, 12), range(3), "2026-02-30", "0000-01-01", "10000-01-01", "2026-1-1",
    "\u0662\u0660\u0662\u0666-01-01",
]  # fmt: skip


def nested(levels: int) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for _ in range(levels):
        fields = {"classes": fields}
    return fields


def circle() -> dict[str, Any]:
    fields: dict[str, Any] = {}
    fields["classes"] = fields
    return fields


@pytest.fixture(scope="module")
def valuation() -> costing.Valuation:
    return valued("receipt 10 40; issue 4")


CALLS: dict[str, Callable[[costing.Valuation, Any], object]] = {
    "ageing.as_of": lambda valuation, odd: valuation.ageing(odd),
    "ageing.buckets": lambda valuation, odd: valuation.ageing(buckets=odd),
    "ageing.buckets[1]": lambda valuation, odd: valuation.ageing(buckets=[30, odd]),
    "provision.rates": lambda valuation, odd: valuation.provision(odd),
    "provision.rates[0]": lambda valuation, odd: valuation.provision([odd, "1"], buckets=[30]),
    "provision.as_of": lambda valuation, odd: valuation.provision(["0", "1"], as_of=odd, buckets=[30]),
    "provision.buckets": lambda valuation, odd: valuation.provision(["0", "1"], buckets=odd),
    "provision.booked": lambda valuation, odd: valuation.provision(["0", "1"], buckets=[30], booked=odd),
    "vouchers.template": lambda valuation, odd: valuation.vouchers(odd),
    "vouchers.by": lambda valuation, odd: valuation.vouchers(by=odd),
    "trial_balance": lambda valuation, odd: valuation.trial_balance(odd),
    "stock_card": lambda valuation, odd: valuation.stock_card(odd),
    "summary": lambda valuation, odd: valuation.summary(odd),
    "turnover.first": lambda valuation, odd: valuation.turnover(odd, "2026-01-31"),
    "turnover.last": lambda valuation, odd: valuation.turnover("2026-01-01", odd),
    "voucher_template": lambda _, odd: costing.voucher_template(odd),
    "Policy": lambda _, odd: costing.Policy(odd),
    "Policy.preset": lambda _, odd: costing.Policy.preset(odd),
    "Policy(money_scale)": lambda _, odd: costing.Policy(money_scale=odd),
    "Policy(method)": lambda _, odd: costing.Policy(method=odd),
    "Policy(standard_cost)": lambda _, odd: costing.Policy(standard_cost=odd),
    "Policy(open_from)": lambda _, odd: costing.Policy(open_from=odd),
    "Policy(classes)": lambda _, odd: costing.Policy(classes={"gold": odd}),
    "Policy(items)": lambda _, odd: costing.Policy(items=odd),
    "Policy(key)": lambda _, odd: costing.Policy({odd: "fifo"} if odd.__hash__ else {"x": odd}),
    "value.policy": lambda _, odd: valued_under(odd),
    "value.movements": lambda _, odd: costing.value(odd),
}


def valued_under(policy: Any) -> costing.Valuation:
    return costing.value(table(history("receipt 10 40")), policy)


def failure(call: Callable[..., object], *given: object) -> comptoir.Error | None:
    try:
        call(*given)
    except comptoir.Error as error:
        return error
    return None


@pytest.mark.parametrize("name", CALLS)
def test_what_is_no_argument_is_an_error_of_comptoir(name: str, valuation: costing.Valuation) -> None:
    for odd in [*ODD, nested(10), nested(200), nested(5000), circle()]:
        error = failure(CALLS[name], valuation, odd)
        assert error is None or error.code not in ("", "INTERNAL")
        assert "\n" not in str(error)


NAMED: list[tuple[str, Any, str, str | None]] = [
    ("ageing.as_of", "2026-02-30", "TYPES_DATE_SYNTAX", "as_of"),
    ("ageing.as_of", "soon", "TYPES_DATE_SYNTAX", "as_of"),
    ("ageing.as_of", HALF_A_PAIR, "HOST_ARGUMENT", "as_of"),
    ("ageing.as_of", HUGE, "HOST_ARGUMENT", "as_of"),
    ("ageing.buckets", "30", "COSTING_AGEING_BUCKETS", "buckets"),
    ("ageing.buckets", 30, "COSTING_AGEING_BUCKETS", "buckets"),
    ("ageing.buckets", [30, 30], "COSTING_AGEING_BUCKETS", "buckets"),
    ("ageing.buckets", [60, 30], "COSTING_AGEING_BUCKETS", "buckets"),
    ("ageing.buckets[1]", -1, "COSTING_AGEING_BUCKETS", "buckets[1]"),
    ("ageing.buckets[1]", HUGE, "COSTING_AGEING_BUCKETS", "buckets[1]"),
    ("ageing.buckets[1]", 60.0, "COSTING_AGEING_BUCKETS", "buckets[1]"),
    ("ageing.buckets[1]", True, "COSTING_AGEING_BUCKETS", "buckets[1]"),
    ("provision.rates", "01", "COSTING_PROVISION_RATES", "rates"),
    ("provision.rates", 0.5, "COSTING_PROVISION_RATES", "rates"),
    ("provision.rates", ["0.5"], "COSTING_PROVISION_RATES", "rates"),
    ("provision.rates[0]", "half", "TYPES_DECIMAL_SYNTAX", "rates[0]"),
    ("provision.rates[0]", None, "HOST_ARGUMENT", "rates[0]"),
    ("provision.rates[0]", math.nan, "TYPES_DECIMAL_SYNTAX", "rates[0]"),
    ("provision.booked", 3, "ARROW_NOT_ARROW", None),
    ("vouchers.by", 3, "COSTING_UNKNOWN_NAME", "by"),
    ("vouchers.template", 3, "COSTING_TEMPLATE_SYNTAX", None),
    ("stock_card", "pot", "COSTING_UNKNOWN_NAME", "item"),
    ("stock_card", None, "HOST_ARGUMENT", "item"),
    ("summary", None, "HOST_ARGUMENT", "period"),
    ("summary", "week", "COSTING_UNKNOWN_NAME", "period"),
    ("turnover.first", None, "HOST_ARGUMENT", "first"),
    ("turnover.last", "2025-01-01", "COSTING_REPORT_WINDOW", "last"),
    ("Policy", 3, "COSTING_POLICY", None),
    ("Policy", [("method", "fifo")], "COSTING_POLICY", None),
    ("Policy", HALF_A_PAIR, "HOST_ARGUMENT", "policy"),
    ("Policy", circle(), "COSTING_POLICY", None),
    ("Policy.preset", None, "HOST_ARGUMENT", "preset"),
    ("Policy(money_scale)", HUGE, "COSTING_POLICY", "money_scale"),
    ("Policy(standard_cost)", math.nan, "COSTING_POLICY", "standard_cost"),
    ("Policy(standard_cost)", object(), "COSTING_POLICY", "standard_cost"),
    ("Policy(classes)", {"method": b"fifo"}, "COSTING_POLICY", "classes.gold.method"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "odd", "code", "path"), NAMED, ids=[f"{number}-{case[0]}" for number, case in enumerate(NAMED)]
)
def test_the_argument_is_named(
    name: str, odd: Any, code: str, path: str | None, valuation: costing.Valuation
) -> None:
    with pytest.raises(comptoir.Error) as caught:
        CALLS[name](valuation, odd)
    assert caught.value.code == code, caught.value
    if path is not None:
        assert caught.value.path == path
        assert path in str(caught.value) or path == "last"


def test_numbers_of_numpy_are_numbers(valuation: costing.Valuation) -> None:
    bounds = np.array([30, 60], dtype=np.int16)
    assert valuation.ageing(buckets=bounds).to_pylist() == valuation.ageing(buckets=(30, 60)).to_pylist()
    assert valuation.ageing(np.datetime64("2026-01-31")).to_pylist()
    assert costing.Policy(money_scale=np.int64(3)) == costing.Policy(money_scale=3)
    assert valuation.ageing(buckets=()).to_pylist()[0]["quantity_0_"] == Decimal(6)
