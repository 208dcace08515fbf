use super::{NodeId, NodeKind};

/// Calls `visit` with each node directly under a node that is always or mostly evaluated with it.
pub(crate) fn each_operand(kind: &NodeKind, mut visit: impl FnMut(NodeId)) {
    each_id(kind, |id| visit(*id));
}

/// The same nodes, where time does not matter.
pub(crate) fn operands(kind: &NodeKind) -> impl Iterator<Item = NodeId> + use<> {
    let mut found = Vec::new();
    each_operand(kind, |id| found.push(id));
    found.into_iter()
}

/// Two functions that differ in whether the numbers of nodes can be changed.
macro_rules! each_id {
    ($name:ident, $iter:ident $(, $mut:tt)?) => {
        pub(super) fn $name(kind: &$($mut)? NodeKind, mut visit: impl FnMut(&$($mut)? NodeId)) {
            match kind {
                NodeKind::Const(_)
                | NodeKind::Slot(_)
                | NodeKind::HasSlot(_)
                | NodeKind::Local { .. }
                | NodeKind::Fail(_) => {}
                NodeKind::Field { operand, .. }
                | NodeKind::HasField { operand, .. }
                | NodeKind::Not(operand)
                | NodeKind::Negate(operand)
                | NodeKind::InSet { operand, .. }
                | NodeKind::Matches { operand, .. } => visit(operand),
                NodeKind::Index { operand: one, index: two, .. }
                | NodeKind::Binary { left: one, right: two, .. }
                | NodeKind::OptionalOr { operand: one, alternative: two, .. }
                | NodeKind::OptionalMap { target: one, body: two, .. } => {
                    [one, two].into_iter().for_each(visit);
                }
                NodeKind::Conditional { condition, then, otherwise } => {
                    [condition, then, otherwise].into_iter().for_each(visit);
                }
                NodeKind::Fold(fold) => {
                    visit(&$($mut)? fold.range);
                    fold.filter.$iter().for_each(&mut visit);
                    visit(&$($mut)? fold.body);
                }
                NodeKind::And(list) | NodeKind::Or(list) | NodeKind::Call { args: list, .. } => {
                    list.$iter().for_each(visit);
                }
                NodeKind::List(elements) => elements.$iter().for_each(|(value, _)| visit(value)),
                NodeKind::Map(entries) => {
                    entries.$iter().flat_map(|(key, value, _)| [key, value]).for_each(visit);
                }
                NodeKind::Message(message) => {
                    message.fields.$iter().for_each(|(_, value, _)| visit(value));
                }
                NodeKind::Block { bindings, body } => {
                    bindings.$iter().for_each(&mut visit);
                    visit(body);
                }
            }
        }
    };
}
each_id!(each_id, iter);
each_id!(each_id_mut, iter_mut, mut);
