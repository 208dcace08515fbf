//! Valuation of stock histories.

use std::str::FromStr;

use comptoir::costing::arrow::{Table as CoreTable, TableValuation, value_batches};
use comptoir::costing::reports::{By, Period, VoucherTemplate};
use comptoir::costing::{Counts, Error, Policy};
use comptoir::types::{Date, Decimal, Error as TypesError, WideDecimal};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::{Fault, Table, parse, render};

/// A valued history.
#[derive(Debug)]
pub struct History(TableValuation);

/// Which table of a valuation is asked for: JSON with the field `table` and the parameters beside it.
#[derive(Debug, Deserialize)]
#[serde(tag = "table", rename_all = "snake_case", deny_unknown_fields)]
enum Request {
    /// What each movement did to stock and accounts.
    Postings {},
    /// Open layers at the end.
    Layers {},
    /// Quantity and value on hand at the end.
    Balances {},
    /// Rows that are not in the books, with code, message and row.
    Rejected {},
    /// Quantity and value by age on a day; `buckets` are upper ends in days.
    Ageing { as_of: String, buckets: Vec<u32> },
    /// Provision by age on a day; `rates` has one more than `buckets`. What is booked already is the second table.
    Provision { as_of: String, buckets: Vec<u32>, rates: Vec<String> },
    /// Voucher lines. Without a template or grouping: `ifrs` by day.
    VoucherEntries {
        #[serde(default = "standard")]
        template: Json,
        #[serde(default)]
        by: Grouping,
    },
    /// Which movement is in which voucher.
    VoucherMovements {
        #[serde(default = "standard")]
        template: Json,
        #[serde(default)]
        by: Grouping,
    },
    /// Balances of the accounts.
    TrialBalance {
        #[serde(default = "standard")]
        template: Json,
    },
    /// Movements of one item with running balance.
    StockCard { item: String },
    /// Receipts, issues and balance by period.
    Summary { period: Span },
    /// Turnover and days of supply between two days.
    Turnover { first: String, last: String },
}

/// Movements that make one voucher.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Grouping {
    Movement,
    Document,
    #[default]
    Day,
    #[serde(alias = "period")]
    Month,
}

/// Periods of a summary.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Span {
    Day,
    Month,
    Total,
}

/// Whether vouchers and accounts agree with the stock.
#[derive(Debug, Serialize)]
struct Control {
    balanced: bool,
    accounts_total: String,
    stock_value: String,
}

impl History {
    /// Values movements under a policy: JSON text, or the name of a preset in quotes.
    ///
    /// # Errors
    /// A policy that cannot be used, columns that are missing or of a wrong type. Bad rows are no error: they are
    /// [rejected](History::table).
    pub fn value(policy: &str, movements: Table) -> Result<Self, Fault> {
        let policy = read_policy(policy)?;
        Ok(Self(value_batches(&movements.schema, movements.batches, &policy)?))
    }

    /// What became of the rows.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.valuation().counts()
    }

    /// The last day of the history, in days since 1970-01-01.
    ///
    /// # Errors
    /// A history without movements.
    pub fn last_day(&self) -> Result<i32, Fault> {
        Ok(self.0.last_day().map(Date::days)?)
    }

    /// A table of the valuation: `{"table": "ageing", "as_of": "2024-12-31", "buckets": [30, 90]}`. The tables are
    /// `postings`, `layers`, `balances`, `rejected`, `ageing`, `provision` (with what is `booked` beside it),
    /// `voucher_entries`, `voucher_movements`, `trial_balance`, `stock_card`, `summary` and `turnover`.
    ///
    /// # Errors
    /// `HOST_JSON` for a request that is none, and those of the report.
    pub fn table(&self, request: &str, booked: Option<Table>) -> Result<Table, Fault> {
        let request = parse("request", request)?;
        let made = match (&request, booked) {
            (Request::Provision { as_of, buckets, rates }, booked) => {
                let rates = parse_rates(rates)?;
                let booked = booked.map(|table| (table.schema, table.batches));
                self.0.provision_table(argument("as_of", as_of)?, buckets, &rates, booked.as_ref())?
            }
            (_, Some(_)) => return Err(Fault::argument("only a provision takes a table of what is booked")),
            (request, None) => self.report(request)?,
        };
        Ok(Table::new(made.0, made.1)?)
    }

    fn report(&self, request: &Request) -> Result<CoreTable, Fault> {
        Ok(match request {
            Request::Postings {} => self.0.postings_table()?,
            Request::Layers {} => self.0.layers_table()?,
            Request::Balances {} => self.0.balances_table()?,
            Request::Rejected {} => self.0.rejected_table()?,
            Request::Ageing { as_of, buckets } => self.0.ageing_table(argument("as_of", as_of)?, buckets)?,
            Request::Provision { .. } => return Err(Fault::internal("a provision is no plain report")),
            Request::VoucherEntries { template, by } => {
                self.0.voucher_tables(&read_template(template)?, (*by).into())?.entries
            }
            Request::VoucherMovements { template, by } => {
                self.0.voucher_tables(&read_template(template)?, (*by).into())?.movements
            }
            Request::TrialBalance { template } => self.0.trial_balance_table(&read_template(template)?)?.0,
            Request::StockCard { item } => self.0.stock_card_table(item)?,
            Request::Summary { period } => self.0.summary_table((*period).into())?,
            Request::Turnover { first, last } => {
                self.0.turnover_table(argument("first", first)?, argument("last", last)?)?
            }
        })
    }

    /// Whether every voucher balances, and the inventory accounts beside the value of the stock, as JSON:
    /// `{"balanced": true, "accounts_total": "12.30", "stock_value": "12.30"}`. `template` is JSON: a template, or the
    /// name of a preset in quotes.
    ///
    /// # Errors
    /// A template that cannot be used.
    pub fn control(&self, template: &str) -> Result<String, Fault> {
        let template = read_template(&parse("template", template)?)?;
        let vouchers = self.0.voucher_tables(&template, By::Movement)?;
        let (_, check) = self.0.trial_balance_table(&template)?;
        let scale = self.0.valuation().policy().money_scale;
        let shown = |units: i128| WideDecimal::new(units, scale).map(|money| money.to_string());
        render(&Control {
            balanced: vouchers.balanced,
            accounts_total: shown(check.accounts_total)?,
            stock_value: shown(check.stock_value)?,
        })
    }
}

/// Checks a policy and gives it back as JSON text with every field.
///
/// # Errors
/// A policy that cannot be used, with the field.
pub fn policy(policy: &str) -> Result<String, Fault> {
    Ok(read_policy(policy)?.to_json()?)
}

fn read_policy(text: &str) -> Result<Policy, Fault> {
    match serde_json::from_str::<String>(text) {
        Ok(preset) => Ok(Policy::preset(&preset)?),
        Err(_) => Ok(Policy::from_json(text)?),
    }
}

fn standard() -> Json {
    Json::from("ifrs")
}

fn read_template(template: &Json) -> Result<VoucherTemplate, Fault> {
    let read = match template {
        Json::String(preset) => VoucherTemplate::preset(preset),
        other => VoucherTemplate::from_json(&other.to_string()),
    };
    read.map_err(|error| Error::from(error).into())
}

/// A date or number that is given as text.
///
/// # Errors
/// [`Error::Argument`] with the name of the argument.
pub fn argument<T: FromStr<Err = TypesError>>(name: &str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|source| Error::Argument { argument: name.to_owned(), source })
}

/// The rates of a provision.
///
/// # Errors
/// As [`argument`].
pub fn parse_rates(rates: &[String]) -> Result<Vec<Decimal>, Error> {
    rates.iter().enumerate().map(|(place, rate)| argument(&format!("rates[{place}]"), rate)).collect()
}

impl From<Grouping> for By {
    fn from(by: Grouping) -> Self {
        match by {
            Grouping::Movement => Self::Movement,
            Grouping::Document => Self::Document,
            Grouping::Day => Self::Day,
            Grouping::Month => Self::Month,
        }
    }
}

impl From<Span> for Period {
    fn from(span: Span) -> Self {
        match span {
            Span::Day => Self::Day,
            Span::Month => Self::Month,
            Span::Total => Self::Total,
        }
    }
}
