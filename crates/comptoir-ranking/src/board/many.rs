//! Several boards from one scan of a table.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, RecordBatch, UInt32Array};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Field, Schema};

use super::collect::Board;
use super::column_codes::ColumnCodes;
use super::error::BoardError;
use super::memo::shared;
use super::result::BoardResult;
use super::scan::{Collector, blocks, scan};
use super::spec::{BoardSpec, Context};

/// Boards that are made of the same rows.
///
/// Each block of rows passes all boards while it is in the cache. An expression that several boards have is evaluated
/// once, and a text that several boards group by is coded once. The results are those of a [`Board`] for each spec.
///
/// ```
/// use std::sync::Arc;
///
/// use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
/// use comptoir_ranking::board::{BoardSpec, Boards, Context};
///
/// let spec = |id: &str, score: &str| {
///     BoardSpec::from_json(&format!(r#"{{"id": "{id}", "item": "code", "score": "{score}", "k": 1}}"#))
/// };
/// let mut boards = Boards::new(vec![spec("most", "units")?, spec("dearest", "price")?], &Context::default())?;
/// let code: ArrayRef = Arc::new(StringArray::from(vec!["mug", "bag"]));
/// let units: ArrayRef = Arc::new(Int64Array::from(vec![3, 5]));
/// let price: ArrayRef = Arc::new(Int64Array::from(vec![9, 7]));
/// boards.push(&RecordBatch::try_from_iter([("code", code), ("units", units), ("price", price)])?)?;
/// assert_eq!(boards.finish()?.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Boards {
    boards: Vec<Board>,
    /// Columns that several boards group by.
    groups: BTreeMap<String, Coded>,
}

/// A column of texts that is given to boards as a dictionary.
#[derive(Debug)]
struct Coded {
    codes: ColumnCodes,
    /// The values by code, as many as were known when they were last needed.
    values: Option<ArrayRef>,
}

impl Boards {
    /// For several specs in one context.
    ///
    /// # Errors
    /// As [`Board::new`].
    pub fn new(specs: Vec<BoardSpec>, context: &Context) -> Result<Self, BoardError> {
        let boards = specs.into_iter().map(|spec| Board::new(spec, context.clone()));
        Ok(Self::of(boards.collect::<Result<_, _>>()?))
    }

    /// Boards that may have seen rows already.
    ///
    /// # Errors
    /// [`BoardError::OtherContext`] for boards of different contexts.
    pub fn from_boards(boards: Vec<Board>) -> Result<Self, BoardError> {
        let context = boards.first().map(Board::context);
        let differs = |board: &Board| context.and_then(|context| context.difference(board.context()));
        match boards.iter().find_map(differs) {
            Some(field) => Err(BoardError::OtherContext { field }),
            None => Ok(Self::of(boards)),
        }
    }

    /// The boards in their order.
    #[must_use]
    pub fn into_boards(self) -> Vec<Board> {
        self.boards
    }

    fn of(boards: Vec<Board>) -> Self {
        let mut uses: BTreeMap<&String, usize> = BTreeMap::new();
        for name in boards.iter().flat_map(|board| &board.spec().group) {
            *uses.entry(name).or_default() += 1;
        }
        let coded = |name: &String| (name.clone(), Coded { codes: ColumnCodes::new(name), values: None });
        let groups = uses.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| coded(name)).collect();
        Self { boards, groups }
    }

    /// Adds rows to all boards.
    ///
    /// # Errors
    /// As [`Board::push`], of the first board that has one. An error after the columns were looked at is one of all boards:
    /// they have had a part of the rows.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<(), BoardError> {
        scan(self, std::slice::from_ref(batch), 1)
    }

    /// Adds the rows of several batches on so many threads, as [`Board::push_all`] does.
    ///
    /// # Errors
    /// As [`Boards::push`].
    pub fn push_all(&mut self, batches: &[RecordBatch], threads: usize) -> Result<(), BoardError> {
        scan(self, batches, threads)
    }

    /// Adds what another collector of the same boards has seen.
    ///
    /// # Errors
    /// As [`Board::merge`], and [`BoardError::OtherBoard`] for another number of boards.
    pub fn merge(&mut self, other: Self) -> Result<(), BoardError> {
        if self.boards.len() != other.boards.len() {
            return Err(BoardError::OtherBoard);
        }
        self.boards.iter().zip(&other.boards).try_for_each(|(board, other)| board.check_merge(other))?;
        self.boards.iter_mut().zip(other.boards).try_for_each(|(board, other)| board.merge(other))
    }

    /// The results in the order of the specs.
    ///
    /// # Errors
    /// As [`Board::finish`].
    pub fn finish(self) -> Result<Vec<BoardResult>, BoardError> {
        self.boards.into_iter().map(Board::finish).collect()
    }

    /// A block with plain texts that several boards group by as dictionaries.
    fn coded(&mut self, block: &RecordBatch) -> Result<RecordBatch, BoardError> {
        let schema = block.schema();
        let mut fields: Vec<Arc<Field>> = schema.fields().iter().cloned().collect();
        let mut columns = block.columns().to_vec();
        for (field, column) in fields.iter_mut().zip(&mut columns) {
            let is_text =
                matches!(column.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
            let Some(coded) = self.groups.get_mut(field.name()).filter(|_| is_text) else { continue };
            *column = coded.dictionary(column)?;
            let packed = Field::new(field.name(), column.data_type().clone(), field.is_nullable());
            *field = Arc::new(packed);
        }
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(block.num_rows()));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
            .map_err(BoardError::internal)
    }
}

impl Coded {
    fn dictionary(&mut self, texts: &ArrayRef) -> Result<ArrayRef, BoardError> {
        let mut codes = Vec::new();
        self.codes.read(texts, &BooleanBuffer::new_set(texts.len()), &mut codes)?;
        let known = self.values.take().filter(|values| values.len() == self.codes.len());
        let values = match known {
            Some(values) => values,
            None => {
                let all: Vec<u32> =
                    (0..u32::try_from(self.codes.len()).map_err(BoardError::internal)?).collect();
                let column = self.codes.column(&all)?;
                column
                    .map(|(_, values)| values)
                    .ok_or_else(|| BoardError::internal("a column without values"))?
            }
        };
        self.values = Some(values.clone());
        let keys = UInt32Array::new(codes.into(), texts.logical_nulls());
        let array = DictionaryArray::<UInt32Type>::try_new(keys, values).map_err(BoardError::internal)?;
        Ok(Arc::new(array))
    }
}

impl Collector for Boards {
    fn check_whole(&self) -> Result<(), BoardError> {
        self.boards.iter().try_for_each(Board::check_whole)
    }

    fn mark_failed(&mut self) {
        self.boards.iter_mut().for_each(Board::mark_failed);
    }

    fn fork(&mut self) -> Result<Self, BoardError> {
        Ok(Self::of(self.boards.iter_mut().map(Board::fork).collect::<Result<_, _>>()?))
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<(), BoardError> {
        for block in blocks(batch) {
            let block = self.coded(&block)?;
            shared(&block, || self.boards.iter_mut().try_for_each(|board| board.add(&block)))?;
        }
        Ok(())
    }

    fn join(&mut self, other: Self) -> Result<(), BoardError> {
        self.boards.iter_mut().zip(other.boards).try_for_each(|(board, other)| board.join(other))
    }
}
