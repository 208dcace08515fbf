//! Ageing (库龄): how long the stock has been lying, by quantity and by value.

use comptoir_types::Date;

use super::error::ReportError;
use super::keys::KeyIndex;
use super::period::Calendar;
use super::ratio::ratio;
use crate::posting::OpenLayer;

/// Decimal places of the average ages.
pub const AVERAGE_AGE_SCALE: u8 = 2;

/// Age of the stock of every (item, pool), one entry per key in each column, in ascending order of item and pool.
///
/// The sum of the buckets and the shortage is the closing quantity and value, to the last unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ageing {
    /// Day for which the stock is aged.
    pub as_of: Date,
    /// Last day of every bucket but the last, which has no end.
    pub edges: Vec<u32>,
    /// Codes of the items.
    pub item: Vec<u32>,
    /// Codes of the pools, or [`NONE`](crate::posting::NONE).
    pub pool: Vec<u32>,
    /// Quantity by bucket, then by key.
    pub quantity: Vec<Vec<i64>>,
    /// Value by bucket, then by key.
    pub value: Vec<Vec<i64>>,
    /// Quantity of layers below zero (issued before it was received), which have no age and stand in no bucket.
    pub shortage_quantity: Vec<i64>,
    /// Value of those layers.
    pub shortage_value: Vec<i64>,
    /// Quantity on hand: all buckets and the shortage.
    pub closing_quantity: Vec<i64>,
    /// Value on hand: all buckets and the shortage.
    pub closing_value: Vec<i64>,
    /// Average age in hundredths of days, weighted by quantity; `None` where no layer is above zero.
    pub average_age: Vec<Option<i64>>,
    /// Date of the oldest layer above zero.
    pub oldest: Vec<Option<Date>>,
    /// The same over all keys.
    pub totals: AgeingTotals,
}

/// Sums over all keys of an [`Ageing`]. Quantities of different items are added as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgeingTotals {
    /// Quantity by bucket.
    pub quantity: Vec<i128>,
    /// Value by bucket.
    pub value: Vec<i128>,
    /// Quantity of layers below zero.
    pub shortage_quantity: i128,
    /// Value of those layers.
    pub shortage_value: i128,
    /// Quantity on hand.
    pub closing_quantity: i128,
    /// Value on hand.
    pub closing_value: i128,
    /// Average age in hundredths of days, weighted by quantity.
    pub average_age: Option<i64>,
    /// Date of the oldest layer above zero.
    pub oldest: Option<Date>,
}

/// Ages the open layers as of a day.
///
/// `edges` holds the last day of each bucket, ascending: `[30, 60, 90]` makes the buckets 0-30, 31-60, 61-90 and above 90
/// days. Layers may come in any order. A layer below zero is a shortage; one with value but no quantity counts by its date.
///
/// # Errors
/// `COSTING_AGEING_BUCKETS` where the edges do not ascend, `COSTING_AGEING_FUTURE_LAYER` for a layer dated after `as_of`
/// (leaving it out would break the sum), `COSTING_REPORT_OVERFLOW` where a bucket of one key leaves 64 bits,
/// `TYPES_TIME_RANGE` for a layer outside the calendar.
///
/// ```
/// use comptoir_costing::posting::{NONE, OpenLayer};
/// use comptoir_costing::reports::{Calendar, age};
/// use comptoir_types::{Clock, Date};
///
/// let layer = OpenLayer { item: 0, pool: NONE, lot: NONE, row: 0, at: 0, quantity: 40, value: 4000 };
/// let ageing = age([layer], Date::EPOCH.add_days(31)?, &[30, 60], Calendar::utc(Clock::DAY))?;
/// assert_eq!(ageing.value, [[0], [4000], [0]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn age(
    layers: impl IntoIterator<Item = OpenLayer>,
    as_of: Date,
    edges: &[u32],
    calendar: Calendar,
) -> Result<Ageing, ReportError> {
    check_edges(edges)?;
    let mut keys = KeyIndex::default();
    let mut ages = Ages { buckets: edges.len() + 1, ..Ages::default() };
    for layer in layers {
        let number = keys.number(layer.item, layer.pool);
        let days = age_in_days(&layer, as_of, calendar)?;
        let bucket = edges.partition_point(|&edge| i64::from(edge) < days);
        ages.add(number, &layer, days, bucket)
            .ok_or(ReportError::Overflow { what: "the quantity or value", item: layer.item })?;
    }
    columns(&keys, &ages, as_of, edges)
}

/// Names of the buckets: `0-30`, `31-60`, `61-90`, `>90`.
#[must_use]
pub fn bucket_labels(edges: &[u32]) -> Vec<String> {
    let starts = std::iter::once(0).chain(edges.iter().map(|edge| u64::from(*edge) + 1));
    let mut labels: Vec<String> = starts.zip(edges).map(|(start, edge)| format!("{start}-{edge}")).collect();
    labels.push(edges.last().map_or_else(|| "0-".to_owned(), |edge| format!(">{edge}")));
    labels
}

fn check_edges(edges: &[u32]) -> Result<(), ReportError> {
    for (&before, &edge) in edges.iter().zip(edges.iter().skip(1)) {
        if edge <= before {
            return Err(ReportError::Edges { before, edge });
        }
    }
    Ok(())
}

fn age_in_days(layer: &OpenLayer, as_of: Date, calendar: Calendar) -> Result<i64, ReportError> {
    let date = calendar.date(layer.at)?;
    if date > as_of {
        return Err(ReportError::FutureLayer { row: layer.row, date, as_of });
    }
    Ok(i64::from(as_of.days()) - i64::from(date.days()))
}

/// Ages of all keys while the layers are read, by number of the key.
#[derive(Debug, Default)]
struct Ages {
    buckets: usize,
    // Quantity and value, all buckets of a key side by side, so that ten million keys need no allocation each.
    cells: Vec<(i64, i64)>,
    keys: Vec<KeyAge>,
}

/// Age of one key, less its buckets.
#[derive(Clone, Copy, Debug, Default)]
struct KeyAge {
    shortage: (i64, i64),
    closing: (i64, i64),
    // Sum of quantity times days and of quantity over the layers above zero.
    weighted_days: i128,
    weight: i128,
    oldest_days: Option<i64>,
}

impl Ages {
    fn add(&mut self, number: usize, layer: &OpenLayer, days: i64, bucket: usize) -> Option<()> {
        if number == self.keys.len() {
            self.keys.push(KeyAge::default());
            self.cells.resize(self.cells.len() + self.buckets, (0, 0));
        }
        let key = self.keys.get_mut(number)?;
        let cell = match layer.quantity < 0 {
            true => &mut key.shortage,
            false => self.cells.get_mut(number * self.buckets + bucket)?,
        };
        for sum in [cell, &mut key.closing] {
            *sum = (sum.0.checked_add(layer.quantity)?, sum.1.checked_add(layer.value)?);
        }
        if layer.quantity > 0 {
            // 2^32 layers of 2^63 pieces for 2^22 days stay below 2^117.
            key.weighted_days += i128::from(layer.quantity) * i128::from(days);
            key.weight += i128::from(layer.quantity);
            key.oldest_days = key.oldest_days.max(Some(days));
        }
        Some(())
    }

    /// One part of every bucket, by bucket and then in the given order of keys.
    fn columns(&self, order: &[usize], part: fn(&(i64, i64)) -> i64) -> Vec<Vec<i64>> {
        let column = |bucket: usize| {
            let cells = order.iter().map(|&number| self.cells.get(number * self.buckets + bucket));
            cells.map(|cell| cell.map_or(0, part)).collect()
        };
        (0..self.buckets).map(column).collect()
    }
}

fn columns(keys: &KeyIndex, ages: &Ages, as_of: Date, edges: &[u32]) -> Result<Ageing, ReportError> {
    let order = keys.sorted();
    let pairs = keys.pairs();
    let sorted: Vec<&KeyAge> = order.iter().filter_map(|&number| ages.keys.get(number)).collect();
    let (item, pool) = order.iter().filter_map(|&number| pairs.get(number).copied()).unzip();
    let quantity = ages.columns(&order, |cell| cell.0);
    let value = ages.columns(&order, |cell| cell.1);
    let oldest = sorted.iter().map(|key| key.oldest_days.map(|days| as_of.add_days(-days)).transpose());
    let oldest = oldest.collect::<Result<_, _>>()?;
    Ok(Ageing {
        as_of,
        edges: edges.to_vec(),
        item,
        pool,
        shortage_quantity: sorted.iter().map(|key| key.shortage.0).collect(),
        shortage_value: sorted.iter().map(|key| key.shortage.1).collect(),
        closing_quantity: sorted.iter().map(|key| key.closing.0).collect(),
        closing_value: sorted.iter().map(|key| key.closing.1).collect(),
        average_age: sorted.iter().map(|key| average_age(key.weighted_days, key.weight)).collect(),
        oldest,
        totals: AgeingTotals {
            quantity: quantity.iter().map(|column| sum(column)).collect(),
            value: value.iter().map(|column| sum(column)).collect(),
            ..totals(&sorted, as_of)?
        },
        quantity,
        value,
    })
}

fn sum(column: &[i64]) -> i128 {
    column.iter().map(|&units| i128::from(units)).sum()
}

fn totals(keys: &[&KeyAge], as_of: Date) -> Result<AgeingTotals, ReportError> {
    let mut totals = AgeingTotals::default();
    let (mut weighted_days, mut weight, mut oldest_days) = (0, 0, None);
    for key in keys {
        totals.shortage_quantity += i128::from(key.shortage.0);
        totals.shortage_value += i128::from(key.shortage.1);
        totals.closing_quantity += i128::from(key.closing.0);
        totals.closing_value += i128::from(key.closing.1);
        weighted_days += key.weighted_days;
        weight += key.weight;
        oldest_days = oldest_days.max(key.oldest_days);
    }
    totals.average_age = average_age(weighted_days, weight);
    totals.oldest = oldest_days.map(|days| as_of.add_days(-days)).transpose()?;
    Ok(totals)
}

/// An average of days of the calendar is below 2^22, so that it always fits once it exists.
fn average_age(weighted_days: i128, weight: i128) -> Option<i64> {
    ratio(weighted_days, weight, AVERAGE_AGE_SCALE).and_then(|average| i64::try_from(average).ok())
}

#[cfg(test)]
#[path = "ageing_tests.rs"]
mod tests;
