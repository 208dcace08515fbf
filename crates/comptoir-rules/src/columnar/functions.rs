//! Functions of one number that have a kernel. They give what the library's functions give row by row; `None` leaves a
//! call to those.

use std::borrow::Cow;
use std::sync::Arc;

use super::bits::Bits;
use super::column::Shape;
use super::frame::Frame;
use super::rare::Rare;
use super::vector::{Lanes, Truth, Vector, missing};
use super::walk::Walk;
use crate::ir::NodeId;
use crate::types::Overload;
use crate::value::DecimalValue;
use comptoir_types::WideDecimal;
use comptoir_types::simd::wide;

/// A function of the library, by its name, for a vector.
pub(super) fn number_call<'a>(function: &str, operand: &Vector<'a>) -> Option<Vector<'a>> {
    match (function, operand) {
        ("double", Vector::Int(lanes)) => Some(double(lanes, |value| value as f64)),
        ("double", Vector::Uint(lanes)) => Some(double(lanes, |value| value as f64)),
        ("double", Vector::Decimal(lanes, scale)) => Some(double_of_decimals(lanes, *scale)),
        (
            "double" | "math.abs" | "math.sqrt" | "math.floor" | "math.ceil" | "math.trunc",
            Vector::Double(lanes),
        ) => Some(match function {
            "math.abs" => double(lanes, f64::abs),
            "math.sqrt" => double(lanes, f64::sqrt),
            "math.floor" => double(lanes, f64::floor),
            "math.ceil" => double(lanes, f64::ceil),
            "math.trunc" => double(lanes, f64::trunc),
            _ => double(lanes, |value| value),
        }),
        ("math.sqrt", Vector::Int(lanes)) => Some(double(lanes, |value| (value as f64).sqrt())),
        ("math.sqrt", Vector::Uint(lanes)) => Some(double(lanes, |value| (value as f64).sqrt())),
        ("math.abs", Vector::Int(lanes)) => {
            let wrong = Bits::of(&lanes.values, |value| value == i64::MIN);
            Some(Vector::Int(mapped(lanes, wrong.into(), i64::wrapping_abs)))
        }
        ("int", Vector::Int(lanes)) => Some(Vector::Int(mapped(lanes, Rare::NONE, |value| value))),
        ("int", Vector::Double(lanes)) => Some(whole(lanes)),
        ("math.isNaN", Vector::Double(lanes)) => Some(test(lanes, f64::is_nan)),
        ("math.isInf", Vector::Double(lanes)) => Some(test(lanes, f64::is_infinite)),
        ("math.isFinite", Vector::Double(lanes)) => Some(test(lanes, f64::is_finite)),
        _ => None,
    }
}

impl<'a> Walk<'a> {
    /// `double` of a column of integers: without making ints of them first.
    pub(super) fn double_of_column(
        &self,
        function: &str,
        overloads: &[Arc<Overload>],
        args: &[NodeId],
        frame: &Frame<'_, 'a>,
    ) -> Option<Vector<'a>> {
        let ([overload], [arg], "double") = (overloads, args, function) else { return None };
        let (column, rows) = self.leaf(*arg, frame).filter(|_| overload.is_library())?;
        let Shape::Int(numbers) = &column.shape else { return None };
        if !numbers.is_int() {
            return None;
        }
        self.charge(self.plan.node(*arg).map_or(0, |node| node.charge.into()));
        let hole = |valid| missing(valid, &rows, frame.count);
        let fault = hole(column.nulls.as_ref()).or(&hole(column.absent.as_ref()));
        let values = numbers.doubles(&rows, frame.count);
        Some(Vector::Double(Lanes { values, null: Rare::NONE, fault }))
    }
}

/// Null is no argument of these functions.
fn mapped<'a, T: Copy, U: Copy>(lanes: &Lanes<'_, T>, wrong: Rare, compute: impl Fn(T) -> U) -> Lanes<'a, U> {
    let values = wide(
        #[inline(always)]
        || lanes.values.iter().map(|value| compute(*value)).collect(),
    );
    Lanes { values: Cow::Owned(values), null: Rare::NONE, fault: lanes.fault.or(&lanes.null).or(&wrong) }
}

fn double<'a, T: Copy>(lanes: &Lanes<'_, T>, compute: impl Fn(T) -> f64) -> Vector<'a> {
    Vector::Double(mapped(lanes, Rare::NONE, compute))
}

fn test<'a>(lanes: &Lanes<'_, f64>, holds: impl Fn(f64) -> bool) -> Vector<'a> {
    let fault = lanes.fault.or(&lanes.null);
    let is = Bits::of(&lanes.values, holds).without(&fault);
    Vector::Bool(Box::new(Truth { is, fault }), Rare::NONE)
}

/// Whole parts, with the same limits as the function `int`.
fn whole<'a>(lanes: &Lanes<'_, f64>) -> Vector<'a> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let wrong = Bits::of(&lanes.values, |value| !(value > -LIMIT && value < LIMIT));
    #[expect(clippy::cast_possible_truncation, reason = "what is not within the limits is a fault")]
    Vector::Int(mapped(lanes, wrong.into(), |value| value as i64))
}

/// The nearest doubles. Where units and power are doubles themselves their quotient is rounded once; others are read
/// from their text.
fn double_of_decimals<'a>(lanes: &Lanes<'_, i128>, scale: u8) -> Vector<'a> {
    const EXACT: u128 = 1 << 53;
    let power = 10_f64.powi(scale.into());
    #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
    double(lanes, |units| {
        if units.unsigned_abs() <= EXACT {
            return units as f64 / power;
        }
        let value = WideDecimal::new(units, scale).map(DecimalValue::from);
        value.ok().and_then(|value| value.to_string().parse().ok()).unwrap_or(f64::NAN)
    })
}
