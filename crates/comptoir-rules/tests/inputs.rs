//! Ways to give inputs: JSON text gives what a JSON value gives, rows of a batch what the batch gives. And what an
//! environment switches off.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where its claim fails"
)]

#[path = "support/expressions.rs"]
mod expressions;

use comptoir_rules::{Env, Error, Extension, Overload, StructType, Type, Value};
use expressions::Random;
use proptest::prelude::*;

fn env() -> Env {
    let line = [("qty", Type::Int), ("price", Type::Decimal), ("tags", Type::list(Type::String))];
    let order = [
        ("id", Type::Uint),
        ("at", Type::Timestamp),
        ("lines", Type::list(Type::Struct("Line".into()))),
        ("first", Type::Struct("Line".into())),
        ("prices", Type::map(Type::String, Type::Double)),
        ("any", Type::Dyn),
    ];
    Env::builder()
        .structure(StructType::new("Line", line))
        .structure(StructType::new("Order", order))
        .variable("order", Type::Struct("Order".into()))
        .variable("n", Type::Double)
        .variable("s", Type::String)
        .variable("maybe", Type::Nullable(Type::Int.into()))
        .variable("map", Type::map(Type::String, Type::Dyn))
        .variable("a.b", Type::Struct("Line".into()))
        .variable("x", Type::map(Type::Int, Type::optional(Type::Bytes)))
        .build()
        .unwrap()
}

const PROGRAMS: [&str; 9] = [
    "[dyn(order.id), order.at, n, s, maybe]",
    "order.lines.all(l, l.qty > 0 && 'x' in l.tags)",
    "order.first.qty + order.first.price.scale()",
    "dyn(order) == dyn(1) || order.id == 1u",
    "order.prices['k'] < n",
    "[order.any, map, dyn(order.lines)]",
    "a.b.qty > 1 && a.b.tags == []",
    "has(order.any) || has(a.b.price) || s == ''",
    "x[1].hasValue()",
];

/// JSON text with names that the environment knows, in any order and more than once, and values that fit or not.
fn json(random: &mut Random, depth: usize) -> String {
    const NAMES: [&str; 15] = [
        "order", "id", "at", "lines", "first", "prices", "any", "n", "s", "maybe", "map", "a", "b", "a.b",
        "qty",
    ];
    let scalars = [
        "null",
        "true",
        "1",
        "-5",
        "18446744073709551615",
        "2.50",
        "1e3",
        "\"text\"",
        "\"\\u00e9\\n\"",
        "\"12.30\"",
        "\"2024-02-29T12:00:00Z\"",
        "\"\"",
        "{}",
        "[]",
    ];
    if depth == 0 || random.below(4) == 0 {
        return random.pick(&scalars).to_owned();
    }
    let count = random.below(5);
    if random.below(4) == 0 {
        let elements: Vec<String> = (0..count).map(|_| json(random, depth - 1)).collect();
        return format!("[{}]", elements.join(", "));
    }
    let fields: Vec<String> =
        (0..count + 2).map(|_| format!("\"{}\": {}", random.pick(&NAMES), json(random, depth - 1))).collect();
    format!("{{{}}}", fields.join(", "))
}

proptest! {
    #![proptest_config(expressions::config())]

    #[test]
    fn json_text_is_as_a_json_value(seed: u64) {
        let random = &mut Random(seed);
        let text = format!(
            "{{\"order\": {}, \"n\": {}, \"{}\": {}, \"a.b\": {}, \"order\": {}, \"s\": \"x\"}}",
            json(random, 4), json(random, 0), random.pick(&["a", "map", "maybe", "x"]), json(random, 3),
            json(random, 2), json(random, 4)
        );
        // Of a part the whole is left out, so that the variable with dots is also found by its steps.
        let text = if seed % 2 == 0 { text } else { text.replace("a.b", "other") };
        let event: serde_json::Value = serde_json::from_str(&text).unwrap();
        for source in PROGRAMS {
            let program = env().compile(source).unwrap();
            let show = |values: Vec<Value<'_>>| {
                values.into_iter().map(|value| format!("{:?}", value.into_owned())).collect::<Vec<_>>()
            };
            let by_text = show(program.slots_from_json_text(text.as_bytes()).unwrap());
            prop_assert_eq!(by_text, show(program.slots_from_json(&event)), "{} of {}", source, text);
        }
    }
}

#[test]
fn json_has_forms_for_bytes_keys_and_optionals() {
    let env = Env::builder()
        .variable("y", Type::Bytes)
        .variable("by_id", Type::map(Type::Int, Type::String))
        .variable("flags", Type::map(Type::Bool, Type::Uint))
        .variable("maybe", Type::optional(Type::Bytes))
        .build()
        .unwrap();
    let eval = |source: &str, event: &str| match env.compile(source).unwrap().eval_json(event.as_bytes()) {
        Ok(value) => value.to_json().to_string(),
        Err(error) => error.to_string(),
    };
    assert_eq!(eval("y == b'\\x00\\x01\\xff'", r#"{"y": "AAH/"}"#), "true");
    assert_eq!(eval("size(y)", r#"{"y": "AAE"}"#), "2", "padding may be missing");
    assert_eq!(eval("y", r#"{"y": "A-_"}"#), "the input `\"A-_\"` is no bytes");
    assert_eq!(eval("by_id[-7] + by_id[8]", r#"{"by_id": {"-7": "a", "8": "b"}}"#), "\"ab\"");
    assert_eq!(eval("by_id", r#"{"by_id": {"x": "a"}}"#), "the input `\"x\"` is no int");
    assert_eq!(eval("by_id", r#"{"by_id": {"1": "a", "+1": "b"}}"#), "key 1 occurs twice");
    assert_eq!(eval("flags[true] + 1u", r#"{"flags": {"true": 3}}"#), "4");
    assert_eq!(eval("maybe.orValue(b'z')", r#"{"maybe": null}"#), "\"eg==\"");
    assert_eq!(eval("maybe.value() == b'a'", r#"{"maybe": "YQ=="}"#), "true");
    assert_eq!(eval("maybe", r#"{"maybe": 5}"#), "the input `5` is no bytes");
}

#[test]
fn bad_json_is_named_with_its_place() {
    let program = env().compile("n > 1.0").unwrap();
    for (text, wanted) in [
        ("{\"n\": 1,\n \"x\": ]}", "the event is no JSON at line 2, column 7: expected value"),
        ("{\"n\": 1} tail", "the event is no JSON at line 1, column 10: trailing characters"),
        (
            "[1]",
            "the event is no JSON at line 1, column 0: invalid type: sequence, expected an object whose fields are the variables",
        ),
        ("", "the event is no JSON at line 1, column 0: EOF while parsing a value"),
    ] {
        let error = program.eval_json(text.as_bytes()).unwrap_err();
        assert!(matches!(error, Error::Json(_)));
        assert_eq!(error.to_string(), wanted);
    }
    let deep = format!("{{\"n\": 2, \"x\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(
        matches!(program.eval_json(deep.as_bytes()), Ok(Value::Bool(true))),
        "what is skipped may be deep"
    );
    let program = env().compile("map == {}").unwrap();
    let deep = format!("{{\"map\": {{\"x\": {}{}}}}}", "[".repeat(200), "]".repeat(200));
    assert!(program.eval_json(deep.as_bytes()).unwrap_err().to_string().contains("recursion limit"));
}

#[cfg(feature = "arrow")]
#[test]
fn rows_of_a_batch_are_evaluated_alone() {
    use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    let env = Env::builder().variable("qty", Type::Int).variable("code", Type::String).build().unwrap();
    let program = env.compile("100 / qty > 10 || code == 'x'").unwrap();
    let qty: ArrayRef = std::sync::Arc::new(Int64Array::from(vec![5, 50, 0, 0]));
    let code: ArrayRef = std::sync::Arc::new(StringArray::from(vec!["a", "b", "x", "c"]));
    let batch = RecordBatch::try_from_iter([("qty", qty), ("code", code)]).unwrap();
    let rows = program.bind_rows(&batch).unwrap();
    let answers: Vec<Option<bool>> = (0..rows.len() + 1)
        .map(|row| match rows.eval(row) {
            Ok(Value::Bool(truth)) => Some(truth),
            _ => None,
        })
        .collect();
    assert_eq!(answers, [Some(true), Some(false), Some(true), None, None]);
    assert!(program.bind_rows(&batch.project(&[0]).unwrap()).is_err(), "a column is missing");
}

#[test]
fn extensions_are_switched_off() {
    let env = Env::builder().extensions(&[Extension::Math]).build().unwrap();
    assert!(env.compile("math.abs(-1) == 1 && 'abc'.matches('b') && [1].all(x, x > 0)").is_ok());
    for (source, extension) in [
        ("'a'.charAt(0)", "strings"),
        ("'%d'.format([1])", "strings"),
        ("base64.encode(b'a')", "encoders"),
        ("optional.of(1)", "optionals"),
        ("{'a': 1}.?a", "optionals"),
        ("[1][?0]", "optionals"),
        ("cel.bind(x, 1, x)", "bindings"),
        ("[1].all(i, v, v > i)", "two-variables"),
        ("ip('10.0.0.1')", "network"),
        ("[1].sort()", "lists"),
        ("[1].sortBy(x, x)", "lists"),
        ("sets.contains([1], [1])", "sets"),
        ("regex.replace('a', 'a', 'b')", "regex"),
        ("decimal('1.5')", "decimal"),
    ] {
        let error = env.compile(source).unwrap_err().to_string();
        assert!(error.contains(&format!("belongs to the extension `{extension}`, which is off")), "{error}");
        // Without the checker a function that is off is undeclared, and syntax fails where it is evaluated.
        let unchecked = env.compile_unchecked(source).unwrap();
        assert!(unchecked.eval_slots(&[]).is_err(), "{source}");
        let around = env.compile_unchecked(&format!("true || {source}")).unwrap();
        assert!(matches!(around.eval_slots(&[]), Ok(Value::Bool(true))), "{source}");
    }
    // The place of a function that is off is free.
    let (name, own) = Overload::parse("string::charAt(int): string").unwrap();
    let own = own.bind(|_: &[Value<'_>]| Ok(Value::str("own")), comptoir_rules::CostRule::Constant);
    let env = Env::builder().without(Extension::Strings).function(name, own).build().unwrap();
    let program = env.compile("'a'.charAt(0)").unwrap();
    assert!(matches!(program.eval_slots(&[]), Ok(Value::String(text)) if &*text == "own"));
}

#[test]
fn templates_of_format_are_checked() {
    let env = Env::builder().variable("s", Type::String).variable("x", Type::Dyn).build().unwrap();
    for (source, wanted) in [
        ("'%q'.format([s])", "1:1: could not parse formatting clause: unrecognized formatting clause \"q\""),
        ("'%'.format([])", "1:1: could not parse formatting clause: unexpected end of string"),
        ("'%d %s'.format([1])", "1:1: the template takes 2 arguments, and the list has 1"),
        ("'%d'.format([1, s])", "1:1: the template takes 1 arguments, and the list has 2"),
        ("'%d'.format([s])", "1:1: `%d` does not take argument 1 of type string"),
    ] {
        assert_eq!(env.compile(source).unwrap_err().to_string(), wanted);
    }
    assert!(env.compile("'%d %% %s'.format([x, s]) + s.format([1]) + '%d'.format([?x])").is_ok());
}

/// The example of the README: a native struct whose fields are read in the order of the slots.
#[test]
fn native_structs_are_read_by_slot() {
    struct Item {
        brand: String,
        price: f64,
    }
    type Read = for<'i> fn(&'i Item) -> Value<'i>;
    fn brand(item: &Item) -> Value<'_> {
        Value::str(&item.brand)
    }
    fn price(item: &Item) -> Value<'_> {
        Value::Double(item.price)
    }
    fn nothing(_: &Item) -> Value<'_> {
        Value::Absent
    }

    let item = StructType::new("Item", [("brand", Type::String), ("price", Type::Double)]);
    let env = Env::builder().structure(item).variable("item", Type::Struct("Item".into())).build().unwrap();
    let program = env.compile("item.price >= 100.0 && item.brand in ['a', 'b']").unwrap();
    let reads: Vec<Read> = program
        .slots()
        .iter()
        .map(|slot| match &*slot.name {
            "item.price" => price as Read,
            "item.brand" => brand,
            _ => nothing,
        })
        .collect();

    let item = Item { brand: "a".into(), price: 120.0 };
    let slots: Vec<Value<'_>> = reads.iter().map(|read| read(&item)).collect();
    assert_eq!(program.test(&slots).ok(), Some(true));
}
