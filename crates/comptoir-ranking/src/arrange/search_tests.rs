use proptest::prelude::*;

use super::super::constraint::{Bounds, Constraint, Rule, unmet};
use super::{LeftOut, LeftOutReason, constrain};

fn band(id: &str, members: &[bool], bounds: Bounds) -> Constraint {
    let rule = Rule::Band { members: members.to_vec(), bounds };
    Constraint { id: id.to_owned(), priority: 0, is_strict: false, rule }
}

fn window(id: &str, keys: &[u32], most: usize, width: usize) -> Constraint {
    let rule = Rule::Window { keys: keys.iter().copied().map(Some).collect(), most, width };
    Constraint { id: id.to_owned(), priority: 0, is_strict: false, rule }
}

/// All arrangements of `k` of `count` candidates, the first in organic order first.
fn arrangements(count: usize, k: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for _ in 0..k.min(count) {
        let longer = all.iter().flat_map(|start: &Vec<usize>| {
            let free = (0..count).filter(|candidate| !start.contains(candidate));
            free.map(|candidate| start.iter().copied().chain([candidate]).collect()).collect::<Vec<_>>()
        });
        all = longer.collect();
    }
    all
}

/// Whether a board meets a constraint as far as there are members of its band.
fn goes(board: &[usize], constraint: &Constraint, count: usize) -> bool {
    let Rule::Band { members, bounds } = &constraint.rule else {
        return unmet(board, std::slice::from_ref(constraint)).is_empty();
    };
    let supply = members.iter().take(count).filter(|is_member| **is_member).count();
    let bounds = bounds.lower_to(board.len()).zip(bounds.upper()).enumerate();
    bounds.fold(true, |holds, (place, (lower, upper))| {
        let found = board[..=place].iter().filter(|candidate| members[**candidate]).count();
        holds && found >= lower.min(supply).min(*upper).min(place + 1) && found <= *upper
    })
}

fn constraints(count: usize, k: usize) -> impl Strategy<Value = Vec<Constraint>> {
    let members = prop::collection::vec(any::<bool>(), count);
    let share = (0..6_u16, 3..11_u16).prop_map(|(least, most)| (least * 1000, most * 1000));
    let bands = (members, share, 0..3_usize).prop_map(move |(members, (least, most), first)| {
        band("band", &members, Bounds::any(k).share(least, most).at_least(first, k))
    });
    let keys = prop::collection::vec(0..3_u32, count);
    let windows =
        (keys, 1..3_usize, 2..5_usize).prop_map(|(keys, most, width)| window("window", &keys, most, width));
    prop::collection::vec(prop_oneof![bands, windows], 0..4)
}

proptest! {
    #[test]
    fn it_is_the_first_arrangement_that_meets_all(
        (count, k, constraints) in (1..7_usize, 1..6_usize)
            .prop_flat_map(|(count, k)| (Just(count), Just(k), constraints(count, k)))
    ) {
        let found = constrain(count, k, &constraints);
        let first = arrangements(count, k).into_iter().find(|board| unmet(board, &constraints).is_empty());
        match first {
            Some(first) => {
                prop_assert_eq!(found.left_out, []);
                prop_assert_eq!(found.order, first);
            }
            // Too few members of a band are no reason to break other constraints; they are reported.
            None => prop_assert!(!unmet(&found.order, &constraints).is_empty()),
        }
    }

    /// Each constraint that can be met with those of higher priority that are kept is kept.
    #[test]
    fn what_is_kept_goes_by_priority(
        (count, k, constraints) in (1..7_usize, 1..6_usize)
            .prop_flat_map(|(count, k)| (Just(count), Just(k), constraints(count, k)))
    ) {
        let id = |(place, constraint): (usize, Constraint)| Constraint { id: format!("{place}"), ..constraint };
        let constraints: Vec<_> = constraints.into_iter().enumerate().map(id).collect();
        let found = constrain(count, k, &constraints);
        let boards = arrangements(count, k);
        let mut kept: Vec<&Constraint> = Vec::new();
        let mut left_out = Vec::new();
        for constraint in &constraints {
            kept.push(constraint);
            if !boards.iter().any(|board| kept.iter().all(|kept| goes(board, kept, count))) {
                kept.pop();
                left_out.push(constraint.id.clone());
            }
        }
        prop_assert!(kept.iter().all(|kept| goes(&found.order, kept, count)), "{:?}", found);
        let reason = LeftOutReason::CannotBeMet;
        let expected: Vec<_> = left_out.into_iter().map(|id| LeftOut { id, reason }).collect();
        prop_assert_eq!(found.left_out, expected);
    }

    #[test]
    fn no_one_is_shown_twice_and_no_place_stays_empty(
        (count, k, constraints) in (0..40_usize, 0..30_usize)
            .prop_flat_map(|(count, k)| (Just(count), Just(k), constraints(count, k)))
    ) {
        let mut order = constrain(count, k, &constraints).order;
        prop_assert_eq!(order.len(), count.min(k));
        order.sort_unstable();
        order.dedup();
        prop_assert_eq!(order.len(), count.min(k));
    }
}

#[test]
fn bands_that_need_the_same_positions_are_foreseen() {
    // Two bands need two of the first four each, so that the first position cannot be the candidate of neither.
    let members = |band: &[usize]| (0..6).map(|candidate| band.contains(&candidate)).collect::<Vec<_>>();
    let bounds = || Bounds::any(4).at_least(2, 4);
    let both = [band("cheap", &members(&[2, 3]), bounds()), band("new", &members(&[4, 5]), bounds())];
    assert_eq!(constrain(6, 4, &both).order, [2, 3, 4, 5]);
}

#[test]
fn a_bound_beyond_the_supply_takes_what_there_is() {
    let bounds = Bounds::any(3).at_least(2, 2);
    let constraint = [band("new", &[false, false, true], bounds)];
    let arranged = constrain(3, 3, &constraint);
    assert_eq!((arranged.order.as_slice(), arranged.left_out), ([0, 2, 1].as_slice(), Vec::new()));
    let missing = &unmet(&arranged.order, &constraint)[0];
    assert_eq!((missing.position, missing.found, missing.least, missing.positions), (2, 1, 2, 2));
}

#[test]
fn the_constraint_of_higher_priority_is_kept() {
    // Only brand 0 is cheap: two cheap ones cannot stand apart.
    let cheap = |priority| Constraint {
        priority,
        ..band("cheap", &[true, true, false], Bounds::any(2).at_least(2, 2))
    };
    let apart = |priority| Constraint { priority, ..window("apart", &[0, 0, 1], 1, 2) };
    assert_eq!(constrain(3, 2, &[cheap(1), apart(2)]).order, [0, 2]);
    assert_eq!(constrain(3, 2, &[cheap(2), apart(1)]).order, [0, 1]);
}

#[test]
fn a_strict_constraint_ends_the_board() {
    let once = Constraint { is_strict: true, ..window("one of each", &[0, 0, 1, 1], 1, 4) };
    let arranged = constrain(4, 4, &[once]);
    assert_eq!((arranged.order, arranged.left_out), (vec![0, 2], Vec::new()));
    assert_eq!(arranged.ended_by, ["one of each"]);
}

#[test]
fn a_number_asked_of_more_positions_than_there_are_counts_at_the_end() {
    let of = |count: usize, prefix: usize, k: usize| {
        [band("new", &[false; 5], Bounds::any(k).at_least(count, prefix))]
    };
    let found = |board: &[usize], constraints: &[Constraint; 1]| {
        let missing = unmet(board, constraints);
        missing.iter().map(|missing| (missing.position, missing.found, missing.least)).collect::<Vec<_>>()
    };
    assert_eq!(found(&[0, 1, 2, 3, 4], &of(2, 10, 10)), [(5, 0, 2)]);
    assert_eq!(found(&[0, 1], &of(1, 3, 2)), [(2, 0, 1)]);
    assert_eq!(found(&[], &of(1, 3, 3)), [(0, 0, 1)]);
    // A share goes as far as the board.
    assert_eq!(found(&[0], &[band("new", &[false], Bounds::any(10).share(5_000, 10_000))]), []);
    // What a strict constraint leaves is filled so that the number is met.
    let once = Constraint { is_strict: true, ..window("one of each", &[0, 0, 1, 1], 1, 4) };
    let new = band("new", &[false, false, false, true], Bounds::any(4).at_least(1, 4));
    assert_eq!(constrain(4, 4, &[once, new]).order, [0, 3]);
}

#[test]
fn a_window_of_higher_priority_is_kept() {
    // b1, b2, a1, a2, a3: no two of a kind side by side needs an a first.
    let apart = Constraint { priority: 9, ..window("apart", &[0, 0, 1, 1, 1], 1, 2) };
    let only = |place: usize| (0..5).map(|candidate| candidate == place).collect::<Vec<_>>();
    let top = band("top", &only(0), Bounds::any(5).at_least(1, 1));
    let found = constrain(5, 5, &[top.clone(), apart.clone()]);
    assert_eq!(found.order, [2, 0, 3, 1, 4]);
    assert_eq!(found.left_out, [LeftOut { id: "top".to_owned(), reason: LeftOutReason::CannotBeMet }]);
    // What cannot be kept does not take a later one with it.
    let last = Constraint { priority: -1, ..band("last", &only(4), Bounds::any(5).at_least(1, 3)) };
    let found = constrain(5, 5, &[top, apart, last]);
    assert_eq!((found.order, found.left_out.len()), (vec![2, 0, 4, 1, 3], 1));
}

#[test]
fn a_search_that_stops_says_so() {
    // One candidate is of both bands, so that 41 positions would be needed: no bound tells, and all ways are too many.
    let members = |range: std::ops::Range<usize>| (0..60).map(|one| range.contains(&one)).collect::<Vec<_>>();
    let bounds = |least| Bounds::any(40).at_least(least, 40);
    let both = [band("one", &members(0..30), bounds(20)), band("two", &members(29..60), bounds(22))];
    let found = constrain(60, 40, &both);
    assert_eq!(found.order.len(), 40);
    assert_eq!(found.left_out, [LeftOut { id: "two".to_owned(), reason: LeftOutReason::SearchEnded }]);
    assert_eq!(unmet(&found.order, &both).iter().map(|one| one.found).collect::<Vec<_>>(), [21]);
}

#[test]
fn a_strict_window_ends_the_board_where_nothing_else_is_left() {
    let apart = Constraint { is_strict: true, ..window("apart", &[0, 0, 0, 1], 1, 2) };
    let arranged = constrain(4, 4, &[apart]);
    assert_eq!((arranged.order, arranged.ended_by), (vec![0, 3, 1], vec!["apart".to_owned()]));
}
