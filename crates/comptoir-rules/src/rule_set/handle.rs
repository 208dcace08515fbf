use std::sync::Arc;

use arc_swap::ArcSwap;

use super::RuleSet;

/// A place for the set that counts now. Swapping it is atomic: whoever decides at that moment ends with the set that it
/// began with, and nobody waits.
///
/// ```
/// use comptoir_rules::rule_set::{RuleSet, RuleSetHandle, RuleSetSpec};
///
/// let set = |version: u32| {
///     let text = format!("version: {version}\nrules: [{{id: all, when: 'true'}}]");
///     RuleSet::build(RuleSetSpec::from_yaml(&text).unwrap()).unwrap()
/// };
/// let handle = RuleSetHandle::new(set(1));
/// let before = handle.load();
/// let old = handle.swap(set(2));
/// assert_eq!((before.version(), old.version(), handle.load().version()), ("1", "1", "2"));
/// ```
#[derive(Debug)]
pub struct RuleSetHandle {
    current: ArcSwap<RuleSet>,
}

impl RuleSetHandle {
    /// A handle of a set.
    #[must_use]
    pub fn new(set: impl Into<Arc<RuleSet>>) -> Self {
        Self { current: ArcSwap::new(set.into()) }
    }

    /// The set that counts now. It stays as it is for as long as it is held.
    #[must_use]
    pub fn load(&self) -> Arc<RuleSet> {
        self.current.load_full()
    }

    /// Puts another set in its place and gives the one before.
    pub fn swap(&self, set: impl Into<Arc<RuleSet>>) -> Arc<RuleSet> {
        self.current.swap(set.into())
    }
}
