use std::sync::Arc;

use super::lower::Lowering;
use super::{NodeKind, Slot};
use crate::check::Reference;
use crate::syntax::{Access, ExprId, ExprKind};
use crate::types::{StructType, Type};

impl Lowering<'_> {
    /// The input that an expression names: a variable, or a field of a struct in one.
    pub(super) fn input_path(&self, id: ExprId) -> Option<Vec<Arc<str>>> {
        match (self.reference(id), &self.ast.get(id).kind) {
            (Some(Reference::Variable(name)), _) => Some(vec![name.clone()]),
            (None, ExprKind::Select { operand, field, access: Access::Plain }) => {
                self.struct_of(*operand)?;
                let mut path = self.input_path(*operand)?;
                path.push(field.clone());
                Some(path)
            }
            _ => None,
        }
    }

    /// The struct type of an expression.
    pub(super) fn struct_of(&self, id: ExprId) -> Option<&Arc<StructType>> {
        match self.ty(id) {
            Type::Struct(name) => self.env.struct_type(name),
            _ => None,
        }
    }

    /// The struct type of an expression and the place of a field in it.
    pub(super) fn place(&self, operand: ExprId, field: &str) -> Option<(Arc<StructType>, u32)> {
        let of = self.struct_of(operand)?;
        let position = u32::try_from(of.position(field)?).ok()?;
        Some((of.clone(), position))
    }

    /// The slot for a path, the same for the same path.
    pub(super) fn slot(&mut self, path: Vec<Arc<str>>, ty: Type) -> u32 {
        if let Some(index) = self.slot_places.get(&path) {
            return *index;
        }
        let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        let name = path.join(".").into();
        self.slot_places.insert(path.clone(), index);
        self.slots.push(Slot { path, name, ty });
        index
    }

    /// `has(a.b)` where `a.b` is an input.
    pub(super) fn has_input(&mut self, operand: ExprId, field: &Arc<str>) -> Option<NodeKind> {
        let declared = self.struct_of(operand)?.field(field)?.ty.clone();
        let mut path = self.input_path(operand)?;
        path.push(field.clone());
        Some(NodeKind::HasSlot(self.slot(path, declared)))
    }
}
