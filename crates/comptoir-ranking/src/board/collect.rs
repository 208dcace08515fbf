use arrow_array::{Array, RecordBatch};
use arrow_schema::SchemaRef;

use super::compile::{Expression, env};
use super::error::BoardError;
use super::keys::KeyColumns;
use super::metrics::{Metrics, schema};
use super::rank::{Ranker, taken};
use super::report::{Faults, Report};
use super::spec::BoardSpec;

/// Collects the rows of a board.
///
/// ```
/// use std::sync::Arc;
///
/// use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
/// use comptoir_ranking::board::{Board, BoardSpec};
///
/// let spec = BoardSpec::from_json(r#"{
///     "id": "best sellers", "group": ["country"], "item": "code", "eligibility": "quantity > 0",
///     "metrics": {"units": {"sum": "quantity"}}, "score": "units", "k": 1
/// }"#)?;
/// let mut board = Board::new(spec)?;
/// let country: ArrayRef = Arc::new(StringArray::from(vec!["FR", "FR", "DE", "FR"]));
/// let code: ArrayRef = Arc::new(StringArray::from(vec!["mug", "bag", "mug", "mug"]));
/// let quantity: ArrayRef = Arc::new(Int64Array::from(vec![3, 5, 1, 4]));
/// board.push(&RecordBatch::try_from_iter([("country", country), ("code", code), ("quantity", quantity)])?)?;
///
/// let result = board.finish()?;
/// let codes = result.table.column_by_name("code").unwrap();
/// assert_eq!(codes.as_ref(), &StringArray::from(vec!["mug", "mug"]) as &dyn arrow_array::Array);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Board {
    spec: BoardSpec,
    report: Report,
    faults: Faults,
    item: KeyColumns,
    eligibility: Option<Expression>,
    /// What is known since the first batch.
    schema: Option<SchemaRef>,
    metrics: Option<Metrics>,
    having: Option<Expression>,
    ranker: Ranker,
}

/// A finished board.
#[derive(Debug, Clone)]
pub struct BoardResult {
    /// The columns of the group, the item, `position` (from 1 in each group) and `score`; groups in the order of their
    /// values, null last. Without any batch there are no columns of group and item, since their types are not known.
    pub table: RecordBatch,
    /// What became of the rows.
    pub report: Report,
}

impl Board {
    /// For a spec. Expressions are compiled when the first batch tells the types of its columns.
    ///
    /// # Errors
    /// [`BoardError::Spec`].
    pub fn new(spec: BoardSpec) -> Result<Self, BoardError> {
        let spec = spec.checked()?;
        Ok(Self {
            item: KeyColumns::names(std::slice::from_ref(&spec.item)),
            ranker: Ranker::new(&spec),
            spec,
            report: Report::default(),
            faults: Faults::default(),
            eligibility: None,
            schema: None,
            metrics: None,
            having: None,
        })
    }

    /// What the board is.
    #[must_use]
    pub const fn spec(&self) -> &BoardSpec {
        &self.spec
    }

    /// Adds rows.
    ///
    /// # Errors
    /// At the first batch [`BoardError::Expression`] and [`BoardError::Spec`] for expressions that do not go with the
    /// columns; `TYPES_COLUMN_MISSING` and `TYPES_COLUMN_TYPE` for columns, [`BoardError::SchemaChange`] for a batch
    /// whose columns have other types than those before, [`BoardError::Overflow`]. A row that has no value for an
    /// expression is no error; it is in the report.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<(), BoardError> {
        self.prepare(batch)?;
        let batch = self.eligible(batch)?;
        match &mut self.metrics {
            Some(metrics) => metrics.push(&batch, &mut self.faults),
            None => {
                let all = all_rows(&batch)?;
                self.ranker.push(&batch, &all, &mut self.report, &mut self.faults)
            }
        }
    }

    /// Adds what another collector has seen.
    ///
    /// # Errors
    /// [`BoardError::OtherBoard`] unless both have the same spec; as [`Board::push`].
    pub fn merge(&mut self, other: Self) -> Result<(), BoardError> {
        if self.spec != other.spec {
            return Err(BoardError::OtherBoard);
        }
        if let (Some(known), Some(found)) = (&self.schema, &other.schema) {
            same_types(known, found)?;
        }
        self.report.merge(other.report);
        let faults = Report { faults: other.faults.found, ..Report::default() };
        let mut own = Report { faults: std::mem::take(&mut self.faults.found), ..Report::default() };
        own.merge(faults);
        self.faults.found = own.faults;
        self.ranker.merge(other.ranker)?;
        if self.schema.is_none() {
            self.schema = other.schema;
            self.eligibility = other.eligibility;
            self.having = other.having;
            self.metrics = other.metrics;
            return Ok(());
        }
        match (&mut self.metrics, other.metrics) {
            (Some(own), Some(theirs)) => own.merge(theirs),
            _ => Ok(()),
        }
    }

    /// The board of each group.
    ///
    /// # Errors
    /// [`BoardError::Overflow`] for a metric that does not fit in its column.
    pub fn finish(mut self) -> Result<BoardResult, BoardError> {
        if let Some(metrics) = &self.metrics {
            let items = metrics.finish(&self.spec)?;
            let mut chosen = all_rows(&items)?;
            if let Some(having) = &self.having {
                let flags = having.flags(&items, &mut self.faults)?;
                chosen.retain(|row| flags.is_valid(*row as usize) && flags.value(*row as usize));
                self.report.below_floor += (items.num_rows() - chosen.len()) as u64;
            }
            self.ranker.push(&items, &chosen, &mut self.report, &mut self.faults)?;
        }
        let table = self.ranker.finish(&mut self.report)?;
        self.report.faults = self.faults.found;
        Ok(BoardResult { table, report: self.report })
    }

    /// Compiles the expressions, at the first batch.
    fn prepare(&mut self, batch: &RecordBatch) -> Result<(), BoardError> {
        let rows = batch.schema_ref();
        if let Some(known) = &self.schema {
            return same_types(known, rows);
        }
        let env_of_rows = env(rows)?;
        let condition = |path: &str, source: &Option<String>, env: &comptoir_rules::Env| {
            source.as_deref().map(|source| Expression::condition(env, path, source)).transpose()
        };
        self.eligibility = condition("eligibility", &self.spec.eligibility, &env_of_rows)?;
        if self.spec.metrics.is_empty() {
            self.ranker.prepare(&self.spec, rows)?;
        } else {
            let metrics = Metrics::new(&self.spec, &env_of_rows)?;
            let items = schema(&self.spec, rows, &metrics)?;
            self.ranker.prepare(&self.spec, &items)?;
            self.having = condition("having", &self.spec.having, &env(&items)?)?;
            self.metrics = Some(metrics);
        }
        self.schema = Some(rows.clone());
        Ok(())
    }

    /// The rows that count and have an item.
    fn eligible(&mut self, batch: &RecordBatch) -> Result<RecordBatch, BoardError> {
        self.report.rows += batch.num_rows() as u64;
        let mut chosen = all_rows(batch)?;
        if let Some(eligibility) = &self.eligibility {
            let flags = eligibility.flags(batch, &mut self.faults)?;
            chosen.retain(|row| flags.is_valid(*row as usize) && flags.value(*row as usize));
            self.report.not_eligible += (batch.num_rows() - chosen.len()) as u64;
        }
        let valid = self.item.valid(batch)?;
        let eligible = chosen.len();
        chosen.retain(|row| valid.get(*row as usize) == Some(&true));
        self.report.without_item += (eligible - chosen.len()) as u64;
        taken(batch, &chosen)
    }
}

fn all_rows(batch: &RecordBatch) -> Result<Vec<u32>, BoardError> {
    Ok((0..u32::try_from(batch.num_rows()).map_err(|_| BoardError::TooMany { what: "rows in a batch" })?)
        .collect())
}

/// Batches of a stream have one schema; a column may be packed as a dictionary in one and plain in another.
fn same_types(known: &SchemaRef, found: &SchemaRef) -> Result<(), BoardError> {
    use arrow_schema::DataType;

    let plain = |data_type: &DataType| match data_type {
        DataType::Dictionary(_, values) => (**values).clone(),
        other => other.clone(),
    };
    for field in known.fields() {
        let name = field.name();
        let missing = || comptoir_types::Error::ColumnMissing {
            column: name.clone(),
            hint: ": batches before had it".to_owned(),
        };
        let other = found.field_with_name(name).map_err(|_| missing())?;
        let (expected, found) = (plain(field.data_type()), plain(other.data_type()));
        if expected != found {
            let [expected, found] =
                [expected, found].map(|data_type| comptoir_types::arrow::type_name(&data_type));
            return Err(BoardError::SchemaChange { column: name.clone(), expected, found });
        }
    }
    Ok(())
}
