//! The open layers of the items of a bucket, first in, first out.
//!
//! Every item has a ring of its own in one arena, so that its oldest and its newest layer lie side by side. A ring that is full moves
//! to one of twice the size, and the old one goes to the next item that needs its size.

use comptoir_types::Rounding;
use comptoir_types::decimal::{SMALL_DENOMINATOR, SMALL_VALUE, mul_div_half_even_small};

use crate::engine::share;

/// An open layer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Layer {
    pub qty: i64,
    pub value: i64,
    /// When it was received.
    pub at: i64,
    /// Row of the receipt.
    pub row: u32,
}

/// The ring of one item.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Queue {
    /// Where the ring begins in the arena.
    start: u32,
    /// Place of the oldest layer in the ring.
    head: u32,
    /// Number of layers.
    len: u32,
    /// The ring has `2^(bits + 1)` places; 0 for no ring.
    bits: u32,
}

impl Queue {
    const fn capacity(self) -> u32 {
        if self.bits == 0 { 0 } else { 2 << self.bits }
    }

    /// Place in the arena of the layer with this number, the oldest being 0.
    #[inline(always)]
    const fn place(self, number: u32) -> usize {
        let mask = (2 << self.bits) - 1;
        self.start as usize + ((self.head.wrapping_add(number)) & mask) as usize
    }
}

/// The rings of all items of a bucket.
#[derive(Debug, Default)]
pub(super) struct Layers {
    arena: Vec<Layer>,
    /// Starts of rings out of use, by their size.
    free: Vec<Vec<u32>>,
}

impl Layers {
    /// Reads the oldest layer, so that it is in the cache when it is needed.
    #[inline(always)]
    pub fn oldest_qty(&self, queue: Queue) -> i64 {
        self.arena.get(queue.place(0)).map_or(0, |layer| layer.qty)
    }

    /// The layers of an item, oldest first.
    pub fn of(&self, queue: Queue) -> impl Iterator<Item = &Layer> {
        (0..queue.len).filter_map(move |number| self.arena.get(queue.place(number)))
    }

    /// Adds the newest layer of an item.
    #[inline(always)]
    pub fn push(&mut self, queue: &mut Queue, layer: Layer) {
        if queue.len == queue.capacity() {
            self.grow(queue);
        }
        if let Some(slot) = self.arena.get_mut(queue.place(queue.len)) {
            *slot = layer;
            queue.len += 1;
        }
    }

    /// Moves an item's layers to a ring of twice the size.
    #[inline(never)]
    fn grow(&mut self, queue: &mut Queue) {
        let bits = queue.bits + 1;
        self.free.resize_with(self.free.len().max(bits as usize + 1), Vec::new);
        let room = self.free.get_mut(bits as usize).and_then(Vec::pop);
        let start = room.unwrap_or_else(|| {
            let start = self.arena.len();
            self.arena.resize(start + (2 << bits), Layer::default());
            u32::try_from(start).unwrap_or(u32::MAX)
        });
        let larger = Queue { start, head: 0, len: queue.len, bits };
        for number in 0..queue.len {
            let layer = self.arena.get(queue.place(number)).copied().unwrap_or_default();
            self.arena.get_mut(larger.place(number)).into_iter().for_each(|slot| *slot = layer);
        }
        if queue.bits > 0 {
            self.free.get_mut(queue.bits as usize).into_iter().for_each(|free| free.push(queue.start));
        }
        *queue = larger;
    }

    /// Takes a quantity that is there from the oldest layers: whole ones, then a rounded share of the last. Gives their value.
    #[inline(always)]
    pub fn take(&mut self, queue: &mut Queue, qty: i64, rounding: Rounding) -> i64 {
        let (mut left, mut value) = (qty, 0);
        while queue.len > 0 {
            let Some(layer) = self.arena.get_mut(queue.place(0)) else { break };
            if layer.qty > left {
                let part = layer_share(layer, left, rounding);
                layer.qty -= left;
                layer.value -= part;
                return value + part;
            }
            left -= layer.qty;
            value += layer.value;
            queue.head = queue.head.wrapping_add(1);
            queue.len -= 1;
        }
        value
    }
}

/// What a part of a layer is worth.
#[inline(always)]
fn layer_share(layer: &Layer, qty: i64, rounding: Rounding) -> i64 {
    if rounding == Rounding::HalfEven && layer.value < SMALL_VALUE && layer.qty < SMALL_DENOMINATOR {
        return mul_div_half_even_small(layer.value, qty, layer.qty);
    }
    share(layer.value, qty, layer.qty, rounding)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    /// A queue as anyone would write it.
    fn take(queue: &mut VecDeque<Layer>, qty: i64) -> i64 {
        let (mut left, mut value) = (qty, 0);
        while let Some(layer) = queue.front_mut() {
            if layer.qty > left {
                let part = share(layer.value, left, layer.qty, Rounding::HalfEven);
                layer.qty -= left;
                layer.value -= part;
                return value + part;
            }
            left -= layer.qty;
            value += layer.value;
            queue.pop_front();
        }
        value
    }

    proptest! {
        #[test]
        fn rings_hold_what_queues_hold(steps in prop::collection::vec((0_usize..3, 1_i64..100, 0_i64..1000, 0_u8..100), 0..300), issues in 10_u8..60) {
            let mut layers = Layers::default();
            let mut rings = [Queue::default(); 3];
            let mut queues = [const { VecDeque::new() }; 3];
            for (row, (item, qty, value, kind)) in (0..).zip(steps) {
                let on_hand: i64 = queues[item].iter().map(|layer: &Layer| layer.qty).sum();
                if kind < issues && on_hand > 0 {
                    let qty = qty.min(on_hand);
                    prop_assert_eq!(layers.take(&mut rings[item], qty, Rounding::HalfEven), take(&mut queues[item], qty));
                } else {
                    let layer = Layer { qty, value, at: 0, row };
                    layers.push(&mut rings[item], layer);
                    queues[item].push_back(layer);
                }
                for (ring, queue) in rings.iter().zip(&queues) {
                    let shown = |layer: &Layer| (layer.qty, layer.value, layer.row);
                    prop_assert!(layers.of(*ring).map(shown).eq(queue.iter().map(shown)));
                }
            }
        }
    }
}
