use std::sync::Arc;

use super::lower::Lowering;
use super::{MessageNode, NodeKind};
use crate::check::Reference;
use crate::syntax::{ExprId, Field};
use crate::value::{EvalCode, EvalError};

impl Lowering<'_> {
    pub(super) fn message(&mut self, id: ExprId, fields: &[Field]) -> NodeKind {
        let Some(Reference::Message(message)) = self.reference(id) else {
            return NodeKind::Fail(Arc::new(EvalError::new(EvalCode::UnknownName, "undeclared type")));
        };
        let fields =
            fields.iter().map(|field| (field.name.clone(), self.expr(field.value), field.access)).collect();
        NodeKind::Message(Box::new(MessageNode { message: message.clone(), fields }))
    }
}
