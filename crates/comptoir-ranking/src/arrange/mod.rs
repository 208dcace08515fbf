//! From the organic order of a board to the order that is shown: diversity, constraints, pins.
//!
//! Candidates are given by their place in the organic order, 0 for the best. The steps come in a fixed order:
//!
//! 1. [`mmr`] trades relevance against likeness, if it is asked for;
//! 2. [`constrain`] finds the first arrangement that meets all constraints;
//! 3. [`pin`](pin()) puts items at fixed positions, whatever the constraints say;
//! 4. [`unmet`] says which constraints the final board breaks, and where.
//!
//! Nothing is silent: what could not be done is in a [`Shortfall`] or an [`Unpinned`].

mod constraint;
mod fair;
mod mmr;
mod pin;
mod search;
mod state;

pub use constraint::{Bounds, Constraint, Rule, Shortfall, unmet};
pub use fair::{adjusted_significance, fail_probability, minimum_table};
pub use mmr::{cosine, mmr};
pub use pin::{Pin, PinFault, Pinned, Unpinned, pin};
pub use search::{Arranged, LeftOut, LeftOutReason, constrain};
