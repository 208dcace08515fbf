use std::rc::Rc;

use super::column::Column;
use super::rows::Rows;

/// The rows that a node is evaluated for: those of the table, or the elements of lists in them.
pub(super) struct Frame<'f, 'a> {
    pub(super) count: usize,
    /// The first of them.
    pub(super) start: usize,
    /// The column of the elements.
    pub(super) column: Option<&'a Column>,
    /// The frame around, and for each element its row there.
    pub(super) around: Option<(&'f Frame<'f, 'a>, Rc<[u32]>)>,
    /// Where the rows are the values of a dictionary: its slot, and the values.
    pub(super) values: Option<(u32, &'a Column)>,
}

impl<'f, 'a> Frame<'f, 'a> {
    /// Rows of the table.
    pub(super) const fn of_rows(start: usize, count: usize) -> Self {
        Self { count, start, column: None, around: None, values: None }
    }

    /// Values of the dictionary of a slot, for a node that reads nothing else.
    pub(super) const fn of_values(start: usize, count: usize, slot: u32, values: &'a Column) -> Self {
        Self { count, start, column: None, around: None, values: Some((slot, values)) }
    }

    /// Elements of the lists of a frame.
    pub(super) const fn of_elements(
        start: usize,
        count: usize,
        elements: &'a Column,
        around: (&'f Frame<'f, 'a>, Rc<[u32]>),
    ) -> Self {
        Self { count, start, column: Some(elements), values: around.0.values, around: Some(around) }
    }

    /// The rows of the frame so many scopes further out, for the rows of this one.
    pub(super) fn rows(&self, up: usize) -> Rows {
        let Some((frame, parents)) = self.around.as_ref().filter(|_| up > 0) else {
            return Rows::Span(self.start);
        };
        let outer = frame.rows(up - 1);
        let row = |row: &u32| u32::try_from(outer.at(*row as usize)).unwrap_or(u32::MAX);
        Rows::Picked(parents.iter().map(row).collect())
    }

    pub(super) fn depth(&self) -> usize {
        self.around.as_ref().map_or(0, |(frame, _)| frame.depth() + 1)
    }

    pub(super) fn column_up(&self, up: usize) -> Option<&'a Column> {
        match (up, &self.around) {
            (0, _) => self.column,
            (_, Some((frame, _))) => frame.column_up(up - 1),
            (_, None) => None,
        }
    }
}
