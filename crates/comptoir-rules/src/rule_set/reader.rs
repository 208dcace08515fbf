use super::vocabulary::{Axis, Dictionary, range};
use crate::error::Error;
use crate::ir::{Node, NodeId, NodeKind, Slot, cut_out};
use crate::program::Workspace;
use crate::syntax::{Ast, BinaryOp, FoldKind, Written, unparse_with};
use crate::types::{Env, Type};
use crate::value::Value;

/// A condition taken apart, before its inputs and constants have numbers in the set: what can be done for each rule by
/// itself.
pub(super) struct Condition {
    pub ty: Type,
    pub slots: Vec<Slot>,
    /// Alternatives of clauses that must all hold.
    pub branches: Vec<Vec<Part>>,
}

/// A clause of a condition; slots are those of the condition.
pub(super) enum Part {
    /// A comparison of a slot with a constant, for a dictionary or an axis.
    Compare { slot: u32, op: BinaryOp, constant: Value<'static> },
    /// A slot is one of constants.
    In { slot: u32, constants: Vec<Value<'static>> },
    /// An element of the list in a slot is one of constants.
    Any { slot: u32, constants: Vec<Value<'static>>, expression: Expression },
    /// Anything else.
    General(Expression),
}

/// What the machine evaluates: nodes, the outermost last, and the text by which it is known.
pub(super) struct Expression {
    pub text: String,
    pub nodes: Vec<Node>,
}

/// Sources that share a workspace.
#[cfg(feature = "arrow")]
const SHARE: usize = 32;

/// The conditions that sources say, none for a blank one.
pub(super) fn conditions(env: &Env, sources: Vec<&str>) -> Vec<Option<Result<Condition, Error>>> {
    let compile = |workspace: &mut Workspace, source: &str| {
        (!source.trim().is_empty()).then(|| Condition::compile(env, source, workspace))
    };
    #[cfg(feature = "arrow")]
    if sources.len() >= 64 {
        use rayon::prelude::*;
        return sources.into_par_iter().with_min_len(SHARE).map_init(Workspace::default, compile).collect();
    }
    let mut workspace = Workspace::default();
    sources.into_iter().map(|source| compile(&mut workspace, source)).collect()
}

impl Condition {
    /// Compiles a source and takes the program apart.
    fn compile(env: &Env, source: &str, workspace: &mut Workspace) -> Result<Self, Error> {
        let program = env.compile_in(source, workspace)?;
        let (root, ty) = (program.root(), program.result_type().clone());
        let (ast, nodes, slots) = program.into_parts();
        let reader = Reader { ast: &ast, nodes: &nodes };
        let branches = match reader.kind(root) {
            Some(NodeKind::Or(operands)) => {
                operands.iter().map(|operand| reader.conjunction(*operand)).collect()
            }
            _ => vec![reader.conjunction(root)],
        };
        workspace.give_back(ast, nodes);
        Ok(Self { ty, slots, branches })
    }
}

struct Reader<'r> {
    ast: &'r Ast,
    nodes: &'r [Node],
}

impl<'r> Reader<'r> {
    fn conjunction(&self, node: NodeId) -> Vec<Part> {
        let mut stack = vec![node];
        let mut parts = Vec::new();
        while let Some(operand) = stack.pop() {
            match self.kind(operand) {
                Some(NodeKind::And(operands)) => stack.extend(operands.iter().rev()),
                Some(NodeKind::Const(Value::Bool(true))) => {}
                _ => parts.push(self.part(operand)),
            }
        }
        parts
    }

    fn part(&self, node: NodeId) -> Part {
        if let Some(simple) = self.simple(node) {
            return simple;
        }
        let expression = self.expression(node);
        match self.any(node) {
            Some((slot, constants)) => Part::Any { slot, constants, expression },
            None => Part::General(expression),
        }
    }

    /// A clause that compares one input with constants.
    fn simple(&self, node: NodeId) -> Option<Part> {
        match self.kind(node)? {
            NodeKind::Binary { op, left, right } => {
                let (slot, op, constant) = match (self.kind(*left)?, self.kind(*right)?) {
                    (NodeKind::Slot(slot), NodeKind::Const(constant)) => (*slot, *op, constant),
                    (NodeKind::Const(constant), NodeKind::Slot(slot)) => (*slot, flipped(*op)?, constant),
                    _ => return None,
                };
                let is_simple = match op {
                    BinaryOp::Equal | BinaryOp::NotEqual => Dictionary::takes(constant),
                    _ => range(op).is_some() && Axis::takes(constant),
                };
                is_simple.then(|| Part::Compare { slot, op, constant: constant.clone() })
            }
            NodeKind::InSet { operand, set } => {
                let NodeKind::Slot(slot) = *self.kind(*operand)? else { return None };
                let is_simple = set.values().iter().all(Dictionary::takes);
                is_simple.then(|| Part::In { slot, constants: set.values().to_vec() })
            }
            _ => None,
        }
    }

    fn expression(&self, node: NodeId) -> Expression {
        let expr = self.nodes.get(node.index()).map_or(self.ast.root(), |node| node.expr);
        let text = unparse_with(self.ast, expr, &mut |_| Written::Node);
        Expression { text, nodes: cut_out(self.nodes, node) }
    }

    /// A list, and the constants that one of its elements must be: `'a' in list`, `list.exists(x, x in ['a', 'b'])`.
    fn any(&self, node: NodeId) -> Option<(u32, Vec<Value<'static>>)> {
        let mut constants = Vec::new();
        let list = match self.kind(node)? {
            NodeKind::Binary { op: BinaryOp::In, left, right } => {
                constants.push(self.constant(*left)?.clone());
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
        constants.iter().all(Dictionary::takes).then_some((slot, constants))
    }

    /// The constants that the element of a macro is compared with for equality.
    fn elements(&self, node: NodeId, constants: &mut Vec<Value<'static>>) -> Option<()> {
        let is_element = |id: NodeId| matches!(self.kind(id), Some(NodeKind::Local { up: 0, index: 0 }));
        match self.kind(node)? {
            NodeKind::InSet { operand, set } if is_element(*operand) => {
                constants.extend_from_slice(set.values());
            }
            NodeKind::Binary { op: BinaryOp::Equal, left, right } if is_element(*left) => {
                constants.push(self.constant(*right)?.clone());
            }
            NodeKind::Binary { op: BinaryOp::Equal, left, right } if is_element(*right) => {
                constants.push(self.constant(*left)?.clone());
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

    fn kind(&self, id: NodeId) -> Option<&'r NodeKind> {
        self.nodes.get(id.index()).map(|node| &node.kind)
    }

    fn constant(&self, id: NodeId) -> Option<&'r Value<'static>> {
        match self.kind(id)? {
            NodeKind::Const(constant) => Some(constant),
            _ => None,
        }
    }
}

const fn flipped(op: BinaryOp) -> Option<BinaryOp> {
    Some(match op {
        BinaryOp::Equal => BinaryOp::Equal,
        BinaryOp::NotEqual => BinaryOp::NotEqual,
        BinaryOp::Less => BinaryOp::Greater,
        BinaryOp::LessEqual => BinaryOp::GreaterEqual,
        BinaryOp::Greater => BinaryOp::Less,
        BinaryOp::GreaterEqual => BinaryOp::LessEqual,
        _ => return None,
    })
}
