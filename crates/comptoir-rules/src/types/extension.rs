use std::fmt;

/// A part of the library beyond the standard of CEL. All are on unless an environment switches them off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Extension {
    /// `charAt`, `split`, `format` and other functions of text.
    Strings,
    /// `math.abs`, `math.greatest`, `math.bitAnd` and the like.
    Math,
    /// `base64.encode`, `base64.decode`.
    Encoders,
    /// Optional values: `a.?b`, `optMap`, `orValue`.
    Optionals,
    /// `cel.bind` and `cel.block`.
    Bindings,
    /// Macros with two variables: `all(k, v, ...)`, `transformList`, `transformMap`.
    TwoVariables,
    /// `ip`, `cidr` and what goes with them.
    Network,
    /// `slice`, `sort`, `sortBy`, `distinct` and other functions of lists.
    Lists,
    /// `sets.contains`, `sets.equivalent`, `sets.intersects`.
    Sets,
    /// `regex.replace`, `regex.extract`; not `matches`, which is standard.
    Regex,
    /// `decimal(...)` and its functions. A variable may be a decimal without it.
    Decimal,
}

impl Extension {
    /// All extensions.
    pub const ALL: [Self; 11] = [
        Self::Strings,
        Self::Math,
        Self::Encoders,
        Self::Optionals,
        Self::Bindings,
        Self::TwoVariables,
        Self::Network,
        Self::Lists,
        Self::Sets,
        Self::Regex,
        Self::Decimal,
    ];

    /// Its bit in a set of extensions.
    pub(crate) const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// The name in messages: `strings`, `two-variables`.
impl fmt::Display for Extension {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Strings => "strings",
            Self::Math => "math",
            Self::Encoders => "encoders",
            Self::Optionals => "optionals",
            Self::Bindings => "bindings",
            Self::TwoVariables => "two-variables",
            Self::Network => "network",
            Self::Lists => "lists",
            Self::Sets => "sets",
            Self::Regex => "regex",
            Self::Decimal => "decimal",
        })
    }
}
