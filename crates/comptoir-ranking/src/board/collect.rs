use std::sync::Arc;

use arrow_array::RecordBatch;
use comptoir_rules::value::Timestamp;

use super::error::BoardError;
use super::keys::KeyColumns;
use super::operators::{Selected, select};
use super::report::{Faults, Report};
use super::result::{BoardResult, Outcome, finish};
use super::scan::{blocks, scan};
use super::spec::{BoardSpec, Context, ScoreSpec, Step};
use super::state::{Gathered, Source, State, in_order, places};
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
    /// Whether a push has failed, so that nobody knows what was collected.
    has_failed: bool,
}

impl Board {
    /// For a spec and a context. Expressions are parsed here, and compiled when the first batch tells the types of its
    /// columns.
    ///
    /// # Errors
    /// [`BoardError::Spec`] and [`BoardError::Expression`] with the path of the field.
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
            has_failed: false,
        })
    }

    /// A collector of the same board for another thread, to be [joined](Self::join). Where rows are ranked as they come
    /// both share their groups; of events it goes on with what a thread has collected before.
    pub(super) fn fork(&mut self) -> Result<Self, BoardError> {
        if let Some(helper) = self.helpers.pop() {
            return Ok(helper);
        }
        let mut other = Self::new((*self.spec).clone(), self.context.clone())?;
        if let Some(state) = &mut self.state
            && !matches!(state.source, Source::Kept { .. })
        {
            let mut theirs = State::new(&self.spec, &self.interventions.active, &state.schema, self.now)?;
            state.share_out(&mut theirs)?;
            other.state = Some(theirs);
        }
        Ok(other)
    }

    /// Takes back a collector that was forked. Kept rows stay with it until the end: until then it is forked again.
    pub(super) fn join(&mut self, mut other: Self) -> Result<(), BoardError> {
        if let (Some(own), Some(theirs)) = (&mut self.state, &mut other.state) {
            match theirs.source {
                Source::Rows => {}
                Source::Kept { .. } => {
                    self.helpers.push(other);
                    return Ok(());
                }
                Source::Events { .. } => return own.join_events(theirs),
            }
        }
        self.take_in(other)
    }

    /// The columns whose values are read together of every row.
    pub(super) fn keys(&self) -> Vec<Vec<String>> {
        if self.spec.metrics.is_empty() {
            return vec![self.spec.group.clone()];
        }
        let distinct = self.spec.metrics.values().filter_map(|metric| metric.distinct.clone());
        distinct.map(|column| vec![column]).chain([self.spec.slot()]).collect()
    }

    /// Whether both collect metrics of the same events, and have collected the same so far.
    pub(super) fn has_events_of(&self, other: &Self) -> bool {
        let (own, theirs) = (&self.spec, &other.spec);
        let is_alike = own.group == theirs.group
            && own.item == theirs.item
            && own.time == theirs.time
            && own.eligibility == theirs.eligibility;
        !own.metrics.is_empty()
            && !theirs.metrics.is_empty()
            && is_alike
            && match (&self.state, &other.state) {
                (None, None) => self.helpers.is_empty() && other.helpers.is_empty(),
                (Some(own), Some(theirs)) => own.has_events_of(theirs),
                _ => false,
            }
    }

    /// Collects from now on what another board would, if that one has seen no rows yet.
    pub(super) fn absorb_events(&mut self, other: &mut Self) -> Result<(), BoardError> {
        match (&mut self.state, &mut other.state) {
            (Some(own), Some(theirs)) => own.absorb_events(theirs),
            _ => Ok(()),
        }
    }

    /// Leaves its events to another board of a scan.
    pub(super) fn leave_events(&mut self) {
        self.state.iter_mut().for_each(State::leave_events);
    }

    /// Holds the events of another board from now on.
    pub(super) fn take_events_of(&mut self, other: &Self) {
        if let (Some(own), Some(theirs)) = (&mut self.state, &other.state) {
            own.take_events_of(theirs);
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
    /// whose columns have other types than those before. Columns are looked at before any row is taken: after such an error
    /// the board is as it was. After any other it is of no use, and all calls give [`BoardError::PushFailed`].
    /// A row that has no value for an expression is no error; it is in the report.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<(), BoardError> {
        scan(self, std::slice::from_ref(batch), 1)
    }

    /// Adds rows; after an error some of them may have been added.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<(), BoardError> {
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

    /// Whether all that was pushed is in the board.
    ///
    /// # Errors
    /// [`BoardError::PushFailed`] after a push that has failed.
    pub const fn check_whole(&self) -> Result<(), BoardError> {
        if self.has_failed { Err(BoardError::PushFailed) } else { Ok(()) }
    }

    /// Says that what was pushed last is not all that was to be: a stream has ended in the middle. From then on
    /// [`Board::push`], [`Board::merge`] and [`Board::finish`] give [`BoardError::PushFailed`].
    pub const fn mark_failed(&mut self) {
        self.has_failed = true;
    }

    /// Adds what another collector has seen.
    ///
    /// # Errors
    /// As [`Board::check_merge`], before anything is changed.
    pub fn merge(&mut self, other: Self) -> Result<(), BoardError> {
        self.check_merge(&other)?;
        let outcome = self.take_in(other);
        self.has_failed = outcome.is_err();
        outcome
    }

    /// Whether another collector can be merged into this one.
    ///
    /// # Errors
    /// [`BoardError::OtherBoard`] unless both have the same spec, [`BoardError::OtherContext`] unless both have the same
    /// context, [`BoardError::PushFailed`] where a push to one of them has failed; for columns as [`Board::push`].
    pub fn check_merge(&self, other: &Self) -> Result<(), BoardError> {
        if self.spec != other.spec {
            return Err(BoardError::OtherBoard);
        }
        if let Some(field) = self.context.difference(&other.context) {
            return Err(BoardError::OtherContext { field });
        }
        self.check_whole()?;
        other.check_whole()?;
        if let (Some(own), Some(theirs)) = (&self.state, &other.state) {
            places(&own.schema, &theirs.schema)?;
        }
        Ok(())
    }

    /// Adds what a collector of the same board has seen.
    fn take_in(&mut self, other: Self) -> Result<(), BoardError> {
        match (&mut self.state, other.state) {
            (Some(own), Some(theirs)) => own.merge(theirs)?,
            (None, theirs) => self.state = theirs,
            (Some(_), None) => {}
        }
        self.report.merge(&other.report);
        self.faults.merge(&other.faults);
        other.helpers.into_iter().try_for_each(|helper| self.take_in(helper))
    }

    /// The board of each group.
    ///
    /// # Errors
    /// [`BoardError::Overflow`] for a metric that does not fit in its column, [`BoardError::Vectors`] for vectors of several
    /// lengths among the best; [`BoardError::Spec`] for a shown column or
    /// the column of a constraint whose type does not go; [`BoardError::PushFailed`] after a push that has failed.
    pub fn finish(mut self) -> Result<BoardResult, BoardError> {
        self.check_whole()?;
        std::mem::take(&mut self.helpers).into_iter().try_for_each(|helper| self.take_in(helper))?;
        let outcome = match self.state.take() {
            None => None,
            Some(mut state) => {
                let gathered = state.table(&mut self.report, &mut self.faults)?;
                let scored = match &gathered {
                    None => None,
                    Some(Gathered { table, chosen, groups }) => {
                        let scene = Scene { batch: table, chosen, groups };
                        Some(state.contest.enter(scene, &mut self.report, &mut self.faults)?)
                    }
                };
                let table = gathered.map(|gathered| (gathered.table, gathered.chosen));
                Some(Outcome { eligibility: state.eligibility, contest: state.contest, table, scored })
            }
        };
        finish(self.spec, self.context, &self.interventions.inactive, outcome, self.report, self.faults)
    }
}
