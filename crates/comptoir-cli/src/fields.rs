//! Finds fields of an event that the environment does not declare: a name typed wrong would be an input that is not there.

use std::collections::BTreeMap;

use comptoir_rules::Type;
use comptoir_rules::rule_set::EnvironmentSpec;
use serde_json::{Map, Value as Json};

use crate::fault::nearest;

/// The fields that are not declared, each as a line for people.
pub fn undeclared(environment: &EnvironmentSpec, event: &Json) -> Vec<String> {
    let mut look = Look { environment, found: Vec::new() };
    let Json::Object(fields) = event else { return Vec::new() };
    for (name, value) in fields {
        match environment.variables.get(name) {
            Some(ty) => look.value(name, value, ty),
            None => look.prefix(name, value),
        }
    }
    look.found
}

struct Look<'e> {
    environment: &'e EnvironmentSpec,
    found: Vec<String>,
}

impl Look<'_> {
    /// A name that is no variable may be the first part of some: `spec` of `spec.origin`.
    fn prefix(&mut self, path: &str, value: &Json) {
        let variables = &self.environment.variables;
        let start = format!("{path}.");
        if let Json::Object(fields) = value
            && variables.keys().any(|name| name.starts_with(&start))
        {
            for (name, value) in fields {
                let path = format!("{path}.{name}");
                match variables.get(&path) {
                    Some(ty) => self.value(&path, value, ty),
                    None => self.prefix(&path, value),
                }
            }
            return;
        }
        let near = nearest(path, variables.keys().map(|name| &**name));
        self.add(&format!("`{path}` is no variable"), near);
    }

    fn value(&mut self, path: &str, value: &Json, ty: &str) {
        if let Ok(ty) = Type::parse(ty) {
            self.typed(path, value, &ty);
        }
    }

    fn typed(&mut self, path: &str, value: &Json, ty: &Type) {
        match (ty, value) {
            (Type::Nullable(inner), value) => self.typed(path, value, inner),
            (Type::List(element), Json::Array(values)) => {
                for (place, value) in values.iter().enumerate() {
                    self.typed(&format!("{path}[{place}]"), value, element);
                }
            }
            (Type::Struct(name), Json::Object(fields)) => {
                if let Some(declared) = self.environment.types.get(&**name) {
                    self.fields(path, fields, name, declared);
                }
            }
            _ => {}
        }
    }

    fn fields(
        &mut self,
        path: &str,
        fields: &Map<String, Json>,
        ty: &str,
        declared: &BTreeMap<String, String>,
    ) {
        for (name, value) in fields {
            let path = format!("{path}.{name}");
            match declared.get(name) {
                Some(ty) => self.value(&path, value, ty),
                None => {
                    let near = nearest(name, declared.keys().map(|name| &**name));
                    self.add(&format!("`{path}` is no field of {ty}"), near);
                }
            }
        }
    }

    fn add(&mut self, message: &str, near: Option<&str>) {
        let hint = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
        self.found.push(format!("event: {message}{hint}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_typed_wrong_are_found_at_any_depth() {
        let environment: EnvironmentSpec = serde_json::from_value(json!({
            "types": {"Line": {"price": "decimal"}, "Order": {"lines": "list(Line)"}},
            "variables": {"order": "Order", "spec.origin": "string", "any": "dyn"},
        }))
        .unwrap();
        let event = json!({
            "order": {"lines": [{"price": 1}, {"prise": 1}]}, "spec": {"origin": "a", "orign": "b"}, "any": {"x": 1},
            "ordr": 1, "spec.origin": "c",
        });
        assert_eq!(
            undeclared(&environment, &event),
            [
                "event: `order.lines[1].prise` is no field of Line, did you mean `price`?",
                "event: `ordr` is no variable, did you mean `order`?",
                "event: `spec.orign` is no variable, did you mean `spec.origin`?",
            ]
        );
    }
}
