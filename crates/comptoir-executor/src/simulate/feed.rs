//! Work for CPU threads and lanes that have none: what the threads of `runtime::cpu` and `runtime::lanes` do in real time.

use super::device::runs;
use super::engine::{Engine, Event};
use super::model::Row;
use super::report::{Batch, Outcome};
use crate::policy::{Entry, Nanos, Start, Turn};

impl Engine<'_> {
    /// Gives idle CPU threads work: what is nearly done first. Says whether there was any.
    pub(super) fn feed_cpu(&mut self) -> bool {
        let idle = self.idle_cpu;
        while self.idle_cpu > 0 && (self.feed_postprocess() || self.feed_preprocess()) {
            self.idle_cpu -= 1;
        }
        self.idle_cpu < idle
    }

    fn feed_postprocess(&mut self) -> bool {
        let Some(number) = self.posts.pop_front() else { return false };
        let took = self.live.get(number).map_or(0, |live| live.postprocess);
        self.cpu_busy += took;
        self.schedule(self.now + took, Event::Postprocessed(number));
        true
    }

    fn feed_preprocess(&mut self) -> bool {
        for late in self.schedule.shed(self.now, &mut self.models) {
            if let Some(live) = self.live.get_mut(late.item) {
                live.key = None;
            }
            self.decide(late.item, Outcome::Late);
        }
        let Some((_, entry)) = self.schedule.next_request(self.now, &mut self.models) else { return false };
        let (Entry { item: number, arrived, deadline, .. }, now) = (entry, self.now);
        let Some((live, model)) = self.of(number) else { return false };
        live.key = None;
        live.request.staged = Some(now);
        model.rows.push_back(Row { request: number, arrived, deadline, ready: None, decided: false });
        let took = live.preprocess;
        self.cpu_busy += took;
        self.schedule(now + took, Event::Preprocessed(number));
        true
    }

    /// Gives free lanes batches. Says whether anything left.
    pub(super) fn feed_device(&mut self) -> bool {
        let mut fed = false;
        let mut wake: Option<Nanos> = None;
        for instance in 0..self.engines.len() {
            while let Some(lane) = self.schedule.free_lane(instance) {
                match self.schedule.next_batch(self.now, lane, &mut self.models) {
                    Turn::Start(start) => self.start(start, lane),
                    Turn::Drop(dropped) => {
                        for (_, number) in dropped {
                            self.leave(number, Outcome::Late);
                        }
                    }
                    Turn::Wait(until) => {
                        wake = wake.into_iter().chain(until).min();
                        break;
                    }
                }
                fed = true;
            }
        }
        if let Some(at) = wake.filter(|&at| at > self.now) {
            self.schedule(at, Event::Wake);
        }
        fed
    }

    fn start(&mut self, Start { model: number, rows, .. }: Start, lane: usize) {
        let (now, instance, batch) = (self.now, lane / self.depth, self.batches.len());
        let places = (self.models.get_mut(number), self.engines.get_mut(instance));
        let (Some(model), Some(engines)) = places else { return };
        let rows = model.take(rows);
        let fails = |request: &usize| self.live.get(*request).is_some_and(|live| live.row_fails);
        let bad: Vec<bool> = rows.iter().map(fails).collect();
        let (failed, sizes) = runs(&bad, model.batch_fails());
        let compute = model.compute(&sizes);
        let (copies, stall) = (model.scenario.device.copies(rows.len()), model.scenario.faults.stall());
        let times = engines.run(now, copies, compute, stall);
        let running = self.schedule.started(now, lane, number, model.latency.estimate(rows.len()));
        for &request in &rows {
            if let Some(live) = self.live.get_mut(request) {
                live.request.batch = Some(batch);
            }
        }
        self.under_way.push(Some((running, failed)));
        self.batches.push(Batch {
            model: number,
            instance,
            start: now,
            compute_start: times.compute_start,
            compute_end: times.compute_end,
            end: times.end,
            rows,
        });
        self.schedule(times.end, Event::BatchEnded(batch));
    }

    /// Hands the rows of a batch on, and learns from its time unless something failed.
    pub(super) fn batch_ended(&mut self, batch: usize) {
        let Some((running, failed)) = self.under_way.get_mut(batch).and_then(Option::take) else { return };
        let Some(Batch { model, rows, .. }) = self.batches.get(batch).cloned() else { return };
        let took = self.schedule.ended(self.now, &running);
        if let Some(model) = self.models.get_mut(model).filter(|_| !failed.contains(&true)) {
            model.latency.observe(rows.len(), took);
        }
        for (number, failed) in rows.into_iter().zip(failed) {
            let quick = self.live.get(number).is_none_or(|live| live.postprocess == 0 || live.decided);
            match (failed, quick) {
                (true, _) => self.leave(number, Outcome::Failed),
                (false, true) => self.leave(number, Outcome::Done),
                (false, false) => self.posts.push_back(number),
            }
        }
    }
}
