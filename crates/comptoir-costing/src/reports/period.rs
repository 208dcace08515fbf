//! Days and periods of postings.

use comptoir_types::{Clock, Date, Error};

/// Turns the ticks of postings and layers into dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Unit of the ticks.
    pub clock: Clock,
    /// Ticks by which local time is ahead of UTC: the books of Shanghai begin their day eight hours before UTC does.
    pub utc_offset_ticks: i64,
}

impl Calendar {
    /// A calendar of UTC days.
    #[must_use]
    pub const fn utc(clock: Clock) -> Self {
        Self { clock, utc_offset_ticks: 0 }
    }

    /// The day on which the moment lies.
    ///
    /// # Errors
    /// `TYPES_TIME_RANGE` outside the years 1 to 9999.
    pub fn date(self, ticks: i64) -> Result<Date, Error> {
        self.clock.date(ticks, self.utc_offset_ticks)
    }
}

/// Length of the periods of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// One calendar day.
    Day,
    /// One calendar month.
    Month,
    /// The whole range of the report.
    Total,
}

/// Finds the first day of the period of each date, with one comparison while the dates stay in one period.
#[derive(Debug)]
pub(super) struct PeriodCursor {
    period: Period,
    origin: Date,
    start: Date,
    // First day after the period; equal to `start` before the first date.
    end: Date,
}

impl PeriodCursor {
    /// A cursor; `origin` is the first day of the only period of [`Period::Total`].
    pub(super) fn new(period: Period, origin: Date) -> Self {
        Self { period, origin, start: origin, end: origin }
    }

    /// First day of the period of the date.
    pub(super) fn start(&mut self, date: Date) -> Date {
        if date < self.start || date >= self.end {
            self.start = match self.period {
                Period::Day => date,
                Period::Month => date.first_of_month(),
                Period::Total => self.origin,
            };
            self.end = next_start(self.period, self.start).unwrap_or(Date::MAX);
        }
        self.start
    }
}

/// First day of the period after the one that starts here; `None` after the last one of the calendar.
pub(super) fn next_start(period: Period, start: Date) -> Option<Date> {
    match period {
        Period::Day => start.add_days(1).ok(),
        Period::Month => start.next_month().ok(),
        Period::Total => None,
    }
}

/// Last day of the month that starts here.
pub(super) fn month_end(start: Date) -> Date {
    start.next_month().and_then(|next| next.add_days(-1)).unwrap_or(Date::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn periods_start_where_their_dates_say() {
        let mut months = PeriodCursor::new(Period::Month, Date::EPOCH);
        let starts = ["2024-01-31", "2024-02-29", "2024-02-01", "2024-01-01", "9999-12-31", "1970-01-01"]
            .map(|text| months.start(date(text)).to_string());
        assert_eq!(
            starts,
            ["2024-01-01", "2024-02-01", "2024-02-01", "2024-01-01", "9999-12-01", "1970-01-01"]
        );
        let mut total = PeriodCursor::new(Period::Total, date("2024-01-15"));
        assert_eq!(total.start(date("2025-07-01")), date("2024-01-15"));
        assert_eq!(month_end(date("2024-02-01")), date("2024-02-29"));
        assert_eq!(month_end(date("9999-12-01")), Date::MAX);
    }

    #[test]
    fn the_day_follows_local_time() {
        let shanghai = Calendar { clock: Clock::SECOND, utc_offset_ticks: 8 * 3600 };
        assert_eq!(shanghai.date(16 * 3600).unwrap(), date("1970-01-02"));
        assert_eq!(Calendar::utc(Clock::SECOND).date(16 * 3600).unwrap(), Date::EPOCH);
    }
}
