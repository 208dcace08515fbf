use super::plan::Plan;
use crate::eval::{Inputs, Machine};
use crate::host::Activation;
use crate::ir::Slot;
use crate::value::{EvalCode, Fault, Value};

/// The rows of a batch that have no value. Why is found out row by row when it is asked for, so that many bad rows
/// cost nothing to those who do not ask.
#[derive(Debug)]
pub struct Faults<'p> {
    plan: Plan<'p>,
    rows: Vec<u64>,
    count: usize,
    is_test: bool,
}

/// A row without a value.
#[derive(Debug, Clone)]
pub struct RowFault {
    /// The number of the row in its batch.
    pub row: usize,
    /// Why it has none.
    pub fault: Fault,
}

impl RowFault {
    /// The stable code: `RULES_UNKNOWN_INPUT` for a row that depends on what is not known.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match &self.fault {
            Fault::Error(error) | Fault::Exhausted(error) => error.code.name(),
            Fault::Unknown(_) => "RULES_UNKNOWN_INPUT",
        }
    }

    /// What happened, in one line.
    #[must_use]
    pub fn message(&self) -> String {
        self.fault.to_string()
    }
}

impl<'p> Faults<'p> {
    pub(super) fn new(plan: Plan<'p>, rows: Vec<u64>, is_test: bool) -> Self {
        let count = rows.iter().map(|word| word.count_ones() as usize).sum();
        Self { plan, rows, count, is_test }
    }

    /// How many rows have no value.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether all rows have a value.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Numbers of the rows, ascending.
    pub fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        let some = self.rows.iter().enumerate().filter(|(_, word)| **word != 0);
        some.flat_map(|(index, word)| {
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| index * 64 + bit)
        })
    }

    /// The rows with their faults, each computed when it is reached: take as many as are to be shown.
    pub fn iter(&self) -> impl Iterator<Item = RowFault> + '_ {
        self.rows().map(|row| self.at(row))
    }

    /// The fault of one of the [`rows`](Self::rows).
    #[must_use]
    pub fn at(&self, row: usize) -> RowFault {
        RowFault { row, fault: self.fault(row) }
    }

    fn fault(&self, row: usize) -> Fault {
        let input = self.plan.row(row);
        let program = self.plan.program;
        let inputs = Inputs::Host(&input, program.slots());
        let machine = Machine::new(program.nodes(), program.quick(), inputs, program.budget());
        let outcome = match self.is_test {
            true => machine.run_truth(program.root()).map(|_| ()),
            false => machine.run(program.root()).map(|_| ()),
        };
        match outcome {
            Err(fault) => fault,
            Ok(()) => Fault::error(EvalCode::Range, "the value does not fit the column of the result"),
        }
    }
}

/// One row of a table as the input of an evaluation.
#[derive(Debug)]
pub(super) struct RowInput<'a> {
    plan: &'a Plan<'a>,
    row: usize,
}

impl Activation for RowInput<'_> {
    fn slot<'s>(&'s self, index: usize, _: &Slot) -> Value<'s> {
        self.plan.columns.get(index).map_or(Value::Absent, |column| column.get(self.row))
    }
}

impl Plan<'_> {
    /// A row as the input of an evaluation.
    pub(super) fn row(&self, row: usize) -> RowInput<'_> {
        RowInput { plan: self, row }
    }
}
