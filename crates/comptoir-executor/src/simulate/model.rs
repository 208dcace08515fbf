//! What the schedule sees of a model in virtual time.

use std::collections::VecDeque;

use super::random::{Random, nanos};
use super::spec::Scenario;
use crate::policy::{self, Flow, LatencyModel, Lineup, Nanos, Ready};

/// A model and its requests.
pub(super) struct Model<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) flow: Flow<usize>,
    /// Rows past the queue that are in no batch.
    pub(super) rows: VecDeque<Row>,
    pub(super) latency: LatencyModel,
    random: Random,
}

/// A row past the queue; it holds its place from the begin of `preprocess`.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) request: usize,
    pub(super) arrived: Nanos,
    pub(super) deadline: Option<Nanos>,
    /// When it was full.
    pub(super) ready: Option<Nanos>,
    /// Whether its request has an outcome already.
    pub(super) decided: bool,
}

impl<'a> Model<'a> {
    pub(super) fn new(scenario: &'a Scenario) -> Self {
        let Scenario { device, cpu_threads, queue_limit, batch, .. } = scenario;
        let lanes = device.instances * device.depth;
        Self {
            scenario,
            flow: Flow::new(batch.clone(), *queue_limit, lanes, *cpu_threads),
            rows: VecDeque::new(),
            latency: LatencyModel::unknown(),
            random: Random::new(scenario.seed, 9),
        }
    }

    pub(super) fn row(&mut self, request: usize) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.request == request)
    }

    /// Takes the requests of the first `rows` full rows out.
    pub(super) fn take(&mut self, rows: usize) -> Vec<usize> {
        let first = self.rows.iter().position(|row| row.ready.is_some()).unwrap_or(self.rows.len());
        let end = self.rows.len().min(first + rows);
        self.rows.drain(first..end).map(|row| row.request).collect()
    }

    /// Whether the next batch fails once.
    pub(super) fn batch_fails(&mut self) -> bool {
        self.random.happens(self.scenario.faults.batch_fails)
    }

    /// How long the runs of a batch compute.
    pub(super) fn compute(&mut self, sizes: &[usize]) -> Nanos {
        let Self { scenario: Scenario { device, faults, .. }, random, .. } = self;
        let factor = 1.0 + device.jitter * (2.0 * random.unit() - 1.0);
        let hiccup = if random.happens(faults.hiccup) { faults.hiccup_ms } else { 0.0 };
        let time: f64 = sizes.iter().map(|&rows| device.compute_ms(rows)).sum();
        nanos(time * factor + hiccup)
    }
}

impl Row {
    /// What the policy knows of it; none before it is full.
    fn ready(&self) -> Option<Ready> {
        Some(Ready { arrived: self.arrived, ready: self.ready?, deadline: self.deadline })
    }
}

impl Lineup for Model<'_> {
    type Queued = usize;
    type Row = usize;

    fn flow(&self) -> &Flow<usize> {
        &self.flow
    }

    fn flow_mut(&mut self) -> &mut Flow<usize> {
        &mut self.flow
    }

    fn latency(&self) -> &LatencyModel {
        &self.latency
    }

    fn ready(&self) -> usize {
        self.rows.iter().filter(|row| row.ready.is_some()).count()
    }

    fn front(&self) -> Option<(usize, Vec<Ready>)> {
        let run = self.rows.iter().skip_while(|row| row.ready.is_none());
        let ready: Vec<Ready> = run.map_while(Row::ready).collect();
        (!ready.is_empty()).then_some((0, ready))
    }

    fn copy_in(&self, rows: usize) -> Nanos {
        let [copy_in, _] = self.scenario.device.copies(rows);
        copy_in
    }

    fn drop_useless(&mut self, now: Nanos) -> Vec<usize> {
        let latency = &self.latency;
        let mut dropped = Vec::new();
        self.rows.retain(|row| {
            let Some(ready) = row.ready() else { return true };
            let useless = row.decided || policy::late(now, &ready, latency);
            if useless {
                dropped.push(row.request);
            }
            !useless
        });
        dropped
    }
}
