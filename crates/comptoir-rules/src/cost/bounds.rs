use std::ops::Add;

/// A least and a greatest number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// At least.
    pub min: u64,
    /// At most; [`u64::MAX`] where there is no bound.
    pub max: u64,
}

impl Bounds {
    /// Anything.
    pub const OPEN: Self = Self { min: 0, max: u64::MAX };

    /// From `min` to `max`.
    #[must_use]
    pub const fn new(min: u64, max: u64) -> Self {
        Self { min, max }
    }

    /// Just this number.
    #[must_use]
    pub const fn exactly(number: u64) -> Self {
        Self { min: number, max: number }
    }

    /// From none to `max`.
    pub(super) const fn up_to(max: u64) -> Self {
        Self { min: 0, max }
    }

    /// This or nothing.
    pub(super) const fn or_nothing(self) -> Self {
        Self::up_to(self.max)
    }

    /// The product of both.
    pub(super) const fn times(self, other: Self) -> Self {
        Self { min: self.min.saturating_mul(other.min), max: self.max.saturating_mul(other.max) }
    }

    /// One or the other.
    pub(super) fn or(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }
}

impl Add for Bounds {
    type Output = Self;

    /// The sum; what has no bound has none after it.
    fn add(self, other: Self) -> Self {
        Self { min: self.min.saturating_add(other.min), max: self.max.saturating_add(other.max) }
    }
}
