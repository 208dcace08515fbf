//! The events of month-start reversal (月初回冲): estimates taken back and made again at every month's border.

use comptoir_types::{Clock, Date};

use super::{ABSENT, Auto, Context, Event};
use crate::movement::Kind;
use crate::posting::NONE;

/// Adds to the events of a component those of its provisional receipts under month-start reversal, up to the last instant of the history,
/// each at its place in time.
///
/// The estimate is taken back at the first instant of each month after the receipt, and made again at the last instant of that month.
pub(crate) fn with_month_borders(
    events: &mut Vec<Event>,
    is_reversed: impl Fn(&Event) -> bool,
    Context { clock, utc_offset, until, track_ages, .. }: Context,
) {
    let mut borders = Vec::new();
    let span = Span {
        clock,
        utc_offset,
        until,
        // Where only the stock of the last day is asked for, no one sees the months before it.
        kept: if track_ages { 1 } else { MONTHS_WITHOUT_MOVEMENT },
        last: events.last().map_or(i64::MIN, |event| event.at),
        end: clock.date(until.saturating_add(1), utc_offset).map(Date::first_of_month).ok(),
    };
    for (index, event) in events.iter().enumerate() {
        if event.kind == Kind::ProvisionalReceipt && is_reversed(event) {
            borders_of(&mut borders, index, event, &span);
        }
    }
    if borders.is_empty() {
        return;
    }
    // Sorted by time; at one instant the estimates made again stand before those taken back, and both before movements.
    borders.sort_by_key(|event| (event.at, event.auto == Auto::EstimateOut, event.reference));
    merge(events, borders);
}

/// Months without a movement of a component in which the books still show its estimates: twenty years.
const MONTHS_WITHOUT_MOVEMENT: i32 = 240;

/// The time in which months begin.
struct Span {
    clock: Clock,
    utc_offset: i64,
    until: i64,
    /// Months that are kept after the last event.
    kept: i32,
    /// Last event of the component.
    last: i64,
    /// First day of the month of the instant after the end.
    end: Option<Date>,
}

impl Span {
    /// The month after `month`. Once nothing happens any more, months repeat themselves: after some of them all but the last are left out,
    /// so that a day far in the future costs no more than one near.
    fn next(&self, month: Date, is_idle: bool) -> Result<Date, comptoir_types::Error> {
        let next = month.next_month()?;
        Ok(self.end.filter(|end| is_idle && *end > next).unwrap_or(next))
    }
}

fn borders_of(borders: &mut Vec<Event>, index: usize, event: &Event, span: &Span) {
    let Span { clock, utc_offset, until, last, .. } = *span;
    let Ok(reference) = u32::try_from(index) else {
        return;
    };
    let mut month = clock.date(event.at, utc_offset).and_then(|date| date.first_of_month().next_month());
    let mut first = true;
    let mut idle_months = 0;
    while let Ok(at) = month.as_ref().map_err(|_| ()).and_then(|month| clock.ticks(*month).map_err(|_| ())) {
        let at = at - utc_offset;
        if at - 1 > until {
            break;
        }
        let border = |auto| Event {
            at,
            qty: ABSENT,
            amount: ABSENT,
            unit_cost: ABSENT,
            row: event.row,
            key: event.key,
            reference,
            lot: event.lot,
            group: NONE,
            kind: Kind::ProvisionalReceipt,
            auto,
        };
        if !first {
            // The last instant of the month before: the goods stand in the books when it closes.
            borders.push(Event { at: at - 1, ..border(Auto::EstimateIn) });
        }
        if at > until {
            break;
        }
        borders.push(border(Auto::EstimateOut));
        first = false;
        idle_months += i32::from(at > last);
        month = month.and_then(|month| span.next(month, idle_months > span.kept));
    }
}

/// Merges both lists by time; references to events are moved along.
fn merge(events: &mut Vec<Event>, borders: Vec<Event>) {
    let old = std::mem::take(events);
    let mut place = vec![NONE; old.len()];
    let mut borders = borders.into_iter().peekable();
    for (index, event) in old.into_iter().enumerate() {
        while let Some(border) = borders.next_if(|border| border.at <= event.at) {
            events.push(border);
        }
        if let (Some(slot), Ok(now)) = (place.get_mut(index), u32::try_from(events.len())) {
            *slot = now;
        }
        events.push(event);
    }
    events.extend(borders);
    for event in events {
        if let Some(now) = place.get(event.reference as usize) {
            event.reference = *now;
        }
    }
}
