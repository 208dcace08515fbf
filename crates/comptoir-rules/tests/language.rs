//! What the conformance cases do not cover: decimals, the extensions lists, sets and regex, unknowns, messages, hosts.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where its claim fails"
)]

use std::sync::Arc;

use comptoir_rules::value::{HostStruct, Row, Struct};
use comptoir_rules::{
    Activation, AttributePattern, CostRule, Env, Error, EvalCode, EvalError, Fault, Overload, Residual,
    StructType, Type, Value, Variables,
};
use comptoir_types::ErrorCode;
use serde_json::json;

/// The value of an expression without inputs as JSON text, or the code of its error.
fn value(source: &str) -> String {
    let env = Env::builder().build().unwrap();
    let program = env.compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let none = Variables::new();
    match program.eval(&none) {
        Ok(value) => value.to_json().to_string(),
        Err(Fault::Error(error)) => error.code.name().to_owned(),
        Err(other) => other.to_string(),
    }
}

fn all_true(sources: &[&str]) {
    for source in sources {
        assert_eq!(value(source), "true", "{source}");
    }
}

#[test]
fn decimals_are_exact() {
    all_true(&[
        "decimal('0.1') + decimal('0.2') == decimal('0.3')",
        "decimal('12.30') == decimal('12.3') && decimal('2.0') == 2 && 2u == decimal('2')",
        "decimal('19.99') * 3 == decimal('59.97') && 100 - decimal('0.01') < 100",
        "decimal('10').divide(3, 2) == decimal('3.33') && decimal('10').divide(decimal('3'), 4, 'up') == decimal('3.3334')",
        "decimal('2.345').round(2) == decimal('2.34') && decimal('2.345').round(2, 'half_up') == decimal('2.35')",
        "string(decimal('12.30')) == '12.30' && double(decimal('0.1')) == 0.1 && int(decimal('-7.9')) == -7",
        "decimal(0.1) == decimal('0.1') && -decimal('1.5') == decimal('-1.5') && math.abs(decimal('-2')) == decimal('2')",
        "math.greatest(decimal('1.5'), decimal('2.5')) == decimal('2.5') && type(decimal('1')) == decimal",
        "[decimal('2'), decimal('1')].sort() == [decimal('1'), decimal('2')] && decimal('1.0') in [decimal('1')]",
    ]);
    assert_eq!(value("decimal('abc')"), "RULES_INVALID_ARGUMENT");
    assert_eq!(value("decimal('1').divide(0, 2)"), "RULES_DIVIDE_BY_ZERO");
    assert_eq!(value("decimal('1').round(19)"), "RULES_INVALID_ARGUMENT");
    assert_eq!(value("decimal('99999999999999999999') * decimal('99999999999999999999')"), "RULES_RANGE");
}

#[test]
fn lists() {
    all_true(&[
        "[1, 2, 3, 4].slice(1, 3) == [2, 3] && [1].slice(1, 1) == []",
        "[[1], [2, 3], []].flatten() == [1, 2, 3] && [1, [2, [3]]].flatten(2) == [1, 2, 3]",
        "[3, 1, 2].sort() == [1, 2, 3] && ['b', 'a'].sort() == ['a', 'b']",
        "[{'n': 2}, {'n': 1}].sortBy(e, e.n)[0].n == 1 && [3, 1, 2].sortBy(e, -e) == [3, 2, 1]",
        "[1, 2, 1, 3, 2].distinct() == [1, 2, 3] && [1, 1.0, 1u].map(x, dyn(x)).distinct().size() == 1",
        "[1, 2, 3].reverse() == [3, 2, 1] && lists.range(4) == [0, 1, 2, 3] && lists.range(0) == []",
        "[1, 2].first().value() == 1 && [1, 2].last().value() == 2 && ![].first().hasValue()",
    ]);
    assert_eq!(value("[1, 2].slice(1, 3)"), "RULES_INDEX_RANGE");
    assert_eq!(value("[dyn(1), dyn('a')].sort()"), "RULES_NO_SUCH_OVERLOAD");
}

#[test]
fn sets() {
    all_true(&[
        "sets.contains([1, 2, 3], [2, 3]) && sets.contains([], []) && !sets.contains([1], [2])",
        "sets.equivalent([1, 2, 2], [2, 1]) && !sets.equivalent([1], [1, 2])",
        "sets.intersects([1, 2], [2, 3]) && !sets.intersects([], [1])",
    ]);
}

#[test]
fn regexes() {
    all_true(&[
        r"regex.replace('hello world', '(\\w+) (\\w+)', '\\2 \\1') == 'world hello'",
        "regex.replace('banana', 'a', 'x', 2) == 'bxnxna' && regex.replace('abc', 'z', 'y') == 'abc'",
        "regex.extract('id=42', 'id=(\\\\d+)').value() == '42' && !regex.extract('none', '\\\\d').hasValue()",
        "regex.extractAll('a1 b22', '[0-9]+') == ['1', '22']",
    ]);
    assert_eq!(value("regex.extract('ab', '(a)(b)')"), "RULES_INVALID_ARGUMENT");
    assert_eq!(value("regex.replace('a', 'a', '\\\\9')"), "RULES_INVALID_ARGUMENT");
}

#[test]
fn errors_are_absorbed_where_another_operand_decides() {
    all_true(&["1 / 0 > 0 || true", "!(1 / 0 > 0 && false)", "[0, 1].exists(x, 1 / x == 1)"]);
    assert_eq!(value("1 / 0 > 0 || false"), "RULES_DIVIDE_BY_ZERO");
}

fn faults(source: &str) -> String {
    let item = StructType::new("Item", [("price", Type::Double), ("brand", Type::String)]);
    let env = Env::builder()
        .structure(item)
        .variable("item", Type::Struct("Item".into()))
        .variable("level", Type::Int)
        .build()
        .unwrap();
    match env.compile(source) {
        Ok(_) => "none".to_owned(),
        Err(error @ Error::Compile(_)) => format!("{} {error}", error.code()),
        Err(other) => other.to_string(),
    }
}

#[test]
fn faults_say_what_to_do() {
    for (source, expected) in [
        ("lvel > 3", "RULES_UNKNOWN_NAME 1:1: undeclared name `lvel` (did you mean `level`?)"),
        ("item.prise > 3.0", "RULES_UNKNOWN_FIELD 1:1: `Item` has no field `prise` (did you mean `price`?)"),
        (
            "item.price > level + 1.0",
            "RULES_NO_OVERLOAD 1:14: `+` does not take int and double (convert one of them, for instance with `int(...)`)",
        ),
        (
            "item.brand.startWith('a')",
            "RULES_UNKNOWN_FUNCTION 1:1: undeclared function `startWith` (did you mean `startsWith`?)",
        ),
        (
            "item.brand.contains(3)",
            "RULES_NO_OVERLOAD 1:1: `contains` on string does not take (int) (it takes (string, string))",
        ),
        ("item.brand.matches('(')", "RULES_REGEX 1:1: pattern `(` is no regular expression: unclosed group"),
        (
            "regex.extract(item.brand, '[') == optional.none()",
            "RULES_REGEX 1:1: pattern `[` is no regular expression: unclosed character class",
        ),
        ("level ? 1 : 2", "RULES_TYPE_MISMATCH 1:1: the condition before `?` must be bool, found int"),
        ("level && true", "RULES_TYPE_MISMATCH 1:1: an operand of `&&` must be bool, found int"),
        ("level.all(x, true)", "RULES_TYPE_MISMATCH 1:1: a macro goes over a list or map, found int"),
        (
            "size(level)",
            "RULES_NO_OVERLOAD 1:1: `size` does not take (int) (it takes (string) or (bytes) or (list(?A)) or (map(?A, ?B)))",
        ),
    ] {
        assert_eq!(faults(source), expected, "{source}");
    }
}

fn patterns(texts: &[&str]) -> Vec<AttributePattern> {
    texts.iter().map(|text| AttributePattern::parse(text).unwrap()).collect()
}

/// What is left of an expression over `user` (a map) and `level`, with these parts unknown.
fn left(source: &str, unknown: &[&str]) -> String {
    let env = Env::builder()
        .variable("user", Type::map(Type::String, Type::Dyn))
        .variable("level", Type::Int)
        .build()
        .unwrap();
    let program = env.compile(source).unwrap();
    let user = json!({ "name": "li", "tags": ["new", "vip"], "score": 0.5 });
    let input = Variables::new().with("user", Value::from_json(&user)).with("level", 4_i64);
    let unknown = patterns(unknown);
    match program.residual(&input, &unknown) {
        Ok(Residual::Value(value)) => value.to_json().to_string(),
        Ok(Residual::Expression(left)) => left,
        Err(fault) => fault.to_string(),
    }
}

#[test]
fn what_is_not_known_is_left() {
    assert_eq!(left("level > 3 && user.score > 0.2", &["user.score"]), "user.score > 0.2");
    assert_eq!(left("level > 5 && user.score > 0.2", &["user.score"]), "false");
    assert_eq!(left("level > 3 || user.score > 0.2", &["user.score"]), "true");
    assert_eq!(left("user.name == 'li' && level > 3", &["level"]), "level > 3");
    assert_eq!(left("user.name == 'li' ? user.score : level", &["user.score", "level"]), "user.score");
    assert_eq!(
        left("user.tags[0] == 'new' && user.tags[1] == 'vip'", &["user.tags[1]"]),
        "user.tags[1] == \"vip\""
    );
    assert_eq!(left("size(user.tags) + level * 2", &["user.tags[*]"]), "size(user.tags) + 8");
    assert_eq!(left("size(user) > 2", &["user.score"]), "size(user) > 2");
    assert_eq!(left("user.name", &["user.score"]), "\"li\"");
    assert_eq!(left("has(user.score) && level == 4", &["user.score"]), "has(user.score)");
    assert_eq!(left("[1, 2].exists(x, x > level)", &["level"]), "[1, 2].exists(x, x > level)");
}

#[test]
fn unknowns_are_named() {
    let env =
        Env::builder().variable("a", Type::Bool).variable("b", Type::Bool).variable("c", Type::Bool).build();
    let program = env.unwrap().compile("a && (b || c)").unwrap();
    let input = Variables::new().with("a", true);
    let unknown = patterns(&["b", "c"]);
    let Err(Fault::Unknown(set)) = program.eval_partial(&input, &unknown) else { panic!() };
    assert_eq!(set.paths().collect::<Vec<_>>(), ["b", "c"]);
    assert!(AttributePattern::parse("a..b").is_err() && AttributePattern::parse("a[").is_err());
}

#[test]
fn json_becomes_the_declared_types() {
    let example = json!({ "order": { "pay": 9.5, "items": [{ "qty": 1, "price": 2.5 }, { "qty": 2, "price": 3 }] }, "at": "x" });
    let env = Env::builder().json_example(&example).variable("at", Type::Timestamp).build().unwrap();
    let source = "order.pay > 5.0 && order.items.all(i, i.price * 2.0 >= 5.0) && at > timestamp('2024-01-01T00:00:00Z')";
    let program = env.compile(source).unwrap();
    let names: Vec<&str> = program.slots().iter().map(|slot| &*slot.name).collect();
    assert_eq!(names, ["order.pay", "order.items", "at"]);
    let event =
        json!({ "order": { "pay": 9, "items": [{ "qty": 1, "price": 3 }] }, "at": "2024-05-05T00:00:00Z" });
    assert_eq!(program.test(&program.slots_from_json(&event)).ok(), Some(true));
    let bad = json!({ "order": { "pay": "9", "items": [] }, "at": "2024-05-05T00:00:00Z" });
    let slots = program.slots_from_json(&bad);
    let Err(Fault::Error(error)) = program.test(&slots) else { panic!() };
    assert_eq!((error.code, &*error.message), (EvalCode::InvalidArgument, "the input `\"9\"` is no double"));
}

#[test]
fn json_schemas_declare_variables() {
    let schema = json!({
        "type": "object",
        "properties": {
            "order": { "$ref": "#/$defs/Order" },
            "limit": { "type": ["number", "null"] },
            "labels": { "type": "object", "additionalProperties": { "type": "string" } }
        },
        "$defs": {
            "Order": {
                "type": "object",
                "properties": {
                    "amount": { "type": "string", "format": "decimal" },
                    "at": { "type": "string", "format": "date-time" },
                    "parent": { "$ref": "#/$defs/Order" }
                }
            }
        }
    });
    let env = Env::builder().json_schema(&schema).build().unwrap();
    let program =
        env.compile("order.parent.amount > order.amount && labels.team == 'a' && limit != null").unwrap();
    let event = json!({
        "order": { "amount": "1.50", "parent": { "amount": "2" } }, "labels": { "team": "a" }, "limit": 3
    });
    assert_eq!(program.test(&program.slots_from_json(&event)).ok(), Some(true));
    assert!(env.compile("order.parent.total > 1").is_err());
    assert!(
        Env::builder().json_schema(&json!({ "properties": { "a": { "$ref": "#/no" } } })).build().is_err()
    );
}

#[test]
fn whether_something_is_null_may_be_asked_of_anything() {
    let env = Env::builder()
        .variable("flag", Type::Bool)
        .variable("names", Type::list(Type::String))
        .build()
        .unwrap();
    let program = env.compile("flag == null || null != names && flag").unwrap();
    let event = |flag| Variables::new().with("flag", flag).with("names", Value::Null);
    assert!(matches!(program.eval(&event(Value::Null)), Ok(Value::Bool(true))));
    assert!(matches!(program.eval(&event(Value::Bool(true))), Ok(Value::Bool(false))));
    assert!(env.compile("flag < null").is_err());
}

#[test]
fn functions_of_the_host() {
    let (name, overload) = Overload::parse("tier(int): string").unwrap();
    let tier = |args: &[Value<'_>]| -> Result<Value<'static>, EvalError> {
        match args {
            [Value::Int(level)] if *level >= 0 => {
                Ok(Value::string(if *level > 3 { "gold" } else { "basic" }))
            }
            _ => Err(EvalError::new(EvalCode::Host, "a level is not negative")),
        }
    };
    let bound = overload.bind(tier, CostRule::Fixed(10));
    let env = Env::builder().variable("level", Type::Int).function(name, bound).build().unwrap();
    let program = env.compile("tier(level) == 'gold'").unwrap();
    let input = Variables::new().with("level", 5_i64);
    let (outcome, cost) = program.eval_with_cost(&input);
    assert!(matches!(outcome, Ok(Value::Bool(true))) && cost == 13, "{cost}");
    let Err(Fault::Error(error)) = program.test(&[Value::Int(-1)]) else { panic!() };
    assert_eq!((error.code, error.span.map(|span| span.start)), (EvalCode::Host, Some(0)));
}

#[derive(Debug)]
struct Native {
    level: i64,
}

impl HostStruct for Native {
    fn type_name(&self) -> &'static str {
        "User"
    }

    fn field(&self, name: &str, _: Option<usize>) -> Value<'_> {
        if name == "level" { Value::Int(self.level) } else { Value::Absent }
    }
}

struct Request {
    user: Native,
}

impl Activation for Request {
    fn slot<'s>(&'s self, _: usize, slot: &comptoir_rules::ir::Slot) -> Value<'s> {
        match &*slot.name {
            "user" => Value::Struct(Struct::Host(&self.user)),
            "user.level" => Value::Int(self.user.level),
            _ => Value::Absent,
        }
    }
}

#[test]
fn native_structs_are_read_in_place() {
    let user = StructType::new("User", [("level", Type::Int), ("name", Type::String)]);
    let env = Env::builder().structure(user).variable("user", Type::Struct("User".into())).build().unwrap();
    let request = Request { user: Native { level: 3 } };
    for (source, expected) in [
        ("user.level == 3", true),
        ("cel.bind(u, user, u.level == 3)", true),
        ("has(user.level) && !has(user.name)", true),
        ("user.?name.orValue('none') == 'none'", true),
    ] {
        let program = env.compile(source).unwrap();
        let outcome = program.eval(&request);
        assert!(matches!(outcome, Ok(Value::Bool(truth)) if truth == expected), "{source}: {outcome:?}");
    }
    let program = env.compile("user.name == 'a'").unwrap();
    let Err(Fault::Error(error)) = program.eval(&request) else { panic!() };
    assert_eq!(error.code, EvalCode::NoSuchField);
}

#[test]
fn struct_literals_and_rows() {
    let item = StructType::new("Item", [("price", Type::Int), ("brand", Type::String)]);
    let env = Env::builder().structure(item).variable("item", Type::Struct("Item".into())).build().unwrap();
    let of = env.struct_type("Item").unwrap().clone();
    let row = Row::new(of.clone(), vec![Value::Int(3), Value::str("a")]);
    let program = env.compile("item == Item{price: 1 + 2, brand: 'a'} && Item{price: 1}.price == 1").unwrap();
    let input = Variables::new().with("item", Value::Struct(Struct::Row(&row)));
    assert!(matches!(program.eval(&input), Ok(Value::Bool(true))));
    assert!(env.compile("Item{cost: 1}").is_err() && env.compile("Item{price: 'a'}").is_err());
    let shared = Value::Struct(Struct::Shared(Arc::new(row)));
    assert_eq!(shared.to_json(), json!({ "price": 3, "brand": "a" }));
}

#[test]
fn constants_are_folded() {
    let env = Env::builder().variable("x", Type::Int).build().unwrap();
    for (source, nodes) in [
        ("x > 60 * 60 * 24", "Const(Int(86400))"),
        ("timestamp('2024-01-01T00:00:00Z').getFullYear() > x", "Const(Int(2024))"),
    ] {
        let program = env.compile(source).unwrap();
        let found: Vec<String> = program.nodes().iter().map(|node| format!("{:?}", node.kind)).collect();
        assert!(found.iter().any(|node| node == nodes), "{source}: {found:?}");
    }
}

#[test]
fn functions_may_be_unknown() {
    let (name, score) = Overload::parse("score(string, int): double").unwrap();
    let score = score.bind(|_: &[Value<'_>]| Ok(Value::Double(0.75)), CostRule::Constant);
    let env = Env::builder()
        .variable("user", Type::String)
        .variable("level", Type::Int)
        .function(name, score)
        .build()
        .unwrap();
    let unknown = [AttributePattern::parse("score()").unwrap()];
    let input = Variables::new().with("user", "a").with("level", 3_i64);

    let program = env.compile("level >= 3 && score(user, level + 1) > 0.5").unwrap();
    assert!(matches!(program.eval(&input), Ok(Value::Bool(true))));
    match program.eval_partial(&input, &unknown) {
        Err(Fault::Unknown(set)) => assert_eq!(set.paths().collect::<Vec<_>>(), ["score()"]),
        other => panic!("{other:?}"),
    }
    match program.residual(&input, &unknown) {
        Ok(Residual::Expression(left)) => assert_eq!(left, "score(\"a\", 4) > 0.5"),
        other => panic!("{other:?}"),
    }
    // Where the function does not matter, or an argument is an error, there is nothing to wait for.
    let program = env.compile("level < 3 && score(user, 1) > 0.5").unwrap();
    assert!(matches!(program.eval_partial(&input, &unknown), Ok(Value::Bool(false))));
    let program = env.compile("score(user, 1 / (level - 3)) > 0.5").unwrap();
    assert!(matches!(program.eval_partial(&input, &unknown), Err(Fault::Error(_))));
    for wrong in ["()", "a[0]()", "f(x)()"] {
        assert!(AttributePattern::parse(wrong).is_err(), "{wrong}");
    }
}
