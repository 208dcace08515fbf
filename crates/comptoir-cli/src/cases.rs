//! Files of cases: events with what a rule set should say about them.

use comptoir_types::config::plain;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::fault::Fault;
use crate::locate::{Locator, Place};
use crate::policy_cases;
use crate::source::Source;

/// A case.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub place: Option<Place>,
    /// The event: an object with a field for each variable.
    pub event: Json,
    /// What the set should say.
    pub expect: Expect,
}

/// What a set should say about an event. What is not named is not looked at, but for faults: without `error` there may
/// be none.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// All outputs with their values. Where several rules give one, a list.
    pub outputs: Option<Map<String, Json>>,
    /// The ids of the rules that count, in their order.
    pub fired: Option<Vec<String>>,
    /// The ids of the rules in shadow mode that hold.
    pub shadow: Option<Vec<String>>,
    /// The code of a fault, such as `RULES_NO_SUCH_FIELD`.
    pub error: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseSpec {
    name: String,
    event: Map<String, Json>,
    expect: Expect,
}

/// Reads a file of cases: a list, or the `tests.yaml` of a policy.
///
/// # Errors
/// The first fault of its form.
pub fn read(source: &Source) -> Result<Vec<Case>, Box<Fault>> {
    let locator = Locator::new(&source.text);
    let tree: Json = serde_yaml_ng::from_str(&source.text).map_err(|error| {
        let place = error.location().map(|at| {
            let column = at.column().max(1);
            Place { line: at.line(), column, end_column: column + 1 }
        });
        Box::new(Fault::new("RULES_CASES", "", error.to_string()).at(place))
    })?;
    if tree.get("section").is_some() {
        return policy_cases::read(&tree, &locator);
    }
    let wrong = |error: serde_path_to_error::Error<serde_json::Error>| {
        let path = error.path().to_string();
        let place = locator.name(&path).or_else(|| locator.field(&path));
        Box::new(Fault::new("RULES_CASES", path, plain(&error.into_inner().to_string())).at(place))
    };
    let list: Vec<CaseSpec> = serde_path_to_error::deserialize(&tree).map_err(wrong)?;
    let cases: Vec<Case> =
        list.into_iter().enumerate().map(|(at, case)| placed(&locator, at, case)).collect();
    match cases.iter().enumerate().find(|(_, case)| case.expect == Expect::default()) {
        None => Ok(cases),
        Some((at, case)) => {
            let message = "a case expects at least one of `outputs`, `fired`, `shadow` and `error`";
            Err(Box::new(Fault::new("RULES_CASES", format!("[{at}].expect"), message).at(case.place)))
        }
    }
}

fn placed(locator: &Locator, at: usize, case: CaseSpec) -> Case {
    let place = locator.field(&format!("[{at}].name"));
    Case { name: case.name, place, event: Json::Object(case.event), expect: case.expect }
}
