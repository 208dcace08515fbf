//! Evaluates one expression.

use std::io::Write;
use std::path::Path;

use comptoir_rules::rule_set::EnvironmentSpec;
use comptoir_rules::{Bounds, Env, EnvBuilder, StructType, Type, Value};
use serde_json::Value as Json;

use crate::compare::code;
use crate::{Failure, Status, source};

/// Writes value, type and cost of an expression, or its faults.
///
/// # Errors
/// Files that cannot be read, and those of the output.
pub fn run(
    expression: &str,
    event: Option<&Path>,
    env: Option<&Path>,
    out: &mut dyn Write,
) -> Result<Status, Failure> {
    let event = event.map(read_event).transpose()?;
    let builder = match (env, &event) {
        (Some(path), _) => declare(&source::environment(path)?)?,
        (None, Some(event)) => Env::builder().json_example(event),
        (None, None) => Env::builder(),
    };
    let env = builder.build().map_err(|error| error.to_string())?;
    let program = match env.compile(expression) {
        Ok(program) => program,
        Err(comptoir_rules::Error::Compile(diagnostics)) => {
            writeln!(out, "{}", diagnostics.render())?;
            return Ok(Status::Faults);
        }
        Err(error) => return Err(Failure::Input(error.to_string())),
    };
    let event = event.unwrap_or_else(|| Json::Object(serde_json::Map::new()));
    let slots = program.slots_from_json(&event);
    let (outcome, cost) = program.eval_slots_with_cost(&slots);
    let status = match &outcome {
        Ok(value) => {
            writeln!(out, "value  {}", shown(value))?;
            Status::Well
        }
        Err(fault) => {
            writeln!(out, "error  {fault} [{}]", code(fault))?;
            Status::Faults
        }
    };
    writeln!(out, "type   {}", program.result_type())?;
    writeln!(out, "cost   {cost} ({})", bounds(program.estimate_cost(&|_: &str| None)))?;
    Ok(status)
}

fn read_event(path: &Path) -> Result<Json, String> {
    let text = source::read_text(path)?;
    let wrong = |error: &dyn std::fmt::Display| format!("`{}` is no event: {error}", path.display());
    let event: Json = match serde_json::from_str(&text) {
        Ok(event) => event,
        Err(_) => serde_yaml_ng::from_str(&text).map_err(|error| wrong(&error))?,
    };
    if event.is_object() {
        Ok(event)
    } else {
        Err(wrong(&"expected an object with a field for each variable"))
    }
}

fn declare(environment: &EnvironmentSpec) -> Result<EnvBuilder, String> {
    let mut builder = Env::builder();
    for (name, fields) in &environment.types {
        let fields = fields.iter().map(|(field, ty)| {
            let ty = Type::parse(ty).map_err(|wrong| format!("`types.{name}.{field}`: {wrong}"))?;
            Ok((&**field, ty))
        });
        builder = builder.structure(StructType::new(&**name, fields.collect::<Result<Vec<_>, String>>()?));
    }
    for (name, ty) in &environment.variables {
        builder = builder.variable_of(name, ty);
    }
    Ok(builder)
}

fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Optional(None) => "optional.none()".to_owned(),
        // Texts of JSON would look like strings.
        Value::Decimal(value) => value.to_string(),
        Value::Timestamp(value) => value.to_string(),
        Value::Duration(value) => value.to_string(),
        value => value.to_json().to_string(),
    }
}

/// What the cost may be for any input.
fn bounds(bounds: Bounds) -> String {
    match bounds.max {
        u64::MAX => format!("at least {}, no upper bound without sizes of inputs", bounds.min),
        max if max == bounds.min => format!("always {max}"),
        max => format!("from {} to {max}", bounds.min),
    }
}
