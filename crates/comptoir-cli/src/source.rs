//! Files of rule authors: what form they have, and the environment that comes apart from some of them.

use std::path::Path;

use comptoir_rules::rule_set::{EnvironmentSpec, HitPolicy, RuleSetError, RuleSetSpec, TableSpec};
use serde_json::Value as Json;

/// A file that was read.
#[derive(Debug)]
pub struct Source {
    /// Its name as it was given.
    pub name: String,
    /// What is in it.
    pub text: String,
    /// What it is.
    pub form: Form,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A rule set in YAML.
    Yaml,
    /// A rule set in JSON.
    Json,
    /// A policy in the form of cel-policy.
    Policy,
    /// A decision table.
    Csv,
}

impl Source {
    /// Reads a file. Its form follows from the extension, else from what stands in it.
    ///
    /// # Errors
    /// A file that is not there or is no text, as one line with its name.
    pub fn read(path: &Path) -> Result<Self, String> {
        let name = path.display().to_string();
        let text = read_text(path)?;
        let form = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => Form::Json,
            Some("csv") => Form::Csv,
            _ if text.trim_start().starts_with('{') => Form::Json,
            _ if is_policy(&text) => Form::Policy,
            _ => Form::Yaml,
        };
        Ok(Self { name, text, form })
    }

    /// The rule set that it is.
    ///
    /// # Errors
    /// The first fault of its form.
    pub fn spec(&self, environment: &EnvironmentSpec) -> Result<RuleSetSpec, RuleSetError> {
        let spec = match self.form {
            Form::Yaml => RuleSetSpec::from_yaml(&self.text),
            Form::Json => RuleSetSpec::from_json(&self.text),
            Form::Policy => RuleSetSpec::from_policy(&self.text, environment.clone()),
            Form::Csv => Ok(self.table(environment)),
        };
        self.with_tables(spec?)
    }

    /// The set with the tables whose `csv` names a file beside it.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn with_tables(&self, mut spec: RuleSetSpec) -> Result<RuleSetSpec, RuleSetError> {
        let folder = Path::new(&self.name).parent().unwrap_or(Path::new(""));
        for (index, table) in spec.tables.iter_mut().enumerate() {
            let is_name = |text: &&mut String| !text.contains('\n') && text.ends_with(".csv");
            let Some(csv) = table.csv.as_mut().filter(is_name) else { continue };
            *csv = read_text(&folder.join(&*csv))
                .map_err(|message| RuleSetError::Invalid { path: format!("tables[{index}].csv"), message })?;
        }
        Ok(spec)
    }

    /// A table in a file of its own: a set in which the first row that applies counts.
    fn table(&self, environment: &EnvironmentSpec) -> RuleSetSpec {
        let id = Path::new(&self.name).file_stem().and_then(|stem| stem.to_str()).unwrap_or("table");
        let table = TableSpec { id: id.to_owned(), csv: Some(self.text.clone()), ..TableSpec::default() };
        RuleSetSpec {
            format: 1,
            name: id.to_owned(),
            environment: environment.clone(),
            hit_policy: HitPolicy::First,
            tables: vec![table],
            ..RuleSetSpec::default()
        }
    }

    /// The file as a tree, as far as it is one.
    pub fn tree(&self) -> Option<Json> {
        match self.form {
            Form::Json => serde_json::from_str(&self.text).ok(),
            Form::Yaml | Form::Policy => serde_yaml_ng::from_str(&self.text).ok(),
            Form::Csv => None,
        }
    }
}

/// Reads a text file; `-` is the standard input.
///
/// # Errors
/// A file that is not there or is no text, as one line with its name.
pub fn read_text(path: &Path) -> Result<String, String> {
    let read = if path == Path::new("-") {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(path)
    };
    // A byte order mark, as some editors write it, is no part of the text.
    read.map(|text| text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
        .map_err(|error| format!("`{}` cannot be read: {error}", path.display()))
}

/// A policy has its rules under `rule`, a rule set under `rules` or `tables`.
fn is_policy(text: &str) -> bool {
    let has =
        |key: &str| text.lines().any(|line| line.trim_end() == key || line.starts_with(&format!("{key} ")));
    has("rule:") && !has("rules:") && !has("tables:")
}

/// Reads an environment: `types` and `variables` as in a rule set, a whole rule set, or the `config.yaml` that stands
/// beside policies of cel-go.
///
/// # Errors
/// A file that is none of these, as one line with its name.
pub fn environment(path: &Path) -> Result<EnvironmentSpec, String> {
    let text = read_text(path)?;
    let wrong = |error: &dyn std::fmt::Display| format!("`{}` is no environment: {error}", path.display());
    let mut tree: Json = serde_yaml_ng::from_str(&text).map_err(|error| wrong(&error))?;
    if let Some(inner) = tree.get_mut("environment") {
        tree = inner.take();
    }
    if tree.get("variables").is_some_and(Json::is_array) {
        return config(&tree).map_err(|error| wrong(&error));
    }
    serde_path_to_error::deserialize(&tree).map_err(|error| wrong(&error))
}

/// The variables of a configuration of cel-go; what else stands there is for the library of another host.
fn config(tree: &Json) -> Result<EnvironmentSpec, String> {
    let mut environment = EnvironmentSpec::default();
    for (place, variable) in tree.get("variables").and_then(Json::as_array).into_iter().flatten().enumerate()
    {
        let name = variable.get("name").and_then(Json::as_str);
        let ty = type_text(variable.get("type").unwrap_or(variable));
        match (name, ty) {
            (Some(name), Some(ty)) => environment.variables.insert(name.to_owned(), ty),
            _ => return Err(format!("`variables[{place}]` needs `name` and `type` or `type_name`")),
        };
    }
    Ok(environment)
}

/// `{type_name: map, params: [...]}` as `map(..., ...)`; newer files write the text itself.
fn type_text(ty: &Json) -> Option<String> {
    if let Some(text) = ty.as_str() {
        return Some(text.to_owned());
    }
    let name = ty.get("type_name")?.as_str()?;
    let params = ty.get("params").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    if params.is_empty() {
        return Some(name.to_owned());
    }
    let params: Option<Vec<String>> = params.iter().map(type_text).collect();
    Some(format!("{name}({})", params?.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_told_from_rule_sets() {
        assert!(is_policy("name: p\nrule:\n  match: []\n"));
        assert!(!is_policy("name: p\nrules:\n  - {id: a}\n"));
        assert!(!is_policy("# the rule: none\nrules: []\n"));
    }

    #[test]
    fn a_configuration_of_cel_go_is_read() {
        let tree = serde_json::json!({"name": "x", "variables": [
            {"name": "spec.origin", "type_name": "string"},
            {"name": "x", "type": "int"},
            {"name": "labels", "type": {"type_name": "map", "params": [{"type_name": "string"}, {"type_name": "dyn"}]}},
        ]});
        let environment = config(&tree).unwrap();
        assert_eq!(environment.variables["labels"], "map(string, dyn)");
        assert_eq!(environment.variables["spec.origin"], "string");
        assert_eq!(environment.variables["x"], "int");
        assert!(config(&serde_json::json!({"variables": [{"name": "x"}]})).is_err());
    }
}
