//! The promises of the valuation, P1 to P12, each a property over random histories, and the engine against a slow exact oracle.
//!
//! P1 integers, P2 conservation, P3 empty is worth nothing, P4 balanced vouchers, P5 determinism, P6 idempotence, P7 groups stand
//! or fall together, P8 order does not matter, P9 a prefix is final, P10 reversal restores, P11 bounds, P12 ageing adds up.
#![cfg(feature = "arrow")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where its claim fails"
)]
#![allow(clippy::indexing_slicing, clippy::unreachable, reason = "a test ends where its claim fails")]

mod ageing;
mod books;
mod bounds;
mod conservation;
mod determinism;
mod estimates;
mod exact;
mod findings;
mod histories;
mod identity;
mod months;
mod oracle;
mod order;
mod policies;
mod production;
mod reversal;
mod scale;
mod tables;
