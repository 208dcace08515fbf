//! Values of columns as bytes that compare as the values do.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_row::{RowConverter, Rows, SortField};
use arrow_schema::{DataType, Field, SortOptions};
use std::sync::Arc;

use super::error::BoardError;
use super::spec::TieOrder;

/// A list of columns whose values are read together.
#[derive(Debug)]
pub struct KeyColumns {
    columns: Vec<(String, TieOrder)>,
    /// The types so far and the converter for them; none before the first batch.
    known: Option<(Vec<DataType>, RowConverter)>,
    may_be_float: bool,
}

impl KeyColumns {
    /// Columns that name things: no floats, of which two that look alike may differ.
    pub fn names(columns: &[String]) -> Self {
        let columns = columns.iter().map(|column| (column.clone(), TieOrder::Asc)).collect();
        Self { columns, known: None, may_be_float: false }
    }

    /// Columns that things are sorted by.
    pub const fn sorted_by(columns: Vec<(String, TieOrder)>) -> Self {
        Self { columns, known: None, may_be_float: true }
    }

    /// Whether the values of a column can name things.
    pub fn check(field: &Field) -> Result<(), BoardError> {
        let data_type = match field.data_type() {
            DataType::Dictionary(_, values) => values,
            data_type => data_type,
        };
        check_name(field.name(), data_type)
    }

    /// Whether things can be sorted by the values of a column.
    pub fn check_sorted(field: &Field) -> Result<(), BoardError> {
        match field.data_type() {
            DataType::Float64 | DataType::Float32 => Ok(()),
            _ => Self::check(field),
        }
    }

    /// Columns of any type that are kept as they are; their values are given as arrays.
    pub fn payload(columns: &[String]) -> Self {
        Self::names(columns)
    }

    /// The values of each row. Where two rows are equal, so are their bytes; null comes last.
    pub fn encode(&mut self, batch: &RecordBatch) -> Result<KeyRows, BoardError> {
        let arrays = self.arrays(batch)?;
        self.encode_arrays(&arrays)
    }

    /// Whether there was a batch.
    pub const fn is_known(&self) -> bool {
        self.known.is_some()
    }

    /// The values of some rows; `None` where there are no columns.
    pub fn encode_some(
        &mut self,
        batch: &RecordBatch,
        rows: &UInt32Array,
    ) -> Result<Option<KeyRows>, BoardError> {
        if self.columns.is_empty() {
            return Ok(None);
        }
        self.encode_rows(batch, rows).map(Some)
    }

    /// The values of some rows of arrays, one for each column; `None` where there are no columns.
    pub fn encode_some_arrays(
        &mut self,
        arrays: &[ArrayRef],
        rows: &UInt32Array,
    ) -> Result<Option<KeyRows>, BoardError> {
        if self.columns.is_empty() {
            return Ok(None);
        }
        let some = |array: &ArrayRef| {
            unpacked(&arrow_select::take::take(array, rows, None).map_err(BoardError::internal)?)
        };
        let arrays = arrays.iter().map(some).collect::<Result<Vec<_>, _>>()?;
        self.encode_arrays(&arrays).map(Some)
    }

    /// The values of some rows.
    pub fn encode_rows(&mut self, batch: &RecordBatch, rows: &UInt32Array) -> Result<KeyRows, BoardError> {
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (name, _) in &self.columns {
            let some = arrow_select::take::take(&named(batch, name)?, rows, None);
            arrays.push(self.readable(name, &some.map_err(BoardError::internal)?)?);
        }
        self.encode_arrays(&arrays)
    }

    /// The values of each row of arrays, one for each column.
    pub fn encode_arrays(&mut self, arrays: &[ArrayRef]) -> Result<KeyRows, BoardError> {
        let types: Vec<_> = arrays.iter().map(|array| array.data_type().clone()).collect();
        let converter = match &mut self.known {
            Some((known, converter)) => {
                for ((expected, found), (column, _)) in known.iter().zip(&types).zip(&self.columns) {
                    if expected != found {
                        return Err(schema_change(column, expected, found));
                    }
                }
                converter
            }
            None => {
                let converter = self.converter(&types)?;
                &mut self.known.insert((types, converter)).1
            }
        };
        converter.convert_columns(arrays).map(KeyRows).map_err(BoardError::internal)
    }

    fn converter(&self, types: &[DataType]) -> Result<RowConverter, BoardError> {
        let field = |(data_type, (_, order)): (&DataType, &(String, TieOrder))| {
            let descending = *order == TieOrder::Desc;
            SortField::new_with_options(data_type.clone(), SortOptions { descending, nulls_first: false })
        };
        RowConverter::new(types.iter().zip(&self.columns).map(field).collect()).map_err(BoardError::internal)
    }

    /// The rows in which no column is null; `None` where that are all.
    pub fn valid(&self, batch: &RecordBatch) -> Result<Option<BooleanBuffer>, BoardError> {
        let mut nulls: Option<NullBuffer> = None;
        for (name, _) in &self.columns {
            let array = named(batch, name)?;
            // The type is checked here too, of a batch without rows to encode.
            self.readable(name, &array.slice(0, 0))?;
            nulls = NullBuffer::union(nulls.as_ref(), array.logical_nulls().as_ref());
        }
        Ok(nulls.filter(|nulls| nulls.null_count() > 0).map(NullBuffer::into_inner))
    }

    /// Rows as columns again, with their fields. Nothing before the first batch.
    pub fn decode<'r>(
        &self,
        rows: impl Iterator<Item = &'r [u8]>,
    ) -> Result<Vec<(Field, ArrayRef)>, BoardError> {
        let Some((_, converter)) = &self.known else { return Ok(Vec::new()) };
        let parser = converter.parser();
        let arrays =
            converter.convert_rows(rows.map(|row| parser.parse(row))).map_err(BoardError::internal)?;
        let field = |((name, _), array): (&(String, TieOrder), &ArrayRef)| {
            Field::new(name, array.data_type().clone(), array.null_count() > 0)
        };
        let fields: Vec<_> = self.columns.iter().zip(&arrays).map(field).collect();
        Ok(fields.into_iter().zip(arrays).collect())
    }

    /// Values of a single column as an array of this type again; none is null.
    pub fn decode_column(
        &self,
        values: &[Option<Box<[u8]>>],
        data_type: &DataType,
    ) -> Result<ArrayRef, BoardError> {
        let mut next = 0..;
        let places: UInt32Array =
            values.iter().map(|value| value.as_ref().and_then(|_| next.next())).collect();
        let columns = self.decode(values.iter().flatten().map(|value| &**value))?;
        match columns.into_iter().next() {
            Some((_, array)) => arrow_select::take::take(&array, &places, None).map_err(BoardError::internal),
            None => Ok(arrow_array::new_null_array(data_type, values.len())),
        }
    }

    /// What is known of the columns, from another collector of the same board.
    pub fn learn(&mut self, other: &Self) -> Result<(), BoardError> {
        match (&self.known, &other.known) {
            (None, Some((types, _))) => self.known = Some((types.clone(), self.converter(types)?)),
            (Some((own, _)), Some((theirs, _))) => {
                for ((expected, found), (column, _)) in own.iter().zip(theirs).zip(&self.columns) {
                    if expected != found {
                        return Err(schema_change(column, expected, found));
                    }
                }
            }
            (_, None) => {}
        }
        Ok(())
    }

    fn arrays(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>, BoardError> {
        self.columns.iter().map(|(name, _)| self.readable(name, &named(batch, name)?)).collect()
    }

    /// A column as plain values that can be encoded.
    fn readable(&self, name: &str, array: &ArrayRef) -> Result<ArrayRef, BoardError> {
        let array = unpacked(array)?;
        match array.data_type() {
            DataType::Float64 if self.may_be_float => Ok(positive_zero::<Float64Type>(&array)),
            DataType::Float32 if self.may_be_float => Ok(positive_zero::<Float32Type>(&array)),
            data_type => check_name(name, data_type).map(|()| array),
        }
    }
}

/// The column of a name.
pub fn named(batch: &RecordBatch, name: &str) -> Result<ArrayRef, BoardError> {
    let chunks = comptoir_types::arrow::column(batch.schema_ref(), std::slice::from_ref(batch), name)?;
    chunks.into_iter().next().ok_or_else(|| BoardError::internal("a batch without chunk"))
}

/// Whether values of a type can name things.
pub fn check_name(column: &str, data_type: &DataType) -> Result<(), BoardError> {
    if is_name(data_type) {
        return Ok(());
    }
    Err(BoardError::Column(comptoir_types::Error::ColumnType {
        column: column.to_owned(),
        expected: "text, an integer, a decimal, a date, a time or a boolean",
        found: comptoir_types::arrow::type_name(data_type),
        advice: String::new(),
    }))
}

/// The error of a column that changes its type.
pub fn schema_change(column: &str, expected: &DataType, found: &DataType) -> BoardError {
    let [expected, found] = [expected, found].map(comptoir_types::arrow::type_name);
    BoardError::SchemaChange { column: column.to_owned(), expected, found }
}

/// Values of columns for each row.
#[derive(Debug)]
pub struct KeyRows(Rows);

impl KeyRows {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.0.num_rows()
    }

    /// The values of a row as bytes; none where there are no columns.
    pub fn bytes(&self, row: usize) -> &[u8] {
        if row < self.0.num_rows() { self.0.row(row).data() } else { &[] }
    }
}

fn is_name(data_type: &DataType) -> bool {
    data_type.is_integer()
        || data_type.is_temporal()
        || data_type.is_decimal()
        || data_type.is_string()
        || matches!(data_type, DataType::Boolean)
}

/// The values of a dictionary for each row: batches may differ in how they pack a column.
pub fn unpacked(array: &ArrayRef) -> Result<ArrayRef, BoardError> {
    match array.as_any_dictionary_opt() {
        None => Ok(Arc::clone(array)),
        Some(dictionary) => arrow_select::take::take(dictionary.values(), dictionary.keys(), None)
            .map_err(BoardError::internal),
    }
}

/// Negative zero is zero.
fn positive_zero<T>(array: &ArrayRef) -> ArrayRef
where
    T: arrow_array::ArrowPrimitiveType,
    T::Native: std::ops::Add<Output = T::Native> + Default,
{
    Arc::new(array.as_primitive::<T>().unary::<_, T>(|value| value + T::Native::default()))
}
