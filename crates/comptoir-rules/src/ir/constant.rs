use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::lower::Lowering;
use super::{LiteralSet, Node, NodeId, NodeKind, each_operand};
use crate::check::Mode;
use crate::eval::{Inputs, Machine};
use crate::syntax::{Access, BinaryOp, Diagnostic, DiagnosticCode, ExprId, ExprKind, Flatness};
use crate::types::{Overload, Type};
use crate::value::{EvalCode, EvalError, Value};

/// Work that folding a constant may take: more is left to the evaluation, where the budget counts it.
const FOLD_BUDGET: u64 = 1_000;

/// Whether reading the value is all there is to do: its parent pays for it.
pub(crate) fn is_leaf(kind: &NodeKind, nodes: &[Node]) -> bool {
    match kind {
        NodeKind::Const(_) | NodeKind::Slot(_) | NodeKind::Local { .. } => true,
        NodeKind::Field { operand, access: Access::Plain, .. } => is_leaf_node(*operand, nodes),
        _ => false,
    }
}

fn is_leaf_node(id: NodeId, nodes: &[Node]) -> bool {
    nodes.get(id.index()).is_some_and(|node| is_leaf(&node.kind, nodes))
}

/// What a node costs with its leaves, in the units of cel-go: a name or field 1, a call 1, a list 10, a map 30, a
/// message 40.
pub(super) fn charge(kind: &NodeKind, nodes: &[Node]) -> u32 {
    let own = match kind {
        NodeKind::Const(_) | NodeKind::Fail(_) | NodeKind::And(_) | NodeKind::Or(_) => 0,
        NodeKind::List(_) => 10,
        NodeKind::Map(_) => 30,
        NodeKind::Message(_) => 40,
        _ => 1,
    };
    let mut sum: u32 = own;
    each_operand(kind, |id| {
        let leaf = nodes.get(id.index()).filter(|node| is_leaf(&node.kind, nodes));
        sum = sum.saturating_add(leaf.map_or(0, |node| node.charge));
    });
    sum
}

/// Whether a node is computed from constants by the library.
pub(super) fn is_foldable(kind: &NodeKind, nodes: &[Node]) -> bool {
    let is_known = match kind {
        NodeKind::Const(_)
        | NodeKind::Slot(_)
        | NodeKind::HasSlot(_)
        | NodeKind::Local { .. }
        | NodeKind::Fail(_)
        | NodeKind::Fold(_)
        | NodeKind::Block { .. }
        | NodeKind::OptionalMap { .. } => false,
        NodeKind::Call { overloads, .. } => overloads.iter().all(is_pure),
        _ => true,
    };
    let is_constant =
        |id: NodeId| matches!(nodes.get(id.index()).map(|node| &node.kind), Some(NodeKind::Const(_)));
    let mut is_foldable = is_known;
    each_operand(kind, |id| is_foldable = is_foldable && is_constant(id));
    is_foldable
}

fn is_pure(overload: &Arc<Overload>) -> bool {
    overload.is_library()
}

/// The value of a node that depends on no input; `None` where it is an error, or too much work.
pub(super) fn evaluate(nodes: &[Node], id: NodeId) -> Option<Value<'static>> {
    if let Some(NodeKind::List(elements)) = nodes.get(id.index()).map(|node| &node.kind) {
        // The elements are shared with their nodes, not copied.
        let constant = |(id, access): &(NodeId, Access)| match &nodes.get(id.index())?.kind {
            NodeKind::Const(value) if *access == Access::Plain => Some(value.clone()),
            _ => None,
        };
        if let Some(values) = elements.iter().map(constant).collect() {
            return Some(Value::list(values));
        }
    }
    let machine = Machine::new(nodes, &[], Inputs::Slots(&[], &[]), FOLD_BUDGET);
    machine.run(id).ok().map(Value::into_owned)
}

impl Lowering<'_> {
    /// `in` with a constant list becomes a look-up.
    pub(super) fn binary(&mut self, op: BinaryOp, left: NodeId, right: NodeId) -> NodeKind {
        if op == BinaryOp::In
            && let Some(Value::List(list)) = self.constant(right)
        {
            return NodeKind::InSet { operand: left, set: Arc::new(LiteralSet::new(list)) };
        }
        NodeKind::Binary { op, left, right }
    }

    fn constant(&self, id: NodeId) -> Option<&Value<'static>> {
        match self.nodes.get(id.index()).map(|node| &node.kind) {
            Some(NodeKind::Const(value)) => Some(value),
            _ => None,
        }
    }

    /// `matches` with a constant pattern becomes a compiled pattern.
    pub(super) fn compiled_call(
        &mut self,
        id: ExprId,
        function: Arc<str>,
        overloads: Box<[Arc<Overload>]>,
        args: Box<[NodeId]>,
    ) -> NodeKind {
        if let ("matches", [operand, pattern]) = (&*function, &*args)
            && let Some(Value::String(text)) = self.constant(*pattern)
        {
            return match compile_regex(text, self.env.limits().regex_bytes) {
                Ok(regex) => NodeKind::Matches { operand: *operand, regex: Arc::new(regex) },
                Err(message) => self.bad_regex(id, message),
            };
        }
        if let ("regex.replace" | "regex.extract" | "regex.extractAll", [_, pattern, ..]) =
            (&*function, &*args)
            && let Some(Value::String(text)) = self.constant(*pattern)
            && let Err(message) = compile_regex(text, self.env.limits().regex_bytes)
        {
            return self.bad_regex(id, message);
        }
        if let ("format", [template, _], [overload]) = (&*function, &*args, &*overloads)
            && is_pure(overload)
        {
            self.check_template(id, *template);
        }
        if let ("or" | "orValue", [operand, alternative], [overload]) = (&*function, &*args, &*overloads)
            && is_pure(overload)
        {
            let flatness = if &*function == "or" { Flatness::Flat } else { Flatness::Wrapped };
            return NodeKind::OptionalOr { operand: *operand, alternative: *alternative, flatness };
        }
        NodeKind::Call { function, overloads, args }
    }

    /// A template that is written in the source is read when it is compiled, so that its fault shows there.
    fn check_template(&mut self, id: ExprId, template: NodeId) {
        let ExprKind::Call { args, .. } = &self.ast.get(id).kind else { return };
        let (Some(Value::String(text)), Some(ExprKind::List(elements))) =
            (self.constant(template), args.last().map(|list| &self.ast.get(*list).kind))
        else {
            return;
        };
        // An element with `?` may be left out.
        let is_certain = elements.iter().all(|element| element.access == Access::Plain);
        let types: Vec<Type> = elements.iter().map(|element| self.ty(element.value).clone()).collect();
        if self.mode == Mode::Checked
            && is_certain
            && let Err(message) = crate::functions::check_format(text, &types)
        {
            let span = self.ast.get(id).span;
            self.faults.push(Diagnostic::new(DiagnosticCode::Format, span, message));
        }
    }

    fn bad_regex(&mut self, id: ExprId, message: String) -> NodeKind {
        if self.mode == Mode::Checked {
            let span = self.ast.get(id).span;
            self.faults.push(Diagnostic::new(DiagnosticCode::Regex, span, message.clone()));
        }
        NodeKind::Fail(Arc::new(EvalError::new(EvalCode::InvalidArgument, message)))
    }
}

/// Compiles a pattern of RE2's syntax.
pub(crate) fn compile_regex(pattern: &str, size_limit: usize) -> Result<Regex, String> {
    RegexBuilder::new(pattern).size_limit(size_limit).build().map_err(|error| {
        let shown: String = pattern.chars().take(60).collect();
        match error {
            regex::Error::CompiledTooBig(limit) => format!("pattern `{shown}` needs more than {limit} bytes"),
            other => {
                let text = other.to_string();
                let reason = text.lines().last().unwrap_or("").trim_start_matches("error: ");
                format!("pattern `{shown}` is no regular expression: {reason}")
            }
        }
    })
}
