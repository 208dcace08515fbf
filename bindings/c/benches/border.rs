//! What the border to C costs: one decision through the C ABI against the same call in Rust, on the same values.
//!
//! `cargo bench -p comptoir-c --bench border`. A call through the ABI resolves the handle, reads the slots from C's structures
//! into values and writes the truth through a pointer; bound: 60 ns over the call in Rust.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, missing_docs, unsafe_code)]
#![allow(clippy::cast_precision_loss, clippy::undocumented_unsafe_blocks)]

use std::hint::black_box;
use std::ptr::null_mut;
use std::time::Instant;

use comptoir::rules::Value as RuleValue;
use comptoir_c::abi::{
    Program, StringView, Value, ValueAs, ValueKind, comptoir_program_compile, comptoir_program_free,
    comptoir_program_test,
};
use comptoir_host::rules::CompiledProgram;

const ENVIRONMENT: &str = r#"{"variables": {"level": "int", "brand": "string", "price": "double", "pay": "double", "cost": "double", "coupon": "string"}}"#;
const PREDICATES: [(&str, &str); 3] = [
    ("P0", "level >= 3"),
    ("P1", "level >= 3 && brand in ['apple', 'nokia', 'sony', 'huawei'] && price >= 100.0"),
    ("P2", "pay < cost * 0.9 && !(coupon in ['a1', 'b2', 'c3', 'd4', 'e5', 'f6', 'g7', 'h8'])"),
];
const CALLS: u32 = 20_000;
const ROUNDS: usize = 101;

fn main() {
    println!("{:4} {:>10} {:>10} {:>10}", "", "Rust ns", "C ABI ns", "over ns");
    for (name, source) in PREDICATES {
        let compiled = CompiledProgram::compile(ENVIRONMENT, source).unwrap();
        let mut handle: *mut Program = null_mut();
        let (environment, text) = (ENVIRONMENT.as_ptr().cast(), source.as_ptr().cast());
        unsafe {
            comptoir_program_compile(environment, ENVIRONMENT.len(), text, source.len(), &raw mut handle)
        };
        let names: Vec<String> =
            compiled.program().slots().iter().map(|slot| slot.name.to_string()).collect();
        let values: Vec<RuleValue<'_>> = names.iter().map(|name| value(name)).collect();
        let slots: Vec<Value> = names.iter().map(|name| slot(name)).collect();
        let expected = compiled.test(&values).unwrap();
        let (mut rust, mut c) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            rust.push(time(|| compiled.test(black_box(&values)).unwrap() == expected));
            c.push(time(|| {
                let mut truth = !expected;
                let slots = black_box(&slots);
                unsafe { comptoir_program_test(handle, slots.as_ptr(), slots.len(), &raw mut truth) };
                truth == expected
            }));
        }
        unsafe { comptoir_program_free(handle) };
        let (rust, c) = (median(rust), median(c));
        println!("{name:4} {rust:>10.1} {c:>10.1} {:>10.1}", c - rust);
    }
}

/// Nanoseconds of one call, all of which must agree.
fn time(mut call: impl FnMut() -> bool) -> f64 {
    let start = Instant::now();
    for _ in 0..CALLS {
        assert!(call(), "both ways must give the same truth");
    }
    start.elapsed().as_nanos() as f64 / f64::from(CALLS)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn value(name: &str) -> RuleValue<'static> {
    match name {
        "level" => RuleValue::Int(4),
        "brand" => RuleValue::str("sony"),
        "coupon" => RuleValue::str("z9"),
        "pay" => RuleValue::Double(80.0),
        _ => RuleValue::Double(120.0),
    }
}

fn slot(name: &str) -> Value {
    let (kind, r#as) = match value(name) {
        RuleValue::Int(integer) => (ValueKind::Int, ValueAs { integer }),
        RuleValue::Double(number) => (ValueKind::Double, ValueAs { number }),
        _ => {
            let text: &'static str = if name == "brand" { "sony" } else { "z9" };
            let text = StringView { data: text.as_ptr().cast(), length: text.len() };
            (ValueKind::String, ValueAs { text })
        }
    };
    Value { kind: kind as u32, scale: 0, r#as }
}
