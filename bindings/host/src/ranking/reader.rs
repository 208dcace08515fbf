use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use comptoir::ranking::snapshot::{Entry, Follower, GroupValue, Item, Page, Reader, SnapshotError, Start};
use serde::Serialize;

use crate::{Fault, render};

/// Reads the boards that a publisher publishes in a directory; any number of threads may share it.
#[derive(Debug)]
pub struct BoardReader {
    reader: Arc<Reader>,
    follower: Mutex<Option<Follower>>,
    /// The last failure of the follower, if its last look failed.
    failure: Arc<Mutex<Option<SnapshotError>>>,
}

/// A part of a board of one version, which it keeps.
#[derive(Debug)]
pub struct OwnedPage(Page);

/// What a reader has.
#[derive(Debug, Serialize)]
struct Status {
    version: u64,
    /// Seconds since the version was published.
    age: f64,
    watermark: i64,
    boards: usize,
    failure: Option<String>,
}

impl BoardReader {
    /// Opens and verifies the current version.
    ///
    /// # Errors
    /// `RANKING_SNAPSHOT_NONE` where nothing was published; a file that is damaged or of a later format.
    pub fn open(directory: &Path) -> Result<Self, Fault> {
        let reader = Arc::new(Reader::open(directory)?);
        Ok(Self { reader, follower: Mutex::default(), failure: Arc::default() })
    }

    /// A page of a board: `limit` places from place `offset` on, or from where `cursor` says, if it is not empty. None
    /// where there is no such board. The values of the group are texts.
    ///
    /// # Errors
    /// A cursor that is none, of another board, or of a version that is no longer kept.
    pub fn page(
        &self,
        board: &str,
        group: &[&str],
        offset: usize,
        cursor: &str,
        limit: usize,
    ) -> Result<Option<OwnedPage>, Fault> {
        let start = match cursor {
            "" => Start::Offset(offset),
            _ if offset != 0 => return Err(Fault::argument("give an offset or a cursor, not both")),
            text => Start::Cursor(text.parse()?),
        };
        // A page of a host may live long: a clone is an owner of its version.
        Ok(self.reader.page(board, group, start, limit)?.map(|page| OwnedPage(page.clone())))
    }

    /// The position of an item, from 1; none where the item or the board is not there.
    #[must_use]
    pub fn rank_of(&self, board: &str, group: &[&str], item: Item<'_>) -> Option<usize> {
        self.reader.rank_of(board, group, item)
    }

    /// The boards of the current version, as JSON: `[{"board": "top", "group": ["FR"], "places": 20}]`.
    ///
    /// # Errors
    /// None is known.
    pub fn boards(&self) -> Result<String, Fault> {
        let snapshot = self.reader.load();
        let boards: Vec<_> = snapshot
            .iter()
            .map(|board| {
                let mut parts = board.name();
                let name = parts.next().unwrap_or_default();
                let group: Vec<Option<&str>> = parts.map(GroupValue::read).collect();
                serde_json::json!({"board": name, "group": group, "places": board.len()})
            })
            .collect();
        render(&boards)
    }

    /// Version, age in seconds, watermark, number of boards and the last failure of following, as JSON.
    ///
    /// # Errors
    /// None is known.
    pub fn status(&self) -> Result<String, Fault> {
        let snapshot = self.reader.load();
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        render(&Status {
            version: snapshot.version(),
            age: self.reader.age().as_secs_f64(),
            watermark: snapshot.watermark(),
            boards: snapshot.len(),
            failure: failure.as_ref().map(ToString::to_string),
        })
    }

    /// The number of the current version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.reader.version()
    }

    /// Changes to the version that is current now; whether it is another one.
    ///
    /// # Errors
    /// A version that cannot be read; the one so far stays.
    pub fn refresh(&self) -> Result<bool, Fault> {
        let changed = self.reader.refresh()?;
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(changed)
    }

    /// Changes to new versions by itself, on a thread that looks for them every `interval`; zero ends it.
    pub fn follow(&self, interval: Duration) {
        let follower = (!interval.is_zero()).then(|| {
            let (failure, reader) = (Arc::clone(&self.failure), Arc::clone(&self.reader));
            reader.follow(interval, move |error| {
                *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            })
        });
        let mut place = self.follower.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *place, follower);
        drop(place);
        // Waits for its thread.
        drop(before);
    }
}

impl OwnedPage {
    /// The version that it shows.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.0.version()
    }

    /// How many places the board has.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.total()
    }

    /// Its places, in order.
    #[inline]
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.0.entries()
    }

    /// Where the next page begins; none after the last place.
    #[must_use]
    pub fn next_cursor(&self) -> Option<String> {
        self.0.next().map(|cursor| cursor.to_string())
    }
}
