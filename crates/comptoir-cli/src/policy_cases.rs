//! The `tests.yaml` that stands beside policies of cel-go.

use comptoir_rules::{Env, Value, Variables};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::cases::{Case, Expect};
use crate::fault::Fault;
use crate::locate::Locator;

#[derive(Debug, Deserialize)]
struct Suite {
    section: Vec<Section>,
}

#[derive(Debug, Deserialize)]
struct Section {
    #[serde(default)]
    name: String,
    tests: Vec<Test>,
}

#[derive(Debug, Deserialize)]
struct Test {
    name: String,
    #[serde(default)]
    input: Map<String, Json>,
    output: Json,
}

/// Reads sections of tests. An input is a `value`, or an expression as `expr`; an output too, or just an expression.
///
/// # Errors
/// The first fault of its form.
pub fn read(tree: &Json, locator: &Locator) -> Result<Vec<Case>, Box<Fault>> {
    let fault = |path: &str, message: String| {
        Box::new(Fault::new("RULES_CASES", path, message).at(locator.field(path)))
    };
    let suite: Suite = serde_path_to_error::deserialize(tree)
        .map_err(|error| fault(&error.path().to_string(), error.inner().to_string()))?;
    let mut cases = Vec::new();
    for (at, section) in suite.section.into_iter().enumerate() {
        for (place, test) in section.tests.into_iter().enumerate() {
            let path = format!("section[{at}].tests[{place}]");
            let mut event = Map::new();
            for (name, input) in test.input {
                let input_path = format!("{path}.input.{name}");
                let value = value(&input).map_err(|message| fault(&input_path, message))?;
                event.insert(name, value.unwrap_or(Json::Null));
            }
            let wanted = match &test.output {
                Json::String(source) => evaluate(source),
                output => value(output),
            };
            let wanted = wanted.map_err(|message| fault(&format!("{path}.output"), message))?;
            let outputs = wanted.map(|value| ("output".to_owned(), value)).into_iter().collect();
            cases.push(Case {
                name: format!("{}/{}", section.name, test.name),
                place: locator.field(&format!("{path}.name")),
                event: Json::Object(event),
                expect: Expect { outputs: Some(outputs), ..Expect::default() },
            });
        }
    }
    Ok(cases)
}

/// `{value: 3}`, `{expr: "1 + 2"}` or a value as it is; `None` for `optional.none()`.
fn value(json: &Json) -> Result<Option<Json>, String> {
    match (json.get("expr"), json.get("value")) {
        (Some(Json::String(source)), _) => evaluate(source),
        // YAML reads `expr: 2` as the number, which is what the expression gives.
        (Some(expr @ (Json::Number(_) | Json::Bool(_))), _) => Ok(Some(expr.clone())),
        (Some(_), _) => Err("`expr` is no expression".to_owned()),
        (None, Some(value)) => Ok(Some(value.clone())),
        (None, None) => Ok(Some(json.clone())),
    }
}

fn evaluate(source: &str) -> Result<Option<Json>, String> {
    let env = Env::builder().build().map_err(|error| error.to_string())?;
    let program = env.compile(source).map_err(|error| error.to_string())?;
    match program.eval(&Variables::new()) {
        Ok(Value::Optional(None)) => Ok(None),
        Ok(value) => Ok(Some(value.to_json())),
        Err(fault) => Err(fault.to_string()),
    }
}
