//! Rule sets of section 5 of the research, beside `a-tree`: `cargo bench -p comptoir-rules --bench rule_sets`.
//!
//! Set 1: a category, three brands, a level and a price. Set 2: two cities and a level, or a tag of two and a price.
//! Set 3: three ranges. `a-tree` is run up to `PEER` rules (it is linear in rules); its answers are compared.
//! `BUILD=n` builds the sets of `RULES` rules n times and does nothing else.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap
)]
#![allow(missing_docs)]

use std::hint::black_box;
use std::time::Instant;

use a_tree::{ATree, AttributeDefinition};
use comptoir_rules::Value;
use comptoir_rules::rule_set::{EnvironmentSpec, RuleSet, RuleSetSpec, RuleSpec, Strategy};

const EVENTS: usize = 400;
const PASSES: usize = 20;

fn main() {
    let argument = |name: &str, default: usize| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (most, peer) = (argument("RULES", 100_000), argument("PEER", 10_000));
    let only = argument("SET", 0);
    let sets = (1..=3_u32).filter(|set| only == 0 || only == *set as usize);
    if let times @ 1.. = argument("BUILD", 0) {
        sets.for_each(|set| build(set, most, times));
        return;
    }
    println!(
        "{:3} {:>9} {:>10} {:>10} {:>9} {:>11} {:>11} {:>14} {:>8} {:>7}",
        "set",
        "rules",
        "build 1 us",
        "wall us",
        "B/rule",
        "index ns",
        "scan ns",
        "a-tree ns",
        "ratio",
        "hits"
    );
    for set in sets {
        for rules in [1_000, 10_000, 100_000, 1_000_000].into_iter().filter(|rules| *rules <= most) {
            run(set, rules, rules <= peer);
        }
    }
}

fn run(set: u32, count: usize, with_peer: bool) {
    let mut random = Random(7 + u64::from(set));
    let rules: Vec<Drawn> = (0..count).map(|_| draw(set, &mut random)).collect();
    let events: Vec<Event> = (0..EVENTS).map(|_| Event::draw(&mut random)).collect();
    let (alone, _) = built(&rules, 1);
    let (build, built) = built(&rules, 0);
    let (alone, build) = (alone.processor, build.wall);
    let memory = built.memory();
    let inputs: Vec<Vec<Value<'_>>> = events
        .iter()
        .map(|event| built.inputs().iter().map(|slot| event.value(&slot.name)).collect())
        .collect();
    let answer = |set: &RuleSet, event: usize| -> Vec<u32> {
        set.decide_slots(&inputs[event]).fired_rules().collect()
    };
    let answers: Vec<Vec<u32>> = (0..EVENTS).map(|event| answer(&built, event)).collect();
    let own = best(EVENTS, PASSES, |event| built.decide_slots(black_box(&inputs[event])).fired().len());
    let built = built.with_strategy(Strategy::Scan);
    let scanned = (EVENTS * 1000 / count).clamp(3, EVENTS);
    for (event, found) in answers.iter().enumerate().take(scanned) {
        assert_eq!(found, &answer(&built, event), "the index changes the answer on event {event}");
    }
    let scan = best(scanned, 2, |event| built.decide_slots(black_box(&inputs[event])).fired().len());
    let peer = with_peer.then(|| a_tree(&rules, &events, &answers));
    let hits: usize = answers.iter().map(Vec::len).sum();
    println!(
        "{set:3} {count:>9} {alone:>10.1} {build:>10.1} {:>9} {own:>11.0} {scan:>11.0} {:>14} {:>8} {:>7.1}",
        (memory.clauses + memory.index) / count,
        peer.map_or("-".into(), |time| format!("{time:.0}")),
        peer.map_or("-".into(), |time| format!("{:.0}x", time / own)),
        hits as f64 / EVENTS as f64
    );
}

/// Prints what building takes on one thread and on all, in microseconds a rule.
fn build(set: u32, count: usize, times: usize) {
    let mut random = Random(7 + u64::from(set));
    let rules: Vec<Drawn> = (0..count).map(|_| draw(set, &mut random)).collect();
    for _ in 0..times {
        // A set that lives on would slow the next one down.
        let [alone, all] = [1, 0].map(|threads| built(&rules, threads).0);
        println!("{set:3} {count:>9} {:>10.2} {:>10.2} {:>10.2}", alone.processor, all.processor, all.wall);
    }
}

/// Microseconds of a rule.
struct Time {
    processor: f64,
    wall: f64,
}

/// A set built on so many threads, 0 for all.
fn built(rules: &[Drawn], threads: usize) -> (Time, RuleSet) {
    let spec = spec(rules);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let (before, started) = (processor_time(), Instant::now());
    let built = pool.install(|| RuleSet::build(spec)).unwrap();
    let (processor, wall) = (processor_time() - before, started.elapsed().as_secs_f64());
    let a_rule = |seconds: f64| seconds * 1e6 / rules.len() as f64;
    (Time { processor: a_rule(processor), wall: a_rule(wall) }, built)
}

fn spec(rules: &[Drawn]) -> RuleSetSpec {
    let inputs = [
        ("category", "string"),
        ("brand", "string"),
        ("city", "string"),
        ("tags", "list(string)"),
        ("level", "int"),
        ("price", "double"),
        ("score", "double"),
        ("cost", "double"),
    ];
    RuleSetSpec {
        environment: EnvironmentSpec {
            variables: inputs.map(|(name, ty)| (name.to_owned(), ty.to_owned())).into(),
            ..EnvironmentSpec::default()
        },
        rules: rules
            .iter()
            .enumerate()
            .map(|(id, rule)| RuleSpec { id: id.to_string(), when: rule.cel(), ..RuleSpec::default() })
            .collect(),
        ..RuleSetSpec::default()
    }
}

/// Nanoseconds for an event: each event counts with its best pass, so that what else runs on the machine is left out.
fn best(events: usize, passes: usize, mut decide: impl FnMut(usize) -> usize) -> f64 {
    let mut best = vec![u128::MAX; events];
    for _ in 0..passes {
        for (event, best) in best.iter_mut().enumerate() {
            let started = Instant::now();
            black_box(decide(event));
            *best = (*best).min(started.elapsed().as_nanos());
        }
    }
    best.iter().sum::<u128>() as f64 / events as f64
}

/// Seconds of processor time that this process took, by Linux's count of hundredths.
fn processor_time() -> f64 {
    let line = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> =
        line.rsplit(')').next().unwrap_or("").split(' ').map(|field| field.parse().unwrap_or(0.0)).collect();
    fields.iter().skip(12).take(2).sum::<f64>() / 100.0
}

/// Inserts and searches, checks the answers, gives nanoseconds for an event.
fn a_tree(rules: &[Drawn], events: &[Event], answers: &[Vec<u32>]) -> f64 {
    let text = ["category", "brand", "city"].map(AttributeDefinition::string);
    let numbers = ["level", "price", "score", "cost"].map(AttributeDefinition::integer);
    let mut all: Vec<AttributeDefinition> = text.into_iter().chain(numbers).collect();
    all.push(AttributeDefinition::string_list("tags"));
    let mut tree = ATree::new(&all).unwrap();
    for (id, rule) in (0_u32..).zip(rules) {
        tree.insert(&id, &rule.peer()).unwrap();
    }
    let event = |event: &Event| {
        let mut builder = tree.make_event();
        for (name, value) in [("category", &event.category), ("brand", &event.brand), ("city", &event.city)] {
            builder.with_string(name, value).unwrap();
        }
        for (name, value) in event.numbers() {
            builder.with_integer(name, value).unwrap();
        }
        let tags: Vec<&str> = event.tags.iter().map(String::as_str).collect();
        builder.with_string_list("tags", &tags).unwrap();
        builder.build().unwrap()
    };
    let few = events.len().min(400_000 / rules.len()).max(3);
    let ready: Vec<_> = events.iter().take(few).map(event).collect();
    for (event, own) in ready.iter().zip(answers) {
        let found = tree.search(event).unwrap();
        let mut found: Vec<u32> = found.matches().iter().map(|id| **id).collect();
        found.sort_unstable();
        assert_eq!(&found, own, "a-tree differs");
    }
    best(few, 3, |place| tree.search(black_box(&ready[place])).unwrap().matches().len())
}

/// A rule before it is written in anybody's language. Numbers are whole, so that all peers have them.
enum Drawn {
    One { category: usize, brands: [usize; 3], level: i64, price: i64 },
    Two { cities: [usize; 2], level: i64, tags: [usize; 2], price: i64, is_and: bool },
    Three { price: i64, score: i64, cost: i64 },
}

fn draw(set: u32, random: &mut Random) -> Drawn {
    match set {
        1 => Drawn::One {
            category: random.below(1000),
            brands: [0; 3].map(|_| random.below(2000)),
            level: random.below(10) as i64,
            price: random.below(100_000) as i64,
        },
        2 => Drawn::Two {
            cities: [0; 2].map(|_| random.below(300)),
            level: random.below(10) as i64,
            tags: [0; 2].map(|_| random.below(1000)),
            price: random.below(100_000) as i64,
            is_and: random.below(2) == 0,
        },
        _ => Drawn::Three {
            price: random.below(100_000) as i64,
            score: random.below(100_000) as i64,
            cost: random.below(100_000) as i64,
        },
    }
}

impl Drawn {
    fn cel(&self) -> String {
        match self {
            Self::One { category, brands: [a, b, c], level, price } => format!(
                "category == 'c{category}' && brand in ['b{a}', 'b{b}', 'b{c}'] && level >= {level} && price >= {price}.0"
            ),
            Self::Two { cities: [a, b], level, tags: [c, d], price, is_and } => {
                let (left, right) = (
                    format!("(city in ['t{a}', 't{b}'] && level >= {level})"),
                    format!("(tags.exists(t, t in ['g{c}', 'g{d}']) && price >= {price}.0)"),
                );
                format!("{left} {} {right}", if *is_and { "&&" } else { "||" })
            }
            Self::Three { price, score, cost } => {
                format!("price >= {price}.0 && score <= {score}.0 && cost >= {cost}.0")
            }
        }
    }

    fn peer(&self) -> String {
        match self {
            Self::One { category, brands: [a, b, c], level, price } => format!(
                r#"category = "c{category}" and brand in ["b{a}", "b{b}", "b{c}"] and level >= {level} and price >= {price}"#
            ),
            Self::Two { cities: [a, b], level, tags: [c, d], price, is_and } => format!(
                r#"(city in ["t{a}", "t{b}"] and level >= {level}) {} (tags one of ["g{c}", "g{d}"] and price >= {price})"#,
                if *is_and { "and" } else { "or" }
            ),
            Self::Three { price, score, cost } => {
                format!("price >= {price} and score <= {score} and cost >= {cost}")
            }
        }
    }
}

struct Event {
    category: String,
    brand: String,
    city: String,
    tags: Vec<String>,
    level: i64,
    price: i64,
    score: i64,
    cost: i64,
}

impl Event {
    fn draw(random: &mut Random) -> Self {
        Self {
            category: format!("c{}", random.below(1000)),
            brand: format!("b{}", random.below(2000)),
            city: format!("t{}", random.below(300)),
            tags: (0..3).map(|_| format!("g{}", random.below(1000))).collect(),
            level: random.below(10) as i64,
            price: random.below(100_000) as i64,
            score: random.below(100_000) as i64,
            cost: random.below(100_000) as i64,
        }
    }

    fn numbers(&self) -> [(&'static str, i64); 4] {
        [("level", self.level), ("price", self.price), ("score", self.score), ("cost", self.cost)]
    }

    fn value(&self, name: &str) -> Value<'_> {
        match name {
            "category" => Value::str(&self.category),
            "brand" => Value::str(&self.brand),
            "city" => Value::str(&self.city),
            "tags" => Value::list(self.tags.iter().map(|tag| Value::str(tag)).collect()),
            "level" => Value::Int(self.level),
            "price" => Value::Double(self.price as f64),
            "score" => Value::Double(self.score as f64),
            "cost" => Value::Double(self.cost as f64),
            _ => Value::Absent,
        }
    }
}

/// SplitMix64: the same rules on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((word ^ (word >> 31)) % limit as u64) as usize
    }
}
