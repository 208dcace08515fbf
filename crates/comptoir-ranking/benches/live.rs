//! A live board of 1,000 groups and a million members from a stream of changes, with slack 0, k / 10, k, 2k and 10k: `cargo bench
//! -p comptoir-ranking --bench live`. Beside it stands a full leaderboard of each group, whose top must be the same.
//!
//! The stream is that of sales over a window: a sale of an item raises its score, and lowers it again when it is as many
//! events old as the window is long; one event in 500 takes an item off or puts it back. Items sell by a power law.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]
#![allow(missing_docs)]

mod common;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use common::{Random, argument};
use comptoir_ranking::Score;
use comptoir_ranking::leaderboard::Leaderboard;
use comptoir_ranking::live::{Event, LiveBoard};

const GROUPS: usize = 1_000;
const MEMBERS: usize = 1_000;
const K: usize = 100;

fn main() {
    let (events, window) = (argument("EVENTS", 1_000_000), argument("WINDOW", 1_000_000));
    let (start, stream) = stream(events, window);
    let full = full(&start, &stream);
    println!(
        "{:>6} {:>10} {:>10} {:>12} {:>10} {:>10} {:>10}",
        "slack", "ns/event", "rescans", "a million", "scanned", "shown %", "kept"
    );
    for slack in [0, K / 10, K, 2 * K, 10 * K] {
        run(slack, &start, &stream, &full);
    }
}

/// The scores of each group at the beginning, and what comes then.
fn stream(events: usize, window: usize) -> (Vec<Vec<f64>>, Vec<Event<u32, u32>>) {
    let mut random = Random(7);
    let mut scores = vec![vec![0.0; MEMBERS]; GROUPS];
    let mut sold = VecDeque::new();
    let mut sale = |scores: &mut Vec<Vec<f64>>| {
        // The square of an even number in 0..1 favours low members.
        let member = (random.below(1000) * random.below(1000)) * MEMBERS / 1_000_000;
        let group = random.below(GROUPS);
        let amount = (1 + random.below(50)) as f64;
        scores[group][member] += amount;
        (group, member, amount, random.below(500) == 0)
    };
    for _ in 0..window {
        let (group, member, amount, _) = sale(&mut scores);
        sold.push_back((group, member, amount));
    }
    let start = scores.clone();
    let mut stream = Vec::with_capacity(events);
    let update = |scores: &[Vec<f64>], group: usize, member: usize| {
        Event::Update(group as u32, member as u32, Score::new(scores[group][member]).unwrap())
    };
    while stream.len() < events {
        let (group, member, amount, is_removed) = sale(&mut scores);
        sold.push_back((group, member, amount));
        stream.push(update(&scores, group, member));
        if let Some((group, member, amount)) = sold.pop_front() {
            scores[group][member] -= amount;
            stream.push(update(&scores, group, member));
        }
        if is_removed {
            stream.push(Event::Remove(group as u32, member as u32));
        }
    }
    (start, stream)
}

fn initial(start: &[Vec<f64>], group: usize) -> impl Iterator<Item = (u32, Score)> {
    (0_u32..).zip(&start[group]).map(|(member, score)| (member, Score::new(*score).unwrap()))
}

fn apply(boards: &mut [Leaderboard<u32>], event: &Event<u32, u32>) {
    match event {
        Event::Update(group, member, score) => boards[*group as usize].update(*member, *score),
        Event::Remove(group, member) => boards[*group as usize].remove(member),
    };
}

fn loaded(start: &[Vec<f64>]) -> Vec<Leaderboard<u32>> {
    let mut boards = vec![Leaderboard::new(); GROUPS];
    for (group, board) in boards.iter_mut().enumerate() {
        initial(start, group).for_each(|(member, score)| {
            board.update(member, score);
        });
    }
    boards
}

/// All members, at the end.
fn full(start: &[Vec<f64>], stream: &[Event<u32, u32>]) -> Vec<Leaderboard<u32>> {
    let mut boards = loaded(start);
    let started = Instant::now();
    stream.iter().for_each(|event| apply(&mut boards, event));
    println!("all members: {:.0} ns/event", started.elapsed().as_nanos() as f64 / stream.len() as f64);
    boards
}

fn run(slack: usize, start: &[Vec<f64>], stream: &[Event<u32, u32>], full: &[Leaderboard<u32>]) {
    let mut board = LiveBoard::new(K, slack);
    for group in 0..GROUPS {
        let _ = board.refill(&(group as u32), initial(start, group));
    }
    // What rescans read stands for a table of the service; keeping it current is not the board's time.
    let mut table = loaded(start);
    let mut spent = Duration::ZERO;
    for event in stream {
        apply(&mut table, event);
        let started = Instant::now();
        let source = |group: &u32| {
            let members = table[*group as usize].top(usize::MAX);
            Ok::<_, Infallible>(members.map(|(member, score)| (*member, score)))
        };
        board.apply(*event, source).unwrap();
        spent += started.elapsed();
    }
    for (group, full) in (0_u32..).zip(full) {
        assert!(board.top(&group).eq(full.top(K)), "group {group} differs");
    }
    let counts = board.counts();
    let events = counts.events as f64;
    println!(
        "{slack:>6} {:>10.0} {:>10} {:>12.0} {:>10} {:>10.1} {:>10}",
        spent.as_nanos() as f64 / events,
        counts.rescans,
        counts.rescans as f64 * 1e6 / events,
        counts.scanned,
        counts.shown as f64 * 100.0 / events,
        board.kept()
    );
}
