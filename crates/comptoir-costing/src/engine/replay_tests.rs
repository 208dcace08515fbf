//! Calculating again from a state on the way gives what calculating all of it does.

use comptoir_types::{Clock, Rounding};
use proptest::prelude::*;

use super::history::{History, Laid};
use super::machine::Machine;
use super::replay::Replay;
use super::run::step;
use super::{ABSENT, Auto, Context, Discard, Event, KeyRules};
use crate::movement::Kind;
use crate::policy::{Amendment, Method, Negative, Rules};
use crate::posting::NONE;
use crate::reject::Fault;

const CONTEXT: Context = Context {
    rounding: Rounding::HalfEven,
    price_up: 1,
    price_down: 10_000,
    track_ages: false,
    clock: Clock::SECOND,
    utc_offset: 0,
    until: i64::MIN,
};

type Step = (Kind, i64, i64, prop::sample::Index);

const KINDS: [Kind; 16] = [
    Kind::Receipt,
    Kind::Receipt,
    Kind::Receipt,
    Kind::ProvisionalReceipt,
    Kind::Issue,
    Kind::Issue,
    Kind::Issue,
    Kind::CountLoss,
    Kind::Count,
    Kind::SalesReturn,
    Kind::Reversal,
    Kind::Amendment,
    Kind::TransferOut,
    Kind::TransferIn,
    Kind::ProductionIssue,
    Kind::ProductionReceipt,
];

/// What a movement of a kind may refer to.
fn origins(kind: Kind) -> &'static [Kind] {
    match kind {
        Kind::SalesReturn => &[Kind::Issue],
        Kind::TransferIn => &[Kind::TransferOut],
        Kind::Amendment => &[Kind::Receipt, Kind::Issue, Kind::ProductionReceipt],
        Kind::Reversal => &[
            Kind::Receipt,
            Kind::ProvisionalReceipt,
            Kind::Issue,
            Kind::SalesReturn,
            Kind::TransferIn,
            Kind::ProductionReceipt,
        ],
        _ => &[],
    }
}

/// Movements of two keys: flour, of which bread is made. What would refer to nothing is an issue.
fn events(steps: &[Step]) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    for (index, (kind, qty, amount, pick)) in (0u32..).zip(steps) {
        let near = events.len().saturating_sub(40);
        let known: Vec<u32> = (0u32..)
            .zip(&events)
            .skip(if amount % 3 == 0 { 0 } else { near })
            .filter(|(_, event)| origins(*kind).contains(&event.kind))
            .map(|(place, _)| place)
            .collect();
        let refers = !origins(*kind).is_empty();
        let kind = if refers && known.is_empty() { Kind::Issue } else { *kind };
        let reference = if refers && !known.is_empty() { *pick.get(&known) } else { NONE };
        let origin = events.get(reference as usize).map(|event| event.key);
        let key = match kind {
            Kind::ProductionIssue => 0,
            Kind::ProductionReceipt => 1,
            _ => origin.unwrap_or(u32::from(amount % 2 == 0)),
        };
        let has_amount = matches!(kind, Kind::Receipt | Kind::ProvisionalReceipt);
        let group =
            if matches!(kind, Kind::ProductionIssue | Kind::ProductionReceipt) { index % 3 } else { NONE };
        events.push(Event {
            at: index.into(),
            qty: *qty,
            amount: if has_amount { *amount } else { ABSENT },
            unit_cost: ABSENT,
            row: index,
            key,
            reference,
            lot: NONE,
            group,
            kind,
            auto: Auto::No,
        });
    }
    events
}

/// The history calculated from its start.
fn afresh<'a>(machine: &Machine<'a>, history: &History) -> Replay<'a> {
    let count = history.now.len();
    let mut fresh = Machine::new(machine.context, machine.rules, machine.referenced, &history.now);
    fresh.late.clone_from(&machine.late);
    let mut replay = Replay::new(fresh, &history.now, &vec![false; count]);
    replay.advance(history, u32::try_from(count).unwrap());
    replay
}

fn assert_same(replay: &Replay<'_>, fresh: &Replay<'_>, events: u32) {
    assert_eq!(replay.machine.keys, fresh.machine.keys);
    assert_eq!(replay.machine.production, fresh.machine.production);
    for event in 0..events {
        assert_eq!(replay.machine.trace(event), fresh.machine.trace(event));
    }
}

/// Lays another price or quantity over a movement.
fn lay(history: &mut History, target: u32, (qty, amount): (i64, i64), count: u32) -> Result<Laid, Fault> {
    let was = history.now[target as usize];
    let corrected = match was.amount {
        ABSENT => Event { qty, ..was },
        _ => Event { amount, ..was },
    };
    let difference = if was.amount == ABSENT { 0 } else { amount - was.amount };
    let late = Event { kind: Kind::CostAdjustment, reference: target, ..was };
    history.lay(count, &late, corrected, difference)
}

fn check(rules: Rules, steps: &[Step], corrections: &[(prop::sample::Index, i64, i64, bool)]) {
    let events = events(steps);
    let count = u32::try_from(events.len()).unwrap();
    let key = KeyRules { rules, fallback: None, standard: None, switch_at: None };
    let keys = [key, key];
    let referenced = vec![true; events.len()];
    let mut history = History::new(&events);
    let mut machine = Machine::new(&CONTEXT, &keys, &referenced, &events);
    for (index, event) in (0u32..).zip(&events) {
        history.left_out[index as usize] = step(&mut machine, index, event, &mut Discard).is_err();
    }
    let mut replay = afresh(&machine, &history);
    assert_same(&replay, &Replay::new(machine.clone(), &events, &vec![false; events.len()]), count);
    let kept: Vec<u32> = (0..count).filter(|index| history.event(*index).is_some()).collect();
    for (pick, qty, amount, stays) in corrections {
        let Some(target) = (!kept.is_empty()).then(|| *pick.get(&kept)) else { return };
        let laid = lay(&mut history, target, (*qty, *amount), count).unwrap();
        let undo = replay.correct(&history, &laid, count, &[]);
        let fresh = afresh(&machine, &history);
        match undo {
            Ok(undo) if *stays => {
                assert_same(&replay, &fresh, count);
                assert!(replay.touched(&undo).is_sorted());
                replay.commit(undo);
                continue;
            }
            Ok(undo) => replay.take_back(undo),
            Err(_) => assert!(fresh.place < count),
        }
        history.restore(&laid);
        assert_same(&replay, &afresh(&machine, &history), count);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn a_correction_gives_what_the_whole_history_does(
        steps in prop::collection::vec(
            (prop::sample::select(&KINDS[..]), 1i64..20, 0i64..5_000, any::<prop::sample::Index>()),
            1..500,
        ),
        corrections in prop::collection::vec(
            (any::<prop::sample::Index>(), 1i64..20, 0i64..5_000, any::<bool>()),
            1..20,
        ),
        method in prop::sample::select(vec![Method::MovingAverage, Method::Fifo, Method::Lifo]),
        negative in prop::sample::select(vec![Negative::Reject, Negative::Cover, Negative::Carry]),
    ) {
        check(Rules { method, negative, amendment: Amendment::Append, ..Rules::default() }, &steps, &corrections);
    }
}
