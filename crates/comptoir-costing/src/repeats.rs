//! Which row counts where only one of several can: by what the rows say, whatever their order.

use std::cmp::Ordering;

use hashbrown::{HashMap, HashSet};

use crate::reject::{Fault, RejectCode};

/// What becomes of rows that share their ids.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    /// All rows but the one of each id that counts.
    pub faults: Vec<(u32, Fault)>,
    /// The row that counts by the first row of its id, where these are two.
    pub moved: HashMap<u32, u32>,
}

/// Chooses among rows with one id the first in `order`, in which rows of the same content are equal. `repeats` are the rows whose id
/// occurred before, each with the first row that has it.
pub(crate) fn choose(mut repeats: Vec<(u32, u32)>, order: impl Fn(u32, u32) -> Ordering) -> Repeats {
    repeats.sort_unstable_by_key(|(row, first)| (*first, *row));
    let mut chosen = Repeats::default();
    for same_id in repeats.chunk_by(|(_, one), (_, other)| one == other) {
        let Some((_, first)) = same_id.first().copied() else { continue };
        let rows = || std::iter::once(first).chain(same_id.iter().map(|(row, _)| *row));
        let kept = rows().min_by(|one, other| order(*one, *other)).unwrap_or(first);
        if kept != first {
            chosen.moved.insert(first, kept);
        }
        chosen.faults.extend(rows().filter(|row| *row != kept).map(|row| {
            let is_same = order(row, kept) == Ordering::Equal;
            let code = if is_same { RejectCode::DuplicateIgnored } else { RejectCode::DuplicateId };
            (row, Fault::with(code, 0, i64::from(kept)))
        }));
    }
    chosen
}

/// The first row of each of some items in `order`, given the item codes by row.
pub(crate) fn leaders(
    items: &HashSet<u32>,
    codes: &[u32],
    order: impl Fn(u32, u32) -> Ordering,
) -> HashMap<u32, u32> {
    let mut leaders = HashMap::new();
    for (row, item) in (0u32..).zip(codes).filter(|(_, item)| items.contains(*item)) {
        let leader = leaders.entry(*item).or_insert(row);
        if order(row, *leader) == Ordering::Less {
            *leader = row;
        }
    }
    leaders
}

/// Rows that cannot be read. One that lies in a closed period can, and stays before what has its id and lies later.
pub(crate) fn unreadable(faults: &[(u32, Fault)]) -> HashSet<u32> {
    let cannot = |(_, fault): &&(u32, Fault)| fault.code != RejectCode::ClosedPeriod;
    faults.iter().filter(cannot).map(|(row, _)| *row).collect()
}
