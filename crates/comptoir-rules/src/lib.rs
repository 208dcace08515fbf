//! Rules in CEL, the Common Expression Language: typed, free of side effects, and always ending.
//!
//! An [`Env`] says what expressions may refer to. [`Env::compile`] parses an expression, checks its types and makes a
//! [`Program`]: an intermediate form in which names are slots, constants are folded and regular expressions compiled.
//! A program is evaluated for one input by [`Program::eval`] and its kin, within a budget of work.
//!
//! ```
//! use comptoir_rules::{Env, Type, Value, Variables};
//!
//! let env = Env::builder()
//!     .variable("amount", Type::Decimal)
//!     .variable("floor", Type::Decimal)
//!     .build()?;
//! let below = env.compile("amount < floor * decimal('0.9')")?;
//! let event = Variables::new()
//!     .with("amount", Value::Decimal(comptoir_rules::DecimalValue::parse("8.99")?))
//!     .with("floor", Value::Decimal(comptoir_rules::DecimalValue::parse("10.00")?));
//! assert!(matches!(below.eval(&event), Ok(Value::Bool(true))));
//!
//! let faults = env.compile("amout < 1").unwrap_err();
//! assert_eq!(faults.to_string(), "1:1: undeclared name `amout` (did you mean `amount`?)");
//! # Ok::<(), comptoir_rules::Error>(())
//! ```
#![forbid(unsafe_code)]

mod check;
#[cfg(feature = "arrow")]
pub mod columnar;
pub mod cost;
mod error;
pub mod eval;
mod functions;
pub mod host;
pub mod ir;
mod json_text;
mod limits;
mod partial;
mod program;
pub mod rollout;
pub mod rule_set;
pub mod syntax;
pub mod types;
pub mod value;

#[cfg(feature = "arrow")]
pub use columnar::{BatchResult, BoundRows, ColumnFunction, Faults, RowFault, Selection};
pub use cost::{Bounds, SizeHints};
pub use error::Error;
pub use eval::{AttributePattern, Meter, PatternError};
pub use host::{Activation, Variables};
pub use json_text::JsonError;
pub use limits::Limits;
pub use partial::Residual;
pub use program::{DEFAULT_BUDGET, Program};
pub use rule_set::{Decision, RuleSet, RuleSetError, RuleSetHandle, RuleSetSpec};
pub use types::{
    CostRule, Env, EnvBuilder, EnvError, Extension, Function, HostFunction, Overload, StructType, Type,
};
pub use value::{DecimalValue, EvalCode, EvalError, Fault, Outcome, UnknownSet, Value};
