//! Calls of the rules core.

use comptoir::rules::value::{Duration, Timestamp};
use comptoir::rules::{DecimalValue, Value};
use comptoir_host::rules::{CompiledProgram, CompiledSet, Faulty};
use comptoir_host::{Fault, ipc};

use crate::call::one;
use crate::case::{Case, Outcome};

const NANOS: i64 = 1_000_000_000;

pub fn eval_json(case: &Case) -> Result<Outcome, Fault> {
    Ok(one("expected.json", program(case)?.eval_json(&case.bytes("event"))?))
}

pub fn test_json(case: &Case) -> Result<Outcome, Fault> {
    Ok(one("expected.txt", program(case)?.test_json(&case.bytes("event"))?.to_string()))
}

pub fn partial_json(case: &Case) -> Result<Outcome, Fault> {
    let left = program(case)?.partial_json(&case.bytes("event"), &case.text("unknown"))?;
    Ok(one("expected.json", left))
}

pub fn cost(case: &Case) -> Result<Outcome, Fault> {
    Ok(one("expected.json", program(case)?.cost(&case.text("sizes"))?))
}

pub fn slots(case: &Case) -> Result<Outcome, Fault> {
    let program = program(case)?;
    let names: Vec<_> = program.program().slots().iter().map(|slot| slot.name.to_string()).collect();
    let mut values = vec![Value::Absent; names.len()];
    for line in case.lines("slots") {
        let parts: Vec<&str> = line.splitn(3, '\t').collect();
        let [name, kind, text] = parts[..] else { panic!("{}: slot `{line}`", case.name()) };
        let place = names.iter().position(|known| known == name);
        values[place.unwrap_or_else(|| panic!("{}: no slot `{name}`", case.name()))] = value(kind, text);
    }
    Ok(one("expected.txt", program.test(&values)?.to_string()))
}

pub fn eval_table(case: &Case) -> Result<Outcome, Fault> {
    faulty(&program(case)?.eval_table(&case.table("input")?, &case.text("shared"))?)
}

pub fn select(case: &Case) -> Result<Outcome, Fault> {
    faulty(&program(case)?.select(&case.table("input")?, &case.text("shared"))?)
}

pub fn decide_json(case: &Case) -> Result<Outcome, Fault> {
    Ok(one("expected.json", set(case)?.decide_json(&case.bytes("event"))?))
}

pub fn explain_json(case: &Case) -> Result<Outcome, Fault> {
    Ok(one("expected.json", set(case)?.explain_json(&case.bytes("event"))?))
}

pub fn decide_table(case: &Case) -> Result<Outcome, Fault> {
    faulty(&set(case)?.decide_table(&case.table("input")?, &case.text("shared"))?)
}

pub fn select_set(case: &Case) -> Result<Outcome, Fault> {
    faulty(&set(case)?.select(&case.table("input")?, &case.text("shared"))?)
}

fn program(case: &Case) -> Result<CompiledProgram, Fault> {
    CompiledProgram::compile(&case.text("environment"), &case.text("source"))
}

fn set(case: &Case) -> Result<CompiledSet, Fault> {
    CompiledSet::read(&case.text("set"))
}

fn faulty(result: &Faulty) -> Result<Outcome, Fault> {
    Ok(Outcome::from([
        ("expected.arrows".to_owned(), ipc::write_bytes(&result.values)?),
        ("faults.arrows".to_owned(), ipc::write_bytes(&result.faults)?),
        ("expected.txt".to_owned(), result.fault_count.to_string().into_bytes()),
    ]))
}

fn value(kind: &str, text: &str) -> Value<'static> {
    match kind {
        "bool" => Value::Bool(text.parse().unwrap()),
        "int" => Value::Int(text.parse().unwrap()),
        "uint" => Value::Uint(text.parse().unwrap()),
        "double" => Value::Double(f64::from_bits(u64::from_str_radix(text, 16).unwrap())),
        "string" => Value::string(text),
        "decimal" => Value::Decimal(DecimalValue::parse(text).unwrap()),
        "timestamp" => {
            let nanos: i64 = text.parse().unwrap();
            let part = u32::try_from(nanos.rem_euclid(NANOS)).unwrap();
            Value::Timestamp(Timestamp::new(nanos.div_euclid(NANOS), part).unwrap())
        }
        "duration" => Value::Duration(Duration::from_nanos(text.parse().unwrap())),
        "null" => Value::Null,
        "absent" => Value::Absent,
        other => panic!("slot of type `{other}`"),
    }
}
