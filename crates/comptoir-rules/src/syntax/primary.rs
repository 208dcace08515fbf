use std::sync::Arc;

use super::literal;
use super::parser::Parser;
use super::token::TokenKind;
use super::{Access, DiagnosticCode, Element, Entry, ExprId, ExprKind, Field, Literal, Span};

/// Words that other languages use, kept free by CEL.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

impl Parser<'_> {
    /// An operand with all that is applied to it: selections, calls, indices. `sign` is a `-` before a number.
    pub(super) fn postfix(&mut self, sign: Option<Span>) -> ExprId {
        let mut operand = self.primary(sign);
        loop {
            operand = match self.peek() {
                TokenKind::Dot => self.member(operand),
                TokenKind::LeftBracket => self.index(operand),
                TokenKind::LeftBrace => match self.message_name(operand) {
                    Some(name) => self.message(operand, name),
                    None => return operand,
                },
                _ => return operand,
            };
        }
    }

    fn member(&mut self, operand: ExprId) -> ExprId {
        self.take();
        let access = self.access();
        let token = self.take();
        let (name, is_quoted): (Arc<str>, bool) = match token.kind {
            TokenKind::Ident => (token.span.text(self.source).into(), false),
            TokenKind::Quoted => (token.span.text(self.source).trim_matches('`').into(), true),
            _ => return self.missing_operand_at(token.span, "a field or function name"),
        };
        let span = self.span(operand).to(token.span);
        if self.peek() == TokenKind::LeftParen && !is_quoted && access == Access::Plain {
            let (args, end) = self.arguments();
            return self.call(name, Some(operand), args, span.to(end));
        }
        self.push(ExprKind::Select { operand, field: name, access }, span)
    }

    fn missing_operand_at(&mut self, span: Span, expected: &str) -> ExprId {
        self.step_back();
        self.unexpected(expected);
        self.skip();
        self.push(ExprKind::Fault, span)
    }

    fn index(&mut self, operand: ExprId) -> ExprId {
        let open = self.take().span;
        let access = self.access();
        let index = self.expression();
        let end = self.expect(TokenKind::RightBracket, "`]`", Some(open));
        let span = self.span(operand).to(end);
        self.push(ExprKind::Index { operand, index, access }, span)
    }

    fn access(&mut self) -> Access {
        if self.eat(TokenKind::Question) { Access::Optional } else { Access::Plain }
    }

    fn primary(&mut self, sign: Option<Span>) -> ExprId {
        let token = self.take();
        let span = sign.unwrap_or(token.span).to(token.span);
        let text = token.span.text(self.source);
        match token.kind {
            TokenKind::Int => self.number(literal::int(text, sign.is_some()), span),
            TokenKind::Double => self.number(literal::double(text, sign.is_some()), span),
            TokenKind::Uint => self.number(literal::uint(text), span),
            TokenKind::String | TokenKind::Bytes => self.text(text, span),
            TokenKind::True => self.push(ExprKind::Literal(Literal::Bool(true)), span),
            TokenKind::False => self.push(ExprKind::Literal(Literal::Bool(false)), span),
            TokenKind::Null => self.push(ExprKind::Literal(Literal::Null), span),
            TokenKind::Ident => self.name(text, span, ""),
            TokenKind::Dot if self.peek() == TokenKind::Ident => {
                let name = self.take().span;
                self.name(name.text(self.source), span.to(name), ".")
            }
            TokenKind::LeftParen => {
                let inner = self.expression();
                self.expect(TokenKind::RightParen, "`)`", Some(span));
                inner
            }
            TokenKind::LeftBracket => self.list(span),
            TokenKind::LeftBrace => self.map(span),
            _ => self.missing_operand_at(span, "a value"),
        }
    }

    fn number(&mut self, read: Result<Literal, String>, span: Span) -> ExprId {
        match read {
            Ok(literal) => self.push(ExprKind::Literal(literal), span),
            Err(message) => self.bad_literal(&message, span),
        }
    }

    fn text(&mut self, text: &str, span: Span) -> ExprId {
        match literal::text(text) {
            Ok(literal) => self.push(ExprKind::Literal(literal), span),
            Err((offset, message)) => {
                let start = span.start as usize + offset;
                self.bad_literal(&message, Span::new(start, (start + 2).min(span.end as usize)))
            }
        }
    }

    /// A literal that cannot be read stands for a value: what follows is parsed as if it were right.
    fn bad_literal(&mut self, message: &str, span: Span) -> ExprId {
        self.fault(DiagnosticCode::Literal, span, message, None);
        self.push(ExprKind::Fault, span)
    }

    fn name(&mut self, text: &str, span: Span, prefix: &str) -> ExprId {
        if RESERVED.contains(&text) {
            let message = format!("`{text}` is a reserved word");
            self.fault(DiagnosticCode::Syntax, span, &message, Some("choose another name".to_owned()));
            return self.push(ExprKind::Fault, span);
        }
        let name: Arc<str> = if prefix.is_empty() { text.into() } else { format!("{prefix}{text}").into() };
        if self.peek() == TokenKind::LeftParen {
            let (args, end) = self.arguments();
            return self.call(name, None, args, span.to(end));
        }
        self.push(ExprKind::Ident(name), span)
    }

    fn arguments(&mut self) -> (Vec<ExprId>, Span) {
        let open = self.take().span;
        let mut args = Vec::new();
        while self.peek() != TokenKind::RightParen {
            args.push(self.expression());
            if !self.eat(TokenKind::Comma) {
                break;
            }
        }
        (args, self.expect(TokenKind::RightParen, "`,` or `)`", Some(open)))
    }

    fn list(&mut self, open: Span) -> ExprId {
        let mut elements = Vec::new();
        while self.peek() != TokenKind::RightBracket {
            let access = self.access();
            elements.push(Element { value: self.expression(), access });
            if !self.eat(TokenKind::Comma) {
                break;
            }
        }
        let end = self.expect(TokenKind::RightBracket, "`,` or `]`", Some(open));
        self.push(ExprKind::List(elements), open.to(end))
    }

    fn map(&mut self, open: Span) -> ExprId {
        let mut entries = Vec::new();
        while self.peek() != TokenKind::RightBrace {
            let access = self.access();
            let key = self.expression();
            self.expect(TokenKind::Colon, "`:` and a value", None);
            entries.push(Entry { key, value: self.expression(), access });
            if !self.eat(TokenKind::Comma) {
                break;
            }
        }
        let end = self.expect(TokenKind::RightBrace, "`,` or `}`", Some(open));
        self.push(ExprKind::Map(entries), open.to(end))
    }

    /// The type name before `{`, where what stands there can be one.
    fn message_name(&self, operand: ExprId) -> Option<Arc<str>> {
        match &self.exprs.get(operand.index())?.kind {
            // `cel.index(0)` is a name that no type has.
            ExprKind::Ident(name) if !name.starts_with('@') => Some(name.clone()),
            ExprKind::Select { operand, field, access: Access::Plain } => {
                let outer = self.message_name(*operand)?;
                Some(format!("{outer}.{field}").into())
            }
            _ => None,
        }
    }

    fn message(&mut self, operand: ExprId, name: Arc<str>) -> ExprId {
        let open = self.take().span;
        let mut fields = Vec::new();
        while self.peek() != TokenKind::RightBrace {
            let access = self.access();
            let token = self.take();
            if !matches!(token.kind, TokenKind::Ident | TokenKind::Quoted) {
                self.missing_operand_at(token.span, "a field name");
                break;
            }
            let field: Arc<str> = token.span.text(self.source).trim_matches('`').into();
            self.expect(TokenKind::Colon, "`:` and a value", None);
            fields.push(Field { name: field, span: token.span, value: self.expression(), access });
            if !self.eat(TokenKind::Comma) {
                break;
            }
        }
        let end = self.expect(TokenKind::RightBrace, "`,` or `}`", Some(open));
        let span = self.span(operand).to(end);
        self.push(ExprKind::Message { name, fields }, span)
    }
}
