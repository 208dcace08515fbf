//! Second pass: the items of one bucket are put in book order and valued, one component after another.

use hashbrown::{HashMap, HashSet};

use super::Balance;
use super::columns::Columns;
use super::lines::REJECTED;
use super::order::{book_order, by_component, is_in_order};
use super::partition::{Record, Slot, follows_reference, uses_reference};
use super::plan::Plan;
use super::run::{aged_layers, open_layers};
use crate::engine::{ABSENT, Auto, Context, Correction, Event, KeyRules, Line, Stock, run};
use crate::movement::{Kind, Reason};
use crate::policy::{Policy, Provisional, Scope};
use crate::posting::{NONE, OpenLayer};
use crate::reject::{Fault, RejectCode};

/// The unit within which cost is averaged or layered, by codes; `NONE` where the policy's scope does not tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Item code.
    pub item: u32,
    /// Pool code.
    pub pool: u32,
    /// Lot code.
    pub lot: u32,
}

/// What every bucket of a call shares.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub columns: &'a Columns,
    pub plan: &'a Plan,
    pub policy: &'a Policy,
    pub context: &'a Context,
    /// Choices by index in the columns' rules.
    pub rules: &'a [KeyRules],
}

/// A correction with rows and codes instead of places in a component.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowCorrection {
    pub row: u32,
    pub adjusts: u32,
    pub reason: Reason,
    pub key: Key,
    pub at: i64,
    pub line: Line,
}

/// What one bucket gives.
#[derive(Debug, Default)]
pub(crate) struct BucketResult {
    /// While a bucket is valued, the line of each record, in the order of the records; see [`REJECTED`].
    pub lines: Vec<Line>,
    pub corrections: Vec<RowCorrection>,
    pub faults: Vec<(u32, Fault)>,
    /// Quantity and value of each key at the end.
    pub balances: Vec<Balance>,
    /// Open layers: of the methods that keep them, or of all when ages are tracked.
    pub layers: Vec<OpenLayer>,
}

/// Values one bucket. `parts` are its records by range; each slot gets the line of its record.
pub(crate) fn run_bucket(job: &Job<'_>, parts: Vec<&mut [Slot]>) -> BucketResult {
    let records: Vec<Record> = parts.iter().flat_map(|part| part.iter()).map(Record::from_slot).collect();
    let mut result = BucketResult { lines: vec![Line::default(); records.len()], ..BucketResult::default() };
    let order = if is_in_order(job, &records) { None } else { Some(book_order(job, &records)) };
    let (starts, order) = by_component(job, &records, order.as_deref());
    let mut bucket = Bucket::new(job, &records);
    for window in starts.windows(2) {
        if let [start, end] = window
            && start < end
        {
            bucket.run_component(order.get(*start..*end).unwrap_or_default(), &mut result);
        }
    }
    let slots = parts.into_iter().flat_map(|part| part.iter_mut());
    for (slot, line) in slots.zip(&result.lines) {
        *slot = [line.quantity, line.value, line.on_hand, line.on_hand_value, line.variance];
    }
    result.lines = Vec::new();
    result
}

/// Memory that the components of a bucket use one after another.
struct Bucket<'a, 'b> {
    job: &'b Job<'a>,
    records: &'b [Record],
    events: Vec<Event>,
    keys: Vec<(Key, KeyRules)>,
    book: run::Book,
    /// Record of each event, or `NONE` for those that the engine makes itself.
    places: Vec<u32>,
}

impl<'a, 'b> Bucket<'a, 'b> {
    fn new(job: &'b Job<'a>, records: &'b [Record]) -> Self {
        Self {
            job,
            records,
            events: Vec::new(),
            keys: Vec::new(),
            book: run::Book::default(),
            places: Vec::new(),
        }
    }

    /// Values one component, whose records are given in book order.
    fn run_component(&mut self, order: &[u32], result: &mut BucketResult) {
        let mut linked = self.make_events(order, result);
        let rules: Vec<KeyRules> = self.keys.iter().map(|(_, rules)| *rules).collect();
        let is_reversed = |key: &KeyRules| key.rules.provisional == Provisional::MonthStartReversal;
        if rules.iter().any(is_reversed)
            && self.events.iter().any(|event| event.kind == Kind::ProvisionalReceipt)
        {
            self.add_month_borders(|event| rules.get(event.key as usize).is_some_and(is_reversed));
            // They refer to the receipts.
            linked = true;
        }
        let stocks = run::run_component(self.job.context, &rules, &self.events, linked, &mut self.book);
        self.take_book(result);
        self.take_stocks(stocks, result);
    }

    fn record(&self, place: u32) -> Option<&Record> {
        self.records.get(place as usize)
    }

    /// Turns records in book order into events; whether any refers to another or belongs to a group.
    fn make_events(&mut self, order: &[u32], result: &mut BucketResult) -> bool {
        self.events.clear();
        self.places.clear();
        self.keys.clear();
        let columns = self.job.columns;
        let has_links = !columns.reference.is_empty() || !columns.group.is_empty();
        let mut index_of: HashMap<u32, u32> = HashMap::new();
        if has_links && !columns.reference.is_empty() {
            let rows = order.iter().filter_map(|place| self.record(*place)).map(|record| record.row);
            index_of.extend(rows.zip(0u32..));
        }
        let mut linked = false;
        let mut keys: HashMap<Key, u32> = HashMap::new();
        for place in order {
            let Some(record) = self.record(*place).copied() else {
                continue;
            };
            let event = self.event(&record, &index_of, &mut keys);
            linked |= event.reference != NONE || event.group != NONE || event.key == NONE;
            self.events.push(event);
            self.places.push(*place);
        }
        if linked && self.events.iter().any(|event| event.key == NONE) {
            self.drop_dangling(result);
        }
        linked
    }

    fn event(
        &mut self,
        record: &Record,
        index_of: &HashMap<u32, u32>,
        keys: &mut HashMap<Key, u32>,
    ) -> Event {
        let columns = self.job.columns;
        let row = record.row;
        let mut reference = NONE;
        let mut dangling = false;
        let mut key_row = (record.pool, Columns::code(&columns.lot, row));
        if uses_reference(record.kind) {
            let target = Columns::code(&columns.reference, row);
            if target != NONE {
                reference = index_of.get(&target).copied().unwrap_or(NONE);
                dangling = reference == NONE;
                if follows_reference(record.kind) {
                    let target = columns.stands_at(target);
                    key_row = (Columns::code(&columns.pool, target), Columns::code(&columns.lot, target));
                }
            }
        }
        Event {
            at: record.at,
            qty: record.qty,
            amount: record.amount,
            unit_cost: self.unit_cost(row),
            row,
            key: if dangling { NONE } else { self.key(record.item, key_row, keys) },
            reference,
            lot: key_row.1,
            group: Columns::code(&columns.group, row),
            kind: record.kind,
            auto: Auto::No,
        }
    }

    /// The unit cost that a row's amount was made of; `ABSENT` when the row gives an amount.
    fn unit_cost(&self, row: u32) -> i64 {
        let Some((chunk, place)) =
            self.job.columns.locate(row).filter(|(chunk, _)| !chunk.unit_cost.is_empty())
        else {
            return ABSENT;
        };
        let given = chunk.amount.get(place).is_some_and(|amount| *amount != ABSENT);
        if given { ABSENT } else { chunk.unit_cost.get(place).copied().unwrap_or(ABSENT) }
    }

    /// The place of a key in the component; most components have few.
    fn key(&mut self, item: u32, (pool, lot): (u32, u32), keys: &mut HashMap<Key, u32>) -> u32 {
        let key = match self.job.policy.scope {
            Scope::Item => Key { item, pool: NONE, lot: NONE },
            Scope::Pool => Key { item, pool, lot: NONE },
            Scope::Lot => Key { item, pool, lot },
        };
        if let Some(((first, _), true)) = self.keys.first().map(|first| (first, first.0 == key)) {
            debug_assert_eq!(*first, key);
            return 0;
        }
        let next = self.keys.len();
        let place = *keys.entry(key).or_insert_with(|| u32::try_from(next).unwrap_or(NONE));
        if place as usize == next {
            let rules = self.job.rules.get(self.job.columns.rules_of(item)).copied();
            if let Some(rules) = rules {
                self.keys.push((key, rules));
            }
        }
        place
    }

    /// Removes events that refer to a movement which did not pass its checks, and what refers to them.
    fn drop_dangling(&mut self, result: &mut BucketResult) {
        let mut dangling: Vec<bool> = self.events.iter().map(|event| event.key == NONE).collect();
        let own = |event: &Event| event.key == NONE && event.group != NONE;
        let mut fallen: HashSet<u32> =
            self.events.iter().filter(|event| own(event)).map(|event| event.group).collect();
        let mut spreads = true;
        while std::mem::take(&mut spreads) {
            for (place, event) in self.events.iter().enumerate() {
                let gone = dangling.get(event.reference as usize).copied().unwrap_or(false)
                    || fallen.contains(&event.group);
                if gone && let Some(flag) = dangling.get_mut(place) {
                    spreads |= !*flag;
                    *flag = true;
                    if event.group != NONE {
                        fallen.insert(event.group);
                    }
                }
            }
        }
        let mut now = Vec::with_capacity(dangling.len());
        let mut kept = 0u32;
        for gone in &dangling {
            now.push(if *gone { NONE } else { kept });
            kept += u32::from(!gone);
        }
        let events = std::mem::take(&mut self.events);
        let places = std::mem::take(&mut self.places);
        for ((event, place), gone) in events.into_iter().zip(places).zip(dangling) {
            if gone {
                let by_group = event.key != NONE && fallen.contains(&event.group);
                let code = if by_group { RejectCode::GroupRejected } else { RejectCode::ReferenceRejected };
                reject(result, place, event.row, Fault::new(code));
            } else {
                let reference = now.get(event.reference as usize).copied().unwrap_or(NONE);
                self.events.push(Event { reference, ..event });
                self.places.push(place);
            }
        }
    }

    fn add_month_borders(&mut self, is_reversed: impl Fn(&Event) -> bool) {
        crate::engine::with_month_borders(&mut self.events, is_reversed, *self.job.context);
        let mut old = std::mem::take(&mut self.places).into_iter();
        let places = self
            .events
            .iter()
            .map(|event| if event.auto == Auto::No { old.next().unwrap_or(NONE) } else { NONE });
        self.places = places.collect();
    }

    /// Writes what every key has at the end to the bucket's result.
    fn take_stocks(&self, stocks: Vec<Stock>, result: &mut BucketResult) {
        let context = self.job.context;
        for ((key, _), stock) in self.keys.iter().zip(stocks) {
            result.balances.push(Balance { key: *key, quantity: stock.qty, value: stock.value });
            if context.track_ages {
                result.layers.extend(aged_layers(*key, &stock, context.until, context));
            } else if stock.method.keeps_layers() {
                let row = |index: u32| self.events.get(index as usize).map_or(NONE, |event| event.row);
                result.layers.extend(open_layers(*key, &stock, row));
            }
        }
    }

    /// Writes the component's books to the bucket's result.
    fn take_book(&mut self, result: &mut BucketResult) {
        for ((event, place), outcome) in self.events.iter().zip(&self.places).zip(&self.book.outcomes) {
            match outcome {
                run::Outcome::Posted(_, line) => {
                    if let Some(slot) = result.lines.get_mut(*place as usize) {
                        *slot = *line;
                    }
                }
                run::Outcome::Rejected(fault) => reject(result, *place, event.row, *fault),
                run::Outcome::Open => {}
            }
        }
        let row = |index: u32| self.events.get(index as usize).map_or(NONE, |event| event.row);
        for Correction { cause, adjusts, reason, key, at, line } in self.book.corrections.iter().copied() {
            let Some((key, _)) = self.keys.get(key as usize).copied() else {
                continue;
            };
            result.corrections.push(RowCorrection {
                row: row(cause),
                adjusts: row(adjusts),
                reason,
                key,
                at,
                line,
            });
        }
    }
}

fn reject(result: &mut BucketResult, place: u32, row: u32, fault: Fault) {
    if let Some(slot) = result.lines.get_mut(place as usize) {
        slot.on_hand = REJECTED;
    }
    result.faults.push((row, fault));
}
