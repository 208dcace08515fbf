use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow_buffer::BooleanBuffer;
use arrow_schema::Field;

use super::compile::Expression;
use super::contest::{Contest, all};
use super::error::BoardError;
use super::numbers::NumberKind;
use super::place::{Displaced, Placer, group_names, report_unused};
use super::rank::{Ranked, Ranker, Span, table, taken};
use super::report::{Faults, GroupName, InterventionReport, Report};
use super::scope::Reason;
use super::shown::shown;
use super::spec::{BoardSpec, Context};
use super::terms::{Scene, Scored, TermValues};

/// A finished board.
#[derive(Debug, Clone)]
pub struct BoardResult {
    /// The columns of the group, the item, `position` (from 1 in each group), `score`, and what the spec shows beside;
    /// groups in the order of their values, null last. Without any batch there are no columns of group and item, since
    /// their types are not known.
    pub table: RecordBatch,
    /// What became of the rows, and what could not be done.
    pub report: Report,
    pub(super) details: Arc<Details>,
}

/// What explanations are made of.
#[derive(Debug)]
pub(super) struct Details {
    pub spec: Arc<BoardSpec>,
    pub context: Context,
    pub judge: Option<Judge>,
    pub groups: Vec<GroupName>,
    pub spans: Vec<Span>,
    /// The kept candidates: group columns, the item, and what else is known of them.
    pub kept: RecordBatch,
    /// Scores of kept candidates, after boosts.
    pub scores: Option<ArrayRef>,
    /// Before boosts, with the terms; where it was made again.
    pub base: Option<Scored>,
    /// The place on the board of each kept candidate.
    pub positions: Vec<Option<u32>>,
    /// Why rows that stand high enough have no place.
    pub displaced: Displaced,
    /// The table of all candidates and those of them that may stand on the board, where it was made.
    pub all: Option<(RecordBatch, BooleanBuffer, Scored)>,
}

/// What decides on rows.
#[derive(Debug)]
pub(super) struct Judge {
    pub eligibility: Option<Expression>,
    pub contest: Contest,
}

/// What was collected.
pub(super) struct Outcome {
    pub eligibility: Option<Expression>,
    pub contest: Contest,
    pub table: Option<(RecordBatch, BooleanBuffer)>,
    pub scored: Option<Scored>,
}

impl BoardResult {
    /// What the board is.
    #[must_use]
    pub fn spec(&self) -> &BoardSpec {
        &self.details.spec
    }

    /// For whom and for when it was made.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.details.context
    }
}

/// Places what was collected.
pub(super) fn finish(
    spec: Arc<BoardSpec>,
    context: Context,
    inactive: &[(String, Reason)],
    outcome: Option<Outcome>,
    mut report: Report,
    mut faults: Faults,
) -> Result<BoardResult, BoardError> {
    report.interventions = interventions(&spec, inactive, outcome.as_ref());
    let Some(outcome) = outcome else {
        let counts = |id: &String| inactive.iter().all(|(other, _)| other != id);
        let pins = spec.interventions.iter().filter(|pin| pin.pin.is_some() && counts(&pin.id));
        pins.for_each(|pin| report_unused(pin, &mut report));
        report.faults = faults.found;
        let details = Details::of_nothing(spec, context)?;
        return Ok(BoardResult { table: details.kept.clone(), report, details: Arc::new(details) });
    };
    let (table, details) = placed(spec, context, outcome, &mut report, &mut faults)?;
    report.faults = faults.found;
    Ok(BoardResult { table, report, details: Arc::new(details) })
}

fn placed(
    spec: Arc<BoardSpec>,
    context: Context,
    mut outcome: Outcome,
    report: &mut Report,
    faults: &mut Faults,
) -> Result<(RecordBatch, Details), BoardError> {
    let ranker = std::mem::replace(&mut outcome.contest.ranker, Ranker::new(&spec, &[]));
    let ranked = ranker.finish()?;
    let (kept, base) = kept(&spec, &ranked, &outcome)?;
    let groups = group_names(&ranked.groups);
    cut_ties(&spec, &ranked, &groups, report);
    let (boards, displaced) = boards(&spec, &ranked, &outcome.contest, &kept, &groups, report, faults)?;
    let table = shown(&spec, &ranked, &kept, base.as_ref(), &boards)?;
    let mut positions = vec![None; kept.num_rows()];
    for (row, position) in boards.iter().flat_map(|board| board.iter().zip(1_u32..)) {
        if let Some(place) = positions.get_mut(*row) {
            *place = Some(position);
        }
    }
    let details = Details {
        spec,
        context,
        groups,
        spans: ranked.spans,
        kept,
        scores: ranked.scores,
        base,
        positions,
        displaced,
        all: outcome.table.zip(outcome.scored).map(|((table, chosen), scored)| (table, chosen, scored)),
        judge: Some(Judge { eligibility: outcome.eligibility, contest: outcome.contest }),
    };
    Ok((table, details))
}

impl Details {
    /// Of a board that has seen no batch.
    fn of_nothing(spec: Arc<BoardSpec>, context: Context) -> Result<Self, BoardError> {
        Ok(Self {
            spec,
            context,
            judge: None,
            groups: Vec::new(),
            spans: Vec::new(),
            kept: table(Vec::new(), 0)?,
            scores: None,
            base: None,
            positions: Vec::new(),
            displaced: Displaced::new(),
            all: None,
        })
    }
}

/// What became of each intervention, in the order of the spec.
fn interventions(
    spec: &BoardSpec,
    inactive: &[(String, Reason)],
    outcome: Option<&Outcome>,
) -> Vec<InterventionReport> {
    let report = |id: &String| {
        let reason = inactive.iter().find(|(other, _)| other == id).map(|(_, reason)| reason.clone());
        let operators = outcome.map(|outcome| &outcome.contest.operators);
        let touched = operators.and_then(|operators| {
            let place = operators.active().iter().position(|operator| operator.spec.id == *id)?;
            operators.touched().get(place).copied()
        });
        InterventionReport { id: id.clone(), reason, candidates: touched.unwrap_or(0) }
    };
    spec.interventions.iter().map(|intervention| report(&intervention.id)).collect()
}

/// The kept candidates with all that is known of them, and their scores before boosts with the terms.
fn kept(
    spec: &BoardSpec,
    ranked: &Ranked,
    outcome: &Outcome,
) -> Result<(RecordBatch, Option<Scored>), BoardError> {
    if let Some((candidates, _)) = &outcome.table {
        let Some(rows) =
            ranked.kept.column_by_name("row").and_then(|rows| rows.as_primitive_opt::<UInt32Type>())
        else {
            return Ok((candidates.slice(0, 0), None));
        };
        let kept = arrow_select::take::take_record_batch(candidates, rows).map_err(BoardError::internal)?;
        return Ok((kept, outcome.scored.as_ref().map(|scored| some(scored, rows)).transpose()?));
    }
    let groups: Vec<u32> = group_of_rows(&ranked.spans);
    let groups = taken(&ranked.groups, &groups)?;
    let mut columns = columns_of(&groups);
    columns.extend(columns_of(&ranked.kept));
    let kept = table(columns, ranked.kept.num_rows())?;
    if !outcome.contest.is_explained(spec) {
        return Ok((kept, None));
    }
    let chosen = all(&kept);
    let scene = Scene { batch: &kept, chosen: &chosen, groups: &[] };
    // What had no value then has none now and was counted.
    let contest = &outcome.contest;
    let base = contest.scorer.score(scene, contest.now, &mut Faults::default())?;
    Ok((kept, Some(base)))
}

fn group_of_rows(spans: &[Span]) -> Vec<u32> {
    (0_u32..).zip(spans).flat_map(|(group, span)| std::iter::repeat_n(group, span.end - span.start)).collect()
}

/// Some rows of scores.
fn some(scored: &Scored, rows: &UInt32Array) -> Result<Scored, BoardError> {
    let scores = arrow_select::take::take(&scored.scores, rows, None).map_err(BoardError::internal)?;
    let pick = |values: &[f64]| {
        rows.values().iter().map(|row| values.get(*row as usize).copied().unwrap_or(f64::NAN)).collect()
    };
    let terms = scored
        .terms
        .iter()
        .map(|term| TermValues { value: pick(&term.value), normalised: pick(&term.normalised) });
    Ok(Scored { kind: scored.kind, scores, terms: terms.collect() })
}

/// Reports the groups in which the cut falls between equal scores.
fn cut_ties(spec: &BoardSpec, ranked: &Ranked, names: &[GroupName], report: &mut Report) {
    for (span, name) in ranked.spans.iter().zip(names) {
        let next = span.start + spec.k;
        if next < span.best && ranked.tied.value(next) {
            report.cut_ties.push(name.clone());
        }
    }
}

/// The rows of each group in the order of their places.
fn boards(
    spec: &BoardSpec,
    ranked: &Ranked,
    contest: &Contest,
    kept: &RecordBatch,
    names: &[GroupName],
    report: &mut Report,
    faults: &mut Faults,
) -> Result<(Vec<Vec<usize>>, Displaced), BoardError> {
    if contest.layout.is_plain() && contest.operators.pins().next().is_none() {
        let board = |span: &Span| (span.start..span.best.min(span.start + spec.k)).collect();
        return Ok((ranked.spans.iter().map(board).collect(), Displaced::new()));
    }
    let scores = doubles(ranked.scores.as_ref(), kept.num_rows());
    let (layout, operators) = (&contest.layout, &contest.operators);
    let placer = Placer::new(spec, layout, operators, kept, &ranked.groups, &scores, faults)?;
    placer.report_unused(report);
    let mut displaced = Displaced::new();
    let groups = ranked.spans.iter().zip(names).enumerate();
    let place = |(group, (span, name)): (usize, (&Span, &GroupName))| {
        placer.place(group, *span, name, report, &mut displaced)
    };
    let boards = groups.map(place).collect();
    Ok((boards, displaced))
}

fn doubles(scores: Option<&ArrayRef>, rows: usize) -> Vec<f64> {
    let kind = scores.and_then(|scores| NumberKind::of(scores.data_type()));
    let double = |row: usize| Some(kind?.double(kind?.key(scores?, row)?));
    (0..rows).map(|row| double(row).unwrap_or(f64::NAN)).collect()
}

/// The columns of a batch with their fields.
pub(super) fn columns_of(batch: &RecordBatch) -> Vec<(Field, ArrayRef)> {
    let fields = batch.schema_ref().fields().iter();
    fields.map(|field| (**field).clone()).zip(batch.columns().iter().cloned()).collect()
}
