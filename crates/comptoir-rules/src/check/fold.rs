use std::sync::Arc;

use super::Checker;
use crate::syntax::{DiagnosticCode, ExprId, Flatness, FoldKind};
use crate::types::Type;

impl Checker<'_> {
    pub(super) fn fold(
        &mut self,
        kind: FoldKind,
        range: ExprId,
        variables: &[Arc<str>],
        filter: Option<ExprId>,
        body: ExprId,
    ) -> Type {
        let range_type = self.expr(range);
        let (key, value) = self.range_types(range, &range_type);
        let is_map = matches!(self.unifier.resolve(&range_type), Type::Map(_));
        let first = if is_map || variables.len() == 2 { key.clone() } else { value.clone() };
        let element = first.clone();
        self.scopes.push(variables.iter().cloned().zip([first, value]).collect());
        if let Some(filter) = filter {
            self.expect(filter, &Type::Bool, "the condition of a macro");
        }
        let result = match kind {
            FoldKind::All | FoldKind::Exists | FoldKind::ExistsOne => {
                self.expect(body, &Type::Bool, "the condition of a macro");
                Type::Bool
            }
            FoldKind::Map | FoldKind::TransformList => Type::list(self.expr(body)),
            FoldKind::Filter => {
                self.expr(body);
                Type::list(element)
            }
            FoldKind::TransformMap => Type::map(key, self.expr(body)),
            FoldKind::TransformMapEntry => self.entry(body),
            FoldKind::SortBy => {
                self.sort_key(body);
                Type::list(element)
            }
        };
        self.scopes.pop();
        result
    }

    /// The types of key (or index) and value of what a macro goes over.
    fn range_types(&mut self, range: ExprId, ty: &Type) -> (Type, Type) {
        match self.unifier.resolve(ty) {
            Type::List(element) => (Type::Int, (*element).clone()),
            Type::Map(entry) => (entry.0.clone(), entry.1.clone()),
            Type::Dyn | Type::Error => (Type::Dyn, Type::Dyn),
            Type::Variable(_) => {
                self.unifier.assignable(&Type::Dyn, ty);
                (Type::Dyn, Type::Dyn)
            }
            other => {
                let message =
                    format!("a macro goes over a list or map, found {}", self.unifier.finish(&other));
                let span = self.span(range);
                self.fault(DiagnosticCode::TypeMismatch, span, message, None);
                (Type::Error, Type::Error)
            }
        }
    }

    fn entry(&mut self, body: ExprId) -> Type {
        let ty = self.expr(body);
        let wanted = Type::map(self.unifier.fresh(), self.unifier.fresh());
        if self.unifier.assignable(&ty, &wanted) {
            return self.unifier.resolve(&wanted);
        }
        let message = format!("`transformMapEntry` makes maps, found {}", self.unifier.finish(&ty));
        let span = self.span(body);
        self.fault(DiagnosticCode::TypeMismatch, span, message, Some("write `{key: value}`".to_owned()))
    }

    fn sort_key(&mut self, body: ExprId) {
        let ty = self.expr(body);
        let resolved = self.unifier.finish(&ty);
        let is_ordered = matches!(
            resolved,
            Type::Dyn
                | Type::Error
                | Type::Bool
                | Type::Int
                | Type::Uint
                | Type::Double
                | Type::String
                | Type::Bytes
                | Type::Timestamp
                | Type::Duration
                | Type::Decimal
        );
        if !is_ordered {
            let span = self.span(body);
            let message = format!("values of type {resolved} have no order");
            self.fault(DiagnosticCode::TypeMismatch, span, message, None);
        }
    }

    pub(super) fn block(&mut self, bindings: &[(Arc<str>, ExprId)], body: ExprId) -> Type {
        self.scopes.push(Vec::with_capacity(bindings.len()));
        for (name, value) in bindings {
            let ty = self.expr(*value);
            if let Some(scope) = self.scopes.last_mut() {
                scope.push((name.clone(), ty));
            }
        }
        let ty = self.expr(body);
        self.scopes.pop();
        ty
    }

    pub(super) fn optional_map(
        &mut self,
        target: ExprId,
        variable: &Arc<str>,
        body: ExprId,
        flatness: Flatness,
    ) -> Type {
        let target_type = self.expr(target);
        let inner = self.unifier.fresh();
        if !self.unifier.assignable(&target_type, &Type::optional(inner.clone())) {
            let message =
                format!("`optMap` is called on an optional, found {}", self.unifier.finish(&target_type));
            let span = self.span(target);
            self.fault(DiagnosticCode::TypeMismatch, span, message, None);
        }
        let value = self.unifier.resolve(&inner);
        self.scopes.push(vec![(variable.clone(), value)]);
        let ty = self.expr(body);
        self.scopes.pop();
        if flatness == Flatness::Wrapped {
            return Type::optional(ty);
        }
        let wanted = Type::optional(self.unifier.fresh());
        if self.unifier.assignable(&ty, &wanted) {
            return self.unifier.resolve(&wanted);
        }
        let message = format!("`optFlatMap` makes optionals, found {}", self.unifier.finish(&ty));
        let span = self.span(body);
        self.fault(DiagnosticCode::TypeMismatch, span, message, Some("use `optMap`".to_owned()))
    }
}
