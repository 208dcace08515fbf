"""How figures are written for people: in the summary and in the report alike."""

from __future__ import annotations

from decimal import Decimal

from comptoir.costing import Policy
from comptoir.demo.figures import Figures
from comptoir.demo.history import History

__all__ = [
    "correction",
    "counted",
    "headline",
    "method",
    "money",
    "per_cent",
    "policy",
    "rejection",
    "yes_no",
]

NEGATIVE = {
    "reject": "an issue beyond the stock is rejected",
    "carry": "allowed, at the last known cost",
    "cover": "allowed; the receipt that covers it corrects the cost of the issue",
    "variance": "allowed; the difference to the covering receipt is a variance",
}
REJECTIONS = {
    "COSTING_UNKNOWN_KIND": "unknown kind of movement",
    "COSTING_NULL_VALUE": "a value is missing",
    "COSTING_QUANTITY_SIGN": "quantity zero or negative",
    "COSTING_AMOUNT": "amount missing, or two that disagree",
    "COSTING_DUPLICATE_IGNORED": "typed twice, second one ignored",
    "COSTING_DUPLICATE_ID": "number used again for something else",
    "COSTING_REFERENCE_UNKNOWN": "refers to a movement that is not there",
    "COSTING_REFERENCE_REJECTED": "refers to a rejected movement",
    "COSTING_REFERENCE_EXCEEDED": "more than is left of the movement referred to",
    "COSTING_NEGATIVE_STOCK": "takes more than there is",
}
CORRECTIONS = {
    "shortage_covered": "receipt covered a shortage",
    "late_cost": "cost came late (freight, duty)",
    "settled": "invoice differed from the estimate",
    "estimate_reversed": "estimate taken back, invoice booked",
    "amended": "earlier movement amended",
}


def money(amount: Decimal, currency: str = "") -> str:
    """Write an amount with thousands separators and two decimals.

    Parameters
    ----------
    amount : Decimal
        The amount.
    currency : str
        Sign before it.

    Returns
    -------
    str
    """
    sign = "-" if amount < 0 else ""
    return f"{sign}{currency}{abs(amount):,.2f}"


def counted(number: int | Decimal) -> str:
    """Write a number with thousands separators, without decimals that are zero.

    Parameters
    ----------
    number : int or Decimal
        The number.

    Returns
    -------
    str
    """
    whole = int(number)
    return f"{whole:,}" if whole == number else f"{number:,}"


def per_cent(part: Decimal, whole: Decimal) -> str:
    """Write a share in per cent with one decimal, empty when there is no whole.

    Parameters
    ----------
    part, whole : Decimal
        The share of what.

    Returns
    -------
    str
    """
    return f"{part * 100 / whole:.1f} %" if whole else ""


def yes_no(answer: bool) -> str:
    """Write the answer of a check.

    Parameters
    ----------
    answer : bool
        Whether it holds.

    Returns
    -------
    str
    """
    return "yes" if answer else "NO"


def method(name: str) -> str:
    """Name a costing method.

    Parameters
    ----------
    name : str
        As in a policy.

    Returns
    -------
    str
    """
    return {"fifo": "FIFO", "lifo": "LIFO", "periodic_average": "monthly average"}.get(
        name, name.replace("_", " ")
    )


def rejection(code: str) -> str:
    """Put the reason of a rejection in plain words.

    Parameters
    ----------
    code : str
        Stable code.

    Returns
    -------
    str
    """
    return REJECTIONS.get(code, code.removeprefix("COSTING_").replace("_", " ").lower())


def correction(reason: str) -> str:
    """Put the reason of a correction in plain words.

    Parameters
    ----------
    reason : str
        As in the postings.

    Returns
    -------
    str
    """
    return CORRECTIONS.get(reason, reason.replace("_", " "))


def policy(chosen: Policy) -> list[tuple[str, str]]:
    """Tell what the policy says, by question.

    Parameters
    ----------
    chosen : Policy
        The policy.

    Returns
    -------
    list of (str, str)
    """
    fields = chosen.to_dict()
    return [("Method", method(fields["method"])), ("Negative stock", NEGATIVE[fields["negative"]])]


def headline(history: History, figures: Figures) -> list[tuple[str, str, str]]:
    """List the figures that matter most, each with a remark.

    Parameters
    ----------
    history : History
        What was valued.
    figures : Figures
        Its figures.

    Returns
    -------
    list of (str, str, str)
    """
    currency = history.currency
    lines = [("Stock value", money(figures.stock, currency), f"on {figures.last_day}")]
    if figures.revenue is not None:
        margin = figures.revenue - figures.cost
        lines.append(("Sales", money(figures.revenue, currency), "less returns"))
        lines.append(("Cost of sales", money(figures.cost, currency), "less returns"))
        lines.append(
            ("Gross margin", money(margin, currency), f"{per_cent(margin, figures.revenue)} of sales")
        )
    elif figures.cost:
        lines.append(("Cost of sales", money(figures.cost, currency), "selling prices are not known"))
    if figures.production:
        lines.append(("Used in production", money(figures.production, currency), ""))
    rates = ", ".join(f"{bucket.rate * 100:.0f}" for bucket in figures.buckets)
    lines.append(("Provision", money(figures.provision, currency), f"old stock, {rates} % by age"))
    return lines
