//! Clauses that depend on a column with a dictionary only: their truth for each value, looked up by key.

use super::bits::{BLOCK, Bits};
use super::column::{Column, Shape};
use super::frame::Frame;
use super::numbers::Numbers;
use super::plan::Plan;
use super::rare::Rare;
use super::rows::Rows;
use super::vector::{Truth, missing};
use super::walk::Walk;
use crate::eval::{Inputs, Machine};
use crate::ir::NodeId;
use crate::value::{Fault, Value};

/// The truth of a node for each value of a dictionary.
#[derive(Debug)]
pub(super) struct Table {
    is: Flags,
    fault: Option<Flags>,
    null: Option<bool>,
    absent: Option<bool>,
    /// The most work that a value took.
    pub(super) spent: u64,
}

impl Table {
    /// The truth of rows from their keys.
    #[inline(never)]
    pub(super) fn look_up(
        &self,
        keys: &Numbers,
        column: &Column,
        rows: &Rows,
        count: usize,
        mask: &Bits,
    ) -> Truth {
        let mut is = keys.look_up(&self.is, rows, count, mask);
        let fault = self.fault.as_ref();
        let fault = fault.map_or(Rare::NONE, |fault| keys.look_up(fault, rows, count, mask).into());
        if column.absent.is_none() && column.nulls.is_none() {
            return Truth { is, fault };
        }
        let mut fault = fault.bits();
        let absent = missing(column.absent.as_ref(), rows, count).bits();
        let null = missing(column.nulls.as_ref(), rows, count).bits().minus(absent);
        for (rows, truth) in [(null, self.null), (absent, self.absent)] {
            is = is.minus(rows);
            fault = fault.minus(rows);
            match truth {
                Some(true) => is = is.or(rows),
                Some(false) => {}
                None => fault = fault.or(rows),
            }
        }
        Truth { is, fault: fault.into() }
    }
}

/// A flag for each value of a dictionary. A key without a value has any flag.
#[derive(Debug)]
pub(super) enum Flags {
    /// Up to 32 values.
    Word(u32),
    /// Up to 256 values: they stay in registers.
    Words([u32; 8]),
    Many(Box<[u64]>),
}

impl Flags {
    /// From words of sixty-four flags each.
    pub(super) fn new(words: &[u64], count: usize) -> Self {
        let half = |index: usize| {
            let word = words.get(index / 2).copied().unwrap_or(0) >> (index % 2 * 32);
            u32::try_from(word & 0xffff_ffff).unwrap_or(0)
        };
        match count {
            0..=32 => Self::Word(half(0)),
            33..=256 => Self::Words(std::array::from_fn(half)),
            _ => Self::Many(words.into()),
        }
    }

    /// The rows of `mask` whose key has a flag.
    #[inline]
    pub(super) fn of<T: Copy>(&self, keys: &[T], mask: &Bits, key: impl Fn(T) -> u32) -> Bits {
        match self {
            Self::Word(word) => Bits::of(keys, |value| word >> (key(value) & 31) & 1 == 1),
            Self::Words(words) => Bits::of(keys, |value| {
                let key = key(value);
                // A selection instead of a load: it is done for several rows at once.
                let upper = key >> 5 & 7;
                let [mut word, rest @ ..] = *words;
                for (own, other) in (1..).zip(rest) {
                    word = if upper == own { other } else { word };
                }
                word >> (key & 31) & 1 == 1
            }),
            Self::Many(words) => mask.filter_all(|row| {
                let key = keys.get(row).map_or(u32::MAX, |value| key(*value));
                words.get(key as usize / 64).is_some_and(|word| word >> (key % 64) & 1 == 1)
            }),
        }
    }
}

impl Plan<'_> {
    /// The table of a node that reads nothing but slot `slot`, whose dictionary has `values`: its truth for the values
    /// as a column of their own. `None` where a value takes more than the budget.
    pub(super) fn make_table(&self, id: NodeId, slot: u32, values: &Column) -> Option<Table> {
        let length = values.length();
        let (mut is, mut fault) = (Vec::new(), Vec::new());
        let mut spent = 0;
        for start in (0..length).step_by(BLOCK) {
            let count = BLOCK.min(length - start);
            let walk = Walk::new(self);
            let frame = Frame::of_values(start, count, slot, values);
            let mut truth = walk.truth(id, &frame, &Bits::first(count));
            if walk.is_within_budget() {
                spent = walk.bound().max(spent);
            } else {
                truth = self.truth_of_each(id, slot, values, start, count, &mut spent)?;
            }
            is.extend(truth.is.and(Bits::first(count)).words());
            fault.extend(truth.fault.bits().and(Bits::first(count)).words());
        }
        let null = self.truth_of(id, slot, Value::Null, &mut spent)?;
        let absent = self.truth_of(id, slot, Value::Absent, &mut spent)?;
        let is_any_fault = fault.iter().any(|word| *word != 0);
        let fault = is_any_fault.then(|| Flags::new(&fault, length));
        Some(Table { is: Flags::new(&is, length), fault, null, absent, spent })
    }

    /// A block of values one by one, each with a meter of its own.
    fn truth_of_each(
        &self,
        id: NodeId,
        slot: u32,
        values: &Column,
        start: usize,
        count: usize,
        spent: &mut u64,
    ) -> Option<Truth> {
        let (mut is, mut fault) = (Bits::NONE, Bits::NONE);
        for row in 0..count {
            match self.truth_of(id, slot, values.get(start + row), spent)? {
                Some(true) => is.set(row),
                Some(false) => {}
                None => fault.set(row),
            }
        }
        Some(Truth { is, fault: fault.into() })
    }

    /// Truth or error of a node for one value of the slot that it reads.
    fn truth_of(&self, id: NodeId, slot: u32, value: Value<'_>, spent: &mut u64) -> Option<Option<bool>> {
        let mut slots = self.shared_slots();
        *slots.get_mut(slot as usize)? = value;
        let machine = Machine::new(
            self.program.nodes(),
            self.program.quick(),
            Inputs::Slots(&slots, self.program.slots()),
            self.program.budget(),
        );
        let outcome = machine.run_truth(id);
        *spent = machine.meter.spent().max(*spent);
        match outcome {
            Ok(truth) => Some(Some(truth)),
            Err(Fault::Exhausted(_)) => None,
            Err(_) => Some(None),
        }
    }
}

impl Column {
    /// How many values a dictionary of text, numbers or times has.
    pub(super) fn length(&self) -> usize {
        match &self.shape {
            Shape::Text(texts) => texts.len(),
            Shape::Int(numbers) | Shape::Uint(numbers) | Shape::Double(numbers) => numbers.len(),
            Shape::Bool(values) => values.len(),
            Shape::Time(ticks, _) | Shape::Span(ticks, _) => ticks.len(),
            // Others are not looked up by key: the length is beyond any table.
            _ => usize::MAX,
        }
    }
}
