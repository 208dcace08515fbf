//! A leaderboard of a million members, beside `indexset` and Redis: `cargo bench -p comptoir-ranking --bench
//! leaderboard`. Every answer is compared: ranks of the same members, the first hundred, and neighbours, with ties.
//!
//! Redis is a `redis-server` of its own on a Unix socket, asked a hundred commands at a time; without one it is skipped.
//! It orders from low to high and ties by text: it is given the negative score, and members as texts of one length, so
//! that orders agree. `indexset` has no scores of members: it is given a hash map of them, as a user of it would need.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]
#![allow(missing_docs)]

mod common;
#[path = "leaderboard/redis.rs"]
mod redis;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

use common::{Random, argument, median};
use comptoir_ranking::Score;
use comptoir_ranking::leaderboard::Leaderboard;
use redis::Redis;

const TOP: usize = 100;
const AROUND: usize = 5;

type Place = (u64, Score);

/// What each contender can do.
trait Board {
    fn update(&mut self, changes: &[Place]);
    /// Places from 1.
    fn ranks(&mut self, members: &[u64]) -> Vec<usize>;
    fn top(&mut self) -> Vec<Place>;
    fn neighbours(&mut self, member: u64) -> Vec<Place>;
}

impl Board for Leaderboard<u64> {
    fn update(&mut self, changes: &[Place]) {
        for (member, score) in changes {
            Self::update(self, *member, *score);
        }
    }

    fn ranks(&mut self, members: &[u64]) -> Vec<usize> {
        members.iter().map(|member| self.rank_of(member).unwrap()).collect()
    }

    fn top(&mut self) -> Vec<Place> {
        Self::top(self, TOP).map(|(member, score)| (*member, score)).collect()
    }

    fn neighbours(&mut self, member: u64) -> Vec<Place> {
        Self::neighbours(self, &member, AROUND).map(|(_, member, score)| (*member, score)).collect()
    }
}

#[derive(Default)]
struct IndexSet {
    scores: HashMap<u64, Score>,
    order: indexset::BTreeSet<(Reverse<Score>, u64)>,
}

impl Board for IndexSet {
    fn update(&mut self, changes: &[Place]) {
        for (member, score) in changes {
            if let Some(before) = self.scores.insert(*member, *score) {
                self.order.remove(&(Reverse(before), *member));
            }
            self.order.insert((Reverse(*score), *member));
        }
    }

    fn ranks(&mut self, members: &[u64]) -> Vec<usize> {
        members.iter().map(|member| self.order.rank(&(Reverse(self.scores[member]), *member)) + 1).collect()
    }

    fn top(&mut self) -> Vec<Place> {
        self.order.iter().take(TOP).map(|(score, member)| (*member, score.0)).collect()
    }

    fn neighbours(&mut self, member: u64) -> Vec<Place> {
        let rank = self.ranks(&[member])[0] - 1;
        let places = rank.saturating_sub(AROUND)..(rank + AROUND + 1).min(self.order.len());
        self.order.range_idx(places).map(|(score, member)| (*member, score.0)).collect()
    }
}

fn main() {
    let members = argument("MEMBERS", 1_000_000);
    let passes = argument("PASSES", 5);
    let mut random = Random(7);
    // Whole scores up to a tenth of the members: many ties.
    let mut changes = |count: usize| -> Vec<Place> {
        let score = |random: &mut Random| Score::new(random.below(members / 10) as f64).unwrap();
        (0..count).map(|_| (random.below(members) as u64, score(&mut random))).collect()
    };
    let start: Vec<Place> =
        (0..members as u64).zip(changes(members)).map(|(member, (_, score))| (member, score)).collect();
    let rounds: Vec<Vec<Place>> = (0..passes).map(|_| changes(members / 10)).collect();
    let asked: Vec<u64> = changes(members / 10).into_iter().map(|(member, _)| member).collect();

    let mut boards: Vec<(&str, Box<dyn Board>)> =
        vec![("this crate", Box::new(Leaderboard::new())), ("indexset", Box::new(IndexSet::default()))];
    match Redis::start() {
        Some(redis) => boards.push(("Redis, pipelined", Box::new(redis))),
        None => println!("skipped Redis: there is no `redis-server`"),
    }
    println!(
        "{:18} {:>9} {:>9} {:>9} {:>9} {:>12}",
        "ns each", "load", "update", "rank of", "top 100", "neighbours"
    );
    let mut times = vec![vec![Vec::new(); 5]; boards.len()];
    for ((_, board), times) in boards.iter_mut().zip(&mut times) {
        times[0].push(time(members, || board.update(&start)).0);
    }
    for changes in &rounds {
        let mut answers = Vec::new();
        for ((_, board), times) in boards.iter_mut().zip(&mut times) {
            answers.push(round(board.as_mut(), changes, &asked, times));
        }
        for ((name, _), answer) in boards.iter().zip(&answers) {
            assert!(*answer == answers[0], "{name} differs");
        }
    }
    let medians: Vec<Vec<f64>> =
        times.into_iter().map(|times| times.into_iter().map(median).collect()).collect();
    for ((name, _), times) in boards.iter().zip(&medians) {
        let [load, update, rank, top, near] = times[..] else { continue };
        println!("{name:18} {load:9.0} {update:9.0} {rank:9.0} {top:9.0} {near:12.0}");
        let ratio = |column: usize| times[column] / medians[0][column];
        println!(
            "{:18} {:9.1} {:9.1} {:9.1} {:9.1} {:12.1}",
            "",
            ratio(0),
            ratio(1),
            ratio(2),
            ratio(3),
            ratio(4)
        );
    }
}

type Answers = (Vec<usize>, Vec<Place>, Vec<Vec<Place>>);

/// Updates, then asks; all with nanoseconds.
fn round(board: &mut dyn Board, changes: &[Place], asked: &[u64], times: &mut [Vec<f64>]) -> Answers {
    times[1].push(time(changes.len(), || board.update(changes)).0);
    let (spent, ranks) = time(asked.len(), || board.ranks(asked));
    times[2].push(spent);
    let (spent, tops) = time(1000, || (0..1000).map(|_| black_box(board.top())).last().unwrap());
    times[3].push(spent);
    let few = &asked[..1000];
    let (spent, near) = time(few.len(), || few.iter().map(|member| board.neighbours(*member)).collect());
    times[4].push(spent);
    (ranks, tops, near)
}

fn time<T>(count: usize, work: impl FnOnce() -> T) -> (f64, T) {
    let started = Instant::now();
    let answer = black_box(work());
    (started.elapsed().as_nanos() as f64 / count as f64, answer)
}
