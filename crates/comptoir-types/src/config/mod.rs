//! Configuration as text: JSON or YAML into a struct, and where it is wrong.
//!
//! ```
//! use comptoir_types::config;
//!
//! #[derive(serde::Deserialize)]
//! struct Settings {
//!     limit: u8,
//! }
//!
//! let settings: Settings = config::from_yaml("limit: 7")?;
//! assert_eq!(settings.limit, 7);
//! let error = config::from_json::<Settings>("{\n \"limit\": -1}").err().ok_or("no error")?;
//! assert_eq!((error.path.as_str(), error.position.ok_or("no place")?.line), ("limit", 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod depth;
mod words;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};

use crate::Position;

pub use words::plain;

/// Why a text is no configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}`: {message}{}", place(.position.as_ref()))]
pub struct ConfigError {
    /// The field, such as `rules[3].when`; `.` for the whole.
    pub path: String,
    /// What is wrong, in one line, without the place in the text.
    pub message: String,
    /// Where in the text, as far as its reader knows.
    pub position: Option<Position>,
}

/// Reads a struct from JSON text.
///
/// # Errors
/// Text that is no JSON object, an unknown field, or a wrong value.
pub fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, ConfigError> {
    // Without this, an array would be read as the fields in their order.
    if !text.trim_start().starts_with('{') {
        let message = "expected a JSON object".to_owned();
        return Err(ConfigError { path: ".".to_owned(), message, position: None });
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = read(&mut reader)?;
    reader.end().map_err(|error| ConfigError::of(".".to_owned(), &error))?;
    Ok(value)
}

/// Reads a struct from YAML text.
///
/// # Errors
/// As [`from_json`]; also for text whose brackets are nested deeper than a configuration can need, since the reader takes
/// time by the square of their depth.
pub fn from_yaml<T: DeserializeOwned>(text: &str) -> Result<T, ConfigError> {
    if let Some(line) = depth::too_deep(text) {
        let message = "brackets are nested too deeply".to_owned();
        let position = Some(Position { line, column: 1 });
        return Err(ConfigError { path: ".".to_owned(), message, position });
    }
    read(serde_yaml_ng::Deserializer::from_str(text))
}

/// Reads from any reader; YAML is to be guarded against nested brackets by the caller.
///
/// # Errors
/// What the reader refuses, with the field where it does.
pub fn read<'t, T: Deserialize<'t>, R>(reader: R) -> Result<T, ConfigError>
where
    R: Deserializer<'t>,
    R::Error: Located,
{
    serde_path_to_error::deserialize(reader)
        .map_err(|error| ConfigError::of(error.path().to_string(), error.inner()))
}

impl ConfigError {
    /// The error of a reader at a field.
    fn of(path: String, error: &impl Located) -> Self {
        let text = error.to_string();
        // The YAML reader names the field itself, the JSON reader does not.
        let text = text.strip_prefix(&format!("{path}: ")).unwrap_or(&text);
        let position = error.position();
        let text = text.replacen(&place(position.as_ref()), "", 1);
        let message = plain(&text.lines().map(str::trim).collect::<Vec<_>>().join("; "));
        Self { path, message, position }
    }
}

impl ConfigError {
    /// The same for a configuration that is a field of a larger whole.
    #[must_use]
    pub fn within(mut self, field: &str) -> Self {
        self.path = if self.path == "." { field.to_owned() } else { format!("{field}.{}", self.path) };
        self
    }
}

/// The end of a message that says where in a text: ` at line 2 column 7`; nothing where that is not known.
#[must_use]
pub fn place(position: Option<&Position>) -> String {
    position.map_or_else(String::new, |Position { line, column }| format!(" at line {line} column {column}"))
}

/// Errors of readers that know a place.
pub trait Located: serde::de::Error {
    /// The place in the text.
    fn position(&self) -> Option<Position>;
}

impl Located for serde_json::Error {
    /// Errors that are not of the text, such as those of conversions, are at line 0.
    fn position(&self) -> Option<Position> {
        (self.line() > 0).then(|| Position { line: self.line(), column: self.column() })
    }
}

impl Located for serde_yaml_ng::Error {
    fn position(&self) -> Option<Position> {
        self.location().map(|place| Position { line: place.line(), column: place.column() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        #[serde(default)]
        rules: Vec<Rule>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Rule {
        weight: u8,
    }

    /// Field, line and column; 0 where they are not known.
    fn place(error: ConfigError) -> (String, usize, usize) {
        let position = error.position.map_or((0, 0), |position| (position.line, position.column));
        (error.path, position.0, position.1)
    }

    #[test]
    fn an_error_has_its_field_and_its_place() {
        let json = |text| place(from_json::<Settings>(text).unwrap_err());
        assert_eq!(
            json("{\n\"rules\": [{\"weight\": 1}, {\"weight\": 300}]}"),
            ("rules[1].weight".into(), 2, 39)
        );
        assert_eq!(json("{\"rules\": [}"), ("rules[0]".into(), 1, 12));
        assert_eq!(json("{} x"), (".".into(), 1, 4));
        assert_eq!(json("[]"), (".".into(), 0, 0));
        let yaml = |text| place(from_yaml::<Settings>(text).unwrap_err());
        assert_eq!(yaml("rules:\n- weight: 1\n- weight: x"), ("rules[1].weight".into(), 3, 11));
        assert_eq!(yaml("rules:\n- {weight: 1, wait: 2}"), ("rules[0].wait".into(), 2, 15));
        assert_eq!(yaml(&"[".repeat(100)), (".".into(), 1, 1));
    }

    #[test]
    fn a_message_is_one_line_and_names_its_field_once() {
        let error = from_yaml::<Settings>("rules:\n- weight: x").unwrap_err();
        assert_eq!(error.message.lines().count(), 1);
        assert_eq!(error.message, "invalid type: string \"x\", expected a whole number from 0 to 255");
        assert_eq!(error.to_string(), format!("`rules[0].weight`: {} at line 2 column 11", error.message));
        assert_eq!(from_json::<Settings>("{\"rules\": []}").unwrap().rules.len(), 0);
    }
}
