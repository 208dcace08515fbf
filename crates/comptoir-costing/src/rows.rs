//! Movements as rows: the interface for callers without Arrow. A batch of many rows is faster through columns.

use std::cmp::Ordering;
use std::sync::Arc;

use comptoir_types::{Clock, Decimal};
use hashbrown::HashMap;

use crate::engine::ABSENT;
use crate::error::Error;
use crate::movement::Kind;
use crate::policy::{ClosedPeriod, Policy, Rules};
use crate::posting::NONE;
use crate::reject::{Fault, NumberColumn, RejectCode};
use crate::repeats;
use crate::valuation::columns::{Chunk, Columns, Ids, MISSING, Units};
use crate::valuation::{Valuation, value_columns};

/// One movement of stock. What the kind does not need stays `None`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Movement {
    /// Identity, unique in the history.
    pub id: String,
    /// The item moved.
    pub item: String,
    /// Where it lies, such as a warehouse.
    pub pool: Option<String>,
    /// Microseconds since 1970-01-01, local to the books.
    pub at: i64,
    /// What the movement is.
    pub kind: Kind,
    /// Positive quantity; the kind gives the direction.
    pub quantity: Option<Decimal>,
    /// Amount of money of the whole quantity.
    pub amount: Option<Decimal>,
    /// Unit cost, read when there is no amount.
    pub unit_cost: Option<Decimal>,
    /// Id of the earlier movement that this one refers to.
    pub reference: Option<String>,
    /// Lot or serial number.
    pub lot: Option<String>,
    /// Movements of one group stand or fall together.
    pub group: Option<String>,
    /// Class of the item, which may have choices of its own in the policy.
    pub class: Option<String>,
}

impl Movement {
    /// A movement of a quantity; fill in the rest with struct update syntax.
    #[must_use]
    pub fn new(
        id: impl Into<String>,
        item: impl Into<String>,
        at: i64,
        kind: Kind,
        quantity: Option<Decimal>,
    ) -> Self {
        Self {
            id: id.into(),
            item: item.into(),
            pool: None,
            at,
            kind,
            quantity,
            amount: None,
            unit_cost: None,
            reference: None,
            lot: None,
            group: None,
            class: None,
        }
    }
}

/// Values a history given as rows, in any order.
///
/// ```
/// use comptoir_costing::{Movement, Policy, value};
/// use comptoir_costing::movement::Kind;
/// use comptoir_types::Decimal;
///
/// let receipt = Movement {
///     amount: Some("10.00".parse()?),
///     ..Movement::new("r1", "mug", 0, Kind::Receipt, Some("3".parse()?))
/// };
/// let issue = Movement::new("i1", "mug", 1, Kind::Issue, Some("1".parse()?));
/// let valuation = value(&[receipt, issue], &Policy::default())?;
/// assert_eq!(valuation.balances()[0].value, 667); // 10.00 - 3.33
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Policy`] for a policy that is not coherent, [`Error::TooManyRows`] above 2^32 - 3 rows. A bad movement is no error: it is
/// among [`Valuation::rejected`].
pub fn value(movements: &[Movement], policy: &Policy) -> Result<Valuation, Error> {
    let policy = policy.clone().checked()?;
    let rows = u32::try_from(movements.len()).ok().filter(|rows| *rows < MISSING);
    if rows.is_none() {
        return Err(Error::TooManyRows { rows: movements.len() as u64, limit: u64::from(MISSING) - 1 });
    }
    let columns = columns(movements, &policy)?;
    value_columns(Arc::new(columns), policy)
}

fn columns(movements: &[Movement], policy: &Policy) -> Result<Columns, Error> {
    let given = movements.iter().filter_map(|movement| movement.quantity).map(Decimal::scale).max();
    let quantity_scale = policy.quantity_scale.unwrap_or(given.unwrap_or(0).min(9));
    let mut faults = Vec::new();
    let at = times(movements, policy, &mut faults)?;
    let chunk = Chunk {
        start: 0,
        kind: movements.iter().map(|movement| movement.kind as u8).collect(),
        at: Units::Owned(at),
        quantity: units(
            NumberColumn::Quantity,
            movements.iter().map(|movement| movement.quantity),
            quantity_scale,
            &mut faults,
        ),
        amount: units(
            NumberColumn::Amount,
            movements.iter().map(|movement| movement.amount),
            policy.money_scale,
            &mut faults,
        ),
        unit_cost: units(
            NumberColumn::UnitCost,
            movements.iter().map(|movement| movement.unit_cost),
            policy.cost_scale,
            &mut faults,
        ),
    };
    let (item, names) = codes(movements.iter().map(|movement| Some(movement.item.as_str())));
    let (rules, item_rules) = item_rules(movements, &item, names.len(), policy, &mut faults);
    let first = rows_by_id(movements, &mut faults);
    let reference = movements.iter().map(|movement| match &movement.reference {
        None => NONE,
        Some(id) => first.get(id.as_str()).copied().unwrap_or(MISSING),
    });
    faults.sort_by_key(|(row, _)| *row);
    faults.dedup_by_key(|(row, _)| *row);
    Ok(Columns {
        rows: movements.len(),
        chunks: vec![chunk],
        item,
        items: names.len(),
        pool: codes(movements.iter().map(|movement| movement.pool.as_deref())).0,
        lot: codes(movements.iter().map(|movement| movement.lot.as_deref())).0,
        group: codes(movements.iter().map(|movement| movement.group.as_deref())).0,
        reference: reference.collect(),
        ids: Box::new(TextIds::new(movements)),
        clock: Clock::MICROSECOND,
        utc_offset: 0,
        quantity_scale,
        rules,
        item_rules,
        moved: false,
        faults,
    })
}

/// The row that counts of each id; the others are faults.
fn rows_by_id<'a>(movements: &'a [Movement], faults: &mut Vec<(u32, Fault)>) -> HashMap<&'a str, u32> {
    let mut first: HashMap<&str, u32> = HashMap::new();
    let mut repeated = Vec::new();
    for (row, movement) in (0u32..).zip(movements) {
        let earlier = *first.entry(&movement.id).or_insert(row);
        if earlier != row {
            repeated.push((row, earlier));
        }
    }
    if !repeated.is_empty() {
        let chosen = repeats::choose(repeated, content_order(movements, faults));
        faults.extend(chosen.faults);
        for row in first.values_mut() {
            *row = chosen.moved.get(row).copied().unwrap_or(*row);
        }
    }
    first
}

/// Order of rows by time, then by id and what they say, those that cannot be read last; equal where all of it is the same.
fn content_order<'a>(
    movements: &'a [Movement],
    faults: &[(u32, Fault)],
) -> impl Fn(u32, u32) -> Ordering + use<'a> {
    let unreadable = repeats::unreadable(faults);
    move |one, other| {
        let content = |row: u32| {
            let Movement {
                id,
                item,
                pool,
                at,
                kind,
                quantity,
                amount,
                unit_cost,
                reference,
                lot,
                group,
                class,
            } = movements.get(row as usize)?;
            let names = (id, item, pool, lot, group, reference, class);
            Some((unreadable.contains(&row), at, id, *kind as u8, quantity, amount, unit_cost, names))
        };
        content(one).cmp(&content(other))
    }
}

/// Times of the movements. What lies in a closed period is a fault, or moves to the first open day.
fn times(movements: &[Movement], policy: &Policy, faults: &mut Vec<(u32, Fault)>) -> Result<Vec<i64>, Error> {
    let open = policy.open_from.map_or(Ok(i64::MIN), |day| Clock::MICROSECOND.ticks(day))?;
    let booked = |(row, movement): (u32, &Movement)| {
        if movement.at < open && policy.closed_period == ClosedPeriod::Reject {
            faults.push((row, Fault::new(RejectCode::ClosedPeriod)));
        }
        movement.at.max(open)
    };
    Ok((0u32..).zip(movements).map(booked).collect())
}

/// A column of decimals at one scale; what has more places is a fault of its row.
fn units(
    column: NumberColumn,
    numbers: impl Iterator<Item = Option<Decimal>>,
    scale: u8,
    faults: &mut Vec<(u32, Fault)>,
) -> Units {
    let convert =
        |(row, number): (u32, Option<Decimal>)| match number.map(|number| number.rescale_exact(scale)) {
            None => ABSENT,
            Some(Ok(number)) => number.units(),
            Some(Err(error)) => {
                let too_fine = matches!(error, comptoir_types::Error::ExcessScale { .. });
                let code = if too_fine { RejectCode::ExcessScale } else { RejectCode::Overflow };
                faults.push((row, Fault::of_number(code, column)));
                ABSENT
            }
        };
    Units::Owned((0u32..).zip(numbers).map(convert).collect())
}

/// Codes by first appearance, `NONE` for null; and the names by code.
fn codes<'a>(column: impl Iterator<Item = Option<&'a str>>) -> (Vec<u32>, Vec<&'a str>) {
    let mut known: HashMap<&str, u32> = HashMap::new();
    let mut names = Vec::new();
    let code = |name: Option<&'a str>| match name {
        None => NONE,
        Some(name) => *known.entry(name).or_insert_with(|| {
            names.push(name);
            u32::try_from(names.len() - 1).unwrap_or(NONE)
        }),
    };
    let codes = column.map(code).collect();
    (codes, names)
}

/// Rows whose class is not that of the row which gives their item's.
fn class_conflicts(movements: &[Movement], item: &[u32], first: &[Option<u32>]) -> Vec<(u32, Fault)> {
    let conflict = |((row, movement), item): ((u32, &Movement), &u32)| {
        let giver = first.get(*item as usize).copied().flatten()?;
        let other = movements.get(giver as usize).filter(|other| other.class != movement.class);
        other.map(|_| (row, Fault::with(RejectCode::ClassConflict, 0, i64::from(giver))))
    };
    (0u32..).zip(movements).zip(item).filter_map(conflict).collect()
}

/// The choices of every item. A row whose class is not that of its item's first row in time is a fault.
fn item_rules(
    movements: &[Movement],
    item: &[u32],
    items: usize,
    policy: &Policy,
    faults: &mut Vec<(u32, Fault)>,
) -> (Vec<Rules>, Vec<u32>) {
    let mut first: Vec<Option<u32>> = vec![None; items];
    for (row, item) in (0u32..).zip(item) {
        if let Some(slot) = first.get_mut(*item as usize) {
            slot.get_or_insert(row);
        }
    }
    let conflicts = class_conflicts(movements, item, &first);
    if !conflicts.is_empty() {
        let torn = conflicts.iter().filter_map(|(row, _)| item.get(*row as usize).copied()).collect();
        for (item, row) in repeats::leaders(&torn, item, content_order(movements, faults)) {
            if let Some(slot) = first.get_mut(item as usize) {
                *slot = Some(row);
            }
        }
        faults.extend(class_conflicts(movements, item, &first));
    }
    let named = first.iter().map(|row| row.and_then(|row| movements.get(row as usize)));
    rules_by_item(
        policy,
        named.map(|movement| movement.map(|movement| (movement.item.as_str(), movement.class.as_deref()))),
    )
}

/// The distinct choices and the index of each item's; no indices when the policy makes no difference between items.
pub(crate) fn rules_by_item<'a>(
    policy: &Policy,
    items: impl Iterator<Item = Option<(&'a str, Option<&'a str>)>>,
) -> (Vec<Rules>, Vec<u32>) {
    let mut rules = vec![policy.base()];
    if !policy.has_overrides() {
        return (rules, Vec::new());
    }
    let mut known: HashMap<Rules, u32> = HashMap::from([(policy.base(), 0)]);
    let mut index = Vec::new();
    for named in items {
        let own = named.map_or_else(|| policy.base(), |(item, class)| policy.rules(item, class));
        let place = *known.entry(own).or_insert_with(|| {
            rules.push(own);
            u32::try_from(rules.len() - 1).unwrap_or(0)
        });
        index.push(place);
    }
    (rules, index)
}

#[derive(Debug)]
struct TextIds {
    ids: Vec<String>,
    ascending: bool,
}

impl TextIds {
    fn new(movements: &[Movement]) -> Self {
        let ids: Vec<String> = movements.iter().map(|movement| movement.id.clone()).collect();
        let ascending = ids.is_sorted_by(|one, other| one < other);
        Self { ids, ascending }
    }
}

impl Ids for TextIds {
    fn compare(&self, one: u32, other: u32) -> Ordering {
        self.ids.get(one as usize).cmp(&self.ids.get(other as usize))
    }

    fn ascending(&self) -> bool {
        self.ascending
    }

    fn text(&self, row: u32) -> String {
        self.ids.get(row as usize).cloned().unwrap_or_default()
    }
}
