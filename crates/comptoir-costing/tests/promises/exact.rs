//! The engine against the oracle: every line, every balance, every layer, every rejection.

use comptoir_costing::Movement;
use comptoir_costing::movement::Kind;
use comptoir_costing::policy::{Amendment, Method, Policy, Provisional, Scope, Ties};
use proptest::prelude::*;
use proptest::sample::select;

use crate::books::{books, cases};
use crate::histories::{SOUND, Shape, histories};
use crate::oracle::{OracleBooks, oracle_books};
use crate::policies::policies;

const METHODS: &[Method] = &[Method::MovingAverage, Method::Fifo, Method::Lifo];

const KINDS: &[Kind] = &[
    Kind::Receipt,
    Kind::Receipt,
    Kind::Receipt,
    Kind::Receipt,
    Kind::Issue,
    Kind::Issue,
    Kind::Issue,
    Kind::Issue,
    Kind::Opening,
    Kind::SalesReturn,
    Kind::SalesReturn,
    Kind::PurchaseReturn,
    Kind::TransferOut,
    Kind::TransferIn,
    Kind::TransferIn,
    Kind::Count,
    Kind::CountGain,
    Kind::CountLoss,
    Kind::CostAdjustment,
    Kind::CostAdjustment,
    Kind::Reversal,
    Kind::Reversal,
];

const SHAPE: Shape = Shape { kinds: KINDS, items: 2, ..SOUND };

/// Estimates and their invoices between all that.
const INVOICES: Shape = Shape {
    kinds: &[
        Kind::Receipt,
        Kind::ProvisionalReceipt,
        Kind::ProvisionalReceipt,
        Kind::ProvisionalReceipt,
        Kind::Settlement,
        Kind::Settlement,
        Kind::Settlement,
        Kind::Settlement,
        Kind::Issue,
        Kind::Issue,
        Kind::SalesReturn,
        Kind::PurchaseReturn,
        Kind::TransferOut,
        Kind::TransferIn,
        Kind::Count,
        Kind::CostAdjustment,
        Kind::Reversal,
        Kind::Reversal,
    ],
    items: 2,
    pools: 1,
    ..SOUND
};

/// Rows that were wrong between all that.
const AMENDED: Shape = Shape {
    kinds: &[
        Kind::Receipt,
        Kind::Receipt,
        Kind::Receipt,
        Kind::Issue,
        Kind::Issue,
        Kind::Amendment,
        Kind::Amendment,
        Kind::Amendment,
        Kind::SalesReturn,
        Kind::PurchaseReturn,
        Kind::TransferOut,
        Kind::TransferIn,
        Kind::CountLoss,
        Kind::Count,
        Kind::CostAdjustment,
        Kind::CostAdjustment,
        Kind::Reversal,
    ],
    items: 1,
    ..SOUND
};

/// Leaves out what the oracle does not know: reversals of values alone, and amendments that say nothing.
fn within_reach(mut history: Vec<Movement>) -> Vec<Movement> {
    let kinds: Vec<(String, Kind)> = history.iter().map(|row| (row.id.clone(), row.kind)).collect();
    let kind_of =
        |id: &Option<String>| kinds.iter().find(|(other, _)| Some(other) == id.as_ref()).map(|found| found.1);
    history.retain(|row| {
        let value_only = matches!(kind_of(&row.reference), Some(Kind::CostAdjustment | Kind::Count));
        let says_nothing = row.quantity.is_none() && row.amount.is_none();
        !(row.kind == Kind::Reversal && value_only || row.kind == Kind::Amendment && says_nothing)
    });
    history
}

fn engine_books(history: &[Movement], policy: &Policy) -> OracleBooks {
    let books = books(history, policy);
    let wide = |numbers: &[i64]| numbers.iter().map(|number| i128::from(*number)).collect::<Vec<_>>();
    let line = |line: crate::books::Line| {
        let numbers = wide(&[line.quantity, line.value, line.variance]);
        let on_hand = wide(&[line.on_hand, line.on_hand_value]);
        let corrects = line.adjusts.zip(line.reason);
        (line.id, corrects, numbers.try_into().unwrap(), on_hand.try_into().unwrap())
    };
    let empty = |balance: &(i64, i64)| *balance == (0, 0);
    OracleBooks {
        lines: books.lines.into_iter().map(line).collect(),
        balances: books
            .balances
            .into_iter()
            .filter(|(_, balance)| !empty(balance))
            .map(|((item, pool, _), (qty, value))| ((item, pool), (qty.into(), value.into())))
            .collect(),
        rejected: books.rejected,
        layers: books
            .layers
            .into_iter()
            .map(|((item, pool, _), layers)| {
                let wide = |(at, qty, value): (i64, i64, i64)| (at, i128::from(qty), i128::from(value));
                ((item, pool), layers.into_iter().map(wide).collect())
            })
            .collect(),
    }
}

/// Receipts and issues alone, of which most histories are made.
const PLAIN: Shape = Shape { kinds: &[Kind::Receipt, Kind::Issue], items: 3, pools: 1, gap: 3, ..SOUND };

fn assert_exact(history: &[Movement], policy: &Policy) -> Result<(), TestCaseError> {
    let mut expected = oracle_books(history, policy);
    expected.balances.retain(|_, balance| *balance != (0, 0));
    let found = engine_books(history, policy);
    prop_assert_eq!(&found.rejected, &expected.rejected);
    for (found, expected) in found.lines.iter().zip(&expected.lines) {
        prop_assert_eq!(found, expected);
    }
    prop_assert_eq!(found, expected);
    Ok(())
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn every_line_is_that_of_the_oracle(history in histories(SHAPE, 1..40), policy in policies(METHODS)) {
        let policy = Policy { scope: Scope::Pool, ties: Ties::Id, ..policy };
        assert_exact(&within_reach(history), &policy)?;
    }

    #[test]
    fn invoices_are_those_of_the_oracle(
        history in histories(INVOICES, 1..40),
        policy in policies(METHODS),
        way in select(&[Provisional::DifferenceOnInvoice, Provisional::ReverseOnInvoice]),
    ) {
        let policy = Policy { provisional: way, scope: Scope::Pool, ties: Ties::Id, ..policy };
        assert_exact(&within_reach(history), &policy)?;
    }

    #[test]
    fn amendments_in_their_place_are_those_of_the_oracle(
        history in histories(AMENDED, 1..40), policy in policies(METHODS)
    ) {
        let amendment = Amendment::KeepPlace;
        let policy = Policy { amendment, scope: Scope::Pool, ties: Ties::Id, ..policy };
        assert_exact(&within_reach(history), &policy)?;
    }

    #[test]
    fn plain_histories_are_those_of_the_oracle(history in histories(PLAIN, 1..40), policy in policies(METHODS)) {
        assert_exact(&history, &Policy { scope: Scope::Pool, ties: Ties::Id, ..policy })?;
    }
}
