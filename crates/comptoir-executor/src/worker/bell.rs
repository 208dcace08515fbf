//! Waiting for a word in shared memory to change, and the ring of slots that stands on it.
//!
//! Generic over the word, so that tests can try every interleaving of the same code.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::system;

/// A 32-bit word that two processes share, sequentially consistent.
pub(crate) trait Word {
    /// Its value.
    fn get(&self) -> u32;
    /// Sets it.
    fn set(&self, value: u32);
    /// Sets it to `new` if it is `old`; says whether it was.
    fn swap_if(&self, old: u32, new: u32) -> bool;
    /// Sleeps while it is `old`, at most for `limit`; may wake early.
    fn sleep(&self, old: u32, limit: Option<Duration>);
    /// Wakes all sleepers.
    fn wake(&self);
}

impl Word for AtomicU32 {
    fn get(&self) -> u32 {
        self.load(Ordering::SeqCst)
    }

    fn set(&self, value: u32) {
        self.store(value, Ordering::SeqCst);
    }

    fn swap_if(&self, old: u32, new: u32) -> bool {
        self.compare_exchange(old, new, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    fn sleep(&self, old: u32, limit: Option<Duration>) {
        system::futex_wait(self, old, limit);
    }

    fn wake(&self) {
        system::futex_wake(self);
    }
}

/// A word that one side changes and the other waits for.
///
/// Whoever waits says so in `parked` and looks once more; whoever changes the word looks at `parked` afterwards. Both
/// are sequentially consistent, so one of them sees the other, and nobody is woken by a system call in vain.
#[derive(Clone, Copy)]
pub(crate) struct Bell<'a, W> {
    pub(crate) word: &'a W,
    pub(crate) parked: &'a W,
}

impl<W: Word> Bell<'_, W> {
    /// Changes the word and wakes who waits.
    pub(crate) fn ring(&self, value: u32) {
        self.word.set(value);
        self.wake();
    }

    /// Changes the word from `old` and wakes who waits; says whether it was `old`.
    pub(crate) fn ring_if(&self, old: u32, new: u32) -> bool {
        let changed = self.word.swap_if(old, new);
        if changed {
            self.wake();
        }
        changed
    }

    fn wake(&self) {
        if self.parked.get() != 0 {
            self.word.wake();
        }
    }

    /// Sleeps until the word no longer is `old`, or `until` has passed; gives what it is then.
    pub(crate) fn park(&self, old: u32, until: Option<Instant>) -> u32 {
        loop {
            let limit = until.map(|until| until.saturating_duration_since(Instant::now()));
            self.parked.set(1);
            if self.word.get() == old && limit.is_none_or(|limit| !limit.is_zero()) {
                self.word.sleep(old, limit);
            }
            self.parked.set(0);
            let now = self.word.get();
            if now != old || until.is_some_and(|until| until <= Instant::now()) {
                return now;
            }
        }
    }

    /// Looks at the word again and again for at most `spin`; gives what it is then.
    pub(crate) fn spin(&self, old: u32, spin: Duration) -> u32 {
        let start = Instant::now();
        loop {
            for _ in 0..64 {
                let now = self.word.get();
                if now != old {
                    return now;
                }
                std::hint::spin_loop();
            }
            if start.elapsed() >= spin {
                return self.word.get();
            }
        }
    }
}

/// A queue of numbers from one process to one other; `tail` is the word of its bell.
pub(crate) struct Ring<'a, W> {
    pub(crate) head: &'a W,
    pub(crate) bell: Bell<'a, W>,
    /// A power of two of them, so that counters may wrap.
    pub(crate) cells: &'a [W],
}

impl<W: Word> Ring<'_, W> {
    /// Appends `value` and wakes the reader; says whether there was room.
    pub(crate) fn push(&self, value: u32) -> bool {
        let tail = self.bell.word.get();
        let Some(cell) = self.cell(tail) else { return false };
        if tail.wrapping_sub(self.head.get()) as usize >= self.cells.len() {
            return false;
        }
        cell.set(value);
        self.bell.ring(tail.wrapping_add(1));
        true
    }

    /// Takes the first number, if there is one.
    pub(crate) fn pop(&self) -> Option<u32> {
        let head = self.head.get();
        if head == self.bell.word.get() {
            return None;
        }
        let value = self.cell(head)?.get();
        self.head.set(head.wrapping_add(1));
        Some(value)
    }

    /// Waits until there is a number: first looking for `spin`, then asleep until `until`.
    pub(crate) fn wait(&self, spin: Duration, until: Option<Instant>) {
        let head = self.head.get();
        if self.bell.word.get() != head || (!spin.is_zero() && self.bell.spin(head, spin) != head) {
            return;
        }
        self.bell.park(head, until);
    }

    fn cell(&self, at: u32) -> Option<&W> {
        self.cells.get(at as usize % self.cells.len().max(1))
    }
}

#[cfg(test)]
mod tests {
    use loom::sync::atomic::{AtomicU32 as ModelU32, fence};
    use loom::sync::{Arc, Condvar, Mutex};

    use super::*;

    /// A word whose sleepers stand in a condition variable, as those of a futex do in the kernel.
    struct Model {
        value: ModelU32,
        kernel: Mutex<()>,
        sleepers: Condvar,
    }

    impl Model {
        fn new(value: u32) -> Self {
            Self { value: ModelU32::new(value), kernel: Mutex::new(()), sleepers: Condvar::new() }
        }
    }

    impl Word for Model {
        fn get(&self) -> u32 {
            self.value.load(Ordering::SeqCst)
        }

        fn set(&self, value: u32) {
            self.value.store(value, Ordering::SeqCst);
            // The model orders fences totally, but not accesses.
            fence(Ordering::SeqCst);
        }

        fn swap_if(&self, old: u32, new: u32) -> bool {
            let swapped = self.value.compare_exchange(old, new, Ordering::SeqCst, Ordering::SeqCst).is_ok();
            fence(Ordering::SeqCst);
            swapped
        }

        fn sleep(&self, old: u32, _limit: Option<Duration>) {
            let kernel = self.kernel.lock().unwrap();
            if self.get() == old {
                drop(self.sleepers.wait(kernel).unwrap());
            }
        }

        fn wake(&self) {
            let _kernel = self.kernel.lock().unwrap();
            self.sleepers.notify_all();
        }
    }

    /// Tries every interleaving with at most three switches that no side asked for.
    fn try_all(test: impl Fn() + Sync + Send + 'static) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(test);
    }

    struct Shared {
        head: Model,
        tail: Model,
        parked: Model,
        cells: [Model; 2],
    }

    impl Shared {
        fn new(start: u32) -> Self {
            Self {
                head: Model::new(start),
                tail: Model::new(start),
                parked: Model::new(0),
                cells: [Model::new(0), Model::new(0)],
            }
        }

        fn ring(&self) -> Ring<'_, Model> {
            let bell = Bell { word: &self.tail, parked: &self.parked };
            Ring { head: &self.head, bell, cells: &self.cells }
        }
    }

    #[test]
    fn no_interleaving_loses_a_number_or_sleeps_for_ever() {
        try_all(|| {
            // The counters wrap on the way.
            let shared = Arc::new(Shared::new(u32::MAX));
            let writer = Arc::clone(&shared);
            let thread = loom::thread::spawn(move || {
                assert!(writer.ring().push(7));
                assert!(writer.ring().push(8));
            });
            let mut taken = Vec::new();
            while taken.len() < 2 {
                match shared.ring().pop() {
                    Some(value) => taken.push(value),
                    None => shared.ring().wait(Duration::ZERO, None),
                }
            }
            thread.join().unwrap();
            assert_eq!(taken, [7, 8]);
        });
    }

    #[test]
    fn one_of_answer_and_loss_wins_and_the_waiter_wakes() {
        try_all(|| {
            let shared = Arc::new((Model::new(1), Model::new(0)));
            let bell = |pair: &(Model, Model), new| Bell { word: &pair.0, parked: &pair.1 }.ring_if(1, new);
            let answer = Arc::clone(&shared);
            let loss = Arc::clone(&shared);
            let answer = loom::thread::spawn(move || bell(&answer, 2));
            let loss = loom::thread::spawn(move || bell(&loss, 3));
            let seen = Bell { word: &shared.0, parked: &shared.1 }.park(1, None);
            let won = (answer.join().unwrap(), loss.join().unwrap());
            assert_eq!(won, (seen == 2, seen == 3));
        });
    }

    #[test]
    fn a_full_ring_refuses_and_goes_on_after_a_pop() {
        let words: Vec<AtomicU32> = (0..5).map(|_| AtomicU32::new(0)).collect();
        let bell = Bell { word: &words[1], parked: &words[2] };
        let ring = Ring { head: &words[0], bell, cells: &words[3..] };
        assert_eq!((ring.push(1), ring.push(2), ring.push(3)), (true, true, false));
        assert_eq!((ring.pop(), ring.push(3)), (Some(1), true));
        assert_eq!((ring.pop(), ring.pop(), ring.pop()), (Some(2), Some(3), None));
    }
}
