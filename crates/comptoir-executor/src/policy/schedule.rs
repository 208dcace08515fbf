//! Whose turn it is on what several models share: the CPU threads, and the lanes of the device.

use super::instance::Instance;
use super::{Ahead, Decision, Entry, Fair, Flow, LatencyModel, Nanos, Ready, Rival, decide, soonest};
use crate::error::Error;

/// A model and its requests, as a [`Schedule`] sees them. The pipeline keeps rows in the memory of batches, the simulator
/// in a list; what is decided about them is decided here for both.
pub(crate) trait Lineup {
    /// A request in the queue.
    type Queued;
    /// A request whose row is full.
    type Row;

    /// The requests by where they are.
    fn flow(&self) -> &Flow<Self::Queued>;
    /// The same, to change.
    fn flow_mut(&mut self) -> &mut Flow<Self::Queued>;
    /// How long batches take.
    fn latency(&self) -> &LatencyModel;
    /// Rows that are full and in no batch.
    fn ready(&self) -> usize;
    /// The rows that may leave as the next batch, in their order, and the number of their shape.
    fn front(&self) -> Option<(usize, Vec<Ready>)>;
    /// Time in which the input of so many rows is copied to the device.
    fn copy_in(&self, rows: usize) -> Nanos;
    /// Takes out the full rows that were cancelled or can no longer meet their deadline.
    fn drop_useless(&mut self, now: Nanos) -> Vec<Self::Row>;
}

/// Shares CPU threads and device among models by weight.
#[derive(Debug)]
pub(crate) struct Schedule {
    cpu: Fair,
    lanes: Fair,
    instances: Vec<Instance>,
    depth: usize,
    /// Whether requests still come.
    open: bool,
}

/// What a lane does next.
#[derive(Debug)]
pub(crate) enum Turn<R> {
    /// Run a batch.
    Start(Start),
    /// End requests that need no batch any more, given with their model, and ask again.
    Drop(Vec<(usize, R)>),
    /// Ask again at this time, or when something has changed.
    Wait(Option<Nanos>),
}

/// A batch that is to leave: the first rows of a shape of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) model: usize,
    pub(crate) shape: usize,
    pub(crate) rows: usize,
}

/// A batch under way.
#[derive(Debug)]
pub(crate) struct Running {
    model: usize,
    lane: usize,
    start: Nanos,
    /// What its model was charged for it.
    charged: Nanos,
}

impl Schedule {
    /// Shares in proportion to `weights`, on `instances` instances with `depth` lanes each.
    ///
    /// # Errors
    /// Where a weight is 0.
    pub(crate) fn new(weights: &[u32], instances: usize, depth: usize) -> Result<Self, Error> {
        Ok(Self {
            cpu: Fair::new(weights)?,
            lanes: Fair::new(weights)?,
            instances: (0..instances).map(|_| Instance::new(depth)).collect(),
            depth,
            open: true,
        })
    }

    /// Says that no more requests come, so that no batch waits for them.
    pub(crate) fn close(&mut self) {
        self.open = false;
    }

    /// The instances of the device.
    pub(crate) fn instances(&self) -> &[Instance] {
        &self.instances
    }

    /// A lane of the instance that has no batch.
    pub(crate) fn free_lane(&self, instance: usize) -> Option<usize> {
        Some(instance * self.depth + self.instances.get(instance)?.free_lane()?)
    }

    /// Takes out of the queues what cannot meet its deadline any more.
    pub(crate) fn shed<M: Lineup>(&self, now: Nanos, models: &mut [M]) -> Vec<Entry<M::Queued>> {
        let free_at = |instance: &Instance| instance.free_at().unwrap_or(0);
        let free_at = self.instances.iter().map(free_at).min().unwrap_or(0);
        let rivals: Vec<Rival> = if models.len() > 1 { self.rivals(models) } else { Vec::new() };
        let mut late = Vec::new();
        for (number, model) in models.iter_mut().enumerate() {
            let others = rivals.iter().enumerate().filter(|(other, _)| *other != number);
            let weight = self.lanes.weight(number);
            let beside = |own| others.clone().map(|(_, rival)| rival.beside(own, weight)).sum();
            let flow = model.flow();
            let ahead = Ahead {
                cpu_time: flow.cpu_time(),
                rows: flow.preprocessing() + model.ready(),
                behind: flow.queue.len(),
                free_at,
                instances: self.instances.len(),
            };
            let soonest = soonest(now, ahead, model.latency(), &flow.batch, beside);
            late.extend(model.flow_mut().queue.shed(now, soonest));
        }
        late
    }

    fn rivals<M: Lineup>(&self, models: &[M]) -> Vec<Rival> {
        let rival = |(number, model): (usize, &M)| {
            let (flow, weight) = (model.flow(), self.lanes.weight(number));
            let rows = flow.queue.len() + flow.preprocessing() + model.ready();
            Rival::new(weight, rows, self.instances.len(), model.latency(), &flow.batch)
        };
        models.iter().enumerate().map(rival).collect()
    }

    /// The request that a CPU thread begins next, of the model whose turn it is.
    pub(crate) fn next_request<M: Lineup>(
        &mut self,
        now: Nanos,
        models: &mut [M],
    ) -> Option<(usize, Entry<M::Queued>)> {
        let number =
            self.cpu.pick(|model| models.get(model).is_some_and(|model| model.flow().wants_cpu()))?;
        let flow = models.get_mut(number)?.flow_mut();
        let entry = flow.queue.pop(now)?;
        flow.begin();
        self.cpu.charge(number, flow.cpu_time().max(1));
        Some((number, entry))
    }

    /// Asks the policy for each model what a free lane does, and lets the fair share choose among those that may start.
    ///
    /// A model whose rows are due while the device is busy takes part: where it is its turn, the lane waits for it.
    /// Otherwise models with full batches, which are copied while the device is busy, would take every lane, and one
    /// whose batches are never full would starve.
    pub(crate) fn next_batch<M: Lineup>(
        &mut self,
        now: Nanos,
        lane: usize,
        models: &mut [M],
    ) -> Turn<M::Row> {
        let mut decisions = Vec::with_capacity(models.len());
        for (number, model) in models.iter_mut().enumerate() {
            let dropped = model.drop_useless(now);
            if !dropped.is_empty() {
                return Turn::Drop(dropped.into_iter().map(|row| (number, row)).collect());
            }
            decisions.push(self.decide(now, lane, model));
        }
        let wants = |model: usize| matches!(decisions.get(model), Some((_, decision)) if decision.is_due());
        let picked = self.lanes.pick(wants);
        let decision = picked.and_then(|model| decisions.get(model).map(|decision| (model, *decision)));
        match decision {
            Some((model, (shape, Decision::Dispatch { rows }))) => Turn::Start(Start { model, shape, rows }),
            _ => Turn::Wait(decisions.iter().filter_map(|(_, decision)| decision.until()).min()),
        }
    }

    fn decide<M: Lineup>(&self, now: Nanos, lane: usize, model: &M) -> (usize, Decision) {
        let none = (0, Decision::Wait { until: None });
        let (Some((shape, ready)), Some(instance)) = (model.front(), self.instances.get(lane / self.depth))
        else {
            return none;
        };
        let flow = model.flow();
        let device = instance.state(now, model.copy_in(ready.len().min(flow.batch.max_size)));
        let coming = self.open || flow.preprocessing() > 0 || !flow.queue.is_empty();
        (shape, decide(now, &ready, coming, device, model.latency(), &flow.batch))
    }

    /// A batch of the model starts on a lane and is expected to take so long.
    pub(crate) fn started(&mut self, now: Nanos, lane: usize, model: usize, expected: Nanos) -> Running {
        if let Some(instance) = self.instances.get_mut(lane / self.depth) {
            instance.start(lane % self.depth, now, expected);
        }
        // An unknown time counts, too, so that models without one take turns.
        let charged = expected.max(1);
        self.lanes.charge(model, charged);
        Running { model, lane, start: now, charged }
    }

    /// A batch has ended. Gives the time that it took of the device, which is what its model is charged in the end.
    pub(crate) fn ended(&mut self, now: Nanos, running: &Running) -> Nanos {
        let &Running { model, lane, start, charged } = running;
        let instance = self.instances.get_mut(lane / self.depth);
        let took = instance.map_or(0, |instance| instance.end(lane % self.depth, start, now));
        self.lanes.correct(model, charged, took.max(1));
        took
    }
}
