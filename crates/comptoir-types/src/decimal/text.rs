//! Text to units and back, without rounding.

use crate::error::Error;

/// Units and scale of `text`, with as many decimal places as it is written with.
pub(crate) fn parse(text: &str) -> Result<(i128, u8), Error> {
    let (negative, whole, fraction) = split(text)?;
    let mut units: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        units = units
            .checked_mul(10)
            .and_then(|units| units.checked_add(i128::from(digit - b'0')))
            .ok_or_else(|| syntax(text, "it has more than 38 digits"))?;
    }
    let scale = u8::try_from(fraction.len()).ok().filter(|scale| *scale <= super::MAX_SCALE);
    let scale = scale.ok_or_else(|| syntax(text, "it has more than 18 decimal places"))?;
    Ok((if negative { -units } else { units }, scale))
}

/// Units of `text` at `scale`, refused where digits would be lost or more than 18 digits are needed.
#[cfg(feature = "arrow")]
pub(crate) fn parse_scaled(text: &str, scale: u8) -> Result<i64, Error> {
    if let Some(units) = parse_short(text.as_bytes(), scale) {
        return Ok(units);
    }
    let (units, own) = parse(text)?;
    let wide = super::WideDecimal::new(units, own)?.rescale_exact(scale)?;
    wide.narrow().map(super::Decimal::units)
}

/// The usual case of [`parse_scaled`]; `None` says nothing about the text but that it must be looked at closely.
#[cfg(feature = "arrow")]
fn parse_short(text: &[u8], scale: u8) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    // 18 digits and a point: the number cannot leave 64 bits.
    if digits.len() > 19 || !digits.first()?.is_ascii_digit() || !digits.last()?.is_ascii_digit() {
        return None;
    }
    let (mut units, mut point) = (0_i64, None);
    for (at, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => units = units.wrapping_mul(10).wrapping_add(i64::from(byte - b'0')),
            b'.' if point.is_none() => point = Some(at + 1),
            _ => return None,
        }
    }
    if point.is_none() && digits.len() > 18 {
        return None;
    }
    let places = point.map_or(0, |point| digits.len() - point);
    let fill = super::pow10(scale.checked_sub(u8::try_from(places).ok()?)?)?;
    let units = units.checked_mul(fill).filter(|units| *units <= super::MAX_UNITS)?;
    Some(if negative { -units } else { units })
}

/// The number `units / 10^scale` with exactly `scale` decimal places.
pub(crate) fn format_units(units: i128, scale: u8) -> String {
    format_digits(&units.to_string(), i16::from(scale))
}

/// A whole number in text form, divided by `10^scale`; a negative scale appends zeros.
pub(crate) fn format_digits(digits: &str, scale: i16) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let places = usize::from(scale.unsigned_abs());
    if scale <= 0 {
        let zeros = if digits == "0" { 0 } else { places };
        return format!("{sign}{digits}{}", "0".repeat(zeros));
    }
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = padded.split_at(padded.len() - places);
    format!("{sign}{whole}.{fraction}")
}

fn split(text: &str) -> Result<(bool, &str, &str), Error> {
    let (negative, body) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or_default()),
        Some(b'+') => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    if let Some(reason) = fault(body, whole, fraction) {
        return Err(syntax(text, reason));
    }
    Ok((negative, whole, fraction))
}

fn fault(body: &str, whole: &str, fraction: &str) -> Option<&'static str> {
    if body.is_empty() {
        return Some("it has no digits");
    }
    let bad = |character: char| !character.is_ascii_digit();
    if let Some(character) = whole.chars().chain(fraction.chars()).find(|character| bad(*character)) {
        return Some(match character {
            'e' | 'E' => "exponents are not accepted, write the digits out",
            ',' | '_' | '\'' => "separators are not accepted, write digits and at most one point",
            ' ' | '\t' => "spaces are not accepted",
            _ => "only digits, one sign and one point are accepted",
        });
    }
    let pointed = body.len() > whole.len();
    (whole.is_empty() || (pointed && fraction.is_empty())).then_some("a point needs digits on both sides")
}

fn syntax(text: &str, reason: &'static str) -> Error {
    Error::DecimalSyntax { text: text.to_owned(), reason }
}
