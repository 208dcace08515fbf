use std::sync::Arc;

use crate::rollout::{HashVersion, Share, bucket};
use crate::types::Type;
use crate::value::{EvalCode, Fault, Value};

/// A clause that holds for a share of units.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ShareOf {
    /// The expression of the unit.
    pub general: u32,
    pub salt: Arc<str>,
    pub share: Share,
}

/// The bucket of a unit; a whole number is hashed as its decimal digits.
pub(super) fn bucket_of(salt: &str, unit: &Value<'_>) -> Result<u16, Fault> {
    let bucket = |unit: &str| bucket(HashVersion::V1, salt, unit);
    match unit {
        Value::String(text) => Ok(bucket(text)),
        Value::Int(number) => Ok(bucket(&number.to_string())),
        Value::Uint(number) => Ok(bucket(&number.to_string())),
        other => {
            let message =
                format!("the unit of a rollout is {}, not text or a whole number", other.type_name());
            Err(Fault::error(EvalCode::NoSuchOverload, message))
        }
    }
}

/// Whether values of a type can be units.
pub(super) fn is_unit(ty: &Type) -> bool {
    matches!(ty.without_null(), Type::String | Type::Int | Type::Uint | Type::Dyn)
}
