use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use comptoir_rules::value::Timestamp;

use super::compile::{Expression, env};
use super::contest::{Contest, all, group_numbers};
use super::error::BoardError;
use super::keys::{KeyColumns, unpacked};
use super::metrics::Metrics;
use super::operators::{Selected, select};
use super::rank::{table, taken};
use super::report::{Faults, Report};
use super::result::{BoardResult, Outcome, finish};
use super::scan::blocks;
use super::spec::{BoardSpec, Context, InterventionSpec, ScoreSpec, Step};
use super::terms::Scene;

/// Collects the rows of a board.
///
/// ```
/// use std::sync::Arc;
///
/// use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
/// use comptoir_ranking::board::{Board, BoardSpec, Context};
///
/// let spec = BoardSpec::from_json(r#"{
///     "id": "best sellers", "group": ["country"], "item": "code", "eligibility": "quantity > 0",
///     "metrics": {"units": {"sum": "quantity"}}, "score": "units", "k": 1
/// }"#)?;
/// let mut board = Board::new(spec, Context::default())?;
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
    spec: Arc<BoardSpec>,
    context: Context,
    now: Option<Timestamp>,
    interventions: Selected,
    report: Report,
    faults: Faults,
    item: KeyColumns,
    /// What is known since the first batch.
    state: Option<State>,
    /// Collectors of threads that will be merged in the end.
    helpers: Vec<Board>,
}

#[derive(Debug)]
struct State {
    schema: SchemaRef,
    eligibility: Option<Expression>,
    contest: Contest,
    source: Source,
}

/// Where candidates come from.
#[derive(Debug)]
enum Source {
    /// Each row is one, and is ranked as it comes.
    Rows,
    /// Each row is one, and is kept until all are known, since values are compared with those of others.
    Kept { columns: Vec<usize>, batches: Vec<RecordBatch> },
    /// Each item with its metrics is one.
    Events { metrics: Box<Metrics>, having: Option<Expression> },
}

impl Board {
    /// For a spec and a context. Expressions are compiled when the first batch tells the types of its columns.
    ///
    /// # Errors
    /// [`BoardError::Spec`] and [`BoardError::Expression`].
    pub fn new(spec: BoardSpec, context: Context) -> Result<Self, BoardError> {
        let spec = spec.checked()?;
        let now = context.moment()?;
        let reads_age = |step: &Step| step.needs_now();
        if let ScoreSpec::Terms(terms) = &spec.score
            && now.is_none()
            && let Some(place) = terms.iter().position(|term| term.normalise.iter().any(reads_age))
        {
            let path = format!("score[{place}].normalise");
            return Err(BoardError::spec(&path, "ages need `now`: say for when the board is made"));
        }
        Ok(Self {
            interventions: select(&spec, &context)?,
            item: KeyColumns::names(std::slice::from_ref(&spec.item)),
            spec: Arc::new(spec),
            context,
            now,
            report: Report::default(),
            faults: Faults::default(),
            state: None,
            helpers: Vec::new(),
        })
    }

    /// A collector of the same board for another thread, to be [joined](Self::join). Where rows are ranked as they come
    /// both share their groups.
    pub(super) fn fork(&mut self) -> Result<Self, BoardError> {
        if let Some(helper) = self.helpers.pop() {
            return Ok(helper);
        }
        let mut other = Self::new((*self.spec).clone(), self.context.clone())?;
        if let Some(state) = &mut self.state
            && let Source::Rows = state.source
        {
            let mut theirs = State::new(&self.spec, &self.interventions.active, &state.schema, self.now)?;
            state.contest.ranker.share(&mut theirs.contest.ranker)?;
            other.state = Some(theirs);
        }
        Ok(other)
    }

    /// Takes back a collector that was forked. To merge metrics takes as long as to collect them, so this waits for the
    /// end: until then the collector is forked again.
    pub(super) fn join(&mut self, other: Self) -> Result<(), BoardError> {
        match &other.state {
            Some(State { source: Source::Rows, .. }) | None => self.merge(other),
            Some(_) => {
                self.helpers.push(other);
                Ok(())
            }
        }
    }

    /// What the board is.
    #[must_use]
    pub fn spec(&self) -> &BoardSpec {
        &self.spec
    }

    /// For whom and for when it is made.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// Adds rows.
    ///
    /// # Errors
    /// At the first batch [`BoardError::Expression`] and [`BoardError::Spec`] for expressions that do not go with the
    /// columns; `TYPES_COLUMN_MISSING` and `TYPES_COLUMN_TYPE` for columns, [`BoardError::SchemaChange`] for a batch
    /// whose columns have other types than those before, [`BoardError::Overflow`]. A row that has no value for an
    /// expression is no error; it is in the report.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<(), BoardError> {
        let state = match &mut self.state {
            Some(state) => state,
            None => {
                let state = State::new(&self.spec, &self.interventions.active, batch.schema_ref(), self.now)?;
                self.state.insert(state)
            }
        };
        let batch = in_order(&state.schema, batch)?;
        for block in blocks(&batch) {
            state.push(&block, &self.item, &mut self.report, &mut self.faults)?;
        }
        Ok(())
    }

    /// Adds what another collector has seen.
    ///
    /// # Errors
    /// [`BoardError::OtherBoard`] unless both have the same spec and context; as [`Board::push`].
    pub fn merge(&mut self, other: Self) -> Result<(), BoardError> {
        if self.spec != other.spec || self.context != other.context {
            return Err(BoardError::OtherBoard);
        }
        self.report.merge(&other.report);
        self.faults.merge(other.faults);
        match (&mut self.state, other.state) {
            (Some(own), Some(theirs)) => own.merge(theirs)?,
            (None, theirs) => self.state = theirs,
            (Some(_), None) => {}
        }
        other.helpers.into_iter().try_for_each(|helper| self.merge(helper))
    }

    /// The board of each group.
    ///
    /// # Errors
    /// [`BoardError::Overflow`] for a metric that does not fit in its column; [`BoardError::Spec`] for a shown column or
    /// the column of a constraint whose type does not go.
    pub fn finish(mut self) -> Result<BoardResult, BoardError> {
        std::mem::take(&mut self.helpers).into_iter().try_for_each(|helper| self.merge(helper))?;
        let outcome = match self.state.take() {
            None => None,
            Some(mut state) => {
                let table = state.table(&self.spec, &mut self.report, &mut self.faults)?;
                let scored = match &table {
                    None => None,
                    Some((table, chosen)) => {
                        let groups = group_numbers(&self.spec, table)?;
                        let scene = Scene { batch: table, chosen, groups: &groups };
                        Some(state.contest.enter(scene, &mut self.report, &mut self.faults)?)
                    }
                };
                Some(Outcome { eligibility: state.eligibility, contest: state.contest, table, scored })
            }
        };
        finish(self.spec, self.context, &self.interventions.inactive, outcome, self.report, self.faults)
    }
}

impl State {
    /// Compiles the expressions for the columns of the first batch.
    fn new(
        spec: &BoardSpec,
        active: &[InterventionSpec],
        rows: &SchemaRef,
        now: Option<Timestamp>,
    ) -> Result<Self, BoardError> {
        let condition = |path: &str, source: &Option<String>, schema: &Schema| {
            let env = env(schema, now)?;
            source.as_deref().map(|source| Expression::condition(&env, path, source)).transpose()
        };
        let eligibility = condition("eligibility", &spec.eligibility, rows)?;
        let (contest, source) = if !spec.metrics.is_empty() {
            let metrics = Box::new(Metrics::new(spec, rows, now)?);
            let items = metrics.schema(spec, rows)?;
            let having = condition("having", &spec.having, &items)?;
            (Contest::of_table(spec, active, &items, now)?, Source::Events { metrics, having })
        } else if needs_all(spec) {
            let contest = Contest::of_table(spec, active, rows, now)?;
            let columns = contest.all_reads(spec, rows)?.into_iter().collect();
            (contest, Source::Kept { columns, batches: Vec::new() })
        } else {
            (Contest::of_rows(spec, active, rows, now)?, Source::Rows)
        };
        Ok(Self { schema: rows.clone(), eligibility, contest, source })
    }

    /// Adds rows whose columns are those of the first batch.
    fn push(
        &mut self,
        batch: &RecordBatch,
        item: &KeyColumns,
        report: &mut Report,
        faults: &mut Faults,
    ) -> Result<(), BoardError> {
        let eligible = self.eligible(batch, item, report, faults)?;
        match &mut self.source {
            Source::Events { metrics, .. } => metrics.push(batch, &eligible, faults),
            Source::Kept { columns, batches } => {
                let kept = batch.project(columns).map_err(BoardError::internal)?;
                batches.push(unpacked_batch(&only(&kept, &eligible)?)?);
                Ok(())
            }
            Source::Rows => {
                let scene = Scene { batch, chosen: &eligible, groups: &[] };
                self.contest.enter(scene, report, faults).map(|_| ())
            }
        }
    }

    /// The rows that count and have an item.
    fn eligible(
        &self,
        batch: &RecordBatch,
        item: &KeyColumns,
        report: &mut Report,
        faults: &mut Faults,
    ) -> Result<BooleanBuffer, BoardError> {
        let rows = batch.num_rows();
        report.rows += rows as u64;
        let eligible = match &self.eligibility {
            Some(eligibility) => eligibility.flags(batch, &all(batch), faults)?,
            None => all(batch),
        };
        report.not_eligible += (rows - eligible.count_set_bits()) as u64;
        let Some(valid) = item.valid(batch)? else { return Ok(eligible) };
        let with_item = &eligible & &valid;
        report.without_item += (eligible.count_set_bits() - with_item.count_set_bits()) as u64;
        Ok(with_item)
    }

    /// The candidates, where they were not ranked as they came, and which of them may stand on the board.
    fn table(
        &mut self,
        spec: &BoardSpec,
        report: &mut Report,
        faults: &mut Faults,
    ) -> Result<Option<(RecordBatch, BooleanBuffer)>, BoardError> {
        match &mut self.source {
            Source::Rows => Ok(None),
            Source::Kept { batches, columns } => {
                let batches = std::mem::take(batches);
                let schema = match batches.first() {
                    Some(batch) => batch.schema(),
                    None => Arc::new(self.schema.project(columns).map_err(BoardError::internal)?),
                };
                let table =
                    arrow_select::concat::concat_batches(&schema, &batches).map_err(BoardError::internal)?;
                let chosen = all(&table);
                Ok(Some((table, chosen)))
            }
            Source::Events { metrics, having } => {
                let table = metrics.finish(spec)?;
                let chosen = match having {
                    Some(having) => having.flags(&table, &all(&table), faults)?,
                    None => all(&table),
                };
                report.below_floor += (table.num_rows() - chosen.count_set_bits()) as u64;
                Ok(Some((table, chosen)))
            }
        }
    }

    fn merge(&mut self, other: Self) -> Result<(), BoardError> {
        places(&self.schema, &other.schema)?;
        self.contest.merge(other.contest)?;
        match (&mut self.source, other.source) {
            (Source::Events { metrics, .. }, Source::Events { metrics: theirs, .. }) => {
                metrics.merge(*theirs)
            }
            (Source::Kept { batches, .. }, Source::Kept { batches: theirs, .. }) => {
                batches.extend(theirs);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Whether a score depends on other candidates.
fn needs_all(spec: &BoardSpec) -> bool {
    match &spec.score {
        ScoreSpec::Expression(_) => false,
        ScoreSpec::Terms(terms) => terms.iter().any(|term| term.normalise.iter().any(Step::needs_all)),
    }
}

fn only(batch: &RecordBatch, chosen: &BooleanBuffer) -> Result<RecordBatch, BoardError> {
    taken(batch, &chosen.set_indices_u32().collect::<Vec<_>>())
}

/// A batch with the columns that the first one had, in their order.
fn in_order(known: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch, BoardError> {
    if Arc::ptr_eq(known, batch.schema_ref()) {
        return Ok(batch.clone());
    }
    let places = places(known, batch.schema_ref())?;
    if places.len() == batch.num_columns() && places.is_sorted() {
        return Ok(batch.clone());
    }
    batch.project(&places).map_err(BoardError::internal)
}

/// Where the columns of a schema stand in another one. A column may be packed as a dictionary in one and plain in the
/// other.
fn places(known: &SchemaRef, found: &SchemaRef) -> Result<Vec<usize>, BoardError> {
    let plain = |data_type: &DataType| match data_type {
        DataType::Dictionary(_, values) => (**values).clone(),
        other => other.clone(),
    };
    let place = |field: &arrow_schema::FieldRef| {
        let name = field.name();
        let missing = || comptoir_types::Error::ColumnMissing {
            column: name.clone(),
            hint: ": batches before had it".to_owned(),
        };
        let (place, other) = found.column_with_name(name).ok_or_else(missing)?;
        let (expected, found) = (plain(field.data_type()), plain(other.data_type()));
        if expected != found {
            let [expected, found] =
                [expected, found].map(|data_type| comptoir_types::arrow::type_name(&data_type));
            return Err(BoardError::SchemaChange { column: name.clone(), expected, found });
        }
        Ok(place)
    };
    known.fields().iter().map(place).collect()
}

/// Dictionaries become plain columns: batches may differ in how they pack them.
fn unpacked_batch(batch: &RecordBatch) -> Result<RecordBatch, BoardError> {
    let arrays = batch.columns().iter().map(unpacked).collect::<Result<Vec<_>, _>>()?;
    let fields = batch.schema_ref().fields().iter().zip(&arrays);
    let fields = fields.map(|(field, array)| Field::new(field.name(), array.data_type().clone(), true));
    let columns = fields.zip(arrays.iter().cloned()).collect();
    table(columns, batch.num_rows())
}
