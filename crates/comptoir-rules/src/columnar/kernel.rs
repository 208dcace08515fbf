//! Comparisons and arithmetic on lanes; pairs of types without a kernel are computed value by value.

use comptoir_types::decimal::{MAX_SCALE, MAX_WIDE_UNITS, pow10_wide};

use super::bits::{BLOCK, Bits};
use super::rare::Rare;
use super::vector::{Lanes, Truth, Vector};
use super::walk::Walk;
use crate::eval::{binary, holds, negate, relate};
use crate::syntax::BinaryOp;
use crate::value::{DecimalValue, Value};
use comptoir_types::simd::wide;

/// Values of one side: one for each row, or the same for all.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side<'s, T> {
    Many(&'s [T]),
    One(T),
}

/// Both sides of an operator, in one type.
enum Pair<'s> {
    Int(Side<'s, i64>, Side<'s, i64>),
    Uint(Side<'s, u64>, Side<'s, u64>),
    Double(Side<'s, f64>, Side<'s, f64>),
    Span(Side<'s, i64>, Side<'s, i64>),
    Time(Side<'s, i64>, Side<'s, i64>),
    Decimal(Side<'s, i128>, u8, Side<'s, i128>, u8),
}

fn pair<'s>(left: &'s Vector<'_>, right: &'s Vector<'_>) -> Option<Pair<'s>> {
    use Side::{Many, One};
    use Vector as V;
    Some(match (left, right) {
        (V::Int(one), V::Int(two)) => Pair::Int(Many(&one.values), Many(&two.values)),
        (V::Int(one), V::Const(Value::Int(two))) => Pair::Int(Many(&one.values), One(*two)),
        (V::Const(Value::Int(one)), V::Int(two)) => Pair::Int(One(*one), Many(&two.values)),
        (V::Uint(one), V::Uint(two)) => Pair::Uint(Many(&one.values), Many(&two.values)),
        (V::Uint(one), V::Const(Value::Uint(two))) => Pair::Uint(Many(&one.values), One(*two)),
        (V::Const(Value::Uint(one)), V::Uint(two)) => Pair::Uint(One(*one), Many(&two.values)),
        (V::Double(one), V::Double(two)) => Pair::Double(Many(&one.values), Many(&two.values)),
        (V::Double(one), V::Const(Value::Double(two))) => Pair::Double(Many(&one.values), One(*two)),
        (V::Const(Value::Double(one)), V::Double(two)) => Pair::Double(One(*one), Many(&two.values)),
        (V::Span(one), V::Span(two)) => Pair::Span(Many(&one.values), Many(&two.values)),
        (V::Span(one), V::Const(Value::Duration(two))) => Pair::Span(Many(&one.values), One(two.nanos())),
        (V::Const(Value::Duration(one)), V::Span(two)) => Pair::Span(One(one.nanos()), Many(&two.values)),
        (V::Time(one, unit), V::Time(two, other)) if unit == other => {
            Pair::Time(Many(&one.values), Many(&two.values))
        }
        (V::Time(one, unit), V::Const(value)) => Pair::Time(Many(&one.values), One(ticks(value, *unit)?)),
        (V::Const(value), V::Time(two, unit)) => Pair::Time(One(ticks(value, *unit)?), Many(&two.values)),
        (V::Decimal(one, scale), V::Decimal(two, other)) => {
            Pair::Decimal(Many(&one.values), *scale, Many(&two.values), *other)
        }
        (V::Decimal(one, scale), V::Const(value)) => {
            let other = DecimalValue::of(value)?.wide();
            Pair::Decimal(Many(&one.values), *scale, One(other.units()), other.scale())
        }
        (V::Const(value), V::Decimal(two, scale)) => {
            let other = DecimalValue::of(value)?.wide();
            Pair::Decimal(One(other.units()), other.scale(), Many(&two.values), *scale)
        }
        _ => return None,
    })
}

/// A moment in ticks of a unit, if it is a whole number of them.
fn ticks(value: &Value<'_>, unit: i64) -> Option<i64> {
    let Value::Timestamp(moment) = value else { return None };
    let nanos = 1_000_000_000 / unit;
    let rest = i64::from(moment.nanos());
    if rest % nanos != 0 {
        return None;
    }
    moment.seconds().checked_mul(unit)?.checked_add(rest / nanos)
}

/// The rows that are null and those that are errors.
fn flaws(vector: &Vector<'_>) -> (Rare, Rare) {
    match vector {
        Vector::Bool(truth, null) => (null.clone(), truth.fault.clone()),
        Vector::Int(lanes) | Vector::Span(lanes) | Vector::Time(lanes, _) => {
            (lanes.null.clone(), lanes.fault.clone())
        }
        Vector::Uint(lanes) => (lanes.null.clone(), lanes.fault.clone()),
        Vector::Double(lanes) => (lanes.null.clone(), lanes.fault.clone()),
        Vector::Decimal(lanes, _) => (lanes.null.clone(), lanes.fault.clone()),
        Vector::Text(texts) => (texts.null.clone(), texts.fault.clone()),
        Vector::Const(_) | Vector::Column(..) | Vector::Values(_) => (Rare::NONE, Rare::NONE),
    }
}

#[inline]
fn test<T: Copy>(left: Side<'_, T>, right: Side<'_, T>, holds: impl Fn(T, T) -> bool) -> Bits {
    match (left, right) {
        (Side::Many(left), Side::One(right)) => Bits::of(left, |left| holds(left, right)),
        (Side::One(left), Side::Many(right)) => Bits::of(right, |right| holds(left, right)),
        (Side::Many(left), Side::Many(right)) => Bits::of_pairs(left, right, holds),
        (Side::One(left), Side::One(right)) => Bits::of(&[0; BLOCK], |_: u8| holds(left, right)),
    }
}

fn order<T: Copy + PartialOrd>(op: BinaryOp, left: Side<'_, T>, right: Side<'_, T>) -> Bits {
    match op {
        BinaryOp::Less => test(left, right, |left, right| left < right),
        BinaryOp::LessEqual => test(left, right, |left, right| left <= right),
        BinaryOp::Greater => test(left, right, |left, right| left > right),
        BinaryOp::GreaterEqual => test(left, right, |left, right| left >= right),
        BinaryOp::Equal => test(left, right, |left, right| left == right),
        _ => test(left, right, |left, right| left != right),
    }
}

/// Decimals of different scales: whole parts decide where a scaled number would not fit.
fn order_decimals(
    op: BinaryOp,
    (left, scale): (Side<'_, i128>, u8),
    (right, other): (Side<'_, i128>, u8),
) -> Bits {
    if scale == other {
        return order(op, left, right);
    }
    let to = scale.max(other);
    let powers = (pow10_wide(to - scale).unwrap_or(1), pow10_wide(to - other).unwrap_or(1));
    test(left, right, |left, right| {
        let order = match (left.checked_mul(powers.0), right.checked_mul(powers.1)) {
            (Some(left), Some(right)) => left.cmp(&right),
            // One side is scaled: where it does not fit it is the larger by far, or the smaller.
            (None, _) => left.cmp(&0),
            (_, None) => 0.cmp(&right),
        };
        holds(op, order)
    })
}

impl<'a> Walk<'a> {
    /// A relation of two vectors.
    #[inline(never)]
    pub(super) fn compare(
        &self,
        op: BinaryOp,
        left: &Vector<'a>,
        right: &Vector<'a>,
        count: usize,
        mask: &Bits,
    ) -> Truth {
        if op == BinaryOp::In {
            return self.relate_each(op, left, right, mask);
        }
        if let Some(truth) = self.compare_texts(op, left, right, count, mask) {
            return truth;
        }
        let ((null, fault), (other_null, other_fault)) = (flaws(left), flaws(right));
        let fault = fault.or(&other_fault);
        let is = match (left, right) {
            (Vector::Bool(one, _), Vector::Bool(two, _)) => truths(op, one.is, two.is, count),
            (Vector::Bool(one, _), Vector::Const(Value::Bool(two))) => {
                truths(op, one.is, if *two { Bits::first(count) } else { Bits::NONE }, count)
            }
            _ => match pair(left, right) {
                Some(Pair::Int(left, right) | Pair::Span(left, right) | Pair::Time(left, right)) => {
                    Some(order(op, left, right))
                }
                Some(Pair::Uint(left, right)) => Some(order(op, left, right)),
                Some(Pair::Double(left, right)) => Some(order(op, left, right)),
                Some(Pair::Decimal(left, scale, right, other)) => {
                    Some(order_decimals(op, (left, scale), (right, other)))
                }
                None => None,
            },
        };
        match is {
            Some(is) => with_nulls(op, is, (&null, &other_null), fault),
            None => self.relate_each(op, left, right, mask),
        }
    }

    /// A relation of values that have no kernel.
    fn relate_each(&self, op: BinaryOp, left: &Vector<'a>, right: &Vector<'a>, mask: &Bits) -> Truth {
        let (mut is, mut fault) = (Bits::NONE, Bits::NONE);
        self.each_row(mask, |row, meter| {
            let (Some(left), Some(right)) = (left.get(row), right.get(row)) else {
                fault.set(row);
                return Ok(());
            };
            match relate(op, &left, &right, meter) {
                Ok(true) => is.set(row),
                Ok(false) => {}
                Err(error) => {
                    fault.set(row);
                    return Err(error);
                }
            }
            Ok(())
        });
        Truth { is, fault: fault.into() }
    }

    /// Arithmetic of two vectors.
    #[inline(never)]
    pub(super) fn arithmetic(
        &self,
        op: BinaryOp,
        left: &Vector<'a>,
        right: &Vector<'a>,
        mask: &Bits,
    ) -> Vector<'a> {
        let ((null, fault), (other_null, other_fault)) = (flaws(left), flaws(right));
        // Null has no arithmetic.
        let fault = null.or(&fault).or(&other_null).or(&other_fault);
        match pair(left, right) {
            Some(Pair::Int(left, right)) => {
                let (values, wrong) = checked(left, right, |left, right| int(op, left, right));
                Vector::Int(lanes(values, fault.or(&wrong.into())))
            }
            Some(Pair::Uint(left, right)) => {
                let (values, wrong) = checked(left, right, |left, right| uint(op, left, right));
                Vector::Uint(lanes(values, fault.or(&wrong.into())))
            }
            Some(Pair::Double(left, right)) if op != BinaryOp::Modulo => {
                Vector::Double(lanes(double(op, left, right), fault))
            }
            Some(Pair::Decimal(one, scale, two, other)) => match result_scale(op, scale, other) {
                Some(to) => {
                    let (values, wrong) = match op {
                        BinaryOp::Multiply => checked(one, two, |one, two| within(one.checked_mul(two))),
                        _ => sums(op, (one, scale), (two, other), to),
                    };
                    Vector::Decimal(lanes(values, fault.or(&wrong.into())), to)
                }
                None => self.calculate_each(op, left, right, mask),
            },
            _ => self.calculate_each(op, left, right, mask),
        }
    }

    fn calculate_each(&self, op: BinaryOp, left: &Vector<'a>, right: &Vector<'a>, mask: &Bits) -> Vector<'a> {
        let mut values = vec![None; BLOCK];
        self.each_row(mask, |row, meter| {
            if let (Some(left), Some(right), Some(place)) =
                (left.get(row), right.get(row), values.get_mut(row))
            {
                *place = Some(binary(op, &left, &right, meter)?);
            }
            Ok(())
        });
        Vector::Values(values)
    }

    /// Unary minus.
    #[inline(never)]
    pub(super) fn negate(&self, operand: &Vector<'a>, mask: &Bits) -> Vector<'a> {
        match operand {
            Vector::Double(own) => {
                let values = own.values.iter().map(|value| -value).collect();
                Vector::Double(lanes(values, own.fault.or(&own.null)))
            }
            other => {
                let mut values = vec![None; BLOCK];
                mask.each(|row| {
                    if let (Some(value), Some(place)) = (other.get(row), values.get_mut(row)) {
                        *place = negate(&value).ok();
                    }
                });
                Vector::Values(values)
            }
        }
    }
}

const fn lanes<'a, T: Copy>(values: Vec<T>, fault: Rare) -> Lanes<'a, T> {
    Lanes { values: std::borrow::Cow::Owned(values), null: Rare::NONE, fault }
}

/// Equality of truth; they are ordered too.
fn truths(op: BinaryOp, left: Bits, right: Bits, count: usize) -> Option<Bits> {
    match op {
        BinaryOp::Equal => Some(Bits::first(count).minus(left.xor(right))),
        BinaryOp::NotEqual => Some(left.xor(right)),
        _ => None,
    }
}

/// What a relation is where one side is null: null is equal to null only, and has no order.
pub(super) fn with_nulls(op: BinaryOp, is: Bits, nulls: (&Rare, &Rare), fault: Rare) -> Truth {
    let any = nulls.0.or(nulls.1);
    if any.is_none() {
        return Truth { is: is.without(&fault), fault };
    }
    match op {
        BinaryOp::Equal => {
            let both = nulls.0.and(&nulls.1.bits());
            Truth { is: is.without(&any).with_rare(&both).without(&fault), fault }
        }
        BinaryOp::NotEqual => {
            let one = nulls.0.bits().xor(nulls.1.bits());
            Truth { is: is.without(&any).or(one).without(&fault), fault }
        }
        _ => {
            let fault = fault.or(&any);
            Truth { is: is.without(&fault), fault }
        }
    }
}

fn int(op: BinaryOp, left: i64, right: i64) -> (i64, bool) {
    match op {
        BinaryOp::Add => left.overflowing_add(right),
        BinaryOp::Subtract => left.overflowing_sub(right),
        BinaryOp::Multiply => left.overflowing_mul(right),
        _ if right == 0 => (0, true),
        BinaryOp::Divide => left.overflowing_div(right),
        _ => left.overflowing_rem(right),
    }
}

fn uint(op: BinaryOp, left: u64, right: u64) -> (u64, bool) {
    match op {
        BinaryOp::Add => left.overflowing_add(right),
        BinaryOp::Subtract => left.overflowing_sub(right),
        BinaryOp::Multiply => left.overflowing_mul(right),
        _ if right == 0 => (0, true),
        BinaryOp::Divide => (left / right, false),
        _ => (left % right, false),
    }
}

fn double(op: BinaryOp, left: Side<'_, f64>, right: Side<'_, f64>) -> Vec<f64> {
    match op {
        BinaryOp::Add => plain(left, right, |left, right| left + right),
        BinaryOp::Subtract => plain(left, right, |left, right| left - right),
        BinaryOp::Multiply => plain(left, right, |left, right| left * right),
        _ => plain(left, right, |left, right| left / right),
    }
}

#[inline]
fn plain<T: Copy, U>(left: Side<'_, T>, right: Side<'_, T>, compute: impl Fn(T, T) -> U) -> Vec<U> {
    wide(
        #[inline(always)]
        || match (left, right) {
            (Side::Many(left), Side::One(right)) => left.iter().map(|left| compute(*left, right)).collect(),
            (Side::One(left), Side::Many(right)) => right.iter().map(|right| compute(left, *right)).collect(),
            (Side::Many(left), Side::Many(right)) => {
                left.iter().zip(right).map(|(left, right)| compute(*left, *right)).collect()
            }
            (Side::One(left), Side::One(right)) => (0..BLOCK).map(|_| compute(left, right)).collect(),
        },
    )
}

/// Values, and the rows where there is none.
#[inline]
fn checked<T: Copy, U: Copy>(
    left: Side<'_, T>,
    right: Side<'_, T>,
    compute: impl Fn(T, T) -> (U, bool),
) -> (Vec<U>, Bits) {
    let both = plain(left, right, compute);
    let wrong = Bits::of(&both, |(_, wrong)| wrong);
    (both.into_iter().map(|(value, _)| value).collect(), wrong)
}

/// Places of a result: those of a sum are the more of both, those of a product all, if there may be so many.
fn result_scale(op: BinaryOp, left: u8, right: u8) -> Option<u8> {
    match op {
        BinaryOp::Add | BinaryOp::Subtract => Some(left.max(right)),
        BinaryOp::Multiply if left + right <= MAX_SCALE => Some(left + right),
        _ => None,
    }
}

fn within(units: Option<i128>) -> (i128, bool) {
    match units {
        Some(units) if units.unsigned_abs() <= MAX_WIDE_UNITS.unsigned_abs() => (units, false),
        _ => (0, true),
    }
}

fn sums(
    op: BinaryOp,
    (left, scale): (Side<'_, i128>, u8),
    (right, other): (Side<'_, i128>, u8),
    to: u8,
) -> (Vec<i128>, Bits) {
    let powers = (pow10_wide(to - scale).unwrap_or(1), pow10_wide(to - other).unwrap_or(1));
    checked(left, right, |left, right| {
        let scaled = left.checked_mul(powers.0).zip(right.checked_mul(powers.1));
        within(scaled.and_then(|(left, right)| match op {
            BinaryOp::Add => left.checked_add(right),
            _ => left.checked_sub(right),
        }))
    })
}
