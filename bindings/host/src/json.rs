use comptoir::types::ErrorKind;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Fault;

/// Reads a configuration from JSON text. Empty text is an empty object.
///
/// # Errors
/// `HOST_JSON`, with line and column, for text that is no JSON, an unknown field or a value of a wrong kind; `what` names
/// the configuration.
pub fn parse<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, Fault> {
    let text = if text.trim().is_empty() { "{}" } else { text };
    serde_json::from_str(text).map_err(|error| {
        let mut fault = Fault::new(ErrorKind::Config, "HOST_JSON", format!("{what}: {error}")).at(what);
        (fault.place.line, fault.place.column) = (error.line(), error.column());
        fault
    })
}

/// A value as JSON text.
///
/// # Errors
/// `INTERNAL` for a value that has no JSON form.
pub fn render(value: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(Fault::internal)
}
