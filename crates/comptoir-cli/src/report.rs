//! What was found, for people and for machines.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::check::Checked;
use crate::fault::{Fault, Severity, snippet};
use crate::source::Source;

/// The answer for one file.
#[derive(Debug)]
pub struct Answer {
    /// The file.
    pub source: Source,
    /// What was found.
    pub checked: Checked,
}

/// How many of what were found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Files.
    pub files: usize,
    /// Rules and rows of tables.
    pub rules: usize,
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
}

impl Counts {
    /// Counts what was found.
    pub fn of(answers: &[Answer]) -> Self {
        let of = |severity| {
            answers
                .iter()
                .flat_map(|one| &one.checked.faults)
                .filter(|fault| fault.severity == severity)
                .count()
        };
        Self {
            files: answers.len(),
            rules: answers.iter().map(|one| one.checked.rules).sum(),
            errors: of(Severity::Error),
            warnings: of(Severity::Warning),
        }
    }
}

/// Writes each fault with its place and its line, and a line that sums up.
///
/// # Errors
/// Those of the output.
pub fn text(out: &mut dyn Write, answers: &[Answer]) -> io::Result<()> {
    for answer in answers {
        let mut before = None;
        for fault in &answer.checked.faults {
            head(out, &answer.source, fault)?;
            // What follows another at the same place needs no second look at it.
            let here = (&fault.path, fault.place);
            if before != Some(here) || fault.hint.is_some() {
                body(out, &answer.source, fault)?;
            }
            before = Some(here);
        }
    }
    let counts = Counts::of(answers);
    let found = match (counts.errors, counts.warnings) {
        (0, 0) => "no faults".to_owned(),
        (errors, 0) => number(errors, "error"),
        (0, warnings) => number(warnings, "warning"),
        (errors, warnings) => format!("{}, {}", number(errors, "error"), number(warnings, "warning")),
    };
    writeln!(out, "{}, {}: {found}", number(counts.files, "file"), number(counts.rules, "rule"))
}

/// Writes one fault.
///
/// # Errors
/// Those of the output.
pub fn one(out: &mut dyn Write, source: &Source, fault: &Fault) -> io::Result<()> {
    head(out, source, fault)?;
    body(out, source, fault)
}

fn head(out: &mut dyn Write, source: &Source, fault: &Fault) -> io::Result<()> {
    let place = fault.place.map_or(String::new(), |place| format!("{}:{}:", place.line, place.column));
    let style = style(fault.severity);
    let (severity, message, code) = (fault.severity.name(), &fault.message, &fault.code);
    writeln!(out, "{}:{place} {style}{severity}{style:#}: {message} [{code}]", source.name)
}

fn body(out: &mut dyn Write, source: &Source, fault: &Fault) -> io::Result<()> {
    if !fault.path.is_empty() && fault.path != "." {
        writeln!(out, "  in {}", fault.path)?;
    }
    match (&fault.excerpt, fault.place) {
        (Some(excerpt), _) => writeln!(out, "{excerpt}")?,
        (None, Some(place)) => writeln!(out, "{}", snippet(&source.text, place))?,
        (None, None) => {}
    }
    match &fault.hint {
        Some(hint) => writeln!(out, "  = hint: {hint}"),
        None => Ok(()),
    }
}

/// Colours for terminals; the stream leaves them out anywhere else.
const fn style(severity: Severity) -> Style {
    let colour = match severity {
        Severity::Error => AnsiColor::Red,
        Severity::Warning => AnsiColor::Yellow,
        Severity::Note => AnsiColor::Cyan,
    };
    colour.on_default().bold()
}

/// `1 rule`, `2 rules`
pub fn number(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Writes what was found as one JSON object, with `files`, `rules`, `errors`, `warnings` and the `findings`.
///
/// # Errors
/// Those of the output.
pub fn json(out: &mut dyn Write, answers: &[Answer]) -> io::Result<()> {
    let findings = answers
        .iter()
        .flat_map(|answer| answer.checked.faults.iter().map(|fault| Row::new(&answer.source, fault)))
        .collect();
    serde_json::to_writer_pretty(&mut *out, &Whole { counts: Counts::of(answers), findings })?;
    writeln!(out)
}

#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    counts: Counts,
    findings: Vec<Row<'a>>,
}

/// A finding as CI systems want it for annotations.
#[derive(Serialize)]
struct Row<'a> {
    file: &'a str,
    line: Option<usize>,
    column: Option<usize>,
    end_column: Option<usize>,
    severity: Severity,
    code: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
    path: &'a str,
}

impl<'a> Row<'a> {
    fn new(source: &'a Source, fault: &'a Fault) -> Self {
        Self {
            file: &source.name,
            line: fault.place.map(|place| place.line),
            column: fault.place.map(|place| place.column),
            end_column: fault.place.map(|place| place.end_column),
            severity: fault.severity,
            code: &fault.code,
            message: &fault.message,
            hint: fault.hint.as_deref(),
            path: &fault.path,
        }
    }
}
