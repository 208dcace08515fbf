//! What expressions may refer to, as JSON.

use std::collections::BTreeMap;

use comptoir::rules::host::from_json;
use comptoir::rules::types::EnvError;
use comptoir::rules::{Env, Error, StructType, Type, Value, Variables};
use comptoir::types::ErrorKind;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::{Fault, parse};

/// The environment of an expression: `{"variables": {"amount": "decimal", "user": "User"}, "types": {"User": {"age":
/// "int"}}, "container": "", "budget": 100000}`. Every field may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Environment {
    /// Variables with their types.
    pub variables: BTreeMap<String, String>,
    /// Struct types: fields with their types.
    pub types: BTreeMap<String, BTreeMap<String, String>>,
    /// The namespace in which names are looked up.
    pub container: String,
    /// Units of work of one evaluation; none: the standard budget.
    pub budget: Option<u64>,
}

impl Environment {
    /// Reads it.
    ///
    /// # Errors
    /// `HOST_JSON`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        parse("environment", text)
    }

    /// The environment for the compiler.
    ///
    /// # Errors
    /// `RULES_DECLARATION` for a name or type that cannot be, with its name.
    pub fn build(&self) -> Result<Env, Fault> {
        let mut builder = Env::builder();
        for (name, fields) in &self.types {
            let field = |(field, ty): (&String, &String)| match Type::parse(ty) {
                Ok(ty) => Ok((field.clone(), ty)),
                Err(message) => Err(Error::Env(EnvError { name: format!("{name}.{field}"), message })),
            };
            let fields = fields.iter().map(field).collect::<Result<Vec<_>, _>>()?;
            builder = builder.structure(StructType::new(name.clone(), fields));
        }
        for (name, ty) in &self.variables {
            builder = builder.variable_of(name, ty);
        }
        Ok(builder.container(self.container.clone()).build().map_err(Error::from)?)
    }
}

/// Variables that are the same for all rows of a table, from a JSON object.
///
/// # Errors
/// `RULES_UNKNOWN_NAME` for a name that is not declared, and the code of a value that is not of the declared type.
pub fn shared(env: &Env, text: &str) -> Result<Variables<'static>, Fault> {
    let given: BTreeMap<String, Json> = parse("shared", text)?;
    let mut variables = Variables::new();
    for (name, json) in given {
        let Some(ty) = env.variable(&name) else {
            let message = format!("variable `{name}` is not declared");
            let code = comptoir::rules::EvalCode::UnknownName.name();
            return Err(Fault::new(ErrorKind::Config, code, message).at(name));
        };
        let value = from_json(Some(&json), ty, env).into_owned();
        if let Value::Error(error) = &value {
            let message = format!("variable `{name}`: {}", error.message);
            return Err(Fault::new(ErrorKind::Data, error.code.name(), message).at(name));
        }
        variables = variables.with(name, value);
    }
    Ok(variables)
}
