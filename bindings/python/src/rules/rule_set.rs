//! Many rules as one.

use std::path::Path;

use comptoir::rules::rule_set::{Diff, EnvironmentSpec, Finding, OutputChange, RuleChange, TableSpec};
use comptoir::rules::{Env, RuleSet, RuleSetError, RuleSetSpec};
use comptoir::types::{WideDecimal, config};
use comptoir_host::Table;
use comptoir_host::rules::{Given, decide_set, select_set};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::batch::table;
use super::decision::{Parts, parts};
use super::env::with_functions;
use super::failure::{from_error, from_set_error};
use super::function::RulesFunction;
use super::input::Inputs;
use super::raised::Scope;
use super::shared::shared;
use super::source::{Event, Source};
use super::trace;
use crate::arrow::{ArrowTable, import_stream};
use crate::enter::{attached, enter_with};
use crate::python::Classes;

/// A compiled rule set; `comptoir.rules.RuleSet` is its public face.
#[pyclass(module = "comptoir._native", frozen)]
pub struct RulesSet {
    set: RuleSet,
    sources: Vec<Source>,
    tables: Vec<TableSpec>,
}

/// Kind, rows and text of a finding.
type TableFinding = (&'static str, Vec<usize>, String);
/// Id, findings, rows that are expressions, whether all was looked at.
type TableChecked = (String, Vec<TableFinding>, Vec<usize>, bool);
/// Reason, the rule that counts before, text, trace.
type WhyNot<'py> = (&'static str, Option<String>, String, trace::Rule<'py>);

#[pymethods]
impl RulesSet {
    /// Reads and compiles a set. `form` is `json`, `yaml` or `policy`, for which `environment` is JSON text; files of
    /// decision tables are looked for under `base`.
    #[new]
    fn new(
        py: Python<'_>,
        form: &str,
        text: &str,
        environment: Option<&str>,
        base: Option<&str>,
        functions: Vec<PyRef<'_, RulesFunction>>,
    ) -> PyResult<Self> {
        let host = with_functions(Env::builder(), &functions);
        let (set, tables) = enter_with(
            py,
            || {
                let mut spec = read(form, text, environment)?;
                if let Some(base) = base {
                    read_tables(&mut spec, Path::new(base))?;
                }
                let tables = spec.tables.clone();
                Ok((RuleSet::build_with(spec, host)?, tables))
            },
            from_set_error,
        )?;
        let sources = Source::all(py, set.inputs());
        Ok(Self { set, sources, tables })
    }

    /// Name, version, hash.
    fn labels(&self) -> (&str, &str, &str) {
        (self.set.name(), self.set.version(), self.set.hash())
    }

    /// Bytes of clauses, index and texts.
    fn memory(&self) -> (usize, usize, usize) {
        let memory = self.set.memory();
        (memory.clauses, memory.index, memory.texts)
    }

    /// Ids of all rules.
    fn rules(&self) -> Vec<&str> {
        self.set.rules().iter().map(|rule| &*rule.id).collect()
    }

    /// Inputs and their types.
    fn inputs(&self) -> Vec<(&str, String)> {
        self.set.inputs().iter().map(|slot| (&*slot.name, slot.ty.to_string())).collect()
    }

    /// Decides an event.
    fn decide<'py>(&self, event: &Bound<'py, PyAny>) -> PyResult<Parts<'py>> {
        let py = event.py();
        self.with_inputs(event, |given| parts(py, &self.set, &self.set.decide_slots(given.0)))
    }

    /// What each rule came to for an event.
    fn explain<'py>(&self, event: &Bound<'py, PyAny>) -> PyResult<Vec<trace::Rule<'py>>> {
        let py = event.py();
        self.with_inputs(event, |given| {
            self.set.trace(given).rules.iter().map(|rule| trace::rule(py, rule)).collect()
        })
    }

    /// Reason, the rule before it, text and trace of a rule; None for a rule that the set does not have.
    fn why_not<'py>(&self, rule: &str, event: &Bound<'py, PyAny>) -> PyResult<Option<WhyNot<'py>>> {
        let py = event.py();
        self.with_inputs(event, |given| {
            let Some(why) = self.set.why_not(rule, given) else { return Ok(None) };
            let (reason, behind) = trace::reason(&why.reason);
            Ok(Some((reason, behind, why.to_string(), trace::rule(py, &why.rule)?)))
        })
    }

    /// Decisions on the rows of a table: a chunk for each of its chunks, faults, their number.
    fn decide_batch(
        &self,
        table_of: &Bound<'_, PyAny>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<(ArrowTable, ArrowTable, usize)> {
        let py = table_of.py();
        let (schema, batches) = import_stream(table_of)?;
        let shared = shared(self.set.env(), keywords)?;
        let rows = Table { schema, batches };
        let made = enter_with(py, || decide_set(&self.set, &rows, &shared), from_error)?;
        Ok((table(py, made.values)?, table(py, made.faults)?, made.fault_count))
    }

    /// Numbers of the rows for which a rule counts, faults, their number.
    fn select(
        &self,
        table_of: &Bound<'_, PyAny>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<(ArrowTable, ArrowTable, usize)> {
        let py = table_of.py();
        let (schema, batches) = import_stream(table_of)?;
        let shared = shared(self.set.env(), keywords)?;
        let rows = Table { schema, batches };
        let made = enter_with(py, || select_set(&self.set, &rows, &shared), from_error)?;
        Ok((table(py, made.values)?, table(py, made.faults)?, made.fault_count))
    }

    /// What would change if `new` took the place of this set, as a dict.
    fn diff<'py>(
        &self,
        new: &Self,
        table_of: &Bound<'py, PyAny>,
        amount: Option<&str>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let py = table_of.py();
        let (schema, batches) = import_stream(table_of)?;
        let shared = shared(self.set.env(), keywords)?;
        let batches = Table { schema, batches }.chunks();
        let work = || self.set.diff_chunks(&new.set, &batches, &shared, amount);
        diff_dict(py, &enter_with(py, work, from_set_error)?)
    }

    /// Findings of each decision table, rows that are expressions, and whether all was looked at.
    fn tables(&self, py: Python<'_>) -> PyResult<Vec<TableChecked>> {
        let check = |spec: &TableSpec| {
            let report = spec.check(self.set.env()).map_err(|error| from_set_error(py, error))?;
            let findings = report.findings.iter().map(finding).collect();
            Ok((spec.id.clone(), findings, report.opaque, report.is_complete))
        };
        self.tables.iter().map(check).collect()
    }
}

impl RulesSet {
    fn with_inputs<'py, T>(
        &self,
        event: &Bound<'py, PyAny>,
        work: impl FnOnce(&Given<'_>) -> PyResult<T>,
    ) -> PyResult<T> {
        let py = event.py();
        attached(py, || {
            let scope = Scope::begin();
            let slots = self.set.inputs();
            let inputs = Inputs::fetch(py, &self.sources, slots, Event::new(Some(event), None));
            let values = inputs.values(py, slots, self.set.env());
            let result = work(&Given(&values));
            scope.interrupt(py).map_or(result, Err)
        })
    }
}

fn read(form: &str, text: &str, environment: Option<&str>) -> Result<RuleSetSpec, RuleSetError> {
    match form {
        "json" => RuleSetSpec::from_json(text),
        "mapping" => RuleSetSpec::from_json(text).map_err(of_mapping),
        "policy" => {
            let environment: EnvironmentSpec = config::from_json(environment.unwrap_or("{}"))
                .map_err(|error| of_mapping(error.within("environment").into()))?;
            RuleSetSpec::from_policy(text, environment)
        }
        _ => RuleSetSpec::from_yaml(text),
    }
}

/// An error without its place in a text that was made from a mapping, and that nobody has seen.
fn of_mapping(mut error: RuleSetError) -> RuleSetError {
    if let RuleSetError::Syntax { position, .. } = &mut error {
        *position = None;
    }
    error
}

/// Tables whose CSV is the name of a file: text of a table has more than one line.
fn read_tables(spec: &mut RuleSetSpec, base: &Path) -> Result<(), RuleSetError> {
    for (index, table) in spec.tables.iter_mut().enumerate() {
        let Some(name) = table.csv.as_mut().filter(|text| !text.contains('\n') && text.ends_with(".csv"))
        else {
            continue;
        };
        let text = std::fs::read_to_string(base.join(&*name)).map_err(|error| RuleSetError::Invalid {
            path: format!("tables[{index}].csv"),
            message: format!("`{name}` cannot be read: {error}"),
        })?;
        *name = text;
    }
    Ok(())
}

fn finding(finding: &Finding) -> TableFinding {
    let text = finding.to_string();
    match finding {
        Finding::Gap { .. } => ("gap", Vec::new(), text),
        Finding::Overlap { first, second } => ("overlap", vec![*first, *second], text),
        Finding::Shadowed { row, .. } => ("shadowed", vec![*row], text),
    }
}

fn amount(py: Python<'_>, amount: Option<WideDecimal>) -> PyResult<Option<Bound<'_, PyAny>>> {
    let class = Classes::get(py)?.decimal.bind(py);
    amount.map(|amount| class.call1((amount.to_string(),))).transpose()
}

fn diff_dict<'py>(py: Python<'py>, diff: &Diff) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let [before, after] = &diff.sets;
    dict.set_item("before", before)?;
    dict.set_item("after", after)?;
    dict.set_item("events", diff.events)?;
    dict.set_item("changed", diff.changed)?;
    dict.set_item("amount", amount(py, diff.amount)?)?;
    dict.set_item("without_amount", diff.without_amount)?;
    let rules = PyDict::new(py);
    for (id, RuleChange { gained, lost, amount: money, samples }) in &diff.rules {
        rules.set_item(id, (gained, lost, amount(py, *money)?, samples))?;
    }
    dict.set_item("rules", rules)?;
    let outputs = PyDict::new(py);
    for (name, OutputChange { changed, amount: money, samples }) in &diff.outputs {
        let sample = |sample: &comptoir::rules::rule_set::Sample| {
            (sample.event, sample.before.to_string(), sample.after.to_string())
        };
        let samples: Vec<_> = samples.iter().map(sample).collect();
        outputs.set_item(name, (changed, amount(py, *money)?, samples).into_bound_py_any(py)?)?;
    }
    dict.set_item("outputs", outputs)?;
    Ok(dict)
}
