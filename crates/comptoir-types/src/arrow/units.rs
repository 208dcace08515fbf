//! Amounts and quantities: any exact numeric column as 64-bit integers at one scale.

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type};
use arrow_array::types::{
    Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, PrimitiveArray};
use arrow_buffer::{NullBuffer, ScalarBuffer, i256};
use arrow_schema::DataType;

use crate::decimal::{MAX_SCALE, MAX_UNITS, format_digits, parse_scaled, pow10, pow10_wide};
use crate::error::Error;

/// A column of decimals as integers at one scale.
#[derive(Debug, Clone)]
pub struct Units {
    /// `value * 10^scale` by row; unspecified where the row is null, 0 where it is faulty.
    pub values: ScalarBuffer<i64>,
    /// Rows without a value.
    pub nulls: Option<NullBuffer>,
    /// Rows of this array, ascending, whose value does not fit the scale or 18 digits; each with its reason.
    pub faults: Vec<(usize, Error)>,
}

/// Reads `array` as decimals with `scale` places: decimals of every width, integers of every width (whole numbers,
/// so that 5 is 5.00 at scale 2), and text such as `12.30`.
///
/// The column's buffer is shared, not copied, where it is `decimal64(_, scale)`, or `int64` at scale 0. A value that
/// does not fit is a fault of its row; nothing is ever rounded.
///
/// # Errors
/// `TYPES_COLUMN_TYPE` for any other type, with what to send instead; `TYPES_SCALE_RANGE` above 18 decimal places.
pub fn read_units(array: &dyn Array, column: &str, scale: u8) -> Result<Units, Error> {
    if scale > MAX_SCALE {
        return Err(Error::ScaleRange { scale: i16::from(scale) }.in_column(column));
    }
    let place = Place { column, scale };
    Ok(match array.data_type() {
        DataType::Null => nulls_only(array.len()),
        DataType::Int64 => place.shared::<Int64Type>(array, 0),
        DataType::Decimal64(_, own) => place.shared::<Decimal64Type>(array, *own),
        DataType::Int8 => place.narrow::<Int8Type>(array, 0),
        DataType::Int16 => place.narrow::<Int16Type>(array, 0),
        DataType::Int32 => place.narrow::<Int32Type>(array, 0),
        DataType::UInt8 => place.narrow::<UInt8Type>(array, 0),
        DataType::UInt16 => place.narrow::<UInt16Type>(array, 0),
        DataType::UInt32 => place.narrow::<UInt32Type>(array, 0),
        DataType::UInt64 => place.narrow::<UInt64Type>(array, 0),
        DataType::Decimal32(_, own) => place.narrow::<Decimal32Type>(array, *own),
        DataType::Decimal128(_, own) => place.narrow::<Decimal128Type>(array, *own),
        DataType::Decimal256(_, own) => place.widest(array, *own),
        DataType::Utf8 => place.text(array.as_string::<i32>().iter(), array.nulls()),
        DataType::LargeUtf8 => place.text(array.as_string::<i64>().iter(), array.nulls()),
        DataType::Utf8View => place.text(array.as_string_view().iter(), array.nulls()),
        other => return Err(type_error(other, column, scale)),
    })
}

/// Where values go: the column, for messages, and its scale.
#[derive(Clone, Copy)]
struct Place<'a> {
    column: &'a str,
    scale: u8,
}

/// How to bring a value of at most 64 bits to the target scale without a branch.
#[derive(Clone, Copy)]
enum Step {
    /// Times a power of ten; magnitudes above the limit do not fit.
    Multiply { power: i64, limit: i64 },
    /// Divided by `power = 10^places`, which must leave no remainder. Then the quotient is, modulo 2^64, the value
    /// without its lowest `places` bits times the inverse of `5^places`: no division is needed, and multiplying the
    /// quotient by the power again shows whether the value is a multiple and the quotient fits.
    Divide { power: i64, places: u8, inverse: u64 },
    /// Powers beyond 64 bits: value by value.
    Never,
}

impl Step {
    fn new(from: i8, to: u8) -> Self {
        let shift = i16::from(to) - i16::from(from);
        let places = u8::try_from(shift.unsigned_abs()).unwrap_or(u8::MAX);
        match (shift >= 0, pow10(places)) {
            (true, Some(power)) => Self::Multiply { power, limit: MAX_UNITS / power },
            (false, Some(power)) => Self::Divide { power, places, inverse: inverse_of_power_of_5(places) },
            (_, None) => Self::Never,
        }
    }
}

/// The number whose product with `5^exponent` is 1 modulo 2^64, by Newton's iteration: the odd number itself is its
/// inverse modulo 8, and every step doubles the number of right bits.
fn inverse_of_power_of_5(exponent: u8) -> u64 {
    let power = 5_u64.wrapping_pow(u32::from(exponent));
    let step = |inverse: u64| inverse.wrapping_mul(2_u64.wrapping_sub(power.wrapping_mul(inverse)));
    (0..5).fold(power, |inverse, _| step(inverse))
}

impl Place<'_> {
    /// 64-bit columns: shared where the scale is the same.
    fn shared<T: ArrowPrimitiveType<Native = i64>>(self, array: &dyn Array, from: i8) -> Units {
        let array = array.as_primitive::<T>();
        if i16::from(from) == i16::from(self.scale) && all_within(array.values(), MAX_UNITS) {
            return Units {
                values: array.values().clone(),
                nulls: array.nulls().cloned(),
                faults: Vec::new(),
            };
        }
        self.convert(array, from)
    }

    fn narrow<T: ArrowPrimitiveType>(self, array: &dyn Array, from: i8) -> Units
    where
        i128: From<T::Native>,
    {
        self.convert(array.as_primitive::<T>(), from)
    }

    fn widest(self, array: &dyn Array, from: i8) -> Units {
        let array = array.as_primitive::<Decimal256Type>();
        self.each(array.len(), array.nulls(), |row| {
            let value = array.value(row);
            match value.to_i128() {
                Some(value) => self.rescale(value, from),
                None => self.rescale_widest(value, from),
            }
        })
    }

    fn text<'a>(self, cells: impl Iterator<Item = Option<&'a str>>, nulls: Option<&NullBuffer>) -> Units {
        let mut faults = Vec::new();
        let values = cells.enumerate().map(|(row, cell)| {
            let parsed = cell.map_or(Ok(0), |text| parse_scaled(text, self.scale));
            parsed.unwrap_or_else(|error| {
                faults.push((row, error.in_column(self.column)));
                0
            })
        });
        let values = values.collect::<Vec<_>>().into();
        Units { values, nulls: nulls.cloned(), faults }
    }

    /// All rows in one pass without branches, and only if that meets a value that does not fit, row by row.
    fn convert<T: ArrowPrimitiveType>(self, array: &PrimitiveArray<T>, from: i8) -> Units
    where
        i128: From<T::Native>,
    {
        if let Some(values) = convert_all(array.values(), Step::new(from, self.scale)) {
            return Units { values: values.into(), nulls: array.nulls().cloned(), faults: Vec::new() };
        }
        self.each(array.len(), array.nulls(), |row| self.rescale(i128::from(array.value(row)), from))
    }

    fn each(
        self,
        rows: usize,
        nulls: Option<&NullBuffer>,
        read: impl Fn(usize) -> Result<i64, Error>,
    ) -> Units {
        let mut faults = Vec::new();
        let values = (0..rows).map(|row| {
            if nulls.is_some_and(|nulls| nulls.is_null(row)) {
                return 0;
            }
            read(row).unwrap_or_else(|error| {
                faults.push((row, error.in_column(self.column)));
                0
            })
        });
        let values = values.collect::<Vec<_>>().into();
        Units { values, nulls: nulls.cloned(), faults }
    }

    fn rescale(self, value: i128, from: i8) -> Result<i64, Error> {
        let shift = i16::from(self.scale) - i16::from(from);
        let power = u8::try_from(shift.unsigned_abs()).ok().and_then(pow10_wide);
        let text = || format_digits(&value.to_string(), i16::from(from));
        let scaled = match (value, power) {
            (0, _) => Some(0),
            (_, Some(power)) if shift >= 0 => value.checked_mul(power),
            (_, Some(power)) if value % power == 0 => Some(value / power),
            _ if shift >= 0 => None,
            _ => {
                return Err(Error::ExcessScale { text: text(), scale: self.scale });
            }
        };
        self.within(scaled, text)
    }

    fn rescale_widest(self, value: i256, from: i8) -> Result<i64, Error> {
        let shift = i16::from(self.scale) - i16::from(from);
        let text = || format_digits(&value.to_string(), i16::from(from));
        let power = i256::from_i128(10).checked_pow(u32::from(shift.unsigned_abs()));
        let scaled = match power {
            _ if shift >= 0 => None,
            Some(power) if value.wrapping_rem(power) == i256::ZERO => value.wrapping_div(power).to_i128(),
            _ => {
                return Err(Error::ExcessScale { text: text(), scale: self.scale });
            }
        };
        self.within(scaled, text)
    }

    fn within(self, scaled: Option<i128>, text: impl Fn() -> String) -> Result<i64, Error> {
        scaled
            .and_then(|scaled| i64::try_from(scaled).ok())
            .filter(|scaled| (-MAX_UNITS..=MAX_UNITS).contains(scaled))
            .ok_or_else(|| Error::DecimalOverflow { text: text(), digits: 18, scale: self.scale })
    }
}

/// Every value at the target scale, or `None` where at least one does not fit (a null's leftover counts as well).
#[expect(clippy::cast_possible_truncation, reason = "what is cut off is flagged")]
#[expect(
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "bits are taken apart and compared again"
)]
fn convert_all<T: Copy>(values: &[T], step: Step) -> Option<Vec<i64>>
where
    i128: From<T>,
{
    let mut bad = 0_u64;
    let converted: Vec<i64> = match step {
        Step::Multiply { power, limit } => values
            .iter()
            .map(|value| {
                let value = i128::from(*value);
                let low = value as i64;
                bad |= ((value >> 64) as i64 ^ (low >> 63)) as u64 | outside(low, limit);
                low.wrapping_mul(power)
            })
            .collect(),
        Step::Divide { power, places, inverse } => values
            .iter()
            .map(|value| {
                let value = i128::from(*value);
                let quotient = ((value >> places) as u64).wrapping_mul(inverse) as i64;
                let product = <i128 as From<i64>>::from(quotient) * <i128 as From<i64>>::from(power);
                bad |= u64::from(product != value) | outside(quotient, MAX_UNITS);
                quotient
            })
            .collect(),
        Step::Never => return None,
    };
    (bad == 0).then_some(converted)
}

fn all_within(values: &[i64], limit: i64) -> bool {
    values.iter().fold(0, |bad, value| bad | outside(*value, limit)) == 0
}

/// 0 for a value in `-limit..=limit`, else 1: one comparison on the shifted value.
#[expect(clippy::cast_sign_loss, reason = "the shift makes the range start at zero")]
const fn outside(value: i64, limit: i64) -> u64 {
    (value.wrapping_add(limit) as u64 > 2 * limit as u64) as u64
}

fn nulls_only(rows: usize) -> Units {
    Units { values: vec![0; rows].into(), nulls: Some(NullBuffer::new_null(rows)), faults: Vec::new() }
}

fn type_error(found: &DataType, column: &str, scale: u8) -> Error {
    let advice = match found {
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            format!(": floats are not exact, so send decimal(18, {scale}), or text such as `12.30`")
        }
        DataType::Dictionary(..) => format!(": cast it to decimal(18, {scale})"),
        _ => String::new(),
    };
    Error::ColumnType {
        column: column.to_owned(),
        expected: "decimal, integer or decimal text",
        found: super::type_name(found),
        advice,
    }
}

#[cfg(test)]
#[path = "units_tests.rs"]
mod tests;
