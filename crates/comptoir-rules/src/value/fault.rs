use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::Value;
use crate::syntax::Span;

/// What an evaluation gives: a value, or what came instead.
pub type Outcome<'a> = Result<Value<'a>, Fault>;

/// Why there is no value.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The expression has no value for this input. `&&` and `||` may absorb it.
    Error(Box<EvalError>),
    /// The value depends on parts of the input that are not known.
    Unknown(Arc<UnknownSet>),
    /// The budget is spent. Nothing absorbs it.
    Exhausted(Box<EvalError>),
}

impl Fault {
    /// An error without a place yet.
    #[cold]
    pub(crate) fn error(code: EvalCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Error(Box::new(EvalError { code, message: message.into(), span: None }))
    }

    /// The same with the place where it arose, if it has none yet.
    #[cold]
    pub(crate) fn at(mut self, span: Span) -> Self {
        if let Self::Error(error) | Self::Exhausted(error) = &mut self {
            error.span.get_or_insert(span);
        }
        self
    }

    /// Of two faults of operands the one that their operation has: what ends the evaluation first, unknowns before
    /// errors, since a later evaluation may know more, and the left error before the right one.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown(left), Self::Unknown(right)) => Self::Unknown(Arc::new(left.union(&right))),
            (exhausted @ Self::Exhausted(_), _) | (_, exhausted @ Self::Exhausted(_)) => exhausted,
            (unknown @ Self::Unknown(_), _) | (_, unknown @ Self::Unknown(_)) => unknown,
            (left, _) => left,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) | Self::Exhausted(error) => error.fmt(formatter),
            Self::Unknown(set) => write!(formatter, "depends on what is not known: {set}"),
        }
    }
}

/// An error of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvalError {
    /// The stable code.
    pub code: EvalCode,
    /// What happened, in one line.
    pub message: Cow<'static, str>,
    /// The part of the source whose value it is.
    pub span: Option<Span>,
}

impl EvalError {
    /// An error for an input or a host function.
    #[must_use]
    pub fn new(code: EvalCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), span: None }
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for EvalError {}

/// Kinds of errors of an evaluation. The code of each is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EvalCode {
    /// A name that is not declared, in an expression that was not checked.
    UnknownName,
    /// No overload for operands of these types.
    NoSuchOverload,
    /// A map without the key.
    NoSuchKey,
    /// A struct without a value in the field, or an input that is not there.
    NoSuchField,
    /// A map literal with a key twice.
    RepeatedKey,
    /// An index outside the list or text.
    IndexRange,
    /// Division or modulus by zero.
    DivideByZero,
    /// A number, time or text outside the range of its type.
    Range,
    /// An argument that the function does not take.
    InvalidArgument,
    /// `value()` of `optional.none()`.
    NoneValue,
    /// The budget of an evaluation is spent.
    BudgetExceeded,
    /// A function of the host failed.
    Host,
}

impl EvalCode {
    /// The stable code.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownName => "RULES_UNKNOWN_NAME",
            Self::NoSuchOverload => "RULES_NO_SUCH_OVERLOAD",
            Self::NoSuchKey => "RULES_NO_SUCH_KEY",
            Self::NoSuchField => "RULES_NO_SUCH_FIELD",
            Self::RepeatedKey => "RULES_REPEATED_KEY",
            Self::IndexRange => "RULES_INDEX_RANGE",
            Self::DivideByZero => "RULES_DIVIDE_BY_ZERO",
            Self::Range => "RULES_RANGE",
            Self::InvalidArgument => "RULES_INVALID_ARGUMENT",
            Self::NoneValue => "RULES_NONE_VALUE",
            Self::BudgetExceeded => "RULES_BUDGET_EXCEEDED",
            Self::Host => "RULES_HOST",
        }
    }
}

/// The parts of the input that a value waits for, as paths such as `user.features`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnknownSet {
    paths: BTreeSet<Arc<str>>,
}

impl UnknownSet {
    /// One path.
    #[must_use]
    pub fn of(path: impl Into<Arc<str>>) -> Self {
        Self { paths: BTreeSet::from([path.into()]) }
    }

    /// All paths, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(|path| &**path)
    }

    fn union(&self, other: &Self) -> Self {
        Self { paths: self.paths.union(&other.paths).cloned().collect() }
    }
}

impl fmt::Display for UnknownSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.paths().map(|path| format!("`{path}`")).collect();
        formatter.write_str(&names.join(", "))
    }
}
