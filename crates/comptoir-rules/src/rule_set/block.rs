use super::frame::Frame;
use super::vocabulary::BAD_RANK;

/// Rules that have range clauses on the same sides of the same axes: a table of thresholds.
///
/// Where few thresholds of one side are reached, those alone are looked at, by that side's order; else all are, in
/// columns and without branches.
#[derive(Debug)]
pub(super) struct Block {
    sides: Vec<u32>,
    /// In rising order.
    rules: Vec<u32>,
    /// For each side the thresholds, by rule.
    columns: Vec<Vec<i32>>,
    /// The same in a byte each, for a first look.
    coarse: Vec<Coarse>,
    /// For each side the thresholds in rising order, and where their rules stand.
    orders: Vec<(Vec<i32>, Vec<u32>)>,
    /// Whether a rule fires wherever its thresholds are reached.
    is_certain: bool,
}

/// Rules that an index found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// They fire.
    pub certain: Vec<u32>,
    /// They may fire, or have a fault.
    pub possible: Vec<u32>,
    /// Whether a rule may be in `certain` twice.
    pub has_copies: bool,
}

impl Block {
    /// A block of rules with their thresholds in the order of `sides`.
    pub(super) fn new(sides: Vec<u32>, mut rows: Vec<(u32, Vec<i32>)>, is_certain: bool) -> Self {
        rows.sort_by_key(|(rule, _)| *rule);
        let rules = rows.iter().map(|(rule, _)| *rule).collect();
        let columns: Vec<Vec<i32>> = (0..sides.len())
            .map(|side| rows.iter().map(|(_, row)| row.get(side).copied().unwrap_or(0)).collect())
            .collect();
        let orders: Vec<(Vec<i32>, Vec<u32>)> = columns.iter().map(|column| sorted(column)).collect();
        let coarse =
            columns.iter().zip(&orders).map(|(column, order)| Coarse::new(column, &order.0)).collect();
        Self { sides, rules, columns, coarse, orders, is_certain }
    }

    pub(super) fn search(&self, frame: &mut Frame<'_, '_>, found: &mut Found) {
        let ranks: Vec<i32> = self.sides.iter().map(|side| frame.rank(*side)).collect();
        if ranks.contains(&BAD_RANK) {
            found.possible.extend(&self.rules);
            return;
        }
        let out = if self.is_certain { &mut found.certain } else { &mut found.possible };
        let reached = |(side, rank): (usize, &i32)| {
            let (thresholds, _) = self.orders.get(side)?;
            Some((thresholds.partition_point(|threshold| threshold <= rank), side))
        };
        let Some((count, side)) = ranks.iter().enumerate().filter_map(reached).min() else { return };
        if count * 8 <= self.rules.len() {
            self.search_few(&ranks, side, count, out);
        } else {
            self.search_all(&ranks, out);
        }
    }

    fn search_few(&self, ranks: &[i32], side: usize, count: usize, out: &mut Vec<u32>) {
        let Some((_, places)) = self.orders.get(side) else { return };
        for place in places.iter().take(count) {
            let at = *place as usize;
            let mut columns = self.columns.iter().zip(ranks);
            if columns.all(|(column, rank)| column.get(at).is_some_and(|threshold| threshold <= rank))
                && let Some(rule) = self.rules.get(at)
            {
                out.push(*rule);
            }
        }
    }

    /// Looks at all rules, first at the coarse thresholds of a chunk at a time. What these leave open is looked at again.
    fn search_all(&self, ranks: &[i32], out: &mut Vec<u32>) {
        out.reserve(self.rules.len() / 4);
        let classes: Vec<u8> =
            self.coarse.iter().zip(ranks).map(|(coarse, rank)| coarse.class(*rank)).collect();
        for (chunk, rules) in self.rules.chunks(CHUNK).enumerate() {
            let (mut reached, mut open) = ([u8::MAX; CHUNK], [0; CHUNK]);
            for (coarse, class) in self.coarse.iter().zip(&classes) {
                let Some(classes) = coarse.classes.get(chunk) else { continue };
                for ((reached, open), own) in reached.iter_mut().zip(&mut open).zip(classes) {
                    *reached &= if own <= class { u8::MAX } else { 0 };
                    *open |= if own == class { u8::MAX } else { 0 };
                }
            }
            let mut mask = bits(&reached);
            if open.iter().zip(&reached).fold(0, |any, (open, reached)| any | open & reached) != 0 {
                for (open, reached) in open.iter_mut().zip(&reached) {
                    *open &= reached;
                }
                mask &= !self.refuted(bits(&open), chunk * CHUNK, ranks);
            }
            if rules.len() < CHUNK {
                mask &= (1 << rules.len()) - 1;
            }
            let (mut hits, mut count) = ([0; CHUNK], 0);
            while mask != 0 {
                let rule = rules.get(mask.trailing_zeros() as usize).copied().unwrap_or(u32::MAX);
                if let Some(hit) = hits.get_mut(count) {
                    *hit = rule;
                }
                count += 1;
                mask &= mask - 1;
            }
            out.extend_from_slice(hits.get(..count).unwrap_or(&[]));
        }
    }

    /// Those of some rules behind a place that do not reach a threshold.
    fn refuted(&self, open: u64, start: usize, ranks: &[i32]) -> u64 {
        let (mut refuted, mut open) = (0, open);
        while open != 0 {
            let at = start + open.trailing_zeros() as usize;
            let is_reached =
                |(column, rank): (&Vec<i32>, &i32)| column.get(at).is_some_and(|own| own <= rank);
            if !self.columns.iter().zip(ranks).all(is_reached) {
                refuted |= open & open.wrapping_neg();
            }
            open &= open - 1;
        }
        refuted
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.rules.len() * (4 + 13 * self.sides.len())
    }
}

/// Rules that are looked at together.
const CHUNK: usize = 64;

/// Thresholds in classes of about equal size: of two numbers in different classes, the one in the higher is higher.
#[derive(Debug)]
struct Coarse {
    /// The lowest number of each class but the first, in rising order.
    cuts: Vec<i32>,
    /// The class of each threshold.
    classes: Vec<[u8; CHUNK]>,
}

impl Coarse {
    /// `order` has the thresholds of `column`, sorted.
    fn new(column: &[i32], order: &[i32]) -> Self {
        const CLASSES: usize = 256;
        let cut = |class: usize| order.get(class * order.len() / CLASSES).copied();
        let mut cuts: Vec<i32> = (1..CLASSES).filter_map(cut).collect();
        cuts.dedup();
        let mut coarse = Self { cuts, classes: Vec::with_capacity(column.len().div_ceil(CHUNK)) };
        for chunk in column.chunks(CHUNK) {
            let mut classes = [0; CHUNK];
            for (class, threshold) in classes.iter_mut().zip(chunk) {
                *class = coarse.class(*threshold);
            }
            coarse.classes.push(classes);
        }
        coarse
    }

    fn class(&self, number: i32) -> u8 {
        u8::try_from(self.cuts.partition_point(|cut| *cut <= number)).unwrap_or(u8::MAX)
    }
}

/// The lowest bit of each byte.
fn bits(flags: &[u8; CHUNK]) -> u64 {
    let mut mask = 0_u64;
    for (place, eight) in flags.as_chunks::<8>().0.iter().enumerate() {
        // The product gathers the lowest bits of eight bytes in its highest byte.
        let ones = u64::from_le_bytes(*eight) & 0x0101_0101_0101_0101;
        mask |= (ones.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * place);
    }
    mask
}

fn sorted(column: &[i32]) -> (Vec<i32>, Vec<u32>) {
    let mut order: Vec<(i32, u32)> = column.iter().copied().zip(0..).collect();
    order.sort_unstable();
    order.into_iter().unzip()
}
