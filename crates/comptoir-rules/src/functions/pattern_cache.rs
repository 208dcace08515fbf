use std::cell::RefCell;
use std::sync::Arc;

use regex::Regex;

use crate::ir::compile_regex;

/// Patterns that a thread keeps.
const KEPT: usize = 8;

thread_local! {
    static PATTERNS: RefCell<Vec<(Box<str>, Arc<Regex>)>> = const { RefCell::new(Vec::new()) };
}

/// A pattern, compiled now or not long ago: a pattern that is no constant is mostly the same from call to call, and
/// compiling it takes a thousand times as long as using it. What is kept changes no result and no cost.
pub(super) fn cached_regex(pattern: &str) -> Result<Arc<Regex>, String> {
    let kept = PATTERNS.with_borrow_mut(|patterns| {
        let found = patterns.iter().position(|(text, _)| **text == *pattern)?;
        patterns.get_mut(..=found)?.rotate_right(1);
        patterns.first().map(|(_, regex)| regex.clone())
    });
    if let Some(regex) = kept {
        return Ok(regex);
    }
    let regex = Arc::new(compile_regex(pattern, crate::Limits::default().regex_bytes)?);
    PATTERNS.with_borrow_mut(|patterns| {
        patterns.truncate(KEPT - 1);
        patterns.insert(0, (pattern.into(), regex.clone()));
    });
    Ok(regex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_kept_and_dropped_in_order_of_use() {
        for round in 0..3 {
            for number in 0..12 {
                let regex = cached_regex(&format!("^a{number}$")).unwrap();
                assert!(regex.is_match(&format!("a{number}")) && !regex.is_match("b"), "{round}");
            }
        }
        assert!(cached_regex("(").is_err());
        PATTERNS.with_borrow(|patterns| assert_eq!(patterns.len(), KEPT));
    }
}
