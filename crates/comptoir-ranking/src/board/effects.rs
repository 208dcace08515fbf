//! What interventions do to an item, in explanations.

use arrow_array::RecordBatch;
use arrow_buffer::BooleanBuffer;

use super::contest::all;
use super::error::BoardError;
use super::explanation::{Explanation, InterventionEffect};
use super::operators::Operator;
use super::report::Faults;
use super::result::{BoardResult, Details};
use super::spec::Effect;

impl BoardResult {
    /// Adds why pins do not stand where they were to, and why interventions do not count.
    pub(super) fn tell_faults(&self, explanation: &mut Explanation) {
        for effect in &mut explanation.interventions {
            let unpinned = self.report.unpinned.iter().find(|unpinned| {
                unpinned.id == effect.id
                    && unpinned.item == explanation.item
                    && unpinned.group == explanation.group
            });
            effect.fault = unpinned.map(|unpinned| unpinned.fault.clone());
            let known = self.report.interventions.iter().find(|known| known.id == effect.id);
            effect.reason = known.and_then(|known| known.reason.clone());
        }
    }
}

impl Details {
    /// The interventions that hide any of these rows.
    pub(super) fn hiding(
        &self,
        rows: &RecordBatch,
        chosen: &BooleanBuffer,
    ) -> Result<Vec<String>, BoardError> {
        let active = self.judge.iter().flat_map(|judge| judge.contest.operators.active());
        let hiding = concerning(active.filter(|operator| operator.effect == Effect::Hide), rows, chosen)?;
        Ok(hiding.into_iter().map(|operator| operator.spec.id.clone()).collect())
    }

    /// Adds what the interventions that concern a row do to its item.
    pub(super) fn tell_effects(
        &self,
        explanation: &mut Explanation,
        row: &RecordBatch,
    ) -> Result<(), BoardError> {
        let Some(judge) = &self.judge else { return Ok(()) };
        let (operators, chosen) = (&judge.contest.operators, all(row));
        let active = concerning(operators.active().iter(), row, &chosen)?;
        let inactive = concerning(operators.inactive().iter(), row, &chosen)?;
        explanation.boost = operators.together(active.iter().map(|operator| operator.effect));
        let told = active.into_iter().chain(inactive).map(|operator| InterventionEffect {
            id: operator.spec.id.clone(),
            effect: words(operator, &explanation.item),
            fault: None,
            reason: None,
        });
        explanation.interventions = told.collect();
        Ok(())
    }
}

/// The interventions that concern any of these rows.
fn concerning<'o>(
    operators: impl Iterator<Item = &'o Operator>,
    rows: &RecordBatch,
    chosen: &BooleanBuffer,
) -> Result<Vec<&'o Operator>, BoardError> {
    let mut found = Vec::new();
    for operator in operators {
        if operator.rows(rows, chosen, &mut Faults::default())?.count_set_bits() > 0 {
            found.push(operator);
        }
    }
    Ok(found)
}

fn words(operator: &Operator, item: &str) -> String {
    match operator.effect {
        Effect::Hide => "hide".to_owned(),
        Effect::Factor(factor) => format!("score x {factor}"),
        Effect::Addition(addition) if addition < 0.0 => format!("score - {}", -addition),
        Effect::Addition(addition) => format!("score + {addition}"),
        Effect::Pin(first) => {
            let place = operator.items().position(|pinned| pinned == item).unwrap_or_default();
            format!("pin to {}", first + place)
        }
    }
}
