use super::Date;
use crate::error::Error;

/// The unit of a time column: how many ticks a day has.
///
/// ```
/// use comptoir_types::Clock;
///
/// let ticks = 1_711_843_200_000; // 2024-03-31T00:00Z in milliseconds
/// assert_eq!(Clock::MILLISECOND.date(ticks, 0)?.to_string(), "2024-03-31");
/// // The same moment is the day before in New York (UTC-4).
/// assert_eq!(Clock::MILLISECOND.date(ticks, -4 * 3_600_000)?.to_string(), "2024-03-30");
/// # Ok::<(), comptoir_types::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Clock {
    ticks_per_day: i64,
    unit: &'static str,
}

impl Clock {
    /// One tick is a day, as in `date32`.
    pub const DAY: Self = Self { ticks_per_day: 1, unit: "d" };
    /// One tick is a second.
    pub const SECOND: Self = Self { ticks_per_day: 86_400, unit: "s" };
    /// One tick is a millisecond, as in `date64`.
    pub const MILLISECOND: Self = Self { ticks_per_day: 86_400_000, unit: "ms" };
    /// One tick is a microsecond.
    pub const MICROSECOND: Self = Self { ticks_per_day: 86_400_000_000, unit: "us" };
    /// One tick is a nanosecond.
    pub const NANOSECOND: Self = Self { ticks_per_day: 86_400_000_000_000, unit: "ns" };

    /// Ticks in a day.
    #[must_use]
    pub const fn ticks_per_day(self) -> i64 {
        self.ticks_per_day
    }

    /// The unit's name: `d`, `s`, `ms`, `us` or `ns`.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        self.unit
    }

    /// The day number (days since 1970-01-01) that `ticks` falls on, without a check of its range: for loops over
    /// ticks that [`Clock::range`] has been checked for. An offset that leaves 64 bits is held at the edge.
    #[must_use]
    pub const fn day_number(self, ticks: i64, utc_offset_ticks: i64) -> i64 {
        ticks.saturating_add(utc_offset_ticks).div_euclid(self.ticks_per_day)
    }

    /// The date that `ticks` falls on at a place `utc_offset_ticks` ahead of UTC: a moment before 1970 belongs to the
    /// day that has begun, so that the division rounds down.
    ///
    /// # Errors
    /// `TYPES_TIME_RANGE` outside 0001-01-01 to 9999-12-31.
    pub fn date(self, ticks: i64, utc_offset_ticks: i64) -> Result<Date, Error> {
        Date::from_days(self.day_number(ticks, utc_offset_ticks)).map_err(|_| self.out_of_range(ticks))
    }

    /// The first tick of `date`, in UTC.
    ///
    /// # Errors
    /// `TYPES_TIME_RANGE` where the unit does not reach the date: nanoseconds end in 1677 and 2262.
    pub fn ticks(self, date: Date) -> Result<i64, Error> {
        i64::from(date.days())
            .checked_mul(self.ticks_per_day)
            .ok_or_else(|| Error::TimeRange { text: format!("{date} in {}", self.unit) })
    }

    /// First and last tick inside the calendar.
    #[must_use]
    pub const fn range(self) -> (i64, i64) {
        let first = (Date::MIN.days() as i64).saturating_mul(self.ticks_per_day);
        let end = (Date::MAX.days() as i64 + 1).saturating_mul(self.ticks_per_day);
        // Saturation means that every tick of 64 bits is inside; the last one then stays the last.
        (first, if end == i64::MAX { end } else { end - 1 })
    }

    /// `ticks` in the form of RFC 3339: `2024-03-31`, or `2024-03-31T08:30:00.250Z` with as many digits as the unit
    /// has. What is outside the calendar is written as a count.
    #[must_use]
    pub fn format(self, ticks: i64) -> String {
        let Ok(date) = self.date(ticks, 0) else {
            return format!("{ticks} {} after 1970-01-01", self.unit);
        };
        let per_second = self.ticks_per_day / 86_400;
        if per_second == 0 {
            return date.to_string();
        }
        let in_day = ticks.rem_euclid(self.ticks_per_day);
        let (seconds, fraction) = (in_day / per_second, in_day % per_second);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let time = format!("{date}T{hour:02}:{minute:02}:{second:02}");
        match per_second {
            1 => format!("{time}Z"),
            1_000 => format!("{time}.{fraction:03}Z"),
            1_000_000 => format!("{time}.{fraction:06}Z"),
            _ => format!("{time}.{fraction:09}Z"),
        }
    }

    /// The error for ticks outside the calendar.
    #[must_use]
    pub fn out_of_range(self, ticks: i64) -> Error {
        Error::TimeRange { text: format!("{ticks} {} after 1970-01-01", self.unit) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    const ALL: [Clock; 5] =
        [Clock::DAY, Clock::SECOND, Clock::MILLISECOND, Clock::MICROSECOND, Clock::NANOSECOND];

    #[test]
    fn moments_before_1970_belong_to_the_day_that_has_begun() {
        for clock in ALL {
            assert_eq!(clock.date(-1, 0).unwrap().to_string(), "1969-12-31");
            assert_eq!(clock.date(0, 0).unwrap(), Date::EPOCH);
            assert_eq!(clock.date(clock.ticks_per_day() - 1, 0).unwrap(), Date::EPOCH);
            assert_eq!(clock.date(0, -1).unwrap().to_string(), "1969-12-31");
        }
    }

    #[test]
    fn dates_and_ticks_round_trip() {
        for clock in ALL {
            for text in ["1969-02-28", "2024-02-29", "2261-12-31"] {
                let date: Date = text.parse().unwrap();
                assert_eq!(clock.date(clock.ticks(date).unwrap(), 0).unwrap(), date);
            }
        }
        assert_eq!(Clock::NANOSECOND.ticks(Date::MAX).unwrap_err().code(), "TYPES_TIME_RANGE");
    }

    #[test]
    fn the_range_is_the_calendar() {
        for clock in ALL {
            let (first, last) = clock.range();
            assert!(clock.date(first, 0).is_ok() && clock.date(last, 0).is_ok());
            if first > i64::MIN {
                assert!(clock.date(first - 1, 0).is_err() && clock.date(last + 1, 0).is_err());
            }
        }
        let message = Clock::SECOND.date(i64::MAX, 1).unwrap_err().to_string();
        assert_eq!(
            message,
            "`9223372036854775807 s after 1970-01-01` is outside the calendar 0001-01-01 to 9999-12-31"
        );
    }

    #[test]
    fn moments_are_written_with_the_digits_of_their_unit() {
        assert_eq!(Clock::DAY.format(-1), "1969-12-31");
        assert_eq!(Clock::SECOND.format(61), "1970-01-01T00:01:01Z");
        assert_eq!(Clock::MILLISECOND.format(1_711_873_800_250), "2024-03-31T08:30:00.250Z");
        assert_eq!(Clock::MICROSECOND.format(-1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(Clock::NANOSECOND.format(1), "1970-01-01T00:00:00.000000001Z");
        assert_eq!(Clock::SECOND.format(i64::MAX), "9223372036854775807 s after 1970-01-01");
    }
}
