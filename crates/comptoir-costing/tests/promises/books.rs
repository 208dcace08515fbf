//! A valuation by names instead of codes, so that two of them can be compared whatever the order of their rows.

use std::collections::BTreeMap;

use comptoir_costing::movement::{Kind, Reason};
use comptoir_costing::policy::Scope;
use comptoir_costing::posting::{NONE, OpenLayer, Posting};
use comptoir_costing::{Movement, Policy, Valuation, value};
use proptest::test_runner::Config;

/// Item, pool and lot, as far as the policy's scope tells them apart.
pub type KeyName = (String, Option<String>, Option<String>);

/// A posting by names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    pub at: i64,
    pub id: String,
    pub reason: Option<Reason>,
    pub adjusts: Option<String>,
    pub kind: Kind,
    pub key: KeyName,
    pub quantity: i64,
    pub value: i64,
    pub on_hand: i64,
    pub on_hand_value: i64,
    pub variance: i64,
}

/// The books of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Books {
    /// Postings in book order.
    pub lines: Vec<Line>,
    /// Quantity and value by key at the end.
    pub balances: BTreeMap<KeyName, (i64, i64)>,
    /// Code by id.
    pub rejected: BTreeMap<String, &'static str>,
    /// Original date, quantity and value of the open layers by key.
    pub layers: BTreeMap<KeyName, Vec<(i64, i64, i64)>>,
}

/// Cases of a property that runs often, `PROPTEST_CASES` if that is set, and no files about failures beside the sources.
pub fn cases(cases: u32) -> Config {
    let cases = std::env::var("PROPTEST_CASES").map_or(cases, |asked| asked.parse().unwrap());
    Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() }
}

/// Values a history and gives its books.
pub fn books(history: &[Movement], policy: &Policy) -> Books {
    read(&value(history, policy).unwrap(), history, policy.scope)
}

/// The books of a valuation.
pub fn read(valuation: &Valuation, history: &[Movement], scope: Scope) -> Books {
    let names = Names::new(history, scope);
    assert!(valuation.postings().eq(valuation.postings()), "the order that is kept");
    let mut layers: BTreeMap<KeyName, Vec<_>> = BTreeMap::new();
    for layer in valuation.layers() {
        let key = names.key(layer.item, layer.pool, layer.lot);
        layers.entry(key).or_default().push((layer.at, layer.quantity, layer.value));
    }
    for list in layers.values_mut() {
        list.sort_unstable();
    }
    Books {
        lines: valuation.postings().map(|posting| names.line(&posting)).collect(),
        balances: valuation
            .balances()
            .iter()
            .map(|balance| {
                let key = names.key(balance.key.item, balance.key.pool, balance.key.lot);
                (key, (balance.quantity, balance.value))
            })
            .collect(),
        rejected: valuation
            .rejected()
            .iter()
            .map(|(row, fault)| (history[*row as usize].id.clone(), fault.code.code()))
            .collect(),
        layers,
    }
}

/// Names by code: codes number the names of a column by first appearance.
struct Names<'a> {
    history: &'a [Movement],
    scope: Scope,
    items: Vec<&'a str>,
    pools: Vec<&'a str>,
    lots: Vec<&'a str>,
}

impl<'a> Names<'a> {
    fn new(history: &'a [Movement], scope: Scope) -> Self {
        Self {
            history,
            scope,
            items: first_seen(history.iter().map(|row| Some(row.item.as_str()))),
            pools: first_seen(history.iter().map(|row| row.pool.as_deref())),
            lots: first_seen(history.iter().map(|row| row.lot.as_deref())),
        }
    }

    fn key(&self, item: u32, pool: u32, lot: u32) -> KeyName {
        let name = |names: &[&str], code: u32| (code != NONE).then(|| names[code as usize].to_owned());
        let pool = if self.scope == Scope::Item { None } else { name(&self.pools, pool) };
        let lot = if self.scope == Scope::Lot { name(&self.lots, lot) } else { None };
        (self.items[item as usize].to_owned(), pool, lot)
    }

    fn line(&self, posting: &Posting) -> Line {
        let row = |row: u32| &self.history[row as usize];
        let adjusts = (posting.adjusts != NONE).then(|| row(posting.adjusts));
        let lot = self.lot_of(adjusts.unwrap_or(row(posting.row)));
        let (item, pool, _) = self.key(posting.item, posting.pool, NONE);
        Line {
            at: posting.at,
            id: row(posting.row).id.clone(),
            reason: posting.reason,
            adjusts: adjusts.map(|row| row.id.clone()),
            kind: posting.kind,
            key: (item, pool, if self.scope == Scope::Lot { lot } else { None }),
            quantity: posting.quantity,
            value: posting.value,
            on_hand: posting.on_hand,
            on_hand_value: posting.on_hand_value,
            variance: posting.variance,
        }
    }

    /// The lot whose stock a movement changes: some kinds change that of the movement that they name.
    fn lot_of(&self, row: &Movement) -> Option<String> {
        let follows =
            matches!(row.kind, Kind::Settlement | Kind::CostAdjustment | Kind::Reversal | Kind::Amendment);
        let named = row.reference.as_ref().filter(|_| follows);
        let target = named.and_then(|id| self.history.iter().find(|other| other.id == *id));
        target.unwrap_or(row).lot.clone()
    }
}

fn first_seen<'a>(column: impl Iterator<Item = Option<&'a str>>) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for name in column.flatten() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Quantity and value by key of a list of layers; keys without either are left out.
pub fn layer_sums(layers: &[OpenLayer], history: &[Movement], scope: Scope) -> BTreeMap<KeyName, (i64, i64)> {
    let names = Names::new(history, scope);
    let mut sums: BTreeMap<KeyName, (i64, i64)> = BTreeMap::new();
    for layer in layers {
        let sum = sums.entry(names.key(layer.item, layer.pool, layer.lot)).or_default();
        *sum = (sum.0 + layer.quantity, sum.1 + layer.value);
    }
    sums.retain(|_, sum| *sum != (0, 0));
    sums
}
