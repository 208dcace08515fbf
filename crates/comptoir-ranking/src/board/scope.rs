//! Whether an intervention counts for the context of a board.

use comptoir_rules::value::Timestamp;
use comptoir_rules::{Env, Type, Value, Variables};
use serde::Serialize;

use super::error::BoardError;
use super::spec::{BoardSpec, Context, InterventionSpec, is_in_share, moment};

/// Why an intervention does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The context switches it off.
    SwitchedOff,
    /// It is for other boards.
    OtherBoard,
    /// It is not valid yet.
    NotYet,
    /// It is not valid any more.
    Over,
    /// It is for a part of the units, and the board is made for none.
    NoUnit,
    /// The unit is not in its share.
    OutsideShare,
    /// It is for an audience, and the board is made for none.
    NoAudience,
    /// It is for another audience.
    OtherAudience,
    /// Its condition on the audience has no value.
    AudienceFault {
        /// Why.
        message: String,
    },
}

/// What decides which interventions count.
pub struct Scope<'c> {
    board: &'c str,
    context: &'c Context,
    now: Option<Timestamp>,
}

impl<'c> Scope<'c> {
    /// For a board and a context.
    pub fn new(spec: &'c BoardSpec, context: &'c Context) -> Result<Self, BoardError> {
        for id in context.force.keys() {
            if spec.interventions.iter().all(|intervention| intervention.id != *id) {
                let reason = format!("`{id}` is no intervention of board `{}`", spec.id);
                return Err(BoardError::spec("force", reason));
            }
        }
        Ok(Self { board: &spec.id, context, now: context.moment()? })
    }

    /// Why an intervention does not count; `None` where it does.
    pub fn reason_against(
        &self,
        path: &str,
        intervention: &InterventionSpec,
    ) -> Result<Option<Reason>, BoardError> {
        // What is wrong shows whether or not it counts today.
        let time = self.time(path, intervention)?;
        let audience = self.audience(path, intervention)?;
        if let Some(is_on) = self.context.force.get(&intervention.id) {
            return Ok((!is_on).then_some(Reason::SwitchedOff));
        }
        if !intervention.is_for(self.board) {
            return Ok(Some(Reason::OtherBoard));
        }
        Ok(time.or(audience).or_else(|| self.share(intervention)))
    }

    fn time(&self, path: &str, intervention: &InterventionSpec) -> Result<Option<Reason>, BoardError> {
        let at = |field: &str, text: &Option<String>| {
            let path = format!("{path}.{field}");
            let Some(text) = text else { return Ok(None) };
            let bound = moment(&path, text)?;
            match self.now {
                Some(now) => Ok(Some((bound, now))),
                None => Err(BoardError::spec(&path, "validity needs `now`: say for when the board is made")),
            }
        };
        let from = at("valid_from", &intervention.valid_from)?;
        let until = at("valid_until", &intervention.valid_until)?;
        if from.is_some_and(|(from, now)| now < from) {
            return Ok(Some(Reason::NotYet));
        }
        Ok(until.is_some_and(|(until, now)| now >= until).then_some(Reason::Over))
    }

    fn audience(&self, path: &str, intervention: &InterventionSpec) -> Result<Option<Reason>, BoardError> {
        let Some(source) = &intervention.audience else { return Ok(None) };
        let path = format!("{path}.audience");
        let env = Env::builder().variable("audience", Type::map(Type::String, Type::Dyn)).build();
        let env = env.map_err(BoardError::internal)?;
        let program = env
            .compile(source)
            .map_err(|error| BoardError::Expression { path: path.clone(), source: Box::new(error) })?;
        if !matches!(program.result_type(), Type::Bool | Type::Dyn) {
            let found = program.result_type();
            return Err(BoardError::spec(&path, format!("expected a condition, found {found}: `{source}`")));
        }
        let Some(audience) = &self.context.audience else { return Ok(Some(Reason::NoAudience)) };
        let audience = serde_json::Value::Object(audience.clone());
        let input = Variables::new().with("audience", Value::from_json(&audience));
        let outcome = program.eval(&input);
        Ok(match outcome {
            Ok(Value::Bool(true)) => None,
            Ok(Value::Bool(false)) => Some(Reason::OtherAudience),
            Ok(_) => Some(Reason::AudienceFault { message: "the condition is no truth value".to_owned() }),
            Err(fault) => Some(Reason::AudienceFault { message: fault.to_string() }),
        })
    }

    fn share(&self, intervention: &InterventionSpec) -> Option<Reason> {
        let share = intervention.share?;
        let Some(unit) = &self.context.unit else { return Some(Reason::NoUnit) };
        let salt = intervention.salt.as_ref().unwrap_or(&intervention.id);
        (!is_in_share(salt, unit, share)).then_some(Reason::OutsideShare)
    }
}
