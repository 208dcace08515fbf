use std::fmt;

use super::segments::Column;
use super::{Check, Table, TableChecks};
use crate::rule_set::error::RuleSetError;
use crate::rule_set::spec::HitPolicy;

/// What the checks of a table found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableReport {
    /// Gaps, overlaps and shadowed rows.
    pub findings: Vec<Finding>,
    /// Rows with an expression in a cell. They are taken to leave gaps and to shadow nothing.
    pub opaque: Vec<RowRef>,
    /// Whether everything was looked at: a table with many columns has more combinations than are tried.
    pub is_complete: bool,
}

/// The number of a row, from 1.
pub type RowRef = usize;

/// One thing that is wrong, or may be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Inputs that no row is for.
    Gap {
        /// The inputs, as conditions; an input that is not named may be anything.
        inputs: Vec<String>,
    },
    /// Two rows that have inputs in common.
    Overlap {
        /// The first row.
        first: RowRef,
        /// The second row.
        second: RowRef,
    },
    /// A row that the rows before leave nothing for.
    Shadowed {
        /// The row.
        row: RowRef,
        /// Rows before it that have inputs in common with it.
        by: Vec<RowRef>,
    },
}

/// Combinations of segments that are tried.
const STEPS: usize = 200_000;
/// Findings of a kind that are reported.
const MOST: usize = 20;

/// A row as the segments that it covers in each column.
type Cover = Vec<Vec<bool>>;

pub(super) fn report(table: &Table) -> TableReport {
    let columns: Vec<Column> = (0..table.inputs.len()).map(|column| Column::new(table, column)).collect();
    let covers: Vec<Option<Cover>> = table
        .rows
        .iter()
        .map(|(cells, _)| columns.iter().zip(cells).map(|(column, cell)| column.cover(cell)).collect())
        .collect();
    let rows: Vec<(RowRef, &Cover)> =
        covers.iter().enumerate().filter_map(|(row, cover)| Some((row + 1, cover.as_ref()?))).collect();
    let opaque = (1..).zip(&covers).filter(|(_, cover)| cover.is_none()).map(|(row, _)| row).collect();
    let mut search = Search { columns: &columns, steps: STEPS, gaps: Vec::new(), most: MOST };
    search.look(0, &rows, None, &mut Vec::new());
    let mut findings: Vec<Finding> = search.gaps.drain(..).map(|inputs| Finding::Gap { inputs }).collect();
    findings.extend(overlaps(&rows));
    for (place, (row, cover)) in rows.iter().enumerate() {
        let before = rows.get(..place).unwrap_or(&[]);
        let touching: Vec<(RowRef, &Cover)> =
            before.iter().filter(|(_, other)| meet(cover, other)).copied().collect();
        if touching.is_empty() {
            continue;
        }
        search.gaps.clear();
        search.most = 1;
        search.look(0, &touching, Some(cover), &mut Vec::new());
        if search.gaps.is_empty() && search.steps > 0 {
            findings
                .push(Finding::Shadowed { row: *row, by: touching.iter().map(|(row, _)| *row).collect() });
        }
    }
    TableReport { findings, opaque, is_complete: search.steps > 0 }
}

fn overlaps(rows: &[(RowRef, &Cover)]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (place, (second, cover)) in rows.iter().enumerate() {
        for (first, other) in rows.iter().take(place).filter(|(_, other)| meet(cover, other)) {
            let _ = other;
            if found.len() < MOST {
                found.push(Finding::Overlap { first: *first, second: *second });
            }
        }
    }
    found
}

/// Whether two rows have inputs in common.
fn meet(one: &Cover, two: &Cover) -> bool {
    one.iter().zip(two).all(|(one, two)| one.iter().zip(two).any(|(one, two)| *one && *two))
}

struct Search<'c> {
    columns: &'c [Column],
    /// Steps that are left.
    steps: usize,
    gaps: Vec<Vec<String>>,
    most: usize,
}

impl Search<'_> {
    /// Looks for inputs that none of the rows covers, column by column, within a row or everywhere.
    fn look(
        &mut self,
        depth: usize,
        rows: &[(RowRef, &Cover)],
        within: Option<&Cover>,
        way: &mut Vec<(usize, usize)>,
    ) {
        if self.steps == 0 || self.gaps.len() >= self.most {
            return;
        }
        self.steps -= 1;
        if rows.is_empty() {
            let describe = |(column, segment): &(usize, usize)| {
                self.columns.get(*column).map(|column| column.describe(*segment))
            };
            let gap = way.iter().filter_map(describe).collect();
            self.gaps.push(gap);
            return;
        }
        let columns = self.columns;
        let Some(column) = columns.get(depth) else { return };
        let covers = |cover: &Cover, segment: usize| {
            cover.get(depth).and_then(|segments| segments.get(segment)).copied().unwrap_or(false)
        };
        for segment in column.segments() {
            if within.is_some_and(|within| !covers(within, segment)) {
                continue;
            }
            let rest: Vec<(RowRef, &Cover)> =
                rows.iter().filter(|(_, cover)| covers(cover, segment)).copied().collect();
            way.push((depth, segment));
            self.look(depth + 1, &rest, within, way);
            way.pop();
        }
    }
}

impl TableReport {
    /// The first finding that the table does not allow.
    pub(super) fn refuse(
        &self,
        checks: TableChecks,
        policy: HitPolicy,
        path: &str,
    ) -> Result<(), RuleSetError> {
        let is_refused = |finding: &&Finding| match finding {
            Finding::Gap { .. } => checks.gaps == Check::Forbid,
            Finding::Overlap { .. } => checks.overlaps == Check::Forbid,
            // Where every row counts, none takes anything from another.
            Finding::Shadowed { .. } => checks.shadowed == Check::Forbid && policy.is_single(),
        };
        match self.findings.iter().find(is_refused) {
            None => Ok(()),
            Some(finding) => Err(RuleSetError::Table { path: path.to_owned(), message: finding.to_string() }),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { inputs } if inputs.is_empty() => formatter.write_str("there is no row"),
            Self::Gap { inputs } => write!(formatter, "no row is for {}", inputs.join(" and ")),
            Self::Overlap { first, second } => {
                write!(formatter, "rows {first} and {second} have inputs in common")
            }
            Self::Shadowed { row, by } => {
                let by: Vec<String> = by.iter().map(ToString::to_string).collect();
                write!(
                    formatter,
                    "row {row} never counts: rows before it ({}) take all it is for",
                    by.join(", ")
                )
            }
        }
    }
}
