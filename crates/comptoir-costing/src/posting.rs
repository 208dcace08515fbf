//! Postings: what every movement did to quantity and value, as the reports read it.

use crate::movement::{Kind, Reason};

/// Stands for "no row", "no pool" or "no lot" in coded columns.
pub const NONE: u32 = u32::MAX;

/// One line of the stock ledger. All quantities are in units of the quantity scale, all values in units of the money scale.
///
/// For every (item, pool) the law holds after each line: sum of `quantity` = `on_hand` and sum of `value` = `on_hand_value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Input row of the movement that caused the line.
    pub row: u32,
    /// Input row of the earlier movement whose cost the line corrects, or [`NONE`].
    pub adjusts: u32,
    /// Code of the item.
    pub item: u32,
    /// Code of the pool, or [`NONE`] when the history has no pools.
    pub pool: u32,
    /// Time of the line in ticks of the input's clock: the movement's own time, also for the corrections that it causes.
    pub at: i64,
    /// Kind of the movement that caused the line.
    pub kind: Kind,
    /// Kind of the movement whose accounts the line moves: the one that it corrects, reverses or amends, else `kind`.
    pub adjusted_kind: Kind,
    /// Why the line exists; `None` for the movement itself.
    pub reason: Option<Reason>,
    /// Signed change of the quantity on hand.
    pub quantity: i64,
    /// Signed change of the value on hand.
    pub value: i64,
    /// Quantity on hand after the line.
    pub on_hand: i64,
    /// Value on hand after the line.
    pub on_hand_value: i64,
    /// What the line charges to the variance account: the part of the movement's amount that is not in `value`.
    pub variance: i64,
    /// On the line of a settlement, the part of its invoice that takes the place of an estimate without moving stock: amount of the
    /// row less `value` less `variance`. Where the estimate is taken back by a line of its own, and on every other line, 0.
    pub estimate: i64,
}

/// Quantity and value that are still there from one receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenLayer {
    /// Code of the item.
    pub item: u32,
    /// Code of the pool, or [`NONE`].
    pub pool: u32,
    /// Code of the lot, or [`NONE`].
    pub lot: u32,
    /// Input row of the movement that brought the layer, or [`NONE`].
    pub row: u32,
    /// Original date of the layer in ticks of the input's clock, from which its age counts.
    pub at: i64,
    /// Quantity left; negative for a shortage.
    pub quantity: i64,
    /// Value left. For methods that keep no layers, the share of the item's value.
    pub value: i64,
}
