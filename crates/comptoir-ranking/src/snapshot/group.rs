//! Values of groups as text.
//!
//! A snapshot knows a board by its name and by texts, so that a reader needs no column types. Whoever publishes a table
//! and whoever asks for a page, in any host language, makes these texts by the one rule of [`GroupValue::text`].

use std::borrow::Cow;

#[cfg(feature = "arrow")]
use arrow_array::Array;
#[cfg(feature = "arrow")]
use arrow_schema::DataType;
#[cfg(feature = "arrow")]
use comptoir_types::arrow::text_at;
use comptoir_types::{Clock, Date};

/// A value of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupValue<'v> {
    /// No value.
    Null,
    /// A truth.
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// A decimal number in plain digits, such as `-12.50`.
    Decimal(&'v str),
    /// A day.
    Date(Date),
    /// A moment, in ticks of a clock since 1970-01-01 UTC.
    Moment(Clock, i64),
    /// A text.
    Text(&'v str),
}

/// What stands for null, and what a text has before it that begins so: no text is taken for null.
const NULL: char = '\0';

impl<'v> GroupValue<'v> {
    /// The text that stands for the value in a snapshot.
    ///
    /// | value | text |
    /// |---|---|
    /// | text | itself; one that begins with the character 0 has another one before it |
    /// | integer | its digits |
    /// | decimal | its digits without zeros at the end of the fraction: 12.50 is `12.5`, 3.00 is `3` |
    /// | boolean | `true`, `false` |
    /// | date | `2024-03-31` |
    /// | moment | `2024-03-31T08:30:00.25Z` in UTC, without zeros at the end of the fraction |
    /// | null | the character 0 |
    ///
    /// ```
    /// use comptoir_ranking::snapshot::GroupValue;
    ///
    /// assert_eq!(GroupValue::Decimal("12.50").text(), "12.5");
    /// assert_eq!(GroupValue::Null.text(), "\0");
    /// ```
    #[must_use]
    pub fn text(&self) -> Cow<'v, str> {
        match self {
            Self::Null => Cow::Borrowed("\0"),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Int(number) => Cow::Owned(number.to_string()),
            Self::Decimal(digits) => Cow::Owned(short(digits)),
            Self::Date(date) => Cow::Owned(date.to_string()),
            Self::Moment(clock, ticks) => {
                let text = clock.format(*ticks);
                Cow::Owned(text.strip_suffix('Z').map_or_else(|| text.clone(), |text| short(text) + "Z"))
            }
            Self::Text(text) if text.starts_with(NULL) => Cow::Owned(format!("{NULL}{text}")),
            Self::Text(text) => Cow::Borrowed(text),
        }
    }

    /// What a text of a snapshot stands for: null or a text, since it does not say which type it had.
    #[must_use]
    pub fn read(text: &'v str) -> Option<&'v str> {
        match text.strip_prefix(NULL) {
            Some("") => None,
            Some(rest) => Some(rest),
            None => Some(text),
        }
    }
}

/// A cell as [`GroupValue::text`] writes its value, but without the sign before a text that begins with the character 0;
/// `None` for null.
#[cfg(feature = "arrow")]
pub(crate) fn group_text(array: &dyn Array, row: usize) -> Option<String> {
    let text = text_at(array, row)?;
    Some(match plain_type(array.data_type()) {
        plain if plain.is_decimal() => short(&text),
        DataType::Date64 => text.split_once('T').map(|(date, _)| date.to_owned()).unwrap_or(text),
        DataType::Timestamp(..) => text.strip_suffix('Z').map(|text| short(text) + "Z").unwrap_or(text),
        _ => text,
    })
}

/// Whether values are dates or moments.
#[cfg(feature = "arrow")]
pub(super) const fn is_moment(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..))
}

/// The type of values, whether they are packed as a dictionary or not.
#[cfg(feature = "arrow")]
pub(super) fn plain_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => values,
        other => other,
    }
}

/// Without zeros at the end of the fraction; negative zero is zero.
fn short(digits: &str) -> String {
    let short =
        if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

#[cfg(test)]
mod tests {
    use comptoir_types::{Clock, Date};

    use super::GroupValue;

    #[test]
    fn equal_values_have_one_text_whatever_their_precision() {
        let text = |value: GroupValue<'_>| value.text().into_owned();
        assert_eq!(["12.50", "12.500", "12.5"].map(|digits| text(GroupValue::Decimal(digits))), ["12.5"; 3]);
        assert_eq!(["-0.00", "0", "100"].map(|digits| text(GroupValue::Decimal(digits))), ["0", "0", "100"]);
        let moment = |clock, ticks| text(GroupValue::Moment(clock, ticks));
        assert_eq!(moment(Clock::SECOND, 10), "1970-01-01T00:00:10Z");
        assert_eq!(moment(Clock::NANOSECOND, 10_000_000_000), "1970-01-01T00:00:10Z");
        assert_eq!(moment(Clock::MILLISECOND, 10_250), "1970-01-01T00:00:10.25Z");
        assert_eq!(text(GroupValue::Date(Date::EPOCH)), "1970-01-01");
    }

    #[test]
    fn no_text_is_taken_for_null() {
        for text in ["", "\0", "\0\0", "null", "\0a"] {
            let kept = GroupValue::Text(text).text();
            assert_ne!(kept, GroupValue::Null.text());
            assert_eq!(GroupValue::read(&kept), Some(text));
        }
        assert_eq!(GroupValue::read("\0"), None);
    }
}
