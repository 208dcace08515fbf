use std::fmt;
use std::sync::Arc;

use super::Type;
use super::parse::Signature;
use crate::eval::Meter;
use crate::value::{EvalError, Outcome, Value};

/// A function of the library: arguments in, value out; the meter is charged for work that grows with them.
pub(crate) type Builtin = for<'a> fn(&[Value<'a>], &Meter) -> Outcome<'a>;

/// A function of the host. It must not block, and gives the same value for the same arguments.
pub trait HostFunction: Send + Sync {
    /// Calls the function; arguments have the types of the overload.
    ///
    /// # Errors
    /// What the function reports; `&&` and `||` may absorb it.
    fn call<'a>(&self, args: &[Value<'a>]) -> Result<Value<'a>, EvalError>;
}

/// A closure gives values of its own; one that gives back parts of its arguments implements the trait on a type.
impl<F> HostFunction for F
where
    F: Fn(&[Value<'_>]) -> Result<Value<'static>, EvalError> + Send + Sync,
{
    fn call<'a>(&self, args: &[Value<'a>]) -> Result<Value<'a>, EvalError> {
        self(args)
    }
}

/// How an overload is computed.
#[derive(Clone)]
pub(crate) enum Implementation {
    Builtin(Builtin),
    Host(Arc<dyn HostFunction>),
    /// Declared only: a call can be checked, and fails when it is evaluated. Operators are of this kind too, but are
    /// evaluated by nodes of their own.
    None,
}

impl fmt::Debug for Implementation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Builtin(_) => "builtin",
            Self::Host(_) => "host",
            Self::None => "none",
        })
    }
}

/// What a call costs beside its arguments, in the units of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CostRule {
    /// One unit.
    #[default]
    Constant,
    /// One unit, and one for ten characters of the arguments or one for each of their elements.
    Linear,
    /// As for a regular expression: length of text by length of pattern.
    Regex,
    /// A number of units that the host knows.
    Fixed(u64),
}

/// One form of a function.
#[derive(Debug, Clone)]
pub struct Overload {
    /// A name that is unique in the function: its signature, unless one was given.
    pub id: Arc<str>,
    /// Types of the parameters, the receiver first.
    pub params: Vec<Type>,
    /// Type of the value.
    pub result: Type,
    /// Whether it is called on its first parameter: `a.f(b)`.
    pub is_member: bool,
    /// What a call costs.
    pub cost: CostRule,
    pub(crate) implementation: Implementation,
    /// How it is computed for many rows at once.
    #[cfg(feature = "arrow")]
    pub(crate) columns: Option<Arc<crate::columnar::HostColumns>>,
    /// The part of the library that it belongs to, beyond the standard.
    pub(crate) extension: Option<super::Extension>,
}

impl Overload {
    /// Reads the text form: `size(list(?A)): int`, or `string::charAt(int): string` for one that is called on its
    /// first parameter. Gives the function's name and the overload, which has no implementation.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(signature: &str) -> Result<(Arc<str>, Self), String> {
        let Signature { name, is_member, params, result } = Signature::parse(signature)?;
        let overload = Self {
            id: signature.into(),
            params,
            result,
            is_member,
            cost: CostRule::Constant,
            implementation: Implementation::None,
            #[cfg(feature = "arrow")]
            columns: None,
            extension: None,
        };
        Ok((name, overload))
    }

    /// The same, computed by `function`, at `cost`.
    #[must_use]
    pub fn bind(mut self, function: impl HostFunction + 'static, cost: CostRule) -> Self {
        self.implementation = Implementation::Host(Arc::new(function));
        self.cost = cost;
        self
    }

    /// Whether a value may be an argument for a parameter of type `param`, as far as its outside tells.
    pub(crate) fn accepts(param: &Type, value: &Value<'_>) -> bool {
        match (param, value) {
            (Type::Dyn | Type::Error | Type::Param(_) | Type::Variable(_), _) => true,
            (Type::Nullable(_), Value::Null) => true,
            (Type::Nullable(inner), _) => Self::accepts(inner, value),
            (Type::Null, Value::Null)
            | (Type::Bool, Value::Bool(_))
            | (Type::Int, Value::Int(_))
            | (Type::Uint, Value::Uint(_))
            | (Type::Double, Value::Double(_))
            | (Type::String, Value::String(_))
            | (Type::Bytes, Value::Bytes(_))
            | (Type::Timestamp, Value::Timestamp(_))
            | (Type::Duration, Value::Duration(_))
            | (Type::Decimal, Value::Decimal(_))
            | (Type::List(_), Value::List(_))
            | (Type::Map(_), Value::Map(_))
            | (Type::Type(_), Value::Type(_)) => true,
            (Type::Struct(name), Value::Struct(value)) => **name == *value.type_name(),
            (Type::Opaque(name, _), _) => **name == *value.type_name(),
            _ => false,
        }
    }

    /// Whether the library computes it.
    pub(crate) const fn is_library(&self) -> bool {
        matches!(self.implementation, Implementation::Builtin(_))
    }

    /// Whether the values may be the arguments.
    pub(crate) fn takes(&self, args: &[Value<'_>]) -> bool {
        self.params.len() == args.len()
            && self.params.iter().zip(args).all(|(param, value)| Self::accepts(param, value))
    }
}

/// A function with its overloads.
#[derive(Debug, Clone)]
pub struct Function {
    /// The name, with its namespace: `math.abs`.
    pub name: Arc<str>,
    /// The forms, tried in this order.
    pub overloads: Vec<Arc<Overload>>,
}
