//! What expressions may refer to.

use comptoir::rules::types::EnvError;
use comptoir::rules::{Env, EnvBuilder, Error, StructType, Type};
use pyo3::prelude::*;

use super::failure::from_error;
use super::function::RulesFunction;
use super::program::RulesProgram;
use crate::arrow::import_schema;
use crate::enter::{attached, enter_with};

/// An environment; `comptoir.rules.Env` is its public face.
#[pyclass(module = "comptoir._native", frozen)]
pub struct RulesEnv {
    env: Env,
    budget: Option<u64>,
}

/// Names with the text of their types.
type Declared = Vec<(String, String)>;

#[pymethods]
impl RulesEnv {
    /// `origin` is what declarations are derived from: `arrow`, `json_example` or `json_schema` and the object or text.
    #[new]
    #[pyo3(signature = (variables, types, functions, container, budget, origin=None))]
    fn new(
        py: Python<'_>,
        variables: Declared,
        types: Vec<(String, Declared)>,
        functions: Vec<PyRef<'_, RulesFunction>>,
        container: Option<String>,
        budget: Option<u64>,
        origin: Option<(String, Bound<'_, PyAny>)>,
    ) -> PyResult<Self> {
        attached(py, || {
            let mut builder = match origin {
                Some((kind, origin)) => derived(&kind, &origin)?,
                None => Env::builder(),
            };
            for (name, fields) in types {
                builder = builder.structure(structure(py, name, fields)?);
            }
            for (name, ty) in variables {
                builder = builder.variable_of(&name, &ty);
            }
            builder = with_functions(builder, &functions).container(container.unwrap_or_default());
            let env = builder.build().map_err(|error| from_error(py, error.into()))?;
            Ok(Self { env, budget })
        })
    }

    /// Names and types of the variables, by name.
    fn variables(&self) -> Declared {
        let mut all: Declared =
            self.env.variables().map(|(name, ty)| (name.to_owned(), ty.to_string())).collect();
        all.sort_unstable();
        all
    }

    /// Compiles an expression.
    fn compile(&self, py: Python<'_>, source: &str) -> PyResult<RulesProgram> {
        let compiled = enter_with(py, || self.env.compile(source), from_error)?;
        let compiled = match self.budget {
            Some(units) => compiled.with_budget(units),
            None => compiled,
        };
        Ok(RulesProgram::new(py, compiled))
    }
}

/// The builder with functions of the host.
pub fn with_functions(builder: EnvBuilder, functions: &[PyRef<'_, RulesFunction>]) -> EnvBuilder {
    functions.iter().fold(builder, |builder, function| {
        let (name, overload) = function.overload();
        builder.function(name, overload)
    })
}

fn structure(py: Python<'_>, name: String, fields: Declared) -> PyResult<StructType> {
    let field = |(field, ty): (String, String)| match Type::parse(&ty) {
        Ok(ty) => Ok((field, ty)),
        Err(message) => {
            Err(from_error(py, Error::Env(EnvError { name: format!("{name}.{field}"), message })))
        }
    };
    let fields = fields.into_iter().map(field).collect::<PyResult<Vec<_>>>()?;
    Ok(StructType::new(name, fields))
}

fn derived(kind: &str, origin: &Bound<'_, PyAny>) -> PyResult<EnvBuilder> {
    if kind == "arrow" {
        return Ok(Env::builder().arrow_schema(&*import_schema(origin)?));
    }
    let json = serde_json::from_str(origin.extract()?).map_err(|error| {
        let error = EnvError { name: kind.to_owned(), message: error.to_string() };
        from_error(origin.py(), error.into())
    })?;
    Ok(match kind {
        "json_schema" => Env::builder().json_schema(&json),
        _ => Env::builder().json_example(&json),
    })
}
