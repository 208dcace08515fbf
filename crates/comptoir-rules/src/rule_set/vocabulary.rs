use std::cmp::Ordering;
use std::rc::Rc;

use hashbrown::HashMap;

use crate::syntax::BinaryOp;
use crate::value::{Order, Value};

/// No constant of the dictionary is equal to the value.
pub(super) const NO_CODE: u32 = u32::MAX;
/// The input is absent, an error or unknown.
pub(super) const BAD_CODE: u32 = u32::MAX - 1;
/// The input was not looked at yet.
pub(super) const NEW_CODE: u32 = u32::MAX - 2;
/// The input cannot be compared with the constants of the axis.
pub(super) const BAD_RANK: i32 = -1;
/// The input was not looked at yet.
pub(super) const NEW_RANK: i32 = -2;
/// Integers up to here are doubles exactly.
const EXACT: i64 = 1 << 53;

/// The constants that one input is compared with for equality, each with a number.
#[derive(Debug)]
pub(super) struct Dictionary {
    pub slot: u32,
    /// Whether the input is a list, whose elements are compared.
    pub is_list: bool,
    texts: HashMap<Box<str>, u32>,
    ints: HashMap<i64, u32>,
    bools: [u32; 2],
    /// How many clauses name the constant.
    pub uses: Vec<u32>,
}

impl Dictionary {
    pub(super) fn new(slot: u32, is_list: bool) -> Self {
        Self {
            slot,
            is_list,
            texts: HashMap::new(),
            ints: HashMap::new(),
            bools: [NO_CODE; 2],
            uses: Vec::new(),
        }
    }

    /// Whether equality with the constant is equality of codes, whatever the type of the input's value.
    pub(super) const fn takes(constant: &Value<'_>) -> bool {
        match constant {
            Value::String(_) | Value::Bool(_) => true,
            Value::Int(value) => -EXACT <= *value && *value <= EXACT,
            _ => false,
        }
    }

    /// The number of a constant that [`Dictionary::takes`].
    pub(super) fn add(&mut self, constant: &Value<'_>) -> u32 {
        let next = u32::try_from(self.uses.len()).unwrap_or(NEW_CODE);
        let code = match constant {
            Value::String(text) => match self.texts.get(&**text) {
                Some(known) => *known,
                None => {
                    self.texts.insert((**text).into(), next);
                    next
                }
            },
            Value::Int(value) => *self.ints.entry(*value).or_insert(next),
            Value::Bool(value) => {
                let code = if *value { &mut self.bools[1] } else { &mut self.bools[0] };
                if *code == NO_CODE {
                    *code = next;
                }
                *code
            }
            _ => NO_CODE,
        };
        if code == next {
            self.uses.push(0);
        }
        if let Some(uses) = self.uses.get_mut(code as usize) {
            *uses += 1;
        }
        code
    }

    /// The number of the constant that is equal to the value.
    pub(super) fn code(&self, value: &Value<'_>) -> u32 {
        let int = |value: i64| self.ints.get(&value).copied().unwrap_or(NO_CODE);
        match value {
            Value::String(text) => self.texts.get(&**text).copied().unwrap_or(NO_CODE),
            Value::Int(value) => int(*value),
            Value::Bool(true) => self.bools[1],
            Value::Bool(false) => self.bools[0],
            Value::Uint(value) => i64::try_from(*value).map_or(NO_CODE, int),
            Value::Double(_) | Value::Decimal(_) => whole(value).map_or(NO_CODE, int),
            Value::Absent | Value::Error(_) | Value::Unknown(_) => BAD_CODE,
            _ => NO_CODE,
        }
    }
}

/// An element that is compared needs this much of the budget at most, as a rule.
const ELEMENT: u64 = 64;

impl Dictionary {
    /// The numbers of the constants that elements of a list are equal to, each once, in order. None where this does not
    /// say all: for what is no list, an element that cannot be read, or a list that may spend the budget.
    pub(super) fn members(&self, value: &Value<'_>, budget: u64) -> Option<Rc<[u32]>> {
        let Value::List(list) = value else { return None };
        if (list.len() as u64 + 1).saturating_mul(ELEMENT) > budget {
            return None;
        }
        let mut codes = Vec::with_capacity(list.len());
        for element in list.iter() {
            match self.code(&element) {
                BAD_CODE => return None,
                NO_CODE => {}
                code => codes.push(code),
            }
        }
        codes.sort_unstable();
        codes.dedup();
        Some(codes.into())
    }
}

/// The integer that a double or decimal is equal to.
fn whole(value: &Value<'_>) -> Option<i64> {
    match value {
        #[expect(clippy::cast_possible_truncation, reason = "whole and of 53 bits")]
        Value::Double(value) if value.trunc() == *value && value.abs() <= EXACT as f64 => Some(*value as i64),
        Value::Decimal(value) => {
            let whole = value.wide().rescale_exact(0).ok()?;
            i64::try_from(whole.units()).ok()
        }
        _ => None,
    }
}

/// Whether a range clause asks for a value above or below its constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Direction {
    Above,
    Below,
}

/// The constants of one type that one input is ordered against, sorted: a range clause is then a comparison of ranks.
///
/// The rank of a value is the number of constants below it plus the number of those not above it. A clause holds where
/// the rank, counted from below or from above, reaches a threshold, which is at least one.
#[derive(Debug)]
pub(super) struct Axis {
    pub slot: u32,
    keys: Keys,
}

#[derive(Debug)]
enum Keys {
    Int(Vec<i64>),
    Double(Vec<f64>),
    Other(Vec<Value<'static>>),
}

/// The direction and strictness of an operator; `None` for one that is no range.
pub(super) const fn range(op: BinaryOp) -> Option<(Direction, bool)> {
    match op {
        BinaryOp::Greater => Some((Direction::Above, true)),
        BinaryOp::GreaterEqual => Some((Direction::Above, false)),
        BinaryOp::Less => Some((Direction::Below, true)),
        BinaryOp::LessEqual => Some((Direction::Below, false)),
        _ => None,
    }
}

impl Axis {
    /// Whether ranks say all about the constant: integers that several of them are one double are left out, since the
    /// input may be a double.
    pub(super) fn takes(constant: &Value<'_>) -> bool {
        match constant {
            Value::Int(value) => value.unsigned_abs() <= EXACT.unsigned_abs(),
            Value::Uint(value) => *value <= EXACT.unsigned_abs(),
            Value::Double(value) => !value.is_nan(),
            Value::String(_) | Value::Timestamp(_) | Value::Duration(_) | Value::Decimal(_) => true,
            _ => false,
        }
    }

    /// Sorts the constants; gives the place of each too.
    pub(super) fn new(slot: u32, constants: &[Value<'static>]) -> (Self, Vec<u32>) {
        let mut order: Vec<(u32, &Value<'static>)> = (0..).zip(constants).collect();
        order.sort_by(|(_, left), (_, right)| compare(left, right));
        let mut sorted: Vec<&Value<'static>> = Vec::new();
        let mut places = vec![0; constants.len()];
        for (constant, value) in order {
            if sorted.last().is_none_or(|last| compare(last, value).is_ne()) {
                sorted.push(value);
            }
            if let Some(place) = places.get_mut(constant as usize) {
                *place = u32::try_from(sorted.len() - 1).unwrap_or(0);
            }
        }
        (Self { slot, keys: Keys::of(&sorted) }, places)
    }

    fn len(&self) -> i32 {
        let length = match &self.keys {
            Keys::Int(keys) => keys.len(),
            Keys::Double(keys) => keys.len(),
            Keys::Other(keys) => keys.len(),
        };
        i32::try_from(length).unwrap_or(i32::MAX / 4)
    }

    /// What the rank in the clause's direction must reach for the constant at a place.
    pub(super) fn threshold(&self, place: u32, direction: Direction, is_strict: bool) -> i32 {
        let place = i32::try_from(place).unwrap_or(0);
        match direction {
            Direction::Above => 2 * place + 1 + i32::from(is_strict),
            Direction::Below => 2 * self.len() - 2 * place - 1 + i32::from(is_strict),
        }
    }

    /// The ranks of a value from below and from above: both 0 for a number that has no order.
    pub(super) fn ranks(&self, value: &Value<'_>) -> [i32; 2] {
        let found = match (&self.keys, value) {
            (_, Value::Absent | Value::Error(_) | Value::Unknown(_)) => return [BAD_RANK; 2],
            (Keys::Int(keys), Value::Int(value)) => around(keys, |key| key.cmp(value)),
            (Keys::Double(keys), Value::Double(value)) if !value.is_nan() => {
                around(keys, |key| key.partial_cmp(value).unwrap_or(Ordering::Less))
            }
            (Keys::Int(keys), value) => match Value::Int(0).order(value) {
                Order::Is(_) => around(keys, |key| ordering(&Value::Int(*key), value)),
                other => return without_order(other),
            },
            (Keys::Double(keys), value) => match Value::Double(0.0).order(value) {
                Order::Is(_) => around(keys, |key| ordering(&Value::Double(*key), value)),
                other => return without_order(other),
            },
            (Keys::Other(keys), value) => match keys.first().map(|first| first.order(value)) {
                Some(Order::Is(_)) => around(keys, |key| ordering(key, value)),
                Some(other) => return without_order(other),
                None => return [0; 2],
            },
        };
        [found, 2 * self.len() - found]
    }
}

impl Keys {
    fn of(sorted: &[&Value<'static>]) -> Self {
        match sorted.first() {
            Some(Value::Int(_)) => Self::Int(
                sorted
                    .iter()
                    .filter_map(|key| if let Value::Int(key) = key { Some(*key) } else { None })
                    .collect(),
            ),
            Some(Value::Double(_)) => Self::Double(
                sorted
                    .iter()
                    .filter_map(|key| if let Value::Double(key) = key { Some(*key) } else { None })
                    .collect(),
            ),
            _ => Self::Other(sorted.iter().map(|key| (*key).clone()).collect()),
        }
    }
}

fn around<T>(keys: &[T], compare: impl Fn(&T) -> Ordering) -> i32 {
    let below = keys.partition_point(|key| compare(key).is_lt());
    let equal = usize::from(keys.get(below).is_some_and(|key| compare(key).is_eq()));
    i32::try_from(2 * below + equal).unwrap_or(i32::MAX)
}

fn without_order(order: Order) -> [i32; 2] {
    match order {
        Order::Unordered => [0; 2],
        _ => [BAD_RANK; 2],
    }
}

fn ordering(left: &Value<'_>, right: &Value<'_>) -> Ordering {
    match left.order(right) {
        Order::Is(order) => order,
        _ => Ordering::Less,
    }
}

fn compare(left: &Value<'_>, right: &Value<'_>) -> Ordering {
    ordering(left, right)
}
