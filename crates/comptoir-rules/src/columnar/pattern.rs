//! Patterns that are texts in an order, such as `(running|trail).*shoe`: they are searched for one after the other,
//! which on short texts takes a fraction of what an automaton does.

use memchr::memmem::Finder;
use regex::Regex;
use regex_syntax::hir::{Class, Dot, Hir, HirKind};

/// A pattern of texts with `.*` between them.
#[derive(Debug)]
pub(super) struct Pattern {
    /// For each place the texts that may stand there.
    places: Vec<Vec<Finder<'static>>>,
    /// The place that is asked first: without it there is no match.
    rarest: usize,
}

/// More texts in one place are left to the automaton.
const FEW: usize = 4;

impl Pattern {
    /// The texts of a pattern, if it is nothing else.
    pub(super) fn of(regex: &Regex) -> Option<Self> {
        let hir = regex_syntax::parse(regex.as_str()).ok()?;
        let mut places: Vec<Vec<Vec<u8>>> = Vec::new();
        let mut open = vec![Vec::new()];
        for part in parts(&hir) {
            if is_gap(part) {
                places.push(std::mem::replace(&mut open, vec![Vec::new()]));
                continue;
            }
            open = joined(&open, &texts(part)?)?;
        }
        places.push(open);
        // Before the first text and behind the last one anything may stand.
        places.retain(|texts| texts.iter().all(|text| !text.is_empty()));
        let rarest = (0..places.len()).min_by_key(|place| places.get(*place).map_or(0, Vec::len))?;
        let finder = |text: Vec<u8>| Finder::new(&text).into_owned();
        let places = places.into_iter().map(|texts| texts.into_iter().map(finder).collect()).collect();
        Some(Self { places, rarest })
    }

    /// Whether the pattern is in a text.
    pub(super) fn is_match(&self, text: &str, regex: &Regex) -> bool {
        let mut rest = text.as_bytes();
        let rarest = self.places.get(self.rarest);
        if !rarest.is_some_and(|texts| texts.iter().any(|finder| finder.find(rest).is_some())) {
            return false;
        }
        // The earliest end leaves the most for the texts that follow.
        for texts in &self.places {
            let ends = texts.iter().filter_map(|finder| Some(finder.find(rest)? + finder.needle().len()));
            let Some(behind) = ends.min().and_then(|end| rest.get(end..)) else { return false };
            rest = behind;
        }
        // A gap does not go over the end of a line.
        !text.contains('\n') || regex.is_match(text)
    }
}

fn parts(hir: &Hir) -> &[Hir] {
    match hir.kind() {
        HirKind::Concat(parts) => parts,
        HirKind::Capture(capture) => parts(&capture.sub),
        _ => std::slice::from_ref(hir),
    }
}

/// Whether a part of a pattern is `.*`, greedy or not.
fn is_gap(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Repetition(repeated) => {
            repeated.min == 0 && repeated.max.is_none() && *repeated.sub == Hir::dot(Dot::AnyCharExceptLF)
        }
        _ => false,
    }
}

/// The texts that a part of a pattern stands for, if they are few and have no end of a line.
fn texts(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Empty => Some(vec![Vec::new()]),
        HirKind::Literal(literal) => (!literal.0.contains(&b'\n')).then(|| vec![literal.0.to_vec()]),
        HirKind::Capture(capture) => texts(&capture.sub),
        HirKind::Class(Class::Unicode(class)) => {
            let chars = class.iter().flat_map(|range| range.start()..=range.end());
            let chars: Vec<char> = chars.take(FEW + 1).collect();
            let are_few = chars.len() <= FEW && !chars.contains(&'\n');
            are_few.then(|| chars.iter().map(|own| own.to_string().into_bytes()).collect())
        }
        HirKind::Class(Class::Bytes(_)) => None,
        HirKind::Concat(parts) => {
            parts.iter().try_fold(vec![Vec::new()], |open, part| joined(&open, &texts(part)?))
        }
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(texts(part)?);
            }
            (all.len() <= FEW).then_some(all)
        }
        HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

/// Each text of the first with each of the second behind it.
fn joined(first: &[Vec<u8>], second: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    if first.len() * second.len() > FEW {
        return None;
    }
    Some(first.iter().flat_map(|one| second.iter().map(|two| [&**one, two].concat())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_texts_match_as_the_automaton_does() {
        let patterns = [
            "(running|trail).*shoe",
            "a",
            "ab.*?ba",
            ".*(ab|ba).*b.*",
            "(tra|tri)m.*a",
            "x(a|b)y.*z",
            "aa.*aa",
        ];
        let texts = [
            "",
            "a",
            "ab",
            "aba",
            "abba",
            "ab ba",
            "ab\nba",
            "ab\nba ab ba",
            "trail shoe",
            "shoe trail",
            "trailshoe",
            "trail\nshoe",
            "running red shoes",
            "trim a",
            "tram\na tram a",
            "xay z",
            "xby\nz",
            "aaa",
            "aaaa",
            "aa aa",
        ];
        for pattern in patterns {
            let regex = Regex::new(pattern).unwrap();
            let own = Pattern::of(&regex).unwrap();
            for text in texts {
                assert_eq!(own.is_match(text, &regex), regex.is_match(text), "{pattern} in {text:?}");
            }
        }
        for pattern in ["", ".*", "^a", "a$", "a+", "(?s)a.*b", "[a-z]b", r"a\b", "a\n.*b", "a.b", "a?b"] {
            assert!(Pattern::of(&Regex::new(pattern).unwrap()).is_none(), "{pattern}");
        }
    }
}
