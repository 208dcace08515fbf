//! From the best of a group to its places: diversity, constraints, pins.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::BooleanBuffer;
use comptoir_types::arrow::text_at;
use hashbrown::{HashMap, HashSet};

use super::error::BoardError;
use super::layout::{Layout, Readings};
use super::operators::{Operator, Operators, text};
use super::rank::Span;
use super::report::{EndedEarly, Faults, GroupName, Report, Unmet, UnmetReason, UnpinnedItem};
use super::spec::{BoardSpec, InterventionSpec};
use crate::arrange::{Constraint, LeftOut, Pin, PinFault, Shortfall, constrain, pin, unmet};
use crate::snapshot::group_text;

/// Places the kept candidates of all groups.
pub struct Placer<'p> {
    layout: &'p Layout,
    readings: Readings,
    pins: Vec<PinIn<'p>>,
    items: &'p ArrayRef,
    scores: &'p [f64],
    keep: usize,
}

/// A pin, and the groups in which it counts.
struct PinIn<'p> {
    operator: &'p Operator,
    position: usize,
    items: Vec<String>,
    groups: BooleanBuffer,
}

/// What is known of constraints before pins.
#[derive(Default)]
struct Told {
    /// Those that the board breaks.
    short: Vec<Shortfall>,
    left_out: Vec<LeftOut>,
}

/// For rows that stood high enough and have no place what took it.
pub type Displaced = HashMap<usize, Arc<[String]>>;

/// A row, or an item that no row of the group has.
type Slot = Result<usize, String>;

impl<'p> Placer<'p> {
    /// For what is kept of all groups. `scores` are those of the kept rows as doubles.
    pub fn new(
        spec: &BoardSpec,
        layout: &'p Layout,
        operators: &'p Operators,
        kept: &'p RecordBatch,
        groups: &RecordBatch,
        scores: &'p [f64],
        faults: &mut Faults,
    ) -> Result<Self, BoardError> {
        let mut pins = Vec::new();
        for (operator, position) in operators.pins() {
            let groups = operator.groups(groups, faults)?;
            pins.push(PinIn { operator, position, items: operator.items().collect(), groups });
        }
        let items =
            kept.column_by_name(&spec.item).ok_or_else(|| BoardError::internal("a table without items"))?;
        let readings = layout.read(kept, groups, faults)?;
        Ok(Self { layout, readings, pins, items, scores, keep: spec.k + spec.slack })
    }

    /// The rows of a group in the order of their places. What could not be done is reported.
    pub fn place(
        &self,
        group: usize,
        span: Span,
        name: &GroupName,
        report: &mut Report,
        displaced: &mut Displaced,
    ) -> Vec<usize> {
        let k = self.layout.k();
        let best: Vec<usize> = (span.start..span.best.min(span.start + self.keep)).collect();
        let order = self.layout.order(&self.readings, &best, self.scores);
        let diverse: Vec<usize> = order.iter().copied().take(k).collect();
        note(displaced, best.iter().take(k), &diverse, || vec!["diversity".to_owned()]);
        let constraints = self.layout.constraints(&self.readings, group, &order);
        let (organic, told) = match constraints.is_empty() {
            true => (diverse, Told::default()),
            false => constrained(&order, k, &constraints, name, report, displaced),
        };
        let pins: Vec<&PinIn<'_>> = self.pins.iter().filter(|pin| pin.groups.value(group)).collect();
        let board = if pins.is_empty() {
            organic
        } else {
            let board = self.pinned(organic.clone(), &pins, span, name, report);
            note(displaced, organic.iter(), &board, || self.new_pins(&pins, &board, &organic));
            board
        };
        if !constraints.is_empty() {
            self.report_unmet(&board, (group, span, name), &told, report);
        }
        board
    }

    /// The pins that bring rows to a board that it would not have.
    fn new_pins(&self, pins: &[&PinIn<'_>], board: &[usize], organic: &[usize]) -> Vec<String> {
        let new = board.iter().filter(|row| !organic.contains(row));
        let items: Vec<String> = new.filter_map(|row| text_at(self.items.as_ref(), *row)).collect();
        let brings = |pin: &&&PinIn<'_>| pin.items.iter().any(|item| items.contains(item));
        pins.iter().filter(brings).map(|pin| pin.operator.spec.id.clone()).collect()
    }

    /// Reports the constraints that a board breaks.
    fn report_unmet(
        &self,
        board: &[usize],
        (group, span, name): (usize, Span, &GroupName),
        told: &Told,
        report: &mut Report,
    ) {
        let rows: Vec<usize> = (span.start..span.end).collect();
        let constraints = self.layout.constraints(&self.readings, group, &rows);
        let local: Vec<usize> = board.iter().map(|row| row - span.start).collect();
        for shortfall in unmet(&local, &constraints) {
            let left_out = told.left_out.iter().find(|left_out| left_out.id == shortfall.id);
            let reason = match left_out {
                Some(left_out) => left_out.reason.into(),
                None if told.short.iter().any(|short| short.id == shortfall.id) => UnmetReason::TooFew,
                None => UnmetReason::Pins,
            };
            report.unmet.push(Unmet { group: name.clone(), shortfall, reason });
        }
    }

    /// Reports the pins that count in none of the groups that there are.
    pub fn report_unused(&self, report: &mut Report) {
        for pin in self.pins.iter().filter(|pin| pin.groups.count_set_bits() == 0) {
            report_unused(&pin.operator.spec, report);
        }
    }

    fn pinned(
        &self,
        organic: Vec<usize>,
        pins: &[&PinIn<'_>],
        span: Span,
        name: &GroupName,
        report: &mut Report,
    ) -> Vec<usize> {
        let named = |row: usize| Some((text_at(self.items.as_ref(), row)?, row));
        let rows: HashMap<String, usize> = (span.start..span.end).filter_map(named).collect();
        let slots = pins.iter().flat_map(|pin| {
            let position = pin.position..;
            position.zip(&pin.items).map(|(position, item)| Pin {
                id: pin.operator.spec.id.clone(),
                priority: pin.operator.spec.priority,
                item: rows.get(item).copied().ok_or_else(|| item.clone()),
                position,
            })
        });
        let slots: Vec<Pin<Slot>> = slots.collect();
        let organic: Vec<Slot> = organic.into_iter().map(Ok).collect();
        let pinned = pin(&organic, &slots, self.layout.k(), Result::is_ok);
        for unpinned in pinned.unpinned {
            let of = pins.iter().find(|pin| pin.operator.spec.id == unpinned.id);
            let item = of.and_then(|pin| pin.items.get(unpinned.position.checked_sub(pin.position)?));
            report.unpinned.push(UnpinnedItem {
                group: name.clone(),
                id: unpinned.id,
                item: item.cloned().unwrap_or_default(),
                position: unpinned.position,
                fault: unpinned.fault,
            });
        }
        pinned.board.into_iter().filter_map(Result::ok).collect()
    }
}

/// The rows of a board that meets constraints.
fn constrained(
    order: &[usize],
    k: usize,
    constraints: &[Constraint],
    name: &GroupName,
    report: &mut Report,
    displaced: &mut Displaced,
) -> (Vec<usize>, Told) {
    let arranged = constrain(order.len(), k, constraints);
    let rows: Vec<usize> = arranged.order.iter().filter_map(|place| order.get(*place).copied()).collect();
    let full = k.min(order.len());
    note(displaced, order.iter().take(k), &rows, || {
        let plain: Vec<usize> = (0..full).collect();
        unmet(&plain, constraints).into_iter().map(|broken| broken.id).collect()
    });
    if !arranged.ended_by.is_empty() {
        let (group, places) = (name.clone(), rows.len());
        report.ended_early.push(EndedEarly { group, by: arranged.ended_by, places, of: full });
    }
    (rows, Told { short: unmet(&arranged.order, constraints), left_out: arranged.left_out })
}

/// Notes the rows of a board that a step has taken off, with what did it.
fn note<'r>(
    displaced: &mut Displaced,
    before: impl Iterator<Item = &'r usize>,
    after: &[usize],
    by: impl FnOnce() -> Vec<String>,
) {
    let after: HashSet<usize> = after.iter().copied().collect();
    let gone: Vec<usize> = before.copied().filter(|row| !after.contains(row)).collect();
    if !gone.is_empty() {
        let by: Arc<[String]> = by().into();
        gone.into_iter().for_each(|row| {
            displaced.insert(row, Arc::clone(&by));
        });
    }
}

/// Reports a pin for which there is no board; it has no group.
pub fn report_unused(pin: &InterventionSpec, report: &mut Report) {
    let positions = pin.pin.unwrap_or_default()..;
    report.unpinned.extend(positions.zip(&pin.items).map(|(position, item)| UnpinnedItem {
        group: Vec::new(),
        id: pin.id.clone(),
        item: text(item),
        position,
        fault: PinFault::NotShown,
    }));
}

/// The values of the groups as text.
pub fn group_names(groups: &RecordBatch) -> Vec<GroupName> {
    let name = |row: usize| groups.columns().iter().map(|column| group_text(column.as_ref(), row)).collect();
    (0..groups.num_rows()).map(name).collect()
}

/// Whether an array has this text at a row.
pub fn is_text(array: &dyn Array, row: usize, text: &str) -> bool {
    text_at(array, row).as_deref() == Some(text)
}
