//! Errors with stable codes.

/// What went wrong, with a code that is the same in every host language.
///
/// The texts quote the caller's input in backticks and name the column and the row where both are known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Text that is no decimal number.
    #[error("`{text}` is not a decimal number: {reason}")]
    DecimalSyntax {
        /// The text as given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A number or the result of a calculation with more digits than the form holds.
    #[error("`{text}` is out of range: at most {digits} digits fit, {scale} of them after the point")]
    DecimalOverflow {
        /// The number, or the calculation that was asked for.
        text: String,
        /// Digits that the form holds.
        digits: u8,
        /// Decimal places that were asked for.
        scale: u8,
    },
    /// A number with more decimal places than its column or field has.
    #[error("`{text}` has more than {scale} decimal places, and digits are never dropped silently")]
    ExcessScale {
        /// The number.
        text: String,
        /// Decimal places that the target has.
        scale: u8,
    },
    /// A number of decimal places that no decimal has.
    #[error("scale `{scale}` is out of range 0 to 18")]
    ScaleRange {
        /// The scale that was asked for.
        scale: i16,
    },
    /// A division by zero.
    #[error("`{text}` cannot be divided by zero")]
    DivisionByZero {
        /// The dividend.
        text: String,
    },
    /// A rounding mode that does not exist.
    #[error("`{text}` is no rounding mode: use half_even, half_up, down, up, floor or ceiling")]
    RoundingUnknown {
        /// The name as given.
        text: String,
    },
    /// Text that is no calendar date.
    #[error("`{text}` is not a date: write it as 2024-03-31")]
    DateSyntax {
        /// The text as given.
        text: String,
    },
    /// A moment outside the calendar that is supported.
    #[error("`{text}` is outside the calendar 0001-01-01 to 9999-12-31")]
    TimeRange {
        /// The moment, as a date or as a count of ticks with its unit.
        text: String,
    },
    /// A column that the table lacks.
    #[error("column `{column}` is missing{hint}")]
    ColumnMissing {
        /// The name that was looked for.
        column: String,
        /// Names that are alike, or the names that were found.
        hint: String,
    },
    /// A column name that occurs more than once.
    #[error("column `{column}` occurs {count} times: names must be unique")]
    ColumnAmbiguous {
        /// The name.
        column: String,
        /// How often it occurs.
        count: usize,
    },
    /// A column of a type that cannot hold what is asked of it.
    #[error("column `{column}`: expected {expected}, found {found}{advice}")]
    ColumnType {
        /// The column.
        column: String,
        /// The types that are accepted.
        expected: &'static str,
        /// The type that was found.
        found: String,
        /// What to send instead; empty, or starting with `: `.
        advice: String,
    },
    /// No value where one is needed.
    #[error("null where a value is required")]
    Null,
    /// More rows than one call takes.
    #[error("{rows} rows in one call are more than the {limit} that fit: split the batch")]
    TooManyRows {
        /// Rows that were given.
        rows: u64,
        /// Rows that fit.
        limit: u64,
    },
    /// Another error, with the place where it occurred.
    #[error("column `{column}`{}: {source}", .row.map(|row| format!(", row {row}")).unwrap_or_default())]
    At {
        /// The column.
        column: String,
        /// The row, counted from 0 over the whole table, where it is known.
        row: Option<u64>,
        /// What went wrong there.
        source: Box<Error>,
    },
}

/// What every error of every core can say about itself to a host language.
pub trait ErrorCode {
    /// The stable code, such as `TYPES_DECIMAL_SYNTAX`.
    fn code(&self) -> &'static str;

    /// The family of the error, which hosts map to an exception class.
    fn kind(&self) -> ErrorKind;
}

/// Families of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Columns are missing or have the wrong type.
    Schema,
    /// A value is wrong.
    Data,
    /// A policy, template or other setting is wrong.
    Config,
    /// The input is larger than what is supported.
    Limit,
    /// A file or directory cannot be written or read, or its content is not what was written.
    Storage,
    /// More work is waiting than is taken; try again later.
    Overloaded,
    /// A deadline has passed.
    Timeout,
    /// The caller gave the work up.
    Cancelled,
    /// Something needed is not there or not there any more: a closed pipeline, a dead worker, a missing run time.
    Unavailable,
    /// A defect of the library itself.
    Internal,
}

impl Error {
    /// This error with the name of the column it occurred in.
    #[must_use]
    pub fn in_column(self, column: &str) -> Self {
        Self::At { column: column.to_owned(), row: None, source: Box::new(self) }
    }

    /// This error with its column and row; an error that already has its column only gains the row.
    #[must_use]
    pub fn at_row(self, column: &str, row: u64) -> Self {
        match self {
            Self::At { column, source, .. } => Self::At { column, row: Some(row), source },
            other => Self::At { column: column.to_owned(), row: Some(row), source: Box::new(other) },
        }
    }
}

impl ErrorCode for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::DecimalSyntax { .. } => "TYPES_DECIMAL_SYNTAX",
            Self::DecimalOverflow { .. } => "TYPES_DECIMAL_OVERFLOW",
            Self::ExcessScale { .. } => "TYPES_EXCESS_SCALE",
            Self::ScaleRange { .. } => "TYPES_SCALE_RANGE",
            Self::DivisionByZero { .. } => "TYPES_DIVISION_BY_ZERO",
            Self::RoundingUnknown { .. } => "TYPES_ROUNDING_UNKNOWN",
            Self::DateSyntax { .. } => "TYPES_DATE_SYNTAX",
            Self::TimeRange { .. } => "TYPES_TIME_RANGE",
            Self::ColumnMissing { .. } => "TYPES_COLUMN_MISSING",
            Self::ColumnAmbiguous { .. } => "TYPES_COLUMN_AMBIGUOUS",
            Self::ColumnType { .. } => "TYPES_COLUMN_TYPE",
            Self::Null => "TYPES_NULL",
            Self::TooManyRows { .. } => "TYPES_TOO_MANY_ROWS",
            Self::At { source, .. } => source.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::DecimalSyntax { .. }
            | Self::DecimalOverflow { .. }
            | Self::ExcessScale { .. }
            | Self::DivisionByZero { .. }
            | Self::DateSyntax { .. }
            | Self::TimeRange { .. }
            | Self::Null => ErrorKind::Data,
            Self::ScaleRange { .. } | Self::RoundingUnknown { .. } => ErrorKind::Config,
            Self::ColumnMissing { .. } | Self::ColumnAmbiguous { .. } | Self::ColumnType { .. } => {
                ErrorKind::Schema
            }
            Self::TooManyRows { .. } => ErrorKind::Limit,
            Self::At { source, .. } => source.kind(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_added_around_the_message_and_keeps_the_code() {
        let error = Error::Null.in_column("item").at_row("item", 7);
        assert_eq!(error.to_string(), "column `item`, row 7: null where a value is required");
        assert_eq!((error.code(), error.kind()), ("TYPES_NULL", ErrorKind::Data));
        assert_eq!(
            Error::Null.in_column("item").to_string(),
            "column `item`: null where a value is required"
        );
    }

    #[test]
    fn a_wrong_type_says_what_to_send() {
        let error = Error::ColumnType {
            column: "amount".into(),
            expected: "decimal",
            found: "float64".into(),
            advice: ": money is exact".into(),
        };
        assert_eq!(error.to_string(), "column `amount`: expected decimal, found float64: money is exact");
        assert_eq!((error.code(), error.kind()), ("TYPES_COLUMN_TYPE", ErrorKind::Schema));
    }
}
