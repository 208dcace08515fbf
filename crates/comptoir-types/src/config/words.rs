//! What readers say of types, in words that tell authors of a configuration something.

/// The message of a reader without the names of our types: `expected u8` is a whole number from 0 to 255, and of
/// `expected struct Rule` only the fields matter.
///
/// ```
/// use comptoir_types::config::plain;
///
/// let told = plain("invalid type: string \"x\", expected f64");
/// assert_eq!(told, "invalid type: string \"x\", expected a number");
/// ```
#[must_use]
pub fn plain(message: &str) -> String {
    let Some((head, expected)) = message.rsplit_once(", expected ") else {
        return message.to_owned();
    };
    let word = expected.split(|one: char| !one.is_alphanumeric()).next().unwrap_or_default();
    let after = expected.get(word.len()..).unwrap_or_default();
    let number = match word {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65,535",
        "u32" => "a whole number from 0 to 4,294,967,295",
        "u64" | "u128" | "usize" => "a whole number, not negative",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "struct" if !after.starts_with(" variant ") => {
            let rest = after.trim_start().trim_start_matches(|one: char| one.is_alphanumeric() || one == '_');
            return format!("{head}, expected fields and their values{rest}");
        }
        _ => return message.to_owned(),
    };
    format!("{head}, expected {number}{after}")
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn names_of_types_become_words() {
        for (said, told) in [
            ("invalid type: map, expected usize", "invalid type: map, expected a whole number, not negative"),
            (
                "invalid value: integer `-1`, expected u8",
                "invalid value: integer `-1`, expected a whole number from 0 to 255",
            ),
            (
                "invalid type: string \"1, expected u8\", expected f64",
                "invalid type: string \"1, expected u8\", expected a number",
            ),
            (
                "invalid type: unit value, expected struct RuleSpec",
                "invalid type: unit value, expected fields and their values",
            ),
            (
                "invalid length 1, expected struct Pair with 2 elements",
                "invalid length 1, expected fields and their values with 2 elements",
            ),
            ("unknown field `a`, expected one of `b`, `c`", "unknown field `a`, expected one of `b`, `c`"),
            ("missing field `id`", "missing field `id`"),
        ] {
            assert_eq!(plain(said), told);
        }
    }
}
