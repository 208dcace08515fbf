use comptoir_types::Date;

use super::{EvalCode, Fault, Timestamp, time_text};

/// A moment on the calendar and clock of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub date: Date,
    /// Seconds since midnight.
    pub of_day: i64,
    pub nanos: u32,
}

impl Civil {
    /// Sunday is 0.
    pub(crate) fn day_of_week(self) -> i64 {
        (i64::from(self.date.days()) + 4).rem_euclid(7)
    }

    /// 1 January is 0.
    pub(crate) fn day_of_year(self) -> i64 {
        let first = Date::from_ymd(self.date.year(), 1, 1).map_or(0, Date::days);
        i64::from(self.date.days() - first)
    }
}

/// The moment in a time zone: a name such as `Asia/Shanghai`, or an offset such as `-02:30`.
pub(crate) fn civil(moment: Timestamp, zone: Option<&str>) -> Result<Civil, Fault> {
    let offset = match zone {
        None | Some("UTC") => 0,
        Some(zone) => offset(moment, zone)?,
    };
    let seconds = moment.seconds() + offset;
    let date = Date::from_days(seconds.div_euclid(86_400)).map_err(|_| {
        Fault::error(EvalCode::Range, "the moment lies outside the calendar in that time zone")
    })?;
    Ok(Civil { date, of_day: seconds.rem_euclid(86_400), nanos: moment.nanos() })
}

fn offset(moment: Timestamp, zone: &str) -> Result<i64, Fault> {
    let (sign, digits) = match zone.split_at_checked(1) {
        Some(("-", rest)) => (-1, rest),
        Some(("+", rest)) => (1, rest),
        _ => (1, zone),
    };
    if let Some(seconds) = time_text::fixed_offset(digits) {
        return Ok(sign * seconds);
    }
    let unknown = || {
        let shown: String = zone.chars().take(40).collect();
        let message = format!("`{shown}` is no time zone: write a name such as Asia/Shanghai, or +08:00");
        Fault::error(EvalCode::InvalidArgument, message)
    };
    let zone = jiff::tz::TimeZone::get(zone).map_err(|_| unknown())?;
    let moment = jiff::Timestamp::from_second(moment.seconds()).map_err(|_| unknown())?;
    Ok(i64::from(zone.to_offset(moment).seconds()))
}
