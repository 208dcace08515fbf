//! A board that is being filled, position by position, and what its constraints say of the next candidate.

use std::collections::HashMap;

use super::constraint::{Constraint, Rule};

/// Candidates that were chosen so far.
pub struct State<'c> {
    /// None of these may be broken.
    hard: Vec<Term<'c>>,
    /// These are broken as little as possible, the first above all.
    soft: Vec<Term<'c>>,
    /// Places of bands in `hard` of which no two have a common candidate.
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
        /// For each key how many candidates are left and how many are chosen.
        supply: HashMap<u32, [usize; 2]>,
        /// Candidates without a key that are left.
        free: usize,
    },
}

impl<'c> State<'c> {
    /// For the first `target` positions of a board of these candidates.
    pub fn new(count: usize, target: usize, hard: &[&'c Constraint], soft: &[&'c Constraint]) -> Self {
        let terms = |constraints: &[&'c Constraint]| -> Vec<Term<'c>> {
            constraints.iter().map(|constraint| Term::new(constraint, count, target)).collect()
        };
        let (hard, soft) = (terms(hard), terms(soft));
        let apart = bands_apart(&hard, count);
        let chosen = Vec::with_capacity(target);
        Self { hard, soft, apart, count, target, chosen, is_used: vec![false; count] }
    }

    /// Whether all positions are filled.
    pub fn is_full(&self) -> bool {
        self.chosen.len() >= self.target
    }

    /// How many pairs of a position and a candidate there are.
    pub fn pairs(&self) -> usize {
        self.count.saturating_mul(self.target)
    }

    /// What was chosen.
    pub fn into_order(self) -> Vec<usize> {
        self.chosen
    }

    /// The best candidate for the next position after one that was tried there, and how many were looked at: that which
    /// breaks the least of what may be broken, then the first. None where each breaks what may not be.
    pub fn next(&self, after: Option<usize>) -> (Option<usize>, usize) {
        if self.soft.is_empty() {
            let mut tried = 0;
            let next = self.free(after.map_or(0, |after| after + 1)).find(|candidate| {
                tried += 1;
                self.is_possible(*candidate)
            });
            return (next, tried);
        }
        let key = |candidate: usize| (self.broken(candidate), candidate);
        let after = after.map(key);
        let free = self.free(0).map(key).filter(|key| after.as_ref().is_none_or(|after| key > after));
        let mut free: Vec<_> = free.collect();
        free.sort_unstable();
        let tried = free.len().max(1);
        (
            free.into_iter().map(|(_, candidate)| candidate).find(|candidate| self.is_possible(*candidate)),
            tried,
        )
    }

    /// The candidate for the next position that breaks the least. None where each exceeds a strict constraint.
    pub fn least_broken(&self) -> Option<usize> {
        let allowed = self.free(0).filter(|candidate| {
            self.soft.iter().all(|term| !term.is_strict || self.excess(term, *candidate) == 0)
        });
        allowed.min_by_key(|candidate| (self.broken(*candidate), *candidate))
    }

    /// The candidates from one on that are not chosen.
    fn free(&self, from: usize) -> impl Iterator<Item = usize> {
        (from..self.count).filter(|candidate| self.is_used.get(*candidate) == Some(&false))
    }

    fn is_possible(&self, candidate: usize) -> bool {
        self.hard.iter().all(|term| self.excess(term, candidate) == 0 && self.lack(term, candidate) == 0)
            && self.leaves_room(candidate)
            && self.hard.iter().all(|term| self.leaves_enough(term, candidate))
    }

    fn broken(&self, candidate: usize) -> Vec<usize> {
        self.soft.iter().map(|term| self.excess(term, candidate) + self.lack(term, candidate)).collect()
    }

    /// By how many items too many the constraint is broken if the candidate comes next.
    fn excess(&self, term: &Term<'_>, candidate: usize) -> usize {
        let place = self.chosen.len();
        match &term.kind {
            Kind::Band { members, upper, chosen, .. } => {
                let count = chosen + usize::from(members.get(candidate) == Some(&true));
                count.saturating_sub(upper.get(place).copied().unwrap_or(usize::MAX))
            }
            Kind::Window { keys, most, width, .. } => {
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
            let needs = self.apart.iter().filter_map(|band| match &self.hard.get(*band)?.kind {
                Kind::Band { members, lower, chosen, .. } => {
                    let count = chosen + usize::from(members.get(candidate) == Some(&true));
                    Some(lower.get(place)?.saturating_sub(count))
                }
                Kind::Window { .. } => None,
            });
            needs.sum::<usize>() <= place + 1 - next
        })
    }

    /// Whether the candidates that are left can fill the positions after this one, so many of each key: in a window as wide
    /// as the board what is not chosen yet, else the most in as many windows as the positions are cut into.
    fn leaves_enough(&self, term: &Term<'_>, candidate: usize) -> bool {
        let Kind::Window { keys, most, width, supply, free } = &term.kind else { return true };
        let places = self.target.saturating_sub(self.chosen.len() + 1);
        let own = keys.get(candidate).copied().flatten();
        let windows = places.div_ceil((*width).max(1));
        let usable = supply.iter().map(|(key, [left, chosen])| {
            let taken = usize::from(own == Some(*key));
            let most = match *width >= self.target {
                true => most.saturating_sub(chosen + taken),
                false => most.saturating_mul(windows),
            };
            most.min(left - taken)
        });
        usable.sum::<usize>() + free - usize::from(own.is_none()) >= places
    }

    /// Fills the next position.
    pub fn choose(&mut self, candidate: usize) {
        self.chosen.push(candidate);
        self.mark(candidate, true);
    }

    /// Empties the last position.
    pub fn undo(&mut self) -> Option<usize> {
        let candidate = self.chosen.pop()?;
        self.mark(candidate, false);
        Some(candidate)
    }

    fn mark(&mut self, candidate: usize, is_chosen: bool) {
        if let Some(is_used) = self.is_used.get_mut(candidate) {
            *is_used = is_chosen;
        }
        self.hard.iter_mut().chain(&mut self.soft).for_each(|term| term.mark(candidate, is_chosen));
    }
}

impl<'c> Term<'c> {
    fn new(constraint: &'c Constraint, count: usize, target: usize) -> Self {
        let kind = match &constraint.rule {
            Rule::Window { keys, most, width } => {
                let mut supply: HashMap<u32, [usize; 2]> = HashMap::new();
                let known = keys.iter().take(count).flatten();
                known.for_each(|key| {
                    let [left, _] = supply.entry(*key).or_default();
                    *left += 1;
                });
                let free = count - supply.values().map(|[left, _]| left).sum::<usize>();
                Kind::Window { keys, most: *most, width: *width, supply, free }
            }
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

    fn mark(&mut self, candidate: usize, is_chosen: bool) {
        match &mut self.kind {
            Kind::Band { members, chosen, .. } if members.get(candidate) == Some(&true) => {
                *chosen = if is_chosen { *chosen + 1 } else { *chosen - 1 };
            }
            Kind::Band { .. } => {}
            Kind::Window { keys, supply, free, .. } => match keys.get(candidate).copied().flatten() {
                Some(key) => {
                    if let Some([left, chosen]) = supply.get_mut(&key) {
                        (*left, *chosen) =
                            if is_chosen { (*left - 1, *chosen + 1) } else { (*left + 1, *chosen - 1) };
                    }
                }
                None => *free = if is_chosen { *free - 1 } else { *free + 1 },
            },
        }
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
