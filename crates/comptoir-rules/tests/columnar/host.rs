//! Functions of the host over columns, each beside one that computes the same row by row.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, StringArray};
use comptoir_rules::types::EnvBuilder;
use comptoir_rules::{CostRule, EvalCode, EvalError, Overload, Value};

use crate::expressions::Random;
use crate::sources;

type Columns = fn(&[ArrayRef], usize) -> Result<ArrayRef, EvalError>;
type Rows = fn(&[Value<'_>]) -> Result<Value<'static>, EvalError>;

/// Which form of a function is declared.
#[derive(Clone, Copy, PartialEq)]
pub enum Form {
    Columns,
    Rows,
}

/// Functions that give their argument.
const SAME: [(char, &str); 9] = [
    ('i', "same_i(int): int"),
    ('u', "same_u(uint): uint"),
    ('d', "same_d(double): double"),
    ('m', "same_m(decimal): decimal"),
    ('s', "same_s(string): string"),
    ('b', "same_b(bool): bool"),
    ('t', "same_t(timestamp): timestamp"),
    ('r', "same_r(duration): duration"),
    ('l', "same_l(list(int)): list(int)"),
];

pub fn declare(builder: EnvBuilder, form: Form) -> EnvBuilder {
    let own: [(&str, Columns, Rows); 4] = [
        ("sum(int, int): int", sum_columns, sum_row),
        ("or_null(wrapper(int)): wrapper(int)", first_column, first_row),
        ("tag(string, bool): string", tag_columns, tag_row),
        ("is_long(string): bool", is_long_columns, is_long_row),
    ];
    let same = SAME.map(|(_, signature)| (signature, first_column as Columns, first_row as Rows));
    own.into_iter().chain(same).fold(builder, |builder, (signature, columns, row)| {
        let (name, overload) = Overload::parse(signature).unwrap();
        builder.function(
            name,
            match form {
                Form::Columns => overload.bind_columns(columns, 1).unwrap(),
                Form::Rows => overload.bind(row, CostRule::Fixed(1)),
            },
        )
    })
}

fn first_column(args: &[ArrayRef], rows: usize) -> Result<ArrayRef, EvalError> {
    assert_eq!(args[0].len(), rows);
    Ok(args[0].clone())
}

fn first_row(args: &[Value<'_>]) -> Result<Value<'static>, EvalError> {
    Ok(args[0].clone().into_owned())
}

/// Null where the sum overflows.
fn sum_columns(args: &[ArrayRef], _: usize) -> Result<ArrayRef, EvalError> {
    let (left, right) = (args[0].as_primitive::<Int64Type>(), args[1].as_primitive::<Int64Type>());
    let sums = left.values().iter().zip(right.values()).map(|(left, right)| left.checked_add(*right));
    Ok(Arc::new(sums.collect::<Int64Array>()))
}

fn sum_row(args: &[Value<'_>]) -> Result<Value<'static>, EvalError> {
    let (Value::Int(left), Value::Int(right)) = (&args[0], &args[1]) else { panic!("{args:?}") };
    let none = || EvalError::new(EvalCode::Host, "function `sum(int, int): int`: gives no value");
    left.checked_add(*right).map(Value::Int).ok_or_else(none)
}

fn tag_columns(args: &[ArrayRef], _: usize) -> Result<ArrayRef, EvalError> {
    let (texts, marks) = (args[0].as_string::<i32>(), args[1].as_boolean());
    let tags = texts.iter().zip(marks).map(|(text, mark)| Some(tag(text?, mark?)));
    Ok(Arc::new(tags.collect::<StringArray>()))
}

fn tag_row(args: &[Value<'_>]) -> Result<Value<'static>, EvalError> {
    let (Value::String(text), Value::Bool(mark)) = (&args[0], &args[1]) else { panic!("{args:?}") };
    Ok(Value::from(tag(text, *mark)))
}

fn tag(text: &str, mark: bool) -> String {
    if mark { format!("{text}!") } else { text.to_owned() }
}

fn is_long_columns(args: &[ArrayRef], _: usize) -> Result<ArrayRef, EvalError> {
    let texts = args[0].as_string::<i32>();
    Ok(Arc::new(texts.iter().map(|text| Some(text?.len() > 2)).collect::<BooleanArray>()))
}

fn is_long_row(args: &[Value<'_>]) -> Result<Value<'static>, EvalError> {
    let Value::String(text) = &args[0] else { panic!("{args:?}") };
    Ok(Value::Bool(text.len() > 2))
}

/// An expression of some type that calls them, and whether its moments and decimals may not fit a column.
pub fn expression(random: &mut Random, depth: usize) -> (String, bool) {
    let of = |random: &mut Random, ty: char| sources::expression(random, ty, depth);
    let (ty, signature) = SAME[random.below(SAME.len())];
    let name = signature.split('(').next().unwrap();
    let source = match random.below(9) {
        0 => format!("sum({}, {})", of(random, 'i'), of(random, 'i')),
        1 => format!("sum(i, sum(j, 1)) > {} || {}", of(random, 'i'), of(random, 'b')),
        2 => format!("tag({}, {})", of(random, 's'), of(random, 'b')),
        3 => format!("{} && is_long({})", of(random, 'b'), of(random, 's')),
        4 => format!("{} ? is_long(tag(s, b)) : {}", of(random, 'b'), of(random, 'b')),
        5 => "items.exists(e, is_long(e.category) && sum(e.qty, i) > 2)".to_owned(),
        6 => "items.map(e, sum(e.qty, j))".to_owned(),
        7 => format!("or_null({})", of(random, 'i')),
        _ => return (format!("{name}({})", of(random, ty)), matches!(ty, 't' | 'm')),
    };
    (source, false)
}
