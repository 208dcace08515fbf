//! Random expressions, typed or not, from a seed.

/// 500 cases, or as many as `PROPTEST_CASES` says.
#[allow(dead_code)]
pub fn config() -> proptest::prelude::ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    proptest::prelude::ProptestConfig::with_cases(cases.unwrap_or(500))
}

/// A small generator of random numbers.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    pub fn pick<'p>(&mut self, from: &[&'p str]) -> &'p str {
        from[self.below(from.len())]
    }
}

/// An expression of any type over `i`, `j`, `d`, `s`, `b`, `l`, `m`.
#[allow(dead_code)]
pub fn any(random: &mut Random, depth: usize) -> String {
    if depth == 0 {
        return leaf(random);
    }
    let mut sub = || any(random, depth - 1);
    let (a, b, c) = (sub(), sub(), sub());
    let op = random.pick(&["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in"]);
    match random.below(22) {
        0..=6 => format!("({a} {op} {b})"),
        7 => format!("!({a})"),
        8 => format!("-({a})"),
        9 => format!("({a} ? {b} : {c})"),
        10 => format!("[{a}, {b}]"),
        11 => format!("{{'k': {a}, {b}: {c}}}"),
        12 => format!("({a})[{b}]"),
        13 => format!("({a})[?{b}].orValue({c})"),
        14 => format!(
            "({a}).{}(x, {b})",
            random.pick(&["all", "exists", "exists_one", "map", "filter", "sortBy"])
        ),
        15 => format!("({a}).transformMap(x, y, {b}, {c})"),
        16 => format!("has(m.{})", random.pick(&["k", "other"])),
        17 => format!("m.{}", random.pick(&["k", "?k", "other"])),
        18 => format!(
            "{}({a})",
            random.pick(&["string", "int", "double", "size", "type", "dyn", "decimal", "duration"])
        ),
        19 => format!(
            "({a}).{}({b})",
            random.pick(&[
                "contains",
                "startsWith",
                "matches",
                "split",
                "indexOf",
                "format",
                "round",
                "join"
            ])
        ),
        20 => format!("cel.bind(x, {a}, {b})"),
        _ => format!(
            "({a}).{}()",
            random.pick(&["size", "sort", "distinct", "flatten", "reverse", "trim", "first", "getSeconds"])
        ),
    }
}

fn leaf(random: &mut Random) -> String {
    random
        .pick(&[
            "0",
            "1",
            "-7",
            "9223372036854775807",
            "2u",
            "0.5",
            "1e300",
            "'a'",
            "'abc'",
            "''",
            "b'a'",
            "true",
            "false",
            "null",
            "i",
            "j",
            "d",
            "s",
            "b",
            "l",
            "m",
            "x",
            "y",
            "[]",
            "{}",
            "decimal('1.50')",
            "duration('90s')",
            "timestamp('2024-02-29T12:00:00Z')",
            "optional.none()",
            "lists.range(3)",
        ])
        .to_owned()
}

/// Tokens in any order.
#[allow(dead_code)]
pub fn tokens(random: &mut Random, count: usize) -> String {
    const TOKENS: [&str; 42] = [
        "a",
        "b",
        "in",
        "true",
        "null",
        "1",
        "2u",
        "0.5",
        "'s'",
        "b'x'",
        "r'\\'",
        "\"",
        "'''",
        "`f-g`",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ".",
        ",",
        ":",
        "?",
        "!",
        "-",
        "+",
        "*",
        "/",
        "%",
        "==",
        "<",
        "&&",
        "||",
        "=",
        "&",
        "has(",
        ".map(x,",
        ".all(y,",
        "cel.bind(z,",
        "//",
        "\n",
    ];
    (0..count).map(|_| TOKENS[random.below(TOKENS.len())]).collect::<Vec<_>>().join(if random.below(2) == 0 {
        " "
    } else {
        ""
    })
}

/// An expression of a type, `i` int, `b` bool, `s` string, `l` list of int, over variables `i`, `j`, `b`, `s`, `l`.
#[allow(dead_code)]
pub fn typed(random: &mut Random, ty: char, depth: usize) -> String {
    if depth == 0 {
        return match ty {
            'i' => random.pick(&["i", "j", "0", "1", "3", "-7", "9223372036854775807"]),
            'b' => random.pick(&["b", "true", "false"]),
            's' => random.pick(&["s", "'a'", "'abc'", "''", "'x y'"]),
            _ => random.pick(&["l", "[]", "[1, 2, 3]", "[i, j]"]),
        }
        .to_owned();
    }
    let choice = random.below(6);
    let mut of = |ty: char| typed(random, ty, depth - 1);
    match (ty, choice) {
        ('i', 0..=2) => {
            let (left, right) = (of('i'), of('i'));
            format!("({left} {} {right})", random.pick(&["+", "-", "*", "/", "%"]))
        }
        ('i', 3) => format!("({})[{}]", of('l'), of('i')),
        ('i', 4) => format!("size({})", of('l')),
        ('b', 0) => format!("({} && {})", of('b'), of('b')),
        ('b', 1) => format!("({} || {})", of('b'), of('b')),
        ('b', 2) => {
            let (left, right) = (of('i'), of('i'));
            format!("({left} {} {right})", random.pick(&["==", "!=", "<", "<=", ">", ">="]))
        }
        ('b', 3) => format!("({} in {})", of('i'), of('l')),
        ('b', 4) => {
            let (range, body) = (of('l'), of('b'));
            format!("({range}).{}(x, x > 1 && {body})", random.pick(&["all", "exists", "exists_one"]))
        }
        ('b', _) => format!("({}).startsWith({})", of('s'), of('s')),
        ('s', 0..=2) => format!("({} + {})", of('s'), of('s')),
        ('s', 3) => format!("string({})", of('i')),
        ('l', 0..=1) => format!("[{}, {}]", of('i'), of('i')),
        ('l', 2) => format!("({} + {})", of('l'), of('l')),
        ('l', 3) => format!("({}).map(x, x + {})", of('l'), of('i')),
        ('l', 4) => format!("({}).filter(x, x > {})", of('l'), of('i')),
        _ => format!("({} ? {} : {})", of('b'), of(ty), of(ty)),
    }
}
