//! A guard over order lines: what is blocked, what is looked at and why, and what another threshold would change.
//!
//!     cargo run --release -p comptoir --example order_guard [LINES.csv]
//!
//! Without a file it makes lines of its own. `LINES.csv` has the columns of the UCI Online Retail data: InvoiceNo,
//! StockCode, Quantity, UnitPrice, CustomerID. The rules are those of `examples/rules/order_guard.yaml`.

mod lines;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use comptoir::rules::Value;
use comptoir::rules::rule_set::{RuleSet, RuleSetSpec};
use comptoir::types::WideDecimal;

use lines::Line;

/// The set is data: a service would read it from where its authors keep it.
const RULES: &str = include_str!("../../rules/order_guard.yaml");
/// What the guard would be with a lower floor.
const CHANGE: (&str, &str) = ("usual_price * decimal('0.50')", "usual_price * decimal('0.40')");

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args_os().nth(1);
    run(file.as_ref().map(Path::new), &mut io::stdout().lock())
}

fn run(file: Option<&Path>, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let lines = match file {
        Some(file) => lines::read(file)?,
        None => lines::make(20_000),
    };
    let guard = RuleSet::build(RuleSetSpec::from_yaml(RULES)?)?;
    let started = Instant::now();
    let found = decide(&guard, &lines)?;
    let nanos = started.elapsed().as_nanos() / u128::try_from(lines.len().max(1))?;
    writeln!(out, "{} lines, {} version {}: {nanos} ns a line", lines.len(), guard.name(), guard.version())?;
    found.write(out)?;
    if let Some(line) = found.first_blocked.and_then(|place| lines.get(place)) {
        explain(&guard, line, out)?;
    }
    let lower = RuleSet::build(RuleSetSpec::from_yaml(&RULES.replace(CHANGE.0, CHANGE.1))?)?;
    compare(&guard, &lower, &lines, out)
}

/// How many lines, and what they are worth.
#[derive(Default)]
struct Total {
    lines: usize,
    worth: WideDecimal,
}

impl Total {
    fn add(&mut self, line: &Line) -> Result<(), Box<dyn Error>> {
        self.lines += 1;
        self.worth = self.worth.checked_add(line.worth()?)?;
        Ok(())
    }
}

#[derive(Default)]
struct Found {
    actions: BTreeMap<String, Total>,
    rules: BTreeMap<String, Total>,
    on_trial: BTreeMap<String, Total>,
    faults: usize,
    first_blocked: Option<usize>,
}

fn decide(guard: &RuleSet, lines: &[Line]) -> Result<Found, Box<dyn Error>> {
    let mut found = Found::default();
    for (place, line) in lines.iter().enumerate() {
        let decision = guard.decide(line);
        let action: &str = match decision.output("action") {
            Some(Value::String(action)) => action,
            _ => "nothing to say",
        };
        if action == "block" && found.first_blocked.is_none() {
            found.first_blocked = Some(place);
        }
        found.actions.entry(action.to_owned()).or_default().add(line)?;
        for rule in decision.fired() {
            found.rules.entry(rule.to_owned()).or_default().add(line)?;
        }
        for rule in decision.shadow() {
            found.on_trial.entry(rule.to_owned()).or_default().add(line)?;
        }
        found.faults += decision.faults().len();
    }
    Ok(found)
}

impl Found {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let tables = [("action", &self.actions), ("rule", &self.rules), ("on trial", &self.on_trial)];
        for (head, table) in tables {
            writeln!(out, "\n  {head:<18}{:>9}{:>18}", "lines", "worth")?;
            let mut rows: Vec<(&String, &Total)> = table.iter().collect();
            rows.sort_by_key(|(_, total)| std::cmp::Reverse(total.worth));
            for (name, total) in rows {
                writeln!(out, "  {name:<18}{:>9}{:>18}", total.lines, total.worth.to_string())?;
            }
        }
        writeln!(out, "\nlines about which a rule has nothing to say for lack of a value: {}", self.faults)
    }
}

/// Why a line is blocked: each rule up to the one that counts, and the clauses that decided.
fn explain(guard: &RuleSet, line: &Line, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\nblocked, for example: {line}")?;
    for rule in guard.trace(line).rules {
        if rule.verdict.is_true() {
            for clause in &rule.clauses {
                writeln!(out, "  {}: {clause}", rule.id)?;
            }
            break;
        }
        if let Some(clause) = rule.blocking().next() {
            writeln!(out, "  not {}: {clause}", rule.id)?;
        }
    }
    Ok(())
}

/// What would change if another set took the place of the guard.
fn compare(
    guard: &RuleSet,
    other: &RuleSet,
    lines: &[Line],
    out: &mut dyn Write,
) -> Result<(), Box<dyn Error>> {
    let diff = guard.diff(other, lines, Some("price * qty"))?;
    let amount = diff.amount.unwrap_or_default();
    writeln!(out, "\nwith a floor of 40 % in place of 50 %, {} lines change, worth {amount}:", diff.changed)?;
    for (rule, change) in &diff.rules {
        writeln!(out, "  {rule:<18} +{} -{}", change.gained, change.lost)?;
    }
    if let Some(place) = diff.rules.values().find_map(|change| change.samples.first())
        && let Some(line) = lines.get(*place)
    {
        writeln!(out, "  for example: {line}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(file: Option<&Path>) -> Result<String, Box<dyn Error>> {
        let mut out = Vec::new();
        run(file, &mut out)?;
        Ok(String::from_utf8(out)?)
    }

    #[test]
    fn lines_of_its_own_are_guarded() {
        let text = text(None).unwrap();
        assert!(text.starts_with("20000 lines, order guard version 1: "), "{text}");
        for rule in [
            "negative-price",
            "zero-price",
            "far-below-floor",
            "below-floor",
            "quantity-outlier",
            "big-return",
            "dear",
        ] {
            assert!(text.contains(&format!("\n  {rule} ")), "{rule} in {text}");
        }
        assert!(text.contains("is true (") && text.contains("in place of 50 %"), "{text}");
    }

    #[test]
    fn a_file_is_guarded() {
        let file = std::env::temp_dir().join(format!("comptoir-order-guard-{}.csv", std::process::id()));
        let head = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country";
        let rows = "1,22423,\"A, B\",1,x,10.00,7,y\n2,22423,C,1,x,10.00,,y\n3,22423,C,2,x,1.00,7,y\nA4,B,D,1,x,-99.50,,y\n";
        std::fs::write(&file, format!("{head}\n{rows}")).unwrap();
        let text = text(Some(&file)).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert!(text.contains("  block                     2            101.50\n"), "{text}");
        assert!(
            text.contains("blocked, for example: invoice 3, item 22423: 2 at 1.00, usually 10.00"),
            "{text}"
        );
        assert!(super::lines::read(Path::new("nothere.csv")).is_err());
    }
}
