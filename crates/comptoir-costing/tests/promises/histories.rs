//! Random histories: mostly coherent, with what real ones have in returns, negatives, counts, transfers, late costs and slips.

use std::ops::Range;

use comptoir_costing::Movement;
use comptoir_costing::movement::{Direction, Kind};
use comptoir_types::Decimal;
use proptest::prelude::*;
use proptest::sample::Index;

/// One day in the ticks of [`Movement::at`].
pub const DAY: i64 = 86_400_000_000;

/// 2024-01-01, where histories begin.
pub const START: i64 = 19_723 * DAY;

/// Decimal places of quantities in all histories.
pub const QUANTITY_SCALE: u8 = 1;

/// What histories are made of.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Kinds; one that stands several times is that much more frequent.
    pub kinds: &'static [Kind],
    /// Number of items.
    pub items: u8,
    /// Number of pools; 0 for a history without.
    pub pools: u8,
    /// Number of lots.
    pub lots: u8,
    /// Of 100 movements, so many belong to one of a few groups.
    pub grouped: u8,
    /// Of 100 references, so many name any movement, also a later one or none.
    pub wild: u8,
    /// Hours between two movements, at most; above 1 no two are at one instant.
    pub gap: u8,
    /// Largest quantity in tenths.
    pub largest_quantity: i64,
    /// Largest amount in cents.
    pub largest_amount: i64,
}

/// Every kind, receipts and issues most often.
pub const ALL: &[Kind] = &[
    Kind::Receipt,
    Kind::Receipt,
    Kind::Receipt,
    Kind::Receipt,
    Kind::Issue,
    Kind::Issue,
    Kind::Issue,
    Kind::Issue,
    Kind::Opening,
    Kind::ProvisionalReceipt,
    Kind::Settlement,
    Kind::SalesReturn,
    Kind::SalesReturn,
    Kind::PurchaseReturn,
    Kind::TransferOut,
    Kind::TransferOut,
    Kind::TransferIn,
    Kind::TransferIn,
    Kind::Count,
    Kind::CountGain,
    Kind::CountLoss,
    Kind::CostAdjustment,
    Kind::CostAdjustment,
    Kind::Revaluation,
    Kind::ProductionReceipt,
    Kind::ProductionIssue,
    Kind::Reversal,
    Kind::Reversal,
    Kind::Amendment,
];

/// All that there is, with slips.
pub const EVERYTHING: Shape = Shape {
    kinds: ALL,
    items: 3,
    pools: 2,
    lots: 3,
    grouped: 8,
    wild: 3,
    gap: 40,
    largest_quantity: 300,
    largest_amount: 50_000,
};

/// All that there is, without slips and groups.
pub const SOUND: Shape = Shape { grouped: 0, wild: 0, ..EVERYTHING };

/// Numbers near the limit of 18 digits.
pub const EXTREME: Shape = Shape {
    items: 1,
    largest_quantity: 999_999_999_999_999_999,
    largest_amount: 999_999_999_999_999_999,
    ..SOUND
};

/// The random choices behind one movement.
#[derive(Clone, Debug)]
struct Draw {
    kind: Kind,
    item: u8,
    pool: u8,
    lot: u8,
    quantity: i64,
    cents: i64,
    pick: Index,
    gap: u8,
    percent: [u8; 3],
}

fn draw(shape: Shape) -> impl Strategy<Value = Draw> {
    let percent = || 0..100_u8;
    let numbers = (small_or_any(shape.largest_quantity), small_or_any(shape.largest_amount));
    let places = (0..shape.items, 0..shape.pools.max(1), 0..shape.lots);
    let least = u8::from(shape.gap > 1);
    let rest = (any::<Index>(), least..=shape.gap, [percent(), percent(), percent()]);
    (proptest::sample::select(shape.kinds), places, numbers, rest).prop_map(
        |(kind, places, numbers, rest)| Draw {
            kind,
            item: places.0,
            pool: places.1,
            lot: places.2,
            quantity: numbers.0,
            cents: numbers.1,
            pick: rest.0,
            gap: rest.1,
            percent: rest.2,
        },
    )
}

/// Small numbers as often as large ones, so that shares leave remainders and stocks get empty.
fn small_or_any(largest: i64) -> impl Strategy<Value = i64> {
    prop_oneof![1..=12_i64.min(largest), 1..=largest]
}

/// Histories of a shape, in the order of their ids and times.
pub fn histories(shape: Shape, length: Range<usize>) -> impl Strategy<Value = Vec<Movement>> {
    proptest::collection::vec(draw(shape), length).prop_map(move |draws| movements(shape, &draws))
}

fn movements(shape: Shape, draws: &[Draw]) -> Vec<Movement> {
    let mut history: Vec<Movement> = Vec::new();
    let mut at = START;
    for (place, draw) in draws.iter().enumerate() {
        at += i64::from(draw.gap) * DAY / 24;
        let movement = movement(shape, draw, place, at, &history, draws.len());
        history.push(movement);
    }
    history
}

fn movement(
    shape: Shape,
    draw: &Draw,
    place: usize,
    at: i64,
    history: &[Movement],
    length: usize,
) -> Movement {
    let item = format!("item{}", draw.item);
    let [reference_draw, number_draw, group_draw] = draw.percent;
    let wanted = reference_draw < 80 || draw.kind.needs_reference();
    let target = if wanted { target(draw, &item, history) } else { None };
    let kind = if target.is_none() && draw.kind.needs_reference() { Kind::Receipt } else { draw.kind };
    let mut row = Movement::new(id(place), item, at, kind, None);
    row.pool = (shape.pools > 0).then(|| format!("pool{}", draw.pool));
    row.lot = Some(format!("lot{}", draw.lot));
    row.group = (group_draw < shape.grouped).then(|| format!("group{}", group_draw % 4));
    numbers(&mut row, draw, number_draw, target);
    if let Some(target) = target {
        row.reference = Some(target.id.clone());
        if kind != Kind::TransferIn {
            row.pool.clone_from(&target.pool);
            row.lot.clone_from(&target.lot);
        }
        if number_draw % 100 < shape.wild {
            row.reference = Some(id(draw.pick.index(length + 1)));
        }
    }
    row
}

/// The id of the movement at a place, so that ids ascend with places.
pub fn id(place: usize) -> String {
    format!("m{place:04}")
}

/// An earlier movement of the item to which the kind may refer.
fn target<'a>(draw: &Draw, item: &str, history: &'a [Movement]) -> Option<&'a Movement> {
    let fits = |movement: &&Movement| movement.item == item && may_refer(draw.kind, movement.kind);
    let candidates: Vec<&Movement> = history.iter().filter(fits).collect();
    (!candidates.is_empty()).then(|| *draw.pick.get(&candidates))
}

fn may_refer(kind: Kind, to: Kind) -> bool {
    match kind {
        Kind::SalesReturn => to == Kind::Issue,
        Kind::PurchaseReturn => {
            matches!(to, Kind::Receipt | Kind::Opening | Kind::ProvisionalReceipt)
        }
        Kind::CostAdjustment => to.direction() == Direction::In && to != Kind::SalesReturn,
        Kind::TransferIn => to == Kind::TransferOut,
        Kind::Settlement => to == Kind::ProvisionalReceipt,
        Kind::Amendment => matches!(to, Kind::Receipt | Kind::Issue | Kind::CountLoss),
        Kind::Reversal => !matches!(to, Kind::Reversal | Kind::Amendment | Kind::Settlement),
        _ => false,
    }
}

fn numbers(row: &mut Movement, draw: &Draw, percent: u8, target: Option<&Movement>) {
    let whole = target
        .and_then(|target| target.quantity)
        .map_or(draw.quantity, |quantity| quantity.units().abs().max(1));
    let part = if target.is_some() { 1 + (draw.quantity - 1) % whole } else { draw.quantity };
    let quantity = |units| Decimal::new(units, QUANTITY_SCALE).ok();
    let amount = |cents| Decimal::new(cents, 2).ok();
    row.quantity = quantity(part);
    match row.kind {
        Kind::Receipt | Kind::ProvisionalReceipt if percent < 25 => {
            row.unit_cost = Decimal::new(draw.cents, 3).ok()
        }
        Kind::Receipt | Kind::ProvisionalReceipt => row.amount = amount(draw.cents),
        Kind::Opening => {
            let sign = if percent < 25 { -1 } else { 1 };
            (row.quantity, row.amount) = (quantity(sign * part), amount(sign * draw.cents));
        }
        Kind::Settlement => {
            row.amount = amount(draw.cents);
            row.quantity = (percent < 40).then(|| quantity(part)).flatten();
        }
        Kind::CostAdjustment => {
            row.amount = amount(if percent < 40 { -draw.cents } else { draw.cents });
            row.quantity = (percent.is_multiple_of(4)).then(|| quantity(draw.quantity)).flatten();
        }
        Kind::Revaluation => (row.quantity, row.unit_cost) = (None, Decimal::new(draw.cents, 3).ok()),
        Kind::Count => {
            row.quantity = quantity(draw.quantity - 1);
            row.amount = (percent < 30).then(|| amount(draw.cents)).flatten();
        }
        Kind::ProductionReceipt if row.group.is_none() => row.amount = amount(draw.cents),
        Kind::CountGain | Kind::ProductionReceipt if percent < 50 => row.amount = amount(draw.cents),
        Kind::SalesReturn | Kind::PurchaseReturn if percent < 20 => row.amount = amount(draw.cents),
        Kind::Reversal if percent < 70 => row.quantity = None,
        Kind::Amendment => {
            row.quantity = (percent < 70).then(|| quantity(draw.quantity)).flatten();
            let priced = target.is_some_and(|target| target.kind == Kind::Receipt);
            row.amount = (priced && percent > 30).then(|| amount(draw.cents)).flatten();
        }
        _ => {}
    }
}

/// The same movements in another order of rows.
pub fn shuffled(history: Vec<Movement>) -> impl Strategy<Value = (Vec<Movement>, Vec<Movement>)> {
    (Just(history.clone()), Just(history).prop_shuffle())
}
