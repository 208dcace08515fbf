//! The passes in order: the short way for plain items, the engine for all others, with the groups that make a second round necessary.

use comptoir_types::decimal::pow10;
use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;

use super::Balance;
use super::bucket::{self, Job, Key, RowCorrection};
use super::check::Checks;
use super::columns::Columns;
use super::engine_lines;
use super::lines::{Lines, RangePostings};
use super::partition;
use super::plain;
use super::plan::{self, Plan};
use super::route;
use crate::engine::{ABSENT, Context, KeyRules, Layer, Stock, share};
use crate::error::Error;
use crate::movement::Kind;
use crate::policy::{Policy, Provisional, Rules};
use crate::posting::{NONE, OpenLayer};
use crate::reject::{Fault, RejectCode};

/// What a run over a history gives.
#[derive(Default)]
pub(crate) struct Outcome {
    pub ranges: Vec<RangePostings>,
    pub corrections: Vec<RowCorrection>,
    pub balances: Vec<Balance>,
    pub layers: Vec<OpenLayer>,
    /// Rows that are not in the books, ascending.
    pub faults: Vec<(u32, Fault)>,
}

/// Marks rows after the instant up to which a history is valued; they are no rejections.
const AFTER: Fault = Fault::with(RejectCode::TimeRange, i64::MAX, 0);

/// The books up to an instant of a history that has been valued as a whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before<'a> {
    /// First instant that is left out, in ticks.
    pub border: i64,
    /// Rows that are not in the books, also where the reason came later, such as another member of their group.
    pub rejected: &'a [(u32, Fault)],
}

/// Values the rows before an instant, or all. Where ages are tracked, layers are wanted and no lines are made.
pub(crate) fn run(
    columns: &Columns,
    policy: &Policy,
    context: &Context,
    before: Option<Before<'_>>,
) -> Result<Outcome, Error> {
    let rules = key_rules(columns, policy, context)?;
    let checks = Checks::new(context);
    let plan = Plan::new(columns);
    let excluded = excluded(columns, before);
    let until = match before {
        Some(Before { border, .. }) => border - 1,
        None if columns.rules.iter().any(looks_ahead) => last_instant(columns, &excluded),
        None => i64::MIN,
    };
    let context = &Context { until, ..*context };
    let job = Job { columns, plan: &plan, policy, context, rules: &rules };
    let plain = plain::run(&job, &checks, &excluded, route::engine_items(&job));
    let mut outcome = Outcome {
        balances: plain.balances,
        layers: plain.layers,
        faults: plain.faults,
        ..Outcome::default()
    };
    outcome.faults.extend(&excluded);
    outcome.faults.sort_by_key(|(row, _)| *row);
    let mut lines = plain.lines;
    if plain.engine_items.contains(&true) {
        run_engine(&job, &checks, &plain.engine_items, &mut lines, &mut outcome);
    }
    let finished = plan.ranges.par_iter().zip(lines).map(|((chunk, rows), lines)| {
        let start = columns.chunks.get(*chunk).map_or(0, |chunk| chunk.start);
        lines.finish(*chunk, start + rows.start..start + rows.end)
    });
    outcome.ranges = finished.collect();
    outcome.faults.retain(|(_, fault)| *fault != AFTER);
    Ok(outcome)
}

/// Values `items` by the engine and writes their lines.
///
/// Items are valued apart. Only when production receipts take their cost from other items, or when a group over several items has a
/// rejected member, are the items that groups link valued together.
fn run_engine(job: &Job<'_>, checks: &Checks, items: &[bool], lines: &mut Vec<Lines>, outcome: &mut Outcome) {
    let columns = job.columns;
    let groups_span_items = plan::groups_link_items(columns);
    let mut plan = Plan::new(columns);
    if groups_span_items && has_unpriced_production(columns) {
        plan = plan.with_links(columns);
    }
    let given = std::mem::take(&mut outcome.faults);
    let mut excluded = given.clone();
    loop {
        let mut partition = partition::partition(columns, &plan, checks, items, &excluded);
        excluded.extend(&partition.faults);
        excluded.sort_by_key(|(row, _)| *row);
        if ban_groups(columns, &mut excluded) {
            continue;
        }
        let job = Job { plan: &plan, ..*job };
        let parts = partition.by_bucket(plan.buckets).into_par_iter();
        let results: Vec<_> = parts.map(|parts| bucket::run_bucket(&job, parts)).collect();
        let mut faults = excluded.clone();
        faults.extend(results.iter().flat_map(|result| &result.faults));
        faults.sort_by_key(|(row, _)| *row);
        if groups_span_items && !plan.is_linked() && broken_groups(columns, &faults).next().is_some() {
            plan = plan.with_links(columns);
            excluded.clone_from(&given);
            continue;
        }
        if !job.context.track_ages {
            engine_lines::write(&job, items, partition.ranges, &excluded, lines);
        }
        outcome.faults = faults;
        for result in results {
            outcome.corrections.extend(result.corrections);
            outcome.balances.extend(result.balances);
            outcome.layers.extend(result.layers);
        }
        return;
    }
}

/// Scales, rounding and calendar of a call.
pub(crate) fn context(columns: &Columns, policy: &Policy) -> Result<Context, Error> {
    let quantity_and_cost = columns.quantity_scale + policy.cost_scale;
    let too_fine =
        || Error::policy("cost_scale", "quantity_scale + cost_scale - money_scale must not exceed 18");
    let down = pow10(quantity_and_cost.saturating_sub(policy.money_scale)).ok_or_else(too_fine)?;
    let up = pow10(policy.money_scale.saturating_sub(quantity_and_cost)).ok_or_else(too_fine)?;
    Ok(Context {
        rounding: policy.rounding,
        price_up: up,
        price_down: down,
        track_ages: false,
        clock: columns.clock,
        utc_offset: columns.utc_offset,
        until: i64::MIN,
    })
}

/// The choices of the columns with their costs in units and their dates in ticks.
fn key_rules(columns: &Columns, policy: &Policy, context: &Context) -> Result<Vec<KeyRules>, Error> {
    let units = |cost: Option<comptoir_types::Decimal>| -> Result<Option<i64>, Error> {
        cost.map(|cost| cost.rescale_exact(policy.cost_scale).map(|cost| cost.units()))
            .transpose()
            .map_err(Error::from)
    };
    let convert = |rules: &Rules| -> Result<KeyRules, Error> {
        let switch_at = rules.switch.map(|switch| context.clock.ticks(switch.from)).transpose()?;
        Ok(KeyRules {
            rules: *rules,
            fallback: units(rules.fallback_cost)?,
            standard: units(rules.standard_cost)?,
            switch_at: switch_at.map(|ticks| ticks - context.utc_offset),
        })
    };
    columns.rules.iter().map(convert).collect()
}

/// Rows left out from the start: those that could not be read, and those after the border.
fn excluded(columns: &Columns, before: Option<Before<'_>>) -> Vec<(u32, Fault)> {
    let mut excluded = columns.faults.clone();
    if let Some(Before { border, rejected }) = before {
        let known: HashSet<u32> = excluded.iter().map(|(row, _)| *row).collect();
        excluded.extend(rejected.iter().filter(|(row, _)| !known.contains(row)));
        let known: HashSet<u32> = excluded.iter().map(|(row, _)| *row).collect();
        let rows = columns.chunks.iter().flat_map(|chunk| (chunk.start..).zip(chunk.at.iter()));
        let after = rows.filter(|(_, at)| **at >= border).filter_map(|(row, _)| u32::try_from(row).ok());
        excluded.extend(after.filter(|row| !known.contains(row)).map(|row| (row, AFTER)));
        excluded.sort_by_key(|(row, _)| *row);
    }
    excluded
}

/// Whether something happens between or after the movements.
const fn looks_ahead(rules: &Rules) -> bool {
    matches!(rules.provisional, Provisional::MonthStartReversal) || rules.switch.is_some()
}

/// The last instant of a movement that takes part.
fn last_instant(columns: &Columns, excluded: &[(u32, Fault)]) -> i64 {
    let (first, last) = columns.clock.range();
    let gone: HashSet<u32> = excluded.iter().map(|(row, _)| *row).collect();
    let rows = columns.chunks.iter().flat_map(|chunk| (chunk.start..).zip(chunk.at.iter()));
    let valid =
        rows.filter(|(row, at)| **at <= last && !(u32::try_from(*row).is_ok_and(|row| gone.contains(&row))));
    valid.map(|(_, at)| *at).max().unwrap_or(first)
}

fn has_unpriced_production(columns: &Columns) -> bool {
    columns.chunks.iter().any(|chunk| {
        chunk.kind.iter().enumerate().any(|(place, kind)| {
            let given = |column: &[i64]| column.get(place).is_some_and(|amount| *amount != ABSENT);
            *kind == Kind::ProductionReceipt as u8 && !given(&chunk.amount) && !given(&chunk.unit_cost)
        })
    })
}

/// Groups of which some member is rejected for a reason of its own.
fn broken_groups<'a>(columns: &'a Columns, faults: &'a [(u32, Fault)]) -> impl Iterator<Item = u32> + 'a {
    let rejected = faults.iter().filter(|(_, fault)| {
        *fault != AFTER && !matches!(fault.code, RejectCode::DuplicateIgnored | RejectCode::GroupRejected)
    });
    rejected.map(|(row, _)| Columns::code(&columns.group, *row)).filter(|group| *group != NONE)
}

/// Excludes the other members of groups of which one is excluded. Whether any was added.
fn ban_groups(columns: &Columns, excluded: &mut Vec<(u32, Fault)>) -> bool {
    let broken: HashSet<u32> = broken_groups(columns, excluded).collect();
    if broken.is_empty() {
        return false;
    }
    let known: HashMap<u32, Fault> = excluded.iter().copied().collect();
    let before = excluded.len();
    for (row, group) in (0u32..).zip(&columns.group) {
        if broken.contains(group) && !known.contains_key(&row) {
            excluded.push((row, Fault::new(RejectCode::GroupRejected)));
        }
    }
    excluded.sort_by_key(|(row, _)| *row);
    excluded.len() > before
}

/// The open layers of a key whose method keeps layers.
pub(crate) fn open_layers(key: Key, stock: &Stock, row_of: impl Fn(u32) -> u32) -> Vec<OpenLayer> {
    stock.open_layers().map(|layer| OpenLayer { row: row_of(layer.origin), ..of_layer(key, layer) }).collect()
}

/// The layers of a key under any method, with the key's value shared out by quantity where the method has no layers.
pub(crate) fn aged_layers(key: Key, stock: &Stock, now: i64, context: &Context) -> Vec<OpenLayer> {
    if stock.qty < 0 {
        let short = OpenLayer {
            item: key.item,
            pool: key.pool,
            lot: key.lot,
            row: NONE,
            at: now,
            quantity: stock.qty,
            value: stock.value,
        };
        return vec![short];
    }
    let mut layers: Vec<OpenLayer> = stock.open_layers().map(|layer| of_layer(key, layer)).collect();
    if !stock.method.keeps_layers() {
        share_out((stock.qty, stock.value), &mut layers, context);
    }
    layers
}

/// Shares the value of a stock out to its layers by quantity.
pub(super) fn share_out((qty, value): (i64, i64), layers: &mut [OpenLayer], context: &Context) {
    let (mut left_qty, mut left_value) = (qty, value);
    for layer in layers {
        layer.value = share(left_value, layer.quantity, left_qty, context.rounding);
        left_qty -= layer.quantity;
        left_value -= layer.value;
    }
}

fn of_layer(key: Key, layer: &Layer) -> OpenLayer {
    let lot = if layer.lot == NONE { key.lot } else { layer.lot };
    OpenLayer {
        item: key.item,
        pool: key.pool,
        lot,
        row: NONE,
        at: layer.at,
        quantity: layer.qty,
        value: layer.value,
    }
}
