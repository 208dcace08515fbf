//! Vouchers (凭证): double entries for the lines of the stock ledger, with ids that make posting twice harmless.

mod assembly;
mod identity;
mod one_or_many;
mod rules;
pub mod template;

use comptoir_types::Date;

use super::error::ReportError;
use super::period::{Calendar, month_end};
use crate::posting::Posting;
use assembly::Assembly;
use rules::Rules;

pub use identity::id_text;
pub use template::{AccountPair, Negative, Rule, Sign, VoucherTemplate};

/// Turns postings in book order into vouchers.
///
/// Each line moves its value, its variance and its estimate between the two accounts that the template's first fitting rule
/// gives for each. Entries of one voucher that move the same account on the same side are added up. Lines without any of the
/// three move no account and appear in no voucher.
///
/// Every voucher balances: the sum of its debits is the sum of its credits, by construction. Its id depends on the
/// template's name, the key and date, the accounts and amounts, and the ids of its movements, but not on the order of
/// movements or on anything outside the voucher.
///
/// # Errors
/// `COSTING_VOUCHER_UNMATCHED` for a line without a rule, `COSTING_VOUCHER_NO_ACCOUNTS` where the rule lacks a part,
/// `COSTING_TEMPLATE_INVALID` as [`VoucherTemplate::check`], `TYPES_TIME_RANGE` for a line outside the calendar.
pub fn vouchers(
    postings: impl IntoIterator<Item = Posting>,
    template: &VoucherTemplate,
    by: By,
    names: &(impl MovementNames + Sync),
    calendar: Calendar,
) -> Result<VoucherSet, ReportError> {
    template.check()?;
    let mut rules = Rules::new(template);
    let mut assembly = Assembly::default();
    for posting in postings {
        if posting.value == 0 && posting.variance == 0 && posting.estimate == 0 {
            continue;
        }
        let class = names.class(posting.item);
        let treatment = rules.treatment(&posting, class, || names.class_name(class))?;
        let mut entries = treatment.entries(&posting, template.negative)?.peekable();
        if entries.peek().is_none() {
            continue;
        }
        let day = calendar.date(posting.at)?;
        let (key, date) = place(by, names, posting.row, day);
        let voucher = assembly.voucher(key, date, treatment.summary);
        assembly.add_row(voucher, posting.row);
        entries.for_each(|entry| assembly.add(voucher, entry));
    }
    let (accounts, summaries) = rules.into_texts();
    let mut set = assembly.finish(accounts, summaries);
    set.id = identity::ids(&set, template, names);
    Ok(set)
}

/// Which lines go into one voucher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// The lines that one movement caused on one day.
    Movement,
    /// The lines of one document on one day; of one movement where it has no document.
    Document,
    /// The lines of one day and summary text.
    Day,
    /// The lines of one calendar month and summary text, dated on its last day.
    Month,
}

/// What vouchers need to know about the items and movements behind the codes.
pub trait MovementNames {
    /// Code of an item's class.
    fn class(&self, item: u32) -> u32;

    /// Name of a class, as templates write it.
    fn class_name(&self, class: u32) -> &str;

    /// Appends the id of the movement in an input row, in a form that is the same for the same id in every host.
    fn write_id(&self, row: u32, text: &mut Vec<u8>);

    /// Code of the document that the movement in an input row belongs to.
    fn document(&self, _row: u32) -> Option<u32> {
        None
    }

    /// Appends the number of a document.
    fn write_document(&self, _document: u32, _text: &mut Vec<u8>) {}
}

/// What the lines of a voucher have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VoucherKey {
    /// The movement in this input row, and the day.
    Movement(u32),
    /// The document with this code, and the day.
    Document(u32),
    /// The day and the summary text.
    Day,
    /// The month and the summary text.
    Month,
}

/// Vouchers in book order, as columns: one entry per voucher, per line and per movement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VoucherSet {
    /// Texts of the accounts, ascending; `line_account` holds positions in it.
    pub accounts: Vec<String>,
    /// Texts of the rules, ascending; `summary` holds positions in it.
    pub summaries: Vec<String>,
    /// Id of the voucher; [`id_text`] writes it.
    pub id: Vec<u128>,
    /// Date of the voucher.
    pub date: Vec<Date>,
    /// What its lines have in common.
    pub key: Vec<VoucherKey>,
    /// Text of the voucher: that of the rule of its first line.
    pub summary: Vec<u32>,
    /// Where the lines of each voucher begin, and at the end their count.
    pub line_offsets: Vec<usize>,
    /// Account of the line.
    pub line_account: Vec<u32>,
    /// Side of the line.
    pub line_side: Vec<Side>,
    /// Amount in units of the money scale; below zero only in red.
    pub line_amount: Vec<i128>,
    /// Where the movements of each voucher begin, and at the end their count.
    pub row_offsets: Vec<usize>,
    /// Input rows of the movements that caused the voucher, in book order, each once.
    pub rows: Vec<u32>,
}

/// Side of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Debit (借).
    Debit,
    /// Credit (贷).
    Credit,
}

/// One line of a voucher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The account.
    pub account: &'a str,
    /// Amount on the debit side, in units of the money scale.
    pub debit: i128,
    /// Amount on the credit side, in units of the money scale.
    pub credit: i128,
}

impl VoucherSet {
    /// How many vouchers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.date.len()
    }

    /// Whether there is no voucher.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.date.is_empty()
    }

    /// Lines of a voucher, debits first, each side by account.
    pub fn lines(&self, voucher: usize) -> impl Iterator<Item = Line<'_>> {
        let columns = slice(&self.line_account, &self.line_offsets, voucher)
            .iter()
            .zip(slice(&self.line_side, &self.line_offsets, voucher))
            .zip(slice(&self.line_amount, &self.line_offsets, voucher));
        columns.map(|((&account, side), &amount)| {
            let account = text(&self.accounts, account);
            match side {
                Side::Debit => Line { account, debit: amount, credit: 0 },
                Side::Credit => Line { account, debit: 0, credit: amount },
            }
        })
    }

    /// Input rows of the movements of a voucher, in book order.
    #[must_use]
    pub fn rows(&self, voucher: usize) -> &[u32] {
        slice(&self.rows, &self.row_offsets, voucher)
    }

    /// Text of a voucher.
    #[must_use]
    pub fn summary(&self, voucher: usize) -> &str {
        self.summary.get(voucher).map_or("", |&code| text(&self.summaries, code))
    }

    /// Appends the key of a voucher: a movement id, a document number, `2024-03-31` or `2024-03`.
    pub fn write_key(&self, voucher: usize, names: &impl MovementNames, key: &mut Vec<u8>) {
        let (Some(of), Some(date)) = (self.key.get(voucher), self.date.get(voucher)) else {
            return;
        };
        match *of {
            VoucherKey::Movement(row) => names.write_id(row, key),
            VoucherKey::Document(document) => names.write_document(document, key),
            VoucherKey::Day => key.extend(date.to_string().bytes()),
            VoucherKey::Month => key.extend(date.to_string().bytes().take("2024-03".len())),
        }
    }

    /// Sums of all debits and of all credits, which are equal.
    #[must_use]
    pub fn totals(&self) -> (i128, i128) {
        let mut totals = (0, 0);
        for (side, amount) in self.line_side.iter().zip(&self.line_amount) {
            match side {
                Side::Debit => totals.0 += amount,
                Side::Credit => totals.1 += amount,
            }
        }
        totals
    }
}

fn place(by: By, names: &impl MovementNames, row: u32, day: Date) -> (VoucherKey, Date) {
    match by {
        By::Movement => (VoucherKey::Movement(row), day),
        By::Document => (names.document(row).map_or(VoucherKey::Movement(row), VoucherKey::Document), day),
        By::Day => (VoucherKey::Day, day),
        By::Month => (VoucherKey::Month, month_end(day.first_of_month())),
    }
}

fn slice<'a, T>(column: &'a [T], offsets: &[usize], index: usize) -> &'a [T] {
    let range = offsets.get(index).zip(offsets.get(index + 1));
    range.and_then(|(&start, &end)| column.get(start..end)).unwrap_or_default()
}

fn text(texts: &[String], code: u32) -> &str {
    usize::try_from(code).ok().and_then(|code| texts.get(code)).map_or("", String::as_str)
}

#[cfg(test)]
#[path = "settlement_tests.rs"]
mod settlement_tests;
#[cfg(test)]
#[path = "voucher_tests.rs"]
mod tests;
