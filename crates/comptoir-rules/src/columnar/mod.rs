//! The columnar evaluator: an Arrow batch in, an Arrow array out.
//!
//! Every row has the value, or the error, that the scalar evaluator gives for it. Rows are evaluated in blocks, node
//! by node; a row that a clause of `&&` or `||` decides is left out of the clauses after it, of which the cheap ones
//! come first. What depends on a column with a dictionary only is evaluated once for each of its values. A node
//! without a kernel is computed row by row, and the nodes above it by columns again. Large batches are evaluated on
//! all threads of the current rayon pool.
//!
//! # From columns to inputs
//!
//! An input such as `item.price` is the column `item.price`, or the field `price` of a column `item` of structs, and a
//! struct that is read as a whole may be spread over columns `item.price`, `item.sku`. Columns become what the input
//! was declared as: integers of any width int or uint, floats and integers double, decimals of any width and integers
//! decimal, dates and timestamps of any unit timestamp. An input without a column is taken from `shared`, once for the
//! whole batch: the time of now, a list of codes, or [`Value::Unknown`](crate::Value::Unknown).
//!
//! A null of a column is the null of CEL, for which `has` is false; it is equal to null only, and comparing it by
//! order is an error of its row. Where a struct is null its fields are absent: reading one is an error.
//!
//! # From results to columns
//!
//! | type | array |
//! |---|---|
//! | bool, int, uint, double, bytes | boolean, int64, uint64, float64, binary |
//! | timestamp | timestamp in UTC, in nanoseconds where an input has them, else in microseconds |
//! | duration | duration in nanoseconds |
//! | decimal | decimal128(38, 18) |
//! | list, struct | list, struct |
//! | optional | what is in it, or null |
//! | anything else | text: strings as they are, other values as JSON |
//!
//! # Budget
//!
//! The budget counts for each row as in the scalar evaluator. A row may have a value here where the scalar one spends
//! its budget on clauses that turn out not to matter.

mod arrays;
mod bind;
mod bits;
mod bound;
mod call;
mod choice;
mod column;
mod events;
mod faults;
mod fold;
mod frame;
mod functions;
mod host;
mod kernel;
mod numbers;
mod output;
mod pattern;
mod plan;
mod presence;
mod rare;
mod rows;
mod schema;
mod shared;
mod table;
mod text;
mod text_set;
mod vector;
mod walk;

use arrow_array::{ArrayRef, RecordBatch, UInt64Array};
use arrow_schema::{DataType, TimeUnit};
use rayon::prelude::*;

pub use bound::BoundRows;
pub(crate) use events::{Event, Events, array};
pub use faults::{Faults, RowFault};
pub(crate) use host::HostColumns;
pub use host::{ColumnFunction, array_of};

use bits::{BLOCK, Bits};
use frame::Frame;
use output::{Piece, block_at};
use plan::Plan;
use vector::Vector;
use walk::Walk;

use crate::error::Error;
use crate::eval::{Inputs, Machine};
use crate::host::Activation;
use crate::types::Type;
use crate::{Program, Variables};

/// The values of an expression for the rows of a batch.
#[derive(Debug)]
pub struct BatchResult<'p> {
    /// A value for each row, null where it is null or an error.
    pub array: ArrayRef,
    /// The rows that are errors.
    pub faults: Faults<'p>,
}

/// The rows of a batch for which an expression is true.
#[derive(Debug)]
pub struct Selection<'p> {
    /// Numbers of the rows, ascending.
    pub rows: UInt64Array,
    /// The rows that are errors; they are not selected.
    pub faults: Faults<'p>,
}

impl Program {
    /// The value for each row of a batch.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch};
    /// use comptoir_rules::{Env, Type};
    ///
    /// let env = Env::builder().variable("qty", Type::Int).variable("price", Type::Double).build()?;
    /// let program = env.compile("price < 1.0 || 100 / qty > 10")?;
    /// let qty: ArrayRef = Arc::new(Int64Array::from(vec![5, 50, 0, 0]));
    /// let price: ArrayRef = Arc::new(Float64Array::from(vec![2.0, 2.0, 0.5, 2.0]));
    /// let batch = RecordBatch::try_from_iter([("qty", qty), ("price", price)])?;
    ///
    /// let result = program.eval_batch(&batch)?;
    /// let expected = BooleanArray::from(vec![Some(true), Some(false), Some(true), None]);
    /// assert_eq!(result.array.as_ref(), &expected as &dyn arrow_array::Array);
    /// let fault = result.faults.iter().next().unwrap();
    /// assert_eq!((fault.row, fault.code()), (3, "RULES_DIVIDE_BY_ZERO"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `TYPES_COLUMN_MISSING` for an input without a column, `TYPES_COLUMN_TYPE` for a column that cannot be what the
    /// input was declared as, `TYPES_COLUMN_AMBIGUOUS` for a name that occurs twice, `RULES_HOST` for a function over
    /// columns that fails. An error of a row is no error of the call.
    pub fn eval_batch(&self, batch: &RecordBatch) -> Result<BatchResult<'_>, Error> {
        self.eval_batch_with(batch, &Variables::new())
    }

    /// The value for each row of a batch, with inputs that are the same for all rows.
    ///
    /// # Errors
    /// As [`Program::eval_batch`].
    pub fn eval_batch_with(
        &self,
        batch: &RecordBatch,
        shared: &dyn Activation,
    ) -> Result<BatchResult<'_>, Error> {
        let plan = self.plan(batch, shared)?;
        let ty = match self.result_type() {
            Type::Error => &Type::Dyn,
            ty => ty,
        };
        let piece = evaluate(&plan, ty)?;
        let (array, fault) = piece.finish(ty, self.env(), unit(batch));
        Ok(BatchResult { array, faults: Faults::new(plan, fault, false) })
    }

    /// The rows of a batch for which the expression is true.
    ///
    /// # Errors
    /// As [`Program::eval_batch`].
    pub fn select(&self, batch: &RecordBatch) -> Result<Selection<'_>, Error> {
        self.select_with(batch, &Variables::new())
    }

    /// The rows of a batch for which the expression is true, with inputs that are the same for all rows.
    ///
    /// # Errors
    /// As [`Program::eval_batch`].
    pub fn select_with(&self, batch: &RecordBatch, shared: &dyn Activation) -> Result<Selection<'_>, Error> {
        let plan = self.plan(batch, shared)?;
        let piece = evaluate(&plan, &Type::Bool)?;
        let rows = UInt64Array::from(piece.true_rows());
        let fault = piece.untrue();
        Ok(Selection { rows, faults: Faults::new(plan, fault, true) })
    }

    fn plan(&self, batch: &RecordBatch, shared: &dyn Activation) -> Result<Plan<'_>, Error> {
        let columns = bind::bind(self.slots(), self.env(), batch, shared)?;
        Ok(Plan::new(self, columns, batch.num_rows()))
    }
}

/// Blocks that one thread evaluates at a time.
const CHUNK: usize = 8 * BLOCK;

fn evaluate(plan: &Plan<'_>, ty: &Type) -> Result<Piece, Error> {
    let piece = evaluate_chunks(plan, ty);
    plan.failed.get().map_or(Ok(piece), |error| Err(Error::Eval(error.clone())))
}

fn evaluate_chunks(plan: &Plan<'_>, ty: &Type) -> Piece {
    let threads = rayon::current_num_threads();
    if threads == 1 || plan.rows <= CHUNK {
        return evaluate_rows(plan, ty, 0, plan.rows);
    }
    let chunks = plan.rows.div_ceil(CHUNK);
    let pieces = (0..chunks).into_par_iter().map(|chunk| {
        let start = chunk * CHUNK;
        evaluate_rows(plan, ty, start, (start + CHUNK).min(plan.rows))
    });
    let pieces: Vec<Piece> = pieces.collect();
    pieces.into_iter().fold(Piece::of(ty, plan.rows), |mut all, piece| {
        all.append(piece);
        all
    })
}

fn evaluate_rows(plan: &Plan<'_>, ty: &Type, start: usize, end: usize) -> Piece {
    let mut piece = Piece::of(ty, end - start);
    let mut start = start;
    while start < end {
        let count = block_at(start, end);
        piece.push(&block(plan, start, count), count);
        start += count;
    }
    piece
}

/// The values of a block. Where a row may have spent its budget the scalar evaluator counts for each row.
fn block<'a>(plan: &'a Plan<'a>, start: usize, count: usize) -> Vector<'a> {
    let walk = Walk::new(plan);
    let frame = Frame::of_rows(start, count);
    let vector = walk.vector(plan.program.root(), &frame, &Bits::first(count));
    if walk.is_within_budget() {
        return vector;
    }
    let values = (start..start + count).map(|row| {
        let input = plan.row(row);
        let program = plan.program;
        let machine = Machine::new(
            program.nodes(),
            program.quick(),
            Inputs::Host(&input, program.slots()),
            program.budget(),
        );
        machine.run(program.root()).ok().map(crate::Value::into_owned)
    });
    Vector::Values(values.collect())
}

/// Nanoseconds where the batch has them.
fn unit(batch: &RecordBatch) -> TimeUnit {
    fn has_nanos(data_type: &DataType) -> bool {
        match data_type {
            DataType::Timestamp(TimeUnit::Nanosecond, _) => true,
            DataType::Dictionary(_, values) => has_nanos(values),
            DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
                has_nanos(field.data_type())
            }
            DataType::Struct(fields) => fields.iter().any(|field| has_nanos(field.data_type())),
            _ => false,
        }
    }
    let schema = batch.schema_ref();
    if schema.fields().iter().any(|field| has_nanos(field.data_type())) {
        TimeUnit::Nanosecond
    } else {
        TimeUnit::Microsecond
    }
}
