//! The inputs of one evaluation, held for as long as it lasts.

use std::sync::Arc;

use comptoir::rules::ir::Slot;
use comptoir::rules::value::List;
use comptoir::rules::{Env, EvalError, Type, Value};
use pyo3::prelude::*;
use smallvec::SmallVec;

use super::raised;
use super::read::Reader;
use super::source::{Event, Source};
use super::texts::Texts;

/// Inputs that need no allocation.
const INLINE: usize = 6;

/// The objects of all inputs. They are held, so that text can be borrowed while other Python code runs.
pub struct Inputs<'py> {
    held: SmallVec<[Held<'py>; INLINE]>,
}

enum Held<'py> {
    Absent,
    Object(Bound<'py, PyAny>),
    Texts(Box<Texts>),
    Shared(Arc<Vec<Value<'static>>>),
    Failed(Arc<EvalError>),
}

/// The values of all inputs, in the order of the slots.
pub type Values<'k> = SmallVec<[Value<'k>; INLINE]>;

impl<'py> Inputs<'py> {
    /// Reads the objects of all inputs, once each. What reading raises is an error of that input.
    #[inline]
    pub fn fetch(py: Python<'py>, sources: &[Source], slots: &[Slot], mut event: Event<'_, 'py>) -> Self {
        let fetch = |(source, slot): (&Source, &Slot)| match event.fetch(py, source) {
            Ok(None) => Held::Absent,
            Ok(Some(object)) => match &slot.ty {
                Type::List(element) if **element == Type::String => texts(source, object),
                _ => Held::Object(object),
            },
            Err(raised) => Held::Failed(Arc::new(raised::error(py, &reading(slot), raised))),
        };
        Self { held: sources.iter().zip(slots).map(fetch).collect() }
    }

    /// Converts each to its declared type.
    #[inline]
    pub fn values<'k>(&'k self, py: Python<'py>, slots: &[Slot], env: &Env) -> Values<'k> {
        let value = |(held, slot): (&'k Held<'py>, &Slot)| match held {
            Held::Absent => Value::Absent,
            Held::Texts(texts) => Value::List(List::Host(&**texts)),
            Held::Shared(values) => Value::List(List::Ref(values)),
            Held::Failed(error) => Value::Error(error.clone()),
            Held::Object(object) => Reader::new(env)
                .borrowed(object, &slot.ty)
                .unwrap_or_else(|raised| raised::value(py, &reading(slot), raised)),
        };
        self.held.iter().zip(slots).map(value).collect()
    }
}

fn texts<'py>(source: &Source, object: Bound<'py, PyAny>) -> Held<'py> {
    if let Some(values) = source.last_texts.values(&object) {
        return Held::Shared(values);
    }
    Texts::of(&object).map_or(Held::Object(object), |texts| Held::Texts(Box::new(texts)))
}

#[cold]
fn reading(slot: &Slot) -> String {
    format!("reading `{}`", slot.name)
}
