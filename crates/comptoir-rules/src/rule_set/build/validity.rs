//! When a rule counts.

use super::{Builder, Direction, Origin, RuleSetError, RuleSpec, Timestamp, Value};

impl Builder {
    /// The clauses of a rule's time.
    pub(super) fn validity(&mut self, rule: &RuleSpec, origin: &Origin) -> Result<Vec<u32>, RuleSetError> {
        let bounds = [
            (&rule.valid_from, Direction::Above, "valid_from"),
            (&rule.valid_until, Direction::Below, "valid_until"),
        ];
        let (mut clauses, mut moments) = (Vec::new(), Vec::new());
        for (bound, direction, field) in bounds {
            let Some(text) = bound else { continue };
            let path = || format!("{origin}.{field}");
            let Some(at) = self.at else {
                return Err(RuleSetError::invalid(path(), "the set needs `at`, the moment of an event"));
            };
            let wrong = |_| RuleSetError::invalid(path(), format!("`{text}` is no moment of RFC 3339"));
            let moment: Timestamp = text.parse().map_err(wrong)?;
            clauses.push(self.clauses.bound(at, direction, &Value::Timestamp(moment)));
            moments.push(moment);
        }
        match *moments {
            [from, until] if until <= from => {
                let path = format!("{origin}.valid_until");
                Err(RuleSetError::invalid(path, "it is not after `valid_from`: the rule would never count"))
            }
            _ => Ok(clauses),
        }
    }
}
