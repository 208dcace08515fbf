//! Expressions of a spec over the columns of a table.

use std::collections::BTreeSet;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Field, Schema};
use comptoir_rules::value::Timestamp;
use comptoir_rules::{Env, Program, Type, Value};

use super::error::BoardError;
use super::memo;
use super::moment;
use super::numbers::NumberKind;
use super::report::Faults;

/// An expression with its place in the spec.
#[derive(Debug)]
pub struct Expression {
    path: String,
    program: Box<Program>,
    /// Whether the same source over the same columns is the same expression, so that boards may share its values.
    is_shared: bool,
}

/// The names and types that expressions over a schema may use: its columns, and `now` where it is known and no column
/// has this name.
pub fn env(schema: &Schema, now: Option<Timestamp>) -> Result<Env, BoardError> {
    let builder = Env::builder().arrow_schema(schema);
    let now = now.filter(|_| schema.field_with_name(NOW).is_err());
    let builder = match now {
        Some(now) => builder.constant(NOW, Type::Timestamp, Value::Timestamp(now)),
        None => builder,
    };
    builder.build().map_err(|error| BoardError::spec("columns", error))
}

const NOW: &str = "now";

/// A column of a schema, which must have it once.
pub fn field<'s>(schema: &'s Schema, name: &str) -> Result<&'s Field, BoardError> {
    comptoir_types::arrow::column(schema, &[], name)?;
    schema.field_with_name(name).map_err(BoardError::internal)
}

impl Expression {
    /// A condition.
    pub fn condition(env: &Env, path: &str, source: &str) -> Result<Self, BoardError> {
        let expression = Self::compile(env, path, source)?;
        let found = expression.program.result_type();
        if *found != Type::Bool && *found != Type::Dyn {
            return Err(BoardError::spec(path, format!("expected a condition, found {found}: `{source}`")));
        }
        Ok(expression)
    }

    /// A number, and its kind.
    pub fn number(env: &Env, path: &str, source: &str) -> Result<(Self, NumberKind), BoardError> {
        let expression = Self::compile(env, path, source)?;
        match expression.kind() {
            Some(kind) => Ok((expression, kind)),
            None => {
                let found = expression.program.result_type();
                Err(BoardError::spec(path, format!("expected a number, found {found}: `{source}`")))
            }
        }
    }

    /// A moment.
    pub fn moment(env: &Env, path: &str, source: &str) -> Result<Self, BoardError> {
        let expression = Self::compile(env, path, source)?;
        match expression.program.result_type().without_null() {
            Type::Timestamp => Ok(expression),
            found => {
                let reason = format!("expected a date or a timestamp, found {found}: `{source}`");
                Err(BoardError::spec(path, reason))
            }
        }
    }

    /// Anything that has an order: numbers, texts, moments, durations, truth values. With the type of its column.
    pub fn ordered(
        env: &Env,
        path: &str,
        source: &str,
        columns: &Schema,
    ) -> Result<(Self, DataType), BoardError> {
        let expression = Self::compile(env, path, source)?;
        match expression.program.result_type().without_null() {
            Type::Int | Type::Uint | Type::Double | Type::Decimal => {}
            Type::String | Type::Timestamp | Type::Duration | Type::Bool => {}
            found => {
                let reason = format!("expected a number, a text or a moment, found {found}: `{source}`");
                return Err(BoardError::spec(path, reason));
            }
        }
        // The unit of moments depends on the columns.
        let none = RecordBatch::new_empty(columns.clone().into());
        let array = expression.evaluate(&none, &BooleanBuffer::new_unset(0), &mut Faults::default())?;
        Ok((expression, array.data_type().clone()))
    }

    fn compile(env: &Env, path: &str, source: &str) -> Result<Self, BoardError> {
        let program = env.compile(source).map_err(|error| {
            if error.to_string().contains("undeclared name `now`") {
                let reason = format!("`{source}` reads `now`: say for when the board is made");
                return BoardError::spec(path, reason);
            }
            BoardError::Expression { path: path.to_owned(), source: Box::new(error) }
        })?;
        Ok(Self { path: path.to_owned(), program: Box::new(program), is_shared: true })
    }

    /// The same, of which no other board takes the values: for a source whose meaning is not all in its text.
    pub fn unshared(self) -> Self {
        Self { is_shared: false, ..self }
    }

    /// Whether other boards take its values for these rows.
    pub fn is_known(&self, batch: &RecordBatch) -> bool {
        self.is_shared && memo::known(self.program.source(), batch).is_some()
    }

    /// The kind of number that it gives.
    pub fn kind(&self) -> Option<NumberKind> {
        match self.program.result_type() {
            Type::Int => Some(NumberKind::Int),
            Type::Uint => Some(NumberKind::Uint),
            Type::Double => Some(NumberKind::Double),
            Type::Decimal => Some(NumberKind::Decimal),
            _ => None,
        }
    }

    /// Adds the columns that it reads to `columns`, by their place in the schema.
    pub fn reads(&self, schema: &Schema, columns: &mut BTreeSet<usize>) {
        for slot in self.program.slots() {
            let whole = &*slot.name;
            let first = slot.path.first().map_or("", |name| name);
            // A struct may be one column, or be spread over columns with its name before a point.
            let is_part = |name: &str| {
                name == whole
                    || name == first
                    || name.strip_prefix(whole).is_some_and(|rest| rest.starts_with('.'))
            };
            let fields = schema.fields().iter().enumerate();
            columns.extend(fields.filter(|(_, field)| is_part(field.name())).map(|(place, _)| place));
        }
    }

    /// The rows for which the condition is true. A chosen row without a value is false, and counted.
    pub fn flags(
        &self,
        batch: &RecordBatch,
        chosen: &BooleanBuffer,
        faults: &mut Faults,
    ) -> Result<BooleanBuffer, BoardError> {
        let array = self.evaluate(batch, chosen, faults)?;
        match array.as_boolean_opt() {
            Some(flags) => Ok(match flags.nulls() {
                Some(nulls) => flags.values() & nulls.inner(),
                None => flags.values().clone(),
            }),
            // Nothing but nulls, of an expression whose type shows at run time.
            None if *array.data_type() == DataType::Null => Ok(BooleanBuffer::new_unset(array.len())),
            None => Err(BoardError::spec(&self.path, "expected a condition")),
        }
    }

    /// A number for each row, null where there is none; chosen rows without a value are counted.
    pub fn numbers(
        &self,
        kind: NumberKind,
        batch: &RecordBatch,
        chosen: &BooleanBuffer,
        faults: &mut Faults,
    ) -> Result<ArrayRef, BoardError> {
        let array = self.evaluate(batch, chosen, faults)?;
        if NumberKind::of(array.data_type()) == Some(kind) {
            return Ok(array);
        }
        if *array.data_type() == DataType::Null {
            return Ok(kind.array(std::iter::repeat_n(None, array.len())));
        }
        Err(BoardError::internal(format!("{}: numbers came as {}", self.path, array.data_type())))
    }

    /// A double for each row: the nearest to the number. NaN where there is none.
    pub fn doubles(
        &self,
        batch: &RecordBatch,
        chosen: &BooleanBuffer,
        faults: &mut Faults,
    ) -> Result<Vec<f64>, BoardError> {
        let array = self.evaluate(batch, chosen, faults)?;
        let Some(kind) = NumberKind::of(array.data_type()) else { return Ok(vec![f64::NAN; array.len()]) };
        if let (0, Some(values)) = (array.null_count(), array.as_primitive_opt::<Float64Type>()) {
            return Ok(values.values().to_vec());
        }
        let double = |row| kind.key(&array, row).map_or(f64::NAN, |key| kind.double(key));
        Ok((0..array.len()).map(double).collect())
    }

    /// The moment of each row in seconds since 1970. NaN where there is none.
    pub fn seconds(
        &self,
        batch: &RecordBatch,
        chosen: &BooleanBuffer,
        faults: &mut Faults,
    ) -> Result<Vec<f64>, BoardError> {
        let array = self.evaluate(batch, chosen, faults)?;
        moment::seconds(&array).ok_or_else(|| {
            BoardError::internal(format!("{}: moments came as {}", self.path, array.data_type()))
        })
    }

    /// Whatever it gives.
    pub fn evaluate(
        &self,
        batch: &RecordBatch,
        chosen: &BooleanBuffer,
        faults: &mut Faults,
    ) -> Result<ArrayRef, BoardError> {
        let source = self.program.source();
        if self.is_shared
            && let Some(array) = memo::known(source, batch)
        {
            return Ok(array);
        }
        let wrong = |error| BoardError::Expression { path: self.path.clone(), source: Box::new(error) };
        let result = self.program.eval_batch(batch).map_err(wrong)?;
        if !result.faults.is_empty() {
            // Each board counts the faults of its own rows.
            faults.add(&self.path, &result.faults, chosen);
        } else if self.is_shared {
            memo::keep(source, batch, &result.array);
        }
        Ok(result.array)
    }
}
