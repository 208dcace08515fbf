//! Collects entries into vouchers: without hashing where a voucher is one movement, with one small map elsewhere.

use comptoir_types::Date;
use hashbrown::HashMap;

use super::rules::Entry;
use super::{Side, VoucherKey, VoucherSet};
use crate::posting::NONE;

/// Vouchers while their lines are read.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    date: Vec<Date>,
    key: Vec<VoucherKey>,
    summary: Vec<u32>,
    // By voucher: the first of its entries, which hang on each other, and the row added last.
    first_entry: Vec<u32>,
    last_row: Vec<u32>,
    entries: Vec<Link>,
    rows: Vec<(u32, u32)>,
    // Latest voucher of each movement, by row, and voucher of every other key.
    by_row: Vec<u32>,
    by_key: HashMap<(VoucherKey, Date, u32), u32>,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    entry: Entry,
    next: u32,
}

impl Assembly {
    /// The voucher of this key and date, new or known. The summary divides days and months only.
    pub(super) fn voucher(&mut self, key: VoucherKey, date: Date, summary: u32) -> u32 {
        let next = count(self.date.len());
        let known = match key {
            VoucherKey::Movement(row) => latest_of_row(&mut self.by_row, row),
            VoucherKey::Document(_) => Some(self.by_key.entry((key, date, 0)).or_insert(next)),
            VoucherKey::Day | VoucherKey::Month => {
                Some(self.by_key.entry((key, date, summary)).or_insert(next))
            }
        };
        let Some(voucher) = known else { return next };
        // A movement may cause lines on later days, as an estimate that is taken back at the start of a month: those
        // make a new voucher. Book order ascends by time, so that an earlier day never comes back.
        let is_known = self.date.get(*voucher as usize) == Some(&date);
        if is_known {
            return *voucher;
        }
        *voucher = next;
        self.date.push(date);
        self.key.push(key);
        self.summary.push(summary);
        self.first_entry.push(NONE);
        self.last_row.push(NONE);
        next
    }

    /// Notes that a movement belongs to a voucher; the usual repetitions, one after the other, are left out here.
    pub(super) fn add_row(&mut self, voucher: u32, row: u32) {
        if let Some(last) = self.last_row.get_mut(voucher as usize)
            && *last != row
        {
            *last = row;
            self.rows.push((voucher, row));
        }
    }

    /// Adds an entry to the one of its voucher with the same accounts. A voucher has few: the chain is short.
    pub(super) fn add(&mut self, voucher: u32, entry: Entry) {
        let Some(first) = self.first_entry.get_mut(voucher as usize) else {
            return;
        };
        let mut at = *first;
        while let Some(link) = self.entries.get_mut(at as usize) {
            if (link.entry.debit, link.entry.credit) == (entry.debit, entry.credit) {
                // 2^32 movements of 2^63 units stay far below 2^127.
                link.entry.amount += entry.amount;
                return;
            }
            at = link.next;
        }
        self.entries.push(Link { entry, next: *first });
        *first = count(self.entries.len() - 1);
    }

    /// The vouchers as columns, still without their ids.
    pub(super) fn finish(self, accounts: Vec<String>, summaries: Vec<String>) -> VoucherSet {
        let (row_offsets, rows) = self.grouped_rows();
        let mut set = VoucherSet { accounts, summaries, row_offsets, rows, ..VoucherSet::default() };
        set.line_offsets.reserve(self.date.len() + 1);
        set.line_offsets.push(0);
        let mut lines = Vec::new();
        for &first in &self.first_entry {
            self.collect_lines(first, &mut lines);
            for &(side, account, amount) in &lines {
                set.line_account.push(account);
                set.line_side.push(side);
                set.line_amount.push(amount);
            }
            set.line_offsets.push(set.line_account.len());
        }
        VoucherSet { date: self.date, key: self.key, summary: self.summary, ..set }
    }

    /// Lines of one voucher: one for each account and side.
    fn collect_lines(&self, first: u32, lines: &mut Vec<(Side, u32, i128)>) {
        lines.clear();
        let mut at = first;
        while let Some(link) = self.entries.get(at as usize) {
            let Entry { debit, credit, amount } = link.entry;
            lines.extend([(Side::Debit, debit, amount), (Side::Credit, credit, amount)]);
            at = link.next;
        }
        lines.sort_unstable_by_key(|&(side, account, _)| (side, account));
        lines.dedup_by(|line, kept| {
            let is_same = (line.0, line.1) == (kept.0, kept.1);
            if is_same {
                kept.2 += line.2;
            }
            is_same
        });
    }

    /// Rows by voucher, in book order and each once: a counting sort, then a mark per row.
    fn grouped_rows(&self) -> (Vec<usize>, Vec<u32>) {
        let vouchers = self.date.len();
        let mut ends = vec![0_usize; vouchers + 1];
        for &(voucher, _) in &self.rows {
            ends.get_mut(voucher as usize + 1).into_iter().for_each(|end| *end += 1);
        }
        (1..ends.len()).for_each(|index| {
            let before = ends.get(index - 1).copied().unwrap_or(0);
            ends.get_mut(index).into_iter().for_each(|end| *end += before);
        });
        let mut next = ends.clone();
        let mut sorted = vec![0_u32; self.rows.len()];
        for &(voucher, row) in &self.rows {
            if let Some(position) = next.get_mut(voucher as usize) {
                sorted.get_mut(*position).into_iter().for_each(|slot| *slot = row);
                *position += 1;
            }
        }
        without_repetitions(&ends, sorted)
    }
}

fn latest_of_row(by_row: &mut Vec<u32>, row: u32) -> Option<&mut u32> {
    let index = row as usize;
    if index >= by_row.len() {
        by_row.resize((index + 1).max(by_row.len() * 2), NONE);
    }
    by_row.get_mut(index)
}

fn without_repetitions(ends: &[usize], sorted: Vec<u32>) -> (Vec<usize>, Vec<u32>) {
    let rows = sorted.iter().max().map_or(0, |&row| row as usize + 1);
    let mut seen = vec![NONE; rows];
    let mut offsets = Vec::with_capacity(ends.len());
    let mut kept = Vec::with_capacity(sorted.len());
    for (voucher, range) in ends.windows(2).enumerate() {
        offsets.push(kept.len());
        let [start, end] = range else { continue };
        for &row in sorted.get(*start..*end).unwrap_or_default() {
            if let Some(mark) = seen.get_mut(row as usize)
                && *mark != count(voucher)
            {
                *mark = count(voucher);
                kept.push(row);
            }
        }
    }
    offsets.push(kept.len());
    (offsets, kept)
}

/// Counts of vouchers and entries stay below 2^32, since each stands for at least one input row of which there are fewer.
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(NONE)
}
