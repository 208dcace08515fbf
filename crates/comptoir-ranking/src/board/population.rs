//! Values compared with those of all candidates, or of those of a group. Sums are exact, so that nothing depends on the
//! order of candidates.

use arrow_buffer::BooleanBuffer;

use crate::normalise::{self, Spread};

/// Which rows are compared with each other.
#[derive(Debug, Clone, Copy)]
pub struct Codes<'c> {
    /// The number of the group of each row.
    pub of_rows: &'c [u32],
    /// Whether all rows are one population.
    pub is_one: bool,
}

impl Codes<'_> {
    fn of(self, row: usize) -> usize {
        if self.is_one { 0 } else { self.of_rows.get(row).map_or(0, |code| *code as usize) }
    }

    fn count(self) -> usize {
        if self.is_one { 1 } else { self.of_rows.iter().max().map_or(1, |code| *code as usize + 1) }
    }
}

/// The spread of each population.
#[derive(Debug)]
pub struct Spreads(Vec<Spread>);

impl Spreads {
    /// Of the chosen rows.
    pub fn of(values: &[f64], codes: Codes<'_>, chosen: &BooleanBuffer) -> Self {
        let mut spreads = vec![Spread::default(); codes.count()];
        for row in chosen.set_indices() {
            if let (Some(spread), Some(value)) = (spreads.get_mut(codes.of(row)), values.get(row)) {
                spread.push(*value);
            }
        }
        Self(spreads)
    }

    /// Values between the ends of their population, or fixed ends.
    pub fn min_max(&self, values: &mut [f64], codes: Codes<'_>, fixed: (Option<f64>, Option<f64>)) {
        for (row, value) in values.iter_mut().enumerate() {
            let Some(spread) = self.0.get(codes.of(row)) else { continue };
            let own = spread.ends().unwrap_or((f64::NAN, f64::NAN));
            *value = normalise::min_max(*value, fixed.0.unwrap_or(own.0), fixed.1.unwrap_or(own.1));
        }
    }

    /// Values by the mean and deviation of their population, or fixed ones.
    pub fn z_score(&self, values: &mut [f64], codes: Codes<'_>, fixed: (Option<f64>, Option<f64>)) {
        // A deviation is a division of two large numbers: once for each population.
        let own: Vec<_> = self.0.iter().map(|spread| (spread.mean(), spread.deviation())).collect();
        for (row, value) in values.iter_mut().enumerate() {
            let Some((mean, deviation)) = own.get(codes.of(row)) else { continue };
            let (mean, deviation) = (fixed.0.unwrap_or(*mean), fixed.1.unwrap_or(*deviation));
            *value = normalise::z_score(*value, mean, deviation);
        }
    }
}

/// Two bounds of each population.
#[derive(Debug)]
pub struct Ends(Vec<(f64, f64)>);

impl Ends {
    /// Two quantiles.
    pub fn quantiles(values: &[f64], codes: Codes<'_>, chosen: &BooleanBuffer, shares: (f64, f64)) -> Self {
        let ends = |sorted: &Vec<f64>| {
            (normalise::quantile(sorted, shares.0), normalise::quantile(sorted, shares.1))
        };
        Self(sorted(values, codes, chosen).iter().map(ends).collect())
    }

    /// Changes each value by the bounds of its population.
    pub fn change(&self, values: &mut [f64], codes: Codes<'_>, change: impl Fn(f64, (f64, f64)) -> f64) {
        for (row, value) in values.iter_mut().enumerate() {
            if let Some(ends) = self.0.get(codes.of(row)) {
                *value = change(*value, *ends);
            }
        }
    }
}

/// The share of the population that is smaller.
pub fn percentiles(values: &mut [f64], codes: Codes<'_>, chosen: &BooleanBuffer) {
    let sorted = sorted(values, codes, chosen);
    for (row, value) in values.iter_mut().enumerate() {
        if let Some(sorted) = sorted.get(codes.of(row)) {
            *value = normalise::percentile(sorted, *value);
        }
    }
}

/// The values of each population, ascending.
fn sorted(values: &[f64], codes: Codes<'_>, chosen: &BooleanBuffer) -> Vec<Vec<f64>> {
    let mut sorted = vec![Vec::new(); codes.count()];
    for row in chosen.set_indices() {
        if let (Some(list), Some(value)) = (sorted.get_mut(codes.of(row)), values.get(row))
            && !value.is_nan()
        {
            list.push(*value);
        }
    }
    sorted.iter_mut().for_each(|list| list.sort_unstable_by(f64::total_cmp));
    sorted
}
