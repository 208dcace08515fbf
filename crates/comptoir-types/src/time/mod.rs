//! Calendar dates, and the clocks of time columns.
//!
//! Time is kept as the caller sends it: whole ticks of the column's own unit since 1970-01-01. A [`Clock`] says how
//! many ticks a day has. The calendar is the proleptic Gregorian one, 0001-01-01 to 9999-12-31.

mod clock;
mod date;

pub use clock::Clock;
pub use date::Date;
