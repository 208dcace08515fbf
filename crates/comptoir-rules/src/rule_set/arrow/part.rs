use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, ListArray, RecordBatch};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, Field};
use comptoir_types::Error as ColumnError;

use super::output::{coerced, output_type};
use super::{Decisions, FaultList, TableFault};
use crate::columnar::array;
use crate::error::Error;
use crate::rule_set::decide::Decision;
use crate::rule_set::{HitPolicy, RuleSet};
use crate::types::Type;
use crate::value::{EvalCode, Fault, Value};

/// The decisions on consecutive rows, in columns.
#[derive(Debug)]
pub(super) struct Part<'s> {
    set: &'s RuleSet,
    fired: Lists,
    shadow: Lists,
    outputs: Vec<Output>,
    faults: FaultList,
}

/// A list of rules for each row.
#[derive(Debug, Default)]
struct Lists {
    rules: Vec<u32>,
    lengths: Vec<usize>,
}

/// The values of an output. Under policies by which several rules count, those of a row stand one after the other.
#[derive(Debug, Default)]
struct Output {
    values: Vec<Value<'static>>,
    /// The rule behind each value, for messages.
    rules: Vec<u32>,
    lengths: Vec<usize>,
}

impl<'s> Part<'s> {
    pub(super) fn new(set: &'s RuleSet) -> Self {
        Self {
            set,
            fired: Lists::default(),
            shadow: Lists::default(),
            outputs: set.names.iter().map(|_| Output::default()).collect(),
            faults: FaultList::default(),
        }
    }

    /// Adds the decision on the next row.
    pub(super) fn push(&mut self, row: usize, decision: &Decision<'_>) {
        self.faults.add(self.set, row, decision);
        let before: Vec<usize> = self.outputs.iter().map(|output| output.values.len()).collect();
        let fills = self.set.hit_policy() != HitPolicy::Collect;
        for (place, rule) in (1..).zip(&decision.fired) {
            for (name, value) in decision.values_of(*rule) {
                if let Some(output) = self.outputs.get_mut(name as usize) {
                    output.push(*rule, value.clone());
                }
            }
            if fills {
                for (output, before) in self.outputs.iter_mut().zip(&before) {
                    output.fill(*rule, before + place);
                }
            }
        }
        for (output, before) in self.outputs.iter_mut().zip(before) {
            if self.set.hit_policy().is_single() {
                output.fill(0, before + 1);
            }
            output.lengths.push(output.values.len() - before);
        }
        self.fired.push(&decision.fired);
        self.shadow.push(&decision.shadow);
    }

    /// Parts of consecutive rows as one.
    pub(super) fn join(set: &'s RuleSet, parts: Vec<Self>) -> Self {
        parts.into_iter().fold(Self::new(set), |mut all, part| {
            all.fired.append(part.fired);
            all.shadow.append(part.shadow);
            for (own, more) in all.outputs.iter_mut().zip(part.outputs) {
                own.values.extend(more.values);
                own.rules.extend(more.rules);
                own.lengths.extend(more.lengths);
            }
            all.faults.append(part.faults);
            all
        })
    }

    /// The table of the result.
    pub(super) fn finish(mut self, batch: &RecordBatch) -> Result<Decisions, Error> {
        let mut columns: Vec<(String, ArrayRef)> = Vec::with_capacity(self.outputs.len() + 2);
        let mut lost = Vec::new();
        for (name, output) in (0_u32..).zip(std::mem::take(&mut self.outputs)) {
            let (column, more) = output.finish(self.set, name, batch)?;
            lost.extend(more);
            columns.push((self.set.names.get(name as usize).map_or("", |name| name).to_owned(), column));
        }
        columns.push(("fired".into(), self.fired.finish(self.set)?));
        if self.set.has_shadow {
            columns.push(("shadow".into(), self.shadow.finish(self.set)?));
        }
        for (index, (name, _)) in columns.iter().enumerate() {
            let count = columns.iter().filter(|(other, _)| other == name).count();
            if columns.iter().take(index).any(|(other, _)| other == name) {
                return Err(ColumnError::ColumnAmbiguous { column: name.clone(), count }.into());
            }
        }
        lost.sort_by_key(|(row, rule)| (*row, *rule));
        for (row, rule) in lost {
            let fault = Fault::error(EvalCode::Range, "the value does not fit the column of the result");
            self.faults.push(|| TableFault::new(self.set, row, rule, &fault));
        }
        self.faults.first.sort_by_key(|fault| fault.row);
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, column)| (name, column, true)),
        )
        .map_err(|error| too_many(batch.num_rows(), &error))?;
        Ok(Decisions { batch, faults: self.faults.first, fault_count: self.faults.count })
    }
}

impl Lists {
    fn push(&mut self, rules: &[u32]) {
        self.rules.extend(rules);
        self.lengths.push(rules.len());
    }

    fn append(&mut self, other: Self) {
        self.rules.extend(other.rules);
        self.lengths.extend(other.lengths);
    }

    fn finish(self, set: &RuleSet) -> Result<ArrayRef, Error> {
        let bytes: usize = self.rules.iter().map(|rule| set.id_of(*rule).len()).sum();
        check(self.lengths.len(), bytes.max(self.rules.len()))?;
        let mut ids = StringBuilder::with_capacity(self.rules.len(), bytes);
        for rule in &self.rules {
            ids.append_value(set.id_of(*rule));
        }
        lists(Arc::new(ids.finish()), self.lengths, None)
    }
}

impl Output {
    fn push(&mut self, rule: u32, value: Value<'static>) {
        self.values.push(value);
        self.rules.push(rule);
    }

    /// Fills up with null.
    fn fill(&mut self, rule: u32, length: usize) {
        if self.values.len() < length {
            self.push(rule, Value::Null);
        }
    }

    /// The column, and the rows and rules whose value does not fit it.
    fn finish(
        mut self,
        set: &RuleSet,
        name: u32,
        batch: &RecordBatch,
    ) -> Result<(ArrayRef, Vec<(usize, u32)>), Error> {
        let ty = output_type(set, name);
        if ty != Type::Dyn {
            self.values = self.values.into_iter().map(|value| coerced(value, &ty)).collect();
        }
        check(self.lengths.len(), self.values.len())?;
        let (column, lost) = array(&self.values, &ty, set.env(), batch);
        let mut ends = self.lengths.clone();
        let mut end = 0;
        for length in &mut ends {
            end += *length;
            *length = end;
        }
        let place = |lost: usize| {
            (ends.partition_point(|end| *end <= lost), self.rules.get(lost).copied().unwrap_or(u32::MAX))
        };
        let lost = lost.into_iter().map(place).collect();
        if set.hit_policy().is_single() {
            return Ok((column, lost));
        }
        let valid: NullBuffer = self.lengths.iter().map(|length| *length > 0).collect::<Vec<_>>().into();
        Ok((lists(column, self.lengths, Some(valid))?, lost))
    }
}

fn lists(values: ArrayRef, lengths: Vec<usize>, valid: Option<NullBuffer>) -> Result<ArrayRef, Error> {
    let rows = lengths.len();
    let field = Arc::new(Field::new("item", values.data_type().clone(), true));
    let valid = valid.filter(|valid| valid.null_count() > 0);
    match ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), values, valid) {
        Ok(list) => Ok(Arc::new(list)),
        Err(error) => Err(too_many(rows, &error)),
    }
}

/// Offsets of Arrow lists and texts have 32 bits.
fn check(rows: usize, needed: usize) -> Result<(), Error> {
    const MOST: usize = i32::MAX as usize;
    if needed <= MOST {
        return Ok(());
    }
    // As many rows as would fit, if all are alike.
    let limit = u64::try_from(rows as u128 * MOST as u128 / needed as u128).unwrap_or(u64::MAX);
    Err(ColumnError::TooManyRows { rows: rows as u64, limit }.into())
}

/// Arrow refuses columns of different lengths only, which cannot be.
fn too_many(rows: usize, _: &ArrowError) -> Error {
    ColumnError::TooManyRows { rows: rows as u64, limit: u64::from(i32::MAX.unsigned_abs()) }.into()
}
