//! Runs the cases of the CEL specification in their JSON form: one object a line.

use std::collections::BTreeMap;
use std::fmt;

use comptoir_rules::types::{Env, Overload, Type};
use comptoir_rules::value::{Duration, MapBuilder, Timestamp, Value};
use comptoir_rules::{Program, Variables};
use serde::Deserialize;
use serde_json::Value as Json;

/// One case.
#[derive(Debug, Deserialize)]
pub struct Case {
    file: String,
    section: String,
    name: String,
    expr: String,
    #[serde(default)]
    container: String,
    #[serde(default)]
    type_env: Vec<Declaration>,
    #[serde(default)]
    bindings: BTreeMap<String, Json>,
    expect: Expect,
    #[serde(default)]
    flags: Vec<String>,
    #[serde(default)]
    proto_types: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Declaration {
    name: String,
    kind: String,
    #[serde(rename = "type")]
    ty: Option<String>,
    #[serde(default)]
    overloads: Vec<Form>,
}

#[derive(Debug, Deserialize)]
struct Form {
    id: String,
    params: Vec<String>,
    result: String,
    #[serde(default)]
    member: bool,
}

#[derive(Debug, Deserialize)]
struct Expect {
    kind: String,
    value: Option<Json>,
    deduced_type: Option<String>,
}

/// What came of a case.
#[derive(Debug)]
pub enum Verdict {
    Passed,
    Failed(String),
    /// With the reason, which is a rule and no name.
    Skipped(&'static str),
}

/// Counts of a file, or of all.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
}

impl Tally {
    fn add(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed(_) => self.failed += 1,
            Verdict::Skipped(_) => self.skipped += 1,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:5} passed {:4} failed {:4} skipped", self.passed, self.failed, self.skipped)
    }
}

/// The outcome of a whole text of cases.
#[derive(Debug, Default)]
pub struct Report {
    pub files: BTreeMap<String, Tally>,
    pub all: Tally,
    /// A line for each failure.
    pub failures: Vec<String>,
    /// Reasons for skipping, with how often.
    pub reasons: BTreeMap<&'static str, usize>,
}

/// Runs all cases of a text.
pub fn run(text: &str) -> Report {
    let mut report = Report::default();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let (file, place, verdict) = match serde_json::from_str::<Case>(line) {
            Ok(case) => {
                let verdict = judge(&case);
                let place = format!(
                    "{}/{}/{} (line {}): {}",
                    case.file,
                    case.section,
                    case.name,
                    number + 1,
                    case.expr
                );
                (case.file, place, verdict)
            }
            Err(error) => {
                ("?".to_owned(), format!("line {}", number + 1), Verdict::Failed(error.to_string()))
            }
        };
        report.files.entry(file).or_default().add(&verdict);
        report.all.add(&verdict);
        match verdict {
            Verdict::Failed(reason) => report.failures.push(format!("{place}\n    {reason}")),
            Verdict::Skipped(reason) => *report.reasons.entry(reason).or_default() += 1,
            Verdict::Passed => {}
        }
    }
    report
}

/// Messages other than the well-known ones need a descriptor, which this crate does not read.
fn needs_messages(case: &Case) -> bool {
    case.flags.iter().any(|flag| flag == "needs_test_protos")
        || case.proto_types.iter().any(|name| !name.starts_with("google.protobuf."))
}

fn judge(case: &Case) -> Verdict {
    if needs_messages(case) {
        return Verdict::Skipped("needs protocol buffer messages other than the well-known ones");
    }
    match attempt(case) {
        Ok(()) => Verdict::Passed,
        Err(reason) => Verdict::Failed(reason),
    }
}

fn attempt(case: &Case) -> Result<(), String> {
    let has = |flag: &str| case.flags.iter().any(|own| own == flag);
    let env = environment(case)?;
    let compiled =
        if has("disable_check") { env.compile_unchecked(&case.expr) } else { env.compile(&case.expr) };
    let program = match compiled {
        Ok(program) => program,
        Err(_) if case.expect.kind == "error" => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    if let Some(wanted) = &case.expect.deduced_type
        && program.result_type().to_string() != *wanted
    {
        return Err(format!("deduced {}, expected {wanted}", program.result_type()));
    }
    if has("check_only") { Ok(()) } else { evaluate(case, &program) }
}

fn environment(case: &Case) -> Result<Env, String> {
    let mut builder = Env::builder().container(case.container.as_str());
    for declaration in &case.type_env {
        if declaration.kind == "function" {
            for form in &declaration.overloads {
                builder = builder.function(declaration.name.as_str(), overload(form)?);
            }
        } else {
            let ty = declaration.ty.as_deref().unwrap_or("dyn");
            builder = builder.variable(declaration.name.as_str(), Type::parse(ty)?);
        }
    }
    builder.build().map_err(|error| error.to_string())
}

fn overload(form: &Form) -> Result<Overload, String> {
    let (receiver, params) = match form.params.split_first() {
        Some((first, rest)) if form.member => (format!("{first}::"), rest),
        _ => (String::new(), form.params.as_slice()),
    };
    let signature = format!("{receiver}{}({}): {}", form.id, params.join(", "), form.result);
    Overload::parse(&signature).map(|(_, overload)| overload)
}

fn evaluate(case: &Case, program: &Program) -> Result<(), String> {
    let mut variables = Variables::new();
    for (name, value) in &case.bindings {
        variables = variables.with(name.as_str(), value_of(value)?);
    }
    match (case.expect.kind.as_str(), program.eval(&variables)) {
        ("error", Err(_)) => Ok(()),
        ("error", Ok(value)) => Err(format!("expected an error, found {value:?}")),
        (_, Err(fault)) => Err(format!("{fault}")),
        (_, Ok(found)) => {
            let wanted = case.expect.value.as_ref().map_or(Ok(Value::Bool(true)), value_of)?;
            if same(&wanted, &found) { Ok(()) } else { Err(format!("expected {wanted:?}, found {found:?}")) }
        }
    }
}

/// The value that a tagged JSON value stands for.
fn value_of(json: &Json) -> Result<Value<'static>, String> {
    let text = |name: &str| json.get(name).and_then(Json::as_str).unwrap_or_default();
    let number = |name: &str| text(name).parse::<i64>().map_err(|error| error.to_string());
    let parse_error = |error: &dyn fmt::Display| format!("{json}: {error}");
    Ok(match text("t") {
        "null" => Value::Null,
        "bool" => Value::Bool(json.get("v").and_then(Json::as_bool).unwrap_or_default()),
        "int" => Value::Int(number("v")?),
        "uint" => Value::Uint(text("v").parse().map_err(|error| parse_error(&error))?),
        "double" => Value::Double(text("v").parse().map_err(|error| parse_error(&error))?),
        "string" => Value::string(text("v")),
        "bytes" => decoded(text("b64"))?,
        "type" => Value::Type(comptoir_rules::value::Str::Shared(text("v").into())),
        "duration" => {
            Value::Duration(Duration::new(number("s")?, nanos(json)).map_err(|error| parse_error(&error))?)
        }
        "timestamp" => {
            let nanos = u32::try_from(nanos(json)).unwrap_or_default();
            Value::Timestamp(Timestamp::new(number("s")?, nanos).map_err(|error| parse_error(&error))?)
        }
        "list" => Value::list(items(json).map(value_of).collect::<Result<_, _>>()?),
        "map" => {
            let mut builder = MapBuilder::default();
            for entry in items(json) {
                let part = |index: usize| {
                    entry.get(index).map_or(Err(format!("{json}: an entry is a pair")), value_of)
                };
                builder.insert(part(0)?, part(1)?).map_err(|error| parse_error(&error))?;
            }
            Value::Map(builder.finish())
        }
        other => return Err(format!("values of kind `{other}` are not known")),
    })
}

fn nanos(json: &Json) -> i32 {
    json.get("n").and_then(Json::as_i64).and_then(|nanos| i32::try_from(nanos).ok()).unwrap_or_default()
}

fn items(json: &Json) -> impl Iterator<Item = &Json> {
    json.get("v").and_then(Json::as_array).into_iter().flatten()
}

/// Base64 through the language itself, which has cases of its own for it.
fn decoded(text: &str) -> Result<Value<'static>, String> {
    let env = Env::builder().variable("x", Type::String).build().map_err(|error| error.to_string())?;
    let program = env.compile("base64.decode(x)").map_err(|error| error.to_string())?;
    let variables = Variables::new().with("x", Value::string(text));
    let value = program.eval(&variables).map_err(|error| error.to_string())?;
    Ok(value.into_owned())
}

/// Whether values are the same in type and value: unlike `==`, int is not uint, and NaN is NaN.
fn same(wanted: &Value<'_>, found: &Value<'_>) -> bool {
    match (wanted, found) {
        (Value::Double(left), Value::Double(right)) => {
            left.to_bits() == right.to_bits() || left.is_nan() && right.is_nan()
        }
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len() && left.iter().zip(right.iter()).all(|(one, two)| same(&one, &two))
        }
        (Value::Map(left), Value::Map(right)) => {
            let all: Vec<_> = right.entries();
            let has = |(key, value): &(Value<'_>, Value<'_>)| {
                all.iter().any(|(other, found)| same(key, other) && same(value, found))
            };
            left.len() == right.len() && left.entries().iter().all(has)
        }
        _ => std::mem::discriminant(wanted) == std::mem::discriminant(found) && wanted.equals(found),
    }
}
