"""Production, returns made again and the ways of settlement against the exact oracles."""

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from histories import FIRST_DAY, NEGATIVES, ROUNDINGS, assert_laws, books, valued
from oracle import value
from oracle_books import Move
from oracle_months import Months

KINDS = (
    "receipt", "issue", "issue", "count_loss", "cost_adjustment", "sales_return", "purchase_return",
    "reversal", "reversal", "provisional_receipt", "settlement", "production_issue", "production_issue",
    "production_receipt",
)  # fmt: skip
ORIGINS = {
    "sales_return": ("issue", "production_issue"),
    "purchase_return": ("receipt", "production_receipt", "provisional_receipt"),
    "settlement": ("provisional_receipt",),
    "reversal": (
        "receipt", "issue", "count_loss", "sales_return", "purchase_return", "provisional_receipt",
        "production_issue", "production_receipt",
    ),
}  # fmt: skip
WAYS = ("difference_on_invoice", "reverse_on_invoice", "month_start_reversal")


@dataclass
class Drawn:
    """A history that no rule refuses: movements have left what others name, groups issue and then receive."""

    moves: list[Move] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)
    uninvoiced: dict[str, int] = field(default_factory=dict)
    issued: dict[str, int] = field(default_factory=dict)
    lots: tuple[str | None, ...] = (None,)

    def root(self, move: Move) -> Move:
        known = {move.id: move for move in self.moves}
        while move.ref is not None:
            move = known[move.ref]
        return move

    def most(self, kind: str, origin: Move) -> int:
        """What a movement can name of another."""
        return self.uninvoiced[origin.id] if kind == "settlement" else self.left[origin.id]

    def add(self, kind: str, at: int, pick: int, qty: int, amount: int) -> None:
        item, lot = ("flour", "bread")[pick % 2], self.lots[(qty + amount) % len(self.lots)]
        origin, group = None, None
        if kind in ORIGINS:
            known = [move for move in self.moves if move.kind in ORIGINS[kind] and self.most(kind, move) > 0]
            if not known:
                return
            origin = known[pick % len(known)]
            qty, item, lot = min(qty, self.most(kind, origin)), origin.item, origin.lot
        elif kind.startswith("production"):
            item, group = ("flour" if kind == "production_issue" else "bread"), f"g{pick % 2}"
            if kind == "production_receipt" and self.issued.get(group, 0) <= 0:
                return
        has_amount = kind in ("receipt", "provisional_receipt", "settlement", "cost_adjustment")
        move = Move(
            f"m{len(self.moves):04}",
            at,
            kind,
            None if kind == "cost_adjustment" else qty,
            amount if has_amount else None,
            origin.id if origin else None,
            item=item,
            lot=lot,
            group=group,
        )
        self.moves.append(move)
        self.note(move, origin, qty)

    def note(self, move: Move, origin: Move | None, qty: int) -> None:
        self.left[move.id] = qty if move.kind not in ("settlement", "cost_adjustment") else 0
        self.uninvoiced[move.id] = qty if move.kind == "provisional_receipt" else 0
        root = self.root(move)
        if root.kind == "production_issue" and root.group is not None:
            # A reversal of what came back issues it again.
            sign = -1 if (move.kind == "sales_return" or (origin is root)) else 1
            self.issued[root.group] = self.issued.get(root.group, 0) + sign * qty
        if origin is None:
            return
        if move.kind == "settlement":
            self.uninvoiced[origin.id] -= qty
            return
        self.left[origin.id] -= qty
        if move.kind == "reversal":
            self.left[move.id] = 0
            self.uninvoiced[origin.id] -= min(qty, self.uninvoiced[origin.id])
            if origin.ref is not None:
                self.left[origin.ref] += qty


STEPS = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.integers(0, 9),
        st.integers(0, 40),
        st.integers(1, 12),
        st.integers(0, 5000),
    ),
    min_size=1,
    max_size=30,
)


Steps = list[tuple[str, int, int, int, int]]


def history(
    steps: Steps,
    opening: int = 500,
    without: tuple[str, ...] = (),
    *,
    last_days: bool = True,
    lots: tuple[str | None, ...] = (None,),
) -> list[Move]:
    drawn = Drawn(lots=lots)
    for item, lot in product(("flour", "bread"), lots):
        name = f"m000{len(drawn.moves)}"
        drawn.moves.append(Move(name, 0, "receipt", opening, 99_999, item=item, lot=lot))
        drawn.note(drawn.moves[-1], None, opening)
    day = 0
    for kind, gap, pick, qty, amount in steps:
        day += gap
        # On the last day of a month an estimate is made again before the movements of that day.
        is_last = (FIRST_DAY + timedelta(day + 1)).day == 1
        day += is_last and not last_days
        if kind not in without:
            drawn.add(kind, day, pick, qty, amount)
    return drawn.moves


@pytest.mark.parametrize("way", WAYS)
@given(steps=STEPS, rounding=st.sampled_from(ROUNDINGS), data=st.data())
def test_months_equal_the_oracle(way: str, steps: Steps, rounding: str, data: st.DataObject) -> None:
    moves = history(steps, last_days=False)
    shown = data.draw(st.permutations(moves))
    valuation = valued(shown, method="periodic_average", provisional=way, rounding=rounding)
    found = books(valuation)
    assert found.rejected == {}
    assert {name: line.value for name, line in found.lines.items()} == Months(
        moves, FIRST_DAY, rounding, way
    ).run()
    assert_laws(valuation, len(moves))


METHODS = ("moving_average", "fifo", "lifo")


@pytest.mark.parametrize("negative", NEGATIVES)
@pytest.mark.parametrize("method", METHODS)
@given(steps=STEPS, rounding=st.sampled_from(ROUNDINGS), way=st.sampled_from(WAYS), data=st.data())
def test_perpetual_methods_equal_the_oracle(
    method: str, negative: str, steps: Steps, rounding: str, way: str, data: st.DataObject
) -> None:
    # What the oracle does not know: the part of a receipt's variance that goes back with it.
    without = ("purchase_return",) if negative in ("carry", "variance") else ()
    moves = history(steps, opening=500 if negative == "reject" else 10, without=without)
    policy = {"method": method, "negative": negative, "provisional": way, "rounding": rounding}
    valuation = valued(data.draw(st.permutations(moves)), late_cost="prospective", **policy)
    expected, found = value(moves, **policy), books(valuation)
    assert found.rejected == expected.rejected == {}
    assert found.lines == expected.lines
    assert sorted(map(repr, found.corrections)) == sorted(map(repr, expected.corrections))
    assert_laws(valuation, len(moves))
