//! Rows that are seldom there.

use std::rc::Rc;

use super::bits::{Bits, WORDS};

/// Rows of a block of which there seldom are any, such as those that are null or an error: none take neither room nor
/// time, so that a walk over sound columns moves its answers only.
#[derive(Debug, Clone, Default)]
pub(super) struct Rare(Option<Rc<Bits>>);

impl Rare {
    pub(super) const NONE: Self = Self(None);

    pub(super) const fn is_none(&self) -> bool {
        self.0.is_none()
    }

    #[inline]
    pub(super) fn has(&self, row: usize) -> bool {
        self.0.as_ref().is_some_and(|rows| rows.has(row))
    }

    /// Whether one of the rows from `start` to before `end` is one of these.
    pub(super) fn any_in(&self, start: usize, end: usize) -> bool {
        self.0.as_ref().is_some_and(|rows| rows.any_in(start, end))
    }

    /// The rows, none too.
    pub(super) fn bits(&self) -> Bits {
        self.0.as_ref().map_or(Bits::NONE, |rows| **rows)
    }

    /// The words of the rows, if there are any.
    pub(super) fn words(&self) -> Option<&[u64; WORDS]> {
        self.0.as_ref().map(|rows| rows.words())
    }

    #[inline]
    pub(super) fn or(&self, other: &Self) -> Self {
        match (&self.0, &other.0) {
            (Some(own), Some(other)) => own.or(**other).into(),
            (None, _) => other.clone(),
            (_, None) => self.clone(),
        }
    }

    #[inline]
    pub(super) fn and(&self, rows: &Bits) -> Self {
        self.0.as_ref().map_or(Self::NONE, |own| own.and(*rows).into())
    }

    /// These rows without the others.
    #[inline]
    pub(super) fn minus(&self, other: &Self) -> Self {
        match (&self.0, &other.0) {
            (Some(own), Some(other)) => own.minus(**other).into(),
            _ => self.clone(),
        }
    }
}

impl From<Bits> for Rare {
    fn from(rows: Bits) -> Self {
        Self((!rows.is_empty()).then(|| Rc::new(rows)))
    }
}

impl Bits {
    /// These rows without the few.
    #[inline]
    pub(super) fn without(self, few: &Rare) -> Self {
        few.0.as_ref().map_or(self, |rows| self.minus(**rows))
    }

    /// These rows and the few.
    #[inline]
    pub(super) fn with_rare(self, few: &Rare) -> Self {
        few.0.as_ref().map_or(self, |rows| self.or(**rows))
    }
}
