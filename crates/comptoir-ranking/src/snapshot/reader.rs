use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};

use super::build::Item;
use super::cursor::Cursor;
use super::error::SnapshotError;
use super::open::Snapshot;
use super::publish::{CURRENT, now, version_path};
use super::read::{Board, Entry};

/// Old versions that a reader keeps for those who are paging through them.
const KEPT: usize = 4;

/// Reads the current version in a directory.
///
/// Reading takes no lock. The reader changes to another version in [`Reader::refresh`], or by itself with
/// [`Reader::follow`]; where the new one cannot be read it stays with the old one and says why.
#[derive(Debug)]
pub struct Reader {
    directory: PathBuf,
    current: ArcSwap<Snapshot>,
    /// Versions that were current, the last one first. Only cursors of old versions ask for it, and a change.
    old: Mutex<VecDeque<Arc<Snapshot>>>,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// After this many places of the current version.
    Offset(usize),
    /// Where another page ended, in its version.
    Cursor(Cursor),
}

/// A part of a board. It holds its version, as a [`Guard`](Reader::load) does: few at a time of a thread cost no shared
/// count. A clone is one of the owners of the version, for a page that is kept for long.
#[derive(Debug)]
pub struct Page {
    snapshot: Guard<Arc<Snapshot>>,
    key: u64,
    board: usize,
    offset: usize,
    limit: usize,
}

impl Reader {
    /// Opens and verifies the current version.
    ///
    /// # Errors
    /// [`SnapshotError::NothingPublished`], and what [`Snapshot::open`] finds.
    pub fn open(directory: &Path) -> Result<Self, SnapshotError> {
        let snapshot = Arc::new(open_current(directory, None)?.ok_or_else(|| nothing(directory))?);
        Ok(Self { directory: directory.to_owned(), current: ArcSwap::new(snapshot), old: Mutex::default() })
    }

    /// The current version, for any number of reads from one state.
    #[must_use]
    pub fn load(&self) -> Guard<Arc<Snapshot>> {
        self.current.load()
    }

    /// The number of the current version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.load().version()
    }

    /// How long ago the current version was published; nothing where the clock says it is yet to come.
    #[must_use]
    pub fn age(&self) -> Duration {
        Duration::from_micros(u64::try_from(now().saturating_sub(self.load().created())).unwrap_or(0))
    }

    /// A page of a board; `None` where there is no such board.
    ///
    /// # Errors
    /// [`SnapshotError::VersionUnknown`] for a cursor of a version that is no longer kept,
    /// [`SnapshotError::CursorForeign`] for one of another board.
    pub fn page(
        &self,
        board: &str,
        group: &[&str],
        start: Start,
        limit: usize,
    ) -> Result<Option<Page>, SnapshotError> {
        let (snapshot, offset) = match start {
            Start::Offset(offset) => (self.current.load(), offset),
            Start::Cursor(cursor) => {
                let snapshot = Guard::from_inner(self.at(cursor.version)?);
                (snapshot, usize::try_from(cursor.offset).unwrap_or(usize::MAX))
            }
        };
        let Some((number, key)) = snapshot.number(board, group) else { return Ok(None) };
        if matches!(start, Start::Cursor(cursor) if cursor.key != key) {
            return Err(SnapshotError::CursorForeign);
        }
        Ok(Some(Page { snapshot, key, board: number, offset, limit }))
    }

    /// The position of an item on a board of the current version, from 1.
    #[must_use]
    pub fn rank_of(&self, board: &str, group: &[&str], item: Item<'_>) -> Option<usize> {
        self.load().board(board, group)?.rank_of(item)
    }

    /// Changes to the version that `CURRENT` names, if it is another one. Whether it was.
    ///
    /// # Errors
    /// What [`Reader::open`] finds; the version so far stays.
    pub fn refresh(&self) -> Result<bool, SnapshotError> {
        // One change at a time; readers do not wait for it.
        let mut old = self.old.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.version();
        let Some(snapshot) = open_current(&self.directory, Some(known))? else { return Ok(false) };
        let before = self.current.swap(Arc::new(snapshot));
        old.retain(|kept| kept.version() != before.version());
        old.push_front(before);
        old.truncate(KEPT);
        Ok(true)
    }

    /// Looks every `interval` for another version, on a thread of its own, until the follower is dropped. What goes
    /// wrong is told to `on_error`.
    pub fn follow(
        self: &Arc<Self>,
        interval: Duration,
        mut on_error: impl FnMut(SnapshotError) + Send + 'static,
    ) -> Follower {
        let reader = Arc::clone(self);
        let is_ended = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&is_ended);
        let thread = thread::spawn(move || {
            while !is_over.load(Ordering::Acquire) {
                if let Err(error) = reader.refresh() {
                    on_error(error);
                }
                thread::park_timeout(interval);
            }
        });
        Follower { is_ended, thread: Some(thread) }
    }

    /// A version for a cursor: the current one, one that was, or one that the publisher still keeps.
    fn at(&self, version: u64) -> Result<Arc<Snapshot>, SnapshotError> {
        let current = self.current.load();
        if current.version() == version {
            return Ok(Arc::clone(&current));
        }
        let mut old = self.old.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = old.iter().find(|kept| kept.version() == version) {
            return Ok(Arc::clone(kept));
        }
        match Snapshot::open(&version_path(&self.directory, version)) {
            Ok(snapshot) => {
                let snapshot = Arc::new(snapshot);
                old.push_front(Arc::clone(&snapshot));
                old.truncate(KEPT);
                Ok(snapshot)
            }
            Err(SnapshotError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                let known = old.iter().chain([&*current]).map(|kept| kept.version().to_string());
                Err(SnapshotError::VersionUnknown { version, kept: known.collect::<Vec<_>>().join(", ") })
            }
            Err(error) => Err(error),
        }
    }
}

impl Clone for Page {
    fn clone(&self) -> Self {
        Self { snapshot: Guard::from_inner(Arc::clone(&self.snapshot)), ..*self }
    }
}

impl Page {
    /// The version that it shows.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.snapshot.version()
    }

    /// How many places the board has.
    #[must_use]
    pub fn total(&self) -> usize {
        self.view().map_or(0, |board| board.len())
    }

    /// Its places, in order.
    #[inline]
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> {
        self.view().unwrap_or(Board::EMPTY).page(self.offset, self.limit)
    }

    /// Where the next page begins; `None` after the last place.
    #[must_use]
    pub fn next(&self) -> Option<Cursor> {
        let end = self.offset.saturating_add(self.limit);
        let cursor = Cursor { version: self.version(), key: self.key, offset: end as u64 };
        (end < self.total()).then_some(cursor)
    }

    #[inline]
    fn view(&self) -> Option<Board<'_>> {
        self.snapshot.view(self.snapshot.boards().get(self.board)?)
    }
}

/// A thread that keeps a reader current; dropping it ends the thread.
#[derive(Debug)]
pub struct Follower {
    is_ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.is_ended.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // Its only panic could come from `on_error`, which is not ours.
            let _ = thread.join();
        }
    }
}

/// The version that `CURRENT` names, unless it is `known`.
///
/// A publisher that is fast may delete the version between reading its number and opening it; then `CURRENT` names
/// another one already.
fn open_current(directory: &Path, known: Option<u64>) -> Result<Option<Snapshot>, SnapshotError> {
    let mut last = None;
    loop {
        let version = current_version(directory)?;
        if known == Some(version) {
            return Ok(None);
        }
        match Snapshot::open(&version_path(directory, version)) {
            Err(SnapshotError::Io { source, .. })
                if source.kind() == io::ErrorKind::NotFound && last != Some(version) =>
            {
                last = Some(version);
            }
            opened => return opened.map(Some),
        }
    }
}

fn current_version(directory: &Path) -> Result<u64, SnapshotError> {
    let path = directory.join(CURRENT);
    let text = match fs::read_to_string(&path) {
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Err(nothing(directory)),
        read => read.map_err(SnapshotError::io("read", &path))?,
    };
    text.trim_end()
        .parse()
        .map_err(|_| SnapshotError::damaged(&path, "it does not hold the number of a version"))
}

fn nothing(directory: &Path) -> SnapshotError {
    SnapshotError::NothingPublished { directory: directory.to_owned() }
}
