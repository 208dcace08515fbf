use std::cmp::Ordering;
use std::fmt::Write;

use super::{DecimalValue, Value};

/// How two values are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// One before the other, or equal.
    Is(Ordering),
    /// Numbers without an order: one is NaN.
    Unordered,
    /// Values of types that `<` does not compare.
    Incomparable,
}

impl Value<'_> {
    /// Equality of CEL: numbers across their types, containers by their elements, anything else by type and value.
    /// NaN is equal to nothing.
    #[must_use]
    pub fn equals(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Self::String(left), Value::String(right)) => **left == **right,
            (Self::Int(left), Value::Int(right)) => left == right,
            (Self::Bool(left), Value::Bool(right)) => left == right,
            (Self::Null, Value::Null) => true,
            (Self::Bytes(left), Value::Bytes(right)) => **left == **right,
            (Self::List(left), Value::List(right)) => {
                left.len() == right.len() && left.iter().zip(right.iter()).all(|(one, two)| one.equals(&two))
            }
            (Self::Map(left), Value::Map(right)) => {
                left.len() == right.len()
                    && left
                        .entries()
                        .iter()
                        .all(|(key, one)| right.get(key).is_some_and(|two| one.equals(&two)))
            }
            (Self::Struct(left), Value::Struct(right)) => left.equals(right),
            (Self::Optional(left), Value::Optional(right)) => match (left, right) {
                (None, None) => true,
                (Some(left), Some(right)) => left.equals(right),
                _ => false,
            },
            (Self::Type(left), Value::Type(right)) => **left == **right,
            (Self::Ip(left), Value::Ip(right)) => left.to_canonical() == right.to_canonical(),
            (Self::Cidr(left, one), Value::Cidr(right, two)) => left == right && one == two,
            _ => self.order(other) == Order::Is(Ordering::Equal),
        }
    }

    /// The order that `<` sees.
    pub(crate) fn order(&self, other: &Value<'_>) -> Order {
        let order = match (self, other) {
            (Self::Int(left), Value::Int(right)) => left.cmp(right),
            (Self::Uint(left), Value::Uint(right)) => left.cmp(right),
            (Self::Int(left), Value::Uint(right)) => i128::from(*left).cmp(&i128::from(*right)),
            (Self::Uint(left), Value::Int(right)) => i128::from(*left).cmp(&i128::from(*right)),
            (Self::Double(left), Value::Double(right)) => return floats(left.partial_cmp(right)),
            // As the specification has it: an integer is compared with a double as the double nearest to it.
            (Self::Double(left), Value::Int(right)) => return floats(left.partial_cmp(&(*right as f64))),
            (Self::Double(left), Value::Uint(right)) => return floats(left.partial_cmp(&(*right as f64))),
            (Self::Int(left), Value::Double(right)) => return floats((*left as f64).partial_cmp(right)),
            (Self::Uint(left), Value::Double(right)) => return floats((*left as f64).partial_cmp(right)),
            (Self::String(left), Value::String(right)) => (**left).cmp(&**right),
            (Self::Bytes(left), Value::Bytes(right)) => (**left).cmp(&**right),
            (Self::Bool(left), Value::Bool(right)) => left.cmp(right),
            (Self::Timestamp(left), Value::Timestamp(right)) => left.cmp(right),
            (Self::Duration(left), Value::Duration(right)) => left.cmp(right),
            (Self::Decimal(left), right) => match DecimalValue::of(right) {
                Some(right) => left.wide().cmp(&right.wide()),
                None => return Order::Incomparable,
            },
            (left, Value::Decimal(right)) => match DecimalValue::of(left) {
                Some(left) => left.wide().cmp(&right.wide()),
                None => return Order::Incomparable,
            },
            _ => return Order::Incomparable,
        };
        Order::Is(order)
    }

    /// The value as text for a message: short, and strings in quotes.
    pub(crate) fn display(&self) -> String {
        let mut text = String::new();
        match self {
            Self::String(value) => {
                let _ = write!(text, "{value:?}", value = value.chars().take(60).collect::<String>());
            }
            Self::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
            Self::Int(value) => {
                let _ = write!(text, "{value}");
            }
            Self::Uint(value) => {
                let _ = write!(text, "{value}");
            }
            Self::Double(value) => {
                let _ = write!(text, "{value}");
            }
            other => text.push_str(&other.type_name()),
        }
        text
    }
}

fn floats(order: Option<Ordering>) -> Order {
    order.map_or(Order::Unordered, Order::Is)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_across_types() {
        assert!(Value::Uint(3).equals(&Value::Double(3.0)) && !Value::Uint(3).equals(&Value::Int(-3)));
        assert_eq!(Value::Int(-1).order(&Value::Uint(u64::MAX)), Order::Is(Ordering::Less));
        assert_eq!(Value::Double(-0.5).order(&Value::Int(0)), Order::Is(Ordering::Less));
        assert_eq!(Value::Double(0.5).order(&Value::Int(0)), Order::Is(Ordering::Greater));
        assert_eq!(
            Value::Int(i64::MAX).order(&Value::Double(9_223_372_036_854_775_808.0)),
            Order::Is(Ordering::Equal)
        );
        assert_eq!(Value::Double(f64::NAN).order(&Value::Int(0)), Order::Unordered);
        assert_eq!(Value::Double(f64::INFINITY).order(&Value::Uint(u64::MAX)), Order::Is(Ordering::Greater));
        assert_eq!(Value::Null.order(&Value::Null), Order::Incomparable);
    }
}
