//! Boards of a snapshot from tables.

use std::cmp::Reverse;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Schema};
use comptoir_types::arrow::{column, intern};
use hashbrown::HashMap;

use super::build::{ItemKind, SnapshotBuilder};
use super::cells::{group_texts, items, numbers, positions, wrong_type};
use super::error::SnapshotError;
use super::group::plain_type;

/// What the columns of a table are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumns {
    /// The name of the board.
    pub board: String,
    /// The columns of the group; none for a board of the whole table.
    pub group: Vec<String>,
    /// The column of items: integers or text.
    pub item: String,
    /// The column of scores: numbers.
    pub score: String,
    /// The column of positions. Without one, items stand by score, the highest first, then by item.
    pub position: Option<String>,
}

impl TableColumns {
    /// What the items of tables with this schema are in a snapshot.
    ///
    /// # Errors
    /// `TYPES_COLUMN_MISSING`, and `TYPES_COLUMN_TYPE` for items that are neither integers nor text.
    pub fn item_kind(&self, schema: &Schema) -> Result<ItemKind, SnapshotError> {
        column(schema, &[], &self.item)?;
        let field = schema.fields().iter().find(|field| *field.name() == self.item);
        match plain_type(field.map_or(&DataType::Null, |field| field.data_type())) {
            number if number.is_integer() => Ok(ItemKind::Int),
            text if text.is_string() || text.is_null() => Ok(ItemKind::Text),
            other => Err(wrong_type(&self.item, "integers or text", other)),
        }
    }
}

impl SnapshotBuilder {
    /// Adds the boards of a table: one for each group, in the order in which groups first occur.
    ///
    /// A score becomes the nearest double; where scores make the order, they are compared before. Values of groups become
    /// text as [`GroupValue::text`](super::GroupValue::text) says.
    ///
    /// # Errors
    /// `TYPES_COLUMN_MISSING` and `TYPES_COLUMN_TYPE`, `TYPES_NULL` with column and row for a null item, score or position,
    /// [`SnapshotError::NotANumber`], [`SnapshotError::PositionTwice`], and those of [`SnapshotBuilder::board`]. Boards
    /// before the one that is refused stay.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
    /// use comptoir_ranking::snapshot::{SnapshotBuilder, TableColumns};
    ///
    /// let country: ArrayRef = Arc::new(StringArray::from(vec!["FR", "FR", "DE"]));
    /// let code: ArrayRef = Arc::new(StringArray::from(vec!["mug", "bag", "mug"]));
    /// let units: ArrayRef = Arc::new(Float64Array::from(vec![7.0, 9.0, 4.0]));
    /// let batch = RecordBatch::try_from_iter([("country", country), ("code", code), ("units", units)])?;
    /// let columns = TableColumns {
    ///     board: "top".to_owned(),
    ///     group: vec!["country".to_owned()],
    ///     item: "code".to_owned(),
    ///     score: "units".to_owned(),
    ///     position: None,
    /// };
    /// let schema = batch.schema();
    /// let mut builder = SnapshotBuilder::new(columns.item_kind(&schema)?);
    /// builder.table(&columns, &schema, &[batch])?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn table(
        &mut self,
        columns: &TableColumns,
        schema: &Schema,
        batches: &[RecordBatch],
    ) -> Result<(), SnapshotError> {
        let read = |name: &str| column(schema, batches, name).map_err(SnapshotError::from);
        let item_chunks = read(&columns.item)?;
        let items = items(&columns.item, &item_chunks)?;
        let scores = numbers(&columns.score, &read(&columns.score)?)?;
        let positions = columns.position.as_deref().map(|name| positions(name, &read(name)?)).transpose()?;
        let mut groups = Groups::of_one(items.len());
        for name in &columns.group {
            groups.split(name, &read(name)?)?;
        }
        for (values, mut rows) in groups.rows() {
            if let Some(positions) = &positions {
                rows.sort_by_key(|row| positions.get(*row));
                if let Some(position) = twice(positions, &rows) {
                    let (board, group) = (columns.board.clone(), values);
                    return Err(SnapshotError::PositionTwice { position, board, group });
                }
            } else {
                let key = |row: usize| scores.get(row).map(|score| score.key);
                rows.sort_by(|left, right| {
                    let keys = Reverse(key(*left)).cmp(&Reverse(key(*right)));
                    keys.then_with(|| items.get(*left).cmp(&items.get(*right)))
                });
            }
            let group: Vec<&str> = values.iter().map(String::as_str).collect();
            let entry = |row: &usize| Some((*items.get(*row)?, scores.get(*row)?.score));
            self.board(&columns.board, &group, rows.iter().filter_map(entry))?;
        }
        Ok(())
    }
}

/// A position that two of the rows have, which are sorted by it.
fn twice(positions: &[i128], rows: &[usize]) -> Option<i128> {
    let at = |row: &usize| positions.get(*row).copied();
    rows.windows(2).find_map(|pair| match pair {
        [left, right] if at(left) == at(right) => at(left),
        _ => None,
    })
}

/// The group of each row, and the values of each group as texts.
struct Groups {
    of_rows: Vec<u32>,
    values: Vec<Vec<String>>,
}

impl Groups {
    /// All rows in one group without values.
    fn of_one(rows: usize) -> Self {
        Self { of_rows: vec![0; rows], values: vec![Vec::new()] }
    }

    /// Splits each group by the values of a column.
    fn split(&mut self, name: &str, chunks: &[ArrayRef]) -> Result<(), SnapshotError> {
        let texts = chunks.iter().map(|chunk| group_texts(name, chunk)).collect::<Result<Vec<_>, _>>()?;
        let chunks: Vec<ArrayRef> = texts.iter().map(|chunk| Arc::new(chunk.clone()) as ArrayRef).collect();
        let codes = intern(&chunks, name)?;
        let mut known: HashMap<(u32, u32), u32> = HashMap::new();
        let mut values = Vec::new();
        let all = texts.iter().flat_map(|chunk| chunk.iter());
        for ((group, code), text) in self.of_rows.iter_mut().zip(codes.codes).zip(all) {
            *group = *known.entry((*group, code)).or_insert_with(|| {
                let mut split = self.values.get(*group as usize).cloned().unwrap_or_default();
                split.push(text.unwrap_or_default().to_owned());
                values.push(split);
                u32::try_from(values.len() - 1).unwrap_or(u32::MAX)
            });
        }
        self.values = values;
        Ok(())
    }

    /// The rows of each group that has any.
    fn rows(self) -> impl Iterator<Item = (Vec<String>, Vec<usize>)> {
        let mut rows = vec![Vec::new(); self.values.len()];
        for (row, group) in self.of_rows.into_iter().enumerate() {
            if let Some(rows) = rows.get_mut(group as usize) {
                rows.push(row);
            }
        }
        self.values.into_iter().zip(rows).filter(|(_, rows)| !rows.is_empty())
    }
}

#[cfg(test)]
#[path = "from_table_tests.rs"]
mod tests;
