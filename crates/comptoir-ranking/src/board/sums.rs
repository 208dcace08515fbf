//! Sums of integers that may leave 128 bits on their way, so that only the end says whether one fits.

use hashbrown::HashMap;

/// Sums by slot; `None` where nothing was added.
#[derive(Debug, Default)]
pub struct Sums {
    /// Without what is carried.
    sums: Vec<Option<i128>>,
    /// How many times 2^128 are to be added. Hardly any sum has such.
    carried: HashMap<usize, i64>,
}

impl Sums {
    /// Makes room for so many slots.
    pub fn reach(&mut self, slots: usize) {
        self.sums.resize(slots, None);
    }

    /// Adds a number.
    #[inline]
    pub fn add(&mut self, slot: usize, number: i128) {
        let Some(sum) = self.sums.get_mut(slot) else { return };
        let (low, is_over) = sum.unwrap_or(0).overflowing_add(number);
        *sum = Some(low);
        if is_over {
            self.carry(slot, if number > 0 { 1 } else { -1 });
        }
    }

    /// Adds other sums, whose slots are these here.
    pub fn merge(&mut self, other: &Self, slots: &[u32]) {
        for (slot, number) in slots.iter().zip(&other.sums) {
            if let Some(number) = number {
                self.add(*slot as usize, *number);
            }
        }
        for (slot, times) in &other.carried {
            if let Some(slot) = slots.get(*slot) {
                self.carry(*slot as usize, *times);
            }
        }
    }

    fn carry(&mut self, slot: usize, times: i64) {
        let carried = self.carried.entry(slot).or_insert(0);
        *carried += times;
        if *carried == 0 {
            self.carried.remove(&slot);
        }
    }

    /// The sums, of which those that are [too large](Self::too_large) mean nothing.
    pub fn values(&self) -> &[Option<i128>] {
        &self.sums
    }

    /// The slots whose sums do not fit in 128 bits.
    pub fn too_large(&self) -> impl Iterator<Item = usize> {
        self.carried.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Sums;

    proptest! {
        #[test]
        fn only_the_end_says_whether_a_sum_fits(
            numbers in prop::collection::vec(prop_oneof![Just(i128::MAX), Just(i128::MIN), -3..4_i128], 1..12),
            cut in 0..12_usize,
        ) {
            let sums = |numbers: &[i128]| {
                let mut sums = Sums::default();
                sums.reach(1);
                numbers.iter().for_each(|number| sums.add(0, *number));
                sums
            };
            let (left, right) = numbers.split_at(cut.min(numbers.len()));
            let mut found = sums(left);
            found.merge(&sums(right), &[0]);
            // In parts, which fit.
            let half: i128 = numbers.iter().map(|number| number >> 8).sum();
            let rest: i128 = numbers.iter().map(|number| number & 0xff).sum();
            let exact = (half + (rest >> 8)).checked_mul(256).map(|high| high + (rest & 0xff));
            let fitting = if found.too_large().count() == 0 { found.values()[0] } else { None };
            prop_assert_eq!(fitting, exact);
        }
    }
}
