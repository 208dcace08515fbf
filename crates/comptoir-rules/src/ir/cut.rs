use super::operands::each_id_mut;
use super::{Node, NodeId, each_operand};

/// A node and all that it needs, as nodes of their own: the node itself is the last.
pub(crate) fn cut_out(nodes: &[Node], root: NodeId) -> Vec<Node> {
    let mut needed = vec![root];
    let mut at = 0;
    while let Some(id) = needed.get(at).copied() {
        if let Some(node) = nodes.get(id.index()) {
            each_operand(&node.kind, |operand| needed.push(operand));
        }
        at += 1;
    }
    // Operands have lower numbers than what uses them, and keep them.
    needed.sort_unstable();
    needed.dedup();
    let place = |old: NodeId| {
        let place = needed.binary_search(&old).unwrap_or(usize::MAX);
        NodeId(u32::try_from(place).unwrap_or(u32::MAX))
    };
    let mut cut: Vec<Node> = needed.iter().filter_map(|id| nodes.get(id.index()).cloned()).collect();
    for node in &mut cut {
        each_id_mut(&mut node.kind, |id| *id = place(*id));
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::{Inputs, Machine};
    use crate::ir::NodeKind;
    use crate::{Env, Value};

    #[test]
    fn a_part_is_what_it_is_in_the_whole() {
        let env = Env::builder().variable_of("n", "int").variable_of("list", "list(int)").build().unwrap();
        let program = env
            .compile(
                "[n in [1, 2], list.map(i, i > n, i * 2).exists(i, i == 4), n > 1 ? {'a': n}.a == 2 : !has({'b': n}.a), \
                 cel.bind(x, n + 1, x * x) > -n && list[0] < 3, optional.of(n).optMap(x, x + 1).orValue(0) == 3, \
                 'ab'.matches('a.') || string(n).size() == 1] == []",
            )
            .unwrap();
        for n in 0..3 {
            let slots: Vec<Value<'_>> = program
                .slots()
                .iter()
                .map(|slot| match &*slot.name {
                    "n" => Value::Int(n),
                    _ => Value::list(vec![Value::Int(n), Value::Int(2)]),
                })
                .collect();
            let value = |nodes: &[Node], node: usize| {
                let machine = Machine::new(nodes, &[], Inputs::Slots(&slots, program.slots()), 1_000_000);
                machine.run(NodeId(u32::try_from(node).unwrap())).map(|value| value.to_json())
            };
            let mut tried = 0;
            for (index, node) in program.nodes().iter().enumerate() {
                // What stands in a scope needs it.
                if matches!(node.kind, NodeKind::Local { .. }) {
                    continue;
                }
                let Ok(expected) = value(program.nodes(), index) else { continue };
                let cut = cut_out(program.nodes(), NodeId(u32::try_from(index).unwrap()));
                assert!(cut.len() <= index + 1);
                assert_eq!(value(&cut, cut.len() - 1).unwrap(), expected);
                tried += 1;
            }
            assert!(tried > 20, "{tried}");
        }
    }
}
