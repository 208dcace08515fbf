use arrow_array::RecordBatch;

use super::bind;
use super::column::Column;
use crate::Program;
use crate::error::Error;
use crate::host::Activation;
use crate::ir::Slot;
use crate::value::{Fault, Value};

/// A program with the columns of a batch, to be evaluated for some of its rows. For all rows
/// [`Program::eval_batch`] is faster by far.
#[derive(Debug)]
pub struct BoundRows<'p> {
    program: &'p Program,
    columns: Vec<Column>,
    rows: usize,
}

impl Program {
    /// Finds the columns of a batch that are the program's inputs, once, to evaluate single rows of it.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use arrow_array::{ArrayRef, Float64Array, RecordBatch};
    /// use comptoir_rules::{Env, Type, Value};
    ///
    /// let env = Env::builder().variable("price", Type::Double).build()?;
    /// let program = env.compile("price < 1.0")?;
    /// let price: ArrayRef = Arc::new(Float64Array::from(vec![2.0, 0.5]));
    /// let rows = program.bind_rows(&RecordBatch::try_from_iter([("price", price)])?)?;
    /// assert!(matches!(rows.eval(1), Ok(Value::Bool(true))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Program::eval_batch`].
    pub fn bind_rows(&self, batch: &RecordBatch) -> Result<BoundRows<'_>, Error> {
        self.bind_rows_with(batch, &crate::Variables::new())
    }

    /// The same with inputs that are the same for all rows.
    ///
    /// # Errors
    /// As [`Program::eval_batch`].
    pub fn bind_rows_with(
        &self,
        batch: &RecordBatch,
        shared: &dyn Activation,
    ) -> Result<BoundRows<'_>, Error> {
        let columns = bind::bind(self.slots(), self.env(), batch, shared)?;
        Ok(BoundRows { program: self, columns, rows: batch.num_rows() })
    }
}

impl BoundRows<'_> {
    /// Rows of the batch.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows
    }

    /// Whether the batch has no row.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The value for a row, of which only what is needed is read. Past the last row all inputs are absent.
    ///
    /// # Errors
    /// As [`Program::eval`].
    pub fn eval(&self, row: usize) -> Result<Value<'static>, Fault> {
        let input = BoundRow { columns: if row < self.rows { &self.columns } else { &[] }, row };
        Ok(self.program.eval(&input)?.into_owned())
    }
}

struct BoundRow<'c> {
    columns: &'c [Column],
    row: usize,
}

impl Activation for BoundRow<'_> {
    fn slot<'s>(&'s self, index: usize, _: &Slot) -> Value<'s> {
        self.columns.get(index).map_or(Value::Absent, |column| column.get(self.row))
    }
}
