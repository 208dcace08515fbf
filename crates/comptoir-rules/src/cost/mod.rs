//! What an evaluation may cost, before it is run: bounds in the units of the budget.
//!
//! The units are those of cel-go: a name, field or call 1, a list 10, a map 30, a message 40, text a tenth for each
//! byte that is gone over, an iteration of a macro 1 and what its body costs.

mod bounds;
mod call;
mod node;

pub use bounds::Bounds;

use crate::program::Program;
use node::Estimator;

/// What is known about the size of inputs: bytes of text, elements of lists, entries of maps.
///
/// A path is that of a slot, such as `order.items`; `[]` behind it means each element, as in `order.items[].title`.
/// `None` leaves the size open, so that a macro over it has no upper bound.
pub trait SizeHints {
    /// The size of what the path names.
    fn size(&self, path: &str) -> Option<Bounds>;
}

impl<F: Fn(&str) -> Option<Bounds>> SizeHints for F {
    fn size(&self, path: &str) -> Option<Bounds> {
        self(path)
    }
}

impl Program {
    /// Bounds on the cost of an evaluation: one that gives a value costs no less than the lower bound, and none costs
    /// more than the upper. [`u64::MAX`] stands for no bound.
    ///
    /// ```
    /// use comptoir_rules::{Bounds, Env, Type};
    ///
    /// let env = Env::builder().variable("tags", Type::list(Type::String)).build()?;
    /// let program = env.compile("tags.exists(tag, tag == 'new')")?;
    /// assert_eq!(program.estimate_cost(&|_: &str| None).max, u64::MAX);
    /// let sizes = |path: &str| match path {
    ///     "tags" => Some(Bounds::new(0, 20)),
    ///     "tags[]" => Some(Bounds::new(0, 30)),
    ///     _ => None,
    /// };
    /// assert!(program.estimate_cost(&sizes).max <= 20 * 6 + 2);
    /// # Ok::<(), comptoir_rules::Error>(())
    /// ```
    #[must_use]
    pub fn estimate_cost(&self, sizes: &dyn SizeHints) -> Bounds {
        Estimator::new(self, sizes).program()
    }
}
