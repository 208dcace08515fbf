use std::cell::Cell;
use std::fmt::Write;
use std::sync::Arc;

use super::machine::{Around, Machine};
use crate::ir::{NodeId, NodeKind, Slot};
use crate::value::{Fault, UnknownSet, Value};

/// A set of places in the input that are not known: `user.features`, `items[*].price`, `order.lines[0]`. Or a function of
/// the host that cannot be called yet: `score()`.
///
/// A place covers what its path names and all that is inside; a function, all its calls whatever the arguments are. An
/// argument that is an error comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributePattern {
    text: Arc<str>,
    steps: Vec<Step>,
    is_function: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Named(String),
    Any,
}

/// Text that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pattern `{0}`: write names with dots, `[key]` for an element, `*` for any, `name()` for a function")]
pub struct PatternError(String);

impl AttributePattern {
    /// Reads a pattern: a variable, then `.field`, `[key]` or `.*`, `[*]` for any; or the full name of a function of the
    /// host with `()`.
    ///
    /// # Errors
    /// Text that is no pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let wrong = || PatternError(text.to_owned());
        if let Some(name) = text.strip_suffix("()") {
            let is_name = !name.is_empty() && !name.contains(['(', ')', '[', ']', '*', ' ']);
            let function = Self { text: text.into(), steps: Vec::new(), is_function: true };
            return if is_name { Ok(function) } else { Err(wrong()) };
        }
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (name, mut keys) =
                part.split_once('[').map_or((part, None), |(name, keys)| (name, Some(keys)));
            if name.is_empty() || name.contains(']') {
                return Err(wrong());
            }
            steps.push(Step::of(name));
            while let Some(rest) = keys {
                let (key, rest) = rest.split_once(']').ok_or_else(wrong)?;
                steps.push(Step::of(key.trim_matches(['"', '\''])));
                keys = match rest {
                    "" => None,
                    rest => Some(rest.strip_prefix('[').ok_or_else(wrong)?),
                };
            }
        }
        Ok(Self { text: text.into(), steps, is_function: false })
    }

    /// How far a path agrees with the pattern: all of the pattern, a part of it, or not.
    fn agreement(&self, path: &[String]) -> Agreement {
        let agrees = self.steps.iter().zip(path).all(|(step, name)| match step {
            Step::Named(own) => own == name,
            Step::Any => true,
        });
        match agrees && !self.is_function {
            false => Agreement::None,
            true if path.len() >= self.steps.len() => Agreement::Inside,
            true => Agreement::Above,
        }
    }
}

impl Step {
    fn of(text: &str) -> Self {
        if text == "*" { Self::Any } else { Self::Named(text.to_owned()) }
    }
}

#[derive(PartialEq, Eq)]
enum Agreement {
    /// The path is what the pattern names, or in it.
    Inside,
    /// What the pattern names is in the path.
    Above,
    None,
}

/// What is unknown in an evaluation.
pub(crate) struct Patterns<'a> {
    list: &'a [AttributePattern],
    slots: &'a [Slot],
    /// The node that is evaluated next is selected from: what is unknown in another part of it does not matter.
    in_chain: Cell<bool>,
}

impl<'a> Patterns<'a> {
    pub(crate) const fn new(list: &'a [AttributePattern], slots: &'a [Slot]) -> Self {
        Self { list, slots, in_chain: Cell::new(false) }
    }

    /// What is unknown where a function of the host is.
    pub(super) fn call(&self, function: &str) -> Option<Fault> {
        let is_it = |pattern: &&AttributePattern| {
            pattern.is_function && pattern.text.strip_suffix("()") == Some(function)
        };
        let pattern = self.list.iter().find(is_it)?;
        Some(Fault::Unknown(Arc::new(UnknownSet::of(pattern.text.clone()))))
    }
}

impl<'a> Machine<'a> {
    /// Before a slot, field or element is read while parts of the input are unknown: whether it is one of them.
    #[cold]
    pub(super) fn check_known(&self, id: NodeId, around: Around<'_, 'a>) -> Result<(), Fault> {
        let Some(patterns) = &self.patterns else { return Ok(()) };
        let is_final = !patterns.in_chain.replace(false);
        if let Some(path) = self.trail(id, around) {
            for pattern in patterns.list {
                let agreement = pattern.agreement(&path);
                if agreement == Agreement::Inside {
                    return Err(Fault::Unknown(Arc::new(UnknownSet::of(spell(&path)))));
                }
                if agreement == Agreement::Above && is_final {
                    return Err(Fault::Unknown(Arc::new(UnknownSet::of(pattern.text.clone()))));
                }
            }
        }
        if let NodeKind::Field { operand, .. } | NodeKind::Index { operand, .. } = &self.node(id).kind {
            let kind = &self.node(*operand).kind;
            let is_chain =
                matches!(kind, NodeKind::Slot(_) | NodeKind::Field { .. } | NodeKind::Index { .. });
            patterns.in_chain.set(is_chain);
        }
        Ok(())
    }

    /// The path from an input that a node reads.
    fn trail(&self, id: NodeId, around: Around<'_, 'a>) -> Option<Vec<String>> {
        match &self.node(id).kind {
            NodeKind::Slot(index) | NodeKind::HasSlot(index) => {
                let slot = self.patterns.as_ref()?.slots.get(*index as usize)?;
                Some(slot.path.iter().map(|name| name.to_string()).collect())
            }
            NodeKind::Field { operand, name, .. } | NodeKind::HasField { operand, name } => {
                let mut path = self.trail(*operand, around)?;
                path.push(name.to_string());
                Some(path)
            }
            NodeKind::Index { operand, index, .. } => {
                let mut path = self.trail(*operand, around)?;
                path.push(match self.eval(*index, around).ok()? {
                    Value::String(text) => text.to_string(),
                    other => other.display(),
                });
                Some(path)
            }
            _ => None,
        }
    }
}

fn spell(path: &[String]) -> String {
    let mut text = String::new();
    for (position, step) in path.iter().enumerate() {
        let is_number = step.bytes().all(|byte| byte.is_ascii_digit());
        let _ = match (position, is_number) {
            (0, _) => write!(text, "{step}"),
            (_, true) => write!(text, "[{step}]"),
            (_, false) => write!(text, ".{step}"),
        };
    }
    text
}
