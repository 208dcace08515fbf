use std::cmp::Ordering;

use super::Table;
use super::cell::{Bound, Cell, Constant};
use crate::types::Type;
use crate::value::{Order, Value};

/// The values of a column, cut where its cells distinguish them: the constants of the cells, and what lies between.
///
/// The segment of the constant number `n` is `2n + 1`; what lies before it is `2n`.
pub(super) struct Column {
    input: String,
    constants: Vec<Constant>,
    /// Segments that have a value.
    is_there: Vec<bool>,
    is_ordered: bool,
}

impl Column {
    pub(super) fn new(table: &Table, column: usize) -> Self {
        let (input, ty) = table.inputs.get(column).cloned().unwrap_or((String::new(), Type::Dyn));
        let cells = table.rows.iter().filter_map(|(cells, _)| cells.get(column));
        let mut constants: Vec<Constant> = cells.clone().flat_map(constants).cloned().collect();
        if ty == Type::Bool {
            let truth = |value| Constant { value: Value::Bool(value), text: value.to_string() };
            constants.extend([truth(false), truth(true)]);
        }
        constants.sort_by(compare);
        constants.dedup_by(|left, right| compare(left, right).is_eq());
        let is_ordered = ty != Type::String || cells.into_iter().any(|cell| matches!(cell, Cell::Range(..)));
        let is_there = (0..=2 * constants.len())
            .map(|segment| match ty {
                Type::Bool => segment % 2 == 1,
                Type::Int => segment % 2 == 1 || !is_between_neighbours(&constants, segment),
                // Between texts there is one segment: any other.
                _ => segment % 2 == 1 || is_ordered || segment == 0,
            })
            .collect();
        Self { input, constants, is_there, is_ordered }
    }

    /// Which segments a cell covers; `None` where that cannot be told.
    pub(super) fn cover(&self, cell: &Cell) -> Option<Vec<bool>> {
        let place = |constant: &Constant| {
            2 * self.constants.partition_point(|other| compare(other, constant).is_lt()) + 1
        };
        let all = 0..self.is_there.len();
        let low = |bound: &Bound| place(&bound.constant) + usize::from(!bound.is_inside);
        let high = |bound: &Bound| place(&bound.constant) - usize::from(!bound.is_inside);
        Some(match cell {
            Cell::Any => self.is_there.clone(),
            Cell::OneOf(constants) => {
                let places: Vec<usize> = constants.iter().map(place).collect();
                all.map(|segment| places.contains(&segment)).collect()
            }
            Cell::Not(constant) => {
                let hole = place(constant);
                self.is_there.iter().enumerate().map(|(segment, there)| *there && segment != hole).collect()
            }
            Cell::Range(from, to) => {
                let from = from.as_ref().map_or(0, low);
                let to = to.as_ref().map_or(self.is_there.len(), high);
                let is_in = |(segment, there): (usize, &bool)| *there && from <= segment && segment <= to;
                self.is_there.iter().enumerate().map(is_in).collect()
            }
            Cell::Opaque(_) => return None,
        })
    }

    /// The segments that have values.
    pub(super) fn segments(&self) -> impl Iterator<Item = usize> {
        self.is_there.iter().enumerate().filter(|(_, there)| **there).map(|(segment, _)| segment)
    }

    /// A segment as a condition.
    pub(super) fn describe(&self, segment: usize) -> String {
        let input = &self.input;
        let at = |place: usize| self.constants.get(place).map_or("", |one| &*one.text);
        if segment % 2 == 1 {
            return format!("{input} == {}", at(segment / 2));
        }
        if !self.is_ordered {
            return format!("any other {input}");
        }
        let (before, after) = (segment.checked_sub(2).map(|place| at(place / 2)), at(segment / 2));
        match (before, after) {
            (None, "") => format!("any {input}"),
            (None, after) => format!("{input} < {after}"),
            (Some(before), "") => format!("{input} > {before}"),
            (Some(before), after) => format!("{before} < {input} < {after}"),
        }
    }
}

fn constants(cell: &Cell) -> Vec<&Constant> {
    match cell {
        Cell::Any | Cell::Opaque(_) => Vec::new(),
        Cell::OneOf(constants) => constants.iter().collect(),
        Cell::Not(constant) => vec![constant],
        Cell::Range(low, high) => low.iter().chain(high).map(|bound| &bound.constant).collect(),
    }
}

/// Whether an even segment lies between two integers that follow one another.
fn is_between_neighbours(constants: &[Constant], segment: usize) -> bool {
    let value = |place: usize| match constants.get(place)?.value {
        Value::Int(value) => Some(value),
        _ => None,
    };
    let before = (segment / 2).checked_sub(1).and_then(value);
    matches!((before, value(segment / 2)), (Some(before), Some(after)) if before.checked_add(1) == Some(after))
}

fn compare(left: &Constant, right: &Constant) -> Ordering {
    match left.value.order(&right.value) {
        Order::Is(order) => order,
        _ => left.text.cmp(&right.text),
    }
}
