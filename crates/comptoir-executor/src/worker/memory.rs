//! What lies where in the memory file that a pool and its workers share.
//!
//! ```text
//! sizes | setup | for each worker: control (ring, bell) | slots: 64 bytes of state, header, input, output
//! ```
//!
//! Everything starts at a multiple of 64 bytes, a cache line.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::bell::{Bell, Ring};
use super::system::Mapping;
use super::{Error, WorkerConfig};

/// First word of every memory file: this layout, not another version of it.
const MAGIC: u64 = u64::from_le_bytes(*b"comptw02");
/// Room for the lengths of parts of an input and for the gaps between them.
const PARTS_BYTES: usize = 4096;
/// Cells of a ring: more than the largest depth and the word to stop.
const CELLS: usize = 128;
const LINE: usize = 64;

/// The shared memory of a pool, in the parent or in a worker.
pub(crate) struct Memory {
    mapping: Mapping,
    sizes: Sizes,
}

/// The numbers from which all places follow.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Sizes {
    workers: usize,
    depth: usize,
    header: usize,
    input: usize,
    output: usize,
    setup: usize,
}

/// The words at the start of the file.
#[repr(C, align(64))]
struct Head {
    magic: AtomicU64,
    sizes: [AtomicU64; 6],
}

/// A word with a cache line of its own.
#[repr(C, align(64))]
struct Line<T>(T);

/// What a worker and its parent share besides slots.
#[repr(C, align(64))]
pub(crate) struct Control {
    /// Generation of the worker that is ready to take calls.
    pub(crate) ready: AtomicU32,
    head: Line<AtomicU32>,
    tail: Line<[AtomicU32; 2]>,
    cells: Line<[AtomicU32; CELLS]>,
}

impl Control {
    /// The ring of slots from parent to worker.
    pub(crate) fn ring(&self) -> Ring<'_, AtomicU32> {
        let [word, parked] = &self.tail.0;
        Ring { head: &self.head.0, bell: Bell { word, parked }, cells: &self.cells.0 }
    }

    /// Empties what a dead worker left.
    pub(crate) fn reset(&self) {
        let ring = self.ring();
        for word in [ring.head, ring.bell.word, ring.bell.parked, &self.ready] {
            word.store(0, Ordering::SeqCst);
        }
    }
}

/// State of a call. `word` is what both sides agree on: whoever moves it owns what comes next.
#[repr(C, align(64))]
pub(crate) struct Slot {
    pub(crate) word: AtomicU32,
    pub(crate) parked: AtomicU32,
    pub(crate) function: AtomicU32,
    /// What the answer is: see `slot`.
    pub(crate) kind: AtomicU32,
    pub(crate) parts: AtomicU64,
    pub(crate) header_len: AtomicU64,
    pub(crate) data_len: AtomicU64,
    pub(crate) trace_len: AtomicU64,
    /// Steps of the call that the worker has finished.
    pub(crate) steps: AtomicU64,
}

/// A slot and its three areas.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) slot: &'a Slot,
    memory: &'a Memory,
    header_at: usize,
}

impl Sizes {
    fn of(config: &WorkerConfig) -> Option<Self> {
        let area = |bytes: usize| bytes.checked_next_multiple_of(LINE);
        Some(Self {
            workers: config.workers,
            depth: config.depth,
            header: area(config.header_bytes)?,
            input: area(config.input_bytes)?.checked_add(PARTS_BYTES)?,
            output: area(config.output_bytes)?,
            setup: config.setup.len(),
        })
    }

    fn numbers(&self) -> [usize; 6] {
        [self.workers, self.depth, self.header, self.input, self.output, self.setup]
    }

    fn workers_at(&self) -> Option<usize> {
        size_of::<Head>().checked_add(self.setup)?.checked_next_multiple_of(LINE)
    }

    fn slot_bytes(&self) -> Option<usize> {
        size_of::<Slot>().checked_add(self.header)?.checked_add(self.input)?.checked_add(self.output)
    }

    fn worker_bytes(&self) -> Option<usize> {
        self.slot_bytes()?.checked_mul(self.depth)?.checked_add(size_of::<Control>())
    }

    /// Bytes of the file; none where they do not fit into memory.
    fn total(&self) -> Option<usize> {
        let total = self.worker_bytes()?.checked_mul(self.workers)?.checked_add(self.workers_at()?)?;
        isize::try_from(total).is_ok().then_some(total)
    }
}

impl Memory {
    /// A new memory file for `config`, and its memory.
    pub(crate) fn create(config: &WorkerConfig) -> Result<(Self, OwnedFd), Error> {
        let too_large = || Error::Config { field: "input_bytes", message: "slots exceed memory".to_owned() };
        let sizes = Sizes::of(config).ok_or_else(too_large)?;
        let bytes = sizes.total().ok_or_else(too_large)?;
        let failed = |error: io::Error| Error::system("no shared memory", &error);
        let file = super::system::memory_file(bytes).map_err(failed)?;
        let memory = Self { mapping: Mapping::new(&file, bytes).map_err(failed)?, sizes };
        let head = memory.head();
        for (word, number) in head.sizes.iter().zip(sizes.numbers()) {
            word.store(number as u64, Ordering::Relaxed);
        }
        memory.bytes_mut(size_of::<Head>(), sizes.setup).copy_from_slice(&config.setup);
        head.magic.store(MAGIC, Ordering::SeqCst);
        Ok((memory, file))
    }

    /// The memory of the file that the parent left at the descriptor `fd`.
    pub(crate) fn inherit(fd: i32) -> io::Result<Self> {
        let (file, bytes) = super::system::inherited_file(fd)?;
        let none = Sizes { workers: 0, depth: 0, header: 0, input: 0, output: 0, setup: 0 };
        let mut memory = Self { mapping: Mapping::new(&file, bytes)?, sizes: none };
        let head = memory.head();
        let [workers, depth, header, input, output, setup] = head
            .sizes
            .each_ref()
            .map(|word| usize::try_from(word.load(Ordering::Relaxed)).unwrap_or(usize::MAX));
        let sizes = Sizes { workers, depth, header, input, output, setup };
        if head.magic.load(Ordering::SeqCst) != MAGIC
            || sizes.total() != Some(bytes)
            || workers == 0
            || depth == 0
        {
            return Err(io::Error::other("it belongs to another version of comptoir"));
        }
        memory.sizes = sizes;
        Ok(memory)
    }

    /// What the pool wrote for every worker.
    pub(crate) fn setup(&self) -> &[u8] {
        self.bytes(size_of::<Head>(), self.sizes.setup)
    }

    /// Bytes of the areas for header, input and output.
    pub(crate) fn areas(&self) -> [usize; 3] {
        [self.sizes.header, self.sizes.input, self.sizes.output]
    }

    /// Number of workers.
    pub(crate) fn workers(&self) -> usize {
        self.sizes.workers
    }

    fn head(&self) -> &Head {
        self.at(0)
    }

    /// Control of a worker; `worker` must be in range, and is taken as if it were.
    pub(crate) fn control(&self, worker: usize) -> &Control {
        self.at(self.worker_at(worker))
    }

    /// A slot of a worker; numbers must be in range, and are taken as if they were.
    pub(crate) fn view(&self, worker: usize, slot: usize) -> View<'_> {
        let slot = slot % self.sizes.depth.max(1);
        let bytes = self.sizes.slot_bytes().unwrap_or_default();
        let at = self.worker_at(worker) + size_of::<Control>() + slot * bytes;
        View { slot: self.at(at), memory: self, header_at: at + size_of::<Slot>() }
    }

    fn worker_at(&self, worker: usize) -> usize {
        let worker = worker % self.sizes.workers.max(1);
        self.sizes.workers_at().unwrap_or_default() + worker * self.sizes.worker_bytes().unwrap_or_default()
    }

    /// The structure at `at`, one of those that consist of atomic words only.
    fn at<T>(&self, at: usize) -> &T {
        // The file is a multiple of a line at least as long as the structure; a wrong place would be a defect of ours.
        let at = if at.is_multiple_of(LINE) && at + size_of::<T>() <= self.mapping.bytes() { at } else { 0 };
        // SAFETY: in bounds and aligned, since the mapping starts at a page; atomic words are valid for any bytes, and
        // both processes access them as atomics.
        unsafe { &*self.mapping.start().as_ptr().add(at).cast::<T>() }
    }

    /// Bytes that nobody writes while they are borrowed: the slot's word says who owns its areas.
    fn bytes(&self, at: usize, length: usize) -> &[u8] {
        let (at, length) = self.inside(at, length);
        // SAFETY: in bounds; the owner by the protocol alone writes, and the borrow ends before it passes ownership.
        unsafe { std::slice::from_raw_parts(self.mapping.start().as_ptr().add(at), length) }
    }

    /// Bytes of which the caller is the only user: the slot's word says who owns its areas.
    #[expect(
        clippy::mut_from_ref,
        reason = "the memory is shared by processes; the slot's word lends it to one"
    )]
    fn bytes_mut(&self, at: usize, length: usize) -> &mut [u8] {
        let (at, length) = self.inside(at, length);
        // SAFETY: in bounds; the owner by the protocol alone reads or writes.
        unsafe { std::slice::from_raw_parts_mut(self.mapping.start().as_ptr().add(at), length) }
    }

    fn inside(&self, at: usize, length: usize) -> (usize, usize) {
        let at = at.min(self.mapping.bytes());
        (at, length.min(self.mapping.bytes() - at))
    }
}

impl<'a> View<'a> {
    /// The bell of the slot's word.
    pub(crate) fn bell(&self) -> Bell<'a, AtomicU32> {
        Bell { word: &self.slot.word, parked: &self.slot.parked }
    }

    /// The first `length` bytes of what describes the output.
    pub(crate) fn header(&self, length: usize) -> &'a [u8] {
        self.memory.bytes(self.header_at, length.min(self.memory.sizes.header))
    }

    /// The area for what describes the output.
    pub(crate) fn header_mut(&self) -> &'a mut [u8] {
        self.memory.bytes_mut(self.header_at, self.memory.sizes.header)
    }

    /// The area of the input.
    pub(crate) fn input(&self) -> &'a [u8] {
        self.memory.bytes(self.header_at + self.memory.sizes.header, self.memory.sizes.input)
    }

    /// The same, to write.
    pub(crate) fn input_mut(&self) -> &'a mut [u8] {
        self.memory.bytes_mut(self.header_at + self.memory.sizes.header, self.memory.sizes.input)
    }

    /// The first `length` bytes of the output.
    pub(crate) fn output(&self, length: usize) -> &'a [u8] {
        self.memory.bytes(self.output_at(), length.min(self.memory.sizes.output))
    }

    /// The area of the output.
    pub(crate) fn output_mut(&self) -> &'a mut [u8] {
        self.memory.bytes_mut(self.output_at(), self.memory.sizes.output)
    }

    fn output_at(&self) -> usize {
        self.header_at + self.memory.sizes.header + self.memory.sizes.input
    }
}
