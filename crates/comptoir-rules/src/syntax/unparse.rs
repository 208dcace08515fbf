use std::fmt::Write;

use super::{Access, Ast, ExprId, ExprKind, Flatness, FoldKind, Literal, LogicOp, UnaryOp};
use crate::functions::quoted;

/// What stands in a text for a node.
pub(crate) enum Written {
    /// The node itself, its parts asked for in turn.
    Node,
    /// This text, which is a literal or a call.
    Text(String),
    /// Another node.
    Other(ExprId),
    /// A chain of `&&` or `||` with these operands only, two at least.
    Operands(Vec<ExprId>),
}

/// The text of a tree; parentheses stand where they are needed.
pub(crate) fn unparse(ast: &Ast) -> String {
    unparse_with(ast, ast.root(), &mut |_| Written::Node)
}

/// The text of a tree in which nodes may be replaced.
pub(crate) fn unparse_with(ast: &Ast, root: ExprId, replace: &mut dyn FnMut(ExprId) -> Written) -> String {
    let mut writer = Writer { ast, replace, text: String::new() };
    writer.expr(root, 0);
    writer.text
}

/// How tightly nodes bind; an operand that binds less than its place asks for gets parentheses.
const CONDITIONAL: u8 = 1;
const OR: u8 = 2;
const AND: u8 = 3;
const RELATION: u8 = 4;
const SUM: u8 = 5;
const PRODUCT: u8 = 6;
const UNARY: u8 = 7;
const PRIMARY: u8 = 8;

struct Writer<'w> {
    ast: &'w Ast,
    replace: &'w mut dyn FnMut(ExprId) -> Written,
    text: String,
}

impl Writer<'_> {
    fn expr(&mut self, id: ExprId, place: u8) {
        match (self.replace)(id) {
            Written::Text(text) => {
                let is_negative = text.starts_with('-');
                self.enclosed(is_negative && place > UNARY, |writer| writer.text.push_str(&text));
            }
            Written::Other(other) => self.expr(other, place),
            Written::Operands(operands) => match &self.ast.get(id).kind {
                ExprKind::Logic { op, .. } => self.logic(*op, &operands, place),
                _ => self.node(id, place),
            },
            Written::Node => self.node(id, place),
        }
    }

    fn enclosed(&mut self, parentheses: bool, write: impl FnOnce(&mut Self)) {
        self.text.push_str(if parentheses { "(" } else { "" });
        write(self);
        self.text.push_str(if parentheses { ")" } else { "" });
    }

    fn node(&mut self, id: ExprId, place: u8) {
        let ast = self.ast;
        match &ast.get(id).kind {
            ExprKind::Literal(literal) => {
                let text = literal_text(literal);
                self.enclosed(text.starts_with('-') && place > UNARY, |writer| writer.text.push_str(&text));
            }
            ExprKind::Ident(name) => self.text.push_str(&variable(name)),
            ExprKind::Select { operand, field, access } => {
                self.expr(*operand, PRIMARY);
                self.text.push_str(if *access == Access::Optional { ".?" } else { "." });
                self.field(field);
            }
            ExprKind::Has { operand, field } => {
                self.text.push_str("has(");
                self.expr(*operand, PRIMARY);
                self.text.push('.');
                self.field(field);
                self.text.push(')');
            }
            ExprKind::Index { operand, index, access } => {
                self.expr(*operand, PRIMARY);
                self.text.push_str(if *access == Access::Optional { "[?" } else { "[" });
                self.expr(*index, 0);
                self.text.push(']');
            }
            ExprKind::Call { function, target, args } => self.call(function, *target, args),
            ExprKind::Unary { op, operand } => self.unary(*op, *operand, place),
            ExprKind::Logic { op, operands } => self.logic(*op, operands, place),
            ExprKind::Conditional { condition, then, otherwise } => {
                self.conditional([*condition, *then, *otherwise], place);
            }
            _ => self.rare(id, place),
        }
    }

    fn conditional(&mut self, [condition, then, otherwise]: [ExprId; 3], place: u8) {
        self.enclosed(place > CONDITIONAL, |writer| {
            writer.expr(condition, OR);
            writer.text.push_str(" ? ");
            writer.expr(then, OR);
            writer.text.push_str(" : ");
            writer.expr(otherwise, CONDITIONAL);
        });
    }

    fn rare(&mut self, id: ExprId, place: u8) {
        let ast = self.ast;
        match &ast.get(id).kind {
            ExprKind::Binary { op, left, right } => {
                let own = power(op.function());
                self.enclosed(place > own, |writer| {
                    writer.expr(*left, own);
                    let _ = write!(writer.text, " {} ", op.symbol());
                    writer.expr(*right, own + 1);
                });
            }
            ExprKind::Fold { kind, range, variables, filter, body } => {
                let args: Vec<ExprId> = match kind {
                    FoldKind::Filter => filter.iter().copied().collect(),
                    _ => filter.iter().copied().chain([*body]).collect(),
                };
                self.expr(*range, PRIMARY);
                let names: Vec<String> = variables.iter().map(|name| variable(name)).collect();
                let _ = write!(self.text, ".{}({}", macro_name(*kind), names.join(", "));
                args.iter().for_each(|arg| self.argument(*arg));
                self.text.push(')');
            }
            ExprKind::Block { bindings, body } => self.block(bindings, *body),
            ExprKind::OptionalMap { target, variable: name, body, flatness } => {
                self.expr(*target, PRIMARY);
                let function = if *flatness == Flatness::Wrapped { "optMap" } else { "optFlatMap" };
                let _ = write!(self.text, ".{function}({}", variable(name));
                self.argument(*body);
                self.text.push(')');
            }
            _ => self.literal(id),
        }
    }

    /// Lists, maps and messages.
    fn literal(&mut self, id: ExprId) {
        let ast = self.ast;
        match &ast.get(id).kind {
            ExprKind::List(elements) => {
                self.text.push('[');
                self.sequence(elements, |writer, element| {
                    writer.mark(element.access);
                    writer.expr(element.value, 0);
                });
                self.text.push(']');
            }
            ExprKind::Map(entries) => {
                self.text.push('{');
                self.sequence(entries, |writer, entry| {
                    writer.mark(entry.access);
                    writer.expr(entry.key, 0);
                    writer.text.push_str(": ");
                    writer.expr(entry.value, 0);
                });
                self.text.push('}');
            }
            ExprKind::Message { name, fields } => {
                let _ = write!(self.text, "{name}{{");
                self.sequence(fields, |writer, field| {
                    writer.mark(field.access);
                    writer.field(&field.name);
                    writer.text.push_str(": ");
                    writer.expr(field.value, 0);
                });
                self.text.push('}');
            }
            _ => self.text.push_str("null"),
        }
    }

    fn unary(&mut self, op: UnaryOp, operand: ExprId, place: u8) {
        self.enclosed(place > UNARY, |writer| {
            writer.text.push(if op == UnaryOp::Not { '!' } else { '-' });
            let start = writer.text.len();
            writer.expr(operand, PRIMARY);
            // `-` before a number would be the number's sign.
            let is_number =
                writer.text.get(start..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            if is_number && op == UnaryOp::Negate {
                writer.text.insert(start, '(');
                writer.text.push(')');
            }
        });
    }

    fn argument(&mut self, id: ExprId) {
        self.text.push_str(", ");
        self.expr(id, 0);
    }

    fn block(&mut self, bindings: &[(std::sync::Arc<str>, ExprId)], body: ExprId) {
        match bindings {
            [(name, value)] if !name.starts_with('@') => {
                let _ = write!(self.text, "cel.bind({name}");
                self.argument(*value);
            }
            _ => {
                self.text.push_str("cel.block([");
                self.sequence(bindings, |writer, (_, value)| writer.expr(*value, 0));
                self.text.push(']');
            }
        }
        self.argument(body);
        self.text.push(')');
    }

    fn logic(&mut self, op: LogicOp, operands: &[ExprId], place: u8) {
        let (own, symbol) = match op {
            LogicOp::And => (AND, " && "),
            LogicOp::Or => (OR, " || "),
        };
        self.enclosed(place > own, |writer| {
            for (position, operand) in operands.iter().enumerate() {
                writer.text.push_str(if position > 0 { symbol } else { "" });
                writer.expr(*operand, own + 1);
            }
        });
    }

    fn call(&mut self, function: &str, target: Option<ExprId>, args: &[ExprId]) {
        if let Some(target) = target {
            self.expr(target, PRIMARY);
            self.text.push('.');
        }
        self.text.push_str(match function {
            "@max" => "greatest",
            "@min" => "least",
            other => other,
        });
        self.text.push('(');
        self.sequence(args, |writer, arg| writer.expr(*arg, 0));
        self.text.push(')');
    }

    fn sequence<T>(&mut self, parts: &[T], write: impl Fn(&mut Self, &T)) {
        for (position, part) in parts.iter().enumerate() {
            self.text.push_str(if position > 0 { ", " } else { "" });
            write(self, part);
        }
    }

    fn mark(&mut self, access: Access) {
        self.text.push_str(if access == Access::Optional { "?" } else { "" });
    }

    fn field(&mut self, name: &str) {
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && !matches!(name, "in" | "true" | "false" | "null");
        let quote = if is_plain { "" } else { "`" };
        let _ = write!(self.text, "{quote}{name}{quote}");
    }
}

/// A name as the source spells it: generated names stand for calls.
fn variable(name: &str) -> String {
    if let Some(index) = name.strip_prefix("@index") {
        return format!("cel.index({index})");
    }
    match name.strip_prefix("@it:").and_then(|rest| rest.split_once(':')) {
        Some((depth, index)) => format!("cel.iterVar({depth}, {index})"),
        None => name.to_owned(),
    }
}

fn power(function: &str) -> u8 {
    match function {
        "_+_" | "_-_" => SUM,
        "_*_" | "_/_" | "_%_" => PRODUCT,
        _ => RELATION,
    }
}

const fn macro_name(kind: FoldKind) -> &'static str {
    match kind {
        FoldKind::All => "all",
        FoldKind::Exists => "exists",
        FoldKind::ExistsOne => "exists_one",
        FoldKind::Map => "map",
        FoldKind::Filter => "filter",
        FoldKind::TransformList => "transformList",
        FoldKind::TransformMap => "transformMap",
        FoldKind::TransformMapEntry => "transformMapEntry",
        FoldKind::SortBy => "sortBy",
    }
}

/// A constant as the source spells it.
pub(crate) fn literal_text(literal: &Literal) -> String {
    match literal {
        Literal::Null => "null".to_owned(),
        Literal::Bool(value) => value.to_string(),
        Literal::Int(value) => value.to_string(),
        Literal::Uint(value) => format!("{value}u"),
        Literal::Double(value) => double_text(*value),
        Literal::String(text) => quoted(text),
        Literal::Bytes(bytes) => bytes_text(bytes),
    }
}

/// A double that reads back as the same double.
pub(crate) fn double_text(value: f64) -> String {
    if !value.is_finite() {
        return format!("double(\"{value}\")");
    }
    let text = format!("{value:?}");
    if text.contains(['.', 'e']) { text } else { format!("{text}.0") }
}

/// Bytes as a literal.
pub(crate) fn bytes_text(bytes: &[u8]) -> String {
    let escaped: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    format!("b\"{escaped}\"")
}
