//! What goes into the state machine and what comes out of it.

use comptoir_types::{Clock, Rounding};

use super::share;
use crate::movement::{Kind, Reason};
use crate::posting::NONE;
use crate::reject::Fault;

/// A quantity, amount or unit cost that the row does not give.
pub(crate) const ABSENT: i64 = i64::MIN;

/// Every quantity and value stays below this bound, so that it fits `decimal64(18)` and two of them add without overflow.
pub(crate) const LIMIT: i64 = 1_000_000_000_000_000_000;

/// One movement of a component, the items and pools that are valued together. Checked row by row before it comes here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    /// Time in ticks of the input's clock.
    pub at: i64,
    /// Quantity in units, or [`ABSENT`].
    pub qty: i64,
    /// Amount in units of money, or [`ABSENT`]; a unit cost in the row is already multiplied out.
    pub amount: i64,
    /// Unit cost in units, or [`ABSENT`]; only read for revaluations.
    pub unit_cost: i64,
    /// Row of the input.
    pub row: u32,
    /// Index of the key in the component.
    pub key: u32,
    /// Index of the event referred to, or [`NONE`].
    pub reference: u32,
    /// Lot code, or [`NONE`].
    pub lot: u32,
    /// Group code, or [`NONE`].
    pub group: u32,
    /// Kind of movement.
    pub kind: Kind,
    /// Whether the engine made the event itself.
    pub auto: Auto,
}

/// Events that the engine makes itself for provisional receipts under month-start reversal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Auto {
    /// A movement of the input.
    No,
    /// First instant of a month: the open estimate is taken back.
    EstimateOut,
    /// Last instant of a month: what is still open is estimated again.
    EstimateIn,
}

/// A line of the ledger for one key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pub quantity: i64,
    pub value: i64,
    pub on_hand: i64,
    pub on_hand_value: i64,
    pub variance: i64,
}

/// A line that corrects an earlier movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Correction {
    /// Event that caused it.
    pub cause: u32,
    /// Event whose cost it corrects.
    pub adjusts: u32,
    pub reason: Reason,
    /// Key whose stock it changes.
    pub key: u32,
    /// Time of the line.
    pub at: i64,
    pub line: Line,
}

/// Takes what the state machine posts.
pub(crate) trait Sink {
    /// The line of an accepted movement.
    fn movement(&mut self, event: u32, key: u32, line: Line);
    /// A correction, after or before the movement that causes it.
    fn correction(&mut self, correction: Correction);
    /// A movement that changes nothing.
    fn reject(&mut self, event: u32, fault: Fault);
}

/// A sink for calculations whose lines are not posted.
pub(crate) struct Discard;

impl Sink for Discard {
    fn movement(&mut self, _: u32, _: u32, _: Line) {}
    fn correction(&mut self, _: Correction) {}
    fn reject(&mut self, _: u32, _: Fault) {}
}

/// What later movements may need to know about an accepted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Whether the movement stands in the books.
    pub accepted: bool,
    /// Key whose stock it changed.
    pub key: u32,
    /// Signed quantity posted, amendments included.
    pub qty: i64,
    /// Signed value posted, corrections included.
    pub value: i64,
    /// Charged to the variance account.
    pub variance: i64,
    /// Quantity that came back, arrived or was reversed since.
    pub taken_qty: i64,
    /// Value of it.
    pub taken_value: i64,
    /// Quantity whose value is among that already, where a month's cost is found after its movements are read.
    pub valued_qty: i64,
    /// Quantity of a provisional receipt without an invoice yet.
    pub open_qty: i64,
    /// Estimate of that quantity.
    pub open_amount: i64,
    /// Whether the open estimate is taken back at the moment (month-start reversal).
    pub estimate_out: bool,
    /// Time of a provisional receipt, from which the age of its goods counts.
    pub at: i64,
    /// Quantity that was reversed before its invoice came.
    pub open_reversed: i64,
    /// What invoices with lines of their own changed of its value: see [`Entry::with_invoices`].
    pub invoiced_value: i64,
    /// As `invoiced_value`, of its variance.
    pub invoiced_variance: i64,
    /// Whether an amendment of the same month gave it another quantity.
    pub amended: bool,
    /// Production group of a production issue and of what came back of one, else [`NONE`].
    pub group: u32,
    /// Whether it set the value of the stock anew.
    pub reset: bool,
    /// Event that it referred to, or [`NONE`].
    pub reference: u32,
}

impl Entry {
    /// A movement that is not in the books.
    pub const BLANK: Self = Self {
        accepted: false,
        key: NONE,
        qty: 0,
        value: 0,
        variance: 0,
        taken_qty: 0,
        taken_value: 0,
        valued_qty: 0,
        open_qty: 0,
        open_amount: 0,
        estimate_out: false,
        at: 0,
        open_reversed: 0,
        invoiced_value: 0,
        invoiced_variance: 0,
        amended: false,
        group: NONE,
        reset: false,
        reference: NONE,
    };

    /// Quantity not taken back yet, positive.
    pub fn left(&self) -> i64 {
        self.qty.abs() - self.taken_qty
    }

    /// Whether it is an estimate that is taken back at the moment: then the books do not hold it.
    pub const fn is_out(&self) -> bool {
        self.estimate_out && self.open_qty > 0
    }

    /// The movement at what its goods cost by the invoices that came, also those that have lines of their own.
    pub const fn with_invoices(self) -> Self {
        Self {
            value: self.value + self.invoiced_value,
            variance: self.variance + self.invoiced_variance,
            ..self
        }
    }

    /// What came back leaves again: `qty` of it, with its share of the value, can come back anew.
    pub fn undo(&mut self, qty: i64, rounding: Rounding) {
        if qty > 0 && qty <= self.taken_qty {
            self.taken_value -= share(self.taken_value, qty, self.taken_qty, rounding);
            self.taken_qty -= qty;
        }
    }

    /// As [`Self::undo`], where only the value of what came back is noted yet.
    pub fn undo_valued(&mut self, qty: i64, rounding: Rounding) {
        if qty > 0 && qty <= self.valued_qty {
            self.taken_value -= share(self.taken_value, qty, self.valued_qty, rounding);
            self.valued_qty -= qty;
        }
    }

    /// Ends the estimate of a part of a provisional receipt, which has its invoice.
    pub const fn settle(&mut self, qty: i64, estimate: i64) {
        self.open_qty -= qty;
        self.open_amount -= estimate;
    }

    /// Takes back `qty` of a provisional receipt: what has no invoice goes first, and then awaits none. Gives the estimate of it.
    pub fn reverse_open(&mut self, qty: i64, rounding: Rounding) -> i64 {
        let open = qty.min(self.open_qty);
        let estimate = match open {
            0 => 0,
            open if open == self.open_qty => self.open_amount,
            open => share(self.open_amount, open, self.open_qty, rounding),
        };
        self.open_qty -= open;
        self.open_amount -= estimate;
        self.open_reversed += open;
        estimate
    }

    /// As [`Self::reverse_open`], while the books do not hold the estimate: what is reversed of it counts as taken at it. Gives the
    /// quantity.
    pub fn reverse_out(&mut self, qty: i64, rounding: Rounding) -> i64 {
        let open = qty.min(self.open_qty);
        self.taken_qty += open;
        self.taken_value += self.reverse_open(open, rounding);
        open
    }
}

/// Scales and rounding that hold for the whole call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    pub rounding: Rounding,
    /// Money units = quantity units * unit cost units * `price_up` / `price_down`.
    pub price_up: i64,
    pub price_down: i64,
    /// Whether methods without layers keep the age of their stock.
    pub track_ages: bool,
    /// Unit of the event times.
    pub clock: Clock,
    /// Offset of the days and months from UTC, in ticks.
    pub utc_offset: i64,
    /// Last instant of the history, up to which methods change and estimates are taken back; `i64::MIN` where neither happens.
    pub until: i64,
}

impl Context {
    /// Number of the calendar month in which an instant lies.
    pub fn month(&self, at: i64) -> i32 {
        self.clock
            .date(at, self.utc_offset)
            .map_or(i32::MAX, |date| date.year() * 12 + i32::from(date.month()))
    }
}
