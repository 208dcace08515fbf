//! `comptoir.rules`: expressions and rule sets.
//!
//! `env` and `function` are what expressions may refer to, `program` evaluates one expression, `batch` its results for
//! tables, `rule_set` decides with many rules. Values cross the border in `read` (from Python) and `give` (to Python);
//! `source` finds the inputs of an expression in a Python object, `input` holds them for one evaluation; `quick` is the
//! short way for plain dicts, with the pointers of `borrow`, and `call` the method that takes it. What Python code raises
//! meanwhile is kept in `raised`, and `failure` makes exceptions. `command` is the command line for authors of rules.

mod ahead;
mod batch;
mod borrow;
mod call;
mod command;
mod decision;
mod env;
pub mod failure;
mod function;
mod give;
mod input;
mod program;
mod quick;
mod raised;
mod read;
mod results;
mod rule_set;
mod shared;
mod source;
mod texts;
mod trace;

use pyo3::prelude::*;

/// Adds the classes of rules to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<env::RulesEnv>()?;
    module.add_class::<function::RulesFunction>()?;
    module.add_class::<program::RulesProgram>()?;
    module.add_class::<rule_set::RulesSet>()?;
    module.add_function(wrap_pyfunction!(command::rules_command, module)?)?;
    call::install(module.py())
}
