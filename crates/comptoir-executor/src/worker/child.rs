//! The worker's side: takes calls from shared memory and answers them there.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::bell::Word;
use super::memory::{Memory, View};
use super::slot::{self, HEADER_SIZE, OUTPUT_SIZE, Phase, REPLY};
use super::{Error, STOP, system};

/// A worker looks so long for the next call before it sleeps, where calls have come so quickly of late.
const SPIN: Duration = Duration::from_micros(50);

/// A worker process of a [`WorkerPool`](super::WorkerPool), seen from within.
pub struct Worker {
    memory: Arc<Memory>,
    index: usize,
    generation: u32,
    /// When the last call ended, and whether it had come soon after the one before.
    idle_since: Instant,
    busy: bool,
    /// Whether there are more processors than workers: else who looks takes one from the others.
    spare: bool,
}

/// One call; answered once, at the latest when it is dropped.
pub struct Request {
    memory: Arc<Memory>,
    worker: usize,
    slot: usize,
    word: u32,
    answered: bool,
}

impl Worker {
    /// Joins the pool that started this process; `argument` is the last argument of the command line.
    ///
    /// From here on the kernel kills the process when its parent ends.
    ///
    /// # Errors
    ///
    /// [`Error::Start`] where the argument does not come from a pool, or the parent has ended.
    pub fn attach(argument: &str) -> Result<Self, Error> {
        let strange = || Error::start(format!("`{argument}` is no argument that a worker pool gives"));
        let numbers: Vec<u32> = argument.split(':').map_while(|number| number.parse().ok()).collect();
        let [fd, index, generation, parent] = numbers.try_into().map_err(|_| strange())?;
        system::die_with(parent).map_err(|error| Error::system("the parent has ended", &error))?;
        let fd = i32::try_from(fd).map_err(|_| strange())?;
        let memory = Memory::inherit(fd).map_err(|error| Error::system("no shared memory", &error))?;
        let index = index as usize;
        if index >= memory.workers() {
            return Err(strange());
        }
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let spare = cores > memory.workers();
        let idle_since = Instant::now();
        Ok(Self { memory: Arc::new(memory), index, generation, idle_since, busy: false, spare })
    }

    /// What the pool gave to all workers as [`WorkerConfig::setup`](super::WorkerConfig::setup).
    #[must_use]
    pub fn setup(&self) -> &[u8] {
        self.memory.setup()
    }

    /// Tells the pool that calls may come.
    pub fn ready(&self) {
        self.memory.control(self.index).ready.store(self.generation, Ordering::SeqCst);
    }

    /// Waits for the next call; none when the pool closes.
    pub fn next_request(&mut self) -> Option<Request> {
        self.idle_since = Instant::now();
        loop {
            let ring = self.memory.control(self.index).ring();
            match ring.pop() {
                Some(STOP) => return None,
                Some(slot) => {
                    if let Some(request) = self.begin(slot as usize) {
                        self.busy = self.idle_since.elapsed() < SPIN * 4;
                        return Some(request);
                    }
                }
                None => ring.wait(if self.spare && self.busy { SPIN } else { Duration::ZERO }, None),
            }
        }
    }

    /// The call in `slot`, unless its caller has given it up.
    fn begin(&self, slot: usize) -> Option<Request> {
        let bell = self.memory.view(self.index, slot).bell();
        let word = bell.word.load(Ordering::SeqCst);
        let running = slot::moved(word, Phase::Running);
        // Nobody waits for the beginning, so nobody is woken.
        if Phase::of(word) == Phase::Ready && bell.word.swap_if(word, running) {
            let memory = Arc::clone(&self.memory);
            return Some(Request { memory, worker: self.index, slot, word: running, answered: false });
        }
        bell.ring_if(slot::moved(word, Phase::Cancelled), slot::moved(word, Phase::Done));
        None
    }
}

impl Request {
    /// Number of the function that is called.
    #[must_use]
    pub fn function(&self) -> u32 {
        self.view().slot.function.load(Ordering::Relaxed)
    }

    /// The parts of the input, each at a multiple of 64 bytes.
    #[must_use]
    pub fn parts(&self) -> Vec<&[u8]> {
        slot::read_input(&self.view())
    }

    /// The memory for the output; what is written here crosses to the caller without a copy.
    #[must_use]
    pub fn output(&mut self) -> &mut [u8] {
        self.view().output_mut()
    }

    /// Says that a step of the call is done, such as one of several items. Each step may take
    /// [`WorkerConfig::call_timeout`](super::WorkerConfig::call_timeout), and where one takes longer, the caller is told
    /// which it was ([`Error::Hung`]).
    pub fn step(&self) {
        self.view().slot.steps.fetch_add(1, Ordering::SeqCst);
    }

    /// Answers with the first `bytes` of the output, described by `header`. What does not fit fails the call with both
    /// sizes.
    pub fn reply(mut self, header: &[u8], bytes: usize) {
        let [header_bytes, _, output_bytes] = self.memory.areas();
        let view = self.view();
        let (kind, length) = if header.len() > header_bytes {
            (HEADER_SIZE, header.len())
        } else if bytes > output_bytes {
            (OUTPUT_SIZE, bytes)
        } else {
            slot::copy(view.header_mut(), header);
            (REPLY, bytes)
        };
        view.slot.header_len.store(header.len() as u64, Ordering::Relaxed);
        view.slot.data_len.store(length as u64, Ordering::Relaxed);
        view.slot.kind.store(kind, Ordering::Relaxed);
        self.answer();
    }

    /// Answers that the callable failed: in words, with the place, and as a value of the host for its own use.
    pub fn fail(mut self, message: &str, traceback: &str, detail: &[u8]) {
        slot::write_failure(&self.view(), message, traceback, detail);
        self.answer();
    }

    fn view(&self) -> View<'_> {
        self.memory.view(self.worker, self.slot)
    }

    fn answer(&mut self) {
        self.answered = true;
        self.view().bell().ring_if(self.word, slot::moved(self.word, Phase::Done));
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if !self.answered {
            slot::write_failure(&self.view(), "the worker gave no answer", "", &[]);
            self.answer();
        }
    }
}

/// The main loop of a worker in Rust: joins the pool, and answers each call with what `handler` wrote.
///
/// The handler gets the number of the function, the parts of the input and the memory for the output, and gives the
/// header and the length of the output.
///
/// # Errors
///
/// As for [`Worker::attach`].
pub fn serve<E: Display>(
    argument: &str,
    mut handler: impl FnMut(u32, &[&[u8]], &mut [u8]) -> Result<(Vec<u8>, usize), E>,
) -> Result<(), Error> {
    let mut worker = Worker::attach(argument)?;
    worker.ready();
    while let Some(request) = worker.next_request() {
        let view = request.view();
        match handler(request.function(), &slot::read_input(&view), view.output_mut()) {
            Ok((header, bytes)) => request.reply(&header, bytes),
            Err(error) => request.fail(&error.to_string(), "", &[]),
        }
    }
    Ok(())
}
