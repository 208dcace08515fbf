use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::error::Error;

/// A calendar date, kept as days since 1970-01-01 (as Arrow's `date32`).
///
/// ```
/// use comptoir_types::Date;
///
/// let date: Date = "2024-02-29".parse()?;
/// assert_eq!((date.year(), date.month(), date.day()), (2024, 2, 29));
/// assert_eq!(date.next_month()?.to_string(), "2024-03-01");
/// # Ok::<(), comptoir_types::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

impl Date {
    /// 0001-01-01, the earliest date.
    pub const MIN: Self = Self(-719_162);
    /// 9999-12-31, the latest date.
    pub const MAX: Self = Self(2_932_896);
    /// 1970-01-01, day 0.
    pub const EPOCH: Self = Self(0);

    /// The date `days` after 1970-01-01.
    ///
    /// # Errors
    /// `TYPES_TIME_RANGE` outside 0001-01-01 to 9999-12-31.
    pub fn from_days(days: i64) -> Result<Self, Error> {
        match i32::try_from(days) {
            Ok(days) if (Self::MIN.0..=Self::MAX.0).contains(&days) => Ok(Self(days)),
            _ => Err(Error::TimeRange { text: format!("day {days} after 1970-01-01") }),
        }
    }

    /// The date of a year (1 to 9999), a month (1 to 12) and a day of the month.
    ///
    /// # Errors
    /// `TYPES_DATE_SYNTAX` where there is no such day.
    pub fn from_ymd(year: i32, month: u8, day: u8) -> Result<Self, Error> {
        let known = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=month_days(year, month)).contains(&day);
        if known {
            Ok(Self(days_from_civil(year, month, day)))
        } else {
            Err(Error::DateSyntax { text: format!("{year:04}-{month:02}-{day:02}") })
        }
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn days(self) -> i32 {
        self.0
    }

    /// The year, 1 to 9999.
    #[must_use]
    pub const fn year(self) -> i32 {
        civil_from_days(self.0).0
    }

    /// The month, 1 to 12.
    #[must_use]
    pub const fn month(self) -> u8 {
        civil_from_days(self.0).1
    }

    /// The day of the month, 1 to 31.
    #[must_use]
    pub const fn day(self) -> u8 {
        civil_from_days(self.0).2
    }

    /// The first day of this date's month.
    #[must_use]
    pub const fn first_of_month(self) -> Self {
        Self(self.0 - self.day() as i32 + 1)
    }

    /// The first day of the month after this date's.
    ///
    /// # Errors
    /// `TYPES_TIME_RANGE` after 9999-12.
    pub fn next_month(self) -> Result<Self, Error> {
        let days = i64::from(month_days(self.year(), self.month()));
        self.first_of_month().add_days(days)
    }

    /// The date `days` later, or earlier where `days` is negative.
    ///
    /// # Errors
    /// `TYPES_TIME_RANGE` outside 0001-01-01 to 9999-12-31.
    pub fn add_days(self, days: i64) -> Result<Self, Error> {
        Self::from_days(i64::from(self.0).saturating_add(days))
            .map_err(|_| Error::TimeRange { text: format!("{self} and {days} days") })
    }
}

/// Year, month and day of a day number; Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// `civil_from_days`. Its years begin in March, so that the leap day is the last of the year.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "months and days are under 32")]
const fn civil_from_days(days: i32) -> (i32, u8, u8) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + (month <= 2) as i32, month as u8, day as u8)
}

/// The inverse of [`civil_from_days`], from the same source.
const fn days_from_civil(year: i32, month: u8, day: u8) -> i32 {
    let year = year - (month <= 2) as i32;
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = (month as i32 + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + day as i32 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

const fn month_days(year: i32, month: u8) -> u8 {
    match month {
        2 if (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl FromStr for Date {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let syntax = || Error::DateSyntax { text: text.to_owned() };
        let digits = |part: &str, length: usize| {
            (part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit())).then_some(())
        };
        let (year, rest) = text.split_once('-').ok_or_else(syntax)?;
        let (month, day) = rest.split_once('-').ok_or_else(syntax)?;
        digits(year, 4).and(digits(month, 2)).and(digits(day, 2)).ok_or_else(syntax)?;
        match (year.parse(), month.parse(), day.parse()) {
            (Ok(year), Ok(month), Ok(day)) => Self::from_ymd(year, month, day),
            _ => Err(syntax()),
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0);
        formatter.pad(&format!("{year:04}-{month:02}-{day:02}"))
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn every_day_of_the_calendar_follows_the_one_before() {
        let (mut year, mut month, mut day) = (1, 1, 1);
        for days in Date::MIN.0..=Date::MAX.0 {
            assert_eq!(civil_from_days(days), (year, month, day));
            assert_eq!(days_from_civil(year, month, day), days);
            day += 1;
            if day > month_days(year, month) {
                (day, month) = (1, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
        }
        assert_eq!((year, month, day), (10_000, 1, 1));
    }

    #[test]
    fn text_round_trips_and_bad_text_is_refused() {
        for text in ["1970-01-01", "0001-01-01", "9999-12-31", "2024-02-29", "1900-02-28"] {
            assert_eq!(text.parse::<Date>().unwrap().to_string(), text);
        }
        for text in [
            "2023-02-29",
            "2024-13-01",
            "2024-00-10",
            "2024-1-1",
            "0000-01-01",
            "20240101",
            "2024-01-+1",
            "x",
        ] {
            assert_eq!(text.parse::<Date>().unwrap_err().code(), "TYPES_DATE_SYNTAX", "{text}");
        }
        assert_eq!("1970-01-02".parse::<Date>().unwrap().days(), 1);
        assert_eq!(serde_json::to_string(&Date(0)).unwrap(), "\"1970-01-01\"");
        assert_eq!(serde_json::from_str::<Date>("\"1970-01-03\"").unwrap(), Date(2));
    }

    #[test]
    fn steps_stay_in_the_calendar() {
        let date: Date = "2023-12-31".parse().unwrap();
        assert_eq!(date.first_of_month().to_string(), "2023-12-01");
        assert_eq!(date.next_month().unwrap().to_string(), "2024-01-01");
        assert_eq!(date.add_days(-365).unwrap().to_string(), "2022-12-31");
        assert_eq!(Date::MAX.next_month().unwrap_err().code(), "TYPES_TIME_RANGE");
        assert_eq!(Date::MAX.add_days(i64::MAX).unwrap_err().code(), "TYPES_TIME_RANGE");
        assert!(Date::from_days(i64::MIN).is_err());
    }
}
