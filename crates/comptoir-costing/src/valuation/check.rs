//! Checks of a single row that need no other: what fails here never reaches the engine.

use comptoir_types::decimal::mul_div;

use crate::engine::{ABSENT, Context, LIMIT};
use crate::movement::{KINDS, Kind};
use crate::reject::{Fault, NumberColumn, RejectCode};

/// What a kind asks of its row.
#[derive(Clone, Copy, Debug)]
struct Needs {
    kind: Kind,
    /// Smallest quantity allowed.
    smallest: i64,
    quantity: bool,
    amount: bool,
    /// Whether an amount must not be negative.
    unsigned: bool,
}

/// The numbers of a row that passed: its quantity and amount, each `ABSENT` where the row has none.
pub(crate) type Checked = (Kind, i64, i64);

/// The checks of all kinds, as a table by kind code.
#[derive(Debug)]
pub(crate) struct Checks {
    needs: [Needs; KINDS.len()],
    first: i64,
    last: i64,
    price_up: i64,
    price_down: i64,
    rounding: comptoir_types::Rounding,
}

impl Checks {
    pub fn new(context: &Context) -> Self {
        let (first, last) = context.clock.range();
        let needs = KINDS.map(|kind| Needs {
            kind,
            smallest: match kind {
                Kind::Opening => -LIMIT,
                Kind::Count | Kind::Amendment => 0,
                _ => 1,
            },
            quantity: kind.needs_quantity(),
            amount: kind.needs_amount(),
            unsigned: !matches!(kind, Kind::Opening | Kind::CostAdjustment),
        });
        let (price_up, price_down) = (context.price_up, context.price_down);
        Self { needs, first, last, price_up, price_down, rounding: context.rounding }
    }

    /// Signed quantity and amount of a receipt with an amount or an issue without unit cost that passes its checks; zeros for any
    /// other row, which [`Checks::row`] must look at.
    #[inline(always)]
    pub fn receipt_or_issue(
        &self,
        kind: u8,
        at: i64,
        quantity: i64,
        amount: i64,
        unit_cost: i64,
    ) -> (i64, i64) {
        let is_receipt = kind == Kind::Receipt as u8;
        let in_time =
            at.wrapping_sub(self.first).cast_unsigned() <= self.last.wrapping_sub(self.first).cast_unsigned();
        let has_quantity = quantity.wrapping_sub(1).cast_unsigned() < (LIMIT - 1).cast_unsigned();
        let has_amount = amount.cast_unsigned() < LIMIT.cast_unsigned();
        let is_free = (amount == ABSENT) & (unit_cost == ABSENT) & (kind == Kind::Issue as u8);
        if in_time & has_quantity & (is_free | (has_amount & (is_receipt | (kind == Kind::Issue as u8)))) {
            (if is_receipt { quantity } else { -quantity }, amount)
        } else {
            (0, 0)
        }
    }

    /// Checks one row; `unit_cost` is read where there is no amount.
    #[inline(always)]
    pub fn row(
        &self,
        kind: u8,
        at: i64,
        quantity: i64,
        amount: i64,
        unit_cost: i64,
    ) -> Result<Checked, Fault> {
        let Some(needs) = self.needs.get(usize::from(kind)) else {
            return Err(Fault::new(RejectCode::UnknownKind));
        };
        if at < self.first || at > self.last {
            return Err(Fault::new(RejectCode::TimeRange));
        }
        if quantity == ABSENT {
            if needs.quantity {
                return Err(Fault::new(RejectCode::NullValue));
            }
        } else if quantity < needs.smallest || quantity >= LIMIT {
            return Err(if quantity.unsigned_abs() >= LIMIT.unsigned_abs() {
                Fault::of_number(RejectCode::Overflow, NumberColumn::Quantity)
            } else {
                Fault::with(RejectCode::QuantitySign, needs.smallest, quantity)
            });
        }
        if amount != ABSENT && (amount >= 0 || !needs.unsigned) && needs.kind != Kind::Opening {
            return if amount.unsigned_abs() < LIMIT.unsigned_abs() {
                Ok((needs.kind, quantity, amount))
            } else {
                Err(Fault::of_number(RejectCode::Overflow, NumberColumn::Amount))
            };
        }
        if amount == ABSENT && unit_cost == ABSENT && !needs.amount && needs.kind != Kind::Revaluation {
            return Ok((needs.kind, quantity, ABSENT));
        }
        self.rest(needs, quantity, amount, unit_cost)
    }

    /// The rarer cases: no amount, an amount from the unit cost, opening balances.
    #[cold]
    fn rest(&self, needs: &Needs, quantity: i64, amount: i64, unit_cost: i64) -> Result<Checked, Fault> {
        if amount != ABSENT && needs.kind != Kind::Opening {
            return Err(Fault::new(RejectCode::Amount));
        }
        let mut amount = amount;
        if amount == ABSENT && unit_cost != ABSENT && needs.kind != Kind::Revaluation {
            if quantity == ABSENT || (unit_cost < 0 && needs.unsigned) {
                return Err(Fault::new(RejectCode::Amount));
            }
            amount = self.price(quantity, unit_cost)?;
        }
        match needs.kind {
            Kind::Opening if quantity == 0 => return Err(Fault::with(RejectCode::QuantitySign, 1, 0)),
            Kind::Opening if amount != ABSENT && amount.signum() * quantity.signum() < 0 => {
                return Err(Fault::new(RejectCode::Amount));
            }
            Kind::Revaluation if amount == ABSENT && (unit_cost == ABSENT || unit_cost < 0) => {
                return Err(Fault::new(RejectCode::Amount));
            }
            _ if amount == ABSENT && needs.amount => return Err(Fault::new(RejectCode::Amount)),
            _ => {}
        }
        if amount != ABSENT && amount.unsigned_abs() >= LIMIT.unsigned_abs() {
            return Err(Fault::of_number(RejectCode::Overflow, NumberColumn::Amount));
        }
        Ok((needs.kind, quantity, amount))
    }

    fn price(&self, quantity: i64, unit_cost: i64) -> Result<i64, Fault> {
        let scaled = unit_cost.checked_mul(self.price_up);
        let value = scaled.and_then(|cost| mul_div(quantity, cost, self.price_down, self.rounding));
        value
            .filter(|value| value.unsigned_abs() < LIMIT.unsigned_abs())
            .ok_or(Fault::of_number(RejectCode::Overflow, NumberColumn::UnitCost))
    }
}
