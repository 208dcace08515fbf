use super::{EvalCode, Fault};

const NANOS: i64 = 1_000_000_000;

/// A moment between the years 1 and 9999, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
}

impl Timestamp {
    /// 0001-01-01T00:00:00Z
    pub const MIN_SECONDS: i64 = -62_135_596_800;
    /// 9999-12-31T23:59:59Z
    pub const MAX_SECONDS: i64 = 253_402_300_799;

    /// The moment `seconds` after 1970 and `nanos` nanoseconds.
    ///
    /// # Errors
    /// `RULES_RANGE` outside the years 1 to 9999.
    pub fn new(seconds: i64, nanos: u32) -> Result<Self, Fault> {
        if (Self::MIN_SECONDS..=Self::MAX_SECONDS).contains(&seconds) && i64::from(nanos) < NANOS {
            return Ok(Self { seconds, nanos });
        }
        Err(Fault::error(EvalCode::Range, "a timestamp must lie in the years 1 to 9999"))
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds within the second.
    #[must_use]
    pub const fn nanos(self) -> u32 {
        self.nanos
    }

    pub(crate) fn add(self, duration: Duration) -> Result<Self, Fault> {
        Self::from_nanos(self.total() + i128::from(duration.0))
    }

    pub(crate) fn subtract(self, duration: Duration) -> Result<Self, Fault> {
        Self::from_nanos(self.total() - i128::from(duration.0))
    }

    pub(crate) fn since(self, other: Self) -> Result<Duration, Fault> {
        Duration::from_wide(self.total() - other.total())
    }

    fn total(self) -> i128 {
        i128::from(self.seconds) * i128::from(NANOS) + i128::from(self.nanos)
    }

    fn from_nanos(total: i128) -> Result<Self, Fault> {
        let seconds = i64::try_from(total.div_euclid(i128::from(NANOS))).unwrap_or(i64::MAX);
        let nanos = u32::try_from(total.rem_euclid(i128::from(NANOS))).unwrap_or(0);
        Self::new(seconds, nanos)
    }
}

/// A span of time in nanoseconds, of about 292 years at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(i64);

impl Duration {
    /// So many nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// So many seconds and nanoseconds.
    ///
    /// # Errors
    /// `RULES_RANGE` where it does not fit.
    pub fn new(seconds: i64, nanos: i32) -> Result<Self, Fault> {
        Self::from_wide(i128::from(seconds) * i128::from(NANOS) + i128::from(nanos))
    }

    /// All of it in nanoseconds.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    pub(crate) fn from_wide(nanos: i128) -> Result<Self, Fault> {
        i64::try_from(nanos)
            .map(Self)
            .map_err(|_| Fault::error(EvalCode::Range, "a duration must be within 292 years"))
    }

    pub(crate) fn add(self, other: Self) -> Result<Self, Fault> {
        Self::from_wide(i128::from(self.0) + i128::from(other.0))
    }

    pub(crate) fn subtract(self, other: Self) -> Result<Self, Fault> {
        Self::from_wide(i128::from(self.0) - i128::from(other.0))
    }
}
