"""A slow, obvious valuation of stock in exact arithmetic, against which the engine is tested.

It follows the documented meaning of kinds and policies, one movement after another in the order (time, id).
Quantities are whole units, money whole cents. A share is calculated as a fraction and rounded once, so a unit
cost is never rounded. `oracle_stock` holds the stock of one key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from oracle_books import Books, Correction, Entry, Line, Move, Posted
from oracle_estimates import Border, borders, cross, settle
from oracle_groups import Groups, close
from oracle_methods import new_stock
from oracle_stock import Layer, Rejected, Short, Stock, share

VALUES = ("settlement", "cost_adjustment")
STOCK_IN = ("receipt", "opening", "provisional_receipt", "production_receipt")


def value(moves: Sequence[Move], **policy: Any) -> Books:
    """Value a history under the policy fields given; what is absent has the documented default."""
    rules = {
        "method": "moving_average",
        "negative": "reject",
        "rounding": "half_even",
        "shortage_cost": "kept",
    }
    rules |= {
        "provisional": "difference_on_invoice",
        "sales": "original_cost",
        "purchase": "original_cost",
        **policy,
    }
    books = Books(groups=Groups(moves, rules["rounding"]))
    order = sorted(moves, key=lambda move: (move.at, move.id))
    place = {move.id: number for number, move in enumerate(order)}
    estimates = borders(order) if rules["provisional"] == "month_start_reversal" else []
    for number, move in enumerate(order):
        while estimates and estimates[0].at <= move.at:
            pass_border(books, estimates.pop(0))
        stock = books.stocks.setdefault((move.item, move.pool), new_stock(rules))
        before = replace_stock(stock)
        try:
            check_reference(move, number, place, books)
            stock.at_hand(lot_of(move, books), is_goods=move.kind not in VALUES)
            posted = step(books, stock, number, move, rules)
        except Rejected as fault:
            books.rejected[move.id] = fault.code
            books.stocks[(move.item, move.pool)] = before
            continue
        books.entries[move.id] = entry_of(move, number, posted)
        books.groups.note(move, root_of(move, books), posted)
        line = Line(posted.quantity, posted.value, stock.qty, stock.value, posted.variance)
        books.lines[move.id] = line
        post_corrections(books, stock, move.id)
    return books


def pass_border(books: Books, border: Border) -> None:
    stock = cross(books, border)
    if stock is not None:
        post_corrections(books, stock, border.receipt)


def entry_of(move: Move, number: int, posted: Posted) -> Entry:
    """What a movement leaves behind; a settlement is part of its receipt."""
    if move.kind == "settlement":
        return Entry(move, number, 0, 0, 0)
    entry = Entry(move, number, posted.quantity, posted.value, posted.variance, parts=posted.parts)
    if move.kind == "provisional_receipt":
        entry.open_qty, entry.open_amount = move.qty or 0, move.amount or 0
    return entry


def lot_of(move: Move, books: Books) -> str | None:
    """A change of an earlier movement is one of its lot; what arrives keeps its own if the row has none."""
    follows = move.kind in (*VALUES, "reversal") or (move.kind == "transfer_in" and move.lot is None)
    return books.entries[move.ref].move.lot if follows and move.ref else move.lot


def root_of(move: Move, books: Books) -> Move:
    """The movement at the end of the references."""
    while move.ref is not None:
        move = books.entries[move.ref].move
    return move


def replace_stock(stock: Stock) -> Stock:
    """Copy of a stock, to go back to when a movement is rejected."""
    layers = [replace(layer) for layer in stock.layers]
    shorts = [replace(short) for short in stock.shorts]
    return replace(stock, layers=layers, shorts=shorts, differences=[])


def post_corrections(books: Books, stock: Stock, cause: str) -> None:
    for adjusts, difference in stock.differences:
        stock.value += difference
        books.entries[adjusts].value += difference
        books.corrections.append(Correction(cause, adjusts, "shortage_covered", difference, stock.value))
    stock.differences.clear()


def check_reference(move: Move, number: int, place: dict[str, int], books: Books) -> None:
    if move.ref is None:
        return
    if move.ref not in place:
        raise Rejected("COSTING_REFERENCE_UNKNOWN")
    if place[move.ref] >= number:
        raise Rejected("COSTING_REFERENCE_LATER")
    if move.ref in books.rejected:
        raise Rejected("COSTING_REFERENCE_REJECTED")


def step(books: Books, stock: Stock, number: int, move: Move, rules: dict[str, Any]) -> Posted:
    origin = books.entries.get(move.ref) if move.ref else None
    qty = move.qty or 0
    if move.kind == "production_receipt" and move.amount is None:
        share_of_group = books.groups.take(move)
        # Goods never cost less than nothing.
        cost = max(share_of_group, 0)
        posted = receive(stock, move, cost, [Layer(qty, cost, move.at, number)])
        posted.variance += share_of_group - cost
        return posted
    if move.kind in STOCK_IN or (move.kind == "count_gain" and move.amount is not None):
        assert move.amount is not None
        return receive(stock, move, move.amount, [Layer(qty, move.amount, move.at, number)])
    if move.kind in ("issue", "count_loss", "transfer_out", "production_issue"):
        parts = stock.remove(qty, move.id, number, move.at, move.kind in ("issue", "count_loss"))
        return Posted(-qty, -sum(part.value for part in parts), parts=parts)
    if move.kind == "count_gain":
        return receive_at_current(stock, number, move, qty)
    if move.kind == "count":
        return count(stock, number, move, qty)
    if move.kind == "cost_adjustment":
        assert move.amount is not None
        taken = stock.add_value(move.amount, books.entries[move.ref] if move.ref else None)
        return Posted(0, taken, move.amount - taken)
    if move.kind == "sales_return":
        return sales_return(stock, number, move, qty, origin, rules)
    if move.kind == "purchase_return":
        return purchase_return(stock, number, move, qty, origin, rules)
    assert origin is not None, move.kind
    if move.kind == "settlement":
        return settle(books, stock, move, origin, rules)
    if move.kind == "transfer_in":
        worth = take_part(origin, qty, rules)
        parts = split_parts(origin, qty, rules)
        layers = [
            replace(part, origin=number, part=place, lot=move.lot or part.lot, is_missing=False)
            for place, part in enumerate(parts)
        ]
        posted = receive(stock, move, worth, layers)
        note_taken(origin, qty, worth)
        return posted
    posted = reverse(stock, number, move, origin, rules)
    undo(books, move, origin, rules)
    return posted


def undo(books: Books, move: Move, origin: Entry, rules: dict[str, Any]) -> None:
    """What was reversed awaits no invoice; a return that was reversed can be made again."""
    qty = move.qty or abs(origin.quantity)
    if not origin.is_out:
        close(origin, min(qty, origin.open_qty), rules["rounding"])
    before = books.entries.get(origin.move.ref or "")
    if before is not None:
        before.taken_value -= share(before.taken_value, qty, before.taken, rules["rounding"])
        before.taken -= qty


def receive(stock: Stock, move: Move, amount: int, layers: list[Layer]) -> Posted:
    added, variance = stock.receive(amount, layers)
    return Posted(sum(layer.qty for layer in layers), added, variance)


def receive_at_current(stock: Stock, number: int, move: Move, qty: int) -> Posted:
    worth = stock.price(qty, stock.current())
    return receive(stock, move, worth, [Layer(qty, worth, move.at, number)])


def count(stock: Stock, number: int, move: Move, qty: int) -> Posted:
    """Set the quantity on hand, and its value when an amount is given."""
    there = stock.counted
    if move.amount is not None:
        before = stock.value
        variance = stock.reset([Layer(qty, move.amount, move.at, number)] if qty else [])
        return Posted(qty - there, stock.value - before, variance)
    if qty > there:
        return receive_at_current(stock, number, move, qty - there)
    if qty == there:
        return Posted(0, 0)
    missing = there - qty
    parts = stock.remove(missing, move.id, number, move.at, True)
    return Posted(-missing, -sum(part.value for part in parts), parts=parts)


def take_part(origin: Entry, qty: int, rules: dict[str, Any]) -> int:
    """Share of a movement's value that belongs to a part of it; the last part takes the rest.

    A layer that a shortage left at less than nothing leaves and arrives at that value.
    """
    if qty > origin.left:
        raise Rejected("COSTING_REFERENCE_EXCEEDED")
    whole = -origin.value if origin.quantity < 0 else origin.value
    if qty == origin.left:
        return whole - origin.taken_value
    return share(whole, qty, abs(origin.quantity), rules["rounding"])


def note_taken(origin: Entry, qty: int, worth: int) -> None:
    origin.taken += qty
    origin.taken_value += worth


def split_parts(origin: Entry, qty: int, rules: dict[str, Any]) -> list[Layer]:
    """The first parts of what an earlier movement took, which now come back, with their dates."""
    taken: list[Layer] = []
    while qty:
        part = origin.parts[0]
        if part.qty <= qty:
            taken.append(origin.parts.pop(0))
            qty -= part.qty
            continue
        worth = share(part.value, qty, part.qty, rules["rounding"])
        taken.append(replace(part, qty=qty, value=worth))
        part.qty -= qty
        part.value -= worth
        qty = 0
    return taken


def sales_return(
    stock: Stock, number: int, move: Move, qty: int, origin: Entry | None, rules: dict[str, Any]
) -> Posted:
    worth = take_part(origin, qty, rules) if origin else 0
    if origin and rules["sales"] == "original_cost":
        posted = receive(stock, move, worth, [Layer(qty, worth, move.at, number)])
    elif rules["sales"] == "fifo_head" and stock.keeps_layers and stock.layers:
        head = stock.layers[0]
        at_head = stock.price(qty, (head.value, head.qty))
        posted = receive(stock, move, at_head, [Layer(qty, at_head, move.at, number)])
    else:
        at_current = stock.price(qty, stock.next_cost())
        posted = receive(stock, move, at_current, [Layer(qty, at_current, move.at, number)])
    if origin:
        note_taken(origin, qty, worth)
    return posted


def purchase_return(
    stock: Stock, number: int, move: Move, qty: int, origin: Entry | None, rules: dict[str, Any]
) -> Posted:
    """Goods back to the supplier; a credit that differs from what the stock gives up is variance."""
    # A shortage that the receipt covered does not change what the goods cost.
    cost = origin
    if origin and rules["method"] != "standard":
        cost = replace(origin, value=origin.value + origin.variance)
    worth = take_part(cost, qty, rules) if cost else 0
    original = origin is not None and rules["purchase"] == "original_cost"
    if original and origin is not None and qty <= stock.there:
        parts = stock.remove_original(origin, qty, worth)
    elif rules["purchase"] == "fifo_head" and stock.keeps_layers and qty <= stock.there:
        parts = stock.take(qty, oldest=True)
    else:
        parts = stock.remove(qty, move.id, number, move.at, False)
    if origin:
        note_taken(origin, qty, worth)
    gone = sum(part.value for part in parts)
    credit = worth if original and not stock.keeps_layers else gone
    return Posted(-qty, -gone, gone - credit, parts)


def reverse(stock: Stock, number: int, move: Move, origin: Entry, rules: dict[str, Any]) -> Posted:
    """Take back a receipt or an issue, wholly or for the quantity given."""
    if origin.move.kind == "reversal":
        raise Rejected("COSTING_REVERSAL_OF_REVERSAL")
    qty = origin.left if move.qty is None else move.qty
    if qty == 0:
        raise Rejected("COSTING_REFERENCE_EXCEEDED")
    if origin.is_out and origin.open_qty:
        return reverse_out(stock, number, move, origin, qty, rules)
    return reverse_goods(stock, number, move, origin, qty, rules)


def reverse_out(
    stock: Stock, number: int, move: Move, origin: Entry, qty: int, rules: dict[str, Any]
) -> Posted:
    """What has no invoice is out of the books, and is not made again; then what they hold."""
    if qty > origin.left:
        raise Rejected("COSTING_REFERENCE_EXCEEDED")
    before = replace(origin)
    out = min(qty, origin.open_qty)
    stock.awaiting -= out
    note_taken(origin, out, close(origin, out, rules["rounding"]))
    try:
        return reverse_goods(stock, number, move, origin, qty - out, rules) if qty > out else Posted(0, 0)
    except Rejected:
        vars(origin).update(vars(before))
        raise


def reverse_goods(
    stock: Stock, number: int, move: Move, origin: Entry, qty: int, rules: dict[str, Any]
) -> Posted:
    """Take back what the books hold, or have given."""
    worth = take_part(origin, qty, rules)
    booked = share(origin.variance, qty, abs(origin.quantity), rules["rounding"])
    short = next((short for short in stock.shorts if short.move == origin.move.id), None)
    if short is not None:
        return reverse_short(stock, move, origin, short, qty, rules)
    if origin.quantity < 0:
        if stock.qty < 0:
            origin.parts.sort(key=lambda part: not part.is_missing)
        added, variance = stock.bring_back(worth, [replace(part) for part in split_parts(origin, qty, rules)])
        posted = Posted(qty, added, variance - booked)
    else:
        if qty <= stock.there:
            parts = stock.remove_original(origin, qty, worth, latest=origin.open_qty)
        else:
            parts = stock.remove(qty, move.id, number, move.at, False)
        gone = sum(part.value for part in parts)
        posted = Posted(-qty, -gone, gone - worth - booked)
    note_taken(origin, qty, worth)
    return posted


def reverse_short(
    stock: Stock, move: Move, origin: Entry, short: Short, qty: int, rules: dict[str, Any]
) -> Posted:
    """What left without being there comes back first, as it left; then the rest of it."""
    booked = share(origin.variance, qty, abs(origin.quantity), rules["rounding"])
    back = min(qty, short.qty)
    left = (origin.left - short.qty, -origin.value - origin.taken_value - short.value)
    back_worth = share(short.value, back, short.qty, rules["rounding"])
    short.qty, short.value = short.qty - back, short.value - back_worth
    stock.shorts = [short for short in stock.shorts if short.qty]
    stock.qty, stock.value = stock.qty + back, stock.value + back_worth
    last = origin.parts[-1]
    last.value -= share(last.value, back, last.qty, rules["rounding"])
    last.qty -= back
    origin.parts = [part for part in origin.parts if part.qty]
    rest = qty - back
    posted, rest_worth = Posted(0, 0), 0
    if rest:
        rest_worth = share(left[1], rest, left[0], rules["rounding"])
        parts = split_parts(origin, rest, rules)
        posted = receive(stock, move, rest_worth, [replace(part) for part in parts])
    note_taken(origin, qty, back_worth + rest_worth)
    return Posted(qty, back_worth + posted.value, posted.variance - booked)
