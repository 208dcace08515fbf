use std::sync::Arc;

use super::{Type, names::well_known};

/// Nesting of a type's text; a type is walked by recursion.
const MAX_DEPTH: u8 = 32;

impl Type {
    /// Reads the text form: `int`, `list(string)`, `map(string, dyn)`, `wrapper(int)`, `optional_type(int)`,
    /// `?T` for a type parameter, any other name for a struct, and a name with parameters for an opaque type.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { text, rest: text.trim_start() };
        let parsed = reader.read(0)?;
        if reader.rest.is_empty() { Ok(parsed) } else { Err(reader.wrong("the end")) }
    }
}

/// A declared function in one line: name, whether it is called on its first parameter, parameters, result.
pub(crate) struct Signature {
    pub name: Arc<str>,
    pub is_member: bool,
    pub params: Vec<Type>,
    pub result: Type,
}

impl Signature {
    /// Reads `string.charAt(int): string`, `size(list(?A)): int`, `math.abs(int): int`. What stands before the last
    /// dot of the name is a receiver type where `::` follows it: `string::charAt(int): string`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (receiver, rest) = match text.split_once("::") {
            Some((receiver, rest)) => (Some(Type::parse(receiver)?), rest),
            None => (None, text),
        };
        let open = rest.find('(').ok_or_else(|| format!("`{text}`: expected `(`"))?;
        let (name, rest) = rest.split_at(open);
        let (params, result) =
            rest.rsplit_once("):").ok_or_else(|| format!("`{text}`: expected `): type`"))?;
        let mut reader = Reader { text, rest: params.get(1..).unwrap_or("").trim_start() };
        let is_member = receiver.is_some();
        let mut all: Vec<Type> = receiver.into_iter().collect();
        while !reader.rest.is_empty() {
            all.push(reader.read(0)?);
            reader.eat(',');
        }
        Ok(Self { name: name.trim().into(), is_member, params: all, result: Type::parse(result)? })
    }
}

struct Reader<'t> {
    text: &'t str,
    rest: &'t str,
}

impl Reader<'_> {
    fn read(&mut self, depth: u8) -> Result<Type, String> {
        if depth > MAX_DEPTH {
            return Err(format!("a type nested deeper than {MAX_DEPTH} levels"));
        }
        let is_param = self.eat('?');
        let length = self
            .rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
            .count();
        let (name, rest) = self.rest.split_at(length);
        if name.is_empty() {
            return Err(self.wrong("a type"));
        }
        self.rest = rest.trim_start();
        if is_param {
            return Ok(Type::Param(name.into()));
        }
        let mut parameters = Vec::new();
        if self.eat('(') {
            loop {
                parameters.push(self.read(depth + 1)?);
                if !self.eat(',') {
                    break;
                }
            }
            if !self.eat(')') {
                return Err(self.wrong("`,` or `)`"));
            }
        }
        build(name, parameters)
    }

    fn eat(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn wrong(&self, expected: &str) -> String {
        let found = if self.rest.is_empty() { "the end" } else { self.rest };
        format!("type `{}`: expected {expected}, found `{found}`", self.text)
    }
}

fn build(name: &str, parameters: Vec<Type>) -> Result<Type, String> {
    let count = parameters.len();
    let mut parameters = parameters.into_iter();
    let mut next = || parameters.next().unwrap_or(Type::Dyn);
    let wrong = |expected: usize| Err(format!("type `{name}` has {expected} parameters, found {count}"));
    match (name, count) {
        ("list", 0 | 1) => Ok(Type::list(next())),
        ("map", 0 | 2) => Ok(Type::map(next(), next())),
        ("wrapper", 1) => Ok(Type::Nullable(Arc::new(next()))),
        ("type", 0) => Ok(Type::Type(None)),
        ("type", 1) => Ok(Type::Type(Some(Arc::new(next())))),
        (super::OPTIONAL | "optional", 0 | 1) => Ok(Type::optional(next())),
        ("list" | "wrapper" | "type" | super::OPTIONAL, _) => wrong(1),
        ("map", _) => wrong(2),
        (_, 0) => Ok(well_known(name).unwrap_or_else(|| Type::Struct(name.into()))),
        _ => Ok(Type::Opaque(name.into(), parameters.collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_and_written() {
        for text in [
            "int",
            "list(dyn)",
            "map(string, list(?T))",
            "wrapper(int)",
            "tuple(?A, int)",
            "type(int)",
            "my.Item",
            "optional_type(int)",
        ] {
            assert_eq!(Type::parse(text).unwrap().to_string(), text);
        }
        assert!(
            Type::parse("list(int").is_err() && Type::parse("").is_err() && Type::parse("map(int)").is_err()
        );
        assert!(Type::parse(&"list(".repeat(1000)).is_err());
    }

    #[test]
    fn signatures_are_read() {
        let member = Signature::parse("string::charAt(int): string").unwrap();
        assert!(
            member.is_member && member.params == [Type::String, Type::Int] && member.result == Type::String
        );
        let global = Signature::parse("math.greatest(map(?A, ?B), int): dyn").unwrap();
        assert!(!global.is_member && &*global.name == "math.greatest" && global.params.len() == 2);
    }
}
