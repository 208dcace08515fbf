"""Policies as keywords, dicts, JSON and YAML; presets; choices by class and item; errors with their path."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

import comptoir
from comptoir import costing
from histories import codes, history, table, valued, values
from oracle_books import Move

YAML = """
method: fifo
negative: cover
returns: {sales: current_cost, purchase: original_cost}
money_scale: 3
classes:
  gold: {method: specific}
"""
FIELDS: dict[str, Any] = {
    "method": "fifo",
    "negative": "cover",
    "returns": {"sales": "current_cost", "purchase": "original_cost"},
    "money_scale": 3,
    "classes": {"gold": {"method": "specific"}},
}


def test_all_ways_to_write_a_policy_agree() -> None:
    policy = costing.Policy(**FIELDS)
    assert policy == costing.Policy(FIELDS) == costing.Policy(json.dumps(FIELDS)) == costing.Policy(YAML)
    assert costing.Policy(policy.to_json()) == policy == costing.Policy(policy.to_dict())
    assert costing.Policy(YAML, method="lifo") == costing.Policy({**FIELDS, "method": "lifo"})
    assert hash(policy) == hash(costing.Policy(YAML))


@pytest.mark.parametrize("form", [FIELDS, json.dumps(FIELDS), YAML, costing.Policy(YAML)])
def test_value_takes_a_policy_in_any_form(form: Any) -> None:
    assert costing.value(table(history("receipt 1 1")), form).policy == costing.Policy(YAML)


def test_plain_python_values_are_taken() -> None:
    policy = costing.Policy(fallback_cost=Decimal("1.25"), open_from=date(2026, 1, 1))
    assert policy.to_dict()["fallback_cost"] == "1.25"
    assert policy.to_dict()["open_from"] == "2026-01-01"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"methud": "fifo"}, "methud"),
        ({"method": "hifo"}, "method"),
        ({"returns": "head"}, "returns"),
        ({"returns": {"sales": "head"}}, "returns"),
        ({"money_scale": 7}, "money_scale"),
        ({"money_scale": -1}, "money_scale"),
        ({"cost_scale": 10}, "cost_scale"),
        ({"quantity_scale": 10}, "quantity_scale"),
        ({"rounding": "bankers"}, "rounding"),
        ({"utc_offset": "+8"}, "utc_offset"),
        ({"utc_offset": "+15:00"}, "utc_offset"),
        ({"open_from": "2026-02-30"}, "open_from"),
        ({"classes": {"gold": {"methud": "fifo"}}}, "classes.gold"),
        ({"classes": {"gold": {"method": "hifo"}}}, "classes.gold.method"),
        ({"items": {"ring": {"fallback_cost": "-1"}}}, "items.ring.fallback_cost"),
        ({"fallback_cost": "1.1234567"}, "fallback_cost"),
        ({"standard_cost": "-1"}, "standard_cost"),
        ({"switch": {"from": "2026-01-01", "method": "periodic_average"}}, "switch"),
        ({"items": {"ring": {"switch": {"from": "2026-01-01", "method": "specific"}}}}, "items.ring.switch"),
        ({"version": 2}, "version"),
        ({"version": 0}, "version"),
    ],
)
def test_a_wrong_field_is_named_by_its_path(fields: dict[str, Any], path: str) -> None:
    for form in (fields, json.dumps(fields)):
        with pytest.raises(comptoir.ConfigError) as caught:
            costing.Policy(form)
        assert caught.value.code == "COSTING_POLICY"
        assert path in str(caught.value)


@pytest.mark.parametrize("text", ["{", "[1]", "method: [", "{} {}", "just words"])
def test_text_that_is_no_policy(text: str) -> None:
    with pytest.raises(comptoir.ConfigError):
        costing.Policy(text)


def test_floats_are_no_costs() -> None:
    with pytest.raises(comptoir.ConfigError, match="fallback_cost"):
        costing.Policy(fallback_cost=1.1)


# --- presets

PRESETS = {
    # method, negative, sales returns, late cost, rounding
    "erpnext": ("fifo", "cover", "original_cost", "replay", "half_even"),
    "odoo": ("moving_average", "cover", "original_cost", "stock_coverage", "half_up"),
    "odoo19": ("moving_average", "cover", "original_cost", "replay", "half_up"),
    "sap": ("moving_average", "variance", "current_cost", "stock_coverage", "half_up"),
    "cas": ("periodic_average", "variance", "original_cost", "prospective", "half_up"),
}


@pytest.mark.parametrize("name", PRESETS)
def test_presets(name: str) -> None:
    fields = costing.Policy.preset(name).to_dict()
    found = (
        fields["method"],
        fields["negative"],
        fields["returns"]["sales"],
        fields["late_cost"],
        fields["rounding"],
    )
    assert found == PRESETS[name]
    assert name in costing.presets()
    assert costing.Policy.preset(name, method="lifo").to_dict()["method"] == "lifo"
    assert (
        costing.value(table(history("receipt 2 5; issue 1")), costing.Policy.preset(name)).counts.accepted
        == 2
    )


def test_an_unknown_preset_lists_the_known_ones() -> None:
    with pytest.raises(comptoir.ConfigError) as caught:
        costing.Policy.preset("oracle")
    assert "`oracle`" in str(caught.value)
    assert all(name in str(caught.value) for name in PRESETS)


# --- choices by class and item


def by_item(**policy: Any) -> dict[str, str]:
    """Cost of the issue of one of two units of 1.00 and 3.00, by item."""
    moves = [
        move
        for item in ("ring", "coin", "mug")
        for move in (
            Move(f"{item}1", 0, "receipt", 1, 100, item=item),
            Move(f"{item}2", 1, "receipt", 1, 300, item=item),
            Move(f"{item}3", 2, "issue", 1, item=item),
        )
    ]
    found = values(valued(moves, **policy))
    return {"ring": found[2], "coin": found[5], "mug": found[8]}


def test_items_win_over_classes_and_classes_over_the_policy() -> None:
    found = by_item(
        item_classes={"ring": "gold", "coin": "gold"},
        classes={"gold": {"method": "fifo"}},
        items={"coin": {"method": "lifo"}},
    )
    assert found == {"ring": "-1.00", "coin": "-3.00", "mug": "-2.00"}


def test_the_class_of_the_input_wins() -> None:
    moves = table(history("receipt 1 1; receipt 1 3; issue 1"))
    moves = moves.append_column("class", pa.array(["gold"] * 3))
    policy = {
        "classes": {"gold": {"method": "fifo"}, "tin": {"method": "lifo"}},
        "item_classes": {"mug": "tin"},
    }
    assert values(costing.value(moves, policy))[2] == "-1.00"


def test_rows_of_one_item_must_agree_on_its_class() -> None:
    moves = table(history("receipt 1 1; receipt 1 3; issue 1"))
    moves = moves.append_column("class", pa.array(["gold", "tin", "gold"]))
    assert codes(costing.value(moves)) == [(1, "CLASS_CONFLICT")]


def test_a_class_inherits_what_it_does_not_say() -> None:
    policy = {
        "negative": "carry",
        "item_classes": {"mug": "gold"},
        "classes": {"gold": {"fallback_cost": "2"}},
    }
    assert values(valued("issue 3", **policy)) == ["-6.00"]


# --- scales


@pytest.mark.parametrize(("scale", "expected"), [(0, "-3"), (2, "-3.33"), (6, "-3.333333")])
def test_money_scale(scale: int, expected: str) -> None:
    moves = table(history("receipt 3 10; issue 1"))
    assert values(costing.value(moves, costing.Policy(money_scale=scale)))[1] == expected


def test_cost_scale_is_that_of_unit_costs_out_and_in() -> None:
    valuation = costing.value(table(history("receipt 3 10")), costing.Policy(cost_scale=3))
    assert str(pa.table(valuation.balances)["unit_cost"][0].as_py()) == "3.333"
    moves = table(history("receipt 3 10")).drop_columns("amount")
    moves = moves.append_column("unit_cost", pa.array([Decimal("3.3333")], pa.decimal128(9, 4)))
    assert codes(costing.value(moves, costing.Policy(cost_scale=3))) == [(0, "EXCESS_SCALE")]
    assert values(costing.value(moves, costing.Policy(cost_scale=4))) == ["10.00"]
