use arrow_array::RecordBatch;
use comptoir_types::WideDecimal;
use comptoir_types::arrow::optional_column;

use super::chunks;
use crate::columnar::{Event, Events};
use crate::host::Activation;
use crate::ir::Slot;
use crate::program::Program;
use crate::rule_set::{Diff, RuleSet, RuleSetError};
use crate::types::Type;
use crate::value::DecimalValue;

/// Rows whose decisions are held at once.
const ROWS: usize = 64 * super::CHUNK;

/// Where the amount of a row comes from.
enum Amount {
    Column(Events),
    Program(Box<Program>, Events),
}

impl RuleSet {
    /// Decides the rows of a table with both sets and compares, as [`RuleSet::diff`]: events are row numbers. `amount`
    /// is the name of a column of decimals or integers, or an expression against the environment of this set.
    ///
    /// # Errors
    /// As [`RuleSet::decide_table`] and [`RuleSet::diff`].
    pub fn diff_table(
        &self,
        new: &RuleSet,
        batch: &RecordBatch,
        shared: &dyn Activation,
        amount: Option<&str>,
    ) -> Result<Diff, RuleSetError> {
        self.diff_chunks(new, std::slice::from_ref(batch), shared, amount)
    }

    /// The same for a table in chunks of one schema, which are not joined: row numbers count on.
    ///
    /// # Errors
    /// As [`RuleSet::diff_table`].
    pub fn diff_chunks(
        &self,
        new: &RuleSet,
        batches: &[RecordBatch],
        shared: &dyn Activation,
        amount: Option<&str>,
    ) -> Result<Diff, RuleSetError> {
        let mut diff = Diff::new(self, new, 0, amount.is_some());
        for batch in batches {
            self.add_chunk(&mut diff, new, batch, shared, amount)?;
        }
        Ok(diff)
    }

    fn add_chunk(
        &self,
        diff: &mut Diff,
        new: &RuleSet,
        batch: &RecordBatch,
        shared: &dyn Activation,
        amount: Option<&str>,
    ) -> Result<(), RuleSetError> {
        let before = Events::bind(self.inputs(), self.env(), batch, shared)?;
        let after = Events::bind(new.inputs(), new.env(), batch, shared)?;
        let amount = amount.map(|source| self.amounts(source, batch, shared)).transpose()?;
        let mut start = 0;
        while start < batch.num_rows() {
            let count = ROWS.min(batch.num_rows() - start);
            let decided = chunks(count, |rows| {
                let decide = |row: usize| {
                    let row = start + row;
                    let worth = amount.as_ref().and_then(|amount| amount.at(row));
                    (worth, self.decide(&before.row(row)), new.decide(&after.row(row)))
                };
                rows.map(decide).collect::<Vec<_>>()
            });
            for (worth, old, new) in decided.into_iter().flatten() {
                diff.add(diff.events, worth, &old, &new)?;
                diff.events += 1;
            }
            start += count;
        }
        Ok(())
    }

    fn amounts(
        &self,
        source: &str,
        batch: &RecordBatch,
        shared: &dyn Activation,
    ) -> Result<Amount, RuleSetError> {
        if optional_column(batch.schema_ref(), std::slice::from_ref(batch), source)?.is_some() {
            let slot = Slot { path: vec![source.into()], name: source.into(), ty: Type::Decimal };
            return Ok(Amount::Column(Events::bind(&[slot], self.env(), batch, shared)?));
        }
        let program = self.amount(source)?;
        let events = Events::bind(program.slots(), program.env(), batch, shared)?;
        Ok(Amount::Program(Box::new(program), events))
    }
}

impl Amount {
    /// The amount of a row, if it has one.
    fn at(&self, row: usize) -> Option<WideDecimal> {
        match self {
            Self::Column(events) => {
                let event: Event<'_> = events.row(row);
                DecimalValue::of(&event.value(0)).map(DecimalValue::wide)
            }
            Self::Program(program, events) => {
                let event = events.row(row);
                DecimalValue::of(&program.eval(&event).ok()?).map(DecimalValue::wide)
            }
        }
    }
}
