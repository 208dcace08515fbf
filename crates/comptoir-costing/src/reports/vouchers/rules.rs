//! Finds the rule for a line without comparing text: each combination of codes is looked up once.

use hashbrown::HashMap;

use super::super::error::ReportError;
use super::template::{ANY_CLASS, AccountPair, INVENTORY, Negative, Rule, Sign, VoucherTemplate, invalid};
use crate::movement::{Direction, Kind, Reason};
use crate::posting::Posting;

/// What a rule says about lines with one combination of class, kinds, reason and sign.
#[derive(Clone, Copy, Debug)]
pub(super) struct Treatment {
    /// The rule, counted from 0.
    pub(super) rule: usize,
    /// Code of the summary text.
    pub(super) summary: u32,
    /// Whether amounts are taken as they are or with the opposite sign.
    meant: Sign,
    value: Option<(u32, u32)>,
    variance: Option<(u32, u32)>,
    estimate: Option<(u32, u32)>,
}

/// One amount that moves between two accounts, by their codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) debit: u32,
    pub(super) credit: u32,
    pub(super) amount: i128,
}

/// The rules of a template with the treatments found so far.
pub(super) struct Rules<'a> {
    template: &'a VoucherTemplate,
    accounts: Vec<String>,
    summaries: Vec<String>,
    treatments: HashMap<(u32, u32), Treatment>,
}

impl<'a> Rules<'a> {
    /// Codes of accounts and summaries ascend with their text, so that they do not depend on the order of postings.
    pub(super) fn new(template: &'a VoucherTemplate) -> Self {
        let named = template
            .rules
            .iter()
            .flat_map(Rule::pairs)
            .flat_map(|pair| [&pair.debit, &pair.credit])
            .filter(|account| *account != INVENTORY);
        Self {
            template,
            accounts: sorted(named.chain(template.inventory.values())),
            summaries: sorted(template.rules.iter().map(|rule| &rule.summary)),
            treatments: HashMap::new(),
        }
    }

    /// The treatment of a line of an item of this class; `class_name` is asked for once per combination.
    pub(super) fn treatment<'n>(
        &mut self,
        posting: &Posting,
        class: u32,
        class_name: impl FnOnce() -> &'n str,
    ) -> Result<Treatment, ReportError> {
        let sign = sign(posting);
        let reason = posting.reason.map_or(u32::from(u8::MAX), |reason| u32::from(reason as u8));
        let kinds = u32::from(posting.adjusted_kind as u8) << 8 | u32::from(posting.kind as u8);
        let combination = kinds << 16 | reason << 8 | u32::from(sign == Sign::Out);
        if let Some(known) = self.treatments.get(&(class, combination)) {
            return Ok(*known);
        }
        let found = self.find(posting, sign, class_name())?;
        self.treatments.insert((class, combination), found);
        Ok(found)
    }

    /// Texts of the accounts and of the summaries, by code.
    pub(super) fn into_texts(self) -> (Vec<String>, Vec<String>) {
        (self.accounts, self.summaries)
    }

    fn find(&self, posting: &Posting, sign: Sign, class: &str) -> Result<Treatment, ReportError> {
        let mut rules = self.template.rules.iter().enumerate();
        let (index, rule) = rules.find(|(_, rule)| fits(rule, posting, sign, class)).ok_or_else(|| {
            ReportError::Unmatched {
                row: posting.row,
                kind: posting.adjusted_kind,
                caused_by: posting.kind,
                reason: posting.reason,
                class: class.to_owned(),
            }
        })?;
        let pair = |pair: &Option<AccountPair>| pair.as_ref().map(|pair| self.pair(pair, class)).transpose();
        // One account on both sides of these means that nothing moves.
        let same =
            |pair: &Option<AccountPair>| pair.as_ref().map(|pair| self.accounts(pair, class)).transpose();
        let (variance, estimate) = (same(&rule.variance)?, same(&rule.estimate)?);
        Ok(Treatment {
            rule: index,
            summary: code(&self.summaries, &rule.summary),
            meant: rule.sign.unwrap_or_else(|| meant(posting.adjusted_kind)),
            value: pair(&rule.value)?,
            variance,
            estimate,
        })
    }

    fn pair(&self, pair: &AccountPair, class: &str) -> Result<(u32, u32), ReportError> {
        let (debit, credit) = self.accounts(pair, class)?;
        if debit == credit {
            let message = format!("item class `{class}`: debits and credits one account, `{}`", pair.debit);
            return Err(invalid("inventory", message));
        }
        Ok((debit, credit))
    }

    fn accounts(&self, pair: &AccountPair, class: &str) -> Result<(u32, u32), ReportError> {
        Ok((self.account(&pair.debit, class)?, self.account(&pair.credit, class)?))
    }

    fn account(&self, account: &str, class: &str) -> Result<u32, ReportError> {
        if account != INVENTORY {
            return Ok(code(&self.accounts, account));
        }
        let inventory = &self.template.inventory;
        match inventory.get(class).or_else(|| inventory.get(ANY_CLASS)) {
            Some(account) => Ok(code(&self.accounts, account)),
            None => {
                let message = format!("no account for item class `{class}`, and none for `*`");
                Err(invalid("inventory", message))
            }
        }
    }
}

impl Treatment {
    /// The entries of a line: one each for its value, its variance and its estimate, where they are not zero.
    pub(super) fn entries(
        &self,
        posting: &Posting,
        negative: Negative,
    ) -> Result<impl Iterator<Item = Entry> + use<>, ReportError> {
        let entry = |accounts: Option<(u32, u32)>,
                     units: i64,
                     meant: Sign,
                     part: &'static str|
         -> Result<_, ReportError> {
            if units == 0 {
                return Ok(None);
            }
            let rule = self.rule + 1;
            let accounts = accounts.ok_or(ReportError::NoAccounts { rule, part, row: posting.row })?;
            Ok(Some(oriented(accounts, i128::from(units), meant, negative)))
        };
        let entries = [
            entry(self.value, posting.value, self.meant, "value")?,
            entry(self.variance, posting.variance, self.meant, "variance")?,
            // The estimate stands on the side on which the provisional receipt put it, whichever way the difference goes.
            entry(self.estimate, posting.estimate, Sign::In, "estimate")?,
        ];
        Ok(entries.into_iter().flatten().filter(|entry| entry.debit != entry.credit))
    }
}

fn oriented((debit, credit): (u32, u32), units: i128, meant: Sign, negative: Negative) -> Entry {
    let amount = if meant == Sign::In { units } else { -units };
    if amount < 0 && negative == Negative::Swap {
        return Entry { debit: credit, credit: debit, amount: -amount };
    }
    Entry { debit, credit, amount }
}

fn fits(rule: &Rule, posting: &Posting, sign: Sign, class: &str) -> bool {
    let is_one_of = |reasons: &[Reason]| posting.reason.is_some_and(|reason| reasons.contains(&reason));
    (rule.kind.is_empty() || rule.kind.contains(&posting.adjusted_kind))
        && (rule.caused_by.is_empty() || rule.caused_by.contains(&posting.kind))
        && (rule.reason.is_empty() || is_one_of(&rule.reason))
        && (rule.class.is_empty() || rule.class.iter().any(|name| name == class || name == ANY_CLASS))
        && rule.sign.is_none_or(|wanted| wanted == sign)
}

fn sign(posting: &Posting) -> Sign {
    let parts = [posting.value, posting.variance, posting.estimate];
    let decisive = parts.into_iter().find(|part| *part != 0);
    if decisive.is_some_and(|part| part < 0) { Sign::Out } else { Sign::In }
}

fn meant(kind: Kind) -> Sign {
    match kind.direction() {
        Direction::Out => Sign::Out,
        Direction::In | Direction::Value | Direction::Relative => Sign::In,
    }
}

fn sorted<'s>(texts: impl Iterator<Item = &'s String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.cloned().collect();
    texts.sort_unstable();
    texts.dedup();
    texts
}

/// Position of a text that is in the list by construction.
fn code(texts: &[String], text: &str) -> u32 {
    let position = texts.partition_point(|known| known.as_str() < text);
    u32::try_from(position).unwrap_or(u32::MAX)
}
