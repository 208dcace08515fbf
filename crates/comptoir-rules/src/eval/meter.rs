use std::cell::Cell;

use crate::value::{EvalCode, EvalError, Fault, Value};

/// Counts the work of one evaluation against its budget.
#[derive(Debug)]
pub struct Meter {
    spent: Cell<u64>,
    limit: u64,
}

impl Meter {
    /// A meter that allows `limit` units.
    #[must_use]
    pub const fn new(limit: u64) -> Self {
        Self { spent: Cell::new(0), limit }
    }

    /// Units that were spent.
    #[must_use]
    pub fn spent(&self) -> u64 {
        self.spent.get()
    }

    /// Counts work that is bounded by the size of the program: it is compared with the limit later.
    #[inline]
    pub(crate) fn charge(&self, units: u32) {
        self.spent.set(self.spent.get().saturating_add(u64::from(units)));
    }

    /// The same for work that was added up before.
    #[inline]
    pub(crate) fn add(&self, units: u64) {
        self.spent.set(self.spent.get().saturating_add(units));
    }

    /// All of the budget.
    pub(crate) const fn limit(&self) -> u64 {
        self.limit
    }

    /// What is left of the budget.
    #[inline]
    pub(crate) fn left(&self) -> u64 {
        self.limit.saturating_sub(self.spent.get())
    }

    /// Counts work that grows with the input.
    ///
    /// # Errors
    /// `RULES_BUDGET_EXCEEDED` where the limit is passed; nothing absorbs this error.
    #[inline]
    pub fn spend(&self, units: u64) -> Result<(), Fault> {
        self.spent.set(self.spent.get().saturating_add(units));
        self.check()
    }

    /// Counts work in proportion to `length` bytes or elements, ten for a unit.
    pub(crate) fn spend_tenth(&self, length: usize) -> Result<(), Fault> {
        if length < 10 { Ok(()) } else { self.spend((length / 10) as u64) }
    }

    /// Counts the walk over all that is in a value.
    pub(crate) fn spend_deep(&self, value: &Value<'_>) -> Result<(), Fault> {
        match value {
            Value::String(text) => self.spend_tenth(text.len()),
            Value::Bytes(bytes) => self.spend_tenth(bytes.len()),
            Value::List(list) => self.spend(list.len() as u64),
            Value::Map(map) => self.spend(map.len() as u64),
            _ => Ok(()),
        }
    }

    #[inline]
    pub(crate) fn check(&self) -> Result<(), Fault> {
        if self.spent.get() > self.limit { Err(self.exhausted()) } else { Ok(()) }
    }

    #[cold]
    pub(crate) fn exhausted(&self) -> Fault {
        let message = format!("more work than the budget of {} units", self.limit);
        Fault::Exhausted(Box::new(EvalError::new(EvalCode::BudgetExceeded, message)))
    }
}
