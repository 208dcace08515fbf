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

/// What is on hand of an item: small, so that many items stay near the processor, and never across two cache lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(16))]
pub(super) struct Stock {
    pub qty: i64,
    pub value: i64,
}

impl Stock {
    /// Nothing was posted yet. Negative like [`Self::ENGINE`], so that the quick ways leave both to [`Items::any`].
    const NEW: Self = Self { qty: -1, value: 0 };
    /// The engine values the item.
    const ENGINE: Self = Self { qty: -2, value: 0 };
}

/// Movements whose items are read beforehand.
pub(super) const BLOCK: usize = 32;

/// The items of a bucket with their state.
pub(super) struct Items {
    bucket: usize,
    pub(super) buckets: Buckets,
    pub(super) stocks: Vec<Stock>,
    /// Whether an item is valued first in, first out; at its average otherwise.
    is_fifo: Vec<bool>,
    /// Row of the first movement posted by item; `NONE` before.
    first: Vec<u32>,
    /// Queues of layers by item; empty where no item needs them.
    queues: Vec<Queue>,
    layers: Layers,
    rounding: Rounding,
    /// Whether [`mul_div_half_even_small`] serves: for averages without layers, if the rounding is half to even.
    pub(super) is_quick: bool,
    /// Whether averages have layers too, for their ages: quantities without values.
    tracks_ages: bool,
}

impl Items {
    /// The items of `bucket`, with nothing on hand.
    pub fn new(job: &Job<'_>, buckets: Buckets, bucket: usize) -> Self {
        let codes = (0..)
            .map(|place| buckets.item(bucket, place))
            .take_while(|item| (*item as usize) < job.columns.items);
        let method = |item: u32| job.rules.get(job.columns.rules_of(item)).map(|own| own.rules.method);
        let methods: Vec<Option<Method>> = codes.map(method).collect();
        let stock = |method: &Option<Method>| match method {
            Some(Method::MovingAverage | Method::Fifo) => Stock::NEW,
            _ => Stock::ENGINE,
        };
        let queues = if has_layers(job) { methods.len() } else { 0 };
        let rounding = job.context.rounding;
        Self {
            bucket,
            buckets,
            stocks: methods.iter().map(stock).collect(),
            is_fifo: methods.iter().map(|method| *method == Some(Method::Fifo)).collect(),
            first: vec![NONE; methods.len()],
            queues: vec![Queue::default(); queues],
            layers: Layers::default(),
            rounding,
            is_quick: rounding == Rounding::HalfEven && queues == 0,
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
            let stocks = places.filter_map(|place| self.stocks.get(place));
            std::hint::black_box(stocks.fold(0, |sum, stock| sum ^ stock.qty));
        } else {
            let queues = places.filter_map(|place| Some((self.stocks.get(place)?, self.queues.get(place)?)));
            let read =
                |sum, (stock, queue): (&Stock, &Queue)| sum ^ stock.qty ^ self.layers.oldest_qty(*queue);
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
        if self.is_quick
            && let Some(stock) = self.stocks.get_mut(place)
        {
            let is_issue = qty >> 63;
            let left = stock.qty.wrapping_add(qty);
            // A receipt is computed as an issue of nothing, and its amount chosen by a mask: nobody can predict which comes next.
            let part = mul_div_half_even_small(stock.value, qty & is_issue, stock.qty);
            let moved = amount ^ ((amount ^ part) & is_issue);
            let value = stock.value.wrapping_add(moved);
            // Everything that is not ordinary is above a bound, also what is negative.
            let bound = SMALL_VALUE.cast_unsigned();
            let is_small = ((left | stock.qty).cast_unsigned() < bound)
                & ((value | stock.value).cast_unsigned() < bound);
            if is_small & (qty != 0) {
                *stock = Stock { qty: left, value };
                return Moved { value: moved, on_hand: left, on_hand_value: value };
            }
        }
        self.any(place, at, [qty, amount], row).unwrap_or(Moved::NONE)
    }

    /// Values any movement: its value, and the quantity and the value on hand after it. `None` where there is nothing to value, or
    /// the engine must value the item.
    #[inline]
    fn any(&mut self, place: usize, at: i64, [qty, amount]: [i64; 2], row: u32) -> Option<Moved> {
        let stock = self.stocks.get_mut(place)?;
        if qty == 0 || *stock == Stock::ENGINE {
            return None;
        }
        let is_new = *stock == Stock::NEW;
        let before = if is_new { Stock { qty: 0, value: 0 } } else { *stock };
        // Left to the engine, unless what follows fits.
        *stock = Stock::ENGINE;
        let left = before.qty.checked_add(qty).filter(|left| (0..LIMIT).contains(left))?;
        let is_fifo = self.is_fifo.get(place).copied().unwrap_or_default();
        let moved = match (is_fifo, qty > 0) {
            (true, true) => {
                self.layers.push(self.queues.get_mut(place)?, Layer { qty, value: amount, at, row });
                amount
            }
            (true, false) => -self.layers.take(self.queues.get_mut(place)?, -qty, self.rounding),
            (false, is_receipt) => {
                let moved = match (is_receipt, left) {
                    (true, _) => amount,
                    (false, 0) => -before.value,
                    (false, _) => -share(before.value, -qty, before.qty, self.rounding),
                };
                if self.tracks_ages {
                    let queue = self.queues.get_mut(place)?;
                    track(&mut self.layers, queue, Layer { qty, value: 0, at, row });
                }
                moved
            }
        };
        let value = before.value.checked_add(moved).filter(|value| *value < LIMIT)?;
        *stock = Stock { qty: left, value };
        if is_new {
            self.first.get_mut(place).into_iter().for_each(|first| *first = row);
        }
        Some(Moved { value: moved, on_hand: left, on_hand_value: value })
    }

    /// What there is at the end; `engine_items` are left out.
    pub fn finish(self, job: &Job<'_>, engine_items: &[bool]) -> End {
        let mut end = End::default();
        for (place, (stock, first)) in self.stocks.iter().zip(&self.first).enumerate() {
            let code = self.buckets.item(self.bucket, place);
            if engine_items.get(code as usize).copied().unwrap_or(true) {
                continue;
            }
            if *stock == Stock::ENGINE {
                end.engine_items.push(code);
            } else if *first != NONE {
                // All movements of the item have the same pool.
                let by_pool = job.policy.scope != Scope::Item;
                let pool = if by_pool { Columns::code(&job.columns.pool, *first) } else { NONE };
                let key = Key { item: code, pool, lot: NONE };
                end.balances.push(Balance { key, quantity: stock.qty, value: stock.value });
                let queue = self.queues.get(place).copied().unwrap_or_default();
                let oldest = end.layers.len();
                end.layers.extend(self.layers.of(queue).map(|layer| open_layer(job.columns, key, layer)));
                if !self.is_fifo.get(place).copied().unwrap_or_default() {
                    let layers = end.layers.get_mut(oldest..).unwrap_or_default();
                    share_out((stock.qty, stock.value), layers, job.context);
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
