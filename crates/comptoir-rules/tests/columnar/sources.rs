//! Random well-typed expressions over the tables of `tables.rs`: `i` int, `u` uint, `d` double, `m` decimal, `s` string,
//! `b` bool, `t` timestamp, `r` duration, `l` list of int. Capital letters are inside of a macro over `items`.

use crate::expressions::Random;

pub const TYPES: [char; 9] = ['i', 'u', 'd', 'm', 's', 'b', 't', 'r', 'l'];

pub fn expression(random: &mut Random, ty: char, depth: usize) -> String {
    of(random, ty, depth, false)
}

fn of(random: &mut Random, ty: char, depth: usize, inside: bool) -> String {
    if depth == 0 {
        return leaf(random, ty, inside);
    }
    let choice = random.below(12);
    let sub = |random: &mut Random, ty: char| of(random, ty, depth - 1, inside);
    let pair = |random: &mut Random, ty: char, ops: &[&str]| {
        let (left, right) = (sub(random, ty), sub(random, ty));
        format!("({left} {} {right})", random.pick(ops))
    };
    const ORDER: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];
    match (ty, choice) {
        (_, 11) => {
            let (condition, yes, no) = (sub(random, 'b'), sub(random, ty), sub(random, ty));
            format!("({condition} ? {yes} : {no})")
        }
        (_, 10) => leaf(random, ty, inside),
        ('i', 0..=5) => pair(random, 'i', &["+", "-", "*", "/", "%"]),
        ('i', 6) => match random.below(3) {
            0 => format!("-({})", sub(random, 'i')),
            1 => format!("math.abs({})", sub(random, 'i')),
            _ => format!("int({})", sub(random, 'd')),
        },
        ('i', 7) => format!("size({})", sub(random, 's')),
        ('i', _) => format!("size({})", sub(random, 'l')),
        ('u', _) => pair(random, 'u', &["+", "-", "*", "/", "%"]),
        ('d', 0..=6) => pair(random, 'd', &["+", "-", "*", "/"]),
        ('d', 7) => format!("-({})", sub(random, 'd')),
        ('d', 8) => {
            let functions =
                ["double", "math.abs", "math.sqrt", "math.floor", "math.ceil", "math.trunc", "math.round"];
            format!("{}({})", random.pick(&functions), sub(random, 'd'))
        }
        ('d', _) => {
            let from = random.pick(&["i", "u", "m"]);
            let function = if from == "m" { "double" } else { random.pick(&["double", "math.sqrt"]) };
            format!("{function}({})", sub(random, from.chars().next().unwrap_or('i')))
        }
        ('m', 0..=6) => pair(random, 'm', &["+", "-", "*"]),
        ('m', _) => {
            let (left, right) = (sub(random, 'm'), sub(random, 'i'));
            format!("({left} {} {right})", random.pick(&["+", "*"]))
        }
        ('s', 0..=4) => pair(random, 's', &["+"]),
        ('s', _) => format!("string({})", sub(random, 'i')),
        ('t', _) => format!("({} {} {})", sub(random, 't'), random.pick(&["+", "-"]), sub(random, 'r')),
        ('r', 0..=4) => pair(random, 'r', &["+", "-"]),
        ('r', _) => format!("({} - {})", sub(random, 't'), sub(random, 't')),
        ('l', 0..=2) => format!("({}).map(x, x + {})", sub(random, 'l'), sub(random, 'i')),
        ('l', 3..=5) => format!("({}).filter(x, x > {})", sub(random, 'l'), sub(random, 'i')),
        ('l', 6) if !inside => format!("items.map(e, {})", of(random, 'i', depth - 1, true)),
        ('l', _) => pair(random, 'l', &["+"]),
        ('b', 0..=1) => format!("({} && {})", sub(random, 'b'), sub(random, 'b')),
        ('b', 2..=3) => format!("({} || {})", sub(random, 'b'), sub(random, 'b')),
        ('b', 4) if random.below(3) == 0 => {
            let function = random.pick(&["math.isNaN", "math.isInf", "math.isFinite"]);
            format!("{function}({})", sub(random, 'd'))
        }
        ('b', 4) => format!("!({})", sub(random, 'b')),
        ('b', 5) => {
            let ty = ['i', 'u', 'd', 'm', 's', 't', 'r', 'b', 'l'][random.below(9)];
            let ops: &[&str] = if ty == 'l' { &["==", "!="] } else { &ORDER };
            pair(random, ty, ops)
        }
        ('b', 6) => {
            let text = sub(random, 's');
            let function = random.pick(&["startsWith", "endsWith", "contains", "matches"]);
            let part = random.pick(&[
                "''",
                "'a'",
                "'ab'",
                "'abcdefghijklmnopqrstuvw'",
                "'é'",
                "'abcdefghijklmnop'",
                "'abcdefghi'",
            ]);
            let pattern = random.pick(&[
                "'a.*c'",
                "'(ab|xy).*'",
                "'(red|e).*(l s|j)'",
                "'b.*e.*h'",
                "'^a'",
                "'[c-h]+i'",
            ]);
            if function == "matches" && random.below(2) == 0 {
                return format!("({text}).matches({pattern})");
            }
            format!("({text}).{function}({part})")
        }
        ('b', 7) => {
            let sets = [
                "['a', 'abc', '']",
                "['abcdefghijklmnopqrst', 'abcdefghijklmnop', 'é']",
                "['x']",
                "['abcdefghi', 'abcdefgh', 'ab', 'xyz', 'red trail shoe', 'unused 7']",
            ];
            let ints = ["[1, 2, 3]", "[-7, 9223372036854775807, 0]"];
            match random.below(3) {
                0 => format!("({} in {})", sub(random, 'i'), random.pick(&ints)),
                1 => format!("({} in {})", sub(random, 'i'), sub(random, 'l')),
                _ => format!("({} in {})", sub(random, 's'), random.pick(&sets)),
            }
        }
        ('b', 8) => {
            let field = ["has(item.price)", "has(item.brand)", "has(item.tags)", "has(item.stock.left)"];
            let within = [
                "has(e.qty)",
                "has(e.category)",
                "e.tags.exists(g, g == e.category)",
                "e.tags.all(g, g != s)",
            ];
            if inside { random.pick(&within).to_owned() } else { random.pick(&field).to_owned() }
        }
        ('b', _) if !inside => {
            let body = of(random, 'b', depth - 1, true);
            format!("items.{}(e, {body})", random.pick(&["all", "exists", "exists_one"]))
        }
        ('b', _) => format!("(l.exists(x, x > {}))", sub(random, 'i')),
        _ => leaf(random, ty, inside),
    }
}

fn leaf(random: &mut Random, ty: char, inside: bool) -> String {
    if inside && random.below(2) == 0 {
        match ty {
            'i' => return "e.qty".into(),
            'd' => return "e.price".into(),
            's' => return "e.category".into(),
            _ => {}
        }
    }
    match ty {
        'i' => random.pick(&["i", "j", "0", "1", "3", "-7", "9223372036854775807", "item.stock.left"]),
        'u' => random.pick(&["u", "0u", "5u", "18446744073709551615u"]),
        'd' => random.pick(&["d", "item.price", "0.0", "-1.5", "1e300", "100.0"]),
        'm' => random.pick(&["m", "decimal('1.50')", "decimal('0')", "decimal('-99999999999.123456')"]),
        's' => {
            random.pick(&["s", "t", "item.brand", "'a'", "'abc'", "''", "'abcdefghijklmnop'", "'abcdefghj'"])
        }
        'b' => random.pick(&["b", "true", "false", "(i > j)", "(s == 'a')"]),
        't' => random.pick(&[
            "at",
            "timestamp('2024-02-29T12:00:00Z')",
            "timestamp('1970-01-01T00:00:00.000000001Z')",
        ]),
        'r' => random.pick(&["span", "duration('90s')", "duration('1ns')"]),
        _ => random.pick(&["l", "[]", "[1, 2, 3]", "[i, j]"]),
    }
    .to_owned()
}
