//! Why an item stands where it stands, or does not stand on a board.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_schema::DataType;
use comptoir_types::arrow::text_at;
use serde_json::Value as Json;

use super::error::BoardError;
use super::explanation::{Absence, Explanation, TermExplanation};
use super::numbers::NumberKind;
use super::place::is_text;
use super::report::{Faults, GroupName};
use super::result::{BoardResult, Details};
use super::spec::ScoreSpec;
use super::terms::{Scene, Scored};
use crate::snapshot::group_text;

impl BoardResult {
    /// Why an item stands where it does, in one group or in all that are known to have it. Items and the values of groups
    /// are given as text.
    ///
    /// A board whose rows are candidates forgets those that are not among its best; [`BoardResult::explain_in`] reads the
    /// rows again.
    ///
    /// # Errors
    /// [`BoardError::Internal`] only.
    pub fn explain(
        &self,
        item: &str,
        group: Option<&[Option<&str>]>,
    ) -> Result<Vec<Explanation>, BoardError> {
        let details = &*self.details;
        let mut found = Vec::new();
        for (number, name) in details.groups.iter().enumerate() {
            if group.is_none_or(|group| is_group(name, group))
                && let Some(row) = details.kept_row(number, item)
            {
                found.push(details.of_kept(number, name, item, row)?);
            }
        }
        found.extend(details.of_all(item, group, &found)?);
        found.iter_mut().for_each(|explanation| self.tell_faults(explanation));
        if found.is_empty()
            && let Some(group) = group
        {
            let absence = if details.all.is_some() { Absence::NotFound } else { Absence::NotKept };
            found.push(details.absent(&owned(group), item, absence));
        }
        Ok(found)
    }

    /// As [`BoardResult::explain`], and reads the rows of the board to say of an item that is not known what became of it.
    ///
    /// # Errors
    /// As [`Board::push`](super::Board::push) for columns that are not those of the board.
    pub fn explain_in(
        &self,
        rows: &RecordBatch,
        item: &str,
        group: Option<&[Option<&str>]>,
    ) -> Result<Vec<Explanation>, BoardError> {
        let details = &*self.details;
        let mut found = self.explain(item, group)?;
        found
            .retain(|explanation| !matches!(explanation.absence, Some(Absence::NotFound | Absence::NotKept)));
        let places = details.places(rows, item, group)?;
        for (name, chosen) in places {
            if found.iter().all(|explanation| explanation.group != name) {
                let absence = details.verdict(rows, &chosen)?;
                found.push(details.absent(&name, item, absence));
            }
        }
        if found.is_empty()
            && let Some(group) = group
        {
            found.push(details.absent(&owned(group), item, Absence::NotFound));
        }
        Ok(found)
    }
}

fn is_group(name: &GroupName, group: &[Option<&str>]) -> bool {
    name.iter().map(Option::as_deref).eq(group.iter().copied())
}

fn owned(group: &[Option<&str>]) -> GroupName {
    group.iter().map(|value| value.map(str::to_owned)).collect()
}

impl Details {
    fn kept_row(&self, group: usize, item: &str) -> Option<usize> {
        let span = self.spans.get(group)?;
        let items = self.kept.column_by_name(&self.spec.item)?;
        (span.start..span.end).find(|row| is_text(items.as_ref(), *row, item))
    }

    /// An item that was kept.
    fn of_kept(
        &self,
        group: usize,
        name: &GroupName,
        item: &str,
        row: usize,
    ) -> Result<Explanation, BoardError> {
        let place = self.spans.get(group).filter(|span| row < span.best).map(|span| row - span.start + 1);
        let position = self.positions.get(row).copied().flatten();
        let absence = match position {
            Some(_) => None,
            None if place.is_some_and(|place| place <= self.spec.k) => {
                let by = self.displaced.get(&row).map(|by| by.to_vec()).unwrap_or_default();
                Some(Absence::Displaced { by })
            }
            None => Some(Absence::TooLow),
        };
        let mut explanation = self.filled(name, item, &self.kept, row, self.base.as_ref())?;
        explanation.position = position;
        explanation.organic_position = place;
        explanation.absence = absence;
        explanation.score = self.scores.as_ref().map(|scores| json(scores, row));
        Ok(explanation)
    }

    /// An item of a table of all candidates, in the groups in which it was not kept.
    fn of_all(
        &self,
        item: &str,
        group: Option<&[Option<&str>]>,
        kept: &[Explanation],
    ) -> Result<Vec<Explanation>, BoardError> {
        let Some((table, chosen, scored)) = &self.all else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for (name, rows) in self.places(table, item, group)? {
            let Some(row) = best(table, scored, &rows) else { continue };
            if kept.iter().any(|explanation| explanation.group == name) {
                continue;
            }
            let mut explanation = self.filled(&name, item, table, row, Some(scored))?;
            let hiding = self.hiding(table, &rows)?;
            explanation.absence = Some(if !chosen.value(row) {
                Absence::BelowFloor
            } else if !hiding.is_empty() {
                Absence::Hidden { by: hiding }
            } else if scored.kind.key(&scored.scores, row).is_none() {
                Absence::WithoutScore
            } else {
                Absence::TooLow
            });
            found.push(explanation);
        }
        Ok(found)
    }

    /// Why rows of a group with an item, of which nothing was kept, are not on the board.
    fn verdict(&self, rows: &RecordBatch, chosen: &BooleanBuffer) -> Result<Absence, BoardError> {
        let Some(judge) = &self.judge else { return Ok(Absence::NotFound) };
        let faults = &mut Faults::default();
        let eligible = match &judge.eligibility {
            Some(eligibility) => chosen & &eligibility.flags(rows, chosen, faults)?,
            None => chosen.clone(),
        };
        if eligible.count_set_bits() == 0 {
            return Ok(Absence::NotEligible);
        }
        if self.all.is_some() {
            // Its events were counted, so that it would have been found: these are other rows.
            return Ok(Absence::NotFound);
        }
        let hiding = self.hiding(rows, &eligible)?;
        if !hiding.is_empty() {
            return Ok(Absence::Hidden { by: hiding });
        }
        let scene = Scene { batch: rows, chosen: &eligible, groups: &[] };
        let scored = judge.contest.scorer.score(scene, judge.contest.now, faults)?;
        let has_score = eligible.set_indices().any(|row| scored.kind.key(&scored.scores, row).is_some());
        Ok(if has_score { Absence::TooLow } else { Absence::WithoutScore })
    }

    /// The rows of an item in each group.
    fn places(
        &self,
        rows: &RecordBatch,
        item: &str,
        group: Option<&[Option<&str>]>,
    ) -> Result<Vec<(GroupName, BooleanBuffer)>, BoardError> {
        let column = |name: &String| {
            super::compile::field(rows.schema_ref(), name)?;
            rows.column_by_name(name).ok_or_else(|| BoardError::internal(name))
        };
        let items = column(&self.spec.item)?;
        let groups = self.spec.group.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        let mut found: BTreeMap<GroupName, Vec<usize>> = BTreeMap::new();
        for row in (0..rows.num_rows()).filter(|row| is_text(items.as_ref(), *row, item)) {
            let name: GroupName = groups.iter().map(|column| group_text(column.as_ref(), row)).collect();
            if group.is_none_or(|group| is_group(&name, group)) {
                found.entry(name).or_default().push(row);
            }
        }
        let mask = |chosen: Vec<usize>| {
            let mut flags = vec![false; rows.num_rows()];
            for row in chosen {
                if let Some(flag) = flags.get_mut(row) {
                    *flag = true;
                }
            }
            BooleanBuffer::from(flags)
        };
        Ok(found.into_iter().map(|(name, chosen)| (name, mask(chosen))).collect())
    }

    fn absent(&self, group: &GroupName, item: &str, absence: Absence) -> Explanation {
        Explanation {
            board: self.spec.id.clone(),
            group: group.clone(),
            item: item.to_owned(),
            position: None,
            organic_position: None,
            absence: Some(absence),
            score: None,
            organic_score: None,
            values: BTreeMap::new(),
            terms: Vec::new(),
            ties: Vec::new(),
            boost: None,
            interventions: Vec::new(),
        }
    }

    /// What a table knows of a row.
    fn filled(
        &self,
        name: &GroupName,
        item: &str,
        table: &RecordBatch,
        row: usize,
        scored: Option<&Scored>,
    ) -> Result<Explanation, BoardError> {
        let mut explanation = self.absent(name, item, Absence::TooLow);
        let is_key = |name: &String| *name == self.spec.item || self.spec.group.contains(name);
        for (field, array) in table.schema_ref().fields().iter().zip(table.columns()) {
            if !is_key(field.name()) {
                explanation.values.insert(field.name().clone(), json(array, row));
            }
        }
        let ties = self.spec.ties.iter();
        let tie = |name: &String| Some((name.clone(), json(table.column_by_name(name)?, row)));
        explanation.ties = ties.filter_map(|key| tie(&key.by)).collect();
        if let Some(scored) = scored {
            explanation.organic_score = Some(json(&scored.scores, row));
            explanation.terms = self.terms(scored, row);
        }
        // Only this row, so that a large table is not read for one item.
        let one = table.slice(row, 1);
        let is_explained = self.judge.as_ref().is_some_and(|judge| judge.contest.is_explained(&self.spec));
        if is_explained {
            self.tell_effects(&mut explanation, &one)?;
        }
        Ok(explanation)
    }

    fn terms(&self, scored: &Scored, row: usize) -> Vec<TermExplanation> {
        let ScoreSpec::Terms(terms) = &self.spec.score else { return Vec::new() };
        let number = |values: &[f64]| values.get(row).copied().filter(|value| !value.is_nan());
        let term = |(spec, values): (&super::spec::TermSpec, &super::terms::TermValues)| {
            let normalised = number(&values.normalised);
            TermExplanation {
                name: spec.name.clone(),
                value: number(&values.value),
                normalised,
                weight: spec.weight,
                adds: normalised.map(|value| spec.weight * value),
            }
        };
        terms.iter().zip(&scored.terms).map(term).collect()
    }
}

/// Of several rows of an item the one that counts, whatever their order: the highest score, then the smallest values.
fn best(table: &RecordBatch, scored: &Scored, rows: &BooleanBuffer) -> Option<usize> {
    let score = |row: usize| scored.kind.key(&scored.scores, row);
    let texts = |row: usize| table.columns().iter().map(move |column| text_at(column.as_ref(), row));
    let mut rows = rows.set_indices();
    let first = rows.next()?;
    Some(rows.fold(first, |best, row| {
        let is_better = score(row).cmp(&score(best)).then_with(|| texts(best).cmp(texts(row)));
        if is_better.is_gt() { row } else { best }
    }))
}

/// A cell as JSON: integers and floats as numbers, truth values as they are, all else as text.
fn json(array: &ArrayRef, row: usize) -> Json {
    if array.is_null(row) {
        return Json::Null;
    }
    let float = |number: f64| serde_json::Number::from_f64(number).map(Json::Number);
    let number = match array.data_type() {
        DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Float32 => float(array.as_primitive::<Float32Type>().value(row).into()),
        DataType::Boolean => Some(Json::Bool(array.as_boolean().value(row))),
        DataType::UInt64 => {
            NumberKind::Uint.key(array, row).and_then(|key| u64::try_from(key).ok()).map(Json::from)
        }
        data_type if data_type.is_integer() => {
            text_at(array.as_ref(), row).and_then(|text| text.parse::<i64>().ok()).map(Json::from)
        }
        _ => None,
    };
    number.unwrap_or_else(|| text_at(array.as_ref(), row).map_or(Json::Null, Json::String))
}
