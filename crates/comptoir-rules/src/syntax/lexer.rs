use super::token::{Token, TokenKind};
use super::{Diagnostic, DiagnosticCode, Span};

/// Cuts a source into tokens; the last is always [`TokenKind::End`].
///
/// Text that is no token gives a fault and a [`TokenKind::Bad`] token, over which the parser stays silent.
pub(super) fn tokenize(source: &str, tokens: &mut Vec<Token>) -> Vec<Diagnostic> {
    let mut lexer = Lexer { source, bytes: source.as_bytes(), at: 0, faults: Vec::new() };
    tokens.clear();
    tokens.reserve(source.len() / 4 + 1);
    loop {
        let token = lexer.next();
        tokens.push(token);
        if token.kind == TokenKind::End {
            return lexer.faults;
        }
    }
}

struct Lexer<'s> {
    source: &'s str,
    bytes: &'s [u8],
    at: usize,
    faults: Vec<Diagnostic>,
}

impl Lexer<'_> {
    fn next(&mut self) -> Token {
        self.skip_blanks();
        let start = self.at;
        let Some(first) = self.peek(0) else { return self.token(TokenKind::End, start) };
        let kind = match first {
            b'0'..=b'9' => self.number(),
            b'.' if self.peek(1).is_some_and(|byte| byte.is_ascii_digit()) => self.number(),
            b'"' | b'\'' => self.string(start, false, false),
            b'`' => self.quoted(start),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.word(start),
            _ => self.punctuation(start, first),
        };
        self.token(kind, start)
    }

    fn token(&self, kind: TokenKind, start: usize) -> Token {
        Token { kind, span: Span::new(start, self.at) }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn skip_blanks(&mut self) {
        loop {
            match self.peek(0) {
                Some(b' ' | b'\t' | b'\n' | b'\r' | 0x0c) => self.at += 1,
                Some(b'/') if self.peek(1) == Some(b'/') => self.skip_line(),
                _ => return,
            }
        }
    }

    fn skip_line(&mut self) {
        while self.peek(0).is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) -> usize {
        let start = self.at;
        while self.peek(0).is_some_and(&wanted) {
            self.at += 1;
        }
        self.at - start
    }

    /// Names and keywords, and the prefixes of strings.
    fn word(&mut self, start: usize) -> TokenKind {
        self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let word = Span::new(start, self.at).text(self.source);
        if matches!(self.peek(0), Some(b'"' | b'\'')) {
            match word {
                "r" | "R" => return self.string(start, true, false),
                "b" | "B" => return self.string(start, false, true),
                "br" | "bR" | "Br" | "BR" | "rb" | "rB" | "Rb" | "RB" => {
                    return self.string(start, true, true);
                }
                _ => {}
            }
        }
        match word {
            "true" => TokenKind::True,
            "false" => TokenKind::False,
            "null" => TokenKind::Null,
            "in" => TokenKind::In,
            _ => TokenKind::Ident,
        }
    }

    fn number(&mut self) -> TokenKind {
        if self.peek(0) == Some(b'0') && matches!(self.peek(1), Some(b'x' | b'X')) {
            self.at += 2;
            self.skip_while(|byte| byte.is_ascii_hexdigit());
            return self.unsigned_suffix();
        }
        self.skip_while(|byte| byte.is_ascii_digit());
        let mut kind = TokenKind::Int;
        if self.peek(0) == Some(b'.') && self.peek(1).is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
            self.skip_while(|byte| byte.is_ascii_digit());
            kind = TokenKind::Double;
        }
        if matches!(self.peek(0), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.peek(1), Some(b'+' | b'-')));
            if self.peek(1 + sign).is_some_and(|byte| byte.is_ascii_digit()) {
                self.at += 1 + sign;
                self.skip_while(|byte| byte.is_ascii_digit());
                kind = TokenKind::Double;
            }
        }
        if kind == TokenKind::Int { self.unsigned_suffix() } else { kind }
    }

    fn unsigned_suffix(&mut self) -> TokenKind {
        if matches!(self.peek(0), Some(b'u' | b'U')) {
            self.at += 1;
            return TokenKind::Uint;
        }
        TokenKind::Int
    }

    /// A string or bytes literal; the cursor stands on the first quote.
    fn string(&mut self, start: usize, raw: bool, bytes: bool) -> TokenKind {
        let quote = self.peek(0).unwrap_or(b'"');
        let triple = self.peek(1) == Some(quote) && self.peek(2) == Some(quote);
        self.at += if triple { 3 } else { 1 };
        let kind = if bytes { TokenKind::Bytes } else { TokenKind::String };
        loop {
            match self.peek(0) {
                None => break,
                Some(b'\n' | b'\r') if !triple => break,
                Some(b'\\') if !raw => self.at = (self.at + 2).min(self.bytes.len()),
                Some(byte) if byte == quote => {
                    if !triple {
                        self.at += 1;
                        return kind;
                    }
                    if self.peek(1) == Some(quote) && self.peek(2) == Some(quote) {
                        self.at += 3;
                        return kind;
                    }
                    self.at += 1;
                }
                Some(_) => self.at += 1,
            }
        }
        self.unterminated(start, triple)
    }

    fn unterminated(&mut self, start: usize, triple: bool) -> TokenKind {
        // An escape may have jumped into the middle of a character.
        while !self.source.is_char_boundary(self.at) {
            self.at += 1;
        }
        let span = Span::new(start, self.at);
        let hint = if triple { "end it with three quotes" } else { "end it with the quote it starts with" };
        self.fault(span, "this string does not end", hint);
        TokenKind::Bad
    }

    fn quoted(&mut self, start: usize) -> TokenKind {
        self.at += 1;
        let allowed =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/' | b' ');
        let length = self.skip_while(allowed);
        if length > 0 && self.peek(0) == Some(b'`') {
            self.at += 1;
            return TokenKind::Quoted;
        }
        let hint = "letters, digits, `_`, `.`, `-`, `/` and blanks may stand between backticks";
        self.fault(Span::new(start, self.at), "this field name in backticks does not end", hint);
        TokenKind::Bad
    }

    fn punctuation(&mut self, start: usize, first: u8) -> TokenKind {
        use TokenKind as T;
        let second = self.peek(1);
        let (kind, length) = match (first, second) {
            (b'&', Some(b'&')) => (T::And, 2),
            (b'|', Some(b'|')) => (T::Or, 2),
            (b'=', Some(b'=')) => (T::Equal, 2),
            (b'!', Some(b'=')) => (T::NotEqual, 2),
            (b'<', Some(b'=')) => (T::LessEqual, 2),
            (b'>', Some(b'=')) => (T::GreaterEqual, 2),
            (b'!', _) => (T::Not, 1),
            (b'<', _) => (T::Less, 1),
            (b'>', _) => (T::Greater, 1),
            (b'+', _) => (T::Plus, 1),
            (b'-', _) => (T::Minus, 1),
            (b'*', _) => (T::Star, 1),
            (b'/', _) => (T::Slash, 1),
            (b'%', _) => (T::Percent, 1),
            (b'?', _) => (T::Question, 1),
            (b':', _) => (T::Colon, 1),
            (b',', _) => (T::Comma, 1),
            (b'.', _) => (T::Dot, 1),
            (b'(', _) => (T::LeftParen, 1),
            (b')', _) => (T::RightParen, 1),
            (b'[', _) => (T::LeftBracket, 1),
            (b']', _) => (T::RightBracket, 1),
            (b'{', _) => (T::LeftBrace, 1),
            (b'}', _) => (T::RightBrace, 1),
            _ => return self.stray(start, first),
        };
        self.at += length;
        kind
    }

    fn stray(&mut self, start: usize, first: u8) -> TokenKind {
        let length = self.source.get(start..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        self.at = start + length;
        let span = Span::new(start, self.at);
        let (message, hint) = match first {
            b'=' => ("a single `=` is no operator", "use `==` to compare"),
            b'&' => ("a single `&` is no operator", "use `&&` for and"),
            b'|' => ("a single `|` is no operator", "use `||` for or"),
            b'#' => ("this character does not belong here", "a comment starts with `//`"),
            _ => ("this character does not belong here", "text stands in quotes"),
        };
        self.fault(span, message, hint);
        TokenKind::Bad
    }

    fn fault(&mut self, span: Span, message: &str, hint: &str) {
        self.faults.push(Diagnostic::new(DiagnosticCode::Syntax, span, message).with_hint(hint));
    }
}
