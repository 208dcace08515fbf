//! Arrow in, Arrow out: a history as record batches, and all results as tables.

mod arrays;
mod cells;
mod content;
mod names;
mod read;
mod reports;
mod tables;
mod vouchers;

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, SchemaRef};
use comptoir_types::arrow as columns;

use crate::error::Error;
use crate::policy::Policy;
use crate::valuation::{Valuation, value_columns};

pub use vouchers::VoucherTables;

pub use arrow_array;
pub use arrow_schema;

/// A table: its schema and its record batches.
pub type Table = (SchemaRef, Vec<RecordBatch>);

/// The caller's columns, kept so that results carry ids and names in the caller's types without a copy.
#[derive(Debug)]
pub(crate) struct Source {
    pub schema: SchemaRef,
    pub id: Vec<ArrayRef>,
    pub item: Vec<ArrayRef>,
    pub pool: Vec<ArrayRef>,
    pub at: Vec<ArrayRef>,
    pub kind: Vec<ArrayRef>,
    pub quantity: Vec<ArrayRef>,
    pub amount: Vec<ArrayRef>,
    pub unit_cost: Vec<ArrayRef>,
    pub reference: Vec<ArrayRef>,
    pub lot: Vec<ArrayRef>,
    pub group: Vec<ArrayRef>,
    pub class: Vec<ArrayRef>,
    pub document: Vec<ArrayRef>,
}

impl Source {
    fn new(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Self, Error> {
        let needed = |name: &str| columns::column(schema, batches, name);
        let optional =
            |name: &str| columns::optional_column(schema, batches, name).map(Option::unwrap_or_default);
        let source = Self {
            schema: Arc::clone(schema),
            id: needed("movement_id")?,
            item: needed("item")?,
            pool: optional("pool")?,
            at: needed("at")?,
            kind: needed("kind")?,
            quantity: needed("quantity")?,
            amount: optional("amount")?,
            unit_cost: optional("unit_cost")?,
            reference: optional("ref")?,
            lot: optional("lot")?,
            group: optional("group")?,
            class: optional("class")?,
            document: optional("document")?,
        };
        if schema.field_with_name("amount").is_err() && schema.field_with_name("unit_cost").is_err() {
            needed("amount")?;
        }
        Ok(source)
    }

    /// A cell as text.
    pub fn text(&self, chunks: &[ArrayRef], row: u32) -> Option<String> {
        text_of(chunks, row)
    }

    /// Type of a column of the input, utf8 for one that it lacks.
    pub fn type_of(&self, name: &str) -> DataType {
        self.schema.field_with_name(name).map_or(DataType::Utf8, |field| field.data_type().clone())
    }

    /// The field of an output column that has the input's type.
    pub fn field(&self, from: &str, name: &str, nullable: bool) -> Field {
        Field::new(name, self.type_of(from), nullable)
    }
}

fn text_of(chunks: &[ArrayRef], row: u32) -> Option<String> {
    let mut row = row as usize;
    for chunk in chunks {
        if row < chunk.len() {
            return columns::text_at(chunk, row);
        }
        row -= chunk.len();
    }
    None
}

/// A valued history with its tables.
#[derive(Debug)]
pub struct TableValuation {
    valuation: Valuation,
    source: Source,
}

/// Values a history of movements given as record batches, in any order.
///
/// Columns: `movement_id` and `item` (text, integers or dictionaries), `at` (date or timestamp), `kind` (see
/// [`Kind`](crate::movement::Kind)), `quantity`, and `amount` or `unit_cost` (decimals or integers; floats are refused). Optional:
/// `pool`, `ref`, `lot`, `group`, `class`, `document`. Other columns are ignored.
///
/// # Errors
/// [`Error::Column`] for a missing column or a wrong type, [`Error::Policy`] for a policy that is not coherent,
/// [`Error::TooManyRows`] above 2^32 - 3 rows. A bad movement is no error: it is in [`TableValuation::rejected_table`].
pub fn value_batches(
    schema: &SchemaRef,
    batches: Vec<RecordBatch>,
    policy: &Policy,
) -> Result<TableValuation, Error> {
    let policy = policy.clone().checked()?;
    let (columns, source) = read::read(schema, batches, &policy)?;
    let valuation = value_columns(Arc::new(columns), policy)?;
    Ok(TableValuation { valuation, source })
}

impl TableValuation {
    /// The valuation in codes and units.
    #[must_use]
    pub const fn valuation(&self) -> &Valuation {
        &self.valuation
    }
}
