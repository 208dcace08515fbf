//! A slow, obvious valuation in exact ratios: moving average, FIFO and LIFO with all their policies, one movement after another.
//!
//! A late cost under replay is what its name says: the whole history before it is valued again with the receipt as it should have
//! been, and the differences are the corrections.

mod back;
mod inflow;
mod invoices;
mod replay;
pub mod rounding;
mod stock;

use std::collections::BTreeMap;

use comptoir_costing::movement::Kind;
use comptoir_costing::policy::{Amendment, LateCost, Negative, Policy};
use comptoir_costing::{Movement, movement::Reason};
use comptoir_types::Decimal;

use crate::histories::QUANTITY_SCALE;
use invoices::Settled;
use replay::replay;
use rounding::share;
pub use stock::{Cost, Debt, Piece, Placing, Stock, worth};

/// Item and pool.
type Key = (String, Option<String>);

/// A posting: movement, what it corrects and why, quantity, value, variance, and what is on hand after it.
pub type OracleLine = (String, Option<(String, Reason)>, [i128; 3], [i128; 2]);

/// What the oracle says about a history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OracleBooks {
    pub lines: Vec<OracleLine>,
    pub balances: BTreeMap<Key, (i128, i128)>,
    pub rejected: BTreeMap<String, &'static str>,
    /// Original date, quantity and value of what is there.
    pub layers: BTreeMap<Key, Vec<(i64, i128, i128)>>,
}

/// A movement with its numbers in units, at its place in the books.
#[derive(Clone, Debug)]
struct Event {
    key: Key,
    at: i64,
    kind: Kind,
    qty: Option<i128>,
    amount: Option<i128>,
    /// Where it gives the amount of a quantity: money for as many units of quantity.
    unit_cost: Option<(i128, i128)>,
    reference: Option<usize>,
}

impl Event {
    fn quantity(&self) -> i128 {
        self.qty.unwrap_or(0)
    }
}

/// What an accepted movement did, and what has come back of it since.
#[derive(Clone, Debug, Default)]
struct Done {
    key: Key,
    qty: i128,
    value: i128,
    variance: i128,
    back_qty: i128,
    back_value: i128,
    /// What left with it, for what comes back.
    parts: Vec<Piece>,
    /// What arrived with it of the parts of another, oldest first.
    arrived: Vec<Piece>,
    /// Whether it set the value of the stock anew.
    reset: bool,
    /// The movement that it gives back.
    of: Option<usize>,
    /// What has no invoice of it.
    open: Estimate,
}

/// What is open of a provisional receipt.
#[derive(Clone, Copy, Debug, Default)]
struct Estimate {
    qty: i128,
    amount: i128,
    /// What was reversed before an invoice came.
    reversed: i128,
}

impl Done {
    fn left(&self) -> i128 {
        self.qty.abs() - self.back_qty
    }
}

/// The effect of one movement.
#[derive(Clone, Copy, Debug, Default)]
struct Posted {
    qty: i128,
    value: i128,
    variance: i128,
}

type Outcome = Result<Posted, &'static str>;

#[derive(Clone, Debug)]
struct Oracle<'a> {
    policy: &'a Policy,
    stocks: BTreeMap<Key, Stock>,
    done: Vec<Option<Done>>,
    /// What came late for movements that take their cost from elsewhere.
    late: BTreeMap<usize, i128>,
    /// What came late for movements with an amount of their own, beside that.
    added: BTreeMap<usize, i128>,
    /// Movement and value by which a shortage that was covered corrects it.
    changes: Vec<(usize, i128)>,
    /// The line that stands before that of an invoice: receipt, quantity and value of the estimate.
    before: Option<(usize, i128, i128)>,
    /// Amounts of the rows, which are the estimates of provisional receipts whatever comes late.
    amounts: Vec<i128>,
    /// What invoices settled.
    settled: BTreeMap<usize, Settled>,
}

/// Values a history whose movements each have an id of their own.
pub fn oracle_books(history: &[Movement], policy: &Policy) -> OracleBooks {
    let mut rows: Vec<&Movement> = history.iter().collect();
    rows.sort_by_key(|row| (row.at, &row.id));
    let mut events: Vec<Event> = rows.iter().map(|row| event(row, &rows, policy)).collect();
    let amounts = events.iter().map(|event| event.amount.unwrap_or(0)).collect();
    let mut machine = Oracle::new(policy, amounts);
    let mut skip = vec![false; events.len()];
    let mut books = OracleBooks::default();
    for place in 0..events.len() {
        let is_late = match events[place].kind {
            Kind::CostAdjustment | Kind::Settlement => policy.late_cost == LateCost::Replay,
            Kind::Amendment => policy.amendment == Amendment::KeepPlace,
            _ => false,
        };
        let late = is_late && events[place].reference.is_some();
        let posted = if late {
            replay(&mut machine, &mut events, &skip, place)
        } else {
            machine.step(place, &events[place])
        };
        skip[place] = late || posted.is_err();
        match posted {
            Ok(lines) => post(&mut books, &rows, &machine, place, lines),
            Err(code) => drop(books.rejected.insert(rows[place].id.clone(), code)),
        }
    }
    for (key, stock) in &machine.stocks {
        let mut pieces: Vec<_> =
            stock.pieces.iter().map(|piece| (piece.at, piece.qty, piece.value)).collect();
        pieces.sort_unstable();
        if !pieces.is_empty() {
            books.layers.insert(key.clone(), pieces);
        }
    }
    books
}

/// The movement's own line and its corrections: the movement corrected, why, and the numbers.
type Lines = Vec<(usize, Option<Reason>, Posted)>;

/// Notes lines with running totals, which are sums of the lines and nothing else.
fn post(books: &mut OracleBooks, rows: &[&Movement], machine: &Oracle<'_>, place: usize, lines: Lines) {
    for (adjusts, reason, posted) in lines {
        let key = machine.done[adjusts].as_ref().unwrap().key.clone();
        let total = books.balances.entry(key).or_default();
        *total = (total.0 + posted.qty, total.1 + posted.value);
        let corrects = reason.map(|reason| (rows[adjusts].id.clone(), reason));
        let numbers = [posted.qty, posted.value, posted.variance];
        books.lines.push((rows[place].id.clone(), corrects, numbers, [total.0, total.1]));
    }
}

fn event(row: &Movement, rows: &[&Movement], policy: &Policy) -> Event {
    let units = |number: Option<Decimal>, scale: u8| {
        number.map(|number| i128::from(number.rescale_exact(scale).unwrap().units()))
    };
    let reference = row.reference.as_ref().and_then(|id| rows.iter().position(|other| other.id == *id));
    let qty = units(row.quantity, QUANTITY_SCALE);
    let down = 10_i128.pow(u32::from(QUANTITY_SCALE + policy.cost_scale - policy.money_scale));
    let unit_cost = units(row.unit_cost, policy.cost_scale).map(|cost| (cost, down));
    let priced = || unit_cost.zip(qty).map(|((cost, of), qty)| share(cost, qty, of, policy.rounding));
    let follows =
        matches!(row.kind, Kind::CostAdjustment | Kind::Settlement | Kind::Reversal | Kind::Amendment);
    let place = reference.filter(|_| follows).map_or(row, |target| rows[target]);
    Event {
        key: (row.item.clone(), place.pool.clone()),
        at: row.at,
        kind: row.kind,
        qty,
        amount: units(row.amount, policy.money_scale).or_else(priced),
        unit_cost: unit_cost.filter(|_| row.amount.is_none()),
        reference,
    }
}

impl<'a> Oracle<'a> {
    fn new(policy: &'a Policy, amounts: Vec<i128>) -> Self {
        let done = vec![None; amounts.len()];
        Self {
            policy,
            stocks: BTreeMap::new(),
            done,
            late: BTreeMap::new(),
            added: BTreeMap::new(),
            changes: Vec::new(),
            before: None,
            amounts,
            settled: BTreeMap::new(),
        }
    }

    fn stock(&mut self, key: &Key) -> &mut Stock {
        let (method, rounding) = (self.policy.method, self.policy.rounding);
        self.stocks.entry(key.clone()).or_insert_with(|| Stock::new(method, rounding))
    }

    /// One movement; one that is rejected changes nothing.
    fn step(&mut self, place: usize, event: &Event) -> Result<Lines, &'static str> {
        let before = self.clone();
        let posted = match self.effect(place, event) {
            Ok(posted) => posted,
            Err(code) => {
                *self = before;
                return Err(code);
            }
        };
        let Done { parts, arrived, reset, .. } = self.done[place].take().unwrap_or_default();
        let Posted { qty, value, variance } = posted;
        let is_estimate = event.kind == Kind::ProvisionalReceipt;
        let open = Estimate { qty, amount: self.amounts[place], reversed: 0 };
        self.done[place] = Some(Done {
            key: event.key.clone(),
            open: if is_estimate { open } else { Estimate::default() },
            qty,
            value,
            variance,
            parts,
            arrived,
            reset,
            of: event.reference.filter(|_| {
                matches!(event.kind, Kind::SalesReturn | Kind::PurchaseReturn | Kind::TransferIn)
            }),
            ..Done::default()
        });
        let mut lines = self.with_estimate(place, posted);
        for (corrected, value) in std::mem::take(&mut self.changes) {
            self.stock(&event.key).value += value;
            self.done[corrected].as_mut().unwrap().value += value;
            lines.push((corrected, Some(Reason::ShortageCovered), Posted { value, ..Posted::default() }));
        }
        Ok(lines)
    }

    fn effect(&mut self, place: usize, event: &Event) -> Outcome {
        match event.kind {
            Kind::Opening if event.quantity() < 0 => self.open_short(place, event),
            Kind::Receipt | Kind::Opening | Kind::ProvisionalReceipt => {
                Ok(self.receive(place, event, event.quantity(), event.amount.unwrap()))
            }
            Kind::Issue | Kind::TransferOut => {
                self.issue(place, event, event.quantity(), event.kind == Kind::Issue)
            }
            Kind::CountLoss => self.issue(place, event, event.quantity(), true),
            Kind::CountGain => {
                let Some(value) = event.amount else {
                    let value = self.current_value(event);
                    let (cost, rest) = self.with_late(place, value);
                    let posted = self.receive(place, event, event.quantity(), cost);
                    return Ok(Posted { variance: posted.variance + rest, ..posted });
                };
                Ok(self.receive(place, event, event.quantity(), value))
            }
            Kind::Count => self.count(place, event),
            Kind::CostAdjustment => self.adjust(event),
            Kind::Settlement => self.settle(place, event),
            Kind::SalesReturn => self.sales_return(place, event),
            Kind::PurchaseReturn => self.purchase_return(place, event),
            Kind::TransferIn => self.transfer_in(place, event),
            Kind::Reversal => self.reverse(place, event),
            other => unreachable!("{other:?} is not in the oracle's histories"),
        }
    }

    /// The value of a quantity at a cost; at the fallback cost, else nothing, when none is known.
    fn price(&self, qty: i128, cost: Cost) -> i128 {
        let fallback = || {
            let cost = self.policy.fallback_cost?.rescale_exact(self.policy.cost_scale).ok()?;
            Some((
                i128::from(cost.units()),
                10_i128.pow(u32::from(QUANTITY_SCALE + self.policy.cost_scale - 2)),
            ))
        };
        let (value, of) = cost.or_else(fallback).unwrap_or((0, 1));
        share(value, qty, of, self.policy.rounding)
    }

    /// A cost with what came late, and what it cannot bear of that.
    fn with_late(&self, place: usize, cost: i128) -> (i128, i128) {
        let whole = cost + self.late.get(&place).copied().unwrap_or(0);
        let borne = whole.max(cost.min(0));
        (borne, whole - borne)
    }

    fn current_value(&mut self, event: &Event) -> i128 {
        let cost = self.stock(&event.key).current();
        self.price(event.quantity(), cost)
    }

    /// Takes by the method; beyond the stock at the last known cost.
    fn remove(
        &mut self,
        place: usize,
        event: &Event,
        qty: i128,
        correctable: bool,
    ) -> Result<i128, &'static str> {
        let stock = self.stock(&event.key).clone();
        let short = (qty - stock.qty.max(0)).max(0);
        if short > 0 && self.policy.negative == Negative::Reject {
            return Err("COSTING_NEGATIVE_STOCK");
        }
        let short_value = if short > 0 { self.price(short, stock.shortage_cost()) } else { 0 };
        let negative = self.policy.negative;
        let stock = self.stock(&event.key);
        let (value, mut parts) = if qty > short { stock.take(qty - short) } else { (0, Vec::new()) };
        stock.qty -= short;
        stock.value -= short_value;
        if short > 0 {
            if negative != Negative::Carry {
                stock.debts.push(Debt { movement: place, qty: short, value: short_value, correctable });
            }
            parts.push(Piece::new(short, short_value, event.at, place));
        }
        self.keep_parts(place, parts);
        Ok(value + short_value)
    }

    /// Keeps what left with a movement, for what comes back of it.
    fn keep_parts(&mut self, place: usize, parts: Vec<Piece>) {
        self.done[place] = Some(Done { parts, ..Done::default() });
    }

    fn issue(&mut self, place: usize, event: &Event, qty: i128, correctable: bool) -> Outcome {
        let value = self.remove(place, event, qty, correctable)?;
        Ok(Posted { qty: -qty, value: -value, variance: 0 })
    }
}
