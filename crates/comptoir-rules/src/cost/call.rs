use std::sync::Arc;

use super::Bounds;
use super::node::{Estimator, Guess, sized, tenth, to_usize, walk};
use crate::eval::{regex_cost, sort_cost};
use crate::ir::NodeId;
use crate::types::{CostRule, Overload, Type};

/// Units of compiling a pattern at run time, with a margin over what the functions charge.
const COMPILE: u64 = 100;

/// Most characters of a number that is formatted.
const NUMBER: u64 = 700;

impl Estimator<'_> {
    pub(super) fn call(&mut self, function: &str, overloads: &[Arc<Overload>], args: &[NodeId]) -> Guess {
        let types: Vec<Type> = args.iter().map(|arg| self.ty(*arg)).collect();
        let guesses: Vec<Guess> = args.iter().map(|arg| self.guess(*arg)).collect();
        let evaluated = guesses.iter().fold(Bounds::exactly(0), |sum, guess| sum + guess.cost);
        let ruled =
            overloads.iter().map(|overload| ruled(overload.cost, &types, &guesses)).reduce(Bounds::or);
        let size = |index: usize| guesses.get(index).map_or(0, |guess| guess.size.max);
        let element = guesses.first().map_or(0, |guess| self.part(guess, "[]").size.max);
        let extra =
            extra(function, &size, element).saturating_add(self.comparisons(function, &types, &guesses));
        let cost = evaluated + ruled.unwrap_or(Bounds::exactly(0)) + Bounds::up_to(extra);
        sized(cost, Bounds::up_to(result(function, &size, element, guesses.len())))
    }
}

impl Estimator<'_> {
    /// What functions that compare elements with each other go over beyond the elements.
    fn comparisons(&self, function: &str, types: &[Type], args: &[Guess]) -> u64 {
        let ([Type::List(element), ..], [first, rest @ ..]) = (types, args) else { return 0 };
        let each = self.comparison(element, &self.part(first, "[]")).max;
        let other = rest.first().map_or(first.size.max, |other| other.size.max);
        match function {
            "distinct" | "sets.contains" | "sets.intersects" | "sets.equivalent" => {
                let pairs = first.size.max.saturating_mul(other).saturating_mul(2);
                let all = pairs.saturating_mul(each);
                if each == 0 { 0 } else { all }
            }
            _ => 0,
        }
    }
}

fn ruled(rule: CostRule, types: &[Type], args: &[Guess]) -> Bounds {
    match rule {
        CostRule::Constant => Bounds::exactly(0),
        CostRule::Fixed(units) => Bounds::exactly(units),
        CostRule::Linear => {
            let walks = types.iter().zip(args).map(|(ty, arg)| walk(ty, arg.size));
            walks.fold(Bounds::exactly(0), |sum, walk| sum + walk)
        }
        CostRule::Regex => {
            let size = |index: usize| args.get(index).map_or(0, |arg| to_usize(arg.size.max));
            Bounds::up_to(regex_cost(size(0), size(1)))
        }
    }
}

/// What functions of the library charge beyond their rule, at most.
fn extra(function: &str, size: &dyn Fn(usize) -> u64, element: u64) -> u64 {
    let regex = || COMPILE.saturating_add(regex_cost(to_usize(size(0)), to_usize(size(1))));
    match function {
        "startsWith" | "endsWith" => tenth(size(1)),
        "string" => tenth(size(0)),
        "matches" | "regex.extract" | "regex.extractAll" => regex(),
        "regex.replace" | "replace" | "join" | "format" => {
            let text = result(function, size, element, 3);
            let compiled = if function == "regex.replace" { regex() } else { 0 };
            compiled.saturating_add(tenth(text))
        }
        "split" => size(0),
        "sort" => sort_cost(to_usize(size(0))),
        "distinct" => size(0).saturating_add(size(0).saturating_mul(size(0))),
        "sets.contains" | "sets.intersects" => size(0).saturating_mul(size(1)),
        "sets.equivalent" => size(0).saturating_mul(size(1)).saturating_mul(2),
        "lists.range" | "flatten" => u64::MAX,
        _ => 0,
    }
}

/// The size of the value of a function of the library, at most.
fn result(function: &str, size: &dyn Fn(usize) -> u64, element: u64, args: usize) -> u64 {
    let all = (0..args).fold(0_u64, |sum, index| sum.saturating_add(size(index)));
    match function {
        // Between all characters, and before and behind them, something may be put in.
        "replace" => size(0).saturating_add(size(0).saturating_add(1).saturating_mul(size(2))),
        "regex.replace" => {
            let with = size(2).saturating_mul(size(0).saturating_add(1));
            size(0).saturating_add(size(0).saturating_add(1).saturating_mul(with))
        }
        "join" => size(0).saturating_mul(element.saturating_add(size(1))),
        "format" => size(0).saturating_add(size(1).saturating_mul(NUMBER).saturating_add(u64::MAX)),
        "strings.quote" | "base64.encode" => size(0).saturating_mul(2).saturating_add(4),
        "string" => size(0).saturating_add(NUMBER),
        "split" => size(0).saturating_add(1),
        "lists.range" | "flatten" | "optional.of" | "value" | "dyn" | "unwrapOpt" | "optional.unwrap" => {
            u64::MAX
        }
        _ => all,
    }
}
