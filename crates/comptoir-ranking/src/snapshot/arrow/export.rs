use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use arrow_array::builder::{Float64Builder, Int64Builder, ListBuilder, StringBuilder, UInt32Builder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};

use super::super::read::Board;
use super::super::{Entry, ItemKind, ItemRef, Snapshot, SnapshotError};
use super::{
    BOARD, CREATED, GROUP, ITEM, K, POSITION, RULES_HASH, SCORE, SPEC_HASH, VERSION, WATERMARK, ipc,
};

impl Snapshot {
    /// All boards as a table: see [`snapshot::arrow`](crate::snapshot::arrow).
    ///
    /// # Errors
    /// [`SnapshotError::TooLarge`] for more than 2 GB of text in a column, [`SnapshotError::Damaged`] for a text that is
    /// not UTF-8, which no builder lets in.
    pub fn to_record_batch(&self) -> Result<RecordBatch, SnapshotError> {
        let mut columns = Columns::new(self);
        columns.check_size(self)?;
        for board in self.iter() {
            for entry in board.page(0, usize::MAX) {
                columns.push(self, &board, Some(entry))?;
            }
            if board.is_empty() {
                columns.push(self, &board, None)?;
            }
        }
        RecordBatch::try_new(Arc::new(schema(self)), columns.finish()).map_err(ipc)
    }
}

fn schema(snapshot: &Snapshot) -> Schema {
    let item = match snapshot.item_kind() {
        ItemKind::Int => DataType::Int64,
        ItemKind::Text => DataType::Utf8,
    };
    let value = Arc::new(Field::new_list_field(DataType::Utf8, false));
    let fields = vec![
        Field::new(BOARD, DataType::Utf8, false),
        Field::new(GROUP, DataType::List(value), false),
        Field::new(POSITION, DataType::UInt32, true),
        Field::new(ITEM, item, true),
        Field::new(SCORE, DataType::Float64, true),
    ];
    let metadata = [
        (VERSION, snapshot.version().to_string()),
        (CREATED, snapshot.created().to_string()),
        (WATERMARK, snapshot.watermark().to_string()),
        (SPEC_HASH, hexadecimal(&snapshot.spec_hash())),
        (RULES_HASH, hexadecimal(&snapshot.rules_hash())),
        (K, snapshot.k().to_string()),
    ];
    let metadata: HashMap<_, _> =
        metadata.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Schema::new_with_metadata(fields, metadata)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

struct Columns {
    board: StringBuilder,
    group: ListBuilder<StringBuilder>,
    position: UInt32Builder,
    item: Items,
    score: Float64Builder,
}

enum Items {
    Int(Int64Builder),
    Text(StringBuilder),
}

impl Columns {
    fn new(snapshot: &Snapshot) -> Self {
        let value = Field::new_list_field(DataType::Utf8, false);
        Self {
            board: StringBuilder::new(),
            group: ListBuilder::new(StringBuilder::new()).with_field(value),
            position: UInt32Builder::new(),
            item: match snapshot.item_kind() {
                ItemKind::Int => Items::Int(Int64Builder::new()),
                ItemKind::Text => Items::Text(StringBuilder::new()),
            },
            score: Float64Builder::new(),
        }
    }

    /// Offsets of text and of lists have 31 bits; a builder panics beyond.
    fn check_size(&self, snapshot: &Snapshot) -> Result<(), SnapshotError> {
        let mut names: u64 = 0;
        let mut items: u64 = 0;
        for board in snapshot.iter() {
            let name: usize = board.name().map(|part| part.len() + 1).sum();
            names = names.saturating_add((name as u64).saturating_mul(board.len().max(1) as u64));
            items = board.page(0, usize::MAX).fold(items, |items, entry| match entry.item {
                ItemRef::Int(_) => items,
                ItemRef::Text(text) => items.saturating_add(text.len() as u64),
            });
        }
        if names.max(items) > i32::MAX.unsigned_abs().into() {
            return Err(SnapshotError::TooLarge { what: "text of a column of a table" });
        }
        Ok(())
    }

    fn push(
        &mut self,
        snapshot: &Snapshot,
        board: &Board<'_>,
        entry: Option<Entry<'_>>,
    ) -> Result<(), SnapshotError> {
        let mut name = board.name();
        self.board.append_value(name.next().unwrap_or_default());
        name.for_each(|value| self.group.values().append_value(value));
        self.group.append(true);
        let position = entry.map(|entry| u32::try_from(entry.position).unwrap_or(u32::MAX));
        self.position.append_option(position);
        self.score.append_option(entry.map(|entry| entry.score));
        match (&mut self.item, entry.map(|entry| entry.item)) {
            (Items::Int(items), Some(ItemRef::Int(item))) => items.append_value(item),
            (Items::Text(items), Some(ItemRef::Text(item))) => items.append_value(
                str::from_utf8(item)
                    .map_err(|_| SnapshotError::damaged(snapshot.path(), "an item is not UTF-8"))?,
            ),
            (Items::Int(items), _) => items.append_null(),
            (Items::Text(items), _) => items.append_null(),
        }
        Ok(())
    }

    fn finish(mut self) -> Vec<ArrayRef> {
        let item: ArrayRef = match self.item {
            Items::Int(mut items) => Arc::new(items.finish()),
            Items::Text(mut items) => Arc::new(items.finish()),
        };
        vec![
            Arc::new(self.board.finish()),
            Arc::new(self.group.finish()),
            Arc::new(self.position.finish()),
            item,
            Arc::new(self.score.finish()),
        ]
    }
}
