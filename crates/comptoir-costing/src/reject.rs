//! Why a movement is not in the books: stable codes, and messages with the numbers.

use crate::engine::ABSENT;
use crate::movement::Kind;

macro_rules! reject_codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal,)+) => {
        /// Reason for which one movement is rejected. The movement changes nothing; all others stand.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum RejectCode { $($(#[$doc])* $variant,)+ }

        impl RejectCode {
            /// The stable code, equal in every host.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];
        }
    };
}

reject_codes! {
    /// The kind is none of those known.
    UnknownKind = "COSTING_UNKNOWN_KIND",
    /// A column that the kind needs is null.
    NullValue = "COSTING_NULL_VALUE",
    /// The quantity is zero or negative where the kind forbids it.
    QuantitySign = "COSTING_QUANTITY_SIGN",
    /// Amount and unit cost are both missing where the kind needs one, or the amount has the wrong sign. An amount wins over a unit cost.
    Amount = "COSTING_AMOUNT",
    /// A number has more decimal places than the policy's scale.
    ExcessScale = "COSTING_EXCESS_SCALE",
    /// A text stands where a number is wanted.
    NumberSyntax = "COSTING_NUMBER_SYNTAX",
    /// A number, or a result with it, does not fit 18 digits.
    Overflow = "COSTING_OVERFLOW",
    /// The time lies outside the years 1 to 9999.
    TimeRange = "COSTING_TIME_RANGE",
    /// The movement lies in a closed period.
    ClosedPeriod = "COSTING_CLOSED_PERIOD",
    /// The same movement id with the same content came before: nothing is lost by leaving it out.
    DuplicateIgnored = "COSTING_DUPLICATE_IGNORED",
    /// The same movement id came before with other content.
    DuplicateId = "COSTING_DUPLICATE_ID",
    /// Rows of one item name different classes.
    ClassConflict = "COSTING_CLASS_CONFLICT",
    /// The kind needs a movement in `ref` and has none.
    ReferenceMissing = "COSTING_REFERENCE_MISSING",
    /// `ref` names no movement of the input.
    ReferenceUnknown = "COSTING_REFERENCE_UNKNOWN",
    /// `ref` names this or a later movement.
    ReferenceLater = "COSTING_REFERENCE_LATER",
    /// `ref` names a movement of a kind that does not go with this one.
    ReferenceKind = "COSTING_REFERENCE_KIND",
    /// `ref` names a movement of another item.
    ReferenceItem = "COSTING_REFERENCE_ITEM",
    /// `ref` names a movement of another pool.
    ReferencePool = "COSTING_REFERENCE_POOL",
    /// `ref` names a movement that was itself rejected.
    ReferenceRejected = "COSTING_REFERENCE_REJECTED",
    /// More is returned, received, settled or reversed than is left of the movement in `ref`.
    ReferenceExceeded = "COSTING_REFERENCE_EXCEEDED",
    /// A reversal cannot be reversed; post the movement again.
    ReversalOfReversal = "COSTING_REVERSAL_OF_REVERSAL",
    /// The movement takes more than there is and the policy forbids it.
    NegativeStock = "COSTING_NEGATIVE_STOCK",
    /// The method needs a lot and the movement has none.
    LotRequired = "COSTING_LOT_REQUIRED",
    /// No standard cost is known for the item.
    NoStandardCost = "COSTING_NO_STANDARD_COST",
    /// Another movement of the same group was rejected.
    GroupRejected = "COSTING_GROUP_REJECTED",
    /// The amended or late cost would make an earlier movement impossible.
    ReplayFailed = "COSTING_REPLAY_FAILED",
    /// Periodic average does not offer this: a value for the stock of a day, which has no cost of its own, an amendment of what takes
    /// its cost from elsewhere, or a production receipt under another method that takes over the cost of a month.
    NotWithPeriodic = "COSTING_NOT_WITH_PERIODIC",
}

/// A column of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberColumn {
    Quantity = 1,
    Amount = 2,
    UnitCost = 3,
}

const NUMBER_COLUMNS: [NumberColumn; 3] =
    [NumberColumn::Quantity, NumberColumn::Amount, NumberColumn::UnitCost];

impl NumberColumn {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Quantity => "quantity",
            Self::Amount => "amount",
            Self::UnitCost => "unit_cost",
        }
    }
}

/// A rejection with the numbers that explain it, in units of the scale that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Why.
    pub code: RejectCode,
    /// What was wanted, for [`RejectCode::NegativeStock`] and [`RejectCode::ReferenceExceeded`]; a row for those about another row; the
    /// column for those about a number.
    pub wanted: i64,
    /// What there was.
    pub found: i64,
}

impl Fault {
    /// A fault that needs no numbers.
    #[must_use]
    pub const fn new(code: RejectCode) -> Self {
        Self { code, wanted: 0, found: 0 }
    }

    /// A fault with what was wanted and what there was.
    #[must_use]
    pub const fn with(code: RejectCode, wanted: i64, found: i64) -> Self {
        Self { code, wanted, found }
    }

    /// A fault of a number in a column.
    pub(crate) const fn of_number(code: RejectCode, column: NumberColumn) -> Self {
        Self { code, wanted: column as i64, found: 0 }
    }

    /// The column whose number is wrong, for [`RejectCode::ExcessScale`], [`RejectCode::NumberSyntax`] and [`RejectCode::Overflow`];
    /// none where a result does not fit.
    pub(crate) fn column(&self) -> Option<NumberColumn> {
        NUMBER_COLUMNS.into_iter().find(|column| *column as i64 == self.wanted)
    }

    /// The message for people: one line, lower case, with the numbers at the scale given.
    #[must_use]
    pub fn message(&self, kind: Option<Kind>, quantity_scale: u8) -> String {
        let kind = kind.map_or("movement", Kind::name);
        let shown = |units: i64| Shown(units, quantity_scale);
        match self.code {
            RejectCode::UnknownKind => "column `kind`: unknown kind".to_owned(),
            RejectCode::NullValue => format!("{kind}: a column it needs is null"),
            RejectCode::QuantitySign => {
                format!("column `quantity`: {kind} needs {}, found {}", allowed(kind), shown(self.found))
            }
            RejectCode::Amount if self.wanted != 0 => {
                format!(
                    "{kind} takes over what its group issued before it, and that is nothing: give an amount, or date it after the \
                     production_issue"
                )
            }
            RejectCode::Amount => {
                format!("columns `amount` and `unit_cost`: {kind} needs an amount that is not negative")
            }
            RejectCode::ExcessScale => {
                self.in_column("more decimal places than the policy's scale; nothing is rounded silently")
            }
            RejectCode::NumberSyntax => {
                self.in_column("not a number: only digits, one sign and one point are read")
            }
            RejectCode::Overflow if self.column() == Some(NumberColumn::UnitCost) => {
                self.in_column("exceeds 18 digits at the policy's scale, or makes an amount that does")
            }
            RejectCode::Overflow if self.column().is_some() => {
                self.in_column("exceeds 18 digits at the policy's scale")
            }
            RejectCode::Overflow => {
                "a result exceeds 18 digits: the movement, or a stock, a correction or a month with it".to_owned()
            }
            RejectCode::TimeRange => "column `at`: outside the years 1 to 9999".to_owned(),
            RejectCode::ClosedPeriod => "column `at`: lies in a closed period".to_owned(),
            RejectCode::DuplicateIgnored => {
                format!("column `movement_id`: same content as row {}, ignored", self.found)
            }
            RejectCode::DuplicateId => {
                format!("column `movement_id`: already used with other content in row {}", self.found)
            }
            RejectCode::ClassConflict => {
                format!("column `class`: differs from row {} of the same item", self.found)
            }
            RejectCode::ReferenceMissing => format!("column `ref`: {kind} must name a movement"),
            RejectCode::ReferenceUnknown => "column `ref`: no such movement in the input".to_owned(),
            RejectCode::ReferenceLater => "column `ref`: names this or a later movement".to_owned(),
            RejectCode::ReferenceKind => {
                format!("column `ref`: {kind} cannot refer to a movement of that kind")
            }
            RejectCode::ReferenceItem => "column `ref`: names a movement of another item".to_owned(),
            RejectCode::ReferencePool => "column `ref`: names a movement of another pool".to_owned(),
            RejectCode::ReferenceRejected => "column `ref`: the movement it names was rejected".to_owned(),
            RejectCode::ReferenceExceeded if self.found == ABSENT => {
                "column `quantity`: the movement in `ref` has changed the value alone and is reversed as a whole: leave the quantity out"
                    .to_owned()
            }
            RejectCode::ReferenceExceeded => {
                format!(
                    "quantity {} exceeds the {} left of the movement in `ref`",
                    shown(self.wanted),
                    shown(self.found)
                )
            }
            RejectCode::ReversalOfReversal => {
                "a reversal cannot be reversed; post the movement again".to_owned()
            }
            RejectCode::NegativeStock => {
                format!("{kind} of {} exceeds the {} on hand", shown(self.wanted), shown(self.found))
            }
            RejectCode::LotRequired => {
                format!("column `lot`: {kind} needs a lot under specific identification")
            }
            RejectCode::NoStandardCost => "no standard cost is known for the item at this time".to_owned(),
            RejectCode::GroupRejected => {
                "column `group`: another movement of the group was rejected".to_owned()
            }
            RejectCode::ReplayFailed => {
                format!("{kind} would make an earlier movement impossible: more than on hand at its time")
            }
            RejectCode::NotWithPeriodic => not_with_periodic(kind),
        }
    }
}

impl Fault {
    /// What is wrong, behind the column in which it is.
    fn in_column(&self, what: &str) -> String {
        self.column().map_or_else(|| what.to_owned(), |column| format!("column `{}`: {what}", column.name()))
    }
}

/// Why a kind of this name is refused under periodic average, and what to post instead.
fn not_with_periodic(kind: &str) -> String {
    let why = match kind {
        "count" => {
            "with an amount is not available with periodic average: the cost of a day is not known before its month ends; leave the amount out"
        }
        "amendment" => {
            "of a return with a `ref`, of an invoiced estimate, or of a shared cost is not available with periodic average: reverse \
             the movement and post it again, or post a cost_adjustment"
        }
        "production_receipt" => {
            "takes over what an item under periodic average issued, whose cost is not known before its month ends: give an amount, or \
             value both items by periodic average"
        }
        _ => {
            "is not available with periodic average: the cost of a day is not known before its month ends; post a cost_adjustment"
        }
    };
    format!("{kind} {why}")
}

/// The quantities that a kind of this name allows, in words.
fn allowed(kind: &str) -> &'static str {
    match kind {
        "opening" => "a quantity other than zero",
        "count" | "amendment" => "zero or a positive quantity",
        _ => "a positive quantity",
    }
}

/// Units at a scale as decimal text.
struct Shown(i64, u8);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = format!("{:0width$}", self.0.unsigned_abs(), width = usize::from(self.1) + 1);
        let (whole, fraction) = digits.split_at(digits.len() - usize::from(self.1));
        let sign = if self.0 < 0 { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_prefixed_and_unique() {
        let mut codes: Vec<_> = RejectCode::ALL.iter().map(|code| code.code()).collect();
        assert!(codes.iter().all(|code| code.starts_with("COSTING_")));
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), RejectCode::ALL.len());
    }

    #[test]
    fn negative_stock_tells_both_quantities() {
        let fault = Fault::with(RejectCode::NegativeStock, 1500, -25);
        assert_eq!(fault.message(Some(Kind::Issue), 2), "issue of 15.00 exceeds the -0.25 on hand");
    }
}
