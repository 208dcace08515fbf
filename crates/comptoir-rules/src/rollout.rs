//! Deterministic shares of units: users, orders, stores.
//!
//! A unit falls into one of 10 000 buckets by a hash of a salt and its id, and a share takes the lowest buckets. So a
//! unit stays where it is, no table of assignments is kept, and raising a share keeps all units that were in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Buckets, each a ten-thousandth of the units.
pub const BUCKETS: u16 = 10_000;

/// How a unit's bucket is computed. A version never changes; a better hash would be another version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HashVersion {
    /// FNV-1a of 32 bits over the bytes of salt and id in UTF-8, and once more over its decimal digits; the remainder by
    /// 10 000. It is version 2 of GrowthBook's hash, so that assignments can be taken over from there (of ids in ASCII:
    /// some of its libraries hash UTF-16).
    #[default]
    V1,
}

/// The bucket of a unit, from 0 to 9 999. Use another salt for each purpose: shares with one salt hold the same units.
///
/// ```
/// use comptoir_rules::rollout::{HashVersion, bucket};
///
/// assert_eq!(bucket(HashVersion::V1, "seed", "a"), 505);
/// ```
#[must_use]
pub fn bucket(version: HashVersion, salt: &str, unit: &str) -> u16 {
    match version {
        HashVersion::V1 => {
            let first = fnv(fnv(FNV_START, salt.as_bytes()), unit.as_bytes());
            let second = fnv(FNV_START, first.to_string().as_bytes());
            u16::try_from(second % u32::from(BUCKETS)).unwrap_or(0)
        }
    }
}

const FNV_START: u32 = 0x811C_9DC5;

fn fnv(hash: u32, bytes: &[u8]) -> u32 {
    const PRIME: u32 = 0x0100_0193;
    bytes.iter().fold(hash, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(PRIME))
}

/// A share of units, in ten-thousandths. In text `"12.5%"`, as a number from 0 to 1 `0.125`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u16);

/// Text or a number that is no share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no share: from 0 to 1 or from \"0%\" to \"100%\", in steps of 0.0001 or \"0.01%\"")]
pub struct ShareError(String);

impl Share {
    /// All units.
    pub const ALL: Self = Self(BUCKETS);

    /// A share of so many ten-thousandths.
    ///
    /// # Errors
    /// More than 10 000.
    pub fn new(weight: u16) -> Result<Self, ShareError> {
        if weight > BUCKETS { Err(ShareError(format!("{weight}/10000"))) } else { Ok(Self(weight)) }
    }

    /// A fraction from 0 to 1.
    ///
    /// # Errors
    /// A number outside that, or with more than four decimal places.
    pub fn of(fraction: f64) -> Result<Self, ShareError> {
        let weight = (fraction * f64::from(BUCKETS)).round();
        let is_whole = (fraction * f64::from(BUCKETS) - weight).abs() < 1e-6;
        if !is_whole || !(0.0..=f64::from(BUCKETS)).contains(&weight) {
            return Err(ShareError(fraction.to_string()));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range")]
        Ok(Self(weight as u16))
    }

    /// The share in ten-thousandths.
    #[must_use]
    pub const fn weight(self) -> u16 {
        self.0
    }

    /// Whether a bucket is in the share.
    #[must_use]
    pub const fn holds(self, bucket: u16) -> bool {
        bucket < self.0
    }
}

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, ShareError> {
        let wrong = || ShareError(text.to_owned());
        let (number, divisor) = match text.trim().strip_suffix('%') {
            Some(number) => (number, 100.0),
            None => (text.trim(), 1.0),
        };
        let number: f64 = number.trim_end().parse().map_err(|_| wrong())?;
        Self::of(number / divisor).map_err(|_| wrong())
    }
}

/// In percent: `1%`.
impl fmt::Display for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}%", f64::from(self.0) / 100.0)
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let share = match serde_json::Value::deserialize(reader)? {
            serde_json::Value::String(text) => text.parse(),
            serde_json::Value::Number(number) => Self::of(number.as_f64().unwrap_or(f64::NAN)),
            _ => return Err(serde::de::Error::custom("expected a share such as `0.01` or \"1%\"")),
        };
        share.map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::{BUCKETS, HashVersion, Share, bucket};

    /// GrowthBook's vectors of its version 2 (specification 0.8.0), and own ones with letters beyond ASCII, which were
    /// worked out by another program.
    #[test]
    fn buckets_are_those_of_the_vectors() {
        for (salt, unit, expected) in [
            ("seed", "a", 505),
            ("seed", "b", 2696),
            ("foo", "ab", 2575),
            ("foo", "def", 2019),
            ("89123klj", "8952klfjas09ujkasdf", 1240),
            ("90850943850283058242805", "123", 7516),
            ("()**(%$##$%#$#", "___)((*\":&", 128),
            ("seed", "用户17", 9535),
            ("été", "naïve", 8902),
            ("s", "", 5827),
        ] {
            assert_eq!(bucket(HashVersion::V1, salt, unit), expected, "{salt} {unit}");
        }
    }

    #[test]
    fn a_share_holds_its_part_and_grows() {
        let buckets: Vec<u16> =
            (0..100_000).map(|unit| bucket(HashVersion::V1, "s", &format!("user{unit}"))).collect();
        let held = |share: Share| buckets.iter().filter(|bucket| share.holds(**bucket)).count();
        for percent in [1_u16, 10, 50] {
            let expected = usize::from(percent) * 1_000;
            let found = held(Share::new(percent * 100).unwrap());
            assert!(found.abs_diff(expected) < 60 + expected / 20, "{percent}%: {found}");
        }
        assert_eq!((held(Share::new(0).unwrap()), held(Share::ALL)), (0, 100_000));
        let (less, more) = (Share::new(100).unwrap(), Share::new(2_000).unwrap());
        assert!(buckets.iter().all(|bucket| more.holds(*bucket) || !less.holds(*bucket)));
    }

    #[test]
    fn shares_are_read_exactly() {
        for (text, weight) in
            [("1%", 100), ("0.01%", 1), ("33.33%", 3333), ("100 %", 10_000), ("0.29", 2_900)]
        {
            assert_eq!(text.parse::<Share>().map(Share::weight), Ok(weight), "{text}");
        }
        for text in ["0.001%", "101%", "-1%", "", "%", "nan", "1.5"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
        for weight in 0..=BUCKETS {
            let share = Share::new(weight).unwrap();
            assert_eq!(share.to_string().parse(), Ok(share));
        }
    }
}
