use std::borrow::Cow;
use std::rc::Rc;

use arrow_buffer::{BooleanBuffer, NullBuffer};

use super::bits::Bits;
use super::column::{Column, Shape, Texts, moment};
use super::numbers::Numbers;
use super::rare::Rare;
use super::rows::Rows;
use crate::value::{DecimalValue, Duration, Timestamp, Value};
use comptoir_types::{WideDecimal, decimal};

/// The values of a node for the rows of a block. Rows outside the selection under which it was computed may hold
/// anything.
#[derive(Debug)]
pub(super) enum Vector<'a> {
    /// The same for all rows.
    Const(Value<'a>),
    Bool(Box<Truth>, Rare),
    Int(Lanes<'a, i64>),
    Uint(Lanes<'a, u64>),
    Double(Lanes<'a, f64>),
    /// Nanoseconds.
    Span(Lanes<'a, i64>),
    /// Ticks, and how many of them a second has.
    Time(Lanes<'a, i64>, i64),
    /// Units, and how many decimal places they have.
    Decimal(Lanes<'a, i128>, u8),
    Text(TextLanes<'a>),
    /// Values that are read one by one.
    Column(&'a Column, Rows),
    /// Values of any type; a row is `None` where it is an error.
    Values(Vec<Option<Value<'a>>>),
}

/// Truth of a block of rows: a row is true, an error, or false.
#[derive(Debug, Clone)]
pub(super) struct Truth {
    pub(super) is: Bits,
    pub(super) fault: Rare,
}

impl Truth {
    pub(super) const fn sure(is: Bits) -> Self {
        Self { is, fault: Rare::NONE }
    }
}

/// Values of one type, with the rows that are null and those that are errors.
#[derive(Debug)]
pub(super) struct Lanes<'a, T: Copy> {
    pub(super) values: Cow<'a, [T]>,
    pub(super) null: Rare,
    pub(super) fault: Rare,
}

#[derive(Debug)]
pub(super) struct TextLanes<'a> {
    pub(super) texts: &'a Texts,
    pub(super) rows: Rows,
    pub(super) null: Rare,
    pub(super) fault: Rare,
}

impl std::fmt::Debug for Bits {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} rows", self.count())
    }
}

impl<'a> TextLanes<'a> {
    #[inline]
    pub(super) fn get(&self, row: usize) -> &'a str {
        self.texts.get(self.rows.at(row))
    }

    /// A length that no text of the first `count` rows exceeds.
    pub(super) fn longest(&self, count: usize) -> usize {
        const FEW: usize = 1 << 16;
        let all = match (self.texts, &self.rows) {
            (Texts::Small(array), Rows::Span(start)) => {
                let offsets = array.value_offsets();
                match (offsets.get(*start), offsets.get(start + count)) {
                    (Some(first), Some(last)) => usize::try_from(last - first).unwrap_or(usize::MAX),
                    _ => usize::MAX,
                }
            }
            (Texts::Small(array), Rows::Picked(_)) => array.values().len(),
            (Texts::View(array), Rows::Span(start)) => {
                let views = array.views().get(*start..start + count).unwrap_or(&[]);
                // The low half of the low word is the length.
                let longest = views.iter().fold(0, |longest: u128, view| longest.max(view & 0xffff_ffff));
                return usize::try_from(longest).unwrap_or(usize::MAX);
            }
            _ => usize::MAX,
        };
        if all <= FEW {
            return all;
        }
        (0..count).map(|row| self.get(row).len()).max().unwrap_or(0)
    }
}

impl<'a> Vector<'a> {
    /// The value of a row; `None` where it is an error.
    pub(super) fn get(&self, row: usize) -> Option<Value<'a>> {
        fn lane<'v, T: Copy>(
            lanes: &Lanes<'_, T>,
            row: usize,
            make: impl Fn(T) -> Option<Value<'v>>,
        ) -> Option<Value<'v>> {
            match () {
                () if lanes.fault.has(row) => None,
                () if lanes.null.has(row) => Some(Value::Null),
                () => make(*lanes.values.get(row)?),
            }
        }
        match self {
            Self::Const(value) => Some(value.clone()),
            Self::Bool(truth, _) if truth.fault.has(row) => None,
            Self::Bool(_, null) if null.has(row) => Some(Value::Null),
            Self::Bool(truth, _) => Some(Value::Bool(truth.is.has(row))),
            Self::Int(lanes) => lane(lanes, row, |value| Some(Value::Int(value))),
            Self::Uint(lanes) => lane(lanes, row, |value| Some(Value::Uint(value))),
            Self::Double(lanes) => lane(lanes, row, |value| Some(Value::Double(value))),
            Self::Span(lanes) => lane(lanes, row, |value| Some(Value::Duration(Duration::from_nanos(value)))),
            Self::Time(lanes, unit) => lane(lanes, row, |ticks| moment(ticks, *unit).map(Value::Timestamp)),
            Self::Decimal(lanes, scale) => lane(lanes, row, |units| {
                WideDecimal::new(units, *scale).ok().map(|value| Value::Decimal(DecimalValue::from(value)))
            }),
            Self::Text(texts) if texts.fault.has(row) => None,
            Self::Text(texts) if texts.null.has(row) => Some(Value::Null),
            Self::Text(texts) => Some(Value::str(texts.get(row))),
            Self::Column(column, rows) => match column.get(rows.at(row)) {
                Value::Absent | Value::Error(_) | Value::Unknown(_) => None,
                value => Some(value),
            },
            Self::Values(values) => values.get(row)?.clone(),
        }
    }

    /// The truth of each of the rows in `mask`; what is no truth value is an error.
    pub(super) fn truth(&self, mask: &Bits) -> Truth {
        match self {
            Self::Const(Value::Bool(true)) => Truth::sure(*mask),
            Self::Const(Value::Bool(false)) => Truth::sure(Bits::NONE),
            Self::Bool(truth, null) => {
                let fault = truth.fault.or(null);
                Truth { is: truth.is.without(&fault), fault }
            }
            other => {
                let mut fault = Bits::NONE;
                let is = mask.filter(|row| match other.get(row) {
                    Some(Value::Bool(truth)) => truth,
                    _ => {
                        fault.set(row);
                        false
                    }
                });
                Truth { is, fault: fault.into() }
            }
        }
    }

    /// The rows of a column.
    #[inline(never)]
    pub(super) fn load(column: &'a Column, rows: &Rows, count: usize) -> Self {
        let flaws = Flaws::of(column, rows, count);
        let (null, fault) = (flaws.null.clone(), flaws.absent.clone());
        match &column.shape {
            Shape::Constant(Value::Absent | Value::Error(_) | Value::Unknown(_)) => {
                Self::Column(column, rows.clone())
            }
            Shape::Constant(value) if column.absent.is_none() => Self::Const(value.borrowed()),
            Shape::Bool(values) => {
                let is = true_rows(values, rows, count).without(&null).without(&fault);
                Self::Bool(Box::new(Truth { is, fault }), null)
            }
            Shape::Int(numbers) => Self::Int(flaws.lanes(numbers.ints(rows, count))),
            Shape::Uint(numbers) => Self::Uint(flaws.lanes(numbers.uints(rows, count))),
            Shape::Double(numbers) => Self::Double(flaws.lanes((numbers.doubles(rows, count), Rare::NONE))),
            Shape::Text(texts) => Self::Text(TextLanes { texts, rows: rows.clone(), null, fault }),
            Shape::Time(ticks, unit) => {
                let values = rows.of(ticks, count);
                let unfit = outside_of_time(&values, *unit);
                Self::Time(flaws.lanes((values, unfit)), *unit)
            }
            Shape::Span(ticks, unit) => Self::Span(flaws.lanes(nanos(ticks, *unit, rows, count))),
            Shape::Decimal(decimals) => match (u8::try_from(decimals.scale), decimals.wide(rows, count)) {
                (Ok(scale), Some(values)) if scale <= decimal::MAX_SCALE => {
                    let unfit = too_large(&values);
                    Self::Decimal(flaws.lanes((values, unfit)), scale)
                }
                _ => Self::Column(column, rows.clone()),
            },
            Shape::Dictionary(keys, values) => Self::load_keys(keys, values, rows, count).hide(&null, &fault),
            _ => Self::Column(column, rows.clone()),
        }
    }

    fn load_keys(keys: &'a Numbers, values: &'a Column, rows: &Rows, count: usize) -> Self {
        let picked: Rc<[u32]> = keys.positions(rows, count).into();
        Self::load(values, &Rows::Picked(picked), count)
    }

    /// The same with rows that are null, and rows in which there is nothing.
    fn hide(mut self, nulls: &Rare, absent: &Rare) -> Self {
        let parts = match &mut self {
            Self::Bool(truth, null) => Some((null, &mut truth.fault)),
            Self::Int(lanes) => Some((&mut lanes.null, &mut lanes.fault)),
            Self::Uint(lanes) => Some((&mut lanes.null, &mut lanes.fault)),
            Self::Double(lanes) => Some((&mut lanes.null, &mut lanes.fault)),
            Self::Span(lanes) | Self::Time(lanes, _) => Some((&mut lanes.null, &mut lanes.fault)),
            Self::Decimal(lanes, _) => Some((&mut lanes.null, &mut lanes.fault)),
            Self::Text(texts) => Some((&mut texts.null, &mut texts.fault)),
            Self::Const(_) | Self::Column(..) | Self::Values(_) => None,
        };
        if let Some((null, fault)) = parts {
            *null = null.or(nulls).minus(absent);
            *fault = fault.minus(nulls).or(absent);
            return self;
        }
        let value = |row| match () {
            () if absent.has(row) => None,
            () if nulls.has(row) => Some(Value::Null),
            () => self.get(row),
        };
        Self::Values((0..super::bits::BLOCK).map(value).collect())
    }
}

/// The rows of a column that are null, and those in which there is nothing.
struct Flaws {
    null: Rare,
    absent: Rare,
}

impl Flaws {
    #[inline(always)]
    fn of(column: &Column, rows: &Rows, count: usize) -> Self {
        let absent = missing(column.absent.as_ref(), rows, count);
        let null = missing(column.nulls.as_ref(), rows, count).minus(&absent);
        Self { null, absent }
    }

    /// Values with these flaws, and the rows whose value does not fit.
    #[inline(always)]
    fn lanes<'a, T: Copy>(&self, (values, unfit): (Cow<'a, [T]>, Rare)) -> Lanes<'a, T> {
        let fault = unfit.minus(&self.null).or(&self.absent);
        Lanes { values, null: self.null.clone(), fault }
    }
}

fn true_rows(values: &BooleanBuffer, rows: &Rows, count: usize) -> Bits {
    match rows {
        Rows::Span(start) => Bits::read(values, *start, count),
        Rows::Picked(_) => Bits::first(count).filter(|row| {
            let row = rows.at(row);
            row < values.len() && values.value(row)
        }),
    }
}

/// The moments that CEL does not have, in ticks of which a second has `unit`.
fn outside_of_time(ticks: &[i64], unit: i64) -> Rare {
    let first = Timestamp::MIN_SECONDS.saturating_mul(unit);
    let last = (Timestamp::MAX_SECONDS + 1).saturating_mul(unit);
    Bits::of(ticks, |ticks| ticks < first || (ticks >= last && last < i64::MAX)).into()
}

/// Spans of time in nanoseconds, and those that do not fit.
fn nanos<'a>(ticks: &'a [i64], unit: i64, rows: &Rows, count: usize) -> (Cow<'a, [i64]>, Rare) {
    if unit == 1 {
        return (rows.of(ticks, count), Rare::NONE);
    }
    let unfit = Bits::of(&rows.of(ticks, count), |ticks| ticks.checked_mul(unit).is_none());
    (rows.map(ticks, count, |ticks| ticks.wrapping_mul(unit)), unfit.into())
}

fn too_large(units: &[i128]) -> Rare {
    let limit = decimal::MAX_WIDE_UNITS.unsigned_abs();
    Bits::of(units, |units| units.unsigned_abs() > limit).into()
}

/// The rows that a validity bitmap says are not there.
pub(super) fn missing(valid: Option<&NullBuffer>, rows: &Rows, count: usize) -> Rare {
    let Some(valid) = valid else { return Rare::NONE };
    let all = Bits::first(count);
    let rows = match rows {
        Rows::Span(start) => all.minus(Bits::read(valid.inner(), *start, count)),
        Rows::Picked(_) => all.filter(|row| {
            let row = rows.at(row);
            row >= valid.len() || valid.is_null(row)
        }),
    };
    rows.into()
}
