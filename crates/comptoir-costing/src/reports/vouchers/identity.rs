//! Ids of vouchers: equal exactly where the vouchers are equal.

use comptoir_types::Date;
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use super::template::VoucherTemplate;
use super::{MovementNames, Side, VoucherKey, VoucherSet, slice, text};

/// The id as 32 hexadecimal digits.
#[must_use]
pub fn id_text(id: u128) -> String {
    format!("{id:032x}")
}

/// Ids of all vouchers of a set, computed on all threads; each depends on its own voucher only.
pub(super) fn ids(
    set: &VoucherSet,
    template: &VoucherTemplate,
    names: &(impl MovementNames + Sync),
) -> Vec<u128> {
    let mut head = Vec::new();
    head.extend(template.version.to_le_bytes());
    write_text(&mut head, template.name.as_bytes());
    let scratch = || (Vec::new(), Vec::new());
    (0..set.len())
        .into_par_iter()
        .map_init(scratch, |(content, part), voucher| {
            content.clear();
            content.extend(&head);
            write_head(content, part, set, voucher, names);
            write_lines(content, set, voucher);
            write_movements(content, part, set.rows(voucher), names);
            xxh3_128(content)
        })
        .collect()
}

fn write_head(
    content: &mut Vec<u8>,
    part: &mut Vec<u8>,
    set: &VoucherSet,
    voucher: usize,
    names: &impl MovementNames,
) {
    content.push(match set.key.get(voucher) {
        Some(VoucherKey::Movement(_)) => b'm',
        Some(VoucherKey::Document(_)) => b'd',
        Some(VoucherKey::Day) => b'D',
        Some(VoucherKey::Month) => b'M',
        None => 0,
    });
    part.clear();
    set.write_key(voucher, names, part);
    write_text(content, part);
    content.extend(set.date.get(voucher).copied().unwrap_or(Date::EPOCH).days().to_le_bytes());
    // The text divides days and months; elsewhere it is that of whichever line came first.
    if let Some(VoucherKey::Day | VoucherKey::Month) = set.key.get(voucher) {
        write_text(content, set.summary(voucher).as_bytes());
    }
}

fn write_lines(content: &mut Vec<u8>, set: &VoucherSet, voucher: usize) {
    let accounts = slice(&set.line_account, &set.line_offsets, voucher);
    let sides = slice(&set.line_side, &set.line_offsets, voucher);
    let amounts = slice(&set.line_amount, &set.line_offsets, voucher);
    content.extend(length(accounts.len()).to_le_bytes());
    for ((&account, side), amount) in accounts.iter().zip(sides).zip(amounts) {
        write_text(content, text(&set.accounts, account).as_bytes());
        content.push(if *side == Side::Debit { b'd' } else { b'c' });
        content.extend(amount.to_le_bytes());
    }
}

/// Writes the count of the movements and the sum of the hashes of their ids. A sum does not depend on their order, so that
/// movements of one instant may come in any order; a movement occurs once, so that nothing cancels out.
fn write_movements(content: &mut Vec<u8>, part: &mut Vec<u8>, rows: &[u32], names: &impl MovementNames) {
    let mut sum = 0_u128;
    for &row in rows {
        part.clear();
        names.write_id(row, part);
        sum = sum.wrapping_add(xxh3_128(part));
    }
    content.extend(length(rows.len()).to_le_bytes());
    content.extend(sum.to_le_bytes());
}

/// Writes a text after its length, so that two texts cannot run into each other.
fn write_text(content: &mut Vec<u8>, text: &[u8]) {
    content.extend(length(text.len()).to_le_bytes());
    content.extend(text);
}

fn length(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
