use std::fmt;

use super::{Position, Span};

/// One fault of an expression: what, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code, such as `RULES_SYNTAX`.
    pub code: DiagnosticCode,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do, where that is known.
    pub hint: Option<String>,
    /// Where it is.
    pub span: Span,
}

impl Diagnostic {
    /// A fault without a hint.
    #[must_use]
    pub fn new(code: DiagnosticCode, span: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, span }
    }

    /// The same with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The message with the line it is about, a caret under the place, and the hint.
    ///
    /// ```text
    /// 1:6: undeclared name `lvl`
    ///  | user.lvl >= 3
    ///  |      ^^^
    ///  = hint: did you mean `level`?
    /// ```
    #[must_use]
    pub fn render(&self, source: &str) -> String {
        let Position { line, column } = self.span.position(source);
        let text = source.lines().nth(line - 1).unwrap_or("");
        let under = self.span.text(source).lines().next().unwrap_or("").chars().count();
        let left = text.chars().count() + 1 - column.min(text.chars().count() + 1);
        let (shown, column) = window(text, column);
        let carets = "^".repeat(under.clamp(1, left.max(1)).min(WIDTH));
        let pad = " ".repeat(column - 1);
        let mut rendered =
            format!("{}: {}\n | {shown}\n | {pad}{carets}", self.position(source), self.message);
        if let Some(hint) = &self.hint {
            rendered.push_str("\n = hint: ");
            rendered.push_str(hint);
        }
        rendered
    }

    fn position(&self, source: &str) -> Position {
        self.span.position(source)
    }
}

/// Longest part of a line that a message shows.
const WIDTH: usize = 100;

/// The part of a long line around the column, tabs as blanks, and the column within it.
fn window(text: &str, column: usize) -> (String, usize) {
    let skip = if column > WIDTH { column - WIDTH / 2 } else { 0 };
    let shown: String = text
        .chars()
        .skip(skip)
        .take(WIDTH * 3 / 2)
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    (shown, column - skip)
}

/// What kind of fault it is. The code of each is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DiagnosticCode {
    /// Text that is no expression.
    Syntax,
    /// A literal that is no number, string or bytes.
    Literal,
    /// A macro used in a way that it does not have.
    Macro,
    /// Source too long, nested too deep, or with too many parts.
    Limit,
    /// A variable or type that is not declared.
    UnknownName,
    /// A function that is not declared.
    UnknownFunction,
    /// A field that the type does not have.
    UnknownField,
    /// No overload takes arguments of these types.
    NoOverload,
    /// A type that does not fit where it stands.
    TypeMismatch,
    /// A regular expression that does not compile.
    Regex,
    /// A template of `format` that does not fit its arguments.
    Format,
}

impl DiagnosticCode {
    /// The stable code.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syntax => "RULES_SYNTAX",
            Self::Literal => "RULES_LITERAL",
            Self::Macro => "RULES_MACRO",
            Self::Limit => "RULES_LIMIT",
            Self::UnknownName => "RULES_UNKNOWN_NAME",
            Self::UnknownFunction => "RULES_UNKNOWN_FUNCTION",
            Self::UnknownField => "RULES_UNKNOWN_FIELD",
            Self::NoOverload => "RULES_NO_OVERLOAD",
            Self::TypeMismatch => "RULES_TYPE_MISMATCH",
            Self::Regex => "RULES_REGEX",
            Self::Format => "RULES_FORMAT",
        }
    }
}

impl fmt::Display for DiagnosticCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The faults of one expression, in the order of the source, with the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics {
    source: String,
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    pub(crate) fn new(source: &str, mut list: Vec<Diagnostic>) -> Self {
        list.sort_by_key(|diagnostic| diagnostic.span.start);
        Self { source: source.to_owned(), list }
    }

    /// Each fault.
    #[must_use]
    pub fn list(&self) -> &[Diagnostic] {
        &self.list
    }

    /// The source that the spans refer to.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The code of the first fault.
    #[must_use]
    pub fn code(&self) -> DiagnosticCode {
        self.list.first().map_or(DiagnosticCode::Syntax, |first| first.code)
    }

    /// All faults as text with carets.
    #[must_use]
    pub fn render(&self) -> String {
        let rendered: Vec<String> = self.list.iter().map(|one| one.render(&self.source)).collect();
        rendered.join("\n")
    }
}

/// The first fault in one line, and how many more there are: for logs. [`Diagnostics::render`] is for people.
impl fmt::Display for Diagnostics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.list.first() else { return Ok(()) };
        write!(formatter, "{}: {}", first.position(&self.source), first.message)?;
        if let Some(hint) = &first.hint {
            write!(formatter, " ({hint})")?;
        }
        match self.list.len() - 1 {
            0 => Ok(()),
            more => write!(formatter, " and {more} more"),
        }
    }
}
