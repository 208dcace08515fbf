//! A live board beside all members of all groups, sorted.
#![allow(clippy::unwrap_used)]

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::convert::Infallible;

use comptoir_ranking::Score;
use comptoir_ranking::live::{Change, Event, LiveBoard};
use proptest::prelude::*;

type Members = BTreeMap<u16, Score>;

/// All members of each group.
#[derive(Default, Clone)]
struct Oracle(BTreeMap<u8, Members>);

impl Oracle {
    fn apply(&mut self, event: Event<u8, u16>) {
        match event {
            Event::Update(group, member, score) => self.0.entry(group).or_default().insert(member, score),
            Event::Remove(group, member) => self.0.entry(group).or_default().remove(&member),
        };
    }

    fn members(&self, group: u8) -> Members {
        self.0.get(&group).cloned().unwrap_or_default()
    }

    fn top(&self, group: u8, k: usize) -> Vec<(u16, Score)> {
        let mut sorted: Vec<_> = self.members(group).into_iter().collect();
        sorted.sort_unstable_by_key(|(member, score)| (Reverse(*score), *member));
        sorted.truncate(k);
        sorted
    }
}

fn shown(board: &LiveBoard<u8, u16>, group: u8) -> Vec<(u16, Score)> {
    board.top(&group).map(|(member, score)| (*member, score)).collect()
}

fn score(number: i8) -> Score {
    Score::new(f64::from(number)).unwrap()
}

const fn group_of(event: Event<u8, u16>) -> u8 {
    match event {
        Event::Update(group, ..) | Event::Remove(group, _) => group,
    }
}

/// Few groups, members and scores, so that ties, repeated members and empty groups are common.
fn event() -> impl Strategy<Value = Event<u8, u16>> {
    prop_oneof![
        3 => (0..3_u8, 0..24_u16, -4..4_i8).prop_map(|(group, member, number)| Event::Update(group, member, score(number))),
        2 => (0..3_u8, 0..24_u16).prop_map(|(group, member)| Event::Remove(group, member)),
    ]
}

fn events() -> impl Strategy<Value = Vec<Event<u8, u16>>> {
    prop::collection::vec(event(), 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// After each event the top is that of all members, the answer says whether it changed, a group is read again only
    /// when fewer than `k` of it are kept and more than `slack` have left since, and never more than `k` + `slack` stay.
    #[test]
    fn the_top_is_that_of_all_members(events in events(), k in 0..6_usize, slack in 0..6_usize) {
        let mut board = LiveBoard::new(k, slack);
        let mut oracle = Oracle::default();
        let mut left = BTreeMap::<u8, usize>::new();
        for event in events {
            let group = group_of(event);
            let before = oracle.top(group, k);
            let kept_before = board.kept();
            oracle.apply(event);
            let mut is_read = false;
            let is_changed = board.apply(event, |group| {
                is_read = true;
                Ok::<_, Infallible>(oracle.members(*group))
            }).unwrap();
            prop_assert_eq!(shown(&board, group), oracle.top(group, k));
            prop_assert_eq!(is_changed, before != oracle.top(group, k));
            let left = left.entry(group).or_insert(0);
            // Nobody is kept in this group's place in another one, so that the total tells what this group lost.
            *left += usize::from(is_read || board.kept() < kept_before);
            if is_read {
                prop_assert!(*left > slack, "read again after {} left, with slack {}", *left, slack);
                prop_assert!(before.len() == k && k > 0, "read again though the top was not full");
                *left = 0;
            }
            prop_assert!(board.kept() <= 3 * (k + slack));
        }
        let counts = board.counts();
        prop_assert_eq!(counts.underflows, counts.rescans);
        let groups: Vec<_> = board.groups().copied().collect();
        prop_assert!(k == 0 || groups.iter().all(|group| !oracle.members(*group).is_empty()));
    }

    /// Without a rescan the top is short but right, an insertion may fill it, and a refill makes it whole and says so.
    #[test]
    fn a_short_top_is_a_prefix(events in events(), k in 1..6_usize, slack in 0..4_usize) {
        let mut board = LiveBoard::new(k, slack);
        let mut oracle = Oracle::default();
        for event in events {
            oracle.apply(event);
            let group = group_of(event);
            let change = match event {
                Event::Update(group, member, score) => board.update(&group, member, score),
                Event::Remove(group, member) => board.remove(&group, &member),
            };
            let known = shown(&board, group);
            prop_assert!(oracle.top(group, k).starts_with(&known));
            prop_assert_eq!(change == Change::Underflow, board.is_short(&group));
            prop_assert!(board.is_short(&group) || known == oracle.top(group, k));
        }
        for group in 0..3 {
            let was_short = board.is_short(&group);
            let change = board.refill(&group, oracle.members(group));
            prop_assert_eq!(change, if was_short { Change::Top } else { Change::None });
            prop_assert_eq!(shown(&board, group), oracle.top(group, k));
        }
    }

    /// A source that has events which the stream has not brought yet: right when the stream has caught up.
    #[test]
    fn a_source_may_be_ahead(events in events(), k in 1..5_usize, slack in 0..4_usize) {
        let mut last = Oracle::default();
        events.iter().for_each(|event| last.apply(*event));
        let mut board = LiveBoard::new(k, slack);
        for event in events {
            board.apply(event, |group| Ok::<_, Infallible>(last.members(*group))).unwrap();
        }
        for group in 0..3 {
            prop_assert_eq!(shown(&board, group), last.top(group, k));
        }
    }
}

#[test]
fn what_a_failed_rescan_hid_is_told_by_the_next() {
    let mut board = LiveBoard::new(2, 0);
    for member in 1..=3_u16 {
        let _ = board.update(&0, member, score(10));
    }
    let failed = board.apply(Event::Remove(0, 1), |_| Err::<Members, _>("no connection"));
    assert_eq!(failed, Err("no connection"));
    assert_eq!((shown(&board, 0), board.is_short(&0)), (vec![(2, score(10))], true));
    // An event that changes nothing by itself.
    let all = Members::from([(2, score(10)), (3, score(10))]);
    assert_eq!(board.apply(Event::Remove(0, 9), |_| Ok::<_, &str>(all)), Ok(true));
    assert_eq!(shown(&board, 0), [(2, score(10)), (3, score(10))]);
    assert_eq!(board.counts().rescans, 1);
}

#[test]
fn scores_that_only_rise_need_no_slack() {
    let mut board = LiveBoard::new(3, 0);
    let mut oracle = Oracle::default();
    for step in 0..5_000_u16 {
        let member = step.wrapping_mul(7919) % 500;
        let risen = oracle.members(0).get(&member).map_or(0.0, |score| score.get()) + f64::from(step % 5);
        let event = Event::Update(0, member, Score::new(risen).unwrap());
        oracle.apply(event);
        board.apply(event, |_| Err::<Members, _>("read again")).unwrap();
    }
    assert_eq!(shown(&board, 0), oracle.top(0, 3));
}
