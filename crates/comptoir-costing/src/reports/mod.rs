//! Reports over postings and open layers: what finance reads once the stock is valued.
//!
//! Every report is a free function from [`Posting`](crate::posting::Posting)s in book order, or
//! [`OpenLayer`](crate::posting::OpenLayer)s as of a date, to a struct of columns. Items and pools stay codes. Quantities
//! are in units of the quantity scale, money in units of the money scale; sums over many lines are 128 bits wide, so that
//! they cannot overflow, and a column of 64 bits that would overflow is an error.

pub mod ageing;
mod error;
mod keys;
mod period;
pub mod provision;
mod ratio;
pub mod stock_card;
pub mod summary;
pub mod trial_balance;
pub mod turnover;
pub mod vouchers;

pub use ageing::{Ageing, age};
pub use error::ReportError;
pub use period::{Calendar, Period};
pub use provision::{BookedProvision, Provision, provide};
pub use stock_card::{StockCard, stock_card};
pub use summary::{Amounts, Quiet, Summary, SummarySpec, summarise};
pub use trial_balance::{InventoryCheck, TrialBalance, check_inventory, trial_balance};
pub use turnover::{AverageInventory, Turnover, TurnoverSpec, turnover};
pub use vouchers::{By, MovementNames, VoucherSet, VoucherTemplate, vouchers};

#[cfg(test)]
mod samples;
