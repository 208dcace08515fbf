use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

/// A place in a file, all numbers from 1: columns are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// First column.
    pub column: usize,
    /// One past the last column, on the same line.
    pub end_column: usize,
}

/// Where the fields of a YAML or JSON file stand, by paths such as `rules[3].when`.
#[derive(Debug)]
pub struct Locator {
    text: Vec<char>,
    /// For each line the place of its first character.
    lines: Vec<usize>,
    nodes: HashMap<String, Node>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    /// Of a field of a mapping.
    key: Option<(usize, usize)>,
    value: (usize, usize),
    /// Of a scalar.
    style: Option<ScalarStyle>,
}

impl Locator {
    /// Reads a text as far as it is YAML (JSON is).
    pub fn new(text: &str) -> Self {
        let mut walk = Walk { nodes: HashMap::new(), open: Vec::new() };
        let mut parser = Parser::new_from_str(text);
        while let Some(Ok((event, span))) = parser.next_event() {
            if matches!(event, Event::DocumentEnd) {
                break;
            }
            walk.event(&event, span);
        }
        let text: Vec<char> = text.chars().collect();
        let breaks = text.iter().enumerate().filter(|(_, one)| **one == '\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(breaks).collect();
        Self { text, lines, nodes: walk.nodes }
    }

    /// Whether there is such a field.
    pub fn has(&self, path: &str) -> bool {
        self.nodes.contains_key(path)
    }

    /// All paths, in no order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.nodes.keys().map(|path| &**path)
    }

    /// The text of a scalar of one line, without quotes.
    pub fn scalar(&self, path: &str) -> String {
        let range = self.nodes.get(path).map_or((0, 0), |node| node.value);
        let raw: String = self.text.get(range.0..range.1).unwrap_or(&[]).iter().collect();
        raw.trim().trim_matches(['\'', '"']).to_owned()
    }

    /// A field, or the nearest around it that is there: its value where it is a scalar, else its name.
    pub fn field(&self, path: &str) -> Option<Place> {
        let (mut path, mut is_exact) = (path, true);
        loop {
            if let Some(node) = self.nodes.get(path) {
                let range = match node.style {
                    Some(ScalarStyle::Literal | ScalarStyle::Folded) | None => node.key.unwrap_or(node.value),
                    Some(_) if is_exact => node.value,
                    Some(_) => node.key.unwrap_or(node.value),
                };
                return self.place(range.0, range.1);
            }
            is_exact = false;
            let (dot, bracket) = (path.rfind('.'), path.rfind('['));
            path = path.get(..dot.max(bracket)?)?;
        }
    }

    /// The name of a field.
    pub fn name(&self, path: &str) -> Option<Place> {
        let (start, end) = self.nodes.get(path)?.key?;
        self.place(start, end)
    }

    /// A part of a scalar, by bytes of its value: in quotes, in a block or over several lines. `None` where the scalar
    /// is written so that the part cannot be told, such as with escapes.
    pub fn inside(&self, path: &str, value: &str, start: usize, end: usize) -> Option<Place> {
        let node = self.nodes.get(path)?;
        let style = node.style?;
        let mut at = self.first(node, style);
        let (mut from, mut to) = (None, None);
        for (offset, wanted) in value.char_indices().filter(|(_, one)| !one.is_whitespace()) {
            let (found, next) = self.next(at, style)?;
            if *self.text.get(found)? != wanted {
                return None;
            }
            if offset >= start && from.is_none() {
                from = Some(found);
            }
            if offset < end.max(start + 1) {
                to = Some(next);
            }
            at = next;
        }
        let from = from.unwrap_or(at);
        self.place(from, to.unwrap_or(at).max(from + 1))
    }

    /// Where the text of a scalar begins.
    fn first(&self, node: &Node, style: ScalarStyle) -> usize {
        let start = node.value.0;
        match style {
            ScalarStyle::Plain => start,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => start + 1,
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let is_header = matches!(self.text.get(start), Some('|' | '>'));
                let line = self.lines.partition_point(|first| *first <= start);
                if is_header { self.lines.get(line).copied().unwrap_or(start) } else { start }
            }
        }
    }

    /// The next character that is no blank, and where the one after it begins.
    fn next(&self, at: usize, style: ScalarStyle) -> Option<(usize, usize)> {
        let rest = self.text.get(at..)?;
        let found = at + rest.iter().position(|one| !one.is_whitespace())?;
        match (style, self.text.get(found)?, self.text.get(found + 1)) {
            (ScalarStyle::SingleQuoted, '\'', Some('\'')) => Some((found, found + 2)),
            (ScalarStyle::DoubleQuoted, '\\', Some('"' | '\\' | '/')) => Some((found + 1, found + 2)),
            (ScalarStyle::DoubleQuoted, '\\', _) => None,
            _ => Some((found, found + 1)),
        }
    }

    /// A range of characters as a place; of several lines the first counts.
    fn place(&self, start: usize, end: usize) -> Option<Place> {
        let line = self.lines.partition_point(|first| *first <= start);
        let first = *self.lines.get(line.checked_sub(1)?)?;
        let next = self.lines.get(line).map_or(self.text.len() + 1, |next| *next);
        let column = start - first + 1;
        Some(Place { line, column, end_column: (end.min(next - 1).max(start + 1)) - first + 1 })
    }
}

/// Goes through the events of the parser with the path of the current one.
struct Walk {
    nodes: HashMap<String, Node>,
    open: Vec<Open>,
}

enum Open {
    Sequence {
        path: String,
        next: usize,
    },
    Mapping {
        path: String,
        key: Option<(String, (usize, usize))>,
    },
    /// Inside a key that is no scalar.
    Ignored,
}

impl Walk {
    fn event(&mut self, event: &Event<'_>, span: Span) {
        let range = (span.start.index(), span.end.index());
        match event {
            Event::Scalar(text, style, ..) => self.scalar(text, Some(*style), range),
            Event::Alias(_) => self.scalar("", None, range),
            Event::SequenceStart(..) => {
                let opened = self.enter(None, range).map(|path| Open::Sequence { path, next: 0 });
                self.open.push(opened.unwrap_or(Open::Ignored));
            }
            Event::MappingStart(..) => {
                let opened = self.enter(None, range).map(|path| Open::Mapping { path, key: None });
                self.open.push(opened.unwrap_or(Open::Ignored));
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let ended = self.open.pop();
                if let (Some(Open::Ignored), Some(Open::Mapping { key, .. })) = (ended, self.open.last_mut())
                {
                    *key = Some(("?".to_owned(), range));
                }
            }
            _ => {}
        }
    }

    fn scalar(&mut self, text: &str, style: Option<ScalarStyle>, range: (usize, usize)) {
        if let Some(Open::Mapping { key: key @ None, .. }) = self.open.last_mut() {
            *key = Some((text.to_owned(), range));
            return;
        }
        let _ = self.enter(style, range);
    }

    /// Notes a value and gives its path; `None` for what has none.
    fn enter(&mut self, style: Option<ScalarStyle>, value: (usize, usize)) -> Option<String> {
        let (path, key) = match self.open.last_mut() {
            None => (String::new(), None),
            Some(Open::Ignored | Open::Mapping { key: None, .. }) => return None,
            Some(Open::Sequence { path, next }) => {
                *next += 1;
                (format!("{path}[{}]", *next - 1), None)
            }
            Some(Open::Mapping { path, key }) => {
                let (name, range) = key.take()?;
                (if path.is_empty() { name } else { format!("{path}.{name}") }, Some(range))
            }
        };
        self.nodes.insert(path.clone(), Node { key, value, style });
        Some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text that a place covers.
    fn under(text: &str, place: Option<Place>) -> String {
        let Some(place) = place else { return "nowhere".into() };
        let line = text.lines().nth(place.line - 1).unwrap_or("");
        line.chars().skip(place.column - 1).take(place.end_column - place.column).collect()
    }

    #[test]
    fn parts_of_scalars_are_found_however_they_are_written() {
        let value = "a > 1 && naïve == 'x'";
        let start = value.find("naïve").unwrap();
        let end = start + "naïve".len();
        let plain = format!("rules:\n  - id: é\n    when: {value}\n");
        let single = format!("rules: [{{id: é, when: '{}'}}]", value.replace('\'', "''"));
        let double = format!("rules:\n- {{\"when\": \"{value}\"}}");
        let literal = "rules:\n- when: |\n    a > 1 &&\n      naïve == 'x'\n".to_owned();
        let folded = "rules:\n- when: >-\n    a > 1\n    && naïve\n    == 'x'\n".to_owned();
        let broken = "rules:\n- when: a > 1 &&\n    naïve == 'x'\n".to_owned();
        for text in [plain, single, double, literal, folded, broken] {
            let found = Locator::new(&text).inside("rules[0].when", value, start, end);
            assert_eq!(under(&text, found), "naïve", "{text}");
        }
        let escaped = r#"{"rules": [{"when": "a > 1 \u0026\u0026 naïve == 'x'"}]}"#;
        assert_eq!(Locator::new(escaped).inside("rules[0].when", value, start, end), None);
    }

    #[test]
    fn the_end_of_an_expression_is_a_place() {
        let text = "rules:\n- when: 1 +\n";
        let place = Locator::new(text).inside("rules[0].when", "1 +", 3, 3);
        assert_eq!(place.map(|place| (place.line, place.column)), Some((2, 12)));
    }

    #[test]
    fn fields_are_found_and_what_is_missing_is_sought_around_it() {
        let text = "a: &x\n  b: [1, {c: 2}]\n? [k, l]\n: {d: 3}\ne: *x\n";
        let locator = Locator::new(text);
        assert_eq!(under(text, locator.field("a.b[1].c")), "2");
        assert_eq!(under(text, locator.name("a.b[1].c")), "c");
        assert_eq!(under(text, locator.field("a.b[0].z")), "1");
        assert_eq!(under(text, locator.field("a.b[7]")), "b");
        assert_eq!(under(text, locator.field("e.b[1].c")), "e");
        assert_eq!(under(text, locator.field("?.d")), "3");
        assert_eq!(locator.scalar("a.b[1].c"), "2");
        assert!(!locator.has("k") && locator.has("a.b"));
    }

    #[test]
    fn a_text_that_is_no_yaml_has_places_up_to_the_fault() {
        let text = "a: 1\nb: [1, 2\nc: }";
        assert_eq!(under(text, Locator::new(text).field("a")), "1");
    }
}
