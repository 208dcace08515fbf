//! Requests that wait for the CPU stage.

use std::collections::{BTreeMap, BTreeSet};

use super::Nanos;

/// Priorities: 0 can wait, 3 comes first.
const CLASSES: usize = 4;

/// A bounded queue, ordered by priority and age, that knows which of its entries are late.
///
/// An entry stands where one of the highest priority would stand that had come `(3 - priority) x step` later. So a
/// higher priority goes first, order within a priority is that of arrival, and nobody starves: whatever comes more
/// than `(3 - priority) x step` after an entry is served after it.
#[derive(Debug)]
pub struct Queue<T> {
    limit: usize,
    step: Nanos,
    /// Per priority, by number of arrival.
    classes: [BTreeMap<u64, Entry<T>>; CLASSES],
    deadlines: BTreeSet<(Nanos, u64, u8)>,
    len: usize,
    next: u64,
}

/// How a queue orders priorities.
#[derive(Debug, Clone, PartialEq)]
pub struct QueuePolicy {
    /// How much later an entry of the next higher priority may come and still go first.
    pub step: Nanos,
}

impl Default for QueuePolicy {
    fn default() -> Self {
        Self { step: 500_000_000 }
    }
}

/// A request in the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<T> {
    /// The request itself.
    pub item: T,
    /// When it came.
    pub arrived: Nanos,
    /// When its result is of no use any more.
    pub deadline: Option<Nanos>,
    /// From 0 to 3; higher ones count as 3.
    pub priority: u8,
}

/// Names an entry for its removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    number: u64,
    class: u8,
}

/// An entry that was not taken.
#[derive(Debug)]
pub enum Rejected<T> {
    /// The queue is full.
    Overloaded(Entry<T>),
    /// Its deadline has passed.
    Late(Entry<T>),
}

impl<T> Queue<T> {
    /// A queue that takes `limit` entries.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a policy belongs to its queue")]
    pub fn new(limit: usize, policy: QueuePolicy) -> Self {
        Self {
            limit,
            step: policy.step,
            classes: Default::default(),
            deadlines: BTreeSet::new(),
            len: 0,
            next: 0,
        }
    }

    /// Entries that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes an entry.
    ///
    /// # Errors
    /// The entry back, where the queue is full or its deadline has passed.
    pub fn push(&mut self, now: Nanos, entry: Entry<T>) -> Result<Key, Rejected<T>> {
        if entry.deadline.is_some_and(|deadline| deadline <= now) {
            return Err(Rejected::Late(entry));
        }
        if self.len >= self.limit {
            return Err(Rejected::Overloaded(entry));
        }
        let key = Key { number: self.next, class: entry.priority.min(3) };
        self.next += 1;
        self.len += 1;
        if let Some(deadline) = entry.deadline {
            self.deadlines.insert((deadline, key.number, key.class));
        }
        if let Some(class) = self.classes.get_mut(usize::from(key.class)) {
            class.insert(key.number, entry);
        }
        Ok(key)
    }

    /// The entry whose turn it is. The time does not matter to the order, which is fixed when entries come.
    pub fn pop(&mut self, _now: Nanos) -> Option<Entry<T>> {
        let rank = |class: usize| {
            let (number, entry) = self.classes.get(class)?.first_key_value()?;
            let later = self.step.saturating_mul((CLASSES - 1 - class) as Nanos);
            // At the same rank the higher priority goes first.
            Some((entry.arrived.saturating_add(later), CLASSES - class, *number))
        };
        let ((_, _, number), class) =
            (0..CLASSES).filter_map(|class| rank(class).map(|rank| (rank, class))).min()?;
        self.remove(Key { number, class: u8::try_from(class).ok()? })
    }

    /// Takes an entry out, wherever it stands.
    pub fn remove(&mut self, key: Key) -> Option<Entry<T>> {
        let entry = self.classes.get_mut(usize::from(key.class))?.remove(&key.number)?;
        if let Some(deadline) = entry.deadline {
            self.deadlines.remove(&(deadline, key.number, key.class));
        }
        self.len -= 1;
        Some(entry)
    }

    /// Takes out the entries that are late: their deadline has passed, or comes before `soonest`, the moment at which
    /// an entry taken now would be done at the earliest.
    pub fn shed(&mut self, now: Nanos, soonest: Nanos) -> Vec<Entry<T>> {
        let mut late = Vec::new();
        while let Some(&(deadline, number, class)) = self.deadlines.first() {
            if deadline > now && deadline >= soonest {
                break;
            }
            late.extend(self.remove(Key { number, class }));
        }
        late
    }

    /// Takes out the entries for which `keep` is false.
    pub fn purge(&mut self, mut keep: impl FnMut(&T) -> bool) -> Vec<Entry<T>> {
        let mut keys = Vec::new();
        for (class, entries) in (0_u8..).zip(&self.classes) {
            let gone = entries.iter().filter(|(_, entry)| !keep(&entry.item));
            keys.extend(gone.map(|(&number, _)| Key { number, class }));
        }
        keys.into_iter().filter_map(|key| self.remove(key)).collect()
    }

    /// The earliest deadline of all.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Nanos> {
        self.deadlines.first().map(|(deadline, ..)| *deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(item: u32, arrived: Nanos, deadline: Option<Nanos>, priority: u8) -> Entry<u32> {
        Entry { item, arrived, deadline, priority }
    }

    #[test]
    fn a_full_queue_gives_the_entry_back() {
        let mut queue = Queue::new(1, QueuePolicy::default());
        assert!(queue.push(0, entry(1, 0, None, 1)).is_ok());
        assert!(
            matches!(queue.push(0, entry(2, 0, None, 3)), Err(Rejected::Overloaded(back)) if back.item == 2)
        );
        assert!(
            matches!(queue.push(5, entry(3, 5, Some(5), 3)), Err(Rejected::Late(back)) if back.item == 3)
        );
    }

    #[test]
    fn what_cannot_be_done_in_time_is_shed() {
        let mut queue = Queue::new(9, QueuePolicy::default());
        for (item, deadline) in [(1, Some(100)), (2, None), (3, Some(20)), (4, Some(50))] {
            queue.push(0, entry(item, 0, deadline, 1)).unwrap();
        }
        let items = |late: Vec<Entry<u32>>| late.into_iter().map(|entry| entry.item).collect::<Vec<_>>();
        assert_eq!(items(queue.shed(10, 50)), [3]);
        assert_eq!(queue.next_deadline(), Some(50));
        assert_eq!(items(queue.shed(10, 51)), [4]);
        assert_eq!(items(queue.purge(|&item| item == 2)), [1]);
        assert_eq!((queue.len(), queue.next_deadline()), (1, None));
    }

    proptest! {
        #[test]
        fn order_is_that_of_arrival_within_a_priority_and_nobody_is_passed_by_who_comes_too_late(
            arrivals in prop::collection::vec((0_u64..400, 0_u8..4, any::<bool>()), 1..80),
        ) {
            let step = 100;
            let mut queue = Queue::new(1000, QueuePolicy { step });
            let mut now = 0;
            let mut served: Vec<Entry<u32>> = Vec::new();
            for (number, (gap, priority, pop)) in (0..).zip(arrivals) {
                now += gap;
                queue.push(now, entry(number, now, None, priority)).unwrap();
                if pop {
                    served.extend(queue.pop(now));
                }
            }
            served.extend(std::iter::from_fn(|| queue.pop(now)));
            for (at, first) in served.iter().enumerate() {
                for later in served.iter().skip(at + 1) {
                    // Whoever waits while another is served came later, or is of a lower priority ...
                    if later.arrived < first.arrived {
                        prop_assert!(later.priority < first.priority);
                        // ... and that one came within the steps between them.
                        let steps = u64::from(first.priority - later.priority);
                        prop_assert!(first.arrived <= later.arrived + steps * step);
                    }
                }
            }
        }
    }
}
