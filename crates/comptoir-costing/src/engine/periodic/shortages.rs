//! The policy `reject` under the periodic average: a month's stock and receipts together must cover its issues.

use std::ops::Range;

use super::super::run::Book;
use super::super::{Entry, Sink};
use super::{Effect, Periodic};
use crate::policy::Negative;
use crate::posting::NONE;
use crate::reject::{Fault, RejectCode};

impl Periodic<'_> {
    /// Refuses what the month's stock and receipts together do not cover, the latest issues first, and what refers to it.
    ///
    /// A refused return brings nothing, so that what it would have covered is looked at again.
    pub fn reject_shortages(&mut self, month: &Range<usize>, book: &mut Book) {
        loop {
            for key in self.keys() {
                if self.rule(key).negative == Negative::Reject {
                    self.refuse_uncovered(key, month, book);
                }
            }
            if !self.refuse_dependants(month, book) {
                return;
            }
        }
    }

    fn refuse_uncovered(&mut self, key: u32, month: &Range<usize>, book: &mut Book) {
        let incoming: i64 = self.effects_of(key, month).map(|(_, effect)| effect.qty.max(0)).sum();
        let mut there = self.total(key).qty + incoming;
        let outgoing: Vec<(usize, i64)> = self
            .effects_of(key, month)
            .filter(|(_, effect)| effect.qty < 0)
            .map(|(place, effect)| (place, -effect.qty))
            .collect();
        for (place, qty) in outgoing {
            if qty > there && self.is_movement(place) {
                self.refuse(place, Fault::with(RejectCode::NegativeStock, qty, there), book);
            } else {
                there -= qty;
            }
        }
    }

    /// A movement that refers to a refused one is refused too; whether there was any.
    fn refuse_dependants(&mut self, month: &Range<usize>, book: &mut Book) -> bool {
        let mut refused = false;
        for place in month.clone() {
            let reference = self.events.get(place).map_or(NONE, |event| event.reference);
            let stands = self.entries.get(place).is_some_and(|entry| entry.accepted);
            let gone = self.entries.get(reference as usize).is_some_and(|entry| !entry.accepted);
            if reference != NONE && stands && gone {
                self.refuse(place, Fault::new(RejectCode::ReferenceRejected), book);
                refused = true;
            }
        }
        refused
    }

    fn refuse(&mut self, place: usize, fault: Fault, book: &mut Book) {
        if let Some(effect) = self.effects.get_mut(place) {
            *effect = Effect::NOTHING;
        }
        if let Some(entry) = self.entries.get_mut(place) {
            *entry = Entry::BLANK;
        }
        if let Ok(index) = u32::try_from(place) {
            book.reject(index, fault);
        }
    }
}
