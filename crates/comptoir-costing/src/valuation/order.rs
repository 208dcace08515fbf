//! Book order inside a bucket.

use std::cmp::Ordering;

use super::bucket::Job;
use super::partition::Record;
use super::ties::tie;
use crate::policy::Ties;

/// Whether the records of every component stand in book order already.
pub(super) fn is_in_order(job: &Job<'_>, records: &[Record]) -> bool {
    let ties_by_row = match job.policy.ties {
        Ties::Row => true,
        Ties::Id => job.columns.ids.ascending(),
        Ties::ReceiptsFirst => false,
    };
    let mut last = vec![i64::MIN; job.plan.places(job.columns.items)];
    let later = i64::from(!ties_by_row);
    records.iter().all(|record| {
        let Some(last) = last.get_mut(place(job, record)) else {
            return true;
        };
        let in_order = record.at >= last.saturating_add(later);
        *last = record.at;
        in_order
    })
}

/// Places of the records in book order: by time; among equal times by component, and inside one by the policy's tie rule.
pub(super) fn book_order(job: &Job<'_>, records: &[Record]) -> Vec<u32> {
    let mut order: Vec<(i64, u32)> =
        (0u32..).zip(records).map(|(index, record)| (record.at, index)).collect();
    order.sort_unstable();
    let mut start = 0;
    while let Some((at, _)) = order.get(start).copied() {
        let length = order.iter().skip(start).take_while(|(other, _)| *other == at).count();
        if length > 1
            && let Some(equal) = order.get_mut(start..start + length)
        {
            equal.sort_unstable_by(|(_, one), (_, other)| {
                let (Some(one), Some(other)) = (records.get(*one as usize), records.get(*other as usize))
                else {
                    return Ordering::Equal;
                };
                place(job, one).cmp(&place(job, other)).then_with(|| tie_of_rows(job, one.row, other.row))
            });
        }
        start += length;
    }
    order.into_iter().map(|(_, index)| index).collect()
}

fn place(job: &Job<'_>, record: &Record) -> usize {
    job.plan.place(job.plan.component(record.item))
}

/// The policy's tie rule.
pub(super) fn tie_of_rows(job: &Job<'_>, one: u32, other: u32) -> Ordering {
    tie(job.columns, job.policy.ties, one, other)
}

/// Places of the records ordered by component and, inside it, in book order; with the start of every component.
pub(super) fn by_component(
    job: &Job<'_>,
    records: &[Record],
    order: Option<&[u32]>,
) -> (Vec<usize>, Vec<u32>) {
    let mut starts = vec![0_usize; job.plan.places(job.columns.items) + 1];
    for record in records {
        if let Some(count) = starts.get_mut(place(job, record) + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    let mut next = starts.clone();
    let mut sorted = vec![0_u32; sum];
    let mut put = |index: u32| {
        let Some(record) = records.get(index as usize) else {
            return;
        };
        let Some(slot) = next.get_mut(place(job, record)) else {
            return;
        };
        if let Some(target) = sorted.get_mut(*slot) {
            *target = index;
        }
        *slot += 1;
    };
    match order {
        Some(order) => order.iter().for_each(|index| put(*index)),
        None => (0u32..).take(records.len()).for_each(put),
    }
    (starts, sorted)
}
