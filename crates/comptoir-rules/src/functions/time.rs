//! Parts of timestamps and durations.

use super::{Entry, constant, wrong};
use crate::eval::Meter;
use crate::value::{Civil, Fault, Outcome, Value, civil};

pub(super) const TABLE: &[Entry] = &[
    constant("timestamp::getFullYear(): int", year),
    constant("timestamp::getFullYear(string): int", year),
    constant("timestamp::getMonth(): int", month),
    constant("timestamp::getMonth(string): int", month),
    constant("timestamp::getDayOfYear(): int", day_of_year),
    constant("timestamp::getDayOfYear(string): int", day_of_year),
    constant("timestamp::getDayOfMonth(): int", day_of_month),
    constant("timestamp::getDayOfMonth(string): int", day_of_month),
    constant("timestamp::getDate(): int", date),
    constant("timestamp::getDate(string): int", date),
    constant("timestamp::getDayOfWeek(): int", day_of_week),
    constant("timestamp::getDayOfWeek(string): int", day_of_week),
    constant("timestamp::getHours(): int", hours),
    constant("timestamp::getHours(string): int", hours),
    constant("timestamp::getMinutes(): int", minutes),
    constant("timestamp::getMinutes(string): int", minutes),
    constant("timestamp::getSeconds(): int", seconds),
    constant("timestamp::getSeconds(string): int", seconds),
    constant("timestamp::getMilliseconds(): int", milliseconds),
    constant("timestamp::getMilliseconds(string): int", milliseconds),
    constant("duration::getHours(): int", hours),
    constant("duration::getMinutes(): int", minutes),
    constant("duration::getSeconds(): int", seconds),
    constant("duration::getMilliseconds(): int", milliseconds),
];

/// A part of a moment in a time zone, UTC if none is named.
fn part<'a>(name: &str, args: &[Value<'a>], read: impl Fn(Civil) -> i64) -> Outcome<'a> {
    let at: Result<Civil, Fault> = match args {
        [Value::Timestamp(moment)] => civil(*moment, None),
        [Value::Timestamp(moment), Value::String(zone)] => civil(*moment, Some(zone)),
        _ => return wrong(name, args),
    };
    at.map(|at| Value::Int(read(at)))
}

/// A duration as a whole number of units.
fn whole<'a>(args: &[Value<'a>], nanos: i64) -> Option<Outcome<'a>> {
    match args {
        [Value::Duration(span)] => Some(Ok(Value::Int(span.nanos() / nanos))),
        _ => None,
    }
}

fn year<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    part("getFullYear", args, |at| i64::from(at.date.year()))
}

fn month<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    part("getMonth", args, |at| i64::from(at.date.month()) - 1)
}

fn day_of_year<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    part("getDayOfYear", args, Civil::day_of_year)
}

fn day_of_month<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    part("getDayOfMonth", args, |at| i64::from(at.date.day()) - 1)
}

fn date<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    part("getDate", args, |at| i64::from(at.date.day()))
}

fn day_of_week<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    part("getDayOfWeek", args, Civil::day_of_week)
}

fn hours<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    whole(args, 3_600_000_000_000).unwrap_or_else(|| part("getHours", args, |at| at.of_day / 3600))
}

fn minutes<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    whole(args, 60_000_000_000).unwrap_or_else(|| part("getMinutes", args, |at| at.of_day / 60 % 60))
}

fn seconds<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    whole(args, 1_000_000_000).unwrap_or_else(|| part("getSeconds", args, |at| at.of_day % 60))
}

/// Of a duration: the milliseconds within its second.
fn milliseconds<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Duration(span)] => Ok(Value::Int(span.nanos() / 1_000_000 % 1000)),
        _ => part("getMilliseconds", args, |at| i64::from(at.nanos / 1_000_000)),
    }
}
