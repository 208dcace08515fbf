//! A pipeline in virtual time: the same policy and schedule as in real time, without threads, clocks or a device.
//!
//! A [`Scenario`] says what comes, how long stages take and what goes wrong; [`simulate`] says what becomes of every
//! request. The same scenario gives the same [`Report`], to the last nanosecond, on every machine. [`simulate_models`] does
//! so for several models that share CPU threads and device by weight.
//!
//! ```
//! use comptoir_executor::simulate::{Arrivals, Scenario, simulate};
//!
//! let arrivals = Arrivals::Poisson { per_second: 500.0 };
//! let report = simulate(&Scenario { requests: 1000, arrivals, ..Scenario::default() }).unwrap();
//! let summary = report.summary();
//! assert_eq!((summary.requests, summary.done), (1000, 1000));
//! assert!(summary.p50_ms >= 4.15 && summary.device_busy < 1.0);
//! ```

mod device;
mod engine;
mod feed;
mod load;
mod model;
mod random;
mod report;
mod spec;

pub use engine::{simulate, simulate_models};
pub use report::{Batch, Outcome, Report, Request, Summary};
pub use spec::{Arrivals, DeviceSpec, Faults, Scenario, Spread, TimeSpec, Weighted};
