//! Text of a small closed vocabulary, such as kinds of movements, as one byte per row.

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowDictionaryKeyType, ByteArrayType};
use arrow_array::{Array, DictionaryArray, GenericByteArray, StringViewArray, downcast_integer};
use arrow_buffer::{ArrowNativeType, NullBuffer};
use arrow_schema::DataType;

use super::keys;
use crate::error::Error;

/// A column of words of a small vocabulary.
#[derive(Debug, Clone, Default)]
pub struct Kinds {
    /// The code of the word by row; 0 where the row is null or its word unknown.
    pub codes: Vec<u8>,
    /// Rows without a word.
    pub nulls: Option<NullBuffer>,
    /// Rows of this array, ascending, whose word is not in the vocabulary; each with the word.
    pub unknown: Vec<(usize, String)>,
}

/// Reads `array` as words that `lookup` knows: text of any layout, or a dictionary of text.
///
/// `lookup` is called once per word that occurs (a few times where there are very many), not once per row.
///
/// # Errors
/// `TYPES_COLUMN_TYPE` for any other type.
pub fn read_kinds(
    array: &dyn Array,
    column: &str,
    lookup: impl Fn(&str) -> Option<u8>,
) -> Result<Kinds, Error> {
    read(array, column, &lookup)
}

/// The vocabulary is asked rarely, so that one compiled form serves all callers.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<u8>;

fn read(array: &dyn Array, column: &str, lookup: Lookup<'_>) -> Result<Kinds, Error> {
    let mut reader = Reader { lookup, memo: Memo::default(), kinds: Kinds::default() };
    reader.kinds.nulls = array.nulls().cloned();
    match array.data_type() {
        DataType::Null => reader.kinds = nulls_only(array.len()),
        DataType::Utf8 => reader.bytes(array.as_string::<i32>()),
        DataType::LargeUtf8 => reader.bytes(array.as_string::<i64>()),
        DataType::Utf8View => reader.views(array.as_string_view()),
        DataType::Dictionary(key, value) if is_text(value) => {
            macro_rules! dictionary {
                ($key:ty) => {
                    reader.dictionary(array.as_dictionary::<$key>(), column)?
                };
            }
            downcast_integer! { key.as_ref() => (dictionary), _ => return Err(type_error(array, column)) }
        }
        _ => return Err(type_error(array, column)),
    }
    let mut kinds = reader.kinds;
    if let Some(nulls) = kinds.nulls.as_ref().filter(|nulls| nulls.null_count() > 0) {
        // Below a null may lie any text, also a known one.
        kinds.codes.iter_mut().zip(nulls).filter(|(_, valid)| !valid).for_each(|(code, _)| *code = 0);
    }
    Ok(kinds)
}

struct Reader<'a> {
    lookup: Lookup<'a>,
    memo: Memo,
    kinds: Kinds,
}

/// Rows whose words are looked up without a branch.
const BLOCK: usize = 64;

/// What `lookup` said, with 256 for "unknown".
type Answer = u16;
const UNKNOWN: Answer = 256;

impl Reader<'_> {
    fn bytes<T: ByteArrayType<Native = str>>(&mut self, array: &GenericByteArray<T>) {
        let (offsets, data) = (array.value_offsets(), array.value_data());
        let word = |bounds: &[T::Offset]| match bounds {
            [start, end] => Word::new(data, start.as_usize(), end.as_usize()),
            _ => Word::default(),
        };
        self.kinds.codes.reserve_exact(array.len());
        for start in (0..array.len()).step_by(BLOCK) {
            let end = array.len().min(start + BLOCK);
            let bounds = || offsets.get(start..=end).unwrap_or_default().windows(2);
            // Nothing predicts which of the usual words comes next, so a block of them is read without a branch.
            let mut all_known = true;
            self.kinds.codes.extend(bounds().map(|bounds| {
                let code = self.memo.code(word(bounds));
                all_known &= code.is_some();
                code.unwrap_or(0)
            }));
            if !all_known {
                self.kinds.codes.truncate(start);
                for (row, bounds) in (start..).zip(bounds()) {
                    self.text(row, word(bounds), array);
                }
            }
        }
    }

    fn text<T: ByteArrayType<Native = str>>(&mut self, row: usize, word: Word, array: &GenericByteArray<T>) {
        // The text is only looked at where the memo does not know its bytes.
        let answer = match self.memo.find(word) {
            Ok(answer) => answer,
            Err(_) if array.is_null(row) => 0,
            Err(slot) => self.learn(slot, word, array.value(row)),
        };
        self.push(row, answer, || array.value(row).to_owned(), array.nulls());
    }

    fn views(&mut self, array: &StringViewArray) {
        self.kinds.codes.reserve_exact(array.len());
        for row in 0..array.len() {
            let text = if array.is_null(row) { "" } else { array.value(row) };
            let word = Word::new(text.as_bytes(), 0, text.len());
            let answer = self.memo.find(word).unwrap_or_else(|slot| self.learn(slot, word, text));
            self.push(row, answer, || text.to_owned(), array.nulls());
        }
    }

    fn dictionary<K: ArrowDictionaryKeyType>(
        &mut self,
        array: &DictionaryArray<K>,
        column: &str,
    ) -> Result<(), Error> {
        let values = read(array.values().as_ref(), column, self.lookup)?;
        let mut answers: Vec<Answer> = values.codes.iter().map(|code| Answer::from(*code)).collect();
        for (value, _) in &values.unknown {
            answers.get_mut(*value).into_iter().for_each(|answer| *answer = UNKNOWN);
        }
        let nulls = array.logical_nulls();
        self.kinds.codes.reserve_exact(array.len());
        for (row, key) in array.keys().values().iter().enumerate() {
            // The key of a null row may be anything.
            let answer = answers.get(key.as_usize()).copied().unwrap_or(0);
            self.push(row, answer, || super::text_at(array, row).unwrap_or_default(), nulls.as_ref());
        }
        self.kinds.nulls = nulls;
        Ok(())
    }

    #[inline]
    fn push(&mut self, row: usize, answer: Answer, text: impl Fn() -> String, nulls: Option<&NullBuffer>) {
        self.kinds.codes.push(u8::try_from(answer).unwrap_or(0));
        if answer == UNKNOWN && nulls.is_none_or(|nulls| nulls.is_valid(row)) {
            self.kinds.unknown.push((row, text()));
        }
    }

    #[cold]
    fn learn(&mut self, slot: Option<usize>, word: Word, text: &str) -> Answer {
        let answer = (self.lookup)(text).map_or(UNKNOWN, Answer::from);
        self.memo.insert(slot, word, answer);
        answer
    }
}

/// A text in a form that two loads compare: up to 32 bytes by their first and their last 16.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Word {
    head: u128,
    tail: u128,
    length: usize,
}

impl Word {
    const MAX: usize = 32;

    #[inline]
    fn new(data: &[u8], start: usize, end: usize) -> Self {
        // Without a branch on the length of short words, which nothing predicts; long ones are rare.
        let length = end - start;
        let head = keys::load(data, start, length);
        let tail = if length > 16 { keys::load(data, end.saturating_sub(16), 16) } else { 0 };
        Self { head, tail, length }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a hash keeps the low bits")]
    const fn hash(self) -> usize {
        let folded = self.head ^ self.tail.rotate_left(32);
        let mixed = ((folded >> 64) as u64).rotate_left(23) ^ folded as u64 ^ self.length as u64;
        (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as usize
    }
}

/// Words seen so far, by open addressing; it stays at most half full, and what comes after is looked up every time.
struct Memo {
    entries: Box<[(Word, Answer); Self::SLOTS]>,
    filled: usize,
}

const EMPTY: Answer = Answer::MAX;

impl Default for Memo {
    fn default() -> Self {
        Self { entries: Box::new([(Word::default(), EMPTY); Self::SLOTS]), filled: 0 }
    }
}

impl Memo {
    const SLOTS: usize = 256;

    /// The code of a word that is known and lies where it is first looked for.
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "the slot is taken modulo the number of slots")]
    fn code(&self, word: Word) -> Option<u8> {
        let (found, answer) = &self.entries[word.hash() % Self::SLOTS];
        let difference = (found.head ^ word.head) | (found.tail ^ word.tail);
        let is_same = (difference == 0) & (found.length == word.length) & (*answer < UNKNOWN);
        let [code, _] = answer.to_le_bytes();
        is_same.then_some(code)
    }

    /// The answer for `word`, or the slot where it may be put.
    #[inline]
    #[expect(clippy::indexing_slicing, reason = "the slot is taken modulo the number of slots")]
    fn find(&self, word: Word) -> Result<Answer, Option<usize>> {
        let mut slot = word.hash() % Self::SLOTS;
        if word.length > Word::MAX {
            return Err(None);
        }
        loop {
            let (found, answer) = self.entries[slot];
            if answer == EMPTY {
                return Err((self.filled < Self::SLOTS / 2).then_some(slot));
            }
            if found == word {
                return Ok(answer);
            }
            slot = (slot + 1) % Self::SLOTS;
        }
    }

    fn insert(&mut self, slot: Option<usize>, word: Word, answer: Answer) {
        if let Some(entry) = slot.and_then(|slot| self.entries.get_mut(slot)) {
            *entry = (word, answer);
            self.filled += 1;
        }
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn nulls_only(rows: usize) -> Kinds {
    Kinds { codes: vec![0; rows], nulls: Some(NullBuffer::new_null(rows)), unknown: Vec::new() }
}

fn type_error(array: &dyn Array, column: &str) -> Error {
    Error::ColumnType {
        column: column.to_owned(),
        expected: "text or a dictionary of text",
        found: super::type_name(array.data_type()),
        advice: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::{Int8Type, UInt16Type};
    use arrow_array::{ArrayRef, Int32Array, LargeStringArray, NullArray, PrimitiveArray, StringArray};
    use proptest::prelude::*;

    use super::*;

    const WORDS: [&str; 7] = [
        "receipt",
        "issue",
        "",
        "sales_return",
        "provisional_receipt",
        "cost_adjustment!",
        "a word of more than thirty-two bytes",
    ];

    fn lookup(word: &str) -> Option<u8> {
        WORDS.iter().position(|known| *known == word).and_then(|at| u8::try_from(at).ok())
    }

    fn shapes(cells: &[Option<&str>]) -> Vec<ArrayRef> {
        let dictionary: DictionaryArray<Int8Type> = cells.iter().copied().collect();
        // A dictionary with a repeated and an unused value, and a null among its values.
        let mut values = vec![None, Some("unused")];
        values.extend(cells.iter().copied());
        let keys: PrimitiveArray<UInt16Type> =
            (0..cells.len()).map(|row| u16::try_from(row + 2).ok()).collect();
        let repeated = DictionaryArray::new(keys, Arc::new(LargeStringArray::from(values)));
        vec![
            Arc::new(StringArray::from(cells.to_vec())),
            Arc::new(LargeStringArray::from(cells.to_vec())),
            Arc::new(StringViewArray::from(cells.to_vec())),
            Arc::new(dictionary),
            Arc::new(repeated),
        ]
    }

    fn check(cells: &[Option<&str>]) {
        for array in shapes(cells) {
            let kinds = read_kinds(array.as_ref(), "kind", lookup).unwrap();
            let unknown: Vec<_> = cells
                .iter()
                .enumerate()
                .filter_map(|(row, cell)| {
                    cell.filter(|word| lookup(word).is_none()).map(|word| (row, word.to_owned()))
                })
                .collect();
            assert_eq!(kinds.unknown, unknown);
            for (row, cell) in cells.iter().enumerate() {
                assert_eq!(kinds.codes[row], cell.and_then(lookup).unwrap_or(0), "row {row}");
                assert_eq!(kinds.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)), cell.is_none());
            }
        }
    }

    #[test]
    fn every_shape_gives_the_same_codes() {
        check(&[
            Some("issue"),
            None,
            Some("receipt"),
            Some(WORDS[6]),
            Some("nonsense"),
            Some(""),
            Some(WORDS[4]),
        ]);
        check(&[]);
        check(&[None]);
    }

    #[test]
    fn more_words_than_the_memo_holds_are_still_told_apart() {
        let words: Vec<String> = (0..100_u8).map(|number| format!("w{number}")).collect();
        let junk: Vec<String> = (0..400).map(|number| format!("junk {number}")).collect();
        let cells: Vec<&str> = junk.iter().chain(&words).chain(&junk).map(String::as_str).collect();
        let known = |word: &str| word.strip_prefix('w').and_then(|number| number.parse().ok());
        let kinds = read_kinds(&StringArray::from(cells), "kind", known).unwrap();
        assert_eq!(kinds.unknown.len(), 800);
        assert_eq!(kinds.codes[400..500], (0..100).collect::<Vec<u8>>());
    }

    #[test]
    fn other_types_are_refused() {
        let message = |array: &dyn Array| read_kinds(array, "kind", lookup).unwrap_err().to_string();
        assert_eq!(
            message(&Int32Array::from(vec![1])),
            "column `kind`: expected text or a dictionary of text, found int32"
        );
        assert_eq!(read_kinds(&NullArray::new(2), "kind", lookup).unwrap().nulls.unwrap().null_count(), 2);
    }

    proptest! {
        #[test]
        fn random_words_match_a_lookup_per_row(
            picks in prop::collection::vec(prop::option::of((0_usize..9, "[a-c]{0,40}")), 0..200),
        ) {
            let words: Vec<Option<String>> = picks.into_iter()
                .map(|pick| pick.map(|(at, other)| WORDS.get(at).map_or(other, |word| (*word).to_owned())))
                .collect();
            check(&words.iter().map(Option::as_deref).collect::<Vec<_>>());
        }
    }
}
