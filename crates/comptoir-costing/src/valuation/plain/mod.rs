//! The short way for items that only receive and issue, within their stock, in one pool: most rows of most histories.
//!
//! Rows are dealt to buckets by item, each bucket is valued with the state of its items in the first-level cache, and the lines are
//! collected in row order. A history in book order needs no buckets where one thread values as fast as the others write ([`lane`]); for
//! more threads it passes in waves: a few ranges at a time, so that what is dealt stays in the shared
//! cache, while the items keep their state from wave to wave. Any other history is dealt at once, and every bucket is sorted. So is one
//! whose items have layers, which are too many to be read and written again in every wave.
//!
//! An item with anything else (another kind, a shortage, a second pool, a group, a number near the limits) is left to the engine,
//! which values it from the start. Both ways give the same lines: a property test holds them together.

mod averages;
mod deal;
mod items;
mod lane;
mod layers;
mod order;

use rayon::prelude::*;

use super::Balance;
use super::bucket::Job;
use super::check::Checks;
use super::columns::Columns;
use super::lines::{Lines, Moved};
use super::unit_cost::UnitCost;
use crate::posting::OpenLayer;
use crate::reject::Fault;
use deal::{Dealer, Dealt, Slot};
use items::Items;

/// What the short way gives.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Lines of all rows by range; blank for rows of items that the engine must value. Empty where it must value all.
    pub lines: Vec<Lines>,
    /// By item code, whether the engine must value it.
    pub engine_items: Vec<bool>,
    pub balances: Vec<Balance>,
    pub layers: Vec<OpenLayer>,
    /// Rows that failed their checks.
    pub faults: Vec<(u32, Fault)>,
}

/// Values what can be valued the short way; `excluded` rows (ascending) have no line.
pub(super) fn run(
    job: &Job<'_>,
    checks: &Checks,
    excluded: &[(u32, Fault)],
    engine_items: Vec<bool>,
) -> Outcome {
    let in_order = order::is_book_order(job);
    if !in_order && job.plan.ranges.len() > order::MOST_PARTS {
        return Outcome { engine_items: vec![true; engine_items.len()], ..Outcome::default() };
    }
    if engine_items.iter().all(|engine| *engine) {
        return Outcome { engine_items, ..Outcome::default() };
    }
    if in_order && !items::has_layers(job) && rayon::current_num_threads() <= lane::MOST_THREADS {
        let dealer = Dealer::new(job.columns, checks, Buckets::ONE, excluded, &engine_items);
        let mut items = Items::new(job, Buckets::ONE, 0);
        let (lines, faults) = lane::run(job, &dealer, &mut items);
        return finish(job, vec![items], engine_items, lines, faults);
    }
    by_buckets(job, checks, excluded, engine_items, in_order)
}

/// Deals the rows to buckets of their items, and values bucket by bucket.
fn by_buckets(
    job: &Job<'_>,
    checks: &Checks,
    excluded: &[(u32, Fault)],
    engine_items: Vec<bool>,
    in_order: bool,
) -> Outcome {
    let has_layers = items::has_layers(job);
    let in_waves = in_order && !has_layers;
    let buckets = Buckets::new(job.columns, in_order, has_layers);
    let dealer = Dealer::new(job.columns, checks, buckets, excluded, &engine_items);
    let mut items: Vec<Items> =
        (0..buckets.count).into_par_iter().map(|bucket| Items::new(job, buckets, bucket)).collect();
    let wave = if in_waves { rayon::current_num_threads().max(2) } else { job.plan.ranges.len().max(1) };
    let mut dealt: Vec<Dealt> = Vec::new();
    let (mut lines, mut faults) = (Vec::with_capacity(job.plan.ranges.len()), Vec::new());
    for ranges in job.plan.ranges.chunks(wave) {
        dealt.resize_with(ranges.len(), Dealt::default);
        let bad = dealt.par_iter_mut().zip(ranges).map(|(dealt, (chunk, rows))| {
            let chunk = job.columns.chunks.get(*chunk);
            chunk.map_or_else(Vec::new, |chunk| dealer.deal(chunk, rows.clone(), dealt))
        });
        faults.extend(bad.collect::<Vec<_>>().into_iter().flatten());
        value(job, &mut items, &mut dealt, in_order);
        if job.context.track_ages {
            continue;
        }
        let collected = dealt.par_iter_mut().zip(ranges).map(|(dealt, (chunk, rows))| {
            let dealt = if in_waves { dealt } else { &mut std::mem::take(dealt) };
            let chunk = job.columns.chunks.get(*chunk);
            chunk.map_or_else(Lines::default, |chunk| collect(job, buckets, chunk, rows.clone(), dealt))
        });
        lines.extend(collected.collect::<Vec<_>>());
    }
    finish(job, items, engine_items, lines, faults)
}

/// Values the dealt rows, bucket by bucket.
fn value(job: &Job<'_>, items: &mut [Items], dealt: &mut [Dealt], in_order: bool) {
    let mut parts: Vec<Vec<&mut [Slot]>> = items.iter().map(|_| Vec::with_capacity(dealt.len())).collect();
    for dealt in dealt {
        parts.iter_mut().zip(dealt.buckets()).for_each(|(parts, bucket)| parts.push(bucket));
    }
    items.par_iter_mut().zip(parts).for_each_init(order::Scratch::default, |scratch, (items, mut parts)| {
        match if in_order { None } else { order::book_order(job, &parts, scratch) } {
            None => parts.iter_mut().for_each(|part| items.value(part)),
            Some(order) => order.value(&mut parts, items),
        }
    });
}

/// Rows collected at a time: their lines stay in the first-level cache while the columns are written.
const BLOCK: usize = 256;

/// The lines of a range in row order, out of the buckets to which its rows were dealt.
fn collect(
    job: &Job<'_>,
    buckets: Buckets,
    chunk: &super::columns::Chunk,
    rows: std::ops::Range<usize>,
    dealt: &mut Dealt,
) -> Lines {
    let scale = UnitCost::new(job.context);
    let mut lines = Lines::with_capacity(rows.len());
    let items = job.columns.item.get(chunk.start + rows.start..chunk.start + rows.end).unwrap_or_default();
    let mut block = [Moved::NONE; BLOCK];
    let (slots, next) = dealt.reader();
    for (number, items) in items.chunks(BLOCK).enumerate() {
        for (moved, item) in block.iter_mut().zip(items) {
            let Some(next) = next.get_mut(buckets.of(*item)) else { continue };
            if let Some([value, on_hand, on_hand_value, _]) = slots.get(*next as usize) {
                *moved = Moved { value: *value, on_hand: *on_hand, on_hand_value: *on_hand_value };
            }
            *next += 1;
        }
        let block = block.get(..items.len()).unwrap_or_default();
        lines.extend(chunk, rows.start + number * BLOCK, block, &scale);
    }
    lines
}

fn finish(
    job: &Job<'_>,
    items: Vec<Items>,
    mut engine_items: Vec<bool>,
    lines: Vec<Lines>,
    mut faults: Vec<(u32, Fault)>,
) -> Outcome {
    let (mut balances, mut layers) = (Vec::new(), Vec::new());
    for end in items.into_par_iter().map(|items| items.finish(job, &engine_items)).collect::<Vec<_>>() {
        balances.extend(end.balances);
        layers.extend(end.layers);
        for item in end.engine_items {
            engine_items.get_mut(item as usize).into_iter().for_each(|engine| *engine = true);
        }
    }
    // The engine checks the rows of its items again.
    let is_engine = |row: u32| {
        let item = Columns::code(&job.columns.item, row);
        engine_items.get(item as usize).copied().unwrap_or(false)
    };
    faults.retain(|(row, _)| !is_engine(*row));
    Outcome { lines, engine_items, balances, layers, faults }
}

/// How items are dealt to buckets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Buckets {
    /// Number of buckets, a power of two.
    pub count: usize,
    bits: u32,
}

/// Items of a bucket of a history in book order: their state fits a core's second-level cache. The fewer the buckets, the fewer the
/// streams into which rows are dealt, each of which waits for the memory.
const BUCKET_ITEMS: usize = 1 << 13;

/// The same for items with layers.
const BUCKET_LAYERED_ITEMS: usize = 1 << 10;

/// There are buckets for this many threads at least.
const FEWEST_BUCKETS: usize = 8;

/// Movements of a bucket of a history that is to be sorted, about: they fit a core's second-level cache.
const BUCKET_ROWS: usize = 1 << 14;

/// More buckets would cost more in open write streams than smaller buckets save.
const MOST_BUCKETS: usize = 512;

impl Buckets {
    /// One bucket for all items.
    const ONE: Self = Self { count: 1, bits: 0 };

    fn new(columns: &Columns, in_order: bool, has_layers: bool) -> Self {
        let wanted = match (in_order, has_layers) {
            (true, false) => (columns.items / BUCKET_ITEMS).max(FEWEST_BUCKETS),
            (true, true) => (columns.items / BUCKET_LAYERED_ITEMS).max(FEWEST_BUCKETS),
            (false, _) => columns.rows / BUCKET_ROWS,
        };
        let most = columns.items.next_power_of_two().min(MOST_BUCKETS);
        let count = wanted.next_power_of_two().clamp(1, most);
        Self { count, bits: count.trailing_zeros() }
    }

    /// The bucket of an item.
    #[inline(always)]
    pub const fn of(self, item: u32) -> usize {
        item as usize & (self.count - 1)
    }

    /// The place of an item in its bucket.
    #[inline(always)]
    pub const fn place(self, item: u32) -> usize {
        item as usize >> self.bits
    }

    /// The item at a place of a bucket.
    pub fn item(self, bucket: usize, place: usize) -> u32 {
        u32::try_from((place << self.bits) | bucket).unwrap_or(crate::posting::NONE)
    }
}
