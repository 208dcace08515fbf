use std::cmp::Reverse;
use std::collections::HashMap;

use serde::Serialize;

/// An item at a fixed position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin<I> {
    /// Its name in reports.
    pub id: String,
    /// Of two pins on one position, or of one item, that with the higher number counts; of equal ones that with the
    /// smaller id.
    pub priority: i32,
    /// What is pinned.
    pub item: I,
    /// Where, from 1.
    pub position: usize,
}

/// A board with its pins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned<I> {
    /// Items from the first position on.
    pub board: Vec<I>,
    /// The pins that do not stand where they were to, in the order of positions and ids.
    pub unpinned: Vec<Unpinned>,
}

/// A pin that does not stand where it was to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpinned {
    /// The pin.
    pub id: String,
    /// Where it was to stand.
    pub position: usize,
    /// Why it does not.
    pub fault: PinFault,
}

/// Why a pin does not stand where it was to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum PinFault {
    /// Its item may not be shown: it is hidden, not eligible, or there is none such.
    NotShown,
    /// Another pin has its position.
    Taken {
        /// That pin.
        by: String,
    },
    /// Another pin has its item.
    Elsewhere {
        /// That pin.
        by: String,
    },
    /// The board has fewer positions.
    BeyondBoard {
        /// How many it has.
        k: usize,
    },
    /// It moved up, because a pin before it in its block is not shown, or because there are too few items.
    MovedUp {
        /// Where it stands.
        to: usize,
    },
}

/// Puts pins on a board of at most `k` positions.
///
/// An item that is pinned leaves its organic place. Pins on positions that follow each other are a block: where one of
/// them is not shown, those after it move up, so that a block stays together. All other positions are filled with
/// the items of `organic` in their order. A pin after the last item moves up to it.
///
/// `may_show` says whether an item may be shown: excluding an item is stronger than pinning it. A pin whose item is not shown
/// keeps its position against pins of lower priority; what follows stands there.
///
/// ```
/// use comptoir_ranking::arrange::{Pin, pin};
///
/// let top = |item, position| Pin { id: format!("pin {item}"), priority: 0, item, position };
/// let pinned = pin(&["a", "b", "c"], &[top("new", 1), top("b", 3)], 3, |_| true);
/// assert_eq!(pinned.board, ["new", "a", "b"]);
/// ```
#[must_use]
pub fn pin<I: Clone + Eq + std::hash::Hash>(
    organic: &[I],
    pins: &[Pin<I>],
    k: usize,
    may_show: impl Fn(&I) -> bool,
) -> Pinned<I> {
    let mut unpinned = Vec::new();
    let standing = standing(pins, k, &mut unpinned);
    let shown = close_up(&standing, &may_show, &mut unpinned);

    let is_pinned = |item: &I| shown.iter().any(|(_, pin)| pin.item == *item);
    let mut rest = organic.iter().filter(|item| !is_pinned(item));
    let mut board = Vec::with_capacity(k.min(organic.len() + shown.len()));
    for (position, pin) in &shown {
        let missing = (position - 1).saturating_sub(board.len());
        board.extend(rest.by_ref().take(missing).cloned());
        board.push(pin.item.clone());
        let to = board.len();
        if to != pin.position {
            let fault = PinFault::MovedUp { to };
            unpinned.push(Unpinned { id: pin.id.clone(), position: pin.position, fault });
        }
    }
    board.extend(rest.take(k.saturating_sub(board.len())).cloned());
    unpinned.sort_by(|left, right| (left.position, &left.id).cmp(&(right.position, &right.id)));
    Pinned { board, unpinned }
}

/// The pins that have their position and their item for themselves, by position.
fn standing<'p, I: Eq + std::hash::Hash>(
    pins: &'p [Pin<I>],
    k: usize,
    unpinned: &mut Vec<Unpinned>,
) -> Vec<&'p Pin<I>> {
    let mut sorted: Vec<_> = pins.iter().collect();
    sorted.sort_by_key(|pin| (Reverse(pin.priority), pin.id.as_str()));
    let mut positions: HashMap<usize, &Pin<I>> = HashMap::new();
    let mut items: HashMap<&I, &Pin<I>> = HashMap::new();
    for pin in sorted {
        let fault = if pin.position == 0 || pin.position > k {
            PinFault::BeyondBoard { k }
        } else if let Some(other) = positions.get(&pin.position) {
            PinFault::Taken { by: other.id.clone() }
        } else if let Some(other) = items.get(&pin.item) {
            PinFault::Elsewhere { by: other.id.clone() }
        } else {
            positions.insert(pin.position, pin);
            items.insert(&pin.item, pin);
            continue;
        };
        unpinned.push(Unpinned { id: pin.id.clone(), position: pin.position, fault });
    }
    let mut standing: Vec<_> = positions.into_values().collect();
    standing.sort_unstable_by_key(|pin| pin.position);
    standing
}

/// The pins that are shown, with the position that each has in its closed-up block.
fn close_up<'p, I>(
    standing: &[&'p Pin<I>],
    may_show: &impl Fn(&I) -> bool,
    unpinned: &mut Vec<Unpinned>,
) -> Vec<(usize, &'p Pin<I>)> {
    let mut shown = Vec::with_capacity(standing.len());
    for block in standing.chunk_by(|left, right| left.position + 1 == right.position) {
        let mut next = block.first().map_or(0, |pin| pin.position);
        for pin in block {
            if may_show(&pin.item) {
                shown.push((next, *pin));
                next += 1;
            } else {
                let (id, position) = (pin.id.clone(), pin.position);
                unpinned.push(Unpinned { id, position, fault: PinFault::NotShown });
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Pin, PinFault, pin};

    fn at(id: &str, item: u8, position: usize) -> Pin<u8> {
        Pin { id: id.to_owned(), priority: 0, item, position }
    }

    fn faults(pinned: &super::Pinned<u8>) -> Vec<(&str, &PinFault)> {
        pinned.unpinned.iter().map(|pin| (pin.id.as_str(), &pin.fault)).collect()
    }

    #[test]
    fn a_block_closes_up_where_a_pin_is_not_shown() {
        let pins = [at("a", 10, 2), at("b", 11, 3), at("c", 12, 4), at("d", 13, 6)];
        let pinned = pin(&[0, 1, 2, 3], &pins, 6, |item| *item != 11);
        assert_eq!(pinned.board, [0, 10, 12, 1, 2, 13]);
        assert_eq!(faults(&pinned), [("b", &PinFault::NotShown), ("c", &PinFault::MovedUp { to: 3 })]);
    }

    #[test]
    fn of_two_pins_the_one_with_the_higher_priority_stands() {
        let pins = [at("a", 10, 1), Pin { priority: 1, ..at("b", 11, 1) }, at("c", 11, 2)];
        let pinned = pin(&[0], &pins, 3, |_| true);
        assert_eq!(pinned.board, [11, 0]);
        let by = |id: &str| id.to_owned();
        let expected = [("a", &PinFault::Taken { by: by("b") }), ("c", &PinFault::Elsewhere { by: by("b") })];
        assert_eq!(faults(&pinned), expected);
    }

    #[test]
    fn a_pin_beyond_the_board_or_the_items_is_reported() {
        let pins = [at("far", 10, 9), at("deep", 11, 4)];
        let pinned = pin(&[0], &pins, 5, |_| true);
        assert_eq!(pinned.board, [0, 11]);
        assert_eq!(
            faults(&pinned),
            [("deep", &PinFault::MovedUp { to: 2 }), ("far", &PinFault::BeyondBoard { k: 5 })]
        );
    }

    proptest! {
        #[test]
        fn pins_stand_where_they_are_told_to_or_are_reported(
            organic in prop::collection::btree_set(0..12_u8, 0..10),
            pins in prop::collection::vec((0..14_u8, 0..9_usize, -1..2_i32), 0..6),
            hidden in prop::collection::btree_set(0..14_u8, 0..4),
            k in 0..8_usize,
        ) {
            let organic: Vec<_> = organic.into_iter().filter(|item| !hidden.contains(item)).collect();
            let pin_of = |(number, (item, position, priority)): (usize, (u8, usize, i32))| Pin {
                id: format!("{number}"), priority, item, position,
            };
            let pins: Vec<_> = pins.into_iter().enumerate().map(pin_of).collect();
            let pinned = pin(&organic, &pins, k, |item| !hidden.contains(item));

            let mut seen = pinned.board.clone();
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(seen.len(), pinned.board.len());
            prop_assert!(pinned.board.len() <= k);
            prop_assert!(pinned.board.iter().all(|item| !hidden.contains(item)));
            for pin in &pins {
                let reported = pinned.unpinned.iter().find(|unpinned| unpinned.id == pin.id);
                let position = match reported.map(|unpinned| &unpinned.fault) {
                    None => pin.position,
                    Some(PinFault::MovedUp { to }) => *to,
                    Some(_) => continue,
                };
                prop_assert_eq!(pinned.board.get(position - 1), Some(&pin.item));
            }
            // What is not pinned keeps its order.
            let is_pinned = |item: &u8| pins.iter().any(|pin| pin.item == *item);
            let left: Vec<_> = pinned.board.iter().filter(|item| !is_pinned(item)).collect();
            let first = left.len();
            let expected: Vec<_> = organic.iter().filter(|item| !is_pinned(item)).take(first).collect();
            prop_assert_eq!(left, expected);
        }
    }
}
