use std::cmp::Reverse;
use std::collections::HashMap;

use super::constraint::{Constraint, Rule};

/// An arrangement of candidates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arranged {
    /// Candidates from the first position on: k, or fewer where there are not enough, or where a strict constraint ends
    /// the board.
    pub order: Vec<usize>,
    /// Whether all constraints are met as far as there are candidates for them. Then no arrangement that meets them
    /// has, at the first position where it differs, a better candidate.
    pub is_met: bool,
}

/// Arranges the first `k` of `count` candidates, given in organic order, so that all constraints are met.
///
/// Of all arrangements that meet them it is the first in organic order: the best candidate that can stand at the first
/// position, then the best that can stand at the second, and so on. A lower bound for which there are too few candidates
/// asks for those that there are. Where no arrangement is found, each position gets the candidate that breaks the least:
/// nothing of a constraint with a high priority, and as little as possible of the next; a strict one is never broken.
///
/// The search goes back from dead ends a bounded number of times. Bands that do not overlap, without windows, have none:
/// the arrangement is found directly, in about `k` · constraints steps for each candidate that is passed over.
#[must_use]
pub fn constrain(count: usize, k: usize, constraints: &[Constraint]) -> Arranged {
    let mut state = State::new(count, k, constraints);
    let is_met = state.search();
    if !is_met {
        state.take_least_broken();
    }
    Arranged { order: state.chosen, is_met }
}

/// Candidates that are tried before the search gives up, at least and for each pair of position and candidate.
const STEPS: usize = 100_000;
const STEPS_A_PAIR: usize = 32;

struct State<'c> {
    /// The most important first.
    terms: Vec<Term<'c>>,
    /// Places of bands in `terms` of which no two have a common candidate.
    apart: Vec<usize>,
    count: usize,
    target: usize,
    chosen: Vec<usize>,
    is_used: Vec<bool>,
}

struct Term<'c> {
    is_strict: bool,
    kind: Kind<'c>,
}

enum Kind<'c> {
    Band {
        members: &'c [bool],
        /// For each prefix, no more than there are members.
        lower: Vec<usize>,
        upper: &'c [usize],
        /// For each prefix how many members it must have for all later bounds to stay possible.
        needed: Vec<usize>,
        /// Members that are chosen.
        chosen: usize,
    },
    Window {
        keys: &'c [Option<u32>],
        most: usize,
        width: usize,
    },
}

impl<'c> State<'c> {
    fn new(count: usize, k: usize, constraints: &'c [Constraint]) -> Self {
        let mut sorted: Vec<_> = constraints.iter().collect();
        sorted.sort_by_key(|constraint| (Reverse(constraint.priority), constraint.id.as_str()));
        let full = count.min(k);
        let target =
            sorted.iter().filter(|constraint| constraint.is_strict).map(|strict| room(strict, count, full));
        let target = target.min().unwrap_or(full).min(full);
        let terms: Vec<_> =
            sorted.into_iter().map(|constraint| Term::new(constraint, count, target)).collect();
        let apart = bands_apart(&terms, count);
        Self { terms, apart, count, target, chosen: Vec::with_capacity(target), is_used: vec![false; count] }
    }

    /// Depth first, the best candidate first. Whether all positions were filled without breaking anything.
    fn search(&mut self) -> bool {
        let mut steps = STEPS.max(STEPS_A_PAIR * self.count * self.target);
        let mut from = 0;
        while self.chosen.len() < self.target {
            let mut tried = 0;
            let free = (from..self.count).filter(|candidate| self.is_used.get(*candidate) == Some(&false));
            let next = free.inspect(|_| tried += 1).find(|candidate| self.is_possible(*candidate));
            steps = steps.saturating_sub(tried);
            match next {
                Some(candidate) => {
                    self.choose(candidate);
                    from = 0;
                }
                None if steps == 0 => return false,
                None => match self.undo() {
                    Some(last) => from = last + 1,
                    None => return false,
                },
            }
        }
        true
    }

    /// Fills the positions anew, each with the candidate that breaks the least.
    fn take_least_broken(&mut self) {
        while self.undo().is_some() {}
        while self.chosen.len() < self.target {
            let free = (0..self.count).filter(|candidate| self.is_used.get(*candidate) == Some(&false));
            let allowed =
                free.filter(|candidate| self.terms.iter().all(|term| self.is_allowed(term, *candidate)));
            let Some(best) = allowed.min_by_key(|candidate| (self.broken(*candidate), *candidate)) else {
                return;
            };
            self.choose(best);
        }
    }

    fn is_possible(&self, candidate: usize) -> bool {
        self.terms.iter().all(|term| self.excess(term, candidate) == 0 && self.lack(term, candidate) == 0)
            && self.leaves_room(candidate)
    }

    fn is_allowed(&self, term: &Term<'_>, candidate: usize) -> bool {
        !term.is_strict || self.excess(term, candidate) == 0
    }

    fn broken(&self, candidate: usize) -> Vec<usize> {
        self.terms.iter().map(|term| self.excess(term, candidate) + self.lack(term, candidate)).collect()
    }

    /// By how many items too many the constraint is broken if the candidate comes next.
    fn excess(&self, term: &Term<'_>, candidate: usize) -> usize {
        let place = self.chosen.len();
        match &term.kind {
            Kind::Band { members, upper, chosen, .. } => {
                let count = chosen + usize::from(members.get(candidate) == Some(&true));
                count.saturating_sub(upper.get(place).copied().unwrap_or(usize::MAX))
            }
            Kind::Window { keys, most, width } => {
                let Some(key) = keys.get(candidate).copied().flatten() else { return 0 };
                let last = self.chosen.iter().rev().take(width.saturating_sub(1));
                let alike = last.filter(|other| keys.get(**other).copied().flatten() == Some(key)).count();
                (alike + 1).saturating_sub(*most)
            }
        }
    }

    /// How many items of a band are missing for its lower bounds to be possible if the candidate comes next.
    fn lack(&self, term: &Term<'_>, candidate: usize) -> usize {
        let Kind::Band { members, needed, chosen, .. } = &term.kind else { return 0 };
        let count = chosen + usize::from(members.get(candidate) == Some(&true));
        needed.get(self.chosen.len()).map_or(0, |needed| needed.saturating_sub(count))
    }

    /// Whether bands without common candidates leave each other room: what they need up to a position is no more than
    /// the positions up to it.
    fn leaves_room(&self, candidate: usize) -> bool {
        let next = self.chosen.len() + 1;
        (next..self.target).all(|place| {
            let needs = self.apart.iter().filter_map(|band| match &self.terms.get(*band)?.kind {
                Kind::Band { members, lower, chosen, .. } => {
                    let count = chosen + usize::from(members.get(candidate) == Some(&true));
                    Some(lower.get(place)?.saturating_sub(count))
                }
                Kind::Window { .. } => None,
            });
            needs.sum::<usize>() <= place + 1 - next
        })
    }

    fn choose(&mut self, candidate: usize) {
        self.chosen.push(candidate);
        self.mark(candidate, true);
    }

    fn undo(&mut self) -> Option<usize> {
        let candidate = self.chosen.pop()?;
        self.mark(candidate, false);
        Some(candidate)
    }

    fn mark(&mut self, candidate: usize, is_chosen: bool) {
        if let Some(is_used) = self.is_used.get_mut(candidate) {
            *is_used = is_chosen;
        }
        for term in &mut self.terms {
            if let Kind::Band { members, chosen, .. } = &mut term.kind
                && members.get(candidate) == Some(&true)
            {
                *chosen = if is_chosen { *chosen + 1 } else { *chosen - 1 };
            }
        }
    }
}

impl<'c> Term<'c> {
    fn new(constraint: &'c Constraint, count: usize, target: usize) -> Self {
        let kind = match &constraint.rule {
            Rule::Window { keys, most, width } => Kind::Window { keys, most: *most, width: *width },
            Rule::Band { members, bounds } => {
                let supply = members.iter().take(count).filter(|is_member| **is_member).count();
                let bounded = bounds.lower_to(target).zip(bounds.upper()).zip(1..);
                let lower = bounded.map(|((lower, upper), prefix)| supply.min(lower).min(*upper).min(prefix));
                let lower: Vec<_> = lower.collect();
                let needed = needed(&lower);
                Kind::Band { members, lower, upper: bounds.upper(), needed, chosen: 0 }
            }
        };
        Self { is_strict: constraint.is_strict, kind }
    }
}

/// For each prefix how many members it must have so that no later bound asks for more than the positions that follow.
fn needed(lower: &[usize]) -> Vec<usize> {
    let mut needed: Vec<_> = lower.to_vec();
    let mut after = 0_usize;
    for need in needed.iter_mut().rev() {
        *need = (*need).max(after.saturating_sub(1));
        after = *need;
    }
    needed
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

/// Bands, the most important first, that have no candidate in common with those before.
fn bands_apart(terms: &[Term<'_>], count: usize) -> Vec<usize> {
    let mut is_taken = vec![false; count];
    let mut apart = Vec::new();
    for (number, term) in terms.iter().enumerate() {
        let Kind::Band { members, .. } = &term.kind else { continue };
        if members.iter().zip(&is_taken).any(|(is_member, is_taken)| *is_member && *is_taken) {
            continue;
        }
        is_taken.iter_mut().zip(*members).for_each(|(is_taken, is_member)| *is_taken |= *is_member);
        apart.push(number);
    }
    apart
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
