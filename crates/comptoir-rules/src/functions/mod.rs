//! The standard library and the extensions, as a table of signatures with what computes them.

mod aggregate;
mod bits;
mod conversion;
mod decimal;
mod encoding;
mod float_text;
mod format;
mod lists;
mod math;
mod network;
mod operators;
mod optional;
mod pattern_cache;
mod patterns;
mod sets;
mod strings;
mod text;
mod time;

use std::sync::{Arc, OnceLock};

use hashbrown::HashMap;

pub(crate) use encoding::{base64_bytes, base64_text};
pub(crate) use float_text::special;
pub(crate) use format::check_format;
pub(crate) use strings::quoted;

use crate::eval::Meter;
use crate::types::{Builtin, CostRule, Extension, Function, Implementation, Overload};
use crate::value::{EvalCode, Fault, Outcome, Value};

/// A line of the table.
pub(crate) struct Entry {
    signature: &'static str,
    cost: CostRule,
    implementation: Option<Builtin>,
}

const fn constant(signature: &'static str, builtin: Builtin) -> Entry {
    Entry { signature, cost: CostRule::Constant, implementation: Some(builtin) }
}

/// A function whose work grows with its arguments.
const fn linear(signature: &'static str, builtin: Builtin) -> Entry {
    Entry { signature, cost: CostRule::Linear, implementation: Some(builtin) }
}

/// An operator, which is evaluated by nodes of its own.
const fn operator(signature: &'static str) -> Entry {
    Entry { signature, cost: CostRule::Constant, implementation: None }
}

/// All functions of the library, by name.
pub(crate) fn library() -> &'static HashMap<Arc<str>, Arc<Function>> {
    static LIBRARY: OnceLock<HashMap<Arc<str>, Arc<Function>>> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let mut functions: HashMap<Arc<str>, Function> = HashMap::new();
        let entries = tables()
            .into_iter()
            .flat_map(|(extension, table)| table.iter().map(move |entry| (extension, entry)));
        for (extension, entry) in entries {
            // A test reads every signature, so that none is dropped here.
            let Ok((name, mut overload)) = Overload::parse(entry.signature) else { continue };
            overload.cost = entry.cost;
            overload.extension = extension;
            overload.implementation =
                entry.implementation.map_or(Implementation::None, Implementation::Builtin);
            let function =
                functions.entry(name.clone()).or_insert_with(|| Function { name, overloads: Vec::new() });
            function.overloads.push(Arc::new(overload));
        }
        functions.into_iter().map(|(name, function)| (name, Arc::new(function))).collect()
    })
}

/// The tables, each with the extension that it is.
fn tables() -> [(Option<Extension>, &'static [Entry]); 16] {
    [
        (None, operators::TABLE),
        (None, conversion::TABLE),
        (None, text::TABLE),
        (None, time::TABLE),
        (Some(Extension::Strings), strings::TABLE),
        (Some(Extension::Strings), format::TABLE),
        (Some(Extension::Math), aggregate::TABLE),
        (Some(Extension::Math), math::TABLE),
        (Some(Extension::Math), bits::TABLE),
        (Some(Extension::Optionals), optional::TABLE),
        (Some(Extension::Lists), lists::TABLE),
        (Some(Extension::Sets), sets::TABLE),
        (Some(Extension::Regex), patterns::TABLE),
        (Some(Extension::Encoders), encoding::TABLE),
        (Some(Extension::Network), network::TABLE),
        (Some(Extension::Decimal), decimal::TABLE),
    ]
}

/// The error of a function that was called with what its overload does not take.
#[cold]
fn wrong<'a>(function: &str, args: &[Value<'a>]) -> Outcome<'a> {
    Err(crate::eval::no_overload(function, args))
}

#[cold]
fn invalid<'a>(message: impl Into<std::borrow::Cow<'static, str>>) -> Outcome<'a> {
    Err(Fault::error(EvalCode::InvalidArgument, message))
}

#[cold]
fn range<'a>(message: impl Into<std::borrow::Cow<'static, str>>) -> Outcome<'a> {
    Err(Fault::error(EvalCode::Range, message))
}

/// A length as an int.
fn length<'a>(count: usize) -> Outcome<'a> {
    Ok(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)))
}

/// Pays for a result of so many bytes or elements, before it is made.
fn pay(meter: &Meter, size: usize) -> Result<(), Fault> {
    meter.spend_tenth(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_is_read() {
        for entry in tables().into_iter().flat_map(|(_, table)| table) {
            assert!(Overload::parse(entry.signature).is_ok(), "{}", entry.signature);
        }
        assert!(library().contains_key("_+_") && library().contains_key("math.abs"));
    }
}
