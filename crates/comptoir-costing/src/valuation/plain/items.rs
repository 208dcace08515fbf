//! The items of a bucket: what is on hand of each, and its layers under first in, first out.

use comptoir_types::Rounding;
use comptoir_types::decimal::{SMALL_VALUE, mul_div_half_even_small};

use super::Buckets;
use super::deal::{Slot, item_of, row_of};
use super::layers::{Layer, Layers, Queue};
use crate::engine::{LIMIT, share};
use crate::policy::{Method, Scope};
use crate::posting::{NONE, OpenLayer};
use crate::valuation::Balance;
use crate::valuation::bucket::{Job, Key};
use crate::valuation::columns::Columns;
use crate::valuation::lines::Moved;
use crate::valuation::run::share_out;

/// How an item is valued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Average,
    Fifo,
    /// By the engine.
    Engine,
}

/// What is on hand of an item.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))] // Never across two cache lines.
struct Item {
    qty: i64,
    value: i64,
    /// Row of the last movement posted; `NONE` before the first.
    last: u32,
    way: Way,
}

/// Movements whose items are read beforehand.
pub(super) const BLOCK: usize = 32;

/// The items of a bucket with their state.
pub(super) struct Items {
    bucket: usize,
    buckets: Buckets,
    items: Vec<Item>,
    /// Queues of layers by item; empty where no item needs them.
    queues: Vec<Queue>,
    layers: Layers,
    rounding: Rounding,
    /// The way that [`mul_div_half_even_small`] serves: averages without layers, if the rounding is half to even.
    quick: Option<Way>,
    /// Whether averages have layers too, for their ages: quantities without values.
    tracks_ages: bool,
}

impl Items {
    /// The items of `bucket`, with nothing on hand.
    pub fn new(job: &Job<'_>, buckets: Buckets, bucket: usize) -> Self {
        let codes = (0..)
            .map(|place| buckets.item(bucket, place))
            .take_while(|item| (*item as usize) < job.columns.items);
        let way = |item: u32| match job.rules.get(job.columns.rules_of(item)).map(|own| own.rules.method) {
            Some(Method::MovingAverage) => Way::Average,
            Some(Method::Fifo) => Way::Fifo,
            _ => Way::Engine,
        };
        let new = |way| Item { qty: 0, value: 0, last: NONE, way };
        let items: Vec<Item> = codes.map(|item| new(way(item))).collect();
        let queues = if has_layers(job) { items.len() } else { 0 };
        let rounding = job.context.rounding;
        Self {
            bucket,
            buckets,
            items,
            queues: vec![Queue::default(); queues],
            layers: Layers::default(),
            rounding,
            quick: (rounding == Rounding::HalfEven && queues == 0).then_some(Way::Average),
            tracks_ages: job.context.track_ages,
        }
    }

    /// Values the movements in slots and leaves their lines there.
    pub fn value(&mut self, slots: &mut [Slot]) {
        for block in slots.chunks_mut(BLOCK) {
            self.read_ahead(block.iter().map(item_of));
            block.iter_mut().for_each(|slot| self.step(slot));
        }
    }

    /// Reads the items of movements that come next, so that cache misses overlap.
    #[inline(always)]
    pub fn read_ahead(&self, items: impl Iterator<Item = u32>) {
        let places = items.map(|item| self.buckets.place(item));
        if self.queues.is_empty() {
            let items = places.filter_map(|place| self.items.get(place));
            std::hint::black_box(items.fold(0, |sum, item| sum ^ item.qty));
        } else {
            let queues = places.filter_map(|place| Some((self.items.get(place)?, self.queues.get(place)?)));
            let read = |sum, (item, queue): (&Item, &Queue)| sum ^ item.qty ^ self.layers.oldest_qty(*queue);
            std::hint::black_box(queues.fold(0, read));
        }
    }

    /// Values the movement in a slot and leaves its line there.
    #[inline(always)]
    pub fn step(&mut self, slot: &mut Slot) {
        let [at, qty, amount, row_item] = *slot;
        let Moved { value, on_hand, on_hand_value } =
            self.post(item_of(slot), row_of(slot), at, [qty, amount]);
        *slot = [value, on_hand, on_hand_value, row_item];
    }

    /// Values the movement of a row, a quantity and an amount as in a [`Slot`], and gives its line.
    #[inline(always)]
    pub fn post(&mut self, item: u32, row: u32, at: i64, [qty, amount]: [i64; 2]) -> Moved {
        let place = self.buckets.place(item);
        let Some(item) = self.items.get_mut(place) else {
            return Moved::NONE;
        };
        let is_issue = qty >> 63;
        let left = item.qty.wrapping_add(qty);
        // A receipt is computed as an issue of nothing, and its amount chosen by a mask: nobody can predict which comes next.
        let part = mul_div_half_even_small(item.value, qty & is_issue, item.qty);
        let moved = amount ^ ((amount ^ part) & is_issue);
        let value = item.value.wrapping_add(moved);
        // Everything that is not ordinary is above a bound, also what is negative.
        let bound = SMALL_VALUE.cast_unsigned();
        let is_small =
            ((left | item.qty).cast_unsigned() < bound) & ((value | item.value).cast_unsigned() < bound);
        if is_small & (self.quick == Some(item.way)) & (qty != 0) {
            (item.qty, item.value, item.last) = (left, value, row);
            return Moved { value: moved, on_hand: left, on_hand_value: value };
        }
        self.any(place, at, [qty, amount], row).unwrap_or(Moved::NONE)
    }

    /// Values any movement: its value, and the quantity and the value on hand after it. `None` where there is nothing to value, or
    /// the engine must value the item.
    #[inline]
    fn any(&mut self, place: usize, at: i64, [qty, amount]: [i64; 2], row: u32) -> Option<Moved> {
        let item = self.items.get_mut(place)?;
        if qty == 0 || item.way == Way::Engine {
            return None;
        }
        let left = item.qty.checked_add(qty).filter(|left| (0..LIMIT).contains(left));
        let Some(left) = left else {
            item.way = Way::Engine;
            return None;
        };
        let moved = match (item.way, qty > 0) {
            (Way::Fifo, true) => {
                self.layers.push(self.queues.get_mut(place)?, Layer { qty, value: amount, at, row });
                amount
            }
            (Way::Fifo, false) => -self.layers.take(self.queues.get_mut(place)?, -qty, self.rounding),
            (_, is_receipt) => {
                let moved = match (is_receipt, left) {
                    (true, _) => amount,
                    (false, 0) => -item.value,
                    (false, _) => -share(item.value, -qty, item.qty, self.rounding),
                };
                if self.tracks_ages {
                    let queue = self.queues.get_mut(place)?;
                    track(&mut self.layers, queue, Layer { qty, value: 0, at, row });
                }
                moved
            }
        };
        let value = item.value.checked_add(moved).filter(|value| *value < LIMIT);
        let Some(value) = value else {
            item.way = Way::Engine;
            return None;
        };
        *item = Item { qty: left, value, last: row, ..*item };
        Some(Moved { value: moved, on_hand: left, on_hand_value: value })
    }

    /// What there is at the end; `engine_items` are left out.
    pub fn finish(self, job: &Job<'_>, engine_items: &[bool]) -> End {
        let mut end = End::default();
        for (place, item) in self.items.iter().enumerate() {
            let code = self.buckets.item(self.bucket, place);
            if engine_items.get(code as usize).copied().unwrap_or(true) {
                continue;
            }
            if item.way == Way::Engine {
                end.engine_items.push(code);
            } else if item.last != NONE {
                // All movements of the item have the same pool.
                let by_pool = job.policy.scope != Scope::Item;
                let pool = if by_pool { Columns::code(&job.columns.pool, item.last) } else { NONE };
                let key = Key { item: code, pool, lot: NONE };
                end.balances.push(Balance { key, quantity: item.qty, value: item.value });
                let queue = self.queues.get(place).copied().unwrap_or_default();
                let first = end.layers.len();
                end.layers.extend(self.layers.of(queue).map(|layer| open_layer(job.columns, key, layer)));
                if item.way == Way::Average {
                    let layers = end.layers.get_mut(first..).unwrap_or_default();
                    share_out((item.qty, item.value), layers, job.context);
                }
            }
        }
        end
    }
}

/// What the items of a bucket have at the end.
#[derive(Debug, Default)]
pub(super) struct End {
    pub balances: Vec<Balance>,
    pub layers: Vec<OpenLayer>,
    /// Items that the engine must value after all.
    pub engine_items: Vec<u32>,
}

/// Adds or takes layers of an item whose method keeps none; a movement that takes has a negative quantity.
fn track(layers: &mut Layers, queue: &mut Queue, layer: Layer) {
    if layer.qty > 0 {
        layers.push(queue, layer);
    } else {
        layers.take(queue, -layer.qty, Rounding::Down);
    }
}

/// Whether any item has layers.
pub(super) fn has_layers(job: &Job<'_>) -> bool {
    job.context.track_ages || job.rules.iter().any(|own| own.rules.method == Method::Fifo)
}

fn open_layer(columns: &Columns, key: Key, layer: &Layer) -> OpenLayer {
    OpenLayer {
        item: key.item,
        pool: key.pool,
        lot: Columns::code(&columns.lot, layer.row),
        row: layer.row,
        at: layer.at,
        quantity: layer.qty,
        value: layer.value,
    }
}
