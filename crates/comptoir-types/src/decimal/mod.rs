//! Exact decimals on scaled integers.
//!
//! A decimal is `units / 10^scale`. [`Decimal`] holds 18 digits in 64 bits, as an Arrow `decimal64(18, s)` does;
//! [`WideDecimal`] holds 38 digits in 128 bits, for totals. Both keep their scale: `1.50` prints as `1.50`, and is
//! equal to `1.5`.

mod fixed;
pub mod mul_div;
mod rounding;
mod serde_text;
mod text;
mod wide;

pub use fixed::Decimal;
pub use mul_div::{
    SMALL_DENOMINATOR, SMALL_VALUE, estimate_mul_div, mul_div, mul_div_half_even, mul_div_half_even_small,
};
pub use rounding::{Rounding, divide};
#[cfg(feature = "arrow")]
pub(crate) use text::{format_digits, parse_scaled};
pub use wide::WideDecimal;

/// Largest magnitude of the units of a [`Decimal`]: 18 nines, so that every one fits Arrow's `decimal64(18, s)`.
pub const MAX_UNITS: i64 = 999_999_999_999_999_999;

/// Largest magnitude of the units of a [`WideDecimal`]: 38 nines, as in Arrow's `decimal128(38, s)`.
pub const MAX_WIDE_UNITS: i128 = 99_999_999_999_999_999_999_999_999_999_999_999_999;

/// Largest number of decimal places.
pub const MAX_SCALE: u8 = 18;

/// 10 to the power `exponent`, or `None` above 18, where it leaves 64 bits.
#[must_use]
pub const fn pow10(exponent: u8) -> Option<i64> {
    10_i64.checked_pow(exponent as u32)
}

/// 10 to the power `exponent`, or `None` above 38, where it leaves 128 bits.
#[must_use]
pub const fn pow10_wide(exponent: u8) -> Option<i128> {
    10_i128.checked_pow(exponent as u32)
}
