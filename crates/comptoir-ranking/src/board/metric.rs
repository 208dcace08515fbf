//! Numbers that are made of events. Each is the same for any order of events and any way of sharing them out.

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::BooleanBuffer;
use hashbrown::HashSet;

use super::error::BoardError;
use super::numbers::NumberKind;
use crate::Score;
use crate::sum::ExactSum;

/// The values of one metric, by slot: a slot is an item in a group.
#[derive(Debug)]
pub enum Accumulator {
    /// Sums of integers or decimals.
    Sum(Vec<Option<i128>>),
    /// Sums of doubles.
    ExactSum(Vec<Option<ExactSum>>),
    /// How many.
    Count(Vec<u64>),
    /// How many different.
    Distinct(Vec<HashSet<Box<[u8]>>>),
    /// The smallest.
    Min(Vec<Option<Key>>),
    /// The largest.
    Max(Vec<Option<Key>>),
    /// The moment as bytes, and what was then.
    Last(Vec<Option<(Box<[u8]>, Key)>>),
}

/// A value that has an order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A number as an integer of the same order.
    Number(i128),
    /// Something else as bytes of the same order.
    Bytes(Box<[u8]>),
}

/// What a metric reads of a batch.
#[derive(Debug, Clone)]
pub enum Source<'b> {
    /// Where a condition is true.
    Flags(&'b BooleanBuffer),
    /// Numbers.
    Numbers(NumberKind, &'b ArrayRef),
    /// Values as bytes; `None` for null.
    Names(&'b [Option<&'b [u8]>]),
    /// Values, and the moments to which they belong.
    Timed(Box<Source<'b>>, &'b [Option<&'b [u8]>]),
}

impl Source<'_> {
    /// The value of a row; `None` for null and NaN.
    fn key(&self, row: usize) -> Option<Key> {
        match self {
            Source::Numbers(kind, array) => kind.key(array, row).map(Key::Number),
            Source::Names(names) => (*names.get(row)?).map(|name| Key::Bytes(name.into())),
            Source::Timed(values, _) => values.key(row),
            Source::Flags(_) => None,
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
    pub const fn sum(kind: NumberKind) -> Self {
        match kind {
            NumberKind::Double => Self::ExactSum(Vec::new()),
            _ => Self::Sum(Vec::new()),
        }
    }

    /// Makes room for so many slots.
    pub fn reach(&mut self, slots: usize) {
        match self {
            Self::Sum(values) => values.resize(slots, None),
            Self::Min(values) | Self::Max(values) => values.resize(slots, None),
            Self::ExactSum(values) => values.resize(slots, None),
            Self::Count(values) => values.resize(slots, 0),
            Self::Distinct(values) => values.resize_with(slots, HashSet::new),
            Self::Last(values) => values.resize(slots, None),
        }
    }

    /// Adds a row of a batch to a slot. What is null or NaN adds nothing.
    pub fn add(&mut self, slot: usize, source: &Source<'_>, row: usize) -> Result<(), Overflow> {
        match (self, source) {
            (Self::Count(counts), Source::Flags(flags)) => {
                if let Some(count) = counts.get_mut(slot) {
                    *count += u64::from(flags.value(row));
                }
            }
            (Self::Distinct(sets), Source::Names(names)) => {
                if let (Some(set), Some(Some(name))) = (sets.get_mut(slot), names.get(row))
                    && !set.contains(*name)
                {
                    set.insert((*name).into());
                }
            }
            (Self::ExactSum(sums), Source::Numbers(_, array)) => {
                if let Some(sum) = sums.get_mut(slot)
                    && array.is_valid(row)
                {
                    let value = array.as_primitive::<Float64Type>().value(row);
                    if !value.is_nan() {
                        sum.get_or_insert_default().add(value);
                    }
                }
            }
            (Self::Sum(sums), Source::Numbers(kind, array)) => {
                if let (Some(sum), Some(number)) = (sums.get_mut(slot), kind.key(array, row)) {
                    *sum = Some(sum.unwrap_or(0).checked_add(number).ok_or(Overflow)?);
                }
            }
            (Self::Min(ends), source) => widen(ends.get_mut(slot), source.key(row), |new, end| new < end),
            (Self::Max(ends), source) => widen(ends.get_mut(slot), source.key(row), |new, end| new > end),
            (Self::Last(values), Source::Timed(source, moments)) => {
                if let (Some(last), Some(key), Some(Some(moment))) =
                    (values.get_mut(slot), source.key(row), moments.get(row))
                    && last.as_ref().is_none_or(|(known, value)| (&**known, value) < (*moment, &key))
                {
                    *last = Some(((*moment).into(), key));
                }
            }
            // A metric reads what it was made for.
            _ => {}
        }
        Ok(())
    }

    /// Adds a slot of another accumulator of the same metric.
    pub fn merge(&mut self, slot: usize, other: &mut Self, from: usize) -> Result<(), Overflow> {
        match (self, other) {
            (Self::Sum(own), Self::Sum(theirs)) => {
                if let (Some(own), Some(Some(theirs))) = (own.get_mut(slot), theirs.get(from)) {
                    *own = Some(own.unwrap_or(0).checked_add(*theirs).ok_or(Overflow)?);
                }
            }
            (Self::ExactSum(own), Self::ExactSum(theirs)) => {
                if let (Some(own), Some(Some(theirs))) = (own.get_mut(slot), theirs.get(from)) {
                    own.get_or_insert_default().merge(theirs);
                }
            }
            (Self::Count(own), Self::Count(theirs)) => {
                if let (Some(own), Some(theirs)) = (own.get_mut(slot), theirs.get(from)) {
                    *own += theirs;
                }
            }
            (Self::Distinct(own), Self::Distinct(theirs)) => {
                if let (Some(own), Some(theirs)) = (own.get_mut(slot), theirs.get_mut(from)) {
                    own.extend(theirs.drain());
                }
            }
            (Self::Min(own), Self::Min(theirs)) => {
                let new = theirs.get_mut(from).and_then(Option::take);
                widen(own.get_mut(slot), new, |new, end| new < end);
            }
            (Self::Max(own), Self::Max(theirs)) => {
                let new = theirs.get_mut(from).and_then(Option::take);
                widen(own.get_mut(slot), new, |new, end| new > end);
            }
            (Self::Last(own), Self::Last(theirs)) => {
                if let (Some(own), Some(theirs)) = (own.get_mut(slot), theirs.get_mut(from)) {
                    let latest = own.take().max(theirs.take());
                    *own = latest;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The metric of each slot; `None` where no event had a value.
    pub fn finish(&self) -> Finished {
        match self {
            Self::Sum(values) => Finished::Numbers(values.clone()),
            Self::ExactSum(sums) => {
                let key = |sum: &Option<ExactSum>| Some(Score::new(sum.as_ref()?.value())?.key().into());
                Finished::Numbers(sums.iter().map(key).collect())
            }
            Self::Count(counts) => {
                Finished::Numbers(counts.iter().map(|count| Some((*count).into())).collect())
            }
            Self::Distinct(sets) => {
                Finished::Numbers(sets.iter().map(|set| Some(set.len() as i128)).collect())
            }
            Self::Min(values) | Self::Max(values) => Finished::of(values.iter().map(Option::as_ref)),
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

/// Takes a value as an end, if it lies beyond the one so far.
fn widen(end: Option<&mut Option<Key>>, new: Option<Key>, is_beyond: impl Fn(&Key, &Key) -> bool) {
    if let (Some(end), Some(new)) = (end, new)
        && end.as_ref().is_none_or(|end| is_beyond(&new, end))
    {
        *end = Some(new);
    }
}

/// A sum that does not fit.
#[derive(Debug)]
pub struct Overflow;

impl Overflow {
    pub fn of(self, metric: &str) -> BoardError {
        BoardError::Overflow { metric: metric.to_owned() }
    }
}
