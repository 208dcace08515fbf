//! Functions of the host: Python callables in expressions.

use std::sync::Arc;

use comptoir::rules::types::EnvError;
use comptoir::rules::{CostRule, Error, EvalCode, EvalError, HostFunction, Overload, Type, Value};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::failure::from_error;
use super::give::to_python;
use super::raised;
use super::read::Reader;

/// A declared function; `comptoir.rules.function` makes it.
#[pyclass(module = "comptoir._native", frozen)]
pub struct RulesFunction {
    name: Arc<str>,
    overload: Overload,
    callable: Arc<Callable>,
    cost: u64,
}

#[pymethods]
impl RulesFunction {
    #[new]
    fn new(py: Python<'_>, signature: &str, implementation: Py<PyAny>, cost: u64) -> PyResult<Self> {
        let wrong =
            |message: String| from_error(py, Error::Env(EnvError { name: signature.to_owned(), message }));
        let (name, overload) = Overload::parse(signature).map_err(wrong)?;
        if has_struct(&overload.result) {
            let message =
                "a function may give plain values, lists and maps; a struct has no constructor here";
            return Err(wrong(message.to_owned()));
        }
        let callable = Callable { name: name.clone(), result: overload.result.clone(), implementation };
        Ok(Self { name, overload, callable: Arc::new(callable), cost })
    }
}

impl RulesFunction {
    /// Its name and the overload that calls it.
    pub fn overload(&self) -> (Arc<str>, Overload) {
        let overload = self.overload.clone().bind(Shared(self.callable.clone()), CostRule::Fixed(self.cost));
        (self.name.clone(), overload)
    }
}

fn has_struct(ty: &Type) -> bool {
    match ty {
        Type::Struct(_) => true,
        Type::List(inner) | Type::Nullable(inner) => has_struct(inner),
        Type::Map(entry) => has_struct(&entry.0) || has_struct(&entry.1),
        Type::Opaque(_, parameters) => parameters.iter().any(has_struct),
        _ => false,
    }
}

struct Callable {
    name: Arc<str>,
    result: Type,
    implementation: Py<PyAny>,
}

/// One callable in any number of environments.
struct Shared(Arc<Callable>);

impl HostFunction for Shared {
    fn call<'a>(&self, args: &[Value<'a>]) -> Result<Value<'a>, EvalError> {
        let called = Python::try_attach(|py| {
            self.0.call(py, args).unwrap_or_else(|raised| {
                Err(raised::error(py, &format!("function `{}`", self.0.name), raised))
            })
        });
        called.unwrap_or_else(|| Err(EvalError::new(EvalCode::Host, "the interpreter is shutting down")))
    }
}

impl Callable {
    fn call(&self, py: Python<'_>, args: &[Value<'_>]) -> PyResult<Result<Value<'static>, EvalError>> {
        let args = args.iter().map(|arg| to_python(py, arg)).collect::<PyResult<Vec<_>>>()?;
        let result = self.implementation.bind(py).call1(PyTuple::new(py, args)?)?;
        Ok(match Reader::plain().owned(&result, &self.result, 0)? {
            Value::Error(error) => {
                let message = format!("the result of function `{}`: {}", self.name, error.message);
                Err(EvalError::new(EvalCode::Host, message))
            }
            value => Ok(value),
        })
    }
}
