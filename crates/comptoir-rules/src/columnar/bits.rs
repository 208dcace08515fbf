use arrow_buffer::BooleanBuffer;

use comptoir_types::simd::wide;

/// Rows that are evaluated together: what is computed for them stays in the cache of a core.
pub(super) const BLOCK: usize = 8192;
pub(super) const WORDS: usize = BLOCK / 64;

/// A truth value for each row of a block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Bits([u64; WORDS]);

impl Bits {
    pub(super) const NONE: Self = Self([0; WORDS]);

    /// The rows that words of sixty-four rows each say.
    pub(super) const fn from_words(words: [u64; WORDS]) -> Self {
        Self(words)
    }

    /// The first `count` rows.
    pub(super) fn first(count: usize) -> Self {
        let mut bits = Self::NONE;
        for (index, word) in bits.0.iter_mut().enumerate() {
            let left = count.saturating_sub(index * 64);
            *word = if left >= 64 { u64::MAX } else { (1 << left) - 1 };
        }
        bits
    }

    /// The rows of a bitmap from `start` on.
    pub(super) fn read(buffer: &BooleanBuffer, start: usize, count: usize) -> Self {
        let count = count.min(buffer.len().saturating_sub(start));
        let slice = buffer.slice(start.min(buffer.len()), count);
        let mut bits = Self::NONE;
        for (word, chunk) in bits.0.iter_mut().zip(slice.bit_chunks().iter_padded()) {
            *word = chunk;
        }
        bits
    }

    /// The rows of the values for which `test` holds.
    #[inline]
    pub(super) fn of<T: Copy>(values: &[T], test: impl Fn(T) -> bool) -> Self {
        let mut bits = Self::NONE;
        let (wholes, rest) = values.as_chunks::<64>();
        wide(
            #[inline(always)]
            || {
                let mut words = bits.0.iter_mut();
                for (whole, word) in wholes.iter().zip(&mut words) {
                    *word = word_of(whole, &test);
                }
                if let Some(word) = words.next() {
                    *word = word_of(rest, &test);
                }
            },
        );
        bits
    }

    /// The rows of two lists of values for which `test` holds.
    #[inline]
    pub(super) fn of_pairs<T: Copy, U: Copy>(left: &[T], right: &[U], test: impl Fn(T, U) -> bool) -> Self {
        let mut bits = Self::NONE;
        let ((lefts, left), (rights, right)) = (left.as_chunks::<64>(), right.as_chunks::<64>());
        wide(
            #[inline(always)]
            || {
                let mut words = bits.0.iter_mut();
                for ((left, right), word) in lefts.iter().zip(rights).zip(&mut words) {
                    *word = word_of_pairs(left, right, &test);
                }
                if let Some(word) = words.next() {
                    *word = word_of_pairs(left, right, &test);
                }
            },
        );
        bits
    }

    /// The rows among these for which `test` holds.
    #[inline]
    pub(super) fn filter(&self, mut test: impl FnMut(usize) -> bool) -> Self {
        let mut bits = Self::NONE;
        for (index, (word, own)) in bits.0.iter_mut().zip(self.0).enumerate() {
            let mut left = own;
            let mut found = 0;
            while left != 0 {
                let bit = left.trailing_zeros();
                left &= left - 1;
                found |= u64::from(test(index * 64 + bit as usize)) << bit;
            }
            *word = found;
        }
        bits
    }

    /// As [`Bits::filter`], but `test` may be asked of any row: where most are left all are tested, without branches.
    #[inline(always)]
    pub(super) fn filter_all(&self, test: impl Fn(usize) -> bool) -> Self {
        const MANY: u32 = 28;
        let mut bits = Self::NONE;
        for (index, (word, own)) in bits.0.iter_mut().zip(self.0).enumerate() {
            let first = index * 64;
            let mut found = 0;
            if own.count_ones() >= MANY {
                for bit in 0..64 {
                    found |= u64::from(test(first + bit)) << bit;
                }
                *word = found & own;
                continue;
            }
            let mut left = own;
            while left != 0 {
                let bit = left.trailing_zeros();
                left &= left - 1;
                found |= u64::from(test(first + bit as usize)) << bit;
            }
            *word = found;
        }
        bits
    }

    /// Visits these rows in order.
    #[inline]
    pub(super) fn each(&self, mut visit: impl FnMut(usize)) {
        for (index, word) in self.0.iter().enumerate() {
            let mut left = *word;
            while left != 0 {
                visit(index * 64 + left.trailing_zeros() as usize);
                left &= left - 1;
            }
        }
    }

    /// Visits these rows from a first to a last one.
    #[inline]
    pub(super) fn each_in(&self, (first, last): (usize, usize), mut visit: impl FnMut(usize)) {
        for (index, word) in self.0.iter().enumerate().take(last / 64 + 1).skip(first / 64) {
            let from = first.saturating_sub(index * 64);
            let until = (last + 1 - index * 64).min(64);
            let mut left = word & span(from, until - from);
            while left != 0 {
                visit(index * 64 + left.trailing_zeros() as usize);
                left &= left - 1;
            }
        }
    }

    #[inline]
    pub(super) fn has(&self, row: usize) -> bool {
        self.0.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    #[inline]
    pub(super) fn set(&mut self, row: usize) {
        if let Some(word) = self.0.get_mut(row / 64) {
            *word |= 1 << (row % 64);
        }
    }

    pub(super) fn clear(&mut self, row: usize) {
        if let Some(word) = self.0.get_mut(row / 64) {
            *word &= !(1 << (row % 64));
        }
    }

    /// Sets the rows from `start` to before `end`.
    #[inline]
    pub(super) fn set_range(&mut self, start: usize, end: usize) {
        let mut row = start;
        while row < end {
            let until = ((row / 64 + 1) * 64).min(end);
            if let Some(word) = self.0.get_mut(row / 64) {
                *word |= span(row % 64, until - row);
            }
            row = until;
        }
    }

    /// Whether one of the rows from `start` to before `end` is set.
    #[inline]
    pub(super) fn any_in(&self, start: usize, end: usize) -> bool {
        let (shift, count) = (start % 64, end.saturating_sub(start));
        if shift + count <= 64 {
            return self.0.get(start / 64).is_some_and(|word| word & span(shift, count) != 0);
        }
        let mut row = start;
        while row < end {
            let until = ((row / 64 + 1) * 64).min(end);
            if self.0.get(row / 64).is_some_and(|word| word & span(row % 64, until - row) != 0) {
                return true;
            }
            row = until;
        }
        false
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().fold(0, |all, word| all | word) == 0
    }

    pub(super) fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    #[inline]
    pub(super) fn and(self, other: Self) -> Self {
        self.with(other, |own, other| own & other)
    }

    #[inline]
    pub(super) fn or(self, other: Self) -> Self {
        self.with(other, |own, other| own | other)
    }

    /// These rows without the others.
    #[inline]
    pub(super) fn minus(self, other: Self) -> Self {
        self.with(other, |own, other| own & !other)
    }

    /// The rows that are in one of both only.
    #[inline]
    pub(super) fn xor(self, other: Self) -> Self {
        self.with(other, |own, other| own ^ other)
    }

    /// The words, each of sixty-four rows.
    pub(super) const fn words(&self) -> &[u64; WORDS] {
        &self.0
    }

    #[inline]
    fn with(mut self, other: Self, combine: impl Fn(u64, u64) -> u64) -> Self {
        for (own, other) in self.0.iter_mut().zip(other.0) {
            *own = combine(*own, other);
        }
        self
    }
}

/// How many rows are set before any of them, so that long ranges are counted as fast as short ones.
pub(super) struct Ranks<'b> {
    bits: &'b Bits,
    /// How many are set before each word.
    before: [u32; WORDS],
    all: u32,
}

impl<'b> Ranks<'b> {
    pub(super) fn of(bits: &'b Bits) -> Self {
        let mut ranks = Self { bits, before: [0; WORDS], all: 0 };
        for (before, word) in ranks.before.iter_mut().zip(bits.0) {
            *before = ranks.all;
            ranks.all += word.count_ones();
        }
        ranks
    }

    /// How many rows before this one are set.
    #[inline(always)]
    pub(super) fn before(&self, row: usize) -> u32 {
        match (self.before.get(row / 64), self.bits.0.get(row / 64)) {
            (Some(before), Some(word)) => {
                before.wrapping_add((word & !(u64::MAX << (row % 64))).count_ones())
            }
            _ => self.all,
        }
    }
}

/// The rows of up to sixty-four values for which `test` holds.
#[inline(always)]
fn word_of<T: Copy>(values: &[T], test: &impl Fn(T) -> bool) -> u64 {
    if is_wide::<T>() {
        return shifted(values.iter().map(|value| test(*value)));
    }
    let mut flags = [0; 64];
    flags.iter_mut().zip(values).for_each(|(flag, value)| *flag = u8::from(test(*value)));
    pack(&flags)
}

#[inline(always)]
fn word_of_pairs<T: Copy, U: Copy>(left: &[T], right: &[U], test: &impl Fn(T, U) -> bool) -> u64 {
    if is_wide::<T>() && is_wide::<U>() {
        return shifted(left.iter().zip(right).map(|(left, right)| test(*left, *right)));
    }
    let mut flags = [0; 64];
    let pairs = flags.iter_mut().zip(left.iter().zip(right));
    pairs.for_each(|(flag, (left, right))| *flag = u8::from(test(*left, *right)));
    pack(&flags)
}

/// Whether a value takes as much room as a word of truth. Then a vector of comparisons has the lanes of a vector of words,
/// and bits are shifted into place there; smaller values have more lanes, which are better packed.
#[inline(always)]
const fn is_wide<T>() -> bool {
    size_of::<T>() == size_of::<u64>()
}

#[inline(always)]
fn shifted(truths: impl Iterator<Item = bool>) -> u64 {
    truths.take(64).enumerate().fold(0, |word, (bit, truth)| word | u64::from(truth) << bit)
}

/// `count` bits from `from` on, of a word.
pub(super) const fn span(from: usize, count: usize) -> u64 {
    if count == 0 { 0 } else { (u64::MAX >> (64 - count)) << from }
}

/// Sixty-four flags of 0 or 1 as bits: eight at a time are moved together by a multiplication.
#[inline(always)]
fn pack(flags: &[u8; 64]) -> u64 {
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let (eights, _) = flags.as_chunks::<8>();
    let mut word = 0;
    for (index, eight) in eights.iter().enumerate() {
        word |= (u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56) << (index * 8);
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_where_values_are() {
        let values: Vec<u32> = (0..1000).map(|value| value * 7919 % 1000).collect();
        let bits = Bits::of(&values, |value| value < 300);
        for (row, value) in values.iter().enumerate() {
            assert_eq!(bits.has(row), *value < 300, "row {row}");
        }
        assert_eq!(bits.count(), 300);
        assert_eq!(Bits::first(1000).minus(bits).count(), 700);
        assert_eq!(bits.filter(|row| row % 2 == 0).count() + bits.filter(|row| row % 2 == 1).count(), 300);
        let mut range = Bits::NONE;
        range.set_range(60, 200);
        assert!(range.any_in(199, 210) && !range.any_in(200, 300) && !range.any_in(0, 60));
        assert_eq!(range.count(), 140);
        for bits in [range, bits, Bits::NONE, Bits::first(BLOCK)] {
            let ranks = Ranks::of(&bits);
            for row in 0..=BLOCK {
                let before = bits.words().iter().enumerate().map(|(index, word)| {
                    (word & span(0, row.saturating_sub(index * 64).min(64))).count_ones()
                });
                assert_eq!(ranks.before(row), before.sum::<u32>(), "row {row}");
            }
        }
    }

    #[test]
    fn values_of_every_width_and_number_give_the_same_bits() {
        for count in [0, 1, 63, 64, 65, 127, 128, 2000, BLOCK] {
            let bytes: Vec<u8> = (0..251).cycle().step_by(137).take(count).collect();
            let words: Vec<u64> = bytes.iter().map(|byte| u64::from(*byte)).collect();
            let doubles: Vec<f64> = bytes.iter().map(|byte| f64::from(*byte)).collect();
            let units: Vec<i128> = bytes.iter().map(|byte| i128::from(*byte)).collect();
            let expected = Bits::first(count).filter(|row| bytes.get(row).is_some_and(|byte| *byte < 100));
            assert!(Bits::of(&bytes, |byte| byte < 100) == expected, "{count}");
            assert!(Bits::of(&words, |word| word < 100) == expected, "{count}");
            assert!(Bits::of(&doubles, |double| double < 100.0) == expected, "{count}");
            assert!(Bits::of(&units, |unit| unit < 100) == expected, "{count}");
            assert!(
                Bits::of_pairs(&words, &doubles, |word, double| word < 100 && double < 100.0) == expected
            );
            assert!(Bits::of_pairs(&words, &bytes, |word, byte| word < 100 && byte < 100) == expected);
        }
    }
}
