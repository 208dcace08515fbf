use std::fmt::Debug;

use super::Value;

/// A list that lives in the host, read element by element.
pub trait HostList: Debug + Send + Sync {
    /// How many elements there are.
    fn len(&self) -> usize;

    /// The element at `index`; [`Value::Absent`] outside.
    fn get(&self, index: usize) -> Value<'_>;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A map that lives in the host. Its keys are bool, int, uint or string.
pub trait HostMap: Debug + Send + Sync {
    /// How many entries there are.
    fn len(&self) -> usize;

    /// The value of `key`; `None` where there is none. Numbers are equal across types: `1`, `1u`, `1.0`.
    fn get(&self, key: &Value<'_>) -> Option<Value<'_>>;

    /// All entries, in an order that does not change.
    fn entries(&self) -> Vec<(Value<'_>, Value<'_>)>;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A struct that lives in the host.
pub trait HostStruct: Debug + Send + Sync {
    /// The name of its type.
    fn type_name(&self) -> &str;

    /// A field; [`Value::Absent`] where it is not set or does not exist. `index` is the position of the field in the
    /// declared type, where the compiler knew it, so that no name needs to be looked up.
    fn field(&self, name: &str, index: Option<usize>) -> Value<'_>;
}
