//! Returns and arrivals that are reversed: what they brought back can come back anew.

use std::ops::Range;

use super::{Cost, Effect, Periodic};
use crate::movement::Kind;
use crate::posting::NONE;

impl Periodic<'_> {
    /// The movement of which the return or arrival at a place brings something back.
    fn brought_back(&self, place: usize) -> Option<u32> {
        let returns = |kind| matches!(kind, Kind::SalesReturn | Kind::PurchaseReturn | Kind::TransferIn);
        let event = self.events.get(place).filter(|event| returns(event.kind))?;
        Some(event.reference).filter(|reference| *reference != NONE)
    }

    /// Notes while a month is read that `qty` of a return or arrival is reversed. Its value goes back at once where the movement that it
    /// came back of has one already, else with [`Self::give_back`].
    pub fn note_undone(&mut self, returned: u32, start: usize, qty: i64) {
        let Some(origin) = self.brought_back(returned as usize).map(|origin| origin as usize) else {
            return;
        };
        let is_known = origin < start
            || self.effects.get(origin).is_some_and(|effect| matches!(effect.cost, Cost::Known(_)));
        let rounding = self.context.rounding;
        if let Some(entry) = self.entry_mut(origin) {
            if is_known {
                entry.undo(qty, rounding);
            } else {
                entry.taken_qty -= qty;
            }
        }
    }

    /// Whether one of these returns is reversed at a place.
    pub fn undoes(&self, place: usize, returns: &[usize]) -> bool {
        let stands = self.effects.get(place).is_some_and(|effect| effect.cost != Cost::None);
        let event = self.events.get(place).filter(|event| event.kind == Kind::Reversal);
        stands && event.is_some_and(|event| returns.contains(&(event.reference as usize)))
    }

    /// The movement of the month, at its cost, of which a return is reversed at a place.
    pub fn undone_at_rate(&self, place: usize, month: &Range<usize>) -> Option<u32> {
        let event = self.events.get(place).filter(|event| event.kind == Kind::Reversal)?;
        let returned = Some(event.reference as usize).filter(|returned| month.contains(returned))?;
        let origin = self.brought_back(returned)?;
        let effect = self.effects.get(returned).copied().unwrap_or(Effect::NOTHING);
        (self.origin_of(returned, month, effect) == Some(origin)).then_some(origin)
    }

    /// What came back of a movement of the month, at its cost, leaves again.
    pub fn give_back(&mut self, origin: u32, qty: i64) {
        let rounding = self.context.rounding;
        if let Some(entry) = self.entries.get_mut(origin as usize) {
            entry.undo_valued(qty.abs(), rounding);
        }
    }
}
