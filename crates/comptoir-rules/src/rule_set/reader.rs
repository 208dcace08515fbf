use super::vocabulary::Dictionary;
use crate::ir::{Node, NodeId, NodeKind};
use crate::syntax::{Ast, BinaryOp, FoldKind};
use crate::types::Type;
use crate::value::Value;

/// One condition while it is read.
pub(super) struct Reader<'r> {
    pub ast: &'r Ast,
    pub nodes: &'r [Node],
    pub slots: Vec<u32>,
    /// The number that the nodes are kept under, where a clause needs them.
    pub kept: Option<u32>,
}

impl<'r> Reader<'r> {
    pub(super) fn kind(&self, id: NodeId) -> Option<&'r NodeKind> {
        self.nodes.get(id.index()).map(|node| &node.kind)
    }

    pub(super) fn slot(&self, slot: u32) -> Option<u32> {
        self.slots.get(slot as usize).copied()
    }

    /// A list, and the constants that one of its elements must be: `'a' in list`, `list.exists(x, x in ['a', 'b'])`.
    pub(super) fn any(&self, node: NodeId) -> Option<(u32, Vec<&'r Value<'static>>)> {
        let mut constants = Vec::new();
        let list = match self.kind(node)? {
            NodeKind::Binary { op: BinaryOp::In, left, right } => {
                constants.push(self.constant(*left)?);
                *right
            }
            NodeKind::Fold(fold) if fold.kind == FoldKind::Exists && !fold.is_pair => {
                self.elements(fold.body, &mut constants)?;
                fold.range
            }
            _ => return None,
        };
        let of = self.nodes.get(list.index()).filter(|of| matches!(of.ty, Type::List(_)))?;
        let NodeKind::Slot(slot) = of.kind else { return None };
        constants.iter().all(|constant| Dictionary::takes(constant)).then_some(())?;
        Some((self.slot(slot)?, constants))
    }

    /// The constants that the element of a macro is compared with for equality.
    fn elements(&self, node: NodeId, constants: &mut Vec<&'r Value<'static>>) -> Option<()> {
        let is_element = |id: NodeId| matches!(self.kind(id), Some(NodeKind::Local { up: 0, index: 0 }));
        match self.kind(node)? {
            NodeKind::InSet { operand, set } if is_element(*operand) => constants.extend(set.values()),
            NodeKind::Binary { op: BinaryOp::Equal, left, right } if is_element(*left) => {
                constants.push(self.constant(*right)?);
            }
            NodeKind::Binary { op: BinaryOp::Equal, left, right } if is_element(*right) => {
                constants.push(self.constant(*left)?);
            }
            NodeKind::Or(operands) => {
                for operand in operands {
                    self.elements(*operand, constants)?;
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn constant(&self, id: NodeId) -> Option<&'r Value<'static>> {
        match self.kind(id)? {
            NodeKind::Const(constant) => Some(constant),
            _ => None,
        }
    }
}
