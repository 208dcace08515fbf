//! Order of movements at one instant.

use std::cmp::Ordering;

use super::columns::{Columns, MISSING};
use super::partition::{may_refer, uses_reference};
use crate::movement::Kind;
use crate::policy::Ties;

/// A reversal may refer to a cost adjustment, that to an arrival, and that to what left: no way is longer.
const LONGEST: usize = 4;

/// Rows one behind the other, of which the last is the one meant and each stands right behind the one before it.
#[derive(Clone, Copy)]
struct Place {
    rows: [u32; LONGEST],
    length: usize,
}

impl Place {
    const fn own(row: u32) -> Self {
        Self { rows: [row; LONGEST], length: 1 }
    }

    fn rows(&self) -> &[u32] {
        self.rows.get(..self.length).unwrap_or_default()
    }

    fn behind(mut self, row: u32) -> Self {
        if let Some(slot) = self.rows.get_mut(self.length) {
            *slot = row;
            self.length += 1;
        }
        self
    }
}

/// Order of two movements at one instant by a tie rule.
pub(super) fn tie(columns: &Columns, ties: Ties, one: u32, other: u32) -> Ordering {
    match ties {
        Ties::Row => one.cmp(&other),
        Ties::Id => by_id(columns, one, other),
        Ties::ReceiptsFirst => compare(columns, &place(columns, one), &place(columns, other)),
    }
}

fn by_id(columns: &Columns, one: u32, other: u32) -> Ordering {
    if columns.ids.ascending() { one.cmp(&other) } else { columns.ids.compare(one, other) }
}

/// Places compare row by row; what stands behind a row comes after it.
fn compare(columns: &Columns, one: &Place, other: &Place) -> Ordering {
    let rank = |row: u32| kind_of(columns, row).map(Kind::tie_rank);
    let by_rank = |one: u32, other: u32| {
        if one == other {
            Ordering::Equal
        } else {
            rank(one).cmp(&rank(other)).then_with(|| by_id(columns, one, other))
        }
    };
    let rows = one.rows().iter().zip(other.rows());
    let first = rows.map(|(one, other)| by_rank(*one, *other)).find(|order| order.is_ne());
    first.unwrap_or_else(|| one.length.cmp(&other.length))
}

/// The place of a row under `receipts_first`: its own, but right behind the movement of the same instant in its `ref` where that stands
/// later.
fn place(columns: &Columns, row: u32) -> Place {
    let mut way = Place::own(row);
    let mut last = row;
    while let Some(target) = tied_target(columns, last).filter(|_| way.length < LONGEST) {
        way = way.behind(target);
        last = target;
    }
    let mut rows = way.rows().iter().rev();
    let mut place = Place::own(rows.next().copied().unwrap_or(row));
    for row in rows {
        let own = Place::own(*row);
        place = if compare(columns, &place, &own).is_lt() { own } else { place.behind(*row) };
    }
    place
}

/// The movement of the same item and instant to which a row refers.
fn tied_target(columns: &Columns, row: u32) -> Option<u32> {
    let kind = kind_of(columns, row).filter(|kind| uses_reference(*kind))?;
    let target = Some(Columns::code(&columns.reference, row)).filter(|target| *target < MISSING)?;
    let at = |row: u32| columns.locate(row).and_then(|(chunk, place)| chunk.at.get(place)).copied();
    let is_tied = at(row) == at(target)
        && Columns::code(&columns.item, row) == Columns::code(&columns.item, target)
        && kind_of(columns, target).is_some_and(|to| may_refer(kind, to));
    is_tied.then_some(target)
}

fn kind_of(columns: &Columns, row: u32) -> Option<Kind> {
    let (chunk, place) = columns.locate(row)?;
    chunk.kind.get(place).copied().and_then(Kind::from_code)
}
