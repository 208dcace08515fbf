//! Variables that are the same for all rows of a table.

use comptoir::rules::{Env, EvalCode, EvalError, Fault, Value, Variables};
use comptoir::types::ErrorKind;
use comptoir_host::Fault as HostFault;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::read::Reader;
use crate::errors::rule_exception;

/// The keywords of a call as variables of their declared types.
///
/// # Errors
/// A name that is not declared, an object that is not of the declared type, and what Python code raises on the way.
pub fn shared(env: &Env, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Variables<'static>> {
    let mut variables = Variables::new();
    let Some(keywords) = keywords else { return Ok(variables) };
    let py = keywords.py();
    for (name, object) in keywords.iter() {
        let name: String = name.extract()?;
        let refuse =
            |kind, code, message| rule_exception(py, &HostFault::new(kind, code, message).at(&*name));
        let Some(ty) = env.variable(&name) else {
            let code = EvalCode::UnknownName.name();
            return Err(refuse(ErrorKind::Config, code, format!("variable `{name}` is not declared")));
        };
        let value = Reader::new(env).owned(&object, ty, 0)?;
        if let Value::Error(error) = &value {
            let message = format!("variable `{name}`: {}", error.message);
            return Err(refuse(ErrorKind::Data, error.code.name(), message));
        }
        variables = variables.with(name, value);
    }
    Ok(variables)
}

/// The stable code of a fault.
pub fn code(fault: &Fault) -> &'static str {
    match fault {
        Fault::Error(error) | Fault::Exhausted(error) => error.code.name(),
        Fault::Unknown(_) => "RULES_UNKNOWN_INPUT",
    }
}

/// The error of a fault, if it is one.
pub fn error_of(fault: &Fault) -> Option<&EvalError> {
    match fault {
        Fault::Error(error) | Fault::Exhausted(error) => Some(error),
        Fault::Unknown(_) => None,
    }
}
