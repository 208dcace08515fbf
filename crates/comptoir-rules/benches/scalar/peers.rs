//! The same predicates in the `cel` crate and in `datalogic-rs`, with inputs that are built before.

use datalogic_rs::{Engine, Logic, ParsedData, Session};
use serde_json::Value as Json;

/// A predicate of `cel` with a context for each event.
pub struct Cel<'e> {
    program: cel::Program,
    contexts: Vec<cel::Context<'e, 'e>>,
}

impl Cel<'_> {
    pub fn new(source: &str, events: &[Json]) -> Self {
        let env = std::sync::Arc::new(cel::Env::stdlib());
        let program = env.compile(source).unwrap();
        let context = |event: &Json| {
            let mut context = cel::Context::with_env(env.clone());
            for (name, value) in event.as_object().unwrap() {
                context.add_variable(name.as_str(), value).unwrap();
            }
            context
        };
        Self { program, contexts: events.iter().map(context).collect() }
    }

    pub fn test(&self, event: usize) -> bool {
        matches!(self.program.execute(&self.contexts[event]), Ok(cel::Value::Bool(true)))
    }
}

/// A predicate of `datalogic-rs` with each event parsed.
pub struct Datalogic<'e> {
    logic: Logic,
    session: Session<'e>,
    events: Vec<ParsedData>,
}

impl<'e> Datalogic<'e> {
    pub fn new(engine: &'e Engine, rule: &str, events: &[Json]) -> Self {
        let events = events.iter().map(|event| ParsedData::from_json(&event.to_string()).unwrap()).collect();
        Self { logic: engine.compile(rule).unwrap(), session: engine.session(), events }
    }

    pub fn test(&mut self, event: usize) -> bool {
        self.session.reset();
        self.session.eval_borrowed(&self.logic, &self.events[event]).unwrap().as_bool() == Some(true)
    }
}
