//! Shares of what several models use together.

use super::Nanos;
use crate::error::Error;

/// Stride scheduling (Waldspurger and Weihl, 1995): each model has a pass that grows with what it has used, divided by
/// its weight, and the model with the smallest pass is next. One that did not want anything for a while starts at the
/// pass of the others: it does not save up.
#[derive(Debug)]
pub struct Fair {
    weights: Vec<u32>,
    passes: Vec<u128>,
    /// Which models wanted something when the last one was picked.
    wanted: Vec<bool>,
    /// The pass of the last model that was picked.
    reached: u128,
}

/// Parts of a nanosecond, so that division by weights loses nothing that matters.
const PARTS: u128 = 1 << 20;

impl Fair {
    /// Shares in proportion to `weights`.
    ///
    /// # Errors
    /// Where a weight is 0.
    pub fn new(weights: &[u32]) -> Result<Self, Error> {
        match weights.iter().position(|&weight| weight == 0) {
            Some(at) => Err(Error::config(format!("models[{at}].weight"), "must be at least 1")),
            None => Ok(Self {
                weights: weights.to_vec(),
                passes: vec![0; weights.len()],
                wanted: vec![false; weights.len()],
                reached: 0,
            }),
        }
    }

    /// The weight of a model.
    #[must_use]
    pub fn weight(&self, model: usize) -> u32 {
        self.weights.get(model).copied().unwrap_or(1)
    }

    /// The model whose turn it is among those that want something.
    pub fn pick(&mut self, wants: impl Fn(usize) -> bool) -> Option<usize> {
        // Only who comes back is moved on: one that stayed keeps what a correction has given it back.
        for (model, (pass, wanted)) in self.passes.iter_mut().zip(&mut self.wanted).enumerate() {
            let before = std::mem::replace(wanted, wants(model));
            if *wanted && !before {
                *pass = (*pass).max(self.reached);
            }
        }
        let wanting = self.passes.iter().zip(&self.wanted).enumerate().filter(|(_, (_, wanted))| **wanted);
        let (pass, model) = wanting.map(|(model, (&pass, _))| (pass, model)).min()?;
        self.reached = pass;
        Some(model)
    }

    /// Says what the model that was picked has used.
    pub fn charge(&mut self, model: usize, cost: Nanos) {
        if let (Some(pass), Some(&weight)) = (self.passes.get_mut(model), self.weights.get(model)) {
            *pass = pass.saturating_add(share(cost, weight));
        }
    }

    /// Says that what a model was charged `charged` for has cost it `cost`.
    pub fn correct(&mut self, model: usize, charged: Nanos, cost: Nanos) {
        if let (Some(pass), Some(&weight)) = (self.passes.get_mut(model), self.weights.get(model)) {
            *pass = pass.saturating_sub(share(charged, weight)).saturating_add(share(cost, weight));
        }
    }
}

/// By how much a cost moves the pass of a model of this weight.
fn share(cost: Nanos, weight: u32) -> u128 {
    u128::from(cost) * PARTS / u128::from(weight.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn use_follows_the_weights_whatever_a_turn_costs() {
        let mut fair = Fair::new(&[1, 3]).unwrap();
        let mut used = [0_u64; 2];
        for _ in 0..4000 {
            let model = fair.pick(|_| true).unwrap();
            let cost = [500, 70][model];
            used[model] += cost;
            fair.charge(model, cost);
        }
        let ratio = used[1] as f64 / used[0] as f64;
        assert!((ratio - 3.0).abs() < 0.02, "{ratio}");
    }

    #[test]
    fn what_was_charged_too_much_comes_back() {
        let mut fair = Fair::new(&[1, 1]).unwrap();
        let mut used = [0_u64; 2];
        for _ in 0..1000 {
            let model = fair.pick(|_| true).unwrap();
            // The first is expected to take twice as long as it does.
            let (charged, cost) = [(20, 10), (10, 10)][model];
            fair.charge(model, charged);
            // Another one is picked meanwhile.
            let other = fair.pick(|_| true).unwrap();
            fair.charge(other, 10);
            fair.correct(model, charged, cost);
            used[model] += cost;
            used[other] += 10;
        }
        assert!(used[0].abs_diff(used[1]) <= 30, "{used:?}");
    }

    #[test]
    fn who_was_away_does_not_save_up() {
        let mut fair = Fair::new(&[1, 1]).unwrap();
        for _ in 0..100 {
            assert_eq!(fair.pick(|model| model == 0), Some(0));
            fair.charge(0, 10);
        }
        let turns: Vec<usize> = (0..6)
            .map(|_| {
                let model = fair.pick(|_| true).unwrap();
                fair.charge(model, 10);
                model
            })
            .collect();
        assert_eq!(turns.iter().filter(|&&model| model == 1).count(), 3);
        assert_eq!(Fair::new(&[1, 0]).unwrap_err().to_string(), "`models[1].weight`: must be at least 1");
    }
}
