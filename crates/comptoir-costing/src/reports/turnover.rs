//! Turnover and days of supply: how fast the stock sells and how long it will last.

use comptoir_types::Date;

use super::error::ReportError;
use super::keys::KeyIndex;
use super::period::Calendar;
use super::ratio::ratio;
use crate::movement::Kind;
use crate::posting::Posting;

/// Turnover of every (item, pool) over a window, in ascending order of item and pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turnover {
    /// Codes of the items.
    pub item: Vec<u32>,
    /// Codes of the pools, or [`NONE`](crate::posting::NONE).
    pub pool: Vec<u32>,
    /// Quantity sold or consumed in the window, less returns.
    pub consumed_quantity: Vec<i128>,
    /// Cost of what was sold or consumed in the window, less returns and with corrections booked in it.
    pub cost_of_sales: Vec<i128>,
    /// Average value of the stock over the window, in units of the money scale, rounded half to even.
    pub average_inventory: Vec<i128>,
    /// Cost of sales / average inventory, at the scale asked for; `None` where the average is not above zero.
    pub turnover: Vec<Option<i128>>,
    /// Days of the window / turnover, at the scale asked for; `None` where nothing was sold.
    pub days_in_inventory: Vec<Option<i128>>,
    /// Quantity on hand at the end of the window.
    pub on_hand: Vec<i128>,
    /// On hand / average daily consumption in days, at the scale asked for; `None` where nothing was consumed.
    pub days_of_supply: Vec<Option<i128>>,
}

/// What a [`Turnover`] is computed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnoverSpec {
    /// First day of the window.
    pub from: Date,
    /// Last day of the window.
    pub to: Date,
    /// Kinds that consume stock; their corrections count too.
    pub consumption: Vec<Kind>,
    /// How the average inventory is formed.
    pub average: AverageInventory,
    /// Decimal places of the ratios.
    pub scale: u8,
}

/// How the average inventory is formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AverageInventory {
    /// Half of the sum of opening and closing value, the textbook form.
    OpeningAndClosing,
    /// Mean of the values at the end of every day, which a single large receipt does not distort.
    Daily,
}

impl TurnoverSpec {
    /// Sales less sales returns, daily average, two decimal places.
    #[must_use]
    pub fn sales(from: Date, to: Date) -> Self {
        let consumption = vec![Kind::Issue, Kind::SalesReturn];
        Self { from, to, consumption, average: AverageInventory::Daily, scale: 2 }
    }
}

/// Computes turnover and days of supply from postings in book order.
///
/// # Errors
/// `COSTING_REPORT_WINDOW` for an empty window, `COSTING_POSTINGS_UNORDERED` where the postings of a key are not in order
/// of time, `TYPES_TIME_RANGE` for a posting outside the calendar.
pub fn turnover(
    postings: impl IntoIterator<Item = Posting>,
    spec: &TurnoverSpec,
    calendar: Calendar,
) -> Result<Turnover, ReportError> {
    let (from, to) = (spec.from, spec.to);
    if to < from {
        return Err(ReportError::Window { from, to });
    }
    let mut keys = KeyIndex::default();
    let mut states: Vec<KeyState> = Vec::new();
    for posting in postings {
        let date = calendar.date(posting.at)?;
        if date > to {
            continue;
        }
        let number = keys.number(posting.item, posting.pool);
        if number == states.len() {
            states.push(KeyState { day: from.days(), ..KeyState::default() });
        }
        if let Some(state) = states.get_mut(number) {
            state.add(&posting, date, spec).ok_or(ReportError::Unordered { row: posting.row, date })?;
        }
    }
    Ok(columns(&keys, &mut states, spec))
}

/// One key while its lines are read. Sums of 2^32 lines of 2^63 units over 2^22 days stay below 2^127.
#[derive(Clone, Copy, Debug, Default)]
struct KeyState {
    // Day from which `value` stands on hand.
    day: i32,
    value: i128,
    value_days: i128,
    opening_value: i128,
    on_hand: i128,
    consumed_quantity: i128,
    cost_of_sales: i128,
}

impl KeyState {
    /// Takes in a line, or `None` where its day lies before that of the last one.
    fn add(&mut self, posting: &Posting, date: Date, spec: &TurnoverSpec) -> Option<()> {
        let is_before = date < spec.from;
        if !is_before {
            self.stand_until(date.days())?;
        } else if self.day > spec.from.days() {
            return None;
        }
        self.value += i128::from(posting.value);
        self.on_hand += i128::from(posting.quantity);
        if is_before {
            self.opening_value = self.value;
        } else if spec.consumption.contains(&posting.adjusted_kind) {
            self.consumed_quantity -= i128::from(posting.quantity);
            self.cost_of_sales -= i128::from(posting.value);
        }
        Some(())
    }

    /// Counts the value for every day that ends before `day`.
    fn stand_until(&mut self, day: i32) -> Option<()> {
        if day < self.day {
            return None;
        }
        // Below 2^95 * 2^22: the plain product would call a checked 128-bit multiplication for nothing.
        self.value_days += self.value.wrapping_mul(i128::from(day) - i128::from(self.day));
        self.day = day;
        Some(())
    }
}

fn columns(keys: &KeyIndex, states: &mut [KeyState], spec: &TurnoverSpec) -> Turnover {
    let days = i128::from(spec.to.days()) - i128::from(spec.from.days()) + 1;
    let pairs = keys.pairs();
    let mut columns = Turnover::default();
    for number in keys.sorted() {
        let (Some(&(item, pool)), Some(state)) = (pairs.get(number), states.get_mut(number)) else {
            continue;
        };
        state.stand_until(spec.to.days().saturating_add(1));
        // The average is `sum` / `count`.
        let (sum, count) = match spec.average {
            AverageInventory::OpeningAndClosing => (state.opening_value + state.value, 2),
            AverageInventory::Daily => (state.value_days, days),
        };
        let times = |units: i128, factor: i128| units.checked_mul(factor);
        let per =
            |numerator: Option<i128>, denominator: Option<i128>| ratio(numerator?, denominator?, spec.scale);
        let cost = state.cost_of_sales;
        columns.item.push(item);
        columns.pool.push(pool);
        columns.consumed_quantity.push(state.consumed_quantity);
        columns.cost_of_sales.push(cost);
        columns.average_inventory.push(ratio(sum, count, 0).unwrap_or(0));
        columns.turnover.push(per(times(cost, count), Some(sum)));
        columns.days_in_inventory.push(per(times(sum, days), times(cost, count)));
        columns.on_hand.push(state.on_hand);
        columns.days_of_supply.push(per(times(state.on_hand, days), Some(state.consumed_quantity)));
    }
    columns
}

#[cfg(test)]
mod tests {
    use comptoir_types::{Clock, ErrorCode};
    use proptest::prelude::*;

    use super::super::samples::{date, histories, posting};
    use super::*;

    const DAYS: Calendar = Calendar::utc(Clock::DAY);

    fn day(text: &str) -> i64 {
        i64::from(date(text).days())
    }

    #[test]
    fn ratios_follow_their_definitions() {
        // Ten days: 100 on hand for four days, then 60 for six. Daily average (4*100 + 6*60) / 10 = 76; sold for 40.
        let postings = [
            posting(0, 0, day("2023-12-01"), Kind::Receipt, 10, 100),
            posting(1, 0, day("2024-01-05"), Kind::Issue, -5, -50),
            posting(2, 0, day("2024-01-05"), Kind::SalesReturn, 1, 10),
            posting(3, 0, day("2024-02-01"), Kind::Issue, -6, -60),
        ];
        let spec = TurnoverSpec::sales(date("2024-01-01"), date("2024-01-10"));
        let daily = turnover(postings, &spec, DAYS).unwrap();
        assert_eq!((daily.consumed_quantity[0], daily.cost_of_sales[0]), (4, 40));
        assert_eq!(daily.average_inventory, [76]);
        assert_eq!(daily.turnover, [Some(53)]); // 40 / 76 = 0.526
        assert_eq!(daily.days_in_inventory, [Some(1900)]); // 10 * 76 / 40
        assert_eq!(daily.days_of_supply, [Some(1500)]); // 6 on hand at 0.4 a day
        let spec = TurnoverSpec { average: AverageInventory::OpeningAndClosing, ..spec };
        let ends = turnover(postings, &spec, DAYS).unwrap();
        assert_eq!(ends.average_inventory, [80]);
        assert_eq!(ends.turnover, [Some(50)]);
    }

    #[test]
    fn what_means_nothing_is_null() {
        let spec = TurnoverSpec::sales(date("2024-01-01"), date("2024-01-10"));
        let still = turnover([posting(0, 0, 0, Kind::Receipt, 1, 9)], &spec, DAYS).unwrap();
        assert_eq!(
            (still.turnover[0], still.days_in_inventory[0], still.days_of_supply[0]),
            (Some(0), None, None)
        );
        let empty = TurnoverSpec::sales(date("2024-01-02"), date("2024-01-01"));
        assert_eq!(turnover([], &empty, DAYS).unwrap_err().code(), "COSTING_REPORT_WINDOW");
        let unordered =
            [day("2024-01-05"), day("2024-01-04")].map(|at| posting(0, 0, at, Kind::Receipt, 1, 9));
        assert_eq!(turnover(unordered, &spec, DAYS).unwrap_err().code(), "COSTING_POSTINGS_UNORDERED");
    }

    proptest! {
        #[test]
        fn the_daily_average_is_the_mean_of_the_day_ends(postings in histories(), first in 0_i64..300, length in 0_i64..40) {
            let from = Date::EPOCH.add_days(first).unwrap();
            let spec = TurnoverSpec::sales(from, from.add_days(length).unwrap());
            let report = turnover(postings.iter().copied(), &spec, DAYS).unwrap();
            for row in 0..report.item.len() {
                let key = (report.item[row], report.pool[row]);
                let at_end = |day: i64| -> i128 {
                    let own = postings.iter().filter(|line| (line.item, line.pool) == key && line.at <= day);
                    own.map(|line| i128::from(line.value)).sum()
                };
                let sum: i128 = (first..=first + length).map(at_end).sum();
                prop_assert_eq!(report.average_inventory[row], ratio(sum, i128::from(length) + 1, 0).unwrap());
            }
        }
    }
}
