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
pub struct Accumulator {
    values: Values,
}

#[derive(Debug)]
enum Values {
    /// Sums of integers or decimals.
    Sum(NumberKind, Vec<Option<i128>>),
    /// Sums of doubles.
    ExactSum(Vec<Option<ExactSum>>),
    Count(Vec<u64>),
    Distinct(Vec<HashSet<Box<[u8]>>>),
    Min(NumberKind, Vec<Option<i128>>),
    Max(NumberKind, Vec<Option<i128>>),
    /// The moment as bytes, and the number.
    Last(NumberKind, Vec<Option<(Box<[u8]>, i128)>>),
}

/// What a metric reads of a batch.
#[derive(Debug)]
pub enum Source<'b> {
    /// Where a condition is true.
    Flags(&'b BooleanBuffer),
    /// Numbers.
    Numbers(NumberKind, &'b ArrayRef),
    /// Values as bytes; `None` for null.
    Names(&'b [Option<&'b [u8]>]),
    /// Numbers, and the moments to which they belong.
    Timed(NumberKind, &'b ArrayRef, &'b [Option<&'b [u8]>]),
}

impl Accumulator {
    pub fn sum(kind: NumberKind) -> Self {
        let values = match kind {
            NumberKind::Double => Values::ExactSum(Vec::new()),
            _ => Values::Sum(kind, Vec::new()),
        };
        Self { values }
    }

    pub const fn count() -> Self {
        Self { values: Values::Count(Vec::new()) }
    }

    pub const fn distinct() -> Self {
        Self { values: Values::Distinct(Vec::new()) }
    }

    pub const fn min(kind: NumberKind) -> Self {
        Self { values: Values::Min(kind, Vec::new()) }
    }

    pub const fn max(kind: NumberKind) -> Self {
        Self { values: Values::Max(kind, Vec::new()) }
    }

    pub const fn last(kind: NumberKind) -> Self {
        Self { values: Values::Last(kind, Vec::new()) }
    }

    /// What the metric gives.
    pub const fn kind(&self) -> NumberKind {
        match &self.values {
            Values::Sum(kind, _) | Values::Min(kind, _) | Values::Max(kind, _) | Values::Last(kind, _) => {
                *kind
            }
            Values::ExactSum(_) => NumberKind::Double,
            Values::Count(_) | Values::Distinct(_) => NumberKind::Int,
        }
    }

    /// Makes room for so many slots.
    pub fn reach(&mut self, slots: usize) {
        match &mut self.values {
            Values::Sum(_, values) | Values::Min(_, values) | Values::Max(_, values) => {
                values.resize(slots, None)
            }
            Values::ExactSum(values) => values.resize(slots, None),
            Values::Count(values) => values.resize(slots, 0),
            Values::Distinct(values) => values.resize_with(slots, HashSet::new),
            Values::Last(_, values) => values.resize(slots, None),
        }
    }

    /// Adds a row of a batch to a slot. What is null or NaN adds nothing.
    pub fn add(&mut self, slot: usize, source: &Source<'_>, row: usize) -> Result<(), Overflow> {
        let number = |kind: NumberKind, array: &ArrayRef| kind.key(array, row);
        match (&mut self.values, source) {
            (Values::Count(counts), Source::Flags(flags)) => {
                if let Some(count) = counts.get_mut(slot) {
                    *count += u64::from(flags.value(row));
                }
            }
            (Values::Distinct(sets), Source::Names(names)) => {
                if let (Some(set), Some(Some(name))) = (sets.get_mut(slot), names.get(row))
                    && !set.contains(*name)
                {
                    set.insert((*name).into());
                }
            }
            (Values::ExactSum(sums), Source::Numbers(_, array)) => {
                if let Some(sum) = sums.get_mut(slot)
                    && array.is_valid(row)
                {
                    let value = array.as_primitive::<Float64Type>().value(row);
                    if !value.is_nan() {
                        sum.get_or_insert_default().add(value);
                    }
                }
            }
            (Values::Sum(_, sums), Source::Numbers(kind, array)) => {
                if let (Some(sum), Some(number)) = (sums.get_mut(slot), number(*kind, array)) {
                    *sum = Some(sum.unwrap_or(0).checked_add(number).ok_or(Overflow)?);
                }
            }
            (Values::Min(..) | Values::Max(..), Source::Numbers(kind, array)) => {
                if let Some(number) = number(*kind, array) {
                    self.widen(slot, number);
                }
            }
            (Values::Last(_, values), Source::Timed(kind, array, moments)) => {
                if let (Some(last), Some(number), Some(Some(moment))) =
                    (values.get_mut(slot), number(*kind, array), moments.get(row))
                    && last.as_ref().is_none_or(|(known, value)| (&**known, value) < (*moment, &number))
                {
                    *last = Some(((*moment).into(), number));
                }
            }
            // A metric reads what it was made for.
            _ => {}
        }
        Ok(())
    }

    /// Adds a slot of another accumulator of the same metric.
    pub fn merge(&mut self, slot: usize, other: &mut Self, from: usize) -> Result<(), Overflow> {
        match (&mut self.values, &mut other.values) {
            (Values::Sum(_, own), Values::Sum(_, theirs)) => {
                if let (Some(own), Some(Some(theirs))) = (own.get_mut(slot), theirs.get(from)) {
                    *own = Some(own.unwrap_or(0).checked_add(*theirs).ok_or(Overflow)?);
                }
            }
            (Values::ExactSum(own), Values::ExactSum(theirs)) => {
                if let (Some(own), Some(Some(theirs))) = (own.get_mut(slot), theirs.get(from)) {
                    own.get_or_insert_default().merge(theirs);
                }
            }
            (Values::Count(own), Values::Count(theirs)) => {
                if let (Some(own), Some(theirs)) = (own.get_mut(slot), theirs.get(from)) {
                    *own += theirs;
                }
            }
            (Values::Distinct(own), Values::Distinct(theirs)) => {
                if let (Some(own), Some(theirs)) = (own.get_mut(slot), theirs.get_mut(from)) {
                    own.extend(theirs.drain());
                }
            }
            (Values::Min(..) | Values::Max(..), Values::Min(_, theirs) | Values::Max(_, theirs)) => {
                if let Some(number) = theirs.get(from).copied().flatten() {
                    self.widen(slot, number);
                }
            }
            (Values::Last(_, own), Values::Last(_, theirs)) => {
                if let (Some(own), Some(theirs)) = (own.get_mut(slot), theirs.get_mut(from)) {
                    let latest = own.take().max(theirs.take());
                    *own = latest;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The metric of each slot, as a column; null where no event had a value. Fails where a sum does not fit.
    pub fn finish(&self) -> Result<ArrayRef, Overflow> {
        let kind = self.kind();
        let keys: Vec<Option<i128>> = match &self.values {
            Values::Sum(_, values) | Values::Min(_, values) | Values::Max(_, values) => values.clone(),
            Values::ExactSum(sums) => {
                let key = |sum: &Option<ExactSum>| Some(Score::new(sum.as_ref()?.value())?.key().into());
                sums.iter().map(key).collect()
            }
            Values::Count(counts) => counts.iter().map(|count| Some((*count).into())).collect(),
            Values::Distinct(sets) => sets.iter().map(|set| Some(set.len() as i128)).collect(),
            Values::Last(_, values) => values.iter().map(|last| Some(last.as_ref()?.1)).collect(),
        };
        if keys.iter().flatten().all(|key| kind.fits(*key)) {
            Ok(kind.array(keys.into_iter()))
        } else {
            Err(Overflow)
        }
    }

    /// Takes a number as an end, if it lies beyond the one so far.
    fn widen(&mut self, slot: usize, number: i128) {
        let (values, is_min) = match &mut self.values {
            Values::Min(_, values) => (values, true),
            Values::Max(_, values) => (values, false),
            _ => return,
        };
        if let Some(end) = values.get_mut(slot) {
            let is_beyond = |end: i128| if is_min { number < end } else { number > end };
            if end.is_none_or(is_beyond) {
                *end = Some(number);
            }
        }
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
