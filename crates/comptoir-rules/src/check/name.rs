use std::sync::Arc;

use super::{Checker, Reference};
use crate::syntax::{Access, DiagnosticCode, ExprId, nearest};
use crate::types::{Type, well_known};
use crate::value::Value;

impl Checker<'_> {
    pub(super) fn ident(&mut self, id: ExprId, name: &Arc<str>) -> Type {
        if let Some(ty) = self.local(id, name) {
            return ty;
        }
        if let Some((reference, ty)) = self.named(name) {
            self.refer(id, reference);
            return ty;
        }
        self.refer(id, Reference::Undeclared(name.clone()));
        let near = nearest(name, self.env.names().chain(self.local_names()));
        let hint = near.map(|near| format!("did you mean `{near}`?")).or_else(|| self.names_hint());
        let span = self.span(id);
        self.fault(DiagnosticCode::UnknownName, span, format!("undeclared name `{name}`"), hint)
    }

    fn names_hint(&self) -> Option<String> {
        let mut names: Vec<&str> = self.env.names().collect();
        names.sort_unstable();
        names.truncate(8);
        (!names.is_empty()).then(|| format!("declared are `{}`", names.join("`, `")))
    }

    fn local_names(&self) -> impl Iterator<Item = &str> {
        self.scopes.iter().flatten().map(|(name, _)| &**name).filter(|name| !name.starts_with('@'))
    }

    /// A macro's variable, the innermost of its name.
    fn local(&mut self, id: ExprId, name: &str) -> Option<Type> {
        let found = self.find_local(name)?;
        let (reference, ty) = found;
        self.refer(id, reference);
        Some(ty)
    }

    fn find_local(&self, name: &str) -> Option<(Reference, Type)> {
        self.scopes.iter().enumerate().rev().find_map(|(level, scope)| {
            let index = scope.iter().rposition(|(own, _)| **own == *name)?;
            let ty = scope.get(index)?.1.clone();
            let narrow = |value: usize| u16::try_from(value).unwrap_or(u16::MAX);
            Some((Reference::Local { level: narrow(level), index: narrow(index) }, ty))
        })
    }

    /// A variable, constant or type, by a name that may have dots.
    fn named(&self, name: &str) -> Option<(Reference, Type)> {
        self.env.resolve(name, |candidate| {
            if let Some((name, ty)) = self.env.variable_entry(candidate) {
                return Some((Reference::Variable(name.clone()), ty.clone()));
            }
            if let Some((ty, value)) = self.env.constant(candidate) {
                return Some((Reference::Constant(value.clone()), ty.clone()));
            }
            if candidate == "google.protobuf.NullValue.NULL_VALUE" {
                return Some((Reference::Constant(Value::Int(0)), Type::Int));
            }
            let ty = match self.env.struct_type(candidate) {
                Some(_) => Type::Struct(candidate.into()),
                None if candidate == "dyn" => return None,
                None => well_known(candidate)?,
            };
            Some((Reference::TypeName(ty.runtime_name()), Type::Type(Some(Arc::new(ty)))))
        })
    }

    /// A selection: a qualified name where the names say so, else a field.
    pub(super) fn select(&mut self, id: ExprId, operand: ExprId, field: &Arc<str>, access: Access) -> Type {
        if access == Access::Plain
            && let Some((reference, ty)) = self.qualified(id)
        {
            self.refer(id, reference);
            return ty;
        }
        let operand_type = self.expr(operand);
        let (is_optional, inner) = self.through_optional(&operand_type);
        let field_type = self.field(id, &inner, field);
        if is_optional || access == Access::Optional { Type::optional(field_type) } else { field_type }
    }

    /// What `a.b.c` means as a name as a whole; a macro's variable `a` hides all names that start with it.
    fn qualified(&self, id: ExprId) -> Option<(Reference, Type)> {
        let root = self.ast.root_name(id)?;
        if !self.env.may_be_qualified(root) || self.find_local(root).is_some() {
            return None;
        }
        self.named(&self.ast.qualified_name(id)?)
    }

    /// Whether the type is an optional, and the type with it taken off.
    fn through_optional(&self, ty: &Type) -> (bool, Type) {
        let resolved = self.unifier.resolve(ty);
        match resolved.as_optional() {
            Some(inner) => (true, self.unifier.resolve(inner)),
            None => (false, resolved),
        }
    }

    /// The type of a field.
    fn field(&mut self, id: ExprId, ty: &Type, field: &str) -> Type {
        let (message, hint) = match ty {
            Type::Dyn | Type::Error => return Type::Dyn,
            Type::Map(entry) => return entry.1.clone(),
            Type::Variable(_) => {
                self.unifier.assignable(&Type::Dyn, ty);
                return Type::Dyn;
            }
            Type::Struct(name) => {
                let Some(declared) = self.env.struct_type(name).cloned() else { return Type::Dyn };
                if let Some(found) = declared.field(field) {
                    return found.ty.clone();
                }
                let names = || declared.fields().iter().map(|field| &*field.name);
                let hint = match nearest(field, names()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("fields are `{}`", names().take(8).collect::<Vec<_>>().join("`, `")),
                };
                (format!("`{name}` has no field `{field}`"), Some(hint))
            }
            other => (format!("type {} has no fields", self.unifier.finish(other)), None),
        };
        let span = self.span(id);
        self.fault(DiagnosticCode::UnknownField, span, message, hint)
    }

    pub(super) fn has(&mut self, id: ExprId, operand: ExprId, field: &Arc<str>) -> Type {
        let operand_type = self.expr(operand);
        let (_, inner) = self.through_optional(&operand_type);
        self.field(id, &inner, field);
        Type::Bool
    }
}
