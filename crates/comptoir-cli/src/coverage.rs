//! Which rules the cases fired.

use std::collections::HashSet;
use std::io::{self, Write};

use comptoir_rules::rule_set::{Decision, Mode, RuleSet};

/// Collects the rules that fired, or held in shadow mode.
#[derive(Debug, Default)]
pub struct Coverage {
    fired: HashSet<String>,
}

impl Coverage {
    /// Notes a decision.
    pub fn add(&mut self, decision: &Decision<'_>) {
        for id in decision.fired().chain(decision.shadow()) {
            if !self.fired.contains(id) {
                self.fired.insert(id.to_owned());
            }
        }
    }

    /// Writes how many rules fired, and those that did not.
    ///
    /// # Errors
    /// Those of the output.
    pub fn write(&self, out: &mut dyn Write, set: &RuleSet) -> io::Result<()> {
        let looked_at: Vec<&str> =
            set.rules().iter().filter(|rule| rule.mode != Mode::Off).map(|rule| &*rule.id).collect();
        let never: Vec<&str> = looked_at.iter().copied().filter(|id| !self.fired.contains(*id)).collect();
        writeln!(out, "coverage: {} of {} rules fired", looked_at.len() - never.len(), looked_at.len())?;
        for id in never {
            writeln!(out, "  never: `{id}`")?;
        }
        Ok(())
    }
}
