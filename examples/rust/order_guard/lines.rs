//! Order lines: read from a file or made, and joined with what is usual for their item.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::path::Path;

use comptoir::rules::host::Activation;
use comptoir::rules::ir::Slot;
use comptoir::rules::{DecimalValue, Value};
use comptoir::types::{Decimal, WideDecimal};
use serde::Deserialize;

/// An order line as a row of the file has it.
#[derive(Debug, Clone, Deserialize)]
struct Row {
    #[serde(rename = "InvoiceNo")]
    invoice: String,
    #[serde(rename = "StockCode")]
    item: String,
    #[serde(rename = "Quantity")]
    qty: i64,
    #[serde(rename = "UnitPrice", deserialize_with = "exact")]
    price: Decimal,
    /// Some programs write a number that may be missing with a point.
    #[serde(rename = "CustomerID")]
    customer: Option<f64>,
}

/// Money is read from its text, digit by digit: a reader of CSV would take it for a float.
fn exact<'de, D: serde::Deserializer<'de>>(reader: D) -> Result<Decimal, D::Error> {
    let text = String::deserialize(reader)?;
    text.trim().parse().map_err(serde::de::Error::custom)
}

/// An order line with what is usual for its item.
#[derive(Debug, Clone)]
pub struct Line {
    row: Row,
    usual: Option<Usual>,
}

/// The median price and quantity of an item's sales.
#[derive(Debug, Clone, Copy)]
struct Usual {
    price: Decimal,
    qty: i64,
}

/// The line is the event: the guard asks it for the inputs that its rules read, without a copy of the line.
impl Activation for Line {
    fn slot<'s>(&'s self, _: usize, slot: &Slot) -> Value<'s> {
        let decimal = |value: Decimal| Value::Decimal(DecimalValue::from(value));
        match &*slot.name {
            "item" => Value::str(&self.row.item),
            "qty" => Value::Int(self.row.qty),
            "price" => decimal(self.row.price),
            "usual_price" => self.usual.map_or(Value::Null, |usual| decimal(usual.price)),
            "usual_qty" => self.usual.map_or(Value::Null, |usual| Value::Int(usual.qty)),
            #[expect(clippy::cast_possible_truncation, reason = "the number of a customer is whole")]
            "customer" => self.row.customer.map_or(Value::Null, |customer| Value::Int(customer as i64)),
            _ => Value::Absent,
        }
    }
}

impl Line {
    /// What the line is worth, whatever its direction.
    pub fn worth(&self) -> Result<WideDecimal, Box<dyn Error>> {
        let worth = self.row.price.checked_mul(Decimal::try_from(self.row.qty)?)?.widen();
        Ok(if worth < WideDecimal::ZERO { worth.negated() } else { worth })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row { invoice, item, qty, price, .. } = &self.row;
        write!(formatter, "invoice {invoice}, item {item}: {qty} at {price}")?;
        self.usual.map_or(Ok(()), |usual| write!(formatter, ", usually {}", usual.price))
    }
}

/// Reads the lines of a file.
pub fn read(file: &Path) -> Result<Vec<Line>, Box<dyn Error>> {
    let mut reader = csv::Reader::from_path(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let rows = reader.deserialize().collect::<Result<Vec<Row>, _>>();
    Ok(joined(rows.map_err(|error| format!("{}: {error}", file.display()))?))
}

/// Adds the medians of each item's sales.
fn joined(rows: Vec<Row>) -> Vec<Line> {
    let mut sales: HashMap<&str, (Vec<Decimal>, Vec<i64>)> = HashMap::new();
    for row in rows.iter().filter(|row| row.qty > 0 && row.price > Decimal::ZERO) {
        let (prices, quantities) = sales.entry(&row.item).or_default();
        prices.push(row.price);
        quantities.push(row.qty);
    }
    let usual: HashMap<String, Usual> = sales
        .into_iter()
        .filter_map(|(item, (prices, quantities))| {
            Some((item.to_owned(), Usual { price: median(prices)?, qty: median(quantities)? }))
        })
        .collect();
    rows.into_iter().map(|row| Line { usual: usual.get(&row.item).copied(), row }).collect()
}

/// The middle one; of two the lower, so that it is a price that was paid.
fn median<T: Ord + Copy>(mut values: Vec<T>) -> Option<T> {
    let middle = values.len().checked_sub(1)? / 2;
    let (_, median, _) = values.select_nth_unstable(middle);
    Some(*median)
}

/// Makes lines from a fixed seed: one in some hundreds is wrong in some way.
pub fn make(count: u32) -> Vec<Line> {
    let mut state = 42_u64;
    let mut below = move |limit: i64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(state >> 33).unwrap_or(0) % limit
    };
    let row = |number: u32| {
        let item = below(500);
        let usual = 150 + item * item % 3_000;
        let cents = match below(200) {
            0 => usual / 10,
            1 | 2 => usual * 4 / 10,
            3 => usual * 10,
            4 => 0,
            5 if number.is_multiple_of(20) => -usual,
            other => usual * (900 + other) / 1_000,
        };
        let qty = match below(500) {
            0 => 1_000 + below(9_000),
            1 => -below(2_000) - 1,
            _ => 1 + below(12),
        };
        let customer = (below(4) > 0).then_some(12_345.0);
        let price = Decimal::new(cents, 2).unwrap_or(Decimal::ZERO);
        let invoice = (536_365 + number / 20).to_string();
        Row { invoice, item: format!("{}", 20_000 + item), qty, price, customer }
    };
    joined((0..count).map(row).collect())
}
