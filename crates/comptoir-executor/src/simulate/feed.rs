//! Work for CPU threads and lanes that have none: what `runtime::cpu` and `runtime::lanes` do in real time.

use super::device::runs;
use super::engine::{Engine, Event, Row};
use super::random::nanos;
use super::report::{Batch, Outcome};
use crate::policy::{self, Ahead, Decision, Nanos, Ready};

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
        self.shed();
        if self.staged >= self.scenario.permits() {
            return false;
        }
        let Some(entry) = self.queue.pop(self.now) else { return false };
        let (number, now) = (entry.item, self.now);
        let Some(live) = self.taken(number) else { return false };
        live.request.staged = Some(now);
        let took = live.preprocess;
        self.cpu_busy += took;
        self.staged += 1;
        self.preprocessing += 1;
        self.rows.push_back(Row { request: number, ready: false });
        self.schedule(now + took, Event::Preprocessed(number));
        true
    }

    /// Ends the requests of the queue that cannot meet their deadline any more.
    fn shed(&mut self) {
        let ahead = Ahead {
            cpu_time: self.cpu_time,
            rows: self.rows.len(),
            free_at: self.instances.iter().map(|place| place.free_at().unwrap_or(0)).min().unwrap_or(0),
            instances: self.instances.len(),
            behind: self.queue.len(),
        };
        let soonest = policy::soonest(self.now, ahead, &self.latency, &self.scenario.batch);
        for entry in self.queue.shed(self.now, soonest) {
            self.taken(entry.item);
            self.decide(entry.item, Outcome::Late);
        }
    }

    /// Gives free lanes batches. Says whether anything left.
    pub(super) fn feed_device(&mut self) -> bool {
        let mut fed = self.drop_useless();
        let mut wake: Option<Nanos> = None;
        for instance in 0..self.instances.len() {
            while let Some(lane) = self.free_lane(instance) {
                match self.ask(instance) {
                    Decision::Dispatch { rows } => {
                        self.start(instance, lane, rows);
                        fed = true;
                    }
                    Decision::Wait { until } => {
                        wake = wake.into_iter().chain(until).min();
                        break;
                    }
                }
            }
        }
        if let Some(at) = wake.filter(|&at| at > self.now) {
            self.schedule(at, Event::Wake);
        }
        fed
    }

    fn free_lane(&self, instance: usize) -> Option<usize> {
        self.instances.get(instance)?.running.iter().position(Option::is_none)
    }

    /// Takes out rows that were cancelled or are late.
    fn drop_useless(&mut self) -> bool {
        let free = |instance| self.free_lane(instance).is_some();
        if !(0..self.instances.len()).any(free) {
            return false;
        }
        let useless = |row: &&Row| {
            let decided = self.live.get(row.request).is_some_and(|live| live.decided);
            row.ready
                && (decided
                    || self.ready(row).is_some_and(|ready| policy::late(self.now, &ready, &self.latency)))
        };
        let dropped: Vec<usize> = self.rows.iter().filter(useless).map(|row| row.request).collect();
        if dropped.is_empty() {
            return false;
        }
        self.rows.retain(|row| !dropped.contains(&row.request));
        for &number in &dropped {
            self.leave(number, Outcome::Late);
        }
        true
    }

    fn ready(&self, row: &Row) -> Option<Ready> {
        let request = self.live.get(row.request)?.request;
        Some(Ready { arrived: request.arrived, ready: request.ready?, deadline: request.deadline })
    }

    fn ask(&self, instance: usize) -> Decision {
        let run = self.rows.iter().skip_while(|row| !row.ready).take_while(|row| row.ready);
        let ready: Vec<Ready> = run.filter_map(|row| self.ready(row)).collect();
        let batch = &self.scenario.batch;
        let [copy_in, _] = self.scenario.device.copies(ready.len().min(batch.max_size));
        match self.instances.get(instance) {
            Some(instance) => {
                let device = instance.state(self.now, copy_in);
                policy::decide(self.now, &ready, self.preprocessing, device, &self.latency, batch)
            }
            None => Decision::Wait { until: None },
        }
    }

    fn start(&mut self, instance: usize, lane: usize, rows: usize) {
        let Some(first) = self.rows.iter().position(|row| row.ready) else { return };
        let taken: Vec<usize> = self.rows.drain(first..first + rows).map(|row| row.request).collect();
        let bad: Vec<bool> =
            taken.iter().map(|&number| self.live.get(number).is_some_and(|live| live.row_fails)).collect();
        let faults = &self.scenario.faults;
        let (failed, sizes) = runs(&bad, self.random.happens(faults.batch_fails));
        let compute = self.compute(&sizes);
        let (now, expected, number) = (self.now, self.latency.estimate(rows), self.batches.len());
        let copies = self.scenario.device.copies(rows);
        let Some(place) = self.instances.get_mut(instance) else { return };
        let times = place.run(now, copies, compute, faults.stall());
        let free = place.free_at().unwrap_or(now).max(now);
        if let Some(lane) = place.running.get_mut(lane) {
            *lane = Some(free + expected);
        }
        for &request in &taken {
            if let Some(live) = self.live.get_mut(request) {
                live.request.batch = Some(number);
            }
        }
        self.failed.push(failed);
        self.batches.push(Batch {
            instance,
            start: now,
            compute_start: times.compute_start,
            compute_end: times.compute_end,
            end: times.end,
            rows: taken,
        });
        self.schedule(times.end, Event::BatchEnded { batch: number, lane });
    }

    /// How long the runs of a batch compute.
    fn compute(&mut self, sizes: &[usize]) -> Nanos {
        let Self { scenario, random, .. } = self;
        let factor = 1.0 + scenario.device.jitter * (2.0 * random.unit() - 1.0);
        let hiccup = if random.happens(scenario.faults.hiccup) { scenario.faults.hiccup_ms } else { 0.0 };
        let time: f64 = sizes.iter().map(|&rows| scenario.device.compute_ms(rows)).sum();
        nanos(time * factor + hiccup)
    }

    /// Hands the rows of a batch on, and learns from its time unless something failed.
    pub(super) fn batch_ended(&mut self, batch: usize, lane: usize) {
        let Some(Batch { instance, start, end, rows, .. }) = self.batches.get(batch).cloned() else { return };
        let failed = self.failed.get_mut(batch).map(std::mem::take).unwrap_or_default();
        if let Some(place) = self.instances.get_mut(instance) {
            if let Some(lane) = place.running.get_mut(lane) {
                *lane = None;
            }
            let began = start.max(place.last_end);
            place.last_end = end;
            if !failed.contains(&true) {
                self.latency.observe(rows.len(), end.saturating_sub(began));
            }
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
