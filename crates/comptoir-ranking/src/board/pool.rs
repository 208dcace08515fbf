//! The best of each group, shared by the threads that scan one table.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::codes::Codes;
use super::error::BoardError;
use super::kept::{Kept, OPEN};
use super::list::Spare;

/// What is kept of a group. Where it is shared, a floor that one thread raises is raised for all, so that together they
/// offer hardly more rows than one thread alone would.
#[derive(Debug)]
pub enum Group {
    /// Of one thread: a lock would wait for memory at every candidate.
    Own(Kept),
    Shared(Arc<Shared>),
}

/// At the start of a line of the cache: who has looked at the floor has the rest at hand.
#[derive(Debug)]
#[repr(align(64))]
pub struct Shared {
    /// The floor of `kept`, to be read without waiting. It only rises, so that one that was read too early lets too many
    /// rows pass and none too few; nothing else depends on it.
    floor: AtomicI64,
    kept: Mutex<Kept>,
}

impl Default for Group {
    fn default() -> Self {
        Self::Own(Kept::default())
    }
}

impl Group {
    /// The key below which nothing is taken.
    #[inline]
    pub fn floor(&self) -> i64 {
        match self {
            Self::Own(kept) => kept.floor(),
            Self::Shared(shared) => shared.floor.load(Ordering::Relaxed),
        }
    }

    /// Changes what is kept. Gives the floor after it.
    #[inline]
    pub fn change(&mut self, change: impl FnOnce(&mut Kept)) -> i64 {
        let shared = match self {
            Self::Own(kept) => {
                change(kept);
                return kept.floor();
            }
            Self::Shared(shared) => shared,
        };
        // What is kept is whole after every step, so that a thread that panicked has broken nothing.
        let mut kept = shared.kept.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut kept);
        let floor = kept.floor();
        shared.floor.store(floor, Ordering::Relaxed);
        floor
    }

    /// Takes what is kept.
    pub fn take(&mut self) -> Kept {
        match self {
            Self::Own(kept) => std::mem::take(kept),
            Self::Shared(shared) => {
                shared.floor.store(OPEN, Ordering::Relaxed);
                std::mem::take(&mut *shared.kept.lock().unwrap_or_else(PoisonError::into_inner))
            }
        }
    }

    /// Adds the candidates of the same group of another collector, unless both share it.
    pub fn merge(&mut self, mut other: Self, keep: usize, spare: &mut Spare) {
        if let (Self::Shared(own), Self::Shared(theirs)) = (&self, &other)
            && Arc::ptr_eq(own, theirs)
        {
            return;
        }
        let theirs = other.take();
        self.change(|kept| kept.merge(&theirs, keep, spare));
    }

    /// The same group for another thread.
    fn share(&mut self) -> Self {
        let shared = match std::mem::take(self) {
            Self::Shared(shared) => shared,
            Self::Own(kept) => {
                Arc::new(Shared { floor: AtomicI64::new(kept.floor()), kept: Mutex::new(kept) })
            }
        };
        *self = Self::Shared(Arc::clone(&shared));
        Self::Shared(shared)
    }
}

/// The groups of collectors whose codes differ: each asks once for every group that it meets.
#[derive(Debug)]
pub struct Pool(Mutex<(Codes, Vec<Group>)>);

impl Pool {
    /// With the groups that one collector has met.
    pub fn new(names: &[String], codes: &Codes, groups: &mut [Group]) -> Result<Self, BoardError> {
        let mut own = Codes::new(names);
        let of = own.learn(codes, 0)?;
        let mut all = Vec::new();
        all.resize_with(own.len(), Group::default);
        for (code, group) in of.iter().zip(groups) {
            if let Some(place) = all.get_mut(*code as usize) {
                *place = group.share();
            }
        }
        Ok(Self(Mutex::new((own, all))))
    }

    /// The groups of the codes from one on.
    pub fn groups(&self, codes: &Codes, from: usize) -> Result<Vec<Group>, BoardError> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (own, groups) = &mut *known;
        let of = own.learn(codes, from)?;
        groups.resize_with(own.len(), Group::default);
        Ok(of
            .iter()
            .map(|code| groups.get_mut(*code as usize).map(Group::share).unwrap_or_default())
            .collect())
    }
}
