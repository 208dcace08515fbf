use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::constraint::{Constraint, Rule, is_exceeded};
use super::state::State;

/// An arrangement of candidates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arranged {
    /// Candidates from the first position on: k, or fewer where there are not enough, or where a strict constraint ends
    /// the board.
    pub order: Vec<usize>,
    /// The constraints that were not kept, the most important first. Without any, all constraints are met as far as there
    /// are candidates for them, and no arrangement that meets them has, at the first position where it differs, a better
    /// candidate.
    pub left_out: Vec<LeftOut>,
    /// The strict constraints that end the board before all candidates or positions are used up; none where it does not.
    pub ended_by: Vec<String>,
}

/// A constraint that an arrangement does not keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The constraint.
    pub id: String,
    /// Why.
    pub reason: LeftOutReason,
}

/// Why an arrangement does not keep a constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOutReason {
    /// No arrangement meets it together with those that are kept of a higher priority.
    CannotBeMet,
    /// The search has ended after its number of steps: whether one does is not known.
    SearchEnded,
}

/// Arranges the first `k` of `count` candidates, given in organic order, so that all constraints are met.
///
/// Of all arrangements that meet them it is the first in organic order: the best candidate that can stand at the first
/// position, then the best that can stand at the second, and so on. A lower bound for which there are too few candidates
/// asks for those that there are.
///
/// Where no arrangement is found, constraints are kept one after the other, the strict ones first, then by priority and
/// id: each that can be met together with those that are kept already. Then each position gets, of the candidates that
/// leave those possible, the one that breaks the least of the others: nothing of the most important, and as little
/// as possible of the next. Where even the strict ones cannot be met on a full board, it ends before one is exceeded.
///
/// The search goes back from dead ends a bounded number of times. Bands that do not overlap, without windows, have none:
/// the arrangement is found directly, in about `k` · constraints steps for each candidate that is passed over.
#[must_use]
pub fn constrain(count: usize, k: usize, constraints: &[Constraint]) -> Arranged {
    let mut sorted: Vec<_> = constraints.iter().collect();
    sorted.sort_by_key(|one| (Reverse(one.is_strict), Reverse(one.priority), one.id.as_str()));
    let full = count.min(k);
    let strict = sorted.iter().filter(|constraint| constraint.is_strict);
    let target = strict.map(|strict| room(strict, count, full)).min().unwrap_or(full).min(full);
    let (order, left_out) = match search(State::new(count, target, &sorted, &[])) {
        Ok(order) => (order, Vec::new()),
        Err(reason) => keep_what_goes(count, target, &sorted, reason),
    };
    let ended_by = if order.len() < full { ended_by(count, &order, &sorted) } else { Vec::new() };
    Arranged { order, left_out, ended_by }
}

/// The strict constraints that one more candidate would break.
fn ended_by(count: usize, order: &[usize], constraints: &[&Constraint]) -> Vec<String> {
    let used: HashSet<usize> = order.iter().copied().collect();
    let free: Vec<usize> = (0..count).filter(|candidate| !used.contains(candidate)).collect();
    let mut longer = order.to_vec();
    let mut is_broken = |constraint: &&&Constraint| {
        free.iter().any(|candidate| {
            longer.push(*candidate);
            let broken = is_exceeded(&longer, constraint);
            longer.pop();
            broken
        })
    };
    let strict = constraints.iter().filter(|constraint| constraint.is_strict);
    strict.filter(&mut is_broken).map(|constraint| constraint.id.clone()).collect()
}

/// Candidates that are tried before the search gives up, at least and for each pair of position and candidate.
const STEPS: usize = 100_000;
const STEPS_A_PAIR: usize = 32;

/// Keeps each constraint that goes with those before it.
fn keep_what_goes(
    count: usize,
    target: usize,
    sorted: &[&Constraint],
    reason: LeftOutReason,
) -> (Vec<usize>, Vec<LeftOut>) {
    let (mut kept, mut others, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    let mut known = None;
    for (place, constraint) in sorted.iter().enumerate() {
        kept.push(*constraint);
        // That all together cannot be is known.
        let is_last = place + 1 == sorted.len() && others.is_empty();
        let found = if is_last { Err(reason) } else { search(State::new(count, target, &kept, &[])) };
        match found {
            Ok(order) => known = Some(order),
            Err(reason) => {
                kept.pop();
                others.push(*constraint);
                left_out.push(LeftOut { id: constraint.id.clone(), reason });
            }
        }
    }
    let order = if others.iter().any(|constraint| constraint.is_strict) {
        least_broken(State::new(count, target, &[], sorted))
    } else {
        // With what is broken as little as possible the search has more dead ends: what is known is better than nothing.
        let found = search(State::new(count, target, &kept, &others)).ok();
        found.or(known).unwrap_or_else(|| least_broken(State::new(count, target, &[], sorted)))
    };
    (order, left_out)
}

/// Depth first, the best candidate first.
fn search(mut state: State<'_>) -> Result<Vec<usize>, LeftOutReason> {
    let mut steps = STEPS.max(STEPS_A_PAIR * state.pairs());
    let mut after = None;
    while !state.is_full() {
        let (next, tried) = state.next(after);
        steps = steps.saturating_sub(tried);
        match next {
            Some(candidate) => {
                state.choose(candidate);
                after = None;
            }
            None if steps == 0 => return Err(LeftOutReason::SearchEnded),
            None => after = Some(state.undo().ok_or(LeftOutReason::CannotBeMet)?),
        }
    }
    Ok(state.into_order())
}

/// Fills each position with the candidate that breaks the least, as long as no strict constraint is exceeded.
fn least_broken(mut state: State<'_>) -> Vec<usize> {
    while !state.is_full() {
        let Some(candidate) = state.least_broken() else { break };
        state.choose(candidate);
    }
    state.into_order()
}

/// How many items a board can have without breaking a strict constraint, if there were no others.
fn room(constraint: &Constraint, count: usize, full: usize) -> usize {
    match &constraint.rule {
        Rule::Band { members, bounds } => {
            let members = members.iter().take(count).filter(|is_member| **is_member).count();
            let fits = |length: &usize| {
                let most = length.checked_sub(1).and_then(|last| bounds.upper().get(last)).copied();
                members.min(most.unwrap_or(usize::MAX)) + (count - members) >= *length
            };
            (1..=full).take_while(fits).last().unwrap_or(0)
        }
        Rule::Window { keys, most, width } if *width >= full => {
            let mut counts = HashMap::new();
            let fits = |key: &Option<u32>| {
                key.is_none_or(|key| {
                    let count = counts.entry(key).or_insert(0_usize);
                    *count += 1;
                    *count <= *most
                })
            };
            keys.iter().take(count).copied().filter(fits).count()
        }
        Rule::Window { .. } => full,
    }
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
