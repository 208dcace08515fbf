use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{Field, SchemaRef};

use super::compile::{Expression, env};
use super::error::BoardError;
use super::keys::KeyColumns;
use super::metrics::{Metrics, schema};
use super::numbers::NumberKind;
use super::rank::{Candidates, Ranked, Ranker, table, taken};
use super::report::{Faults, Report};
use super::scan::blocks;
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
    score: Option<(Expression, NumberKind)>,
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
            ranker: Ranker::new(&spec, &[]),
            spec,
            report: Report::default(),
            faults: Faults::default(),
            eligibility: None,
            schema: None,
            metrics: None,
            having: None,
            score: None,
        })
    }

    /// A collector of the same board that has seen nothing.
    pub(super) fn fork(&self) -> Result<Self, BoardError> {
        Self::new(self.spec.clone())
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
        blocks(batch).try_for_each(|block| self.push_block(&block))
    }

    fn push_block(&mut self, batch: &RecordBatch) -> Result<(), BoardError> {
        let eligible = self.eligible(batch)?;
        match &mut self.metrics {
            Some(metrics) => {
                let rows: Vec<u32> = eligible.set_indices_u32().collect();
                metrics.push(&taken(batch, &rows)?, &mut self.faults)
            }
            None => self.rank(batch, &eligible),
        }
    }

    fn rank(&mut self, batch: &RecordBatch, chosen: &BooleanBuffer) -> Result<(), BoardError> {
        let Some((score, kind)) = &self.score else {
            return Err(BoardError::internal("a score that was not compiled"));
        };
        let scores = score.numbers(*kind, batch, chosen, &mut self.faults)?;
        let candidates = Candidates { batch, chosen, wanted: None, kind: *kind, scores, carried: Vec::new() };
        self.ranker.push(&candidates, &mut self.report)
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
            self.score = other.score;
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
            let all = BooleanBuffer::new_set(items.num_rows());
            let chosen = match &self.having {
                Some(having) => having.flags(&items, &all, &mut self.faults)?,
                None => all,
            };
            self.report.below_floor += (items.num_rows() - chosen.count_set_bits()) as u64;
            self.rank(&items, &chosen)?;
        }
        let ranked = self.ranker.finish()?;
        let table = shown(&ranked, self.spec.k, &mut self.report)?;
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
            self.score = Some(Expression::number(&env(rows)?, "score", &self.spec.score)?);
        } else {
            let metrics = Metrics::new(&self.spec, &env_of_rows)?;
            let items = schema(&self.spec, rows, &metrics)?;
            self.score = Some(Expression::number(&env(&items)?, "score", &self.spec.score)?);
            self.having = condition("having", &self.spec.having, &env(&items)?)?;
            self.metrics = Some(metrics);
        }
        self.schema = Some(rows.clone());
        Ok(())
    }

    /// The rows that count and have an item.
    fn eligible(&mut self, batch: &RecordBatch) -> Result<BooleanBuffer, BoardError> {
        let rows = batch.num_rows();
        self.report.rows += rows as u64;
        let all = BooleanBuffer::new_set(rows);
        let eligible = match &self.eligibility {
            Some(eligibility) => eligibility.flags(batch, &all, &mut self.faults)?,
            None => all,
        };
        self.report.not_eligible += (rows - eligible.count_set_bits()) as u64;
        let Some(valid) = self.item.valid(batch)? else { return Ok(eligible) };
        let with_item = &eligible & &valid;
        self.report.without_item += (eligible.count_set_bits() - with_item.count_set_bits()) as u64;
        Ok(with_item)
    }
}

/// The first k of each group, with their positions.
fn shown(ranked: &Ranked, k: usize, report: &mut Report) -> Result<RecordBatch, BoardError> {
    let (mut groups, mut rows, mut positions) = (Vec::new(), Vec::new(), Vec::new());
    let score = ranked.kept.column_by_name("score");
    let kind = score.and_then(|score| NumberKind::of(score.data_type()));
    for (group, span) in (0_u32..).zip(&ranked.spans) {
        let end = (span.start + k).min(span.best);
        if end < span.best
            && let (Some(score), Some(kind)) = (score, kind)
            && kind.key(score, end - 1) == kind.key(score, end)
        {
            report.cut_ties.push(rows.len() as u64);
        }
        for (row, position) in (span.start..end).zip(1_u32..) {
            groups.push(group);
            rows.push(u32::try_from(row).map_err(BoardError::internal)?);
            positions.push(position);
        }
    }
    let count = rows.len();
    let (groups, kept) = (taken(&ranked.groups, &groups)?, taken(&ranked.kept, &rows)?);
    let columns = |batch: &RecordBatch| -> Vec<(Field, ArrayRef)> {
        let fields = batch.schema_ref().fields().iter();
        fields.map(|field| (**field).clone()).zip(batch.columns().iter().cloned()).collect()
    };
    let mut all = columns(&groups);
    let mut kept = columns(&kept).into_iter();
    all.extend(kept.next());
    let positions: ArrayRef = Arc::new(UInt32Array::from(positions));
    all.push((Field::new("position", positions.data_type().clone(), false), positions));
    all.extend(kept);
    table(all, count)
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
