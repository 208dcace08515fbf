//! Settings, which Python gives as JSON that it made from keywords.

use comptoir::executor::Error;
use comptoir::types::config;
use serde::de::DeserializeOwned;

/// Reads settings; an error names the one that is wrong, or `what` they are if it is none of them.
pub fn parse<T: DeserializeOwned>(what: &str, json: &str) -> Result<T, Error> {
    config::from_json(json).map_err(|error| {
        let field = if error.path == "." { what.to_owned() } else { error.path };
        // The place in a text that nobody has seen is left out.
        Error::config(field, error.message)
    })
}
