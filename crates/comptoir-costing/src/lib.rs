//! Exact inventory valuation.
#![forbid(unsafe_code)]
