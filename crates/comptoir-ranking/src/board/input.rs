//! What metrics read of a batch.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Field, Schema};
use comptoir_rules::Env;
use comptoir_rules::value::Timestamp;

use super::codes::Codes;
use super::compile::{Expression, env, field};
use super::error::BoardError;
use super::keys::{KeyColumns, KeyRows, named};
use super::metric::{Accumulator, Numbers, Source};
use super::moment;
use super::numbers::NumberKind;
use super::report::Faults;

/// What a metric reads.
#[derive(Debug)]
pub enum Input {
    /// A condition.
    Flags(Expression),
    /// Numbers.
    Numbers(Expression, NumberKind),
    /// Moments or durations, and the type of their column.
    Ticks(Expression, DataType),
    /// Values of another kind, and the type of their column.
    Values(Expression, DataType, KeyColumns),
    /// A column of which values are counted.
    Codes(String, Codes),
    /// Numbers or values, and the column that says when they were.
    Timed(Box<Input>, KeyColumns),
}

/// What was read of a batch.
pub enum Columns {
    Flags(BooleanBuffer),
    Numbers(NumberKind, ArrayRef),
    Names(KeyRows, Option<BooleanBuffer>),
    Codes(Vec<u32>, Option<BooleanBuffer>),
    Timed(Box<Columns>, KeyRows, Option<BooleanBuffer>),
}

/// What was read, with names as lists.
pub enum Parts<'c> {
    Plain(Source<'c>),
    Names(Vec<Option<&'c [u8]>>),
    Timed(Box<Parts<'c>>, Vec<Option<&'c [u8]>>),
}

impl Input {
    /// The values of an expression that have an order.
    pub fn ordered(env: &Env, path: &str, source: &str, rows: &Schema) -> Result<Self, BoardError> {
        let (expression, data_type) = Expression::ordered(env, path, source, rows)?;
        Ok(match NumberKind::of(&data_type) {
            Some(kind) => Self::Numbers(expression, kind),
            None if data_type.is_temporal() => Self::Ticks(expression, data_type),
            None => Self::Values(expression, data_type, KeyColumns::payload(&[path.to_owned()])),
        })
    }

    /// Reads the rows of a batch of which `chosen` count.
    pub fn read(
        &mut self,
        batch: &RecordBatch,
        chosen: &BooleanBuffer,
        faults: &mut Faults,
    ) -> Result<Columns, BoardError> {
        Ok(match self {
            Self::Flags(condition) => Columns::Flags(condition.flags(batch, chosen, faults)?),
            Self::Numbers(number, kind) => {
                Columns::Numbers(*kind, number.numbers(*kind, batch, chosen, faults)?)
            }
            Self::Values(value, _, keys) => {
                let array = value.evaluate(batch, chosen, faults)?;
                let valid = array.logical_nulls().map(|nulls| nulls.into_inner());
                Columns::Names(keys.encode_arrays(&[array])?, valid)
            }
            Self::Ticks(value, _) => {
                Columns::Numbers(NumberKind::Int, moment::ticks(&value.evaluate(batch, chosen, faults)?)?)
            }
            Self::Codes(name, codes) => {
                let mut of_rows = Vec::new();
                codes.read(batch, chosen, &mut of_rows)?;
                let nulls = named(batch, name)?.logical_nulls();
                Columns::Codes(of_rows, nulls.map(|nulls| nulls.into_inner()))
            }
            Self::Timed(value, by) => Columns::Timed(
                Box::new(value.read(batch, chosen, faults)?),
                by.encode(batch)?,
                by.valid(batch)?,
            ),
        })
    }

    /// What is known of columns, from another collector of the same board. Gives the codes here of its codes of values.
    pub fn learn(&mut self, other: &Self) -> Result<Vec<u32>, BoardError> {
        match (self, other) {
            (Self::Codes(_, own), Self::Codes(_, theirs)) => return own.learn(theirs, 0),
            (Self::Values(_, _, own), Self::Values(_, _, theirs)) => own.learn(theirs)?,
            (Self::Timed(own, own_by), Self::Timed(theirs, by)) => {
                own.learn(theirs)?;
                own_by.learn(by)?;
            }
            _ => {}
        }
        Ok(Vec::new())
    }

    /// The type of the column that a metric of these values has.
    pub fn gives(&self, values: &Accumulator) -> DataType {
        match (values, self) {
            (Accumulator::Count(_) | Accumulator::Distinct(..), _) => DataType::Int64,
            (_, Self::Numbers(_, kind)) => kind.data_type(),
            (_, Self::Values(_, data_type, _) | Self::Ticks(_, data_type)) => data_type.clone(),
            (_, Self::Timed(value, _)) => value.gives(values),
            (_, Self::Flags(_) | Self::Codes(..)) => DataType::Int64,
        }
    }

    /// Values as a column again.
    pub fn decode(&self, values: &[Option<Box<[u8]>>]) -> Result<ArrayRef, BoardError> {
        let (data_type, keys) =
            self.values().ok_or_else(|| BoardError::internal("a metric of numbers gave bytes"))?;
        keys.decode_column(values, data_type)
    }

    fn values(&self) -> Option<(&DataType, &KeyColumns)> {
        match self {
            Self::Values(_, data_type, keys) => Some((data_type, keys)),
            Self::Timed(value, _) => value.values(),
            _ => None,
        }
    }
}

impl Columns {
    /// With names as lists.
    pub fn parts(&self) -> Parts<'_> {
        match self {
            Self::Flags(flags) => Parts::Plain(Source::Flags(flags)),
            Self::Numbers(kind, array) => match Numbers::new(*kind, array) {
                Some(numbers) => Parts::Plain(Source::Numbers(numbers)),
                None => Parts::Names(Vec::new()),
            },
            Self::Codes(codes, valid) => Parts::Plain(Source::Codes(codes, valid.as_ref())),
            Self::Names(rows, valid) => Parts::Names(names(rows, valid.as_ref())),
            Self::Timed(values, rows, valid) => {
                Parts::Timed(Box::new(values.parts()), names(rows, valid.as_ref()))
            }
        }
    }
}

impl Parts<'_> {
    /// As a metric reads it.
    pub fn source(&self) -> Source<'_> {
        match self {
            Self::Plain(source) => source.clone(),
            Self::Names(names) => Source::Names(names),
            Self::Timed(values, moments) => Source::Timed(Box::new(values.source()), moments),
        }
    }
}

fn names<'r>(rows: &'r KeyRows, valid: Option<&BooleanBuffer>) -> Vec<Option<&'r [u8]>> {
    let is_valid = |row: usize| valid.is_none_or(|valid| valid.value(row));
    (0..rows.len()).map(|row| is_valid(row).then(|| rows.bytes(row))).collect()
}

/// Events of the last hours before now.
#[derive(Debug)]
pub struct Window {
    time: String,
    is_inside: Expression,
}

impl Window {
    /// `path` is that of the window in the spec.
    pub fn new(
        path: &str,
        time: &str,
        hours: u32,
        rows: &Schema,
        now: Option<Timestamp>,
    ) -> Result<Self, BoardError> {
        let field = field(rows, time)?;
        if now.is_none() {
            return Err(BoardError::spec(path, "a window needs `now`: say for when the board is made"));
        }
        let is_moment =
            matches!(field.data_type(), DataType::Timestamp(..) | DataType::Date32 | DataType::Date64);
        if !is_moment {
            return Err(BoardError::Column(comptoir_types::Error::ColumnType {
                column: time.to_owned(),
                expected: "a date or a timestamp",
                found: comptoir_types::arrow::type_name(field.data_type()),
                advice: String::new(),
            }));
        }
        let only = Schema::new(vec![Field::new("moment", field.data_type().clone(), true)]);
        let source = format!("moment > now - duration('{hours}h') && moment <= now");
        let is_inside = Expression::condition(&env(&only, now)?, path, &source)?;
        Ok(Self { time: time.to_owned(), is_inside })
    }

    /// The events inside. A null is not.
    pub fn flags(&self, batch: &RecordBatch, faults: &mut Faults) -> Result<BooleanBuffer, BoardError> {
        let Some(moments) = batch.column_by_name(&self.time) else {
            return Err(BoardError::internal("a column of time that is gone"));
        };
        let valid = moments.logical_nulls().map(|nulls| nulls.into_inner());
        let field = Field::new("moment", moments.data_type().clone(), true);
        let only = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::clone(moments)]);
        let only = only.map_err(BoardError::internal)?;
        let chosen = valid.unwrap_or_else(|| BooleanBuffer::new_set(batch.num_rows()));
        Ok(&chosen & &self.is_inside.flags(&only, &chosen, faults)?)
    }
}
