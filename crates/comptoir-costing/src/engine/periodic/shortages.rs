//! The policy `reject` under the periodic average: a month's stock and receipts together must cover its issues.

use std::ops::Range;

use hashbrown::HashMap;

use super::super::Sink;
use super::super::run::{Banned, Book};
use super::{Effect, Periodic};
use crate::policy::Negative;
use crate::reject::{Fault, RejectCode};

impl Periodic<'_> {
    /// Refuses what the month's stock and receipts together do not cover, in book order.
    ///
    /// What is refused changes what a count finds, what arrives elsewhere and what others may refer to, so the month is read again
    /// without it. What turns out uncovered only then took the place of others, which are tried again without it.
    pub fn settle_shortages(&mut self, month: &Range<usize>, banned: &Banned, book: &mut Book) {
        loop {
            let first = self.refuse_shortages(month, book);
            let mut is_last = true;
            let mut refused = !first.is_empty();
            while refused {
                self.forget_month(month);
                self.read_month(month, banned, book);
                refused = !self.refuse_shortages(month, book).is_empty();
                is_last &= !refused;
            }
            if is_last {
                return;
            }
            for index in first {
                self.refused.remove(&index);
            }
            self.forget_month(month);
            self.read_month(month, banned, book);
        }
    }

    /// Refuses what the month as it was read does not cover, and gives it.
    fn refuse_shortages(&mut self, month: &Range<usize>, book: &mut Book) -> Vec<u32> {
        let mut refused = Vec::new();
        for key in self.keys() {
            if self.rule(key).negative == Negative::Reject {
                self.refuse_uncovered(key, month, book, &mut refused);
            }
        }
        refused
    }

    fn refuse_uncovered(&mut self, key: u32, month: &Range<usize>, book: &mut Book, refused: &mut Vec<u32>) {
        let came_back = self.came_back(key, month);
        let back_of = |place: usize| came_back.get(&place).copied().unwrap_or(0);
        let incoming: i128 =
            self.effects_of(key, month).map(|(_, effect)| i128::from(effect.qty.max(0))).sum();
        let mut there = i128::from(self.total(key).qty) + incoming - came_back.values().sum::<i128>();
        let outgoing: Vec<(usize, i128)> = self
            .effects_of(key, month)
            .filter(|(_, effect)| effect.qty < 0)
            .map(|(place, effect)| (place, -i128::from(effect.qty) - back_of(place)))
            .collect();
        for (place, qty) in outgoing {
            if qty > there && self.is_movement(place) {
                let number = |number: i128| i64::try_from(number).unwrap_or(0);
                let fault = Fault::with(RejectCode::NegativeStock, number(qty), number(there));
                refused.extend(self.refuse(place, fault, book));
            } else {
                there -= qty;
            }
        }
    }

    /// By the place of what left in the month, the quantity of it that came back in the same month.
    ///
    /// It covers that movement and no other: were another covered by it, the movement itself could be refused, and what came back
    /// would go with it.
    fn came_back(&self, key: u32, month: &Range<usize>) -> HashMap<usize, i128> {
        let mut came_back = HashMap::new();
        for (place, effect) in self.effects_of(key, month).filter(|(_, effect)| effect.qty > 0) {
            let Some(event) = self.events.get(place) else { continue };
            let origin = event.reference as usize;
            let left = |left: &&Effect| month.contains(&origin) && left.key == key && left.qty < 0;
            if self.effects.get(origin).as_ref().is_some_and(left) {
                *came_back.entry(origin).or_default() += i128::from(effect.qty);
            }
        }
        came_back
    }

    fn refuse(&mut self, place: usize, fault: Fault, book: &mut Book) -> Option<u32> {
        let index = u32::try_from(place).ok()?;
        self.refused.insert(index);
        book.reject(index, fault);
        Some(index)
    }
}
