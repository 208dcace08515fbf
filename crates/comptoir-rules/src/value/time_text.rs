use std::fmt;
use std::str::FromStr;

use comptoir_types::Date;

use super::{Duration, EvalCode, Fault, Timestamp};

const DAY: i64 = 86_400;

impl FromStr for Timestamp {
    type Err = Fault;

    /// Reads RFC 3339, such as `2009-02-13T23:31:30.5+01:00`.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let invalid = || {
            let message = format!("`{}` is no timestamp: write it as 2009-02-13T23:31:30Z", head(text));
            Fault::error(EvalCode::InvalidArgument, message)
        };
        let (date, rest) = text.split_once(['T', 't']).ok_or_else(invalid)?;
        let (seconds, rest) = clock(rest).ok_or_else(invalid)?;
        let (nanos, rest) = fraction(rest).ok_or_else(invalid)?;
        let offset = zone_offset(rest).ok_or_else(invalid)?;
        let days = days(date).ok_or_else(|| {
            let message = format!("`{}` is outside the range of timestamps", head(text));
            Fault::error(EvalCode::Range, message)
        })?;
        Self::new(days * DAY + seconds - offset, nanos)
    }
}

fn head(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Days since 1970 of `2009-02-13`.
fn days(date: &str) -> Option<i64> {
    let mut parts = date.splitn(3, '-');
    let mut part = |digits: usize| {
        let part = parts.next()?;
        (part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let (year, month, day): (i32, i32, i32) = (part(4)?, part(2)?, part(2)?);
    let date = Date::from_ymd(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?).ok()?;
    Some(i64::from(date.days()))
}

fn two_digits(text: &str) -> Option<(i64, &str)> {
    let digits = text.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some((digits.parse().ok()?, text.get(2..)?))
}

/// Seconds of the day of `23:31:30`, and the rest.
fn clock(text: &str) -> Option<(i64, &str)> {
    let (hours, text) = two_digits(text)?;
    let (minutes, text) = two_digits(text.strip_prefix(':')?)?;
    let (seconds, text) = two_digits(text.strip_prefix(':')?)?;
    (hours < 24 && minutes < 60 && seconds < 60).then_some((hours * 3600 + minutes * 60 + seconds, text))
}

/// Nanoseconds of `.5`, and the rest; digits beyond nanoseconds are dropped.
fn fraction(text: &str) -> Option<(u32, &str)> {
    let Some(digits) = text.strip_prefix('.') else { return Some((0, text)) };
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    let nanos = digits.bytes().take(length).chain(std::iter::repeat(b'0')).take(9);
    let nanos = nanos.fold(0, |nanos, digit| nanos * 10 + u32::from(digit - b'0'));
    (length > 0).then_some((nanos, digits.get(length..)?))
}

/// Seconds of `Z`, `+01:00`.
fn zone_offset(text: &str) -> Option<i64> {
    if text == "Z" || text == "z" {
        return Some(0);
    }
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    fixed_offset(text.get(1..)?).map(|seconds| sign * seconds)
}

/// Seconds of `01:00`.
pub(super) fn fixed_offset(text: &str) -> Option<i64> {
    let (hours, rest) = two_digits(text)?;
    let (minutes, rest) = two_digits(rest.strip_prefix(':')?)?;
    (rest.is_empty() && hours < 24 && minutes < 60).then_some(hours * 3600 + minutes * 60)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A timestamp lies within the calendar, so that its day is a date.
        let date = Date::from_days(self.seconds().div_euclid(DAY)).map_err(|_| fmt::Error)?;
        let of_day = self.seconds().rem_euclid(DAY);
        let (hours, minutes, seconds) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        write!(formatter, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day())?;
        write!(formatter, "T{hours:02}:{minutes:02}:{seconds:02}{}Z", Fraction(self.nanos()))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.nanos() < 0 { "-" } else { "" };
        let magnitude = self.nanos().unsigned_abs();
        let nanos = u32::try_from(magnitude % 1_000_000_000).unwrap_or(0);
        write!(formatter, "{sign}{}{}s", magnitude / 1_000_000_000, Fraction(nanos))
    }
}

/// `.5` for 500 000 000, nothing for zero.
struct Fraction(u32);

impl fmt::Display for Fraction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return Ok(());
        }
        write!(formatter, ".{}", format!("{:09}", self.0).trim_end_matches('0'))
    }
}

impl FromStr for Duration {
    type Err = Fault;

    /// Reads spans such as `1h30m`, `-1.5s`, `100ms`.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let invalid = || {
            let message = format!("`{}` is no duration: write it as 1h30m or 1.5s", head(text));
            Fault::error(EvalCode::InvalidArgument, message)
        };
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        if unsigned == "0" {
            return Ok(Self::from_nanos(0));
        }
        let mut rest = unsigned;
        let mut total = 0_i128;
        while !rest.is_empty() {
            let (nanos, after) = span(rest).ok_or_else(invalid)?;
            total = total.checked_add(nanos).ok_or_else(invalid)?;
            rest = after;
        }
        if unsigned.is_empty() {
            return Err(invalid());
        }
        Self::from_wide(if text.starts_with('-') { -total } else { total })
    }
}

/// Nanoseconds of the first number with its unit, and the rest.
fn span(text: &str) -> Option<(i128, &str)> {
    const UNITS: [(&str, i128); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("μs", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    let length = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (number, rest) = text.split_at_checked(length)?;
    let (symbol, unit) = UNITS.iter().find(|(symbol, _)| rest.starts_with(symbol))?;
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && part.is_empty() || whole.len() > 20 || part.contains('.') {
        return None;
    }
    let mut nanos =
        whole.parse::<i128>().or_else(|error| if whole.is_empty() { Ok(0) } else { Err(error) }).ok()? * unit;
    let mut place = *unit;
    for digit in part.bytes() {
        place /= 10;
        nanos += place * i128::from(digit - b'0');
    }
    Some((nanos, rest.get(symbol.len()..)?))
}
