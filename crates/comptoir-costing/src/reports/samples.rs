//! Short ways to write postings and layers in the tests of the reports.

use comptoir_types::Date;

use crate::movement::{Kind, Reason};
use crate::posting::{NONE, OpenLayer, Posting};

pub(super) fn date(text: &str) -> Date {
    text.parse().unwrap()
}

pub(super) fn layer(item: u32, pool: u32, at: i64, quantity: i64, value: i64) -> OpenLayer {
    OpenLayer { item, pool, lot: NONE, row: 0, at, quantity, value }
}

/// The line of a movement itself, in pool 0 and without what stands on hand.
pub(super) fn posting(row: u32, item: u32, at: i64, kind: Kind, quantity: i64, value: i64) -> Posting {
    Posting {
        row,
        adjusts: NONE,
        item,
        pool: 0,
        at,
        kind,
        adjusted_kind: kind,
        reason: None,
        quantity,
        value,
        on_hand: 0,
        on_hand_value: 0,
        variance: 0,
        estimate: 0,
    }
}

/// A line that corrects the cost of an earlier movement.
pub(super) fn correction(of: (u32, Kind), cause: Posting, reason: Reason, value: i64) -> Posting {
    Posting { adjusts: of.0, adjusted_kind: of.1, reason: Some(reason), quantity: 0, value, ..cause }
}

/// Fills in what stands on hand of each (item, pool), as the engine does.
pub(super) fn with_balances(mut postings: Vec<Posting>) -> Vec<Posting> {
    let mut on_hand = std::collections::HashMap::<(u32, u32), (i64, i64)>::new();
    for posting in &mut postings {
        let sums = on_hand.entry((posting.item, posting.pool)).or_default();
        sums.0 += posting.quantity;
        sums.1 += posting.value;
        (posting.on_hand, posting.on_hand_value) = *sums;
    }
    postings
}

/// Random lines of several items and pools in book order, corrections among them.
pub(super) fn histories() -> impl proptest::strategy::Strategy<Value = Vec<Posting>> {
    use proptest::prelude::*;
    let line = (
        0_u32..4,
        0_u32..2,
        0_i64..3,
        0_usize..18,
        -500_i64..500,
        -5_000_i64..5_000,
        -50_i64..50,
        0_usize..24,
    );
    prop::collection::vec(line, 0..80).prop_map(|lines| {
        let mut at = 0;
        let drawn = lines.into_iter().zip(0_u32..).map(
            |((item, pool, days, kind, quantity, value, variance, extra), row)| {
                at += days * 9;
                let kind = crate::movement::KINDS[kind];
                let line = Posting { pool, variance, ..posting(row, item, at, kind, quantity, value) };
                match crate::movement::REASONS.get(extra) {
                    // A correction comes right after the movement that causes it and carries its row.
                    Some(&reason) if row > 0 => {
                        Posting { row: row - 1, ..correction((0, Kind::Issue), line, reason, value) }
                    }
                    _ => line,
                }
            },
        );
        with_balances(drawn.collect())
    })
}
