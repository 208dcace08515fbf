//! Receipts, issues and balance by period (收发存汇总).

use comptoir_types::Date;
use rayon::prelude::*;

use super::error::ReportError;
use super::keys::KeyIndex;
use super::period::{Calendar, Period, PeriodCursor, next_start};
use crate::movement::{Direction, Kind};
use crate::posting::Posting;

/// Movements of every (item, pool) by period, one entry per period and key in each column, in ascending order of period,
/// item and pool.
///
/// For quantity and value alike: `opening` + `received` - `issued` + `adjusted` = `closing`, and the closing of a period is
/// the opening of the next one of the key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// First day of the period.
    pub start: Vec<Date>,
    /// Codes of the items.
    pub item: Vec<u32>,
    /// Codes of the pools, or [`NONE`](crate::posting::NONE).
    pub pool: Vec<u32>,
    /// What stood on hand at the start; an opening balance that is the first line of its key belongs here too.
    pub opening: Amounts,
    /// What came in: the kinds whose direction is in, less what was taken back or corrected of them.
    pub received: Amounts,
    /// What went out, as positive numbers: the kinds whose direction is out, less what was taken back or corrected of them.
    pub issued: Amounts,
    /// What counts, revaluations and cost adjustments changed, with its sign.
    pub adjusted: Amounts,
    /// What stands on hand at the end.
    pub closing: Amounts,
    /// What the period charged to the variance account.
    pub variance: Vec<i64>,
}

/// Quantities in units of the quantity scale and values in units of the money scale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Quantities.
    pub quantity: Vec<i64>,
    /// Values.
    pub value: Vec<i64>,
}

/// Which periods a [`Summary`] has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SummarySpec {
    /// Length of the periods.
    pub period: Period,
    /// First day that counts; what lies before goes into the opening. `None`: the first day of the history.
    pub from: Option<Date>,
    /// Last day that counts; what lies after is left out. `None`: the last day of the history.
    pub to: Option<Date>,
    /// What to do with periods in which a key did not move.
    pub quiet: Quiet,
}

/// What to do with periods in which a key did not move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quiet {
    /// They have no entry.
    Omit,
    /// They have an entry while something stands on hand, so that the closings of a period add up to the stock.
    Carry,
}

/// Summarises postings in book order.
///
/// Set `pool` of the postings to [`NONE`](crate::posting::NONE) beforehand to get one entry per item over all pools.
///
/// # Errors
/// `COSTING_POSTINGS_UNORDERED` where the postings are not in book order, `COSTING_REPORT_WINDOW` where `to` lies before
/// `from`, `TYPES_TIME_RANGE` for a posting outside the calendar, `COSTING_REPORT_OVERFLOW` where a sum leaves 64 bits.
pub fn summarise(
    postings: impl IntoIterator<Item = Posting>,
    spec: SummarySpec,
    calendar: Calendar,
) -> Result<Summary, ReportError> {
    if let (Some(from), Some(to)) = (spec.from, spec.to)
        && to < from
    {
        return Err(ReportError::Window { from, to });
    }
    let mut keys = KeyIndex::default();
    let mut book = Book::default();
    let mut cursor: Option<PeriodCursor> = None;
    let mut last_start = None;
    for posting in postings {
        let date = calendar.date(posting.at)?;
        let number = keys.number(posting.item, posting.pool);
        let overflow = || ReportError::Overflow { what: "the movement of a period", item: posting.item };
        if spec.from.is_some_and(|from| date < from) {
            book.carry_forward(number, &posting).ok_or_else(overflow)?;
        } else if spec.to.is_none_or(|to| date <= to) {
            let origin = spec.from.unwrap_or(date);
            let start = cursor.get_or_insert_with(|| PeriodCursor::new(spec.period, origin)).start(date);
            if last_start.is_some_and(|last| start < last) {
                return Err(ReportError::Unordered { row: posting.row, date });
            }
            last_start = Some(start);
            book.add(number, start, &posting).ok_or_else(overflow)?;
        }
    }
    let mut rows = book.rows;
    if spec.quiet == Quiet::Carry {
        rows = with_quiet_periods(rows, &book.keys, range(spec, last_start), spec.period);
    }
    Ok(columns(&rows, keys.pairs()))
}

/// Starts of the first and the last period of the report, as far as they are known.
fn range(spec: SummarySpec, last_start: Option<Date>) -> (Option<Date>, Option<Date>) {
    let origin = spec.from.or(last_start).unwrap_or(Date::EPOCH);
    let mut cursor = PeriodCursor::new(spec.period, origin);
    let first = spec.from.map(|from| cursor.start(from));
    (first, spec.to.map(|to| cursor.start(to)).or(last_start).or(first))
}

/// Which column a line belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Opening,
    Received,
    Issued,
    Adjusted,
}

fn flow(kind: Kind, is_first: bool) -> Flow {
    match (kind, kind.direction()) {
        (Kind::Opening, _) if is_first => Flow::Opening,
        (Kind::CountGain | Kind::CountLoss, _) => Flow::Adjusted,
        (_, Direction::In) => Flow::Received,
        (_, Direction::Out) => Flow::Issued,
        (_, Direction::Value | Direction::Relative) => Flow::Adjusted,
    }
}

/// Quantity and value.
type Pair = (i64, i64);

fn plus(sum: Pair, other: Pair) -> Option<Pair> {
    Some((sum.0.checked_add(other.0)?, sum.1.checked_add(other.1)?))
}

#[derive(Clone, Copy, Debug)]
struct Row {
    start: Date,
    key: u32,
    // What stood on hand before the first line of the row; differs from `opening` where that line is an opening balance.
    carried: Pair,
    opening: Pair,
    received: Pair,
    issued: Pair,
    adjusted: Pair,
    closing: Pair,
    variance: i64,
}

impl Row {
    fn quiet(start: Date, key: u32, balance: Pair) -> Self {
        let none = (0, 0);
        Self {
            start,
            key,
            carried: balance,
            opening: balance,
            received: none,
            issued: none,
            adjusted: none,
            closing: balance,
            variance: 0,
        }
    }
}

/// One key while its lines are read.
#[derive(Clone, Copy, Debug)]
struct KeyBook {
    balance: Pair,
    // Index of the latest row of the key.
    latest: usize,
}

#[derive(Debug, Default)]
struct Book {
    rows: Vec<Row>,
    keys: Vec<KeyBook>,
}

impl Book {
    fn carry_forward(&mut self, number: usize, posting: &Posting) -> Option<()> {
        if number == self.keys.len() {
            self.keys.push(KeyBook { balance: (0, 0), latest: usize::MAX });
        }
        let key = self.keys.get_mut(number)?;
        key.balance = plus(key.balance, (posting.quantity, posting.value))?;
        Some(())
    }

    fn add(&mut self, number: usize, start: Date, posting: &Posting) -> Option<()> {
        let is_first = number == self.keys.len();
        let carried = self.keys.get(number).map_or((0, 0), |key| key.balance);
        self.carry_forward(number, posting)?;
        let key = self.keys.get_mut(number)?;
        if self.rows.get(key.latest).is_none_or(|row| row.start != start) {
            key.latest = self.rows.len();
            self.rows.push(Row::quiet(start, u32::try_from(number).ok()?, carried));
        }
        let row = self.rows.get_mut(key.latest)?;
        let change = (posting.quantity, posting.value);
        match flow(posting.adjusted_kind, is_first) {
            Flow::Opening => row.opening = plus(row.opening, change)?,
            Flow::Received => row.received = plus(row.received, change)?,
            Flow::Issued => {
                row.issued = plus(row.issued, (change.0.checked_neg()?, change.1.checked_neg()?))?
            }
            Flow::Adjusted => row.adjusted = plus(row.adjusted, change)?,
        }
        row.variance = row.variance.checked_add(posting.variance)?;
        row.closing = key.balance;
        Some(())
    }
}

/// Adds the periods between the first and the last one of the report in which a key stood still with something on hand.
fn with_quiet_periods(
    mut rows: Vec<Row>,
    keys: &[KeyBook],
    (first, last): (Option<Date>, Option<Date>),
    period: Period,
) -> Vec<Row> {
    rows.par_sort_unstable_by_key(|row| (row.key, row.start));
    let mut all = Vec::with_capacity(rows.len());
    let mut moved = rows.into_iter().peekable();
    for (key, book) in (0_u32..).zip(keys) {
        let own = moved.peek().filter(|row| row.key == key);
        let mut balance = own.map_or(book.balance, |row| row.carried);
        let mut next = first.or_else(|| own.map(|row| row.start));
        while let Some(start) = next.filter(|start| last.is_some_and(|last| *start <= last)) {
            if let Some(row) = moved.next_if(|row| row.key == key && row.start == start) {
                balance = row.closing;
                all.push(row);
            } else if balance != (0, 0) {
                all.push(Row::quiet(start, key, balance));
            }
            next = next_start(period, start);
        }
    }
    all
}

fn columns(rows: &[Row], pairs: &[(u32, u32)]) -> Summary {
    let pair = |row: &Row| pairs.get(row.key as usize).copied().unwrap_or_default();
    // Sorting what orders the rows, rather than the rows, moves a quarter of the memory.
    let mut order: Vec<(Date, (u32, u32), &Row)> =
        rows.iter().map(|row| (row.start, pair(row), row)).collect();
    order.par_sort_unstable_by_key(|&(start, pair, _)| (start, pair));
    let amounts = |part: fn(&Row) -> Pair| {
        let (quantity, value) = order.iter().map(|(_, _, row)| part(row)).unzip();
        Amounts { quantity, value }
    };
    Summary {
        start: order.iter().map(|(start, ..)| *start).collect(),
        item: order.iter().map(|(_, pair, _)| pair.0).collect(),
        pool: order.iter().map(|(_, pair, _)| pair.1).collect(),
        opening: amounts(|row| row.opening),
        received: amounts(|row| row.received),
        issued: amounts(|row| row.issued),
        adjusted: amounts(|row| row.adjusted),
        closing: amounts(|row| row.closing),
        variance: order.iter().map(|(_, _, row)| row.variance).collect(),
    }
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
