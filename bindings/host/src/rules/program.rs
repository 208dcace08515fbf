use comptoir::rules::{Program, Value};

use super::batch::{self, Faulty};
use super::environment::{Environment, shared};
use crate::{Fault, Table, render};

/// A compiled expression; any number of threads may evaluate it at once.
#[derive(Debug)]
pub struct CompiledProgram(Program);

impl CompiledProgram {
    /// Compiles an expression in an environment, which is JSON text: `variables`, `types`, `container` and `budget`, each
    /// of which may be left out.
    ///
    /// # Errors
    /// An expression or a declaration that is wrong, with its place.
    pub fn compile(environment: &str, source: &str) -> Result<Self, Fault> {
        let environment = Environment::parse(environment)?;
        let program = environment.build()?.compile(source)?;
        Ok(Self(match environment.budget {
            Some(units) => program.with_budget(units),
            None => program,
        }))
    }

    /// The program: its slots, its type, and evaluation by slots.
    #[must_use]
    pub const fn program(&self) -> &Program {
        &self.0
    }

    /// The inputs and the type of the result, as JSON: `{"inputs": [{"name": "user.age", "type": "int"}], "result":
    /// "bool"}`.
    ///
    /// # Errors
    /// None is known.
    pub fn describe(&self) -> Result<String, Fault> {
        let input = |slot: &comptoir::rules::ir::Slot| serde_json::json!({"name": &*slot.name, "type": slot.ty.to_string()});
        let inputs: Vec<_> = self.0.slots().iter().map(input).collect();
        render(&serde_json::json!({"inputs": inputs, "result": self.0.result_type().to_string()}))
    }

    /// The value for an event in JSON, as JSON text.
    ///
    /// # Errors
    /// `RULES_JSON` for text that is no JSON object; the code of an evaluation without a value, with its place.
    pub fn eval_json(&self, event: &[u8]) -> Result<String, Fault> {
        let slots = self.0.slots_from_json_text(event)?;
        let outcome = self.0.eval_slots(&slots);
        let value = outcome.map_err(|fault| Fault::of_evaluation(&self.0, fault))?;
        render(&value.to_json())
    }

    /// The truth for an event in JSON.
    ///
    /// # Errors
    /// As [`CompiledProgram::eval_json`], and an expression that is not of type bool.
    pub fn test_json(&self, event: &[u8]) -> Result<bool, Fault> {
        let slots = self.0.slots_from_json_text(event)?;
        self.test(&slots)
    }

    /// The truth for the values of the slots, in their order.
    ///
    /// # Errors
    /// As [`CompiledProgram::test_json`].
    #[inline]
    pub fn test(&self, slots: &[Value<'_>]) -> Result<bool, Fault> {
        self.0.test(slots).map_err(|fault| Fault::of_evaluation(&self.0, fault))
    }

    /// The value for each row, as column `value`; `shared_variables` is a JSON object of variables without a column.
    ///
    /// # Errors
    /// A column that is missing or of a wrong type. Rows without a value are no error: they are null, and in `faults`.
    pub fn eval_table(&self, table: &Table, shared_variables: &str) -> Result<Faulty, Fault> {
        let shared = shared(self.0.env(), shared_variables)?;
        let (values, faults) = batch::eval(&self.0, table, &shared)?;
        faulty(values, faults)
    }

    /// The numbers of the rows for which the expression is true, as column `row`.
    ///
    /// # Errors
    /// As [`CompiledProgram::eval_table`].
    pub fn select(&self, table: &Table, shared_variables: &str) -> Result<Faulty, Fault> {
        let shared = shared(self.0.env(), shared_variables)?;
        let (rows, faults) = batch::select(&self.0, table, &shared)?;
        faulty(rows, faults)
    }
}

fn faulty(values: Table, faults: batch::RowFaults) -> Result<Faulty, Fault> {
    let fault_count = faults.count;
    let values = Table::new(values.schema, values.batches)?;
    Ok(Faulty { values, faults: faults.table(), fault_count })
}
