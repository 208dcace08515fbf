use super::lexer::tokenize;
use super::token::{Token, TokenKind};
use super::{
    Ast, BinaryOp, Diagnostic, DiagnosticCode, Diagnostics, Expr, ExprId, ExprKind, LogicOp, Span, UnaryOp,
};
use crate::Limits;

/// Parses an expression.
///
/// # Errors
/// All faults that were found: the parser goes on behind each, and reports a fault once.
pub fn parse(source: &str, limits: &Limits) -> Result<Ast, Diagnostics> {
    parse_in(source, limits, &mut Vec::new(), Vec::new())
}

/// The same in memory that was allocated before: `tokens` keeps its own, `exprs` becomes the tree's.
pub(crate) fn parse_in(
    source: &str,
    limits: &Limits,
    tokens: &mut Vec<Token>,
    exprs: Vec<Expr>,
) -> Result<Ast, Diagnostics> {
    if source.len() > limits.source_bytes.min(u32::MAX as usize) {
        let message = format!("the source has {} bytes, more than {}", source.len(), limits.source_bytes);
        let fault = Diagnostic::new(DiagnosticCode::Limit, Span::default(), message);
        return Err(Diagnostics::new("", vec![fault]));
    }
    let mut all = tokenize(source, tokens);
    let mut parser = Parser::new(source, tokens, exprs, limits);
    let root = parser.expression();
    if parser.peek() != TokenKind::End {
        parser.unexpected("an operator or the end");
    }
    all.append(&mut parser.faults);
    if all.is_empty() {
        return Ok(Ast { source: source.into(), exprs: parser.exprs, root });
    }
    all.truncate(limits.errors.max(1));
    Err(Diagnostics::new(source, all))
}

pub(super) struct Parser<'s> {
    pub(super) source: &'s str,
    tokens: &'s [Token],
    at: usize,
    pub(super) exprs: Vec<Expr>,
    pub(super) faults: Vec<Diagnostic>,
    limits: Limits,
    nesting: u16,
    /// After a fault, until a separator or a closing bracket: what follows is a consequence and not reported.
    recovering: bool,
}

impl<'s> Parser<'s> {
    fn new(source: &'s str, tokens: &'s [Token], mut exprs: Vec<Expr>, limits: &Limits) -> Self {
        let limits = Limits { depth: limits.depth.min(Limits::MAX_DEPTH), ..*limits };
        exprs.clear();
        exprs.reserve(tokens.len());
        Self { source, tokens, at: 0, exprs, faults: Vec::new(), limits, nesting: 0, recovering: false }
    }

    /// `or ? or : expression`
    pub(super) fn expression(&mut self) -> ExprId {
        self.nesting += 1;
        if self.nesting > self.limits.depth {
            let span = self.token().span;
            self.too_deep(span);
            self.at = self.tokens.len().saturating_sub(1);
            self.nesting -= 1;
            return self.push(ExprKind::Fault, span);
        }
        let condition = self.logic(LogicOp::Or);
        let id = if self.eat(TokenKind::Question) {
            let then = self.logic(LogicOp::Or);
            self.expect(TokenKind::Colon, "`:` and the value for false", None);
            let otherwise = self.expression();
            let span = self.span(condition).to(self.span(otherwise));
            self.push(ExprKind::Conditional { condition, then, otherwise }, span)
        } else {
            condition
        };
        self.nesting -= 1;
        id
    }

    /// A chain of `||` over chains of `&&` over relations.
    fn logic(&mut self, op: LogicOp) -> ExprId {
        let (token, name) = match op {
            LogicOp::Or => (TokenKind::Or, "or"),
            LogicOp::And => (TokenKind::And, "and"),
        };
        let first = self.logic_operand(op);
        self.word_operator(name);
        if self.peek() != token {
            return first;
        }
        let mut operands = vec![first];
        while self.eat(token) {
            operands.push(self.logic_operand(op));
            self.word_operator(name);
        }
        let last = operands.last().copied().unwrap_or(first);
        let span = self.span(first).to(self.span(last));
        self.push(ExprKind::Logic { op, operands }, span)
    }

    fn logic_operand(&mut self, op: LogicOp) -> ExprId {
        match op {
            LogicOp::Or => self.logic(LogicOp::And),
            LogicOp::And => self.binary(0),
        }
    }

    /// Reports `a and b`: one operand is complete, and a word stands where an operator must.
    fn word_operator(&mut self, word: &str) {
        if self.recovering || self.peek() != TokenKind::Ident {
            return;
        }
        let span = self.token().span;
        if span.text(self.source).eq_ignore_ascii_case(word) {
            let symbol = if word == "or" { "||" } else { "&&" };
            let message = format!("`{}` is no operator", span.text(self.source));
            self.fault(DiagnosticCode::Syntax, span, &message, Some(format!("use `{symbol}`")));
            self.skip();
        }
    }

    /// Relations, sums and products, by binding power.
    fn binary(&mut self, power: u8) -> ExprId {
        let mut left = self.unary();
        while let Some((op, own)) = operator(self.peek()) {
            if own < power {
                break;
            }
            self.at += 1;
            let right = self.binary(own + 1);
            let span = self.span(left).to(self.span(right));
            left = self.push(ExprKind::Binary { op, left, right }, span);
        }
        left
    }

    /// Runs of `!` or `-`: an even run has no effect. A sign belongs to the number that follows it.
    fn unary(&mut self) -> ExprId {
        let start = self.token().span;
        let (token, op) = match self.peek() {
            TokenKind::Not => (TokenKind::Not, UnaryOp::Not),
            TokenKind::Minus => (TokenKind::Minus, UnaryOp::Negate),
            _ => return self.postfix(None),
        };
        let mut odd = false;
        while self.eat(token) {
            odd = !odd;
        }
        if odd && op == UnaryOp::Negate && matches!(self.peek(), TokenKind::Int | TokenKind::Double) {
            return self.postfix(Some(start));
        }
        let operand = match self.peek() {
            TokenKind::Not | TokenKind::Minus => self.nested(Self::unary),
            _ => self.postfix(None),
        };
        if !odd {
            return operand;
        }
        let span = start.to(self.span(operand));
        self.push(ExprKind::Unary { op, operand }, span)
    }

    /// One level deeper, for `!-!-x`.
    fn nested(&mut self, parse: impl Fn(&mut Self) -> ExprId) -> ExprId {
        self.nesting += 1;
        let id = if self.nesting > self.limits.depth {
            let span = self.token().span;
            self.too_deep(span);
            self.at = self.tokens.len().saturating_sub(1);
            self.push(ExprKind::Fault, span)
        } else {
            parse(self)
        };
        self.nesting -= 1;
        id
    }

    pub(super) fn token(&self) -> Token {
        let end = Span::new(self.source.len(), self.source.len());
        self.tokens.get(self.at).copied().unwrap_or(Token { kind: TokenKind::End, span: end })
    }

    pub(super) fn peek(&self) -> TokenKind {
        self.token().kind
    }

    pub(super) fn take(&mut self) -> Token {
        let token = self.token();
        self.at += 1;
        token
    }

    pub(super) fn step_back(&mut self) {
        self.at = self.at.saturating_sub(1);
    }

    pub(super) fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.peek() == kind;
        if found {
            self.at += 1;
            if kind == TokenKind::Comma {
                self.recovering = false;
            }
        }
        found
    }

    /// Takes `kind`, or reports that it is missing; `opened` is the bracket that it would close.
    pub(super) fn expect(&mut self, kind: TokenKind, expected: &str, opened: Option<Span>) -> Span {
        let token = self.token();
        if token.kind == kind {
            self.at += 1;
            if kind.closes() {
                self.recovering = false;
            }
            return token.span;
        }
        self.unexpected(expected);
        if let (Some(opened), Some(fault)) = (opened, self.faults.last_mut())
            && fault.hint.is_none()
        {
            let place = opened.position(self.source);
            fault.hint = Some(format!("`{}` at {place} is not closed", opened.text(self.source)));
        }
        self.skip();
        if self.peek() == kind {
            self.at += 1;
            self.recovering = false;
        }
        token.span
    }

    /// Reports the token at the cursor.
    pub(super) fn unexpected(&mut self, expected: &str) {
        let token = self.token();
        if token.kind == TokenKind::Bad {
            self.recovering = true;
            return;
        }
        let message = match token.kind {
            TokenKind::End => format!("expected {expected}, found the end"),
            _ => format!("expected {expected}, found `{}`", token.span.text(self.source)),
        };
        self.fault(DiagnosticCode::Syntax, token.span, &message, None);
    }

    pub(super) fn fault(&mut self, code: DiagnosticCode, span: Span, message: &str, hint: Option<String>) {
        if !self.recovering && self.faults.len() < self.limits.errors.max(1) {
            self.faults.push(Diagnostic { code, message: message.to_owned(), hint, span });
        }
        self.recovering = true;
    }

    /// Goes to the next separator or closing bracket of this level.
    pub(super) fn skip(&mut self) {
        let mut open = 0_usize;
        loop {
            let kind = self.peek();
            match kind {
                TokenKind::End => return,
                TokenKind::Comma if open == 0 => return,
                _ if kind.closes() && open == 0 => return,
                _ if kind.closes() => open -= 1,
                _ if kind.opens() => open += 1,
                _ => {}
            }
            self.at += 1;
        }
    }

    fn too_deep(&mut self, span: Span) {
        let message = format!("nested deeper than {} levels", self.limits.depth);
        let hint = "split the expression, or bind parts to variables".to_owned();
        self.fault(DiagnosticCode::Limit, span, &message, Some(hint));
    }

    pub(super) fn span(&self, id: ExprId) -> Span {
        self.exprs.get(id.index()).map_or(Span::default(), |expr| expr.span)
    }

    /// Adds a node and checks the limits on size and depth, which also hold for chains that need no recursion here.
    pub(super) fn push(&mut self, kind: ExprKind, span: Span) -> ExprId {
        let mut under = 0;
        children(&kind, |id| under = under.max(self.exprs.get(id.index()).map_or(0, |expr| expr.depth)));
        let depth = under + 1;
        if depth > self.limits.depth {
            self.too_deep(span);
            self.at = self.tokens.len().saturating_sub(1);
            return self.push(ExprKind::Fault, span);
        }
        if self.exprs.len() == self.limits.nodes {
            let message = format!("more than {} parts", self.limits.nodes);
            self.fault(DiagnosticCode::Limit, span, &message, None);
            self.at = self.tokens.len().saturating_sub(1);
        }
        let id = ExprId(u32::try_from(self.exprs.len()).unwrap_or(u32::MAX));
        self.exprs.push(Expr { kind, span, depth });
        id
    }
}

fn operator(token: TokenKind) -> Option<(BinaryOp, u8)> {
    Some(match token {
        TokenKind::Equal => (BinaryOp::Equal, 1),
        TokenKind::NotEqual => (BinaryOp::NotEqual, 1),
        TokenKind::Less => (BinaryOp::Less, 1),
        TokenKind::LessEqual => (BinaryOp::LessEqual, 1),
        TokenKind::Greater => (BinaryOp::Greater, 1),
        TokenKind::GreaterEqual => (BinaryOp::GreaterEqual, 1),
        TokenKind::In => (BinaryOp::In, 1),
        TokenKind::Plus => (BinaryOp::Add, 2),
        TokenKind::Minus => (BinaryOp::Subtract, 2),
        TokenKind::Star => (BinaryOp::Multiply, 3),
        TokenKind::Slash => (BinaryOp::Divide, 3),
        TokenKind::Percent => (BinaryOp::Modulo, 3),
        _ => return None,
    })
}

/// Calls `visit` with each node directly under a node.
pub(crate) fn children(kind: &ExprKind, mut visit: impl FnMut(ExprId)) {
    match kind {
        ExprKind::Literal(_) | ExprKind::Ident(_) | ExprKind::Fault => {}
        ExprKind::Select { operand, .. }
        | ExprKind::Has { operand, .. }
        | ExprKind::Unary { operand, .. } => visit(*operand),
        ExprKind::Index { operand: one, index: two, .. }
        | ExprKind::Binary { left: one, right: two, .. }
        | ExprKind::OptionalMap { target: one, body: two, .. } => [*one, *two].into_iter().for_each(visit),
        ExprKind::Conditional { condition, then, otherwise } => {
            [*condition, *then, *otherwise].into_iter().for_each(visit);
        }
        ExprKind::Fold { range, filter, body, .. } => {
            [Some(*range), *filter, Some(*body)].into_iter().flatten().for_each(visit);
        }
        ExprKind::Call { target, args, .. } => target.iter().chain(args).copied().for_each(visit),
        ExprKind::Logic { operands, .. } => operands.iter().copied().for_each(visit),
        ExprKind::List(elements) => elements.iter().for_each(|element| visit(element.value)),
        ExprKind::Map(entries) => {
            entries.iter().flat_map(|entry| [entry.key, entry.value]).for_each(visit);
        }
        ExprKind::Message { fields, .. } => fields.iter().for_each(|field| visit(field.value)),
        ExprKind::Block { bindings, body } => {
            visit(*body);
            bindings.iter().for_each(|(_, value)| visit(*value));
        }
    }
}
