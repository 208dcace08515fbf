//! Capacity planning: what a configuration holds, found out in virtual time before anything is deployed.
//!
//! ```
//! use comptoir_executor::plan::{Bottleneck, PlanSpec, plan};
//!
//! let load = PlanSpec { per_second: Some(1500.0), requests: 1000, ..PlanSpec::default() };
//! let spec = PlanSpec { deadline_ms: Some(50.0), ..load };
//! let plan = plan(&spec).unwrap();
//! assert_eq!(plan.bottleneck, Bottleneck::Cpu);
//! // Two threads of 1 ms each do 2,000 requests a second, and the deadline leaves little of that unused.
//! assert!((1700.0..2000.0).contains(&plan.highest_per_second.unwrap()));
//! assert!(plan.to_string().contains("cpu_threads: 3 instead of 2"));
//! ```

mod capacity;
mod spec;
mod text;

use serde::{Deserialize, Serialize};

pub use capacity::Bottleneck;
pub use spec::PlanSpec;

use crate::error::Error;
use crate::simulate::{Summary, simulate};

/// What becomes of the load, and what would change it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Requests per second that come: the rate of the spec, or the mean rate of its trace.
    pub per_second: f64,
    /// Outcomes, times and use of the simulated pipeline.
    pub load: Summary,
    /// Whether at least 99 % of the requests have a result before their deadline, or, without a deadline, a result at
    /// all.
    pub holds: bool,
    /// Requests per second that the CPU threads can do.
    pub cpu_per_second: f64,
    /// Requests per second that the device can do, in batches of the best size.
    pub device_per_second: f64,
    /// The resource that can do less.
    pub bottleneck: Bottleneck,
    /// The highest rate of which at least 99 % have a result before their deadline, to 1 %; none without a deadline,
    /// for a trace, and where not even a hundredth of the capacity holds it.
    pub highest_per_second: Option<f64>,
    /// What other configurations would hold, the best first.
    pub options: Vec<Change>,
    /// What to do, in words.
    pub advice: Vec<String>,
}

/// Another configuration, which differs in one field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The field, such as `cpu_threads`.
    pub field: String,
    /// Its value now.
    pub from: usize,
    /// Its value in the other configuration.
    pub to: usize,
    /// The highest rate that then holds the deadline; without a deadline the capacity.
    pub per_second: f64,
}

/// Simulates a configuration under a load, finds the rate that it holds, and tries what could be changed.
///
/// # Errors
/// [`Error::Config`] where a setting cannot be used, with its field in [`PlanSpec`].
pub fn plan(spec: &PlanSpec) -> Result<Plan, Error> {
    planned(spec).map_err(spec::named)
}

fn planned(spec: &PlanSpec) -> Result<Plan, Error> {
    let load = simulate(&spec.scenario()?)?.summary();
    let highest_per_second = capacity::highest(spec)?;
    let mut plan = Plan {
        per_second: spec.rate(),
        holds: capacity::holds(&load),
        load,
        cpu_per_second: capacity::cpu(spec),
        device_per_second: capacity::device(spec),
        bottleneck: capacity::bottleneck(spec),
        highest_per_second,
        options: options(spec)?,
        advice: Vec::new(),
    };
    plan.advice = text::advice(spec, &plan);
    Ok(plan)
}

/// What one more thread, a larger batch, another instance or another lane would hold, where it is more than 2 % more.
fn options(spec: &PlanSpec) -> Result<Vec<Change>, Error> {
    let mut options = Vec::new();
    let now = capacity::held(spec)?;
    for (field, from, to, changed) in spec.changes() {
        let per_second = capacity::held(&changed)?;
        if per_second > 1.02 * now {
            options.push(Change { field: field.to_owned(), from, to, per_second });
        }
    }
    options.sort_by(|one, other| other.per_second.total_cmp(&one.per_second));
    Ok(options)
}
