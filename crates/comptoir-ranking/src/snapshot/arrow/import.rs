use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, Metadata, Schema};
use comptoir_types::arrow::{text_at, type_name};

use super::super::{Item, ItemKind, SnapshotBuilder, SnapshotError};
use super::text::{Lists, Texts};
use super::{BOARD, GROUP, ITEM, K, POSITION, RULES_HASH, SCORE, SPEC_HASH, WATERMARK};
use crate::Score;

impl SnapshotBuilder {
    /// Boards from a table of the form that [`Snapshot::to_record_batch`](super::super::Snapshot::to_record_batch) gives;
    /// a board may go on in the next batch. Positions may have any type of integers, and text, lists any width.
    ///
    /// What the metadata does not say, or the schema has no metadata at all, is as in a new builder. Version and moment
    /// of publication are given anew when it is published.
    ///
    /// # Errors
    /// [`SnapshotError::Table`] names column and row: a column that is missing or of another type, positions that do not
    /// count from 1, a score that is no number, a null. And those of [`SnapshotBuilder::board`].
    pub fn from_record_batches<'b>(
        schema: &Schema,
        batches: impl IntoIterator<Item = &'b RecordBatch>,
    ) -> Result<Self, SnapshotError> {
        read(schema, batches.into_iter().map(|batch| Ok(batch.clone())))
    }
}

pub fn read(
    schema: &Schema,
    batches: impl Iterator<Item = Result<RecordBatch, SnapshotError>>,
) -> Result<SnapshotBuilder, SnapshotError> {
    let mut builder = empty(schema)?;
    let mut board = OpenBoard::default();
    let mut first = 0;
    for batch in batches {
        let batch = batch?;
        let columns = Columns::of(&batch)?;
        for row in 0..batch.num_rows() {
            columns.read(row, first, &mut board, &mut builder)?;
        }
        first += batch.num_rows();
    }
    board.close(&mut builder)?;
    Ok(builder)
}

/// A builder with what the schema says.
fn empty(schema: &Schema) -> Result<SnapshotBuilder, SnapshotError> {
    let field = schema.field_with_name(ITEM).map_err(|_| missing(ITEM))?;
    let kind = match field.data_type() {
        DataType::Int64 => ItemKind::Int,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ItemKind::Text,
        other => return Err(wrong_type(ITEM, "int64 or utf8", other)),
    };
    let metadata = schema.metadata();
    let watermark = number(metadata, WATERMARK)?.unwrap_or(0);
    let (spec, rules) = (hash(metadata, SPEC_HASH)?, hash(metadata, RULES_HASH)?);
    let k = number(metadata, K)?.unwrap_or(0);
    Ok(SnapshotBuilder::new(kind).watermark(watermark).hashes(spec, rules).k(k))
}

fn number<N: std::str::FromStr>(metadata: &Metadata, name: &str) -> Result<Option<N>, SnapshotError> {
    let text = metadata.get(name);
    text.map(|text| text.parse().map_err(|_| bad_metadata(name, "a whole number", text))).transpose()
}

fn hash(metadata: &Metadata, name: &str) -> Result<[u8; 32], SnapshotError> {
    let mut hash = [0; 32];
    let Some(text) = metadata.get(name) else { return Ok(hash) };
    let is_plain = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    for (byte, at) in hash.iter_mut().zip((0..).step_by(2)) {
        let digits = is_plain.then(|| text.get(at..at + 2)).flatten();
        let read = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        *byte = read.ok_or_else(|| bad_metadata(name, "64 hexadecimal digits", text))?;
    }
    Ok(hash)
}

/// The board whose rows are being read.
#[derive(Default)]
struct OpenBoard {
    /// Its name, then its group values; empty before the first row.
    name: Vec<String>,
    entries: Vec<(OwnedItem, Score)>,
}

enum OwnedItem {
    Int(i64),
    Text(String),
}

impl OpenBoard {
    fn close(&mut self, builder: &mut SnapshotBuilder) -> Result<(), SnapshotError> {
        let Some((board, group)) = self.name.split_first() else { return Ok(()) };
        let group: Vec<_> = group.iter().map(String::as_str).collect();
        let entries = self.entries.iter().map(|(item, score)| match item {
            OwnedItem::Int(item) => (Item::Int(*item), *score),
            OwnedItem::Text(item) => (Item::Text(item), *score),
        });
        builder.board(board, &group, entries)?;
        self.entries.clear();
        Ok(())
    }
}

struct Columns<'b> {
    board: Texts<'b>,
    group: Lists<'b>,
    position: &'b ArrayRef,
    item: Items<'b>,
    score: &'b Float64Array,
}

enum Items<'b> {
    Int(&'b Int64Array),
    Text(Texts<'b>),
}

impl<'b> Columns<'b> {
    fn of(batch: &'b RecordBatch) -> Result<Self, SnapshotError> {
        let column = |name: &'static str| batch.column_by_name(name).ok_or_else(|| missing(name));
        let (board, group, item, score) = (column(BOARD)?, column(GROUP)?, column(ITEM)?, column(SCORE)?);
        let position = column(POSITION)?;
        if !position.data_type().is_integer() {
            return Err(wrong_type(POSITION, "uint32", position.data_type()));
        }
        let items = match item.as_primitive_opt::<Int64Type>() {
            Some(items) => Some(Items::Int(items)),
            None => Texts::of(item).map(Items::Text),
        };
        // A producer that has met no group value may not know their type.
        let value = match group.data_type() {
            DataType::List(value) | DataType::LargeList(value) => value.data_type(),
            other => other,
        };
        if !matches!(value, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null) {
            return Err(wrong_type(GROUP, "list<utf8>", group.data_type()));
        }
        Ok(Self {
            board: Texts::of(board).ok_or_else(|| wrong_type(BOARD, "utf8", board.data_type()))?,
            group: Lists::of(group).ok_or_else(|| wrong_type(GROUP, "list<utf8>", group.data_type()))?,
            position,
            item: items.ok_or_else(|| wrong_type(ITEM, "int64 or utf8", item.data_type()))?,
            score: score
                .as_primitive_opt::<Float64Type>()
                .ok_or_else(|| wrong_type(SCORE, "float64", score.data_type()))?,
        })
    }

    /// Reads a row; `first` is that of the batch.
    fn read(
        &self,
        row: usize,
        first: usize,
        board: &mut OpenBoard,
        builder: &mut SnapshotBuilder,
    ) -> Result<(), SnapshotError> {
        let fault = |column, reason: String| SnapshotError::Table { column, row: Some(first + row), reason };
        let position = text_at(self.position, row);
        let begins = board.entries.is_empty() || matches!(position.as_deref(), None | Some("1"));
        if begins || !self.is_of(row, &board.name) {
            board.close(builder)?;
            board.name = self.name(row).map_err(|column| fault(column, "null".to_owned()))?;
        }
        let Some(position) = position else {
            if self.score.is_valid(row) || self.item(row).is_some() {
                return Err(fault(POSITION, "null, but something stands there".to_owned()));
            }
            return Ok(());
        };
        let expected = board.entries.len() + 1;
        if position != expected.to_string() {
            return Err(fault(POSITION, format!("expected {expected}, found {position}")));
        }
        let item = self.item(row).ok_or_else(|| fault(ITEM, "null".to_owned()))?;
        let score = self.score.is_valid(row).then(|| self.score.value(row)).and_then(Score::new);
        let score = score.ok_or_else(|| fault(SCORE, "null or not a number".to_owned()))?;
        board.entries.push((item, score));
        Ok(())
    }

    fn is_of(&self, row: usize, name: &[String]) -> bool {
        let Some((board, values)) = name.split_first() else { return false };
        let is_same = |group: &ArrayRef| match Texts::of(group) {
            Some(texts) => {
                (0..group.len()).map(|value| texts.get(value)).eq(values.iter().map(|value| Some(&**value)))
            }
            None => group.is_empty() && values.is_empty(),
        };
        self.board.get(row) == Some(board) && self.group.get(row).as_ref().is_some_and(is_same)
    }

    /// Board and group values; the column where they are null.
    fn name(&self, row: usize) -> Result<Vec<String>, &'static str> {
        let board = self.board.get(row).ok_or(BOARD)?;
        let group = self.group.get(row).ok_or(GROUP)?;
        let mut name = vec![board.to_owned()];
        for value in 0..group.len() {
            name.push(Texts::of(&group).and_then(|values| values.get(value)).ok_or(GROUP)?.to_owned());
        }
        Ok(name)
    }

    fn item(&self, row: usize) -> Option<OwnedItem> {
        match &self.item {
            Items::Int(items) => items.is_valid(row).then(|| OwnedItem::Int(items.value(row))),
            Items::Text(items) => items.get(row).map(|item| OwnedItem::Text(item.to_owned())),
        }
    }
}

fn missing(column: &'static str) -> SnapshotError {
    SnapshotError::Table { column, row: None, reason: "missing".to_owned() }
}

fn wrong_type(column: &'static str, expected: &str, found: &DataType) -> SnapshotError {
    let reason = format!("expected {expected}, found {}", type_name(found));
    SnapshotError::Table { column, row: None, reason }
}

fn bad_metadata(name: &str, expected: &str, found: &str) -> SnapshotError {
    SnapshotError::Arrow { reason: format!("metadata `{name}`: expected {expected}, found `{found}`") }
}
