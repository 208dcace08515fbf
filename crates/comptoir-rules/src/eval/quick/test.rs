use std::sync::Arc;

use super::Frame;
use crate::eval::machine::regex_cost;
use crate::ir::LiteralSet;
use crate::syntax::BinaryOp;
use crate::value::{Value, same_bytes};

/// What a value at hand is tested with.
#[derive(Debug)]
pub(super) struct Test {
    pub kind: TestKind,
    pub is_negated: bool,
    pub cost: u64,
}

#[derive(Debug)]
pub(super) enum TestKind {
    Int(Range<i64>),
    Double(Range<f64>),
    Text(TextTest, Box<str>),
    /// In a set of literals.
    Member(Arc<LiteralSet>),
    /// In a list of the input, by its slot.
    Listed(usize),
    Matched(Arc<regex::Regex>),
    /// A bool that stands for itself.
    Flag,
}

impl Test {
    /// The truth, and its cost added; `None` where the value is not of the expected type.
    #[inline(always)]
    pub(super) fn holds(&self, value: &Value<'_>, frame: &Frame<'_, '_>, cost: &mut u64) -> Option<bool> {
        add(cost, self.cost);
        let truth = match (&self.kind, value) {
            (TestKind::Int(range), Value::Int(value)) => range.holds(*value),
            (TestKind::Double(range), Value::Double(value)) => range.holds(*value),
            (TestKind::Text(TextTest::Equal, wanted), Value::String(text)) => {
                add(cost, tenth(text.len()));
                same_bytes(text.as_bytes(), wanted.as_bytes())
            }
            _ => self.holds_rarely(value, frame, cost)?,
        };
        Some(truth != self.is_negated)
    }

    /// The tests for which a call does not matter, so that the others are short enough to have none.
    #[inline(never)]
    fn holds_rarely(&self, value: &Value<'_>, frame: &Frame<'_, '_>, cost: &mut u64) -> Option<bool> {
        Some(match (&self.kind, value) {
            (TestKind::Text(test, wanted), Value::String(text)) => test.holds(text, wanted, cost),
            (TestKind::Member(set), Value::String(_) | Value::Int(_)) => set.contains(value),
            (TestKind::Flag, Value::Bool(truth)) => *truth,
            (TestKind::Listed(list), Value::String(_) | Value::Int(_)) => {
                let Value::List(list) = frame.slots.get(*list)? else { return None };
                add(cost, list.len() as u64);
                list.contains(value)
            }
            (TestKind::Matched(regex), Value::String(text)) => matched(regex, text, frame, cost)?,
            _ => return None,
        })
    }
}

/// Units for going over so many bytes.
#[inline(always)]
const fn tenth(length: usize) -> u64 {
    (length / 10) as u64
}

/// Adds to a cost. A sum of costs that are bounded by sizes in memory stays far below the limit of 64 bits, so that
/// no check is needed; it would be a good part of a clause.
#[inline(always)]
pub(super) fn add(cost: &mut u64, units: u64) {
    *cost = cost.wrapping_add(units);
}

fn matched(regex: &regex::Regex, text: &str, frame: &Frame<'_, '_>, cost: &mut u64) -> Option<bool> {
    let work = if text.len() < 10 { 0 } else { regex_cost(text.len(), regex.as_str().len()) };
    *cost = cost.saturating_add(work);
    // A text that is too long for the budget is left to the way that says so.
    if *cost > frame.limit { None } else { Some(regex.is_match(text)) }
}

/// The numbers from `low` to `high`, or all others: every comparison with a constant is one of these, so that one
/// piece of code without branches does for all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range<T> {
    low: T,
    high: T,
    is_outside: bool,
}

impl<T: PartialOrd + Copy> Range<T> {
    #[inline(always)]
    fn holds(&self, value: T) -> bool {
        ((value >= self.low) & (value <= self.high)) != self.is_outside
    }

    fn of(op: BinaryOp, wanted: T, least: T, greatest: T) -> Option<Self> {
        // `<` is the opposite of `>=`. That a NaN is neither is left to the doubles.
        let (low, high, is_outside) = match op {
            BinaryOp::LessEqual => (least, wanted, false),
            BinaryOp::GreaterEqual => (wanted, greatest, false),
            BinaryOp::Equal => (wanted, wanted, false),
            BinaryOp::Less => (wanted, greatest, true),
            BinaryOp::Greater => (least, wanted, true),
            BinaryOp::NotEqual => (wanted, wanted, true),
            _ => return None,
        };
        Some(Self { low, high, is_outside })
    }
}

impl Range<i64> {
    /// The ints that are in a relation to a constant.
    pub(super) fn of_ints(op: BinaryOp, wanted: i64) -> Option<Self> {
        Self::of(op, wanted, i64::MIN, i64::MAX)
    }
}

impl Range<f64> {
    /// The doubles that are in a relation to a constant. A NaN is in no relation but `!=`.
    pub(super) fn of_doubles(op: BinaryOp, wanted: f64) -> Option<Self> {
        let none = Self { low: f64::NAN, high: f64::NAN, is_outside: false };
        match op {
            // To the next double below or above, of which there is none beyond infinity.
            BinaryOp::Less if wanted == f64::NEG_INFINITY => Some(none),
            BinaryOp::Less => Self::of_doubles(BinaryOp::LessEqual, wanted.next_down()),
            BinaryOp::Greater if wanted == f64::INFINITY => Some(none),
            BinaryOp::Greater => Self::of_doubles(BinaryOp::GreaterEqual, wanted.next_up()),
            _ => Self::of(op, wanted, f64::NEG_INFINITY, f64::INFINITY),
        }
    }
}

/// Tests of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextTest {
    Equal,
    NotEqual,
    StartsWith,
    EndsWith,
    Contains,
}

impl TextTest {
    /// Charges what the long way charges: a tenth for each byte that it goes over.
    #[inline(always)]
    fn holds(self, text: &str, wanted: &str, cost: &mut u64) -> bool {
        add(
            cost,
            match self {
                Self::Equal | Self::NotEqual => tenth(text.len()),
                Self::StartsWith | Self::EndsWith => tenth(wanted.len()),
                Self::Contains => tenth(text.len()).wrapping_add(tenth(wanted.len())),
            },
        );
        match self {
            Self::Equal => same_bytes(text.as_bytes(), wanted.as_bytes()),
            Self::NotEqual => !same_bytes(text.as_bytes(), wanted.as_bytes()),
            Self::StartsWith => text.starts_with(wanted),
            Self::EndsWith => text.ends_with(wanted),
            Self::Contains => text.contains(wanted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::logic::{holds, holds_for_doubles};

    const RELATIONS: [BinaryOp; 6] = [
        BinaryOp::Less,
        BinaryOp::LessEqual,
        BinaryOp::Greater,
        BinaryOp::GreaterEqual,
        BinaryOp::Equal,
        BinaryOp::NotEqual,
    ];

    #[test]
    fn a_range_is_its_relation() {
        let ints = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX];
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        let doubles = [-inf, f64::MIN, -1.0, -0.0, 0.0, 5e-324, 1.0, 1.0_f64.next_up(), f64::MAX, inf, nan];
        for op in RELATIONS {
            for (left, right) in ints.iter().flat_map(|left| ints.iter().map(move |right| (*left, *right))) {
                let range = Range::of_ints(op, right).map(|range| range.holds(left));
                assert_eq!(range, Some(holds(op, left.cmp(&right))), "{left} {op:?} {right}");
            }
            for (left, right) in
                doubles.iter().flat_map(|left| doubles.iter().map(move |right| (*left, *right)))
            {
                let range = Range::of_doubles(op, right).map(|range| range.holds(left));
                assert_eq!(range, Some(holds_for_doubles(op, left, right)), "{left} {op:?} {right}");
            }
        }
    }
}
