use super::Type;

/// The names that `name` may mean inside a container, the most specific first; a leading dot means the root.
pub(crate) fn candidates<'n>(container: &'n str, name: &'n str) -> impl Iterator<Item = String> {
    let (absolute, scopes) = match name.strip_prefix('.') {
        Some(absolute) => (absolute, ""),
        None => (name, container),
    };
    let mut scope = Some(scopes);
    std::iter::from_fn(move || {
        let current = scope?;
        if current.is_empty() {
            scope = None;
            return Some(absolute.to_owned());
        }
        scope = Some(current.rsplit_once('.').map_or("", |(outer, _)| outer));
        Some(format!("{current}.{absolute}"))
    })
}

/// The type behind a name that the language knows. Messages of protocol buffers that have a native counterpart are
/// that counterpart.
pub(crate) fn well_known(name: &str) -> Option<Type> {
    Some(match name {
        "dyn" | "google.protobuf.Any" | "google.protobuf.Value" => Type::Dyn,
        "null" | "null_type" => Type::Null,
        "bool" => Type::Bool,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "decimal" => Type::Decimal,
        "timestamp" | "google.protobuf.Timestamp" => Type::Timestamp,
        "duration" | "google.protobuf.Duration" => Type::Duration,
        "list" => Type::list(Type::Dyn),
        "map" => Type::map(Type::Dyn, Type::Dyn),
        "type" => Type::Type(None),
        "optional_type" => Type::optional(Type::Dyn),
        "net.IP" | "net.CIDR" => Type::Opaque(name.into(), [].into()),
        "google.protobuf.ListValue" => Type::list(Type::Dyn),
        "google.protobuf.Struct" => Type::map(Type::String, Type::Dyn),
        _ => return wrapper(name).map(|inner| Type::Nullable(inner.into())),
    })
}

fn wrapper(name: &str) -> Option<Type> {
    Some(match name.strip_prefix("google.protobuf.")? {
        "BoolValue" => Type::Bool,
        "BytesValue" => Type::Bytes,
        "StringValue" => Type::String,
        "DoubleValue" | "FloatValue" => Type::Double,
        "Int32Value" | "Int64Value" => Type::Int,
        "UInt32Value" | "UInt64Value" => Type::Uint,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_scope_comes_first() {
        assert_eq!(candidates("a.b", "x").collect::<Vec<_>>(), ["a.b.x", "a.x", "x"]);
        assert_eq!(candidates("a.b", ".x").collect::<Vec<_>>(), ["x"]);
        assert_eq!(candidates("", "x.y").collect::<Vec<_>>(), ["x.y"]);
    }
}
