use std::fmt::Write as _;

use serde::Serialize;

use crate::locate::Place;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The set cannot be used.
    Error,
    /// The set can be used, and may not do what is meant.
    Warning,
    /// Good to know.
    Note,
}

impl Severity {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One thing that was found in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// How much it matters.
    pub severity: Severity,
    /// The stable code.
    pub code: String,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do, where that is known.
    pub hint: Option<String>,
    /// The field, such as `rules[3].when`.
    pub path: String,
    /// Where it is in the file.
    pub place: Option<Place>,
    /// What stands there, where the place in the file is not that of the fault itself.
    pub excerpt: Option<String>,
}

impl Fault {
    /// An error without a hint or a place.
    pub fn new(code: &str, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code: code.to_owned(),
            message: message.into(),
            hint: None,
            path: path.into(),
            place: None,
            excerpt: None,
        }
    }

    /// The same as a warning or note.
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The same at a place.
    pub fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }
}

/// Longest part of a line that is shown.
const WIDTH: usize = 100;

/// The line of a place with carets below, as compilers show it.
pub fn snippet(text: &str, place: Place) -> String {
    let line = text.lines().nth(place.line - 1).unwrap_or("");
    let number = place.line.to_string();
    let blank = " ".repeat(number.len());
    let skip = if place.column > WIDTH { place.column - WIDTH / 2 } else { 0 };
    let is_odd = |character: char| character.is_control();
    let shown: String =
        line.chars().skip(skip).take(WIDTH * 3 / 2).map(|one| if is_odd(one) { ' ' } else { one }).collect();
    let pad = " ".repeat(place.column - 1 - skip);
    let carets = "^".repeat((place.end_column - place.column).clamp(1, WIDTH));
    let mut lines = String::new();
    let _ = write!(lines, "  {number} | {}\n  {blank} | {pad}{carets}", shown.trim_end());
    lines
}

/// The nearest of some names, where one is near enough to be meant.
pub fn nearest<'n>(name: &str, candidates: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let limit = (name.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| (1..=limit).contains(distance))
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_shows_the_place() {
        let place = Place { line: 2, column: 4, end_column: 6 };
        assert_eq!(snippet("a\n\tbcdéf\n", place), "  2 |  bcdéf\n    |    ^^");
        let long = "x".repeat(500);
        let far = Place { line: 1, column: 400, end_column: 900 };
        let shown = snippet(&long, far);
        assert!(shown.lines().all(|line| line.chars().count() < 170), "{shown}");
    }

    #[test]
    fn only_near_names_are_meant() {
        assert_eq!(nearest("wen", ["when", "id"]), Some("when"));
        assert_eq!(nearest("outptus", ["outputs"]), Some("outputs"));
        assert_eq!(nearest("colour", ["when", "id"]), None);
    }
}
