//! Random policies: every combination that reading a policy allows, except changes of method, which have tests of their own.

use comptoir_costing::Policy;
use comptoir_costing::policy::{
    Amendment, LateCost, Method, Negative, Provisional, ReturnCost, Returns, Scope, ShortageCost, Ties,
    TransferAge,
};
use comptoir_types::{Decimal, Rounding};
use proptest::prelude::*;
use proptest::sample::select;

use crate::histories::QUANTITY_SCALE;

/// All methods.
pub const METHODS: [Method; 6] = [
    Method::MovingAverage,
    Method::PeriodicAverage,
    Method::Fifo,
    Method::Lifo,
    Method::Specific,
    Method::Standard,
];

/// Methods whose costs depend on what stands before a movement only.
pub const PERPETUAL: [Method; 5] =
    [Method::MovingAverage, Method::Fifo, Method::Lifo, Method::Specific, Method::Standard];

/// The ways to treat negative stock.
pub const NEGATIVES: [Negative; 4] = [Negative::Reject, Negative::Carry, Negative::Cover, Negative::Variance];

/// The rounding modes.
pub const ROUNDINGS: [Rounding; 6] =
    [Rounding::HalfEven, Rounding::HalfUp, Rounding::Down, Rounding::Up, Rounding::Floor, Rounding::Ceiling];

/// A policy with a method and all else by default, at the scales of the histories.
pub fn plain(method: Method) -> Policy {
    Policy {
        method,
        quantity_scale: Some(QUANTITY_SCALE),
        standard_cost: (method == Method::Standard).then(|| Decimal::new(1234, 2).unwrap()),
        ..Policy::default()
    }
}

/// The policy without estimates that a month's start takes back. Which months start depends on where the history ends, so histories that
/// end elsewhere differ in more than their movements.
pub fn without_month_starts(policy: Policy) -> Policy {
    match policy.provisional {
        Provisional::MonthStartReversal => Policy { provisional: Provisional::DifferenceOnInvoice, ..policy },
        _ => policy,
    }
}

/// Any policy with one of the methods.
pub fn policies(methods: &'static [Method]) -> impl Strategy<Value = Policy> {
    let costs = select(&[ReturnCost::OriginalCost, ReturnCost::CurrentCost, ReturnCost::FifoHead]);
    let stock = (
        select(methods),
        select(&NEGATIVES),
        select(&[ShortageCost::Kept, ShortageCost::LatestReceipt]),
        proptest::option::of(1..5000_i64),
        (costs.clone(), costs),
    );
    let late = (
        select(&[LateCost::Replay, LateCost::Prospective, LateCost::StockCoverage]),
        select(&[Amendment::KeepPlace, Amendment::Append]),
        select(&[
            Provisional::DifferenceOnInvoice,
            Provisional::ReverseOnInvoice,
            Provisional::MonthStartReversal,
        ]),
    );
    let whole = (
        select(&[TransferAge::Keep, TransferAge::Restart]),
        select(&[Scope::Item, Scope::Pool, Scope::Lot]),
        select(&[Ties::Id, Ties::ReceiptsFirst]),
        select(&ROUNDINGS),
    );
    (stock, late, whole).prop_map(|(stock, late, whole)| Policy {
        negative: stock.1,
        shortage_cost: stock.2,
        fallback_cost: stock.3.map(|units| Decimal::new(units, 2).unwrap()),
        returns: Returns { sales: stock.4.0, purchase: stock.4.1 },
        late_cost: late.0,
        amendment: late.1,
        provisional: late.2,
        transfer_age: whole.0,
        scope: whole.1,
        ties: whole.2,
        rounding: whole.3,
        ..plain(stock.0)
    })
}
