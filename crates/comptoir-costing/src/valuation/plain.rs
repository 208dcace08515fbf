//! The short way for items that only receive and issue, within their stock, in one pool: most of the rows of most histories.
//!
//! A bucket's records are valued in book order, all items at once, with the state of each in the first-level cache and without
//! building events. An item with anything else (another kind, a shortage, a second pool, a group, a number near the limits) is left
//! to the engine, which values it from the start. Both ways give the same lines: a property test holds them together.

use comptoir_types::Rounding;
use comptoir_types::decimal::{SMALL_DENOMINATOR, SMALL_VALUE, mul_div_half_even_small};

use super::Balance;
use super::bucket::{BucketResult, Job, Key};
use super::columns::Columns;
use super::partition::Record;
use crate::engine::{LIMIT, Line, share};
use crate::movement::Kind;
use crate::policy::{Method, Scope};
use crate::posting::{NONE, OpenLayer};

/// How an item is valued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Not seen yet.
    New,
    Average,
    Fifo,
    /// By the engine.
    General,
}

/// State of an item.
#[derive(Clone, Copy, Debug)]
struct State {
    qty: i64,
    value: i64,
    item: u32,
    pool: u32,
    /// First and one past the last open layer.
    head: u32,
    tail: u32,
    way: Way,
}

/// A layer of the arena; every item has a run of as many as it has receipts.
#[derive(Clone, Copy, Debug, Default)]
struct PlainLayer {
    qty: i64,
    value: i64,
    /// Record of the receipt.
    record: u32,
}

/// Values what can be valued the short way. For each place of the bucket, whether the engine must do it.
///
/// `order` gives the records in book order; without one they stand in it.
pub(crate) fn run(
    job: &Job<'_>,
    records: &[Record],
    order: Option<&[u32]>,
    result: &mut BucketResult,
) -> Vec<bool> {
    let mut plain = Plain::new(job, records);
    match order {
        None => {
            (0u32..).zip(records).for_each(|(index, record)| plain.step(index, record, &mut result.lines))
        }
        Some(order) => {
            for index in order {
                if let Some(record) = records.get(*index as usize) {
                    plain.step(*index, record, &mut result.lines);
                }
            }
        }
    }
    plain.finish(records, result)
}

struct Plain<'a, 'b> {
    job: &'b Job<'a>,
    states: Vec<State>,
    layers: Vec<PlainLayer>,
    /// Whether every numbers' share may be computed in 64 bits, half to even.
    half_even: bool,
    /// Whether pools tell keys apart.
    by_pool: bool,
    has_groups: bool,
}

impl<'a, 'b> Plain<'a, 'b> {
    fn new(job: &'b Job<'a>, records: &[Record]) -> Self {
        let places = job.plan.places(job.columns.items);
        let new = State { qty: 0, value: 0, item: NONE, pool: NONE, head: 0, tail: 0, way: Way::New };
        let mut states = vec![new; places];
        let mut layers = Vec::new();
        if job.columns.rules.iter().any(|rules| rules.method == Method::Fifo) {
            let mut next = 0;
            for record in records.iter().filter(|record| record.kind == Kind::Receipt) {
                if let Some(state) = states.get_mut(job.plan.place(job.plan.component(record.item))) {
                    state.tail += 1;
                }
                next += 1;
            }
            layers = vec![PlainLayer::default(); next];
            let mut start = 0;
            for state in &mut states {
                let receipts = state.tail;
                (state.head, state.tail) = (start, start);
                start += receipts;
            }
        }
        Self {
            job,
            states,
            layers,
            half_even: job.context.rounding == Rounding::HalfEven,
            by_pool: job.policy.scope != Scope::Item,
            has_groups: !job.columns.group.is_empty(),
        }
    }

    #[inline]
    fn step(&mut self, index: u32, record: &Record, lines: &mut [Line]) {
        let place = self.job.plan.place(self.job.plan.component(record.item));
        let Some(state) = self.states.get_mut(place) else {
            return;
        };
        if state.way == Way::New {
            *state = first(self.job, *state, record);
        }
        let moves_on = state.way == Way::General
            || state.item != record.item
            || (state.pool != record.pool && self.by_pool)
            || (self.has_groups && Columns::code(&self.job.columns.group, record.row) != NONE);
        if moves_on {
            state.way = Way::General;
            return;
        }
        let (quantity, value) = match record.kind {
            Kind::Receipt => {
                if state.way == Way::Fifo
                    && let Some(layer) = self.layers.get_mut(state.tail as usize)
                {
                    *layer = PlainLayer { qty: record.qty, value: record.amount, record: index };
                    state.tail += 1;
                }
                (record.qty, record.amount)
            }
            Kind::Issue if record.qty <= state.qty => {
                let value = match state.way {
                    Way::Fifo => take_layers(self.job, &mut self.layers, state, record.qty),
                    _ if record.qty == state.qty => state.value,
                    _ if self.half_even && state.value < SMALL_VALUE && state.qty < SMALL_DENOMINATOR => {
                        mul_div_half_even_small(state.value, record.qty, state.qty)
                    }
                    _ => share(state.value, record.qty, state.qty, self.job.context.rounding),
                };
                (-record.qty, -value)
            }
            _ => {
                state.way = Way::General;
                return;
            }
        };
        state.qty += quantity;
        state.value += value;
        if state.qty >= LIMIT || state.value >= LIMIT {
            state.way = Way::General;
            return;
        }
        if let Some(line) = lines.get_mut(index as usize) {
            *line = Line { quantity, value, on_hand: state.qty, on_hand_value: state.value, variance: 0 };
        }
    }

    fn finish(&self, records: &[Record], result: &mut BucketResult) -> Vec<bool> {
        for state in self.states.iter().filter(|state| matches!(state.way, Way::Average | Way::Fifo)) {
            let pool = if self.by_pool { state.pool } else { NONE };
            let key = Key { item: state.item, pool, lot: NONE };
            result.balances.push(Balance { key, quantity: state.qty, value: state.value });
            if state.way == Way::Fifo {
                let open = self.layers.get(state.head as usize..state.tail as usize).unwrap_or_default();
                result.layers.extend(open.iter().filter_map(|layer| self.open_layer(key, layer, records)));
            }
        }
        self.states.iter().map(|state| state.way == Way::General).collect()
    }

    fn open_layer(&self, key: Key, layer: &PlainLayer, records: &[Record]) -> Option<OpenLayer> {
        let record = records.get(layer.record as usize).filter(|_| layer.qty > 0)?;
        Some(OpenLayer {
            item: key.item,
            pool: key.pool,
            lot: Columns::code(&self.job.columns.lot, record.row),
            row: record.row,
            at: record.at,
            quantity: layer.qty,
            value: layer.value,
        })
    }
}

/// The state of an item at its first record.
fn first(job: &Job<'_>, state: State, record: &Record) -> State {
    let rules = job.rules.get(job.columns.rules_of(record.item));
    let lots_apart = job.policy.scope == Scope::Lot && !job.columns.lot.is_empty();
    let way = match rules {
        Some(rules) if !lots_apart && rules.switch_at.is_none() && !job.context.track_ages => {
            match rules.rules.method {
                Method::MovingAverage => Way::Average,
                Method::Fifo => Way::Fifo,
                _ => Way::General,
            }
        }
        _ => Way::General,
    };
    State { item: record.item, pool: record.pool, way, ..state }
}

/// Takes a quantity that is there from the oldest layers: whole ones, then a rounded share of the last.
#[inline]
fn take_layers(job: &Job<'_>, layers: &mut [PlainLayer], state: &mut State, qty: i64) -> i64 {
    let (mut left, mut value) = (qty, 0);
    while let Some(layer) = layers.get_mut(state.head as usize) {
        if layer.qty > left {
            let part = if left == 0 { 0 } else { share(layer.value, left, layer.qty, job.context.rounding) };
            layer.qty -= left;
            layer.value -= part;
            return value + part;
        }
        left -= layer.qty;
        value += layer.value;
        layer.qty = 0;
        state.head += 1;
        if left == 0 {
            break;
        }
    }
    value
}
