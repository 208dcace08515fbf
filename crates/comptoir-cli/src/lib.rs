//! The command `comptoir`: checks and tests rule sets, for their authors and for CI.
//!
//! Its answers go to the standard output, what kept it from answering to the standard error. The exit status is 0
//! where all is well, 1 where a file has faults or a case fails, and 2 for a wrong use or a file that cannot be read. The
//! Python package runs the same.
#![forbid(unsafe_code)]

mod cases;
mod check;
mod compare;
mod coverage;
mod eval;
mod fault;
mod fields;
mod locate;
mod place;
mod policy_cases;
mod repair;
mod report;
mod source;
mod tables;
mod test;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use comptoir_rules::rule_set::EnvironmentSpec;

use check::check;
use report::{Answer, Counts};
use source::Source;

/// Computation cores for e-commerce back ends.
#[derive(Parser)]
#[command(name = "comptoir", version, about)]
struct Cli {
    #[command(subcommand)]
    core: Core,
}

#[derive(Subcommand)]
enum Core {
    /// Rule sets in CEL
    #[command(subcommand)]
    Rules(Rules),
}

#[derive(Subcommand)]
enum Rules {
    /// Find every fault of rule sets, and gaps, overlaps and dead rows of their decision tables
    Check(CheckArgs),
    /// Decide the events of a file of cases and compare with what it expects
    Test(TestArgs),
    /// Evaluate an expression, with its type and cost
    Eval(EvalArgs),
}

#[derive(Args)]
struct CheckArgs {
    /// Rule sets in YAML or JSON, policies in cel-policy YAML, decision tables in CSV
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Types and variables, for policies and tables in CSV, which have none of their own
    #[arg(long, value_name = "FILE")]
    env: Option<PathBuf>,
    /// How findings are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// What else fails the check
    #[arg(long, value_enum)]
    deny: Option<Deny>,
}

#[derive(Args)]
struct TestArgs {
    /// The rule set
    file: PathBuf,
    /// The cases, in YAML or JSON
    cases: PathBuf,
    /// Types and variables, for policies and tables in CSV, which have none of their own
    #[arg(long, value_name = "FILE")]
    env: Option<PathBuf>,
    /// Write a line for every case, not only for those that fail
    #[arg(long, short)]
    verbose: bool,
    /// Also list the rules that no case fires
    #[arg(long)]
    coverage: bool,
}

#[derive(Args)]
struct EvalArgs {
    /// The expression
    #[arg(value_name = "EXPR")]
    expression: String,
    /// The event: an object with a field for each variable, in YAML or JSON; `-` reads the standard input
    #[arg(long, value_name = "FILE")]
    event: Option<PathBuf>,
    /// Types and variables, or a rule set that has them; without it they follow from the event
    #[arg(long, value_name = "FILE")]
    env: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines for people
    Text,
    /// One object, for annotations in CI
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deny {
    /// Warnings count as faults
    Warnings,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    /// All is well.
    Well,
    /// A file has faults, or a case fails.
    Faults,
}

/// Why a run came to no answer.
#[derive(Debug)]
enum Failure {
    /// A file cannot be read, or an argument is no good: one line.
    Input(String),
    /// The output.
    Output(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Input(message)
    }
}

/// Runs the command with its arguments, the first of which is its own name, and gives the exit status.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let Core::Rules(command) = match Cli::try_parse_from(arguments) {
        Ok(parsed) => parsed.core,
        Err(error) => {
            // Help goes to the standard output, a wrong use to the standard error; where neither can be written, the
            // status is all that is left.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    let mut out = anstream::AutoStream::auto(io::stdout().lock());
    let status = match command {
        Rules::Check(args) => run_check(&args, &mut out),
        Rules::Test(args) => run_test(&args, &mut out),
        Rules::Eval(args) => {
            eval::run(&args.expression, args.event.as_deref(), args.env.as_deref(), &mut out)
        }
    };
    let status = status.and_then(|status| Ok(out.flush().map(|()| status)?));
    match status {
        Ok(Status::Well) => 0,
        Ok(Status::Faults) => 1,
        // Whoever reads the output has seen enough.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(Failure::Output(error)) => fail(&format!("the output cannot be written: {error}")),
        Err(Failure::Input(message)) => fail(&message),
    }
}

fn fail(message: &str) -> u8 {
    // Where even this cannot be written, the status is all that is left.
    let _ = writeln!(io::stderr(), "comptoir: {message}");
    2
}

fn environment(path: Option<&PathBuf>) -> Result<EnvironmentSpec, String> {
    path.map_or_else(|| Ok(EnvironmentSpec::default()), |path| source::environment(path))
}

fn run_check(args: &CheckArgs, out: &mut dyn Write) -> Result<Status, Failure> {
    let environment = environment(args.env.as_ref())?;
    // All files are read before any is checked: half an answer looks like a whole one.
    let sources = args.files.iter().map(|path| Source::read(path)).collect::<Result<Vec<_>, _>>()?;
    let answer = |source: Source| Answer { checked: check(&source, &environment), source };
    let answers: Vec<Answer> = sources.into_iter().map(answer).collect();
    match args.format {
        Format::Text => report::text(out, &answers)?,
        Format::Json => report::json(out, &answers)?,
    }
    let counts = Counts::of(&answers);
    let is_denied = args.deny == Some(Deny::Warnings) && counts.warnings > 0;
    Ok(if counts.errors > 0 || is_denied { Status::Faults } else { Status::Well })
}

fn run_test(args: &TestArgs, out: &mut dyn Write) -> Result<Status, Failure> {
    let environment = environment(args.env.as_ref())?;
    let source = Source::read(&args.file)?;
    let cases = Source::read(&args.cases)?;
    let checked = check(&source, &environment);
    let answer = Answer { source, checked };
    let Some((set, spec)) = &answer.checked.set else {
        report::text(out, std::slice::from_ref(&answer))?;
        return Ok(Status::Faults);
    };
    let options = test::Options { is_verbose: args.verbose, has_coverage: args.coverage };
    test::run(set, spec, &cases, options, out)
}
