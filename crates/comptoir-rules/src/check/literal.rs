use super::Checker;
use crate::syntax::{Access, DiagnosticCode, Element, Entry, ExprId, Literal};
use crate::types::Type;

pub(super) fn type_of(literal: &Literal) -> Type {
    match literal {
        Literal::Null => Type::Null,
        Literal::Bool(_) => Type::Bool,
        Literal::Int(_) => Type::Int,
        Literal::Uint(_) => Type::Uint,
        Literal::Double(_) => Type::Double,
        Literal::String(_) => Type::String,
        Literal::Bytes(_) => Type::Bytes,
    }
}

impl Checker<'_> {
    pub(super) fn list(&mut self, elements: &[Element]) -> Type {
        let mut joined = None;
        for element in elements {
            let ty = self.element(element.value, element.access);
            joined = Some(self.unifier.join(joined, &ty));
        }
        let element = joined.unwrap_or_else(|| self.unifier.fresh());
        Type::list(element)
    }

    pub(super) fn map(&mut self, entries: &[Entry]) -> Type {
        let (mut keys, mut values) = (None, None);
        for entry in entries {
            let key = self.expr(entry.key);
            keys = Some(self.unifier.join(keys, &key));
            let value = self.element(entry.value, entry.access);
            values = Some(self.unifier.join(values, &value));
        }
        let key = keys.unwrap_or_else(|| self.unifier.fresh());
        let value = values.unwrap_or_else(|| self.unifier.fresh());
        Type::map(key, value)
    }

    /// The type of an element or entry: what is inside, where it is written with `?`.
    pub(super) fn element(&mut self, id: ExprId, access: Access) -> Type {
        let ty = self.expr(id);
        if access == Access::Plain {
            return ty;
        }
        let inner = self.unifier.fresh();
        if self.unifier.assignable(&ty, &Type::optional(inner.clone())) {
            return self.unifier.resolve(&inner);
        }
        let found = self.unifier.finish(&ty);
        let span = self.span(id);
        let message = format!("what stands behind `?` must be an optional, found {found}");
        self.fault(DiagnosticCode::TypeMismatch, span, message, Some("leave out the `?`".to_owned()))
    }
}
