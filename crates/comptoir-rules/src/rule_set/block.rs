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
}

impl Block {
    /// A block of rules with their thresholds in the order of `sides`.
    pub(super) fn new(sides: Vec<u32>, mut rows: Vec<(u32, Vec<i32>)>, is_certain: bool) -> Self {
        rows.sort_by_key(|(rule, _)| *rule);
        let rules = rows.iter().map(|(rule, _)| *rule).collect();
        let columns: Vec<Vec<i32>> = (0..sides.len())
            .map(|side| rows.iter().map(|(_, row)| row.get(side).copied().unwrap_or(0)).collect())
            .collect();
        let orders = columns.iter().map(|column| sorted(column)).collect();
        Self { sides, rules, columns, orders, is_certain }
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

    fn search_all(&self, ranks: &[i32], out: &mut Vec<u32>) {
        const CHUNK: usize = 64;
        out.reserve(self.rules.len() / 4);
        for (chunk, rules) in self.rules.chunks(CHUNK).enumerate() {
            let mut flags = [1_u8; CHUNK];
            for (column, rank) in self.columns.iter().zip(ranks) {
                let thresholds = column.get(chunk * CHUNK..).unwrap_or(&[]);
                for (flag, threshold) in flags.iter_mut().zip(thresholds) {
                    *flag &= u8::from(threshold <= rank);
                }
            }
            let mut mask = 0_u64;
            for (eight, flags) in flags.as_chunks::<8>().0.iter().enumerate() {
                // The product gathers the lowest bits of eight bytes in its highest byte.
                let bits = u64::from_le_bytes(*flags).wrapping_mul(0x0102_0408_1020_4080) >> 56;
                mask |= bits << (8 * eight);
            }
            if rules.len() < CHUNK {
                mask &= (1 << rules.len()) - 1;
            }
            while mask != 0 {
                if let Some(rule) = rules.get(mask.trailing_zeros() as usize) {
                    out.push(*rule);
                }
                mask &= mask - 1;
            }
        }
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.rules.len() * (4 + 12 * self.sides.len())
    }
}

fn sorted(column: &[i32]) -> (Vec<i32>, Vec<u32>) {
    let mut order: Vec<(i32, u32)> = column.iter().copied().zip(0..).collect();
    order.sort_unstable();
    order.into_iter().unzip()
}
