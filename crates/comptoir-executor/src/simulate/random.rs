//! Random numbers that are the same on every machine.

use super::spec::{Spread, TimeSpec};
use crate::policy::Nanos;

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and good enough for arrivals and service times.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// A stream of its own for each purpose, so that a change of one leaves the numbers of the others.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut random = Self(seed ^ stream.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Exponentially distributed with mean 1.
    pub(super) fn exponential(&mut self) -> f64 {
        -libm::log(1.0 - self.unit())
    }

    /// Whether something of this probability happens.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A time of this distribution.
    pub(super) fn time(&mut self, spec: &TimeSpec) -> Nanos {
        nanos(match spec.spread {
            Spread::Constant => spec.mean_ms,
            Spread::Uniform(width) => spec.mean_ms * (1.0 + width * (2.0 * self.unit() - 1.0)),
            Spread::Exponential => spec.mean_ms * self.exponential(),
        })
    }
}

/// Milliseconds as nanoseconds, to the nearest one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float saturates")]
pub(super) fn nanos(milliseconds: f64) -> Nanos {
    (milliseconds * 1e6 + 0.5) as Nanos
}

/// Nanoseconds as milliseconds.
#[expect(clippy::cast_precision_loss, reason = "times far below 2^53 ns")]
pub(super) fn milliseconds(time: Nanos) -> f64 {
    time as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_those_of_the_distributions() {
        let mut random = Random::new(7, 1);
        for spread in [Spread::Constant, Spread::Uniform(0.5), Spread::Exponential] {
            let spec = TimeSpec { mean_ms: 2.0, spread };
            let total: f64 = (0..20_000).map(|_| milliseconds(random.time(&spec))).sum();
            assert!((total / 20_000.0 - 2.0).abs() < 0.05, "{spread:?} {total}");
        }
    }

    #[test]
    fn streams_differ_and_repeat() {
        let first = |seed, stream| Random::new(seed, stream).next();
        assert_eq!(first(1, 2), first(1, 2));
        assert!(first(1, 2) != first(1, 3) && first(1, 2) != first(2, 2));
    }
}
