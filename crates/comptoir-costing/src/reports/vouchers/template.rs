//! Voucher templates (凭证模板): which accounts a line of the stock ledger moves, as data.

use std::collections::BTreeMap;

use comptoir_types::config::{self, ConfigError};
use serde::{Deserialize, Serialize};

use super::super::error::ReportError;
use super::one_or_many::one_or_many;
use crate::movement::{Kind, Reason};

/// Stands in a rule for the inventory account of the item's class.
pub const INVENTORY: &str = "@inventory";

/// Class that stands for all classes.
pub const ANY_CLASS: &str = "*";

/// Version of the form of templates that this release reads.
pub const TEMPLATE_VERSION: u32 = 1;

/// Maps lines of the stock ledger to accounts. The first rule that fits a line applies; a line without one is an error.
///
/// ```
/// use comptoir_costing::reports::VoucherTemplate;
///
/// let template = VoucherTemplate::from_yaml(r#"
/// version: 1
/// name: shop-1
/// inventory: { "*": "1405" }
/// rules:
///   - kind: receipt
///     value: { debit: "@inventory", credit: "2202" }
///   - kind: issue
///     value: { debit: "6401", credit: "@inventory" }
///   - kind: sales_return
///     value: { debit: "@inventory", credit: "6401" }
/// "#)?;
/// assert_eq!(template.rules.len(), 3);
/// # Ok::<(), comptoir_costing::reports::ReportError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoucherTemplate {
    /// Version of the form, [`TEMPLATE_VERSION`].
    pub version: u32,
    /// Name of the template; part of every voucher's id. Change it when entries must be booked anew.
    pub name: String,
    /// What to do with amounts below zero.
    #[serde(default)]
    pub negative: Negative,
    /// Inventory account by item class; `*` stands for all other classes.
    pub inventory: BTreeMap<String, String>,
    /// Titles of the accounts. Where it is not empty, a rule may name no other account.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<String, String>,
    /// The rules, in the order in which they are tried.
    pub rules: Vec<Rule>,
}

/// What to do with an amount below zero, such as the return of a receipt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Negative {
    /// Debit and credit change places.
    #[default]
    Swap,
    /// The amount keeps its side and its sign, written in red (红字).
    Red,
}

/// Accounts for the lines that fit all of its conditions. A condition that is left out fits every line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Kind of the movement whose cost the line carries: the movement itself or, in a correction, the one corrected.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub kind: Vec<Kind>,
    /// Kind of the movement that caused the line, where that matters.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub caused_by: Vec<Kind>,
    /// Reason of a correction; a rule with reasons fits no line without one.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub reason: Vec<Reason>,
    /// Item class.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub class: Vec<String>,
    /// Sign of the line: of its value or, where that is zero, of its variance, else of its estimate. It also says how the accounts are meant: a
    /// rule for `in` debits what is added, one for `out` debits what is taken. Without it, the direction of the kind says
    /// so, and kinds without direction are meant as `in`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign: Option<Sign>,
    /// Accounts for the change of the inventory value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<AccountPair>,
    /// Accounts for what goes to the variance account. One account on both sides means that the value is booked against the variance
    /// account itself, as a revaluation is, so that nothing moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variance: Option<AccountPair>,
    /// Accounts for what an invoice puts in the place of an estimate without moving stock: it debits the account that the
    /// provisional receipt credited and credits the supplier, whatever the sign of the line. One account on both sides means
    /// that the template keeps estimates and invoices together, so that nothing moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<AccountPair>,
    /// Text of the voucher (摘要). Under aggregation by day or month, rules with one text share a voucher.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
}

/// Sign of a line of the stock ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Adds to the stock.
    In,
    /// Takes from the stock.
    Out,
}

/// The two accounts of an entry, by name or number, or [`INVENTORY`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountPair {
    /// Account to debit (借).
    pub debit: String,
    /// Account to credit (贷).
    pub credit: String,
}

impl Rule {
    /// The accounts of all parts that the rule has.
    pub(super) fn pairs(&self) -> impl Iterator<Item = &AccountPair> {
        [&self.value, &self.variance, &self.estimate].into_iter().flatten()
    }
}

impl VoucherTemplate {
    /// Reads a template from YAML.
    ///
    /// # Errors
    /// `COSTING_TEMPLATE_SYNTAX` with the path of the field, `COSTING_TEMPLATE_INVALID` as [`VoucherTemplate::check`].
    pub fn from_yaml(text: &str) -> Result<Self, ReportError> {
        config::from_yaml::<Self>(text)?.checked()
    }

    /// Reads a template from JSON.
    ///
    /// # Errors
    /// As [`VoucherTemplate::from_yaml`].
    pub fn from_json(text: &str) -> Result<Self, ReportError> {
        config::from_json::<Self>(text)?.checked()
    }

    fn checked(self) -> Result<Self, ReportError> {
        self.check()?;
        Ok(self)
    }

    /// The template as JSON text, with every field.
    ///
    /// # Errors
    /// `COSTING_TEMPLATE_INVALID` if serialisation fails, which no template is known to do.
    pub fn to_json(&self) -> Result<String, ReportError> {
        serde_json::to_string(self).map_err(|error| invalid("", error.to_string()))
    }

    /// The template with this name: `ifrs` or `cas`.
    ///
    /// # Errors
    /// `COSTING_TEMPLATE_INVALID` for any other name.
    pub fn preset(name: &str) -> Result<Self, ReportError> {
        match name {
            "ifrs" => Self::default_ifrs(),
            "cas" => Self::cas(),
            _ => Err(invalid("preset", format!("`{name}` is unknown; use ifrs or cas"))),
        }
    }

    /// Cost flows of IAS 2 with plain account names, the default.
    ///
    /// # Errors
    /// None: the built-in template is tested.
    pub fn default_ifrs() -> Result<Self, ReportError> {
        Self::from_yaml(include_str!("presets/ifrs.yaml"))
    }

    /// Chinese practice: account numbers of the Ministry of Finance, amounts below zero in red.
    ///
    /// # Errors
    /// None: the built-in template is tested.
    pub fn cas() -> Result<Self, ReportError> {
        Self::from_yaml(include_str!("presets/cas.yaml"))
    }

    /// The inventory accounts, each once.
    #[must_use]
    pub fn inventory_accounts(&self) -> Vec<&str> {
        let mut accounts: Vec<&str> = self.inventory.values().map(String::as_str).collect();
        accounts.sort_unstable();
        accounts.dedup();
        accounts
    }

    /// Checks what the form alone does not say. Reading a template does so; a template built in code needs it.
    ///
    /// # Errors
    /// `COSTING_TEMPLATE_INVALID`: unknown version, no inventory account, a rule without accounts, an empty account, one
    /// account on both sides, an account without a title where titles are given.
    pub fn check(&self) -> Result<(), ReportError> {
        if self.version != TEMPLATE_VERSION {
            return Err(invalid("version", format!("`{}` is unknown; this release reads 1", self.version)));
        }
        if self.inventory.is_empty() {
            return Err(invalid("inventory", "names no account".to_owned()));
        }
        for (class, account) in &self.inventory {
            self.check_account(&format!("inventory account of class `{class}`"), account)?;
        }
        self.rules
            .iter()
            .enumerate()
            .try_for_each(|(index, rule)| self.check_rule(&format!("rule {}", index + 1), rule))
    }

    fn check_rule(&self, place: &str, rule: &Rule) -> Result<(), ReportError> {
        if rule.pairs().next().is_none() {
            return Err(invalid(
                place,
                "has no accounts: neither for the value nor for another part".to_owned(),
            ));
        }
        if let Some(pair) = rule.value.as_ref().filter(|pair| pair.debit == pair.credit) {
            return Err(invalid(place, format!("debits and credits one account, `{}`", pair.debit)));
        }
        let accounts = rule.pairs().flat_map(|pair| [&pair.debit, &pair.credit]);
        accounts
            .filter(|account| *account != INVENTORY)
            .try_for_each(|account| self.check_account(place, account))
    }

    fn check_account(&self, place: &str, account: &str) -> Result<(), ReportError> {
        if account.is_empty() || account.starts_with('@') {
            return Err(invalid(place, format!("`{account}` is no account")));
        }
        if !self.accounts.is_empty() && !self.accounts.contains_key(account) {
            return Err(invalid(place, format!("account `{account}` has no title in `accounts`")));
        }
        Ok(())
    }
}

impl From<ConfigError> for ReportError {
    fn from(error: ConfigError) -> Self {
        Self::TemplateSyntax { path: error.path, message: error.message, position: error.position }
    }
}

pub(super) fn invalid(place: &str, message: String) -> ReportError {
    ReportError::Template { place: place.to_owned(), message }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
