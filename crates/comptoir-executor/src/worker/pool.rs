//! The parent's side: calls, from any number of threads.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::bell::Word;
use super::memory::Memory;
use super::slot::{self, Phase, moved};
use super::state::{Left, Loss, State, Ticket};
use super::stats::{WorkerPhase, WorkerStats};
use super::{Error, WorkerConfig, supervisor, system};

/// A caller looks so long for its answer before it sleeps, where answers have come so quickly of late.
const SPIN: Duration = Duration::from_micros(50);
/// Answers that take longer, in microseconds, are not worth a look: two wake-ups take about 80.
const QUICK: u32 = 200;
/// Calls that were lost before a worker began them are tried again without being counted, but not for ever.
const LOST_QUEUED_LIMIT: u32 = 8;

/// Worker processes that answer calls. Calls may come from any number of threads at once.
///
/// Dropping it gives the workers [`WorkerConfig::grace`] to finish, and ends them.
pub struct WorkerPool {
    shared: Arc<Shared>,
    supervisor: Mutex<Option<JoinHandle<()>>>,
}

/// What a worker answered, in shared memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply<'a> {
    /// What describes the data.
    pub header: &'a [u8],
    /// The output.
    pub data: &'a [u8],
}

/// What callers and the supervisor share.
pub(super) struct Shared {
    pub(super) config: WorkerConfig,
    pub(super) memory: Memory,
    pub(super) file: OwnedFd,
    pub(super) event: OwnedFd,
    pub(super) state: Mutex<State>,
    /// A slot is free, or there is no use in waiting for one.
    pub(super) freed: Condvar,
    /// Workers have come up or ended.
    pub(super) changed: Condvar,
    owner: u32,
    /// Callers that look for their answers, and how many may.
    spinners: AtomicUsize,
    spinners_limit: usize,
    /// How long the last answer took, in microseconds.
    last_wait: AtomicU32,
}

/// A call as its caller gave it.
struct Call<'a> {
    function: u32,
    input: &'a [&'a [u8]],
    deadline: Option<Instant>,
    start: Instant,
}

/// A slot on loan to a caller; goes back when it is dropped, whatever happens in between.
struct Held<'a> {
    shared: &'a Shared,
    ticket: Ticket,
    left: Left,
}

impl WorkerPool {
    /// Starts the workers and waits until all are ready.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a wrong setting; [`Error::Start`] where a worker ends or does not get ready in time, with
    /// the end of what it wrote to its standard error. No process is left then.
    pub fn start(config: WorkerConfig) -> Result<Self, Error> {
        config.check()?;
        let (memory, file) = Memory::create(&config)?;
        let event = system::event().map_err(|error| Error::system("no event", &error))?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let workers = config.workers;
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(&config, Instant::now())),
            config,
            memory,
            file,
            event,
            freed: Condvar::new(),
            changed: Condvar::new(),
            owner: std::process::id(),
            spinners: AtomicUsize::new(0),
            // Who looks takes the processor from a worker, unless there are more of those.
            spinners_limit: (cores / 2).min(cores.saturating_sub(workers)),
            last_wait: AtomicU32::new(QUICK),
        });
        let supervised = Arc::clone(&shared);
        let supervisor = std::thread::Builder::new()
            .name("worker supervisor".to_owned())
            .spawn(move || supervisor::run(&supervised))
            .map_err(|error| Error::system("no thread", &error))?;
        let pool = Self { shared, supervisor: Mutex::new(Some(supervisor)) };
        pool.wait_until_up().inspect_err(|_| pool.close(Duration::ZERO))?;
        Ok(pool)
    }

    /// Calls `function` with the parts of `input` and gives the answer to `reply`, which reads it in shared memory.
    ///
    /// Waits for a free slot first. A call that loses its worker goes to another one, [`WorkerConfig::retries`] times at
    /// most, so callables should bear to be run twice. Without a deadline, a call ends at the latest when its worker has
    /// finished nothing for [`WorkerConfig::call_timeout`]: no call, and no step of one.
    ///
    /// # Errors
    ///
    /// Every variant of [`Error`] but `Config`; `Start` means that no worker has been up for
    /// [`WorkerConfig::start_timeout`].
    pub fn call<R>(
        &self,
        function: u32,
        input: &[&[u8]],
        deadline: Option<Instant>,
        reply: impl FnOnce(Reply<'_>) -> R,
    ) -> Result<R, Error> {
        self.call_with(self.shared.config.retries, function, input, deadline, reply)
    }

    /// The same, for a call that is tried again `retries` times at most.
    ///
    /// # Errors
    ///
    /// As for [`Self::call`].
    pub fn call_with<R>(
        &self,
        retries: u32,
        function: u32,
        input: &[&[u8]],
        deadline: Option<Instant>,
        reply: impl FnOnce(Reply<'_>) -> R,
    ) -> Result<R, Error> {
        let call = Call { function, input, deadline, start: Instant::now() };
        let (mut lost, mut queued) = (0, 0);
        loop {
            let mut held = self.shared.take(&call)?;
            let phase = held.run(&call)?;
            match phase {
                Phase::Done => return held.reply().map(reply),
                Phase::LostRunning => lost += 1,
                _ => queued += 1,
            }
            let worker = held.ticket.worker;
            let loss = held.give_back().unwrap_or(Loss::Died("ended".to_owned()));
            let forgiven = match loss {
                Loss::Closed => false,
                Loss::Blocked { .. } if phase == Phase::LostRunning => false,
                _ => lost <= retries && queued <= LOST_QUEUED_LIMIT,
            };
            if !forgiven {
                return Err(loss.into_error(worker));
            }
        }
    }

    /// What the workers do.
    #[must_use]
    pub fn stats(&self) -> WorkerStats {
        WorkerStats { workers: self.shared.lock().workers.iter().map(super::state::Entry::status).collect() }
    }

    /// Takes no more calls, lets the workers finish those they have for `grace`, and ends them. Returns when all have
    /// ended.
    pub fn close(&self, grace: Duration) {
        // A forked copy of this process has the pool's memory, but the workers are not its children.
        if self.shared.owner != std::process::id() {
            return;
        }
        let mut state = self.shared.lock();
        // A year stands for everything later, which no clock could hold.
        let end = Instant::now() + grace.min(Duration::from_secs(365 * 86_400));
        state.closing = Some(state.closing.map_or(end, |before| before.min(end)));
        drop(state);
        self.shared.freed.notify_all();
        system::notify(&self.shared.event);
        let supervisor = self.supervisor.lock().unwrap_or_else(PoisonError::into_inner).take();
        match supervisor {
            // A panic there is a defect that was reported where it happened.
            Some(supervisor) => drop(supervisor.join()),
            None => self.wait_until_ended(),
        }
    }

    fn wait_until_up(&self) -> Result<(), Error> {
        let mut state = self.shared.lock();
        loop {
            if let Some(error) = state.refused.clone() {
                return Err(error);
            }
            if state.started {
                return Ok(());
            }
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn wait_until_ended(&self) {
        let mut state = self.shared.lock();
        while state.workers.iter().any(|entry| entry.phase != WorkerPhase::Stopped) {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for WorkerPool {
    fn drop(&mut self) {
        self.close(self.shared.config.grace);
    }
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a free slot.
    fn take(&self, call: &Call<'_>) -> Result<Held<'_>, Error> {
        if self.owner != std::process::id() {
            return Err(Error::start("the pool belongs to the process that this one was forked from"));
        }
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let refusal = if state.closing.is_some() {
                Some(Error::Closed)
            } else if call.deadline.is_some_and(|deadline| deadline <= now) {
                Some(call.late("waiting for a worker"))
            } else {
                self.all_down(&state, now)
            };
            if let Some(error) = refusal {
                // This caller may have been woken in the place of another.
                self.freed.notify_one();
                return Err(error);
            }
            if let Some(ticket) = state.take(&self.memory) {
                return Ok(Held { shared: self, ticket, left: Left::Otherwise });
            }
            let down = state.down_since().map(|since| since + self.config.start_timeout);
            let until = [call.deadline, down].into_iter().flatten().min();
            let limit = until.map_or(Duration::from_secs(60), |until| until.saturating_duration_since(now));
            state = self.freed.wait_timeout(state, limit).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn all_down(&self, state: &State, now: Instant) -> Option<Error> {
        let since = state.down_since()?;
        let cause = state.workers.iter().find_map(|entry| entry.last_cause.clone()).unwrap_or_default();
        let late = now.saturating_duration_since(since) >= self.config.start_timeout;
        late.then(|| Error::start(format!("none is up; the last {cause}")))
    }

    /// How long this caller may look for its answer.
    fn spin(&self) -> Duration {
        let quick = self.last_wait.load(Ordering::Relaxed) <= QUICK;
        let free = self.spinners.load(Ordering::Relaxed) < self.spinners_limit;
        if quick && free { SPIN } else { Duration::ZERO }
    }
}

impl Call<'_> {
    fn late(&self, stage: &'static str) -> Error {
        Error::DeadlineExceeded { stage, after: self.start.elapsed() }
    }
}

impl Held<'_> {
    /// Writes the call, gives it to the worker and waits for the end: `Done`, `LostQueued` or `LostRunning`.
    fn run(&mut self, call: &Call<'_>) -> Result<Phase, Error> {
        let shared = self.shared;
        let view = shared.memory.view(self.ticket.worker, self.ticket.slot);
        slot::write_input(&shared.memory, &view, call.input)?;
        view.slot.function.store(call.function, Ordering::Relaxed);
        view.slot.steps.store(0, Ordering::SeqCst);
        let mut state = shared.lock();
        if !state.publish(&shared.memory, self.ticket) {
            return Ok(Phase::LostQueued);
        }
        if !std::mem::replace(&mut state.watched, true) {
            system::notify(&shared.event);
        }
        drop(state);
        let start = Instant::now();
        let phase = self.wait(call);
        let took = u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX);
        shared.last_wait.store(took, Ordering::Relaxed);
        phase.ok_or_else(|| call.late("in a worker"))
    }

    /// The phase that the call ends in; none where its deadline comes first.
    fn wait(&self, call: &Call<'_>) -> Option<Phase> {
        let shared = self.shared;
        let bell = shared.memory.view(self.ticket.worker, self.ticket.slot).bell();
        let mut word = Phase::Ready.word(self.ticket.sequence);
        let spin = shared.spin();
        if !spin.is_zero() {
            shared.spinners.fetch_add(1, Ordering::Relaxed);
            word = bell.spin(word, spin);
            if Phase::of(word).is_open() {
                word = bell.spin(word, spin);
            }
            shared.spinners.fetch_sub(1, Ordering::Relaxed);
        }
        loop {
            if !Phase::of(word).is_open() {
                return Some(Phase::of(word));
            }
            let now = bell.park(word, call.deadline);
            if now == word {
                // What has not begun need not begin.
                bell.word.swap_if(moved(word, Phase::Ready), moved(word, Phase::Cancelled));
                return None;
            }
            word = now;
        }
    }

    /// The answer, or its failure.
    fn reply(&mut self) -> Result<Reply<'_>, Error> {
        let view = self.shared.memory.view(self.ticket.worker, self.ticket.slot);
        if let Some(error) = slot::failure(&self.shared.memory, &view) {
            self.left = Left::Failed;
            return Err(error);
        }
        self.left = Left::Answered;
        let header = view.header(slot::length(&view.slot.header_len));
        Ok(Reply { header, data: view.output(slot::length(&view.slot.data_len)) })
    }

    /// Gives the slot back and tells why the call was lost.
    fn give_back(self) -> Option<Loss> {
        let loss = self.release();
        std::mem::forget(self);
        loss
    }

    fn release(&self) -> Option<Loss> {
        let loss = self.shared.lock().give_back(&self.shared.memory, self.ticket, self.left);
        self.shared.freed.notify_one();
        loss
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.release();
    }
}
