"""The same five movements under the policies of several systems.

    python policies.py

More is sold than there is, a dearer receipt comes, then freight for the first one: systems differ in what the
sales cost. Needs pyarrow.
"""

from datetime import date
from decimal import Decimal

import pyarrow as pa

from comptoir.costing import Policy, presets, value

MONEY = pa.decimal128(12, 2)


def movements() -> pa.Table:
    """Receive 10 mugs at 4.00, sell 12, receive 10 at 5.00, sell 3, pay 6.00 of freight for the first."""
    return pa.table(
        {
            "movement_id": [1, 2, 3, 4, 5],
            "item": ["mug"] * 5,
            "at": [date(2026, 3, day) for day in (2, 5, 9, 12, 20)],
            "kind": ["receipt", "issue", "receipt", "issue", "cost_adjustment"],
            "quantity": [10, 12, 10, 3, None],
            "amount": pa.array([Decimal("40.00"), None, Decimal("50.00"), None, Decimal("6.00")], MONEY),
            "ref": [None, None, None, None, 1],
        }
    )


def main() -> None:
    """Print stock, cost of sales and variance under each preset and under policies of our own."""
    policies = {name: Policy.preset(name) for name in presets()}
    policies["fifo, no negative stock"] = Policy(method="fifo", negative="reject")
    policies["standard cost 4.20"] = Policy(method="standard", standard_cost="4.20", negative="carry")
    print(f"{'policy':26}{'stock':>10}{'cost of sales':>16}{'variance':>10}   rejected")
    for name, policy in policies.items():
        valuation = value(movements(), policy)
        trial = valuation.trial_balance()
        balances = {row["account"]: row["balance"] for row in trial.accounts.to_pylist()}
        cost = balances.get("cost_of_sales", Decimal(0))
        variance = balances.get("cost_variances", Decimal(0))
        rejected = "; ".join(row["message"] for row in valuation.rejected.to_pylist())
        print(f"{name:26}{trial.stock:>10}{cost:>16}{variance:>10}   {rejected}")


if __name__ == "__main__":
    main()
