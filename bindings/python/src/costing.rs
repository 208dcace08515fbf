//! `comptoir.costing`: valuation of stock histories.

use std::sync::{Arc, OnceLock};

use comptoir::costing::arrow::{Table, TableValuation, value_batches};
use comptoir::costing::reports::{By, Period, ReportError, VoucherTemplate};
use comptoir::costing::{Error, Policy};
use comptoir::types::{Date, WideDecimal};
use comptoir_host::costing::{argument, parse_rates};
use pyo3::prelude::*;

use crate::arrow::{ArrowTable, import_stream};
use crate::enter::enter;

/// Adds the costing functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<CostingValuation>()?;
    module.add_function(wrap_pyfunction!(costing_policy, module)?)?;
    module.add_function(wrap_pyfunction!(costing_presets, module)?)?;
    module.add_function(wrap_pyfunction!(costing_template, module)?)?;
    module.add_function(wrap_pyfunction!(costing_value, module)?)
}

/// Checks a policy given as JSON or YAML text, or a preset's name, and gives it back as JSON text with every field.
#[pyfunction]
fn costing_policy(py: Python<'_>, form: &str, text: &str) -> PyResult<String> {
    enter(py, || {
        let policy = match form {
            "preset" => Policy::preset(text),
            "yaml" => Policy::from_yaml(text),
            "json" => Policy::from_json(text),
            _ => Policy::from_json(text).map_err(of_mapping),
        };
        policy.and_then(|policy| policy.to_json())
    })
}

/// Names and titles of the presets.
#[pyfunction]
fn costing_presets() -> Vec<(&'static str, &'static str)> {
    comptoir::costing::policy::PRESETS.iter().map(|preset| (preset.name, preset.title)).collect()
}

/// Values a history of movements under a policy given as JSON text.
#[pyfunction]
fn costing_value(movements: &Bound<'_, PyAny>, policy: &str) -> PyResult<CostingValuation> {
    let (schema, batches) = import_stream(movements)?;
    let valuation = enter(movements.py(), || {
        let policy = Policy::from_json(policy)?;
        value_batches(&schema, batches, &policy)
    })?;
    Ok(CostingValuation { valuation: Arc::new(valuation), postings: OnceLock::new() })
}

/// A valued history; `comptoir.costing.Valuation` is its public face.
#[pyclass(module = "comptoir._native", frozen)]
pub struct CostingValuation {
    valuation: Arc<TableValuation>,
    postings: OnceLock<Table>,
}

#[pymethods]
impl CostingValuation {
    /// Rows of the input, accepted, rejected, duplicates among the rejected, corrections.
    fn counts(&self) -> (u64, u64, u64, u64, u64) {
        let counts = self.valuation.valuation().counts();
        (counts.input, counts.accepted, counts.rejected, counts.duplicates, counts.corrections)
    }

    /// Postings.
    fn postings(&self, py: Python<'_>) -> PyResult<ArrowTable> {
        if self.postings.get().is_none() {
            let made = enter(py, || self.valuation.postings_table())?;
            let _first_wins = self.postings.set(made);
        }
        let table = self.postings.get().cloned();
        let (schema, batches) =
            table.unwrap_or_else(|| (Arc::new(arrow_schema::Schema::empty()), Vec::new()));
        as_table(py, (schema, batches))
    }

    /// Open layers at the end.
    fn layers(&self, py: Python<'_>) -> PyResult<ArrowTable> {
        let made = enter(py, || self.valuation.layers_table())?;
        as_table(py, made)
    }

    /// Quantity and value on hand at the end.
    fn balances(&self, py: Python<'_>) -> PyResult<ArrowTable> {
        let made = enter(py, || self.valuation.balances_table())?;
        as_table(py, made)
    }

    /// Rows that are not in the books.
    fn rejected(&self, py: Python<'_>) -> PyResult<ArrowTable> {
        let made = enter(py, || self.valuation.rejected_table())?;
        as_table(py, made)
    }

    /// Last day of the history, in days since 1970-01-01.
    fn last_day(&self, py: Python<'_>) -> PyResult<i32> {
        enter(py, || self.valuation.last_day().map(Date::days))
    }

    /// Quantity and value by age on a day.
    fn ageing(&self, py: Python<'_>, as_of: &str, buckets: Vec<u32>) -> PyResult<ArrowTable> {
        let made = enter(py, || self.valuation.ageing_table(argument("as_of", as_of)?, &buckets))?;
        as_table(py, made)
    }

    /// Provision by age on a day.
    fn provision(
        &self,
        py: Python<'_>,
        as_of: &str,
        buckets: Vec<u32>,
        rates: Vec<String>,
        booked: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<ArrowTable> {
        let booked = booked.map(import_stream).transpose()?;
        let made = enter(py, || {
            let rates = parse_rates(&rates)?;
            self.valuation.provision_table(argument("as_of", as_of)?, &buckets, &rates, booked.as_ref())
        })?;
        as_table(py, made)
    }

    /// Voucher lines, movements of the vouchers, and whether every voucher balances.
    fn vouchers(
        &self,
        py: Python<'_>,
        form: &str,
        template: &str,
        by: &str,
    ) -> PyResult<(ArrowTable, ArrowTable, bool)> {
        let made = enter(py, || {
            let by = named(by, "by", &BY)?;
            self.valuation.voucher_tables(&read_template(form, template)?, by)
        })?;
        Ok((as_table(py, made.entries)?, as_table(py, made.movements)?, made.balanced))
    }

    /// Trial balance, with the total of the inventory accounts and the stock value as decimal text.
    fn trial_balance(
        &self,
        py: Python<'_>,
        form: &str,
        template: &str,
    ) -> PyResult<(ArrowTable, String, String)> {
        let (table, check) =
            enter(py, || self.valuation.trial_balance_table(&read_template(form, template)?))?;
        let scale = self.valuation.valuation().policy().money_scale;
        let shown = |units: i128| enter(py, || Ok::<_, Error>(WideDecimal::new(units, scale)?.to_string()));
        Ok((as_table(py, table)?, shown(check.accounts_total)?, shown(check.stock_value)?))
    }

    /// Stock card of one item.
    fn stock_card(&self, py: Python<'_>, item: &str) -> PyResult<ArrowTable> {
        let made = enter(py, || self.valuation.stock_card_table(item))?;
        as_table(py, made)
    }

    /// Receipts, issues and balance by period.
    fn summary(&self, py: Python<'_>, period: &str) -> PyResult<ArrowTable> {
        let made = enter(py, || self.valuation.summary_table(named(period, "period", &PERIODS)?))?;
        as_table(py, made)
    }

    /// Turnover and days of supply.
    fn turnover(&self, py: Python<'_>, first: &str, last: &str) -> PyResult<ArrowTable> {
        let made =
            enter(py, || self.valuation.turnover_table(argument("first", first)?, argument("last", last)?))?;
        as_table(py, made)
    }
}

/// Checks a voucher template and gives it back as JSON text.
#[pyfunction]
fn costing_template(py: Python<'_>, form: &str, text: &str) -> PyResult<String> {
    enter(py, || read_template(form, text)?.to_json().map_err(Error::from))
}

const BY: [(&str, By); 5] = [
    ("movement", By::Movement),
    ("document", By::Document),
    ("day", By::Day),
    ("month", By::Month),
    ("period", By::Month),
];

const PERIODS: [(&str, Period); 3] =
    [("day", Period::Day), ("month", Period::Month), ("total", Period::Total)];

/// The choice with this name.
fn named<T: Copy>(name: &str, what: &'static str, choices: &[(&str, T)]) -> Result<T, Error> {
    let found = choices.iter().find(|(known, _)| *known == name).map(|(_, choice)| *choice);
    found.ok_or_else(|| {
        let known: Vec<&str> = choices.iter().map(|(known, _)| *known).collect();
        Error::Unknown {
            what,
            name: name.to_owned(),
            expected: format!("expected one of {}", known.join(", ")),
        }
    })
}

fn read_template(form: &str, text: &str) -> Result<VoucherTemplate, Error> {
    let template = match form {
        "preset" => VoucherTemplate::preset(text),
        "yaml" => VoucherTemplate::from_yaml(text),
        "json" => VoucherTemplate::from_json(text),
        _ => return VoucherTemplate::from_json(text).map_err(|error| of_mapping(error.into())),
    };
    template.map_err(Error::from)
}

/// An error without its place in a text that was made from a mapping, and that nobody has seen.
fn of_mapping(mut error: Error) -> Error {
    if let Error::Policy { position, .. } | Error::Report(ReportError::TemplateSyntax { position, .. }) =
        &mut error
    {
        *position = None;
    }
    error
}

/// A table for Python.
fn as_table(py: Python<'_>, (schema, batches): Table) -> PyResult<ArrowTable> {
    enter(py, || ArrowTable::new(schema, batches))
}
