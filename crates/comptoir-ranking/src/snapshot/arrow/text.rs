use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, LargeStringArray, StringArray, StringViewArray};
use arrow_schema::DataType;

/// A column of text in any of the layouts that producers send.
pub enum Texts<'a> {
    Small(&'a StringArray),
    Large(&'a LargeStringArray),
    View(&'a StringViewArray),
}

impl<'a> Texts<'a> {
    pub fn of(array: &'a dyn Array) -> Option<Self> {
        match array.data_type() {
            DataType::Utf8 => array.as_string_opt().map(Self::Small),
            DataType::LargeUtf8 => array.as_string_opt().map(Self::Large),
            DataType::Utf8View => array.as_string_view_opt().map(Self::View),
            _ => None,
        }
    }

    /// `None` for null.
    pub fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Self::Small(texts) => texts.is_valid(row).then(|| texts.value(row)),
            Self::Large(texts) => texts.is_valid(row).then(|| texts.value(row)),
            Self::View(texts) => texts.is_valid(row).then(|| texts.value(row)),
        }
    }
}

/// A column of lists.
pub struct Lists<'a>(&'a dyn Array);

impl<'a> Lists<'a> {
    pub fn of(array: &'a dyn Array) -> Option<Self> {
        matches!(array.data_type(), DataType::List(_) | DataType::LargeList(_)).then_some(Self(array))
    }

    /// `None` for null.
    pub fn get(&self, row: usize) -> Option<ArrayRef> {
        let small =
            self.0.as_list_opt::<i32>().filter(|lists| lists.is_valid(row)).map(|lists| lists.value(row));
        let large =
            || self.0.as_list_opt::<i64>().filter(|lists| lists.is_valid(row)).map(|lists| lists.value(row));
        small.or_else(large)
    }
}
