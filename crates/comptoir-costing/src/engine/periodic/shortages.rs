//! The policy `reject` under the periodic average: a month's stock and receipts together must cover its issues.

use std::ops::Range;

use super::super::Sink;
use super::super::run::Book;
use super::Periodic;
use crate::policy::Negative;
use crate::reject::{Fault, RejectCode};

impl Periodic<'_> {
    /// Refuses what the month's stock and receipts together do not cover, the latest issues first; whether there was any.
    pub fn refuse_shortages(&mut self, month: &Range<usize>, book: &mut Book) -> bool {
        let before = self.refused.len();
        for key in self.keys() {
            if self.rule(key).negative == Negative::Reject {
                self.refuse_uncovered(key, month, book);
            }
        }
        self.refused.len() > before
    }

    fn refuse_uncovered(&mut self, key: u32, month: &Range<usize>, book: &mut Book) {
        let incoming: i128 =
            self.effects_of(key, month).map(|(_, effect)| i128::from(effect.qty.max(0))).sum();
        let mut there = i128::from(self.total(key).qty) + incoming;
        let outgoing: Vec<(usize, i64)> = self
            .effects_of(key, month)
            .filter(|(_, effect)| effect.qty < 0)
            .map(|(place, effect)| (place, -effect.qty))
            .collect();
        for (place, qty) in outgoing {
            if i128::from(qty) > there && self.is_movement(place) {
                let found = i64::try_from(there).unwrap_or(0);
                self.refuse(place, Fault::with(RejectCode::NegativeStock, qty, found), book);
            } else {
                there -= i128::from(qty);
            }
        }
    }

    fn refuse(&mut self, place: usize, fault: Fault, book: &mut Book) {
        if let Ok(index) = u32::try_from(place) {
            self.refused.insert(index);
            book.reject(index, fault);
        }
    }
}
