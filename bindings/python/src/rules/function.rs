//! Functions of the host: Python callables in expressions, for one row or for columns.

use std::sync::Arc;

use arrow_array::ArrayRef;
use comptoir::rules::columnar::array_of;
use comptoir::rules::types::EnvError;
use comptoir::rules::{
    ColumnFunction, CostRule, Error, EvalCode, EvalError, HostFunction, Overload, Type, Value,
};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::failure::from_error;
use super::give::to_python;
use super::raised;
use super::read::Reader;
use crate::arrow::{ArrowArray, from_numpy, import_array};

/// A declared function; `comptoir.rules.function` makes it.
#[pyclass(module = "comptoir._native", frozen)]
pub struct RulesFunction {
    name: Arc<str>,
    overload: Overload,
}

#[pymethods]
impl RulesFunction {
    #[new]
    fn new(
        py: Python<'_>,
        signature: &str,
        implementation: Py<PyAny>,
        cost: u64,
        is_columnar: bool,
    ) -> PyResult<Self> {
        let wrong = |error: EnvError| from_error(py, Error::Env(error));
        let named = |message: String| wrong(EnvError { name: signature.to_owned(), message });
        let (name, overload) = Overload::parse(signature).map_err(named)?;
        if has_struct(&overload.result) {
            let message =
                "a function may give plain values, lists and maps; a struct has no constructor here";
            return Err(named(message.to_owned()));
        }
        if is_columnar && overload.params.is_empty() {
            let message = "a function over columns needs an argument: it tells the number of rows";
            return Err(named(message.to_owned()));
        }
        let callable = Callable { name: name.clone(), result: overload.result.clone(), implementation };
        let overload = if is_columnar {
            overload.bind_columns(Columns(callable), cost).map_err(wrong)?
        } else {
            overload.bind(Rows(callable), CostRule::Fixed(cost))
        };
        Ok(Self { name, overload })
    }
}

impl RulesFunction {
    /// Its name and the overload that calls it.
    pub fn overload(&self) -> (Arc<str>, Overload) {
        (self.name.clone(), self.overload.clone())
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

impl Callable {
    /// Calls what needs the interpreter; what is raised becomes an error that names the function.
    fn attached<T>(
        &self,
        call: impl FnOnce(Python<'_>) -> PyResult<Result<T, EvalError>>,
    ) -> Result<T, EvalError> {
        let called = Python::try_attach(|py| {
            call(py)
                .unwrap_or_else(|raised| Err(raised::error(py, &format!("function `{}`", self.name), raised)))
        });
        called.unwrap_or_else(|| Err(EvalError::new(EvalCode::Host, "the interpreter is shutting down")))
    }

    fn wrong(&self, what: std::fmt::Arguments<'_>) -> EvalError {
        EvalError::new(EvalCode::Host, format!("the result of function `{}`: {what}", self.name))
    }

    fn value(&self, result: &Bound<'_, PyAny>) -> PyResult<Result<Value<'static>, EvalError>> {
        Ok(match Reader::plain().owned(result, &self.result, 0)? {
            Value::Error(error) => Err(self.wrong(format_args!("{}", error.message))),
            value => Ok(value),
        })
    }

    /// An array of any library, or a list.
    fn array(&self, result: &Bound<'_, PyAny>) -> PyResult<Result<ArrayRef, EvalError>> {
        if let Some(array) = import_array(result)? {
            return Ok(Ok(array));
        }
        let mut list = result.cast::<PyList>().ok().cloned();
        if result.hasattr("dtype")? && result.hasattr("tobytes")? {
            let dimensions: usize = result.getattr("ndim")?.extract()?;
            if dimensions != 1 {
                return Ok(Err(
                    self.wrong(format_args!("expected an array of one dimension, found one of {dimensions}"))
                ));
            }
            if let Some(array) = from_numpy(result)? {
                return Ok(Ok(array));
            }
            list = result.call_method0("tolist")?.cast_into().ok();
        }
        let Some(list) = list else {
            let found = result.get_type().name()?;
            return Ok(Err(self.wrong(format_args!("expected an array or a list, found {found}"))));
        };
        let mut values = Vec::with_capacity(list.len());
        for element in list.iter() {
            match self.value(&element)? {
                Ok(value) => values.push(value),
                Err(error) => return Ok(Err(error)),
            }
        }
        let beyond = |place| self.wrong(format_args!("row {place} does not fit its column"));
        Ok(array_of(&values, &self.result).map_err(beyond))
    }
}

/// A callable for one row.
struct Rows(Callable);

impl HostFunction for Rows {
    fn call<'a>(&self, args: &[Value<'a>]) -> Result<Value<'a>, EvalError> {
        self.0.attached(|py| {
            let args = args.iter().map(|arg| to_python(py, arg)).collect::<PyResult<Vec<_>>>()?;
            self.0.value(&self.0.implementation.bind(py).call1(PyTuple::new(py, args)?)?)
        })
    }
}

/// A callable for the rows of a block.
struct Columns(Callable);

impl ColumnFunction for Columns {
    fn call(&self, args: &[ArrayRef], _: usize) -> Result<ArrayRef, EvalError> {
        self.0.attached(|py| {
            let args = args.iter().map(|arg| Bound::new(py, ArrowArray::new(arg.clone())));
            let args = PyTuple::new(py, args.collect::<PyResult<Vec<_>>>()?)?;
            self.0.array(&self.0.implementation.bind(py).call1(args)?)
        })
    }
}
