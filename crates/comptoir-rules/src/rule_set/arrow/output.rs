use crate::rule_set::{OutputValue, RuleSet};
use crate::types::Type;
use crate::value::{DecimalValue, Value};

/// The type of an output's column: as declared, or what all rules agree on. Anything else is `dyn`, which is text.
pub(super) fn output_type(set: &RuleSet, name: u32) -> Type {
    let declared = set.names.get(name as usize).and_then(|name| set.head.outputs.get(&**name));
    if let Some(Ok(declared)) = declared.map(|ty| Type::parse(ty)) {
        return declared;
    }
    let outputs = set.outputs.iter().flat_map(|list| list.iter()).filter(|output| output.name == name);
    let types = outputs.filter_map(|output| match &output.value {
        OutputValue::Literal(value) => natural(value),
        OutputValue::Computed(general) => Some(set.plan.type_of(*general)),
    });
    types.reduce(agreed).unwrap_or(Type::Dyn)
}

/// The type of a literal that no declaration names; none for null, which fits any.
fn natural(value: &Value<'_>) -> Option<Type> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::Int,
        Value::Uint(_) => Type::Uint,
        Value::Double(_) => Type::Double,
        Value::String(_) => Type::String,
        Value::List(list) => {
            let types = list.iter().filter_map(|element| natural(&element)).reduce(agreed);
            Type::List(types.unwrap_or(Type::Null).into())
        }
        _ => Type::Dyn,
    })
}

fn agreed(one: Type, two: Type) -> Type {
    let (one, two) = (one.without_null(), two.without_null());
    match (one, two) {
        (one, two) if one == two => one.clone(),
        (Type::Null, other) | (other, Type::Null) => other.clone(),
        (Type::Int, Type::Double) | (Type::Double, Type::Int) => Type::Double,
        (Type::Int, Type::Decimal) | (Type::Decimal, Type::Int) => Type::Decimal,
        (Type::List(one), Type::List(two)) => Type::List(agreed((**one).clone(), (**two).clone()).into()),
        _ => Type::Dyn,
    }
}

/// A whole number as what its column has, where it is the same number there.
pub(super) fn coerced(value: Value<'static>, ty: &Type) -> Value<'static> {
    const EXACT: u64 = 1 << 53;
    match (&value, ty.without_null()) {
        (Value::Int(number), Type::Double) if number.unsigned_abs() <= EXACT => Value::Double(*number as f64),
        (Value::Int(_), Type::Decimal) => DecimalValue::of(&value).map_or(value, Value::Decimal),
        (Value::List(list), Type::List(element)) if **element != Type::Dyn => {
            Value::list(list.iter().map(|one| coerced(one.into_owned(), element)).collect())
        }
        _ => value,
    }
}
