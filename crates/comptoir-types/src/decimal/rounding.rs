use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// What to do with digits that a result has no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the nearest, a tie to the even neighbour (banker's rounding). The default: it has no drift over many postings.
    #[default]
    HalfEven,
    /// To the nearest, a tie away from zero (commercial rounding).
    HalfUp,
    /// Toward zero.
    Down,
    /// Away from zero.
    Up,
    /// Toward minus infinity.
    Floor,
    /// Toward plus infinity.
    Ceiling,
}

/// `numerator / denominator` rounded to a whole number; `None` where the denominator is zero or the result leaves
/// 128 bits.
#[must_use]
pub const fn divide(numerator: i128, denominator: i128, rounding: Rounding) -> Option<i128> {
    let (Some(quotient), Some(remainder)) =
        (numerator.checked_div(denominator), numerator.checked_rem(denominator))
    else {
        return None;
    };
    if remainder == 0 {
        return Some(quotient);
    }
    let negative = (numerator < 0) != (denominator < 0);
    // |remainder| < |denominator|, so that the distance to the next whole number away from zero cannot wrap.
    let below = remainder.unsigned_abs();
    let above = denominator.unsigned_abs() - below;
    let away = match rounding {
        Rounding::HalfEven => below > above || (below == above && quotient % 2 != 0),
        Rounding::HalfUp => below >= above,
        Rounding::Down => false,
        Rounding::Up => true,
        Rounding::Floor => negative,
        Rounding::Ceiling => !negative,
    };
    match (away, negative) {
        (false, _) => Some(quotient),
        (true, true) => quotient.checked_sub(1),
        (true, false) => quotient.checked_add(1),
    }
}

impl Rounding {
    /// All modes, in the order of their declaration.
    pub const ALL: [Self; 6] =
        [Self::HalfEven, Self::HalfUp, Self::Down, Self::Up, Self::Floor, Self::Ceiling];

    /// The name used in policies: `half_even`, `half_up`, `down`, `up`, `floor` or `ceiling`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HalfEven => "half_even",
            Self::HalfUp => "half_up",
            Self::Down => "down",
            Self::Up => "up",
            Self::Floor => "floor",
            Self::Ceiling => "ceiling",
        }
    }
}

impl fmt::Display for Rounding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Rounding {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.name() == text)
            .ok_or_else(|| Error::RoundingUnknown { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_rounds_ties_and_signs_as_defined() {
        // Rows: numerator over 2 (ties) and over 3; columns in the order of `Rounding::ALL`.
        let table: [(i128, i128, [i128; 6]); 8] = [
            (5, 2, [2, 3, 2, 3, 2, 3]),
            (7, 2, [4, 4, 3, 4, 3, 4]),
            (-5, 2, [-2, -3, -2, -3, -3, -2]),
            (5, -2, [-2, -3, -2, -3, -3, -2]),
            (4, 3, [1, 1, 1, 2, 1, 2]),
            (5, 3, [2, 2, 1, 2, 1, 2]),
            (-4, 3, [-1, -1, -1, -2, -2, -1]),
            (-6, -3, [2; 6]),
        ];
        for (numerator, denominator, expected) in table {
            let got = Rounding::ALL.map(|mode| divide(numerator, denominator, mode).unwrap());
            assert_eq!(got, expected, "{numerator} / {denominator}");
        }
    }

    #[test]
    fn extremes_do_not_wrap() {
        assert_eq!(divide(1, 0, Rounding::HalfEven), None);
        assert_eq!(divide(i128::MIN, -1, Rounding::HalfEven), None);
        assert_eq!(divide(i128::MIN, 1, Rounding::Up), Some(i128::MIN));
        assert_eq!(divide(i128::MAX, i128::MIN, Rounding::HalfUp), Some(-1));
    }

    #[test]
    fn names_round_trip_and_match_serde() {
        for mode in Rounding::ALL {
            assert_eq!(mode.to_string().parse::<Rounding>().unwrap(), mode);
            assert_eq!(serde_json::to_string(&mode).unwrap(), format!("\"{mode}\""));
        }
        assert!("bankers".parse::<Rounding>().unwrap_err().to_string().contains("half_even"));
    }
}
