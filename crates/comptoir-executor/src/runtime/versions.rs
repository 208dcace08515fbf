//! Versions of a model: one that serves, and one that may be taking over.

use std::sync::Arc;

use super::stages::Model;
use crate::policy::LatencyModel;

/// The versions of a model.
pub(super) struct Versions<P> {
    current: Version<P>,
    /// The version that takes over, and its share of the rows, from 0 to 1.
    next: Option<(Version<P>, f64)>,
    /// Rows since the share was set: all, and those of the next version.
    rows: (u64, u64),
    /// Versions that serve no more and still have batches under way.
    leaving: Vec<Version<P>>,
    last_id: u64,
}

/// One version.
pub(super) struct Version<P> {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) model: Arc<dyn Model<P>>,
    pub(super) latency: LatencyModel,
    /// Batches under way.
    under_way: usize,
    /// Rows that it has answered.
    pub(super) served: u64,
}

impl<P> Version<P> {
    /// A version that has served nobody yet.
    pub(super) fn new(name: &str, model: Arc<dyn Model<P>>, latency: LatencyModel) -> Self {
        Self { id: 0, name: name.to_owned(), model, latency, under_way: 0, served: 0 }
    }
}

impl<P> Versions<P> {
    pub(super) fn new(first: Version<P>) -> Self {
        Self { current: first, next: None, rows: (0, 0), leaving: Vec::new(), last_id: 0 }
    }

    /// The version that serves.
    pub(super) fn current(&self) -> &Version<P> {
        &self.current
    }

    /// The version that takes over, with its share.
    pub(super) fn next(&self) -> Option<(&Version<P>, f64)> {
        self.next.as_ref().map(|(version, share)| (version, *share))
    }

    /// How long the version that serves takes.
    pub(super) fn latency(&self) -> &LatencyModel {
        &self.current.latency
    }

    /// Lets a new version take over `share` of the rows, all of them from 1 on. Returns the versions that go at once,
    /// so that the caller drops them where no lock is held: unloading a model may take long.
    pub(super) fn swap(&mut self, mut version: Version<P>, share: f64) -> Vec<Version<P>> {
        self.last_id += 1;
        version.id = self.last_id;
        self.rows = (0, 0);
        let unfinished = self.next.take().and_then(|(unfinished, _)| self.leave(unfinished));
        let old = self.place(version, share);
        unfinished.into_iter().chain(old).collect()
    }

    /// Changes the share of the version that takes over; from 1 on it is the one that serves, and at 0 it goes.
    /// Returns the version that goes at once, if one does; none outside where no version takes over.
    pub(super) fn set_share(&mut self, share: f64) -> Option<Option<Version<P>>> {
        let (version, _) = self.next.take()?;
        self.rows = (0, 0);
        Some(if share <= 0.0 { self.leave(version) } else { self.place(version, share) })
    }

    /// Puts a version beside the one that serves, or in its place.
    fn place(&mut self, version: Version<P>, share: f64) -> Option<Version<P>> {
        if share < 1.0 {
            self.next = Some((version, share));
            return None;
        }
        let old = std::mem::replace(&mut self.current, version);
        self.leave(old)
    }

    /// The version that runs the next batch, of `rows` rows; it counts as under way until [`Self::ended`].
    pub(super) fn start(&mut self, rows: usize) -> (u64, Arc<dyn Model<P>>) {
        let rows = rows as u64;
        let version = match &mut self.next {
            Some((version, share)) => {
                let (all, theirs) = self.rows;
                self.rows.0 += rows;
                // Half of the batch on either side of the line: the share is met as closely as whole batches allow.
                #[expect(clippy::cast_precision_loss, reason = "a share of rows")]
                let due = (all + rows) as f64 * *share >= theirs as f64 + rows as f64 / 2.0;
                if due {
                    self.rows.1 += rows;
                    version
                } else {
                    &mut self.current
                }
            }
            None => &mut self.current,
        };
        version.under_way += 1;
        version.served += rows;
        (version.id, Arc::clone(&version.model))
    }

    /// A batch of version `id` has ended. A version that leaves goes with its last one, and is returned so that the
    /// caller drops it where no lock is held.
    pub(super) fn ended(&mut self, id: u64) -> Option<Version<P>> {
        if let Some(version) = self.find(id) {
            version.under_way -= 1;
        }
        let place = self.leaving.iter().position(|version| version.id == id && version.under_way == 0)?;
        Some(self.leaving.swap_remove(place))
    }

    /// The version `id`, if it still has batches.
    pub(super) fn find(&mut self, id: u64) -> Option<&mut Version<P>> {
        if self.current.id == id {
            return Some(&mut self.current);
        }
        let next = self.next.as_mut().map(|(version, _)| version).filter(|version| version.id == id);
        next.or_else(|| self.leaving.iter_mut().find(|version| version.id == id))
    }

    /// Versions that serve no more and have batches under way.
    pub(super) fn leaving(&self) -> usize {
        self.leaving.len()
    }

    /// Keeps a version until its last batch has ended; gives it back where it has none.
    fn leave(&mut self, version: Version<P>) -> Option<Version<P>> {
        if version.under_way == 0 {
            return Some(version);
        }
        self.leaving.push(version);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::runtime::rows::Rows;

    fn version(name: &str) -> Version<()> {
        let model = |_: &Rows| -> Result<(), Error> { Ok(()) };
        Version::new(name, Arc::new(model), LatencyModel::unknown())
    }

    #[test]
    fn a_share_is_met_as_closely_as_batches_allow() {
        let mut versions = Versions::new(version("a"));
        assert!(versions.swap(version("b"), 0.25).is_empty());
        let (mut all, mut new) = (0_u64, 0_u64);
        for batch in 0..1000 {
            let rows = 1 + batch * 7 % 32;
            let (id, _) = versions.start(rows);
            all += rows as u64;
            new += if id == 1 { rows as u64 } else { 0 };
            assert!((new as f64 - all as f64 * 0.25).abs() <= 32.0, "{new} of {all}");
        }
    }

    #[test]
    fn the_old_version_goes_with_its_last_batch() {
        let mut versions = Versions::new(version("a"));
        let (old, _) = versions.start(3);
        let (also_old, _) = versions.start(3);
        assert!(versions.swap(version("b"), 1.0).is_empty());
        assert_eq!(versions.start(1).0, 1);
        assert!(versions.ended(old).is_none());
        assert_eq!(versions.leaving(), 1);
        assert_eq!(versions.ended(also_old).map(|version| version.name), Some("a".to_owned()));
        assert_eq!(versions.leaving(), 0);
    }

    #[test]
    fn a_version_can_be_taken_back() {
        let mut versions = Versions::new(version("a"));
        let name = |gone: Version<()>| gone.name;
        assert!(versions.swap(version("b"), 0.5).is_empty());
        assert_eq!(versions.set_share(0.0).unwrap().map(name), Some("b".to_owned()));
        assert_eq!(versions.current().name, "a");
        assert!(versions.set_share(1.0).is_none());
        // Another one takes over while one is taking over: that one goes, and so does the old one.
        versions.swap(version("c"), 0.5);
        let gone = versions.swap(version("d"), 1.0).into_iter().map(name).collect::<Vec<_>>();
        assert_eq!(gone, ["c", "a"]);
    }
}
