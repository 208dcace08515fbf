//! A timeline of what ran where, for a trace viewer.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::policy::Nanos;

/// The latest events; nothing where no timeline is kept.
#[derive(Debug)]
pub(super) struct Trace {
    limit: usize,
    events: Mutex<VecDeque<Span>>,
}

#[derive(Debug)]
struct Span {
    /// `cpu` or `device`.
    place: &'static str,
    /// Thread or lane.
    lane: usize,
    name: String,
    start: Nanos,
    end: Nanos,
}

impl Trace {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, events: Mutex::new(VecDeque::new()) }
    }

    /// Keeps a span; its name is made only where a timeline is kept.
    pub(super) fn span(
        &self,
        place: &'static str,
        lane: usize,
        name: impl FnOnce() -> String,
        start: Nanos,
        end: Nanos,
    ) {
        if self.limit == 0 {
            return;
        }
        let span = Span { place, lane, name: name(), start, end };
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if events.len() >= self.limit {
            events.pop_front();
        }
        events.push_back(span);
    }

    /// The timeline in the Trace Event Format of Chrome, which Perfetto and chrome://tracing open: complete events
    /// (`ph` = `X`) with times in microseconds, a process for the CPU threads and one for the device.
    pub(super) fn chrome(&self) -> Value {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let name = |pid: u32, name: &str| json!({"ph": "M", "name": "process_name", "pid": pid, "tid": 0, "args": {"name": name}});
        let mut all = vec![name(1, "CPU threads"), name(2, "device lanes")];
        all.extend(events.iter().map(|span| {
            json!({
                "ph": "X", "name": span.name, "cat": span.place,
                "pid": if span.place == "cpu" { 1 } else { 2 }, "tid": span.lane,
                "ts": micros(span.start), "dur": micros(span.end.saturating_sub(span.start)),
            })
        }));
        json!({"traceEvents": all, "displayTimeUnit": "ms"})
    }
}

#[expect(clippy::cast_precision_loss, reason = "times for a picture")]
fn micros(nanos: Nanos) -> f64 {
    nanos as f64 / 1e3
}
