use std::sync::Arc;

use hashbrown::HashMap;

use super::{FoldNode, Node, NodeId, NodeKind, Slot, constant};
use crate::check::{Checked, Mode, Reference};
use crate::syntax::{Ast, Diagnostic, Diagnostics, ExprId, ExprKind, Literal, LogicOp, UnaryOp};
use crate::types::{Env, Type};
use crate::value::{EvalCode, EvalError, Value};

/// The nodes of a program.
#[derive(Debug)]
pub(crate) struct Lowered {
    pub nodes: Vec<Node>,
    pub root: NodeId,
    pub slots: Vec<Slot>,
}

/// Places of slots by their paths.
pub(crate) type SlotPlaces = HashMap<Vec<Arc<str>>, u32>;

/// Makes the intermediate form of a checked tree. `nodes` becomes that of the program, `slot_places` keeps its memory.
///
/// # Errors
/// A regular expression that does not compile, in the checked mode.
pub(crate) fn lower(
    (ast, env): (&Ast, &Env),
    (checked, mode): (&Checked, Mode),
    mut nodes: Vec<Node>,
    slot_places: &mut SlotPlaces,
) -> Result<Lowered, Diagnostics> {
    nodes.clear();
    nodes.reserve(ast.len());
    slot_places.clear();
    let mut lowering = Lowering {
        ast,
        env,
        checked,
        mode,
        nodes,
        slots: Vec::new(),
        slot_places,
        faults: Vec::new(),
        level: 0,
    };
    let root = lowering.expr(ast.root());
    if !lowering.faults.is_empty() {
        return Err(Diagnostics::new(ast.source(), lowering.faults));
    }
    Ok(Lowered { nodes: lowering.nodes, root, slots: lowering.slots })
}

pub(super) struct Lowering<'l> {
    pub(super) ast: &'l Ast,
    pub(super) env: &'l Env,
    checked: &'l Checked,
    pub(super) mode: Mode,
    pub(super) nodes: Vec<Node>,
    pub(super) slots: Vec<Slot>,
    pub(super) slot_places: &'l mut SlotPlaces,
    pub(super) faults: Vec<Diagnostic>,
    /// Scopes around the node.
    level: u16,
}

impl<'l> Lowering<'l> {
    pub(super) fn expr(&mut self, id: ExprId) -> NodeId {
        let kind = match self.named(id) {
            Some(kind) => kind,
            None => self.structural(id),
        };
        self.push(kind, id)
    }

    /// What a name means: an input, a local, a constant.
    fn named(&mut self, id: ExprId) -> Option<NodeKind> {
        if let Some(path) = self.input_path(id) {
            let ty = self.ty(id).clone();
            return Some(NodeKind::Slot(self.slot(path, ty)));
        }
        Some(match self.reference(id)? {
            Reference::Local { level, index } => {
                NodeKind::Local { up: self.level.saturating_sub(level + 1), index: *index }
            }
            Reference::Constant(value) => NodeKind::Const(value.clone()),
            Reference::TypeName(name) => {
                NodeKind::Const(Value::Type(crate::value::Str::Shared(name.clone())))
            }
            Reference::Undeclared(name) => {
                let message = format!("undeclared `{name}`");
                NodeKind::Fail(Arc::new(EvalError::new(EvalCode::UnknownName, message)))
            }
            Reference::Unavailable(why) => {
                NodeKind::Fail(Arc::new(EvalError::new(EvalCode::UnknownName, why.to_string())))
            }
            Reference::Variable(_) | Reference::Call { .. } | Reference::Message(_) => return None,
        })
    }

    fn structural(&mut self, id: ExprId) -> NodeKind {
        let ast = self.ast;
        match &ast.get(id).kind {
            ExprKind::Literal(literal) => NodeKind::Const(value_of(literal)),
            ExprKind::Select { operand, field, access } => {
                let place = self.place(*operand, field);
                NodeKind::Field { operand: self.expr(*operand), name: field.clone(), place, access: *access }
            }
            ExprKind::Has { operand, field } => self.has(*operand, field),
            ExprKind::Index { operand, index, access } => {
                NodeKind::Index { operand: self.expr(*operand), index: self.expr(*index), access: *access }
            }
            ExprKind::Call { target, args, .. } => self.call(id, *target, args),
            ExprKind::Unary { op: UnaryOp::Not, operand } => NodeKind::Not(self.expr(*operand)),
            ExprKind::Unary { op: UnaryOp::Negate, operand } => NodeKind::Negate(self.expr(*operand)),
            ExprKind::Binary { op, left, right } => {
                let (left, right) = (self.expr(*left), self.expr(*right));
                self.binary(*op, left, right)
            }
            ExprKind::Logic { op, operands } => {
                let operands = operands.iter().map(|operand| self.expr(*operand)).collect();
                match op {
                    LogicOp::And => NodeKind::And(operands),
                    LogicOp::Or => NodeKind::Or(operands),
                }
            }
            ExprKind::Conditional { condition, then, otherwise } => NodeKind::Conditional {
                condition: self.expr(*condition),
                then: self.expr(*then),
                otherwise: self.expr(*otherwise),
            },
            _ => self.composite(id),
        }
    }

    /// Literals with parts, and the macros, which have scopes.
    fn composite(&mut self, id: ExprId) -> NodeKind {
        let ast = self.ast;
        match &ast.get(id).kind {
            ExprKind::List(elements) => {
                NodeKind::List(elements.iter().map(|one| (self.expr(one.value), one.access)).collect())
            }
            ExprKind::Map(entries) => NodeKind::Map(
                entries.iter().map(|one| (self.expr(one.key), self.expr(one.value), one.access)).collect(),
            ),
            ExprKind::Message { fields, .. } => self.message(id, fields),
            ExprKind::Fold { kind, range, variables, filter, body } => {
                let range = self.expr(*range);
                let (filter, body) =
                    self.inside(|this| (filter.map(|filter| this.expr(filter)), this.expr(*body)));
                let is_pair = variables.len() == 2;
                NodeKind::Fold(Box::new(FoldNode { kind: *kind, range, is_pair, filter, body }))
            }
            ExprKind::Block { bindings, body } => {
                let bind = |this: &mut Self| bindings.iter().map(|(_, value)| this.expr(*value)).collect();
                let (bindings, body) = self.inside(|this| (bind(this), this.expr(*body)));
                NodeKind::Block { bindings, body }
            }
            ExprKind::OptionalMap { target, body, flatness, .. } => {
                let target = self.expr(*target);
                let body = self.inside(|this| this.expr(*body));
                NodeKind::OptionalMap { target, body, flatness: *flatness }
            }
            _ => {
                NodeKind::Fail(Arc::new(EvalError::new(EvalCode::UnknownName, "the expression has a fault")))
            }
        }
    }

    /// Lowers what is in the scope of a macro.
    fn inside<T>(&mut self, lower: impl FnOnce(&mut Self) -> T) -> T {
        self.level += 1;
        let lowered = lower(self);
        self.level -= 1;
        lowered
    }

    fn has(&mut self, operand: ExprId, field: &Arc<str>) -> NodeKind {
        match self.has_input(operand, field) {
            Some(kind) => kind,
            None => NodeKind::HasField { operand: self.expr(operand), name: field.clone() },
        }
    }

    fn call(&mut self, id: ExprId, target: Option<ExprId>, args: &[ExprId]) -> NodeKind {
        let Some(Reference::Call { function, overloads, is_namespaced }) = self.reference(id) else {
            return NodeKind::Fail(Arc::new(EvalError::new(EvalCode::UnknownName, "undeclared function")));
        };
        let target = if *is_namespaced { None } else { target };
        let args: Box<[NodeId]> =
            target.into_iter().chain(args.iter().copied()).map(|arg| self.expr(arg)).collect();
        let overloads = overloads.iter().cloned().collect();
        self.compiled_call(id, function.name.clone(), overloads, args)
    }

    pub(super) fn reference(&self, id: ExprId) -> Option<&'l Reference> {
        self.checked.references.get(id.index()).and_then(Option::as_ref)
    }

    pub(super) fn ty(&self, id: ExprId) -> &'l Type {
        self.checked.types.get(id.index()).unwrap_or(&Type::Dyn)
    }

    /// Adds a node, or the constant that it comes to.
    pub(super) fn push(&mut self, kind: NodeKind, expr: ExprId) -> NodeId {
        let charge = constant::charge(&kind, &self.nodes);
        let is_foldable = constant::is_foldable(&kind, &self.nodes);
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(Node {
            kind,
            ty: self.ty(expr).clone(),
            span: self.ast.get(expr).span,
            expr,
            charge,
        });
        if is_foldable
            && let Some(value) = constant::evaluate(&self.nodes, id)
            && let Some(node) = self.nodes.last_mut()
        {
            node.kind = NodeKind::Const(value);
            node.charge = 0;
        }
        id
    }
}

pub(super) fn value_of(literal: &Literal) -> Value<'static> {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Int(value) => Value::Int(*value),
        Literal::Uint(value) => Value::Uint(*value),
        Literal::Double(value) => Value::Double(*value),
        Literal::String(text) => Value::string(text.clone()),
        Literal::Bytes(bytes) => Value::bytes(bytes.clone()),
    }
}
