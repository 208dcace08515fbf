use super::*;
use crate::Limits;

fn faults(source: &str) -> Vec<String> {
    match parse(source, &Limits::default()) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.list().iter().map(|fault| fault.message.clone()).collect(),
    }
}

#[test]
fn one_fault_gives_one_message() {
    assert_eq!(faults("1 +"), ["expected a value, found the end"]);
    assert_eq!(faults("a = 1"), ["a single `=` is no operator"]);
    assert_eq!(faults("f(1, , 2)"), ["expected a value, found `,`"]);
    assert_eq!(faults("(1 + 2"), ["expected `)`, found the end"]);
    assert_eq!(faults("[1, 2"), ["expected `,` or `]`, found the end"]);
    assert_eq!(faults("a and b"), ["`and` is no operator"]);
    assert_eq!(faults("a b"), ["expected an operator or the end, found `b`"]);
    assert_eq!(faults("'abc"), ["this string does not end"]);
    assert_eq!(faults("if"), ["`if` is a reserved word"]);
    assert_eq!(
        faults("99999999999999999999"),
        ["`99999999999999999999` does not fit an int, which has 64 bits"]
    );
    assert_eq!(faults("'\\q' + \"\\q\"").len(), 1);
    assert_eq!(faults("[1].map(1, 2)"), ["a macro's variable must be a simple name"]);
    assert_eq!(faults("has(a)"), ["`has` takes a field selection"]);
}

#[test]
fn several_faults_are_all_found() {
    assert_eq!(faults("f(1 +, 2 *) + [3 /]").len(), 3);
    assert_eq!(faults("f('\\q', '\\w')").len(), 2);
}

#[test]
fn a_message_shows_the_place() {
    let faults = parse("user.level >= 3\n  && (brand in ['a', 'b'", &Limits::default()).unwrap_err();
    let expected = "2:25: expected `,` or `]`, found the end\n |   && (brand in ['a', 'b'\n |                         ^\n = hint: `[` at 2:16 is not closed";
    assert!(faults.render().starts_with(expected), "{}", faults.render());
    assert_eq!(faults.code().name(), "RULES_SYNTAX");
}

#[test]
fn limits_hold() {
    let deep = format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(faults(&deep), ["nested deeper than 128 levels"]);
    assert_eq!(faults(&"!-".repeat(10_000)).len(), 1);
    assert_eq!(faults(&format!("1{}", " + 1".repeat(10_000))), ["nested deeper than 128 levels"]);
    assert_eq!(faults(&format!("a{}", ".b".repeat(10_000))), ["nested deeper than 128 levels"]);
    assert!(faults(&format!("a{}", " || a".repeat(10_000))).is_empty());
    assert!(faults(&"-".repeat(10_000)).len() == 1);
    let limits = Limits { nodes: 10, ..Limits::default() };
    assert!(parse("[1,2,3,4,5,6,7,8,9,10,11]", &limits).is_err());
    let limits = Limits { source_bytes: 3, ..Limits::default() };
    assert_eq!(parse("1 + 1", &limits).unwrap_err().code(), DiagnosticCode::Limit);
}

/// `cel.index(1)` is a name, but none that a type has.
#[test]
fn fields_of_a_generated_name_make_no_message_of_it() {
    let limits = Limits::default();
    for source in
        ["cel.index(1).x{}", "cel.index(1).x{y: 1}", "cel.index(1){y: 1}", "cel.iterVar(0, 0).x{y: 1}"]
    {
        assert!(parse(source, &limits).is_err(), "{source}");
    }
    for source in ["cel.index(1).x", "cel.index(1).x[cel.index(0)]", "a.b{y: cel.index(1).x}"] {
        let text = parse(source, &limits).unwrap().to_text();
        assert_eq!(parse(&text, &limits).unwrap().to_text(), text, "{source}");
    }
}
