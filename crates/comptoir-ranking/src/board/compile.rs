//! Expressions of a spec over the columns of a table.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Schema};
use comptoir_rules::{Env, Program};

use super::error::BoardError;
use super::numbers::NumberKind;
use super::report::Faults;

/// An expression with its place in the spec.
#[derive(Debug)]
pub struct Expression {
    path: String,
    program: Program,
}

/// The names and types that expressions over a schema may use.
pub fn env(schema: &Schema) -> Result<Env, BoardError> {
    Env::builder().arrow_schema(schema).build().map_err(|error| BoardError::spec("columns", error))
}

impl Expression {
    /// A condition.
    pub fn condition(env: &Env, path: &str, source: &str) -> Result<Self, BoardError> {
        let expression = Self::compile(env, path, source)?;
        let found = expression.program.result_type();
        if *found != comptoir_rules::Type::Bool && *found != comptoir_rules::Type::Dyn {
            return Err(BoardError::spec(path, format!("expected a condition, found {found}: `{source}`")));
        }
        Ok(expression)
    }

    /// A number, and its kind.
    pub fn number(env: &Env, path: &str, source: &str) -> Result<(Self, NumberKind), BoardError> {
        use comptoir_rules::Type;

        let expression = Self::compile(env, path, source)?;
        let kind = match expression.program.result_type() {
            Type::Int => NumberKind::Int,
            Type::Uint => NumberKind::Uint,
            Type::Double => NumberKind::Double,
            Type::Decimal => NumberKind::Decimal,
            found => {
                return Err(BoardError::spec(path, format!("expected a number, found {found}: `{source}`")));
            }
        };
        Ok((expression, kind))
    }

    fn compile(env: &Env, path: &str, source: &str) -> Result<Self, BoardError> {
        let program = env.compile(source);
        let program = program
            .map_err(|error| BoardError::Expression { path: path.to_owned(), source: Box::new(error) })?;
        Ok(Self { path: path.to_owned(), program })
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

    fn evaluate(
        &self,
        batch: &RecordBatch,
        chosen: &BooleanBuffer,
        faults: &mut Faults,
    ) -> Result<ArrayRef, BoardError> {
        let wrong = |error| BoardError::Expression { path: self.path.clone(), source: Box::new(error) };
        let result = self.program.eval_batch(batch).map_err(wrong)?;
        if !result.faults.is_empty() {
            faults.add(&self.path, &result.faults, chosen);
        }
        Ok(result.array)
    }
}
