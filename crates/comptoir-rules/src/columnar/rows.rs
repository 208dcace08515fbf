use std::borrow::Cow;
use std::rc::Rc;

use comptoir_types::simd::wide;

/// Which rows of a column the rows of a block are.
#[derive(Debug, Clone)]
pub(super) enum Rows {
    /// One after the other from a first one.
    Span(usize),
    /// Any.
    Picked(Rc<[u32]>),
}

impl Rows {
    /// The row of the column behind a row of the block.
    #[inline]
    pub(super) fn at(&self, row: usize) -> usize {
        match self {
            Self::Span(start) => start.saturating_add(row),
            Self::Picked(rows) => rows.get(row).map_or(usize::MAX, |row| *row as usize),
        }
    }

    /// The values of `count` rows.
    #[inline]
    pub(super) fn of<'a, T: Copy>(&self, values: &'a [T], count: usize) -> Cow<'a, [T]> {
        match self {
            // A key of a dictionary that names no value leads beyond every row.
            Self::Span(start) => {
                Cow::Borrowed(values.get(*start..start.saturating_add(count)).unwrap_or(&[]))
            }
            Self::Picked(rows) => {
                let first = values.first();
                let read = |row: &u32| values.get(*row as usize).or(first).copied();
                Cow::Owned(rows.iter().filter_map(read).collect())
            }
        }
    }

    /// The values of `count` rows in another form.
    #[inline]
    pub(super) fn map<'a, T: Copy, U: Copy>(
        &self,
        values: &[T],
        count: usize,
        convert: impl Fn(T) -> U,
    ) -> Cow<'a, [U]> {
        let read = self.of(values, count);
        Cow::Owned(wide(
            #[inline(always)]
            || read.iter().map(|value| convert(*value)).collect(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key of a dictionary that names no value, such as a negative one, is read as a row that there is not.
    #[test]
    fn a_row_beyond_every_column_has_no_value() {
        assert!(Rows::Span(usize::MAX).of(&[1], 1).is_empty());
        assert_eq!(Rows::Span(usize::MAX).at(1), usize::MAX);
        assert_eq!(*Rows::Span(1).of(&[1, 2, 3], 2), [2, 3]);
    }
}
