use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::block::{Block, Found, Row};
use super::clause::{Clause, number};
use super::frame::Frame;
use super::plan::Plan;
use super::threads::both;
use super::vocabulary::{BAD_CODE, NO_CODE};

/// Finds the rules that may fire, without looking at the others.
///
/// Each alternative of a rule is filed under its most selective clause of equality (with an input, or with an element of
/// a list), or two of them, for each of their
/// constants; where it has none, or a file grows long, under the thresholds of its range clauses; where it has none of
/// these either, it is always looked at. A rule that is not found has a false clause in each alternative.
#[derive(Debug, Default)]
pub(super) struct Index {
    files: Vec<File>,
    /// Alternatives without an equality clause.
    open: Drawer,
}

/// Alternatives that are filed under constants of the same one or two inputs.
#[derive(Debug)]
struct File {
    first: u32,
    second: Option<u32>,
    /// Whether one of the inputs is a list.
    has_lists: bool,
    /// By constants: a run of `rules`, or with [`DRAWER`] a drawer.
    places: HashMap<u64, (u32, u32)>,
    rules: Vec<u32>,
    drawers: Vec<Drawer>,
    /// All of them, for an event without the input: it may be a fault of each.
    members: Vec<u32>,
}

/// A place of its own for many alternatives.
#[derive(Debug, Default)]
struct Drawer {
    /// They may fire.
    rules: Vec<u32>,
    /// They fire, in rising order: the constants that they are filed under are all that they ask for.
    certain: Vec<u32>,
    /// Whether a rule of `certain` has several alternatives, and may be found again.
    has_copies: bool,
    blocks: Vec<Block>,
}

/// In place of the length of a run.
const DRAWER: u32 = u32::MAX;
/// From this many rules on, thresholds are looked at in a block.
const MIN_BLOCK: usize = 8;
/// Constants under which one alternative is filed at most.
const MAX_COPIES: usize = 64;
/// Uses of a constant up to which a second input is not worth while.
const FEW: u32 = 4;
/// Files at most that go by two inputs: each costs a look-up for each event.
const MAX_PAIRS: usize = 48;

/// An alternative on its way to its place.
#[derive(Debug, Clone, Copy)]
struct Entry {
    key: u64,
    rule: u32,
    branch: u32,
}

impl Index {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut drafts: BTreeMap<Inputs, Vec<Entry>> = BTreeMap::new();
        let mut open = Vec::new();
        for rule in 0..number(plan.rules()) {
            for branch in plan.branches(rule) {
                let keys = access(plan, branch, drafts.len() < MAX_PAIRS);
                match keys {
                    Some((file, keys)) => drafts
                        .entry(file)
                        .or_default()
                        .extend(keys.into_iter().map(|key| Entry { key, rule, branch })),
                    None => open.push(Entry { key: 0, rule, branch }),
                }
            }
        }
        let (files, open) = both(|| files(plan, drafts), || Drawer::new(plan, &open, 0));
        Self { files, open }
    }

    /// The rules that may fire, in no order, some of them perhaps twice.
    pub(super) fn search(&self, frame: &mut Frame<'_, '_>) -> Found {
        let mut found = Found::default();
        for file in &self.files {
            file.search(frame, &mut found);
        }
        self.open.search(frame, &mut found);
        found
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        self.files.iter().map(File::bytes).sum::<usize>() + self.open.bytes()
    }
}

fn files(plan: &Plan, drafts: BTreeMap<Inputs, Vec<Entry>>) -> Vec<File> {
    let file = |((first, second), entries): (Inputs, Vec<Entry>)| File::new(plan, first, second, entries);
    #[cfg(feature = "arrow")]
    {
        use rayon::prelude::*;
        drafts.into_iter().collect::<Vec<_>>().into_par_iter().map(file).collect()
    }
    #[cfg(not(feature = "arrow"))]
    drafts.into_iter().map(file).collect()
}

impl File {
    fn new(plan: &Plan, first: u32, second: Option<u32>, mut entries: Vec<Entry>) -> Self {
        let inputs = 1 + usize::from(second.is_some());
        entries.sort_unstable_by_key(|entry| (entry.key, entry.rule));
        let mut members: Vec<u32> = entries.iter().map(|entry| entry.rule).collect();
        members.sort_unstable();
        members.dedup();
        members.shrink_to_fit();
        let (mut rules, mut drawers) = (Vec::new(), Vec::new());
        let mut places = HashMap::new();
        for run in entries.chunk_by(|left, right| left.key == right.key) {
            let Some(key) = run.first().map(|entry| entry.key) else { continue };
            let place = if run.len() < MIN_BLOCK {
                let start = number(rules.len());
                rules.extend(run.iter().map(|entry| entry.rule));
                (start, number(run.len()))
            } else {
                drawers.push(Drawer::new(plan, run, inputs));
                (number(drawers.len() - 1), DRAWER)
            };
            places.insert(key, place);
        }
        rules.shrink_to_fit();
        let is_list =
            |dictionary: u32| plan.dictionaries.get(dictionary as usize).is_some_and(|one| one.is_list);
        let has_lists = is_list(first) || second.is_some_and(is_list);
        Self { first, second, has_lists, places, rules, drawers, members }
    }

    fn search(&self, frame: &mut Frame<'_, '_>, found: &mut Found) {
        if self.has_lists {
            return self.search_lists(frame, found);
        }
        let first = frame.code(self.first);
        let second = self.second.map_or(0, |second| frame.code(second));
        if first == BAD_CODE || second == BAD_CODE {
            found.possible.extend(&self.members);
        } else if first != NO_CODE && second != NO_CODE {
            self.search_place(key(first, second), frame, found);
        }
    }

    /// Where an input is a list, its elements are looked up one by one.
    fn search_lists(&self, frame: &mut Frame<'_, '_>, found: &mut Found) {
        let firsts = frame.all_codes(self.first);
        let seconds = self.second.map_or_else(|| Some([0].into()), |second| frame.all_codes(second));
        let (Some(firsts), Some(seconds)) = (firsts, seconds) else {
            found.possible.extend(&self.members);
            return;
        };
        found.has_copies = true;
        for first in firsts.iter() {
            for second in seconds.iter() {
                self.search_place(key(*first, *second), frame, found);
            }
        }
    }

    fn search_place(&self, key: u64, frame: &mut Frame<'_, '_>, found: &mut Found) {
        match self.places.get(&key) {
            Some((drawer, DRAWER)) => {
                if let Some(drawer) = self.drawers.get(*drawer as usize) {
                    drawer.search(frame, found);
                }
            }
            Some((start, length)) => {
                let run = *start as usize..(*start + *length) as usize;
                found.possible.extend(self.rules.get(run).unwrap_or(&[]));
            }
            None => {}
        }
    }

    fn bytes(&self) -> usize {
        self.places.allocation_size()
            + 4 * (self.rules.len() + self.members.len())
            + self.drawers.iter().map(Drawer::bytes).sum::<usize>()
    }
}

impl Drawer {
    /// `inputs` is the number of equality clauses that hold for all that is here.
    fn new(plan: &Plan, entries: &[Entry], inputs: usize) -> Self {
        let mut groups: BTreeMap<(Vec<u32>, bool), Vec<Row>> = BTreeMap::new();
        let mut drawer = Self::default();
        for entry in entries {
            let (sides, thresholds, ranges) = ranges(plan, entry.branch);
            let is_certain = plan.operands(entry.branch).len() == inputs + ranges;
            match (sides.is_empty(), is_certain) {
                (false, _) => groups.entry((sides, is_certain)).or_default().push((entry.rule, thresholds)),
                (true, true) => drawer.certain.push(entry.rule),
                (true, false) => drawer.rules.push(entry.rule),
            }
        }
        let has_copies = |rule: &u32| plan.branches(*rule).len() > 1;
        for ((sides, is_certain), rows) in groups {
            if rows.len() < MIN_BLOCK {
                drawer.rules.extend(rows.iter().map(|(rule, _)| *rule));
            } else {
                let has_copies = rows.iter().any(|(rule, _)| has_copies(rule));
                drawer.blocks.push(Block::new(&sides, rows, is_certain, has_copies));
            }
        }
        drawer.has_copies = drawer.certain.iter().any(has_copies);
        drawer.rules.shrink_to_fit();
        drawer.certain.shrink_to_fit();
        drawer
    }

    fn search(&self, frame: &mut Frame<'_, '_>, found: &mut Found) {
        found.possible.extend(&self.rules);
        if !self.certain.is_empty() {
            found.is_mixed |= !found.certain.is_empty();
            found.has_copies |= self.has_copies;
            found.certain.extend(&self.certain);
        }
        for block in &self.blocks {
            block.search(frame, found);
        }
    }

    fn bytes(&self) -> usize {
        size_of::<Self>()
            + 4 * (self.rules.len() + self.certain.len())
            + self.blocks.iter().map(Block::bytes).sum::<usize>()
    }
}

const fn key(first: u32, second: u32) -> u64 {
    (first as u64) << 32 | second as u64
}

/// The inputs that a file goes by.
type Inputs = (u32, Option<u32>);

/// The file of an alternative and its keys there.
fn access(plan: &Plan, branch: u32, may_pair: bool) -> Option<(Inputs, Vec<u64>)> {
    let mut equalities: Vec<(u32, u32, &[u32])> = plan
        .operands(branch)
        .iter()
        .filter_map(|clause| {
            let (dictionary, codes) = match plan.clause(*clause)? {
                Clause::Equal { dictionary, code } => (*dictionary, std::slice::from_ref(code)),
                Clause::In { dictionary, codes } | Clause::Any { dictionary, codes, .. } => {
                    (*dictionary, &**codes)
                }
                _ => return None,
            };
            (1..=MAX_COPIES)
                .contains(&codes.len())
                .then(|| (uses(plan, dictionary, codes), dictionary, codes))
        })
        .collect();
    equalities.sort_unstable();
    let (weight, first, codes) = *equalities.first()?;
    let second = equalities.iter().find(|(_, dictionary, others)| {
        *dictionary != first && codes.len() * others.len() <= MAX_COPIES && weight > FEW && may_pair
    });
    let Some((_, second, others)) = second else {
        return Some(((first, None), codes.iter().map(|code| key(*code, 0)).collect()));
    };
    // Both orders of a pair are one file.
    let (file, left, right) = if first < *second {
        ((first, Some(*second)), codes, *others)
    } else {
        ((*second, Some(first)), *others, codes)
    };
    let keys = left.iter().flat_map(|one| right.iter().map(|two| key(*one, *two))).collect();
    Some((file, keys))
}

/// How many rules may be found under the constants.
fn uses(plan: &Plan, dictionary: u32, codes: &[u32]) -> u32 {
    let uses = plan.dictionaries.get(dictionary as usize).map_or(&[][..], |one| &one.uses);
    codes.iter().filter_map(|code| uses.get(*code as usize)).fold(0, |sum, uses| sum.saturating_add(*uses))
}

/// The sides of an alternative's range clauses, the threshold on each, and the number of clauses.
fn ranges(plan: &Plan, branch: u32) -> (Vec<u32>, Vec<i32>, usize) {
    let mut bounds: Vec<(u32, i32)> = Vec::new();
    for clause in plan.operands(branch) {
        if let Some(Clause::Rank { side, threshold }) = plan.clause(*clause) {
            bounds.push((*side, *threshold));
        }
    }
    let count = bounds.len();
    // The highest of a side is the one to reach.
    bounds.sort_unstable_by_key(|(side, threshold)| (*side, std::cmp::Reverse(*threshold)));
    bounds.dedup_by_key(|(side, _)| *side);
    let (sides, values) = bounds.into_iter().unzip();
    (sides, values, count)
}
