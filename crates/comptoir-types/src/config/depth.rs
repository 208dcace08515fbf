//! A guard before a YAML parser whose time grows with the square of the depth to which brackets are nested.
//!
//! What is written line by line is counted exactly. Quotes and scalars that go over several lines, anchors and tags may hide a
//! bracket from a simple reading; a text with such things is allowed fewer brackets in all, so that no text takes long.

/// Brackets that may be open at one place: policies, templates and specs need four.
const DEEPEST: usize = 64;

/// Brackets in a text that cannot be read line by line.
const MOST: usize = 2_000;

/// The line, counted from 1, on which brackets are nested too deeply to be parsed; `None` for a text that may be parsed.
pub fn too_deep(text: &str) -> Option<usize> {
    let (mut depth, mut opened, mut is_plain) = (0_usize, 0_usize, true);
    let mut deepest_line = None;
    let mut before = Before::Indicator;
    for (number, line) in (1_usize..).zip(text.lines()) {
        let mut reader = Line { before, depth, deepest: depth };
        is_plain &= reader.read(line);
        (before, depth) = (reader.before, reader.depth);
        opened += line.matches(['[', '{']).count();
        if reader.deepest > DEEPEST {
            deepest_line = deepest_line.or(Some(number));
        }
        let too_many = !is_plain && opened > MOST;
        if deepest_line.is_some() || too_many {
            return deepest_line.or(Some(number));
        }
    }
    None
}

/// What stands before a character, spaces left out: whether a quote there begins a quoted scalar.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing, or what a value may follow.
    Indicator,
    /// The end of a quoted scalar or of brackets.
    Closed,
    /// Text without quotes.
    Text,
}

struct Line {
    before: Before,
    depth: usize,
    deepest: usize,
}

impl Line {
    /// Reads a line; whether it can be understood without those around it.
    fn read(&mut self, line: &str) -> bool {
        let mut is_plain = !ends_with_block_scalar(line);
        let mut rest = line;
        let (mut spaced, mut first) = (true, true);
        while let Some(next) = rest.chars().next() {
            let after = rest.get(next.len_utf8()..).unwrap_or_default();
            match next {
                '#' if spaced => break,
                '"' | '\'' if self.before == Before::Text => is_plain = false,
                '"' | '\'' => match after_quote(after, next) {
                    Some(end) => {
                        rest = end;
                        (self.before, spaced, first) = (Before::Closed, false, false);
                        continue;
                    }
                    None => is_plain = false,
                },
                '&' | '!' | '%' if self.before != Before::Text => is_plain = false,
                _ => {}
            }
            let ends_word = after.is_empty() || after.starts_with(char::is_whitespace);
            self.note(next, spaced, first, ends_word);
            first &= next.is_whitespace() || next == '-' || next == '?';
            spaced = next.is_whitespace();
            rest = after;
        }
        is_plain
    }

    fn note(&mut self, next: char, spaced: bool, first: bool, ends_word: bool) {
        match next {
            '[' | '{' => {
                self.depth += 1;
                self.deepest = self.deepest.max(self.depth);
                self.before = Before::Indicator;
            }
            ']' | '}' => {
                self.depth = self.depth.saturating_sub(1);
                self.before = Before::Closed;
            }
            ',' => self.before = Before::Indicator,
            ':' if ends_word || self.before == Before::Closed => self.before = Before::Indicator,
            '-' | '?' if first && spaced && ends_word => self.before = Before::Indicator,
            _ if next.is_whitespace() => {}
            _ => self.before = Before::Text,
        }
    }
}

/// What follows the end of a quoted scalar on its line.
fn after_quote(text: &str, quote: char) -> Option<&str> {
    let mut rest = text;
    loop {
        let end = rest.find(|next| next == quote || (next == '\\' && quote == '"'))?;
        let is_escape = rest.get(end..)?.starts_with('\\');
        let after = rest.get(end + 1..)?;
        if is_escape {
            rest = after.get(after.chars().next()?.len_utf8()..)?;
        } else if quote == '\'' && after.starts_with('\'') {
            rest = after.get(1..)?;
        } else {
            return Some(after);
        }
    }
}

/// Whether a line opens a scalar that the lines below it make up, such as `text: |`.
fn ends_with_block_scalar(line: &str) -> bool {
    let text = line.split(" #").next().unwrap_or_default();
    let word = text.split_whitespace().next_back().unwrap_or_default();
    word.starts_with(['|', '>'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_counted_where_they_are_open() {
        assert_eq!(too_deep(&"[".repeat(DEEPEST)), None);
        assert_eq!(too_deep(&format!("a: 1\nb: {}", "[".repeat(DEEPEST + 1))), Some(2));
        assert_eq!(too_deep(&"a: {b: [c]}\n".repeat(10 * MOST)), None);
        assert_eq!(too_deep(&"\"a [\": {'b': [\"[\", '{''{']} # [\n".repeat(10 * MOST)), None);
        assert_eq!(too_deep(&"{\"a\":{\"b\":\"]\"},\n".repeat(DEEPEST + 1)), Some(DEEPEST));
    }

    /// Brackets that close only in appearance.
    #[test]
    fn hidden_brackets_are_bounded_in_all() {
        for hidden in [
            "[ \"]\", ",
            "[ \"]\",\n",
            "[ x\"y, \"]\", ",
            "[ it's ], '\n",
            "[&a \"]\", ",
            "[ !t ']',\n",
            "[ 'x\n]',\n",
            "[ x\n\"B\n]\", ",
            "[ # \"\n",
        ] {
            assert!(too_deep(&hidden.repeat(MOST + 1)).is_some(), "{hidden}");
            assert!(too_deep(&format!("a: |\n  b: \"c\n{}", hidden.repeat(MOST + 1))).is_some(), "{hidden}");
        }
        // Nothing is nested here, but quotes inside of words are not worth the trouble.
        assert_eq!(too_deep(&"a: it's {b}\n".repeat(MOST)), None);
    }
}
