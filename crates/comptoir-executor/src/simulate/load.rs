//! The requests that come, with all that chance says of each, so that it does not depend on how they are served.

use super::random::{Random, nanos};
use super::report::{Outcome, Request};
use super::spec::{Scenario, Weighted};
use crate::policy::{Key, Nanos};

/// A request: what it will take, and where it is.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) request: Request,
    pub(super) preprocess: Nanos,
    pub(super) postprocess: Nanos,
    pub(super) preprocess_fails: bool,
    pub(super) row_fails: bool,
    /// When it is cancelled.
    pub(super) cancelled_at: Option<Nanos>,
    /// Its place in the queue, while it is there.
    pub(super) key: Option<Key>,
    pub(super) decided: bool,
}

/// The requests of all models, in the order of their arrival.
pub(super) fn requests(models: &[Weighted]) -> Vec<Live> {
    let own = |(model, weighted): (usize, &Weighted)| requests_of(model, &weighted.scenario);
    let mut requests: Vec<Live> = models.iter().enumerate().flat_map(own).collect();
    requests.sort_by_key(|live| live.request.arrived);
    requests
}

fn requests_of(model: usize, scenario: &Scenario) -> Vec<Live> {
    let stream = |number| Random::new(scenario.seed, number);
    let mut streams = [1, 2, 3, 4, 5, 6, 8].map(stream);
    let arrivals = scenario.arrivals.times(scenario.requests, &mut stream(7));
    arrivals.into_iter().map(|arrived| live(model, scenario, arrived, &mut streams)).collect()
}

fn live(model: usize, scenario: &Scenario, arrived: Nanos, streams: &mut [Random; 7]) -> Live {
    let [deadlines, priorities, before, after, stage, row, cancels] = streams;
    let faults = &scenario.faults;
    let (cancelled, patience) = (cancels.happens(faults.cancel), cancels.exponential());
    let request = Request {
        model,
        arrived,
        priority: priority(scenario, priorities),
        deadline: scenario.deadline.map(|time| arrived + deadlines.time(&time)),
        staged: None,
        ready: None,
        batch: None,
        ended: arrived,
        outcome: Outcome::Failed,
    };
    Live {
        request,
        preprocess: before.time(&scenario.preprocess),
        postprocess: after.time(&scenario.postprocess),
        preprocess_fails: stage.happens(faults.preprocess_fails),
        row_fails: row.happens(faults.row_fails),
        cancelled_at: cancelled.then(|| arrived + nanos(patience * faults.cancel_after_ms)),
        key: None,
        decided: false,
    }
}

fn priority(scenario: &Scenario, random: &mut Random) -> u8 {
    let mut drawn = random.unit() * scenario.priorities.iter().sum::<f64>();
    let mut shares = (0_u8..).zip(&scenario.priorities);
    let priority = shares.find(|(_, share)| {
        drawn -= **share;
        drawn < 0.0
    });
    priority.map_or(3, |(priority, _)| priority)
}
