//! The quick way of the most common case: an event of plain dicts, whose inputs are numbers, text and lists of text, and
//! a condition that has a short way in the core. What it does not cover goes the long way of `input`, from the start:
//! no function was called until then and nothing but dicts read, so that nobody can tell.

use std::sync::MutexGuard;

use comptoir::rules::value::List;
use comptoir::rules::{Program, Type, Value};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList, PyString};
use smallvec::SmallVec;

use super::borrow;
use super::source::Source;
use super::texts::{Kept, LastTexts};

/// Inputs that a quick way has at most, so that they need no allocation.
const MAX_INPUTS: usize = 8;

/// Where the inputs of a program are in nested dicts, in the order of its slots.
pub struct Quick {
    groups: Vec<Group>,
}

/// Inputs that lie side by side: fields of a variable, or variables themselves.
struct Group {
    variable: Option<Py<PyString>>,
    inputs: Vec<Input>,
}

struct Input {
    name: Py<PyString>,
    kind: Kind,
    /// The place of its slot.
    slot: usize,
}

#[derive(Clone, Copy)]
enum Kind {
    Bool,
    Int,
    Double,
    Text,
    Texts,
}

/// An input that was read. Text is held, so that it can be borrowed.
enum Held<'s, 'py> {
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Bound<'py, PyString>),
    Texts(MutexGuard<'s, Option<Kept>>),
}

impl Kind {
    fn of(ty: &Type) -> Option<Self> {
        match ty {
            Type::Bool => Some(Self::Bool),
            Type::Int => Some(Self::Int),
            Type::Double => Some(Self::Double),
            Type::String => Some(Self::Text),
            Type::List(element) if **element == Type::String => Some(Self::Texts),
            _ => None,
        }
    }
}

impl Quick {
    /// The quick way of a program, if it has one.
    pub fn of(py: Python<'_>, program: &Program) -> Option<Self> {
        let slots = program.slots();
        if *program.result_type() != Type::Bool || !program.has_quick_test() || slots.len() > MAX_INPUTS {
            return None;
        }
        let mut groups: Vec<Group> = Vec::new();
        let mut before = None;
        for (slot, input) in slots.iter().enumerate() {
            let (variable, name) = match &*input.path {
                [name] if !name.contains('.') => (None, name),
                [variable, name] if !variable.contains('.') => (Some(&**variable), name),
                _ => return None,
            };
            let name = PyString::intern(py, name).unbind();
            let input = Input { name, kind: Kind::of(&input.ty)?, slot };
            match groups.last_mut().filter(|_| before == Some(variable)) {
                Some(group) => group.inputs.push(input),
                None => groups.push(Group {
                    variable: variable.map(|name| PyString::intern(py, name).unbind()),
                    inputs: vec![input],
                }),
            }
            before = Some(variable);
        }
        Some(Self { groups })
    }

    /// The truth for an event; none where the quick way does not cover it.
    pub fn test(&self, program: &Program, sources: &[Source], event: &Bound<'_, PyAny>) -> Option<bool> {
        let event = event.cast_exact::<PyDict>().ok()?;
        let mut held = SmallVec::<[Held<'_, '_>; MAX_INPUTS]>::new();
        for group in &self.groups {
            let inner;
            let dict = match &group.variable {
                Some(name) => {
                    inner = borrow::item(event, name, |found| {
                        found.is_exact_instance_of::<PyDict>().then(|| found.to_owned())
                    })?;
                    inner.cast_exact::<PyDict>().ok()?
                }
                None => event,
            };
            for input in &group.inputs {
                held.push(input.read(dict, sources)?);
            }
        }
        let mut values = SmallVec::<[Value<'_>; MAX_INPUTS]>::new();
        for held in &held {
            values.push(held.value()?);
        }
        program.quick_test(&values)
    }
}

impl Input {
    #[inline(always)]
    fn read<'s, 'py>(&self, dict: &Bound<'py, PyDict>, sources: &'s [Source]) -> Option<Held<'s, 'py>> {
        match self.kind {
            Kind::Int => borrow::item(dict, &self.name, borrow::int).map(Held::Int),
            Kind::Double => borrow::item(dict, &self.name, borrow::double).map(Held::Double),
            Kind::Bool => borrow::item(dict, &self.name, |found| {
                found.cast_exact::<PyBool>().ok().map(|truth| Held::Bool(truth.is_true()))
            }),
            Kind::Text => borrow::item(dict, &self.name, |found| {
                found.cast_exact::<PyString>().ok().map(|text| Held::Text(text.to_owned()))
            }),
            Kind::Texts => {
                let last: &LastTexts = &sources.get(self.slot)?.last_texts;
                let list = borrow::item(dict, &self.name, |found| {
                    found.cast_exact::<PyList>().ok().map(|list| list.to_owned())
                })?;
                last.of(&list).map(Held::Texts)
            }
        }
    }
}

impl Held<'_, '_> {
    #[inline(always)]
    fn value(&self) -> Option<Value<'_>> {
        Some(match self {
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Int(number) => Value::Int(*number),
            Self::Double(number) => Value::Double(*number),
            Self::Text(text) => Value::str(text.to_str().ok()?),
            Self::Texts(kept) => Value::List(List::Ref(kept.as_ref()?.values())),
        })
    }
}
