/// The shortest text that reads back as the same number; with an exponent below -4 and from 21 on.
pub(super) fn shortest(value: f64) -> String {
    if let Some(text) = special(value) {
        return text.to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((_, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(exponent) if (-4..21).contains(&exponent) => format!("{value}"),
        _ => with_sign(&scientific),
    }
}

/// The number in scientific notation with so many digits behind the point.
pub(super) fn scientific(value: f64, precision: usize) -> String {
    special(value).map_or_else(|| with_sign(&format!("{value:.precision$e}")), str::to_owned)
}

/// The number with so many digits behind the point.
pub(super) fn fixed(value: f64, precision: usize) -> String {
    special(value).map_or_else(|| format!("{value:.precision$}"), str::to_owned)
}

/// What is no number.
pub(crate) fn special(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value == f64::INFINITY {
        Some("Infinity")
    } else if value == f64::NEG_INFINITY {
        Some("-Infinity")
    } else {
        None
    }
}

/// `1e3` as `1e+03`.
fn with_sign(text: &str) -> String {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}
