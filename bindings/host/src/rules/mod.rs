//! Rules: expressions and rule sets, on one event or on tables.

mod ahead;
mod batch;
mod conform;
mod environment;
mod program;
mod rule_set;
mod set_batch;

pub use ahead::{Given, cost, patterns};
pub use batch::{Faulty, RowFaults, columns, eval, select};
pub use conform::{conform, conform_json};
pub use program::CompiledProgram;
pub use rule_set::{CompiledSet, LiveSet};
pub use set_batch::{decide_set, select_set};
