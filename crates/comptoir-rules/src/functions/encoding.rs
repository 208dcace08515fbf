//! The extension `encoders`: base64.

use super::{Entry, invalid, linear, wrong};
use crate::eval::Meter;
use crate::value::{Outcome, Value};

pub(super) const TABLE: &[Entry] =
    &[linear("base64.encode(bytes): string", encode), linear("base64.decode(string): bytes", decode)];

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encode<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Bytes(bytes)] => Ok(Value::string(base64_text(bytes))),
        _ => wrong("base64.encode", args),
    }
}

/// Bytes in base64, with padding.
pub(crate) fn base64_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().chain(&[0, 0]).take(3).fold(0_usize, |word, byte| word << 8 | usize::from(*byte));
        for place in 0..4 {
            let digit = ALPHABET.get(word >> (18 - 6 * place) & 63).copied().unwrap_or(b'=');
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

fn decode<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    let [Value::String(text)] = args else { return wrong("base64.decode", args) };
    match base64_bytes(text) {
        Ok(bytes) => Ok(Value::bytes(bytes)),
        Err(reason) => invalid(format!("this is not base64: {reason}")),
    }
}

/// The bytes of base64, with padding or without, or why it is none.
pub(crate) fn base64_bytes(text: &str) -> Result<Vec<u8>, &'static str> {
    let digits = text.trim_end_matches('=').as_bytes();
    if text.len() - digits.len() > 2 {
        return Err("too much padding");
    }
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    for chunk in digits.chunks(4) {
        let mut word = 0_u32;
        for digit in chunk {
            let Some(value) = ALPHABET.iter().zip(0_u32..).find(|(own, _)| *own == digit) else {
                return Err("a character that it does not have");
            };
            word = word << 6 | value.1;
        }
        let count = match chunk.len() {
            4 => 3,
            3 => 2,
            2 => 1,
            _ => return Err("a single character at the end"),
        };
        word <<= 6 * (4 - chunk.len());
        let [_, octets @ ..] = word.to_be_bytes();
        bytes.extend(octets.iter().take(count));
    }
    Ok(bytes)
}
