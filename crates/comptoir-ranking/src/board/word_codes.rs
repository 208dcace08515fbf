//! Codes of integers: by a table where they lie close together, by a hash elsewhere.

use hashbrown::HashMap;

use super::column_codes::NEW;
use super::words::{Word, Words, each_width};

/// Codes by integer.
#[derive(Debug)]
pub enum WordCodes {
    /// The codes of the integers from a first one on.
    Near {
        first: u64,
        codes: Vec<u32>,
    },
    Far(HashMap<u64, u32>),
}

/// Integers that a table may span: 4 MB.
const SPAN: u64 = 1 << 20;

impl Default for WordCodes {
    fn default() -> Self {
        Self::Near { first: 0, codes: Vec::new() }
    }
}

impl WordCodes {
    /// The code of an integer, or [`NEW`].
    #[inline]
    pub fn code(&self, word: u64) -> u32 {
        match self {
            Self::Near { first, codes } => near(*first, codes, word),
            Self::Far(codes) => codes.get(&word).copied().unwrap_or(NEW),
        }
    }

    /// Appends the code of each row, or [`NEW`].
    pub fn look_up(&self, words: &Words, codes: &mut Vec<u32>) {
        each_width!(words, values => self.look_up_all(values, codes));
    }

    fn look_up_all<T: Word>(&self, values: &[T], into: &mut Vec<u32>) {
        match self {
            Self::Near { first, codes } => {
                into.extend(values.iter().map(|value| near(*first, codes, value.word())));
            }
            Self::Far(codes) => {
                into.extend(values.iter().map(|value| codes.get(&value.word()).copied().unwrap_or(NEW)));
            }
        }
    }

    /// Gives an integer a code.
    pub fn insert(&mut self, word: u64, code: u32) {
        if let Self::Near { first, codes } = self {
            if codes.is_empty() {
                *first = word;
            }
            let (low, last) = (word.min(*first), word.max(first.saturating_add(codes.len() as u64)));
            if last - low >= SPAN {
                // Room beyond the largest integer has no codes.
                let known = (0_u64..).zip(codes.iter().copied()).filter(|(_, code)| *code != NEW);
                *self = Self::Far(known.map(|(place, code)| (first.wrapping_add(place), code)).collect());
            } else {
                reach(first, codes, word);
            }
        }
        match self {
            Self::Near { first, codes } => {
                let place = word.wrapping_sub(*first);
                if let Some(place) = usize::try_from(place).ok().and_then(|place| codes.get_mut(place)) {
                    *place = code;
                }
            }
            Self::Far(codes) => {
                codes.insert(word, code);
            }
        }
    }
}

#[inline]
fn near(first: u64, codes: &[u32], word: u64) -> u32 {
    let place = usize::try_from(word.wrapping_sub(first)).unwrap_or(usize::MAX);
    codes.get(place).copied().unwrap_or(NEW)
}

/// Makes room for an integer, and for as many beyond it as there are, so that this happens seldom.
fn reach(first: &mut u64, codes: &mut Vec<u32>, word: u64) {
    let spare = codes.len() as u64;
    if word < *first {
        let start = word.saturating_sub(spare);
        let more = usize::try_from(*first - start).unwrap_or(0);
        codes.splice(..0, std::iter::repeat_n(NEW, more));
        *first = start;
    }
    let length = usize::try_from(word - *first).map_or(0, |place| place + 1);
    if length > codes.len() {
        codes.resize(length.max(codes.len() * 2), NEW);
    }
}
