use std::str::Chars;
use std::sync::Arc;

/// A constant written in the source.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// `42`
    Int(i64),
    /// `42u`
    Uint(u64),
    /// `4.2`
    Double(f64),
    /// `"text"`
    String(Arc<str>),
    /// `b"bytes"`
    Bytes(Arc<[u8]>),
}

/// Reads an integer literal, with its sign.
pub(crate) fn int(text: &str, negative: bool) -> Result<Literal, String> {
    let magnitude = magnitude(text);
    let value = match (magnitude, negative) {
        (Some(value), false) => i64::try_from(value).ok(),
        (Some(value), true) => 0_i64.checked_sub_unsigned(value),
        (None, _) => None,
    };
    value.map(Literal::Int).ok_or_else(|| {
        let sign = if negative { "-" } else { "" };
        format!("`{sign}{text}` does not fit an int, which has 64 bits")
    })
}

/// Reads an unsigned literal, whose text ends in `u`.
pub(crate) fn uint(text: &str) -> Result<Literal, String> {
    magnitude(text.trim_end_matches(['u', 'U']))
        .map(Literal::Uint)
        .ok_or_else(|| format!("`{text}` does not fit a uint, which has 64 bits"))
}

/// Reads a double literal.
pub(crate) fn double(text: &str, negative: bool) -> Result<Literal, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Literal::Double(if negative { -value } else { value })),
        _ => Err(format!("`{text}` does not fit a double")),
    }
}

fn magnitude(digits: &str) -> Option<u64> {
    match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    }
}

/// Reads a string or bytes literal with its prefix and quotes. On failure: the offset into the literal and what is
/// wrong there.
pub(crate) fn text(literal: &str) -> Result<Literal, (usize, String)> {
    let quote_at = literal.find(['"', '\'']).unwrap_or(0);
    let (prefix, quoted) = literal.split_at(quote_at);
    let is_bytes = prefix.contains(['b', 'B']);
    let is_raw = prefix.contains(['r', 'R']);
    let marks = if is_triple(quoted) { 3 } else { 1 };
    let body = quoted.get(marks..quoted.len().saturating_sub(marks)).unwrap_or("");
    let offset = quote_at + marks;
    if is_raw && is_bytes {
        return Ok(Literal::Bytes(body.as_bytes().into()));
    }
    if is_raw || !body.contains('\\') {
        return Ok(if is_bytes {
            Literal::Bytes(body.as_bytes().into())
        } else {
            Literal::String(body.into())
        });
    }
    let at = |rest: &str| offset + body.len() - rest.len();
    if is_bytes {
        let mut bytes = Vec::with_capacity(body.len());
        unescape(body, true, |piece| match piece {
            Piece::Text(character) => bytes.extend(character.encode_utf8(&mut [0; 4]).as_bytes()),
            Piece::Octet(octet) => bytes.push(octet),
        })
        .map_err(|(rest, reason)| (at(rest), reason))?;
        return Ok(Literal::Bytes(bytes.into()));
    }
    let mut string = String::with_capacity(body.len());
    unescape(body, false, |piece| match piece {
        Piece::Text(character) => string.push(character),
        Piece::Octet(octet) => string.push(char::from(octet)),
    })
    .map_err(|(rest, reason)| (at(rest), reason))?;
    Ok(Literal::String(string.into()))
}

fn is_triple(quoted: &str) -> bool {
    quoted.len() >= 6 && (quoted.starts_with("\"\"\"") || quoted.starts_with("'''"))
}

enum Piece {
    Text(char),
    /// `\x` and octal escapes: a byte in bytes, a code point in a string.
    Octet(u8),
}

fn unescape(body: &str, bytes: bool, mut emit: impl FnMut(Piece)) -> Result<(), (&str, String)> {
    let mut characters = body.chars();
    loop {
        let rest = characters.as_str();
        match characters.next() {
            None => return Ok(()),
            Some('\\') => emit(escape(&mut characters, bytes).map_err(|reason| (rest, reason))?),
            Some(character) => emit(Piece::Text(character)),
        }
    }
}

fn escape(characters: &mut Chars<'_>, bytes: bool) -> Result<Piece, String> {
    let Some(kind) = characters.next() else { return Err("a `\\` with nothing after it".into()) };
    let character = match kind {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        '\\' | '?' | '"' | '\'' | '`' => kind,
        'x' | 'X' => return octet(take(characters, 2, 16)?),
        '0'..='3' => {
            let high = kind.to_digit(8).unwrap_or(0);
            return octet(high * 64 + take(characters, 2, 8)?);
        }
        'u' | 'U' if bytes => return Err(format!("`\\{kind}` names a character, and these are bytes")),
        'u' => point(take(characters, 4, 16)?)?,
        'U' => point(take(characters, 8, 16)?)?,
        other => return Err(format!("`\\{other}` is no escape")),
    };
    Ok(Piece::Text(character))
}

fn octet(value: u32) -> Result<Piece, String> {
    u8::try_from(value).map(Piece::Octet).map_err(|_| "an escape above 255".into())
}

fn point(value: u32) -> Result<char, String> {
    char::from_u32(value).ok_or_else(|| format!("`{value:x}` is no character"))
}

fn take(characters: &mut Chars<'_>, count: usize, radix: u32) -> Result<u32, String> {
    let mut value = 0;
    for _ in 0..count {
        let digit = characters.clone().next().and_then(|character| character.to_digit(radix));
        let Some(digit) = digit else { return Err(format!("an escape with fewer than {count} digits")) };
        characters.next();
        value = value * radix + digit;
    }
    Ok(value)
}
