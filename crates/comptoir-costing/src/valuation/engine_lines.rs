//! The lines of the items that the engine values come back in the order of the input rows.

use rayon::prelude::*;

use super::bucket::Job;
use super::lines::Lines;
use super::partition::{Dealt, is_wanted};
use super::unit_cost::UnitCost;
use crate::engine::Line;
use crate::reject::Fault;

/// Writes the lines that the buckets left in the slots of `dealt` into the lines of all rows, range by range.
pub(super) fn write(
    job: &Job<'_>,
    items: &[bool],
    dealt: Vec<Dealt>,
    excluded: &[(u32, Fault)],
    lines: &mut Vec<Lines>,
) {
    let ranges = &job.plan.ranges;
    if lines.is_empty() {
        *lines = ranges.par_iter().map(|(_, rows)| Lines::blank(rows.len())).collect();
    }
    lines.par_iter_mut().zip(ranges).zip(dealt).for_each(|((lines, (chunk, rows)), dealt)| {
        let first = job.columns.chunks.get(*chunk).map_or(0, |chunk| chunk.start) + rows.start;
        write_range(job, items, first..first + rows.len(), dealt, excluded, lines);
    });
}

fn write_range(
    job: &Job<'_>,
    items: &[bool],
    rows: std::ops::Range<usize>,
    dealt: Dealt,
    excluded: &[(u32, Fault)],
    lines: &mut Lines,
) {
    let scale = UnitCost::new(job.context);
    let Dealt { slots, starts: mut next, .. } = dealt;
    let first = excluded.partition_point(|(row, _)| (*row as usize) < rows.start);
    let mut skip = excluded.iter().skip(first).map(|(row, _)| *row as usize).peekable();
    let codes = job.columns.item.get(rows.clone()).unwrap_or_default();
    for (place, (row, item)) in rows.zip(codes).enumerate() {
        if skip.peek() == Some(&row) {
            while skip.next_if_eq(&row).is_some() {}
        } else if is_wanted(items, *item)
            && let Some(next) = next.get_mut(job.plan.bucket(job.plan.component(*item)))
        {
            if let Some([quantity, value, on_hand, on_hand_value, variance]) = slots.get(*next).copied() {
                lines.put(place, &Line { quantity, value, on_hand, on_hand_value, variance }, &scale);
            }
            *next += 1;
        }
    }
}
