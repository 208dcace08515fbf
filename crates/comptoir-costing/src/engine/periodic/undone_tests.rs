//! Returns and transfers that are reversed and made again, worked out by hand.

use super::tests::{lines, movements, run};
use crate::policy::Policy;
use crate::{Valuation, value};

/// Value of every line, if none is rejected.
fn values(valuation: &Valuation) -> Vec<i64> {
    assert_eq!(valuation.rejected(), [], "{:?}", lines(valuation));
    lines(valuation).iter().map(|line| line[0]).collect()
}

/// The transfers of the pool `shelf` are those whose place stands in `arrivals`.
fn moved(moves: &str, arrivals: &[usize]) -> Valuation {
    let mut movements = movements(moves);
    for place in arrivals {
        movements[*place].pool = Some("shelf".to_owned());
    }
    let policy = Policy::from_yaml("{method: periodic_average, negative: reject, scope: pool}").unwrap();
    value(&movements, &policy).unwrap()
}

/// 3 mugs of 10.00, of which all leave and come back twice: each time with all that they cost.
#[test]
fn a_reversed_return_can_be_made_again_in_its_month() {
    let moves = "0 receipt 3 10; 1 issue 3; 2 sales_return 3 - m1; 3 reversal - - m2; 4 sales_return 3 - m1";
    assert_eq!(values(&run("reject", moves)), [1_000, -1_000, 1_000, -1_000, 1_000]);
}

/// Of 3 for 10.00 one comes back for 3.33, leaves and comes back again; the other two have what is left, 6.67.
#[test]
fn a_part_that_is_made_again_leaves_the_rest_what_it_had() {
    let moves = "0 receipt 4 20; 0 receipt 2 0; 1 issue 3; 2 sales_return 1 - m2; 3 reversal - - m3; \
                 4 sales_return 1 - m2; 5 sales_return 2 - m2";
    assert_eq!(values(&run("reject", moves)), [2_000, 0, -1_000, 333, -333, 333, 667]);
    let later = "0 receipt 4 20; 0 receipt 2 0; 1 issue 3; 32 sales_return 1 - m2; 33 reversal - - m3; \
                 64 sales_return 1 - m2; 65 sales_return 2 - m2";
    assert_eq!(values(&run("reject", later)), [2_000, 0, -1_000, 333, -333, 333, 667]);
}

#[test]
fn a_reversed_return_of_an_earlier_month_can_be_made_again() {
    let moves =
        "0 receipt 3 10; 1 issue 3; 32 sales_return 3 - m1; 64 reversal - - m2; 65 sales_return 3 - m1";
    assert_eq!(values(&run("reject", moves)), [1_000, -1_000, 1_000, -1_000, 1_000]);
}

#[test]
fn a_return_at_an_amount_of_its_own_can_be_made_again() {
    let moves =
        "0 receipt 6 60; 1 issue 3; 2 sales_return 3 12 m1; 3 reversal - - m2; 4 sales_return 3 15 m1";
    // 9 mugs come in for 60.00 + 12.00 - 12.00 + 15.00, and 3 leave.
    assert_eq!(values(&run("carry", moves)), [6_000, -2_500, 1_200, -1_200, 1_500]);
}

#[test]
fn a_return_to_the_supplier_can_be_made_again() {
    let moves = "0 receipt 3 10; 1 purchase_return 3 - m0; 2 reversal - - m1; 3 purchase_return 3 - m0; 9 receipt 1 2";
    assert_eq!(values(&run("reject", moves)), [1_000, -1_000, 1_000, -1_000, 200]);
}

#[test]
fn a_reversed_transfer_can_be_made_again() {
    let moves =
        "0 receipt 3 10; 1 transfer_out 3; 2 transfer_in 3 - m1; 3 reversal - - m2; 4 transfer_in 3 - m1";
    assert_eq!(values(&moved(moves, &[2, 3, 4])), [1_000, -1_000, 1_000, -1_000, 1_000]);
    let later =
        "0 receipt 3 10; 1 transfer_out 3; 32 transfer_in 3 - m1; 33 reversal - - m2; 64 transfer_in 3 - m1";
    assert_eq!(values(&moved(later, &[2, 3, 4])), [1_000, -1_000, 1_000, -1_000, 1_000]);
}

/// Goods made of 20.00 go back, come again and go back, all at what their group cost.
#[test]
fn a_return_of_goods_made_can_be_made_again() {
    let moves = "0 receipt 10 40; 1 production_issue 5 - - g; 2 production_receipt 4 - - g bread; \
                 3 purchase_return 4 - m2 - bread; 4 reversal - - m3 - bread; 5 purchase_return 4 - m2 - bread";
    assert_eq!(values(&run("reject", moves)), [4_000, -2_000, 2_000, -2_000, 2_000, -2_000]);
}

/// Material that comes back, is reversed and comes back again is no cost of the goods.
#[test]
fn material_can_come_back_again_before_the_goods_are_made() {
    let moves = "0 receipt 10 40; 1 production_issue 5 - - g; 2 sales_return 2 - m1; 3 reversal - - m2; \
                 4 sales_return 1 - m1; 5 production_receipt 4 - - g bread";
    assert_eq!(values(&run("reject", moves)), [4_000, -2_000, 800, -800, 400, 1_600]);
}
