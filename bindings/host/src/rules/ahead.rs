//! What can be said before an event is whole: what is left of an expression, and what an evaluation may cost.

use std::collections::HashMap;

use comptoir::rules::ir::Slot;
use comptoir::rules::types::EnvError;
use comptoir::rules::{Activation, AttributePattern, Bounds, Error, Program, Residual, Value};
use serde::Deserialize;
use serde_json::json;

use super::program::CompiledProgram;
use crate::{Fault, parse, render};

impl CompiledProgram {
    /// What is left of the expression where a part of the event is not known yet, as JSON: `{"value": false}` where the
    /// unknown parts do not matter, else `{"expression": "score > 0.5"}`. `event` is what is known, a JSON object;
    /// `unknown` a JSON list of patterns of what is not: `["user.score", "items[*].price"]`, or empty text. Any thread.
    ///
    /// # Errors
    /// `HOST_JSON`; `RULES_DECLARATION` for text that is no pattern; as [`CompiledProgram::eval_json`], where the expression
    /// is an error whatever the unknown parts are or the budget is spent.
    pub fn partial_json(&self, event: &[u8], unknown: &str) -> Result<String, Fault> {
        let unknown = if unknown.trim().is_empty() { "[]" } else { unknown };
        let unknown = patterns(&parse::<Vec<String>>("unknown", unknown)?)?;
        let program = self.program();
        let slots = program.slots_from_json_text(event)?;
        match program.residual(&Given(&slots), &unknown) {
            Ok(Residual::Value(value)) => render(&json!({"value": value.to_json()})),
            Ok(Residual::Expression(text)) => render(&json!({"expression": text})),
            Err(fault) => Err(Fault::of_evaluation(program, fault)),
        }
    }

    /// Bounds on the cost of an evaluation in the units of the budget, as JSON: `[2, 120]`, with null where there is no
    /// upper one. `sizes` is a JSON object of the sizes of inputs by path, exact or as least and greatest: `{"tags": [0, 20],
    /// "tags[]": 10}`, where `tags[]` is each element of `tags`. A size is bytes of text, elements of a list, entries of a
    /// map. Empty text is no sizes. Any thread.
    ///
    /// # Errors
    /// `HOST_JSON`, and as [`cost`].
    pub fn cost(&self, sizes: &str) -> Result<String, Fault> {
        let sizes: HashMap<String, Size> = parse("sizes", sizes)?;
        let sizes = sizes.into_iter().map(|(path, size)| (path, size.bounds()));
        render(&cost(self.program(), sizes)?)
    }
}

/// Least and greatest cost of an evaluation in the units of the budget, `None` where there is no upper bound; with least and
/// greatest sizes of inputs by path.
///
/// # Errors
/// `HOST_ARGUMENT` with the path, for a size whose least is above its greatest.
pub fn cost(
    program: &Program,
    sizes: impl Iterator<Item = (String, (u64, u64))>,
) -> Result<(u64, Option<u64>), Fault> {
    let known = |(path, (least, most)): (String, (u64, u64))| {
        if least > most {
            let message = format!("size of `{path}`: the least, {least}, is above the greatest, {most}");
            return Err(Fault::argument(message).at(path));
        }
        Ok((path, Bounds::new(least, most)))
    };
    let sizes = sizes.map(known).collect::<Result<HashMap<_, _>, _>>()?;
    let bounds = program.estimate_cost(&|path: &str| sizes.get(path).copied());
    Ok((bounds.min, (bounds.max != u64::MAX).then_some(bounds.max)))
}

/// Patterns of what is unknown.
///
/// # Errors
/// [`Error::Env`] for text that is no pattern, with the text.
pub fn patterns(texts: &[String]) -> Result<Vec<AttributePattern>, Error> {
    let parse = |text: &String| {
        let wrong = |message: String| Error::Env(EnvError { name: text.clone(), message });
        AttributePattern::parse(text).map_err(|error| wrong(error.to_string()))
    };
    texts.iter().map(parse).collect()
}

/// Values by the places of their slots, as inputs of an evaluation.
#[derive(Debug)]
pub struct Given<'v>(pub &'v [Value<'v>]);

impl Activation for Given<'_> {
    fn slot<'s>(&'s self, index: usize, _: &Slot) -> Value<'s> {
        self.0.get(index).map_or(Value::Absent, Value::borrowed)
    }
}

/// A size of an input.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a size is a number, or a list of the least and the greatest")]
enum Size {
    Exact(u64),
    Range(u64, u64),
}

impl Size {
    const fn bounds(&self) -> (u64, u64) {
        match *self {
            Self::Exact(size) => (size, size),
            Self::Range(least, most) => (least, most),
        }
    }
}
