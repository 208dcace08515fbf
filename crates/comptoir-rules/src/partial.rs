//! What is left of an expression when a part of its input is known.

use std::collections::HashMap;

use crate::eval::{AttributePattern, Machine};
use crate::functions::quoted;
use crate::host::Activation;
use crate::ir::NodeId;
use crate::program::Program;
use crate::syntax::{Ast, ExprId, ExprKind, LogicOp, Written, bytes_text, double_text, unparse_with};
use crate::value::{Fault, Outcome, Value};

/// What an evaluation with unknown inputs came to.
#[derive(Debug)]
pub enum Residual<'a> {
    /// The unknown parts do not matter.
    Value(Value<'a>),
    /// An expression over the unknown parts; what is known is in it as literals, but for the bodies of macros and
    /// values without a literal form, which still name their inputs.
    Expression(String),
}

impl Program {
    /// Evaluates as far as the known inputs allow, and gives the expression that is left.
    ///
    /// ```
    /// use comptoir_rules::{AttributePattern, Env, Residual, Type, Variables};
    ///
    /// let env = Env::builder().variable("level", Type::Int).variable("score", Type::Double).build()?;
    /// let program = env.compile("level >= 3 && score > 0.5")?;
    /// let unknown = [AttributePattern::parse("score").unwrap()];
    /// let known = Variables::new().with("level", 5_i64);
    /// let Ok(Residual::Expression(left)) = program.residual(&known, &unknown) else { panic!() };
    /// assert_eq!(left, "score > 0.5");
    /// # Ok::<(), comptoir_rules::Error>(())
    /// ```
    ///
    /// # Errors
    /// The error of the expression, where it is one whatever the unknown parts are, or a spent budget.
    pub fn residual<'a>(
        &'a self,
        input: &'a dyn Activation,
        unknown: &'a [AttributePattern],
    ) -> Result<Residual<'a>, Fault> {
        let machine = self.partial_machine(input, unknown);
        match machine.run(self.root()) {
            Ok(value) => return Ok(Residual::Value(value)),
            Err(Fault::Unknown(_)) => {}
            Err(fault) => return Err(fault),
        }
        let mut pruner = Pruner { ast: self.ast(), machine, nodes: self.nodes_by_expr(), bound: 0 };
        Ok(Residual::Expression(unparse_with(self.ast(), self.ast().root(), &mut |id| pruner.replace(id))))
    }

    fn nodes_by_expr(&self) -> HashMap<ExprId, NodeId> {
        let numbers = (0..).map(NodeId);
        self.nodes().iter().zip(numbers).map(|(node, id)| (node.expr, id)).collect()
    }
}

struct Pruner<'p, 'a> {
    ast: &'p Ast,
    machine: Machine<'a>,
    nodes: HashMap<ExprId, NodeId>,
    /// Nodes that are still to come inside a macro's body, where variables of the macro may stand.
    bound: usize,
}

impl<'a> Pruner<'_, 'a> {
    fn replace(&mut self, id: ExprId) -> Written {
        if self.bound > 0 {
            self.bound -= 1;
            return Written::Node;
        }
        if let Some(Ok(value)) = self.eval(id)
            && let Some(text) = literal(&value)
        {
            return Written::Text(text);
        }
        match &self.ast.get(id).kind {
            ExprKind::Logic { op, operands } => self.logic(*op, operands),
            ExprKind::Conditional { condition, then, otherwise } => match self.eval(*condition) {
                Some(Ok(Value::Bool(true))) => Written::Other(*then),
                Some(Ok(Value::Bool(false))) => Written::Other(*otherwise),
                _ => Written::Node,
            },
            ExprKind::Block { .. } | ExprKind::Fold { .. } | ExprKind::OptionalMap { .. } => {
                self.bound = size(self.ast, id) - 1;
                Written::Node
            }
            _ => Written::Node,
        }
    }

    /// The outcome of a node outside of macros; `None` for one that was not lowered, such as a part of an input's name.
    fn eval(&self, id: ExprId) -> Option<Outcome<'a>> {
        self.nodes.get(&id).map(|node| self.machine.run(*node))
    }

    fn is_bool(&self, id: ExprId) -> bool {
        let node = self.nodes.get(&id).map(|node| self.machine.node(*node));
        node.is_some_and(|node| node.ty == crate::types::Type::Bool)
    }

    /// Operands that are known to be neutral are left out.
    fn logic(&self, op: LogicOp, operands: &[ExprId]) -> Written {
        let is_neutral = |id: &ExprId| matches!(self.eval(*id), Some(Ok(Value::Bool(truth))) if truth == (op == LogicOp::And));
        let left: Vec<ExprId> = operands.iter().copied().filter(|id| !is_neutral(id)).collect();
        match left.as_slice() {
            // What is not certainly bool needs the operator, which says so.
            [one] if self.is_bool(*one) => Written::Other(*one),
            [_] | [] => Written::Node,
            _ => Written::Operands(left),
        }
    }
}

/// How many nodes are written for a node.
fn size(ast: &Ast, id: ExprId) -> usize {
    let kind = &ast.get(id).kind;
    let hidden = match kind {
        // The body of `filter` is its variable, which is not written again.
        ExprKind::Fold { kind: crate::syntax::FoldKind::Filter, body, .. } => size(ast, *body),
        _ => 0,
    };
    let mut written = 1;
    crate::syntax::children(kind, |child| written += size(ast, child));
    written - hidden
}

/// A value as an expression that makes it; `None` where there is none.
fn literal(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => format!("{value}u"),
        Value::Double(value) => double_text(*value),
        Value::String(text) => quoted(text),
        Value::Bytes(bytes) => bytes_text(bytes),
        Value::Timestamp(moment) => format!("timestamp(\"{moment}\")"),
        Value::Duration(span) => format!("duration(\"{span}\")"),
        Value::Decimal(value) => format!("decimal(\"{value}\")"),
        Value::Ip(address) => format!("ip(\"{address}\")"),
        Value::Cidr(address, prefix) => format!("cidr(\"{address}/{prefix}\")"),
        Value::Type(name) => name.to_string(),
        Value::Optional(None) => "optional.none()".to_owned(),
        Value::Optional(Some(value)) => format!("optional.of({})", literal(value)?),
        Value::List(list) => {
            let elements: Option<Vec<String>> = list.iter().map(|element| literal(&element)).collect();
            format!("[{}]", elements?.join(", "))
        }
        Value::Map(map) => {
            let entries: Option<Vec<String>> = map
                .entries()
                .iter()
                .map(|(key, value)| Some(format!("{}: {}", literal(key)?, literal(value)?)))
                .collect();
            format!("{{{}}}", entries?.join(", "))
        }
        Value::Struct(_) | Value::Absent | Value::Error(_) | Value::Unknown(_) => return None,
    })
}
