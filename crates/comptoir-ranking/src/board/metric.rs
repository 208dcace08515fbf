//! Numbers that are made of events. Each is the same for any order of events and any way of sharing them out.

use std::cmp::Ordering;

use arrow_array::{Array, ArrayRef, Decimal128Array, Float64Array, Int64Array, UInt64Array};
use arrow_buffer::BooleanBuffer;
use hashbrown::HashSet;

use super::numbers::NumberKind;
use super::sums::Sums;
use crate::Score;
use crate::sum::ExactSum;

/// The values of one metric, by slot: a slot is an item in a group.
#[derive(Debug)]
pub enum Accumulator {
    /// Sums of integers or decimals.
    Sum(Sums),
    /// Sums of doubles.
    ExactSum(Vec<Option<ExactSum>>),
    /// How many.
    Count(Vec<u64>),
    /// Slots with the codes of values that were seen, and how many each slot has.
    Distinct(HashSet<(u32, u32)>, Vec<u64>),
    /// The smallest or the largest: those that are in this order to others.
    End(Ordering, Vec<Option<Key>>),
    /// The moment as bytes, and what was then.
    Last(Vec<Option<(Box<[u8]>, Key)>>),
}

/// A value that has an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A number as an integer of the same order.
    Number(i128),
    /// Something else as bytes of the same order.
    Bytes(Box<[u8]>),
}

/// A value as it lies in a batch.
#[derive(Debug, Clone, Copy)]
pub enum KeyRef<'b> {
    /// A number.
    Number(i128),
    /// Something else.
    Bytes(&'b [u8]),
}

/// What a metric reads of a batch.
#[derive(Debug, Clone)]
pub enum Source<'b> {
    /// Where a condition is true.
    Flags(&'b BooleanBuffer),
    /// Numbers.
    Numbers(Numbers<'b>),
    /// Codes of values, and which of them are not null.
    Codes(&'b [u32], Option<&'b BooleanBuffer>),
    /// Values as bytes; `None` for null.
    Names(&'b [Option<&'b [u8]>]),
    /// Values, and the moments to which they belong.
    Timed(Box<Source<'b>>, &'b [Option<&'b [u8]>]),
}

/// Numbers of one kind.
#[derive(Debug, Clone, Copy)]
pub enum Numbers<'b> {
    Int(&'b Int64Array),
    Uint(&'b UInt64Array),
    Decimal(&'b Decimal128Array),
    Double(&'b Float64Array),
}

impl<'b> Numbers<'b> {
    /// An array of this kind; `None` for another one.
    pub fn new(kind: NumberKind, array: &'b ArrayRef) -> Option<Self> {
        let array = array.as_any();
        match kind {
            NumberKind::Int => array.downcast_ref().map(Self::Int),
            NumberKind::Uint => array.downcast_ref().map(Self::Uint),
            NumberKind::Decimal => array.downcast_ref().map(Self::Decimal),
            NumberKind::Double => array.downcast_ref().map(Self::Double),
        }
    }

    /// The number of a row as an integer of the same order; `None` for null and NaN.
    fn key(self, row: usize) -> Option<i128> {
        match self {
            Self::Int(array) => array.is_valid(row).then(|| array.value(row).into()),
            Self::Uint(array) => array.is_valid(row).then(|| array.value(row).into()),
            Self::Decimal(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Double(array) => {
                Some(Score::new(array.is_valid(row).then(|| array.value(row))?)?.key().into())
            }
        }
    }
}

impl<'b> Source<'b> {
    /// The value of a row; `None` for null and NaN.
    fn key(&self, row: usize) -> Option<KeyRef<'b>> {
        match self {
            Source::Numbers(numbers) => numbers.key(row).map(KeyRef::Number),
            Source::Names(names) => (*names.get(row)?).map(KeyRef::Bytes),
            Source::Timed(values, _) => values.key(row),
            Source::Flags(_) | Source::Codes(..) => None,
        }
    }
}

impl Key {
    fn as_ref(&self) -> KeyRef<'_> {
        match self {
            Self::Number(number) => KeyRef::Number(*number),
            Self::Bytes(bytes) => KeyRef::Bytes(bytes),
        }
    }
}

impl KeyRef<'_> {
    fn compare(&self, other: &Key) -> Ordering {
        match (self, other) {
            (KeyRef::Number(own), Key::Number(other)) => own.cmp(other),
            (KeyRef::Bytes(own), Key::Bytes(other)) => (*own).cmp(other),
            // All keys of a metric are of one kind.
            (KeyRef::Number(_), Key::Bytes(_)) => Ordering::Less,
            (KeyRef::Bytes(_), Key::Number(_)) => Ordering::Greater,
        }
    }

    fn to_key(self) -> Key {
        match self {
            KeyRef::Number(number) => Key::Number(number),
            KeyRef::Bytes(bytes) => Key::Bytes(bytes.into()),
        }
    }
}

/// What a metric gives: the keys of numbers, or bytes, for each slot.
#[derive(Debug)]
pub enum Finished {
    /// Numbers.
    Numbers(Vec<Option<i128>>),
    /// Values of another kind.
    Bytes(Vec<Option<Box<[u8]>>>),
}

impl Accumulator {
    /// Sums of numbers of a kind.
    pub fn sum(kind: NumberKind) -> Self {
        match kind {
            NumberKind::Double => Self::ExactSum(Vec::new()),
            _ => Self::Sum(Sums::default()),
        }
    }

    /// Makes room for so many slots.
    pub fn reach(&mut self, slots: usize) {
        match self {
            Self::Sum(sums) => sums.reach(slots),
            Self::ExactSum(values) => values.resize(slots, None),
            Self::Count(values) | Self::Distinct(_, values) => values.resize(slots, 0),
            Self::End(_, values) => values.resize(slots, None),
            Self::Last(values) => values.resize(slots, None),
        }
    }

    /// Adds rows of a batch, each to its slot. What is null or NaN adds nothing; gives how many rows that are.
    pub fn add(&mut self, source: &Source<'_>, rows: &BooleanBuffer, slots: &[u32]) -> u64 {
        match (self, source) {
            (Self::Count(counts), Source::Flags(flags)) => each(rows, slots, |row, slot| {
                *counts.get_mut(slot)? += u64::from(flags.value(row));
                Some(())
            }),
            (Self::Distinct(seen, counts), Source::Codes(codes, valid)) => each(rows, slots, |row, slot| {
                let code = codes.get(row).filter(|_| valid.is_none_or(|valid| valid.value(row)))?;
                see(seen, counts, (u32::try_from(slot).ok()?, *code));
                Some(())
            }),
            (Self::ExactSum(sums), Source::Numbers(Numbers::Double(array))) => {
                each(rows, slots, |row, slot| {
                    let number = array.is_valid(row).then(|| array.value(row)).filter(|one| !one.is_nan())?;
                    sums.get_mut(slot)?.get_or_insert_default().add(number);
                    Some(())
                })
            }
            (Self::Sum(sums), Source::Numbers(numbers)) => each(rows, slots, |row, slot| {
                sums.add(slot, numbers.key(row)?);
                Some(())
            }),
            (Self::End(order, ends), source) => each(rows, slots, |row, slot| {
                widen(ends.get_mut(slot)?, *order, source.key(row)?);
                Some(())
            }),
            (Self::Last(values), Source::Timed(source, moments)) => each(rows, slots, |row, slot| {
                follow(values.get_mut(slot)?, (*moments.get(row)?)?, source.key(row)?);
                Some(())
            }),
            // A metric reads what it was made for.
            _ => 0,
        }
    }

    /// Adds another accumulator of the same metric. `slots` and `codes` are what its slots and codes of values are here.
    pub fn merge(&mut self, other: &Self, slots: &[u32], codes: &[u32]) {
        let own_slots = slots.iter().map(|slot| *slot as usize);
        match (self, other) {
            (Self::Sum(own), Self::Sum(theirs)) => own.merge(theirs, slots),
            (Self::ExactSum(own), Self::ExactSum(theirs)) => {
                for (slot, theirs) in own_slots.zip(theirs) {
                    if let (Some(sum), Some(theirs)) = (own.get_mut(slot), theirs) {
                        sum.get_or_insert_default().merge(theirs);
                    }
                }
            }
            (Self::Count(own), Self::Count(theirs)) => {
                for (slot, count) in own_slots.zip(theirs) {
                    own.get_mut(slot).into_iter().for_each(|own| *own += count);
                }
            }
            (Self::Distinct(seen, counts), Self::Distinct(theirs, _)) => {
                for (slot, code) in theirs {
                    if let (Some(slot), Some(code)) = (slots.get(*slot as usize), codes.get(*code as usize)) {
                        see(seen, counts, (*slot, *code));
                    }
                }
            }
            (Self::End(order, own), Self::End(_, theirs)) => {
                for (slot, key) in own_slots.zip(theirs) {
                    if let (Some(end), Some(key)) = (own.get_mut(slot), key) {
                        widen(end, *order, key.as_ref());
                    }
                }
            }
            (Self::Last(own), Self::Last(theirs)) => {
                for (slot, theirs) in own_slots.zip(theirs) {
                    if let (Some(own), Some((moment, key))) = (own.get_mut(slot), theirs) {
                        follow(own, moment, key.as_ref());
                    }
                }
            }
            _ => {}
        }
    }

    /// The slots of sums that do not fit in 128 bits.
    pub fn too_large(&self) -> Vec<usize> {
        match self {
            Self::Sum(sums) => sums.too_large().collect(),
            _ => Vec::new(),
        }
    }

    /// The metric of each slot; `None` where no event had a value.
    pub fn finish(&self) -> Finished {
        match self {
            Self::Sum(sums) => Finished::Numbers(sums.values().to_vec()),
            Self::ExactSum(sums) => {
                let key = |sum: &Option<ExactSum>| Some(Score::new(sum.as_ref()?.value())?.key().into());
                Finished::Numbers(sums.iter().map(key).collect())
            }
            Self::Count(counts) | Self::Distinct(_, counts) => {
                Finished::Numbers(counts.iter().map(|count| Some((*count).into())).collect())
            }
            Self::End(_, values) => Finished::of(values.iter().map(Option::as_ref)),
            Self::Last(values) => {
                Finished::of(values.iter().map(|last| last.as_ref().map(|(_, value)| value)))
            }
        }
    }
}

impl Finished {
    /// All keys of a metric are of one kind.
    fn of<'k>(keys: impl Iterator<Item = Option<&'k Key>> + Clone) -> Self {
        if keys.clone().flatten().any(|key| matches!(key, Key::Bytes(_))) {
            let bytes = |key: Option<&Key>| match key {
                Some(Key::Bytes(bytes)) => Some(bytes.clone()),
                _ => None,
            };
            return Self::Bytes(keys.map(bytes).collect());
        }
        let number = |key: Option<&Key>| match key {
            Some(Key::Number(number)) => Some(*number),
            _ => None,
        };
        Self::Numbers(keys.map(number).collect())
    }
}

/// Does something for each row and its slot, and counts those for which it could not be done.
#[inline]
fn each(rows: &BooleanBuffer, slots: &[u32], mut add: impl FnMut(usize, usize) -> Option<()>) -> u64 {
    let mut missing = 0;
    for row in rows.set_indices() {
        if let Some(slot) = slots.get(row) {
            missing += u64::from(add(row, *slot as usize).is_none());
        }
    }
    missing
}

/// Counts a value that a slot has not seen.
fn see(seen: &mut HashSet<(u32, u32)>, counts: &mut [u64], value: (u32, u32)) {
    if seen.insert(value) {
        counts.get_mut(value.0 as usize).into_iter().for_each(|count| *count += 1);
    }
}

/// Takes a value as the end, if it is in this order to the one so far.
fn widen(end: &mut Option<Key>, order: Ordering, key: KeyRef<'_>) {
    if end.as_ref().is_none_or(|end| key.compare(end) == order) {
        *end = Some(key.to_key());
    }
}

/// Takes a value as the last, if it is of a later moment, or of the same moment and larger.
fn follow(last: &mut Option<(Box<[u8]>, Key)>, moment: &[u8], key: KeyRef<'_>) {
    let is_later = |(known, value): &(Box<[u8]>, Key)| {
        moment.cmp(known).then_with(|| key.compare(value)) == Ordering::Greater
    };
    if last.as_ref().is_none_or(is_later) {
        *last = Some((moment.into(), key.to_key()));
    }
}
