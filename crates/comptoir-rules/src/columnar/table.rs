//! Rows of a table as events for rule sets, and values of rule sets as columns.

use arrow_array::{ArrayRef, RecordBatch};
use comptoir_types::Error as ColumnError;

use super::arrays::Target;
use super::bind::bind;
use super::column::Column;
use super::unit;
use crate::host::Activation;
use crate::ir::Slot;
use crate::types::{Env, Type};
use crate::value::Value;

/// A table whose columns are bound to inputs.
#[derive(Debug)]
pub(crate) struct Events {
    columns: Vec<Column>,
}

/// A row of a table. Its inputs are asked for by their places.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event<'e> {
    columns: &'e [Column],
    row: usize,
}

impl Events {
    /// Binds columns to inputs; an input without a column has the value that `shared` gives, for all rows.
    ///
    /// # Errors
    /// An input that has neither, and a column that cannot be what the input was declared as.
    pub(crate) fn bind(
        slots: &[Slot],
        env: &Env,
        batch: &RecordBatch,
        shared: &dyn Activation,
    ) -> Result<Self, ColumnError> {
        Ok(Self { columns: bind(slots, env, batch, shared)? })
    }

    pub(crate) fn row(&self, row: usize) -> Event<'_> {
        Event { columns: &self.columns, row }
    }
}

impl Event<'_> {
    /// The value of the input at a place.
    pub(crate) fn value(&self, place: usize) -> Value<'_> {
        self.columns.get(place).map_or(Value::Absent, |column| column.get(self.row))
    }
}

impl Activation for Event<'_> {
    fn slot<'s>(&'s self, index: usize, _: &Slot) -> Value<'s> {
        self.value(index)
    }
}

/// Values as a column of a type, and the places of those that do not fit it. Moments have the unit of the batch.
pub(crate) fn array(
    values: &[Value<'_>],
    ty: &Type,
    env: &Env,
    batch: &RecordBatch,
) -> (ArrayRef, Vec<usize>) {
    let mut lost = Vec::new();
    let target = Target { env, unit: unit(batch) };
    let array = target.build(values, ty, 0, &mut |place| lost.push(place));
    (array, lost)
}
