//! Codes of the values of a column: dense numbers in the order in which values are first seen.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, LargeStringArray, RecordBatch, StringArray, StringViewArray, UInt32Array,
};
use arrow_buffer::{ArrowNativeType, BooleanBuffer};
use arrow_row::{RowConverter, SortField};
use arrow_schema::{DataType, Field};
use hashbrown::HashMap;

use super::error::BoardError;
use super::keys::{check_name, schema_change};
use super::memo;
use super::numbering::Translation;
use super::word_codes::WordCodes;
use super::words::{self, Words};

/// What is no code.
pub const NEW: u32 = u32::MAX;

/// The code that follows so many.
pub fn next(count: usize) -> Result<u32, BoardError> {
    u32::try_from(count).ok().filter(|code| *code != NEW).ok_or(BoardError::TooMany { what: "groups" })
}

/// Codes of the values of one column, whatever its batches pack it in.
#[derive(Debug)]
pub struct ColumnCodes {
    name: String,
    data_type: Option<DataType>,
    kind: Kind,
    /// The values, by code.
    null: Option<u32>,
    count: usize,
    dictionary: Option<Dictionary>,
    /// From codes that several boards have in common.
    translation: Translation,
}

#[derive(Debug)]
enum Kind {
    Words(WordCodes, Vec<u64>),
    Texts(ByteCodes),
    /// Other types, as bytes that tell their values apart.
    Rows(Box<RowConverter>, ByteCodes),
}

/// The values of a dictionary, and the codes of those that were met.
#[derive(Debug)]
struct Dictionary {
    values: ArrayRef,
    codes: Vec<u32>,
}

#[derive(Debug, Default)]
struct ByteCodes {
    codes: HashMap<Arc<[u8]>, u32>,
    /// By code; empty for null.
    values: Vec<Arc<[u8]>>,
}

impl ColumnCodes {
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            data_type: None,
            kind: Kind::Words(WordCodes::default(), Vec::new()),
            null: None,
            count: 0,
            dictionary: None,
            translation: Translation::default(),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub const fn len(&self) -> usize {
        self.count
    }

    /// As [`ColumnCodes::read`], from the codes of a numbering where several boards read the column of this batch.
    pub fn read_shared(
        &mut self,
        array: &ArrayRef,
        batch: Option<&RecordBatch>,
        chosen: &BooleanBuffer,
        codes: &mut Vec<u32>,
    ) -> Result<(), BoardError> {
        // One without rows tells the type of the column, which a translation would not.
        let Some(batch) = batch.filter(|batch| batch.num_rows() > 0) else {
            return self.read(array, chosen, codes);
        };
        let name = self.name.clone();
        let outcome = memo::numbered(&[name], batch, |numbering| {
            numbering.read(batch, chosen)?;
            let mut translation = std::mem::take(&mut self.translation);
            translation.read(numbering, chosen, codes, |rows| self.read_some(array, rows))?;
            self.translation = translation;
            Ok(())
        });
        outcome.unwrap_or_else(|| self.read(array, chosen, codes))
    }

    fn read_some(&mut self, array: &ArrayRef, rows: &UInt32Array) -> Result<Vec<u32>, BoardError> {
        let some = arrow_select::take::take(array, rows, None).map_err(BoardError::internal)?;
        let mut codes = Vec::new();
        self.read(&some, &BooleanBuffer::new_set(rows.len()), &mut codes)?;
        Ok(codes)
    }

    /// Fills an empty list with a code for each row of an array, right for chosen rows.
    pub fn read(
        &mut self,
        array: &ArrayRef,
        chosen: &BooleanBuffer,
        codes: &mut Vec<u32>,
    ) -> Result<(), BoardError> {
        self.check(array)?;
        if let Some(dictionary) = array.as_any_dictionary_opt() {
            return self.read_keys(dictionary.keys(), dictionary.values(), chosen, codes);
        }
        match &mut self.kind {
            Kind::Words(..) => self.read_words(array, chosen, codes),
            Kind::Texts(_) => self.read_texts(array, chosen, codes),
            Kind::Rows(..) => self.read_rows(array, chosen, codes),
        }
    }

    /// The values of codes, with their field. Nothing before the first batch.
    pub fn column(&self, codes: &[u32]) -> Result<Option<(Field, ArrayRef)>, BoardError> {
        let Some(data_type) = &self.data_type else { return Ok(None) };
        let is_null = |code: u32| Some(code) == self.null;
        let array = match &self.kind {
            Kind::Words(_, values) => {
                let words: Vec<u64> =
                    codes.iter().map(|code| values.get(*code as usize).copied().unwrap_or(0)).collect();
                words::column(data_type, &words, Some(codes.iter().map(|code| !is_null(*code)).collect()))?
            }
            Kind::Texts(texts) => {
                let text = |code: &u32| match is_null(*code) {
                    true => None,
                    false => std::str::from_utf8(texts.value(*code)).ok(),
                };
                let texts = codes.iter().map(text);
                match data_type {
                    DataType::LargeUtf8 => Arc::new(texts.collect::<LargeStringArray>()) as ArrayRef,
                    DataType::Utf8View => Arc::new(texts.collect::<StringViewArray>()),
                    _ => Arc::new(texts.collect::<StringArray>()),
                }
            }
            Kind::Rows(converter, rows) => {
                let parser = converter.parser();
                let rows = codes.iter().map(|code| parser.parse(rows.value(*code)));
                let mut columns = converter.convert_rows(rows).map_err(BoardError::internal)?;
                columns.pop().ok_or_else(|| BoardError::internal("a column without values"))?
            }
        };
        Ok(Some((Field::new(&self.name, array.data_type().clone(), array.null_count() > 0), array)))
    }

    /// Whether an array has the type of those before.
    fn check(&mut self, array: &ArrayRef) -> Result<(), BoardError> {
        let found = match array.data_type() {
            DataType::Dictionary(_, values) => values,
            other => other,
        };
        if let Some(known) = &self.data_type {
            return if known == found { Ok(()) } else { Err(schema_change(&self.name, known, found)) };
        }
        check_name(&self.name, found)?;
        self.kind = match found {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Texts(ByteCodes::default()),
            _ if Words::of(&*arrow_array::new_empty_array(found)).is_some() => {
                Kind::Words(WordCodes::default(), Vec::new())
            }
            _ => {
                let converter = RowConverter::new(vec![SortField::new(found.clone())]);
                Kind::Rows(Box::new(converter.map_err(BoardError::internal)?), ByteCodes::default())
            }
        };
        self.data_type = Some(found.clone());
        Ok(())
    }

    fn read_words(
        &mut self,
        array: &ArrayRef,
        chosen: &BooleanBuffer,
        codes: &mut Vec<u32>,
    ) -> Result<(), BoardError> {
        let Kind::Words(known, values) = &mut self.kind else { return Ok(()) };
        let words = Words::of(array).ok_or_else(|| BoardError::internal("no integers"))?;
        known.look_up(&words, codes);
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
        let unknown = any_new(codes);
        for row in chosen.set_indices().filter(|_| unknown || nulls.is_some()) {
            let Some(place) = codes.get_mut(row) else { continue };
            if nulls.is_some_and(|nulls| nulls.is_null(row)) {
                *place = null_code(&mut self.null, &mut self.count)?;
                values.resize(self.count, 0);
            } else if *place == NEW {
                let word = words.word(row);
                // It may have been new a few rows ago.
                *place = known.code(word);
                if *place == NEW {
                    *place = next(self.count)?;
                    known.insert(word, *place);
                    values.push(word);
                    self.count += 1;
                }
            }
        }
        Ok(())
    }

    fn read_texts(
        &mut self,
        array: &ArrayRef,
        chosen: &BooleanBuffer,
        codes: &mut Vec<u32>,
    ) -> Result<(), BoardError> {
        match array.data_type() {
            DataType::Utf8 => {
                let texts = array.as_string::<i32>();
                self.read_bytes(array, chosen, codes, |row| texts.value(row).as_bytes())
            }
            DataType::LargeUtf8 => {
                let texts = array.as_string::<i64>();
                self.read_bytes(array, chosen, codes, |row| texts.value(row).as_bytes())
            }
            _ => {
                let texts = array.as_string_view();
                self.read_bytes(array, chosen, codes, |row| texts.value(row).as_bytes())
            }
        }
    }

    fn read_rows(
        &mut self,
        array: &ArrayRef,
        chosen: &BooleanBuffer,
        codes: &mut Vec<u32>,
    ) -> Result<(), BoardError> {
        let Kind::Rows(converter, _) = &mut self.kind else { return Ok(()) };
        let rows = converter.convert_columns(std::slice::from_ref(array)).map_err(BoardError::internal)?;
        // Null has bytes of its own here, and comes back from them.
        self.read_bytes(array, chosen, codes, |row| rows.row(row).data())
    }

    fn read_bytes<'b>(
        &mut self,
        array: &ArrayRef,
        chosen: &BooleanBuffer,
        codes: &mut Vec<u32>,
        bytes: impl Fn(usize) -> &'b [u8],
    ) -> Result<(), BoardError> {
        let (known, is_text) = match &mut self.kind {
            Kind::Texts(known) => (known, true),
            Kind::Rows(_, known) => (known, false),
            Kind::Words(..) => return Ok(()),
        };
        codes.resize(array.len(), 0);
        for row in chosen.set_indices() {
            let code = if is_text && array.is_null(row) {
                let code = null_code(&mut self.null, &mut self.count)?;
                known.values.resize(self.count, Arc::default());
                code
            } else {
                known.code(bytes(row), &mut self.count)?
            };
            if let Some(place) = codes.get_mut(row) {
                *place = code;
            }
        }
        Ok(())
    }

    /// Each value of a dictionary is coded once, when a chosen row has it.
    fn read_keys(
        &mut self,
        keys: &dyn Array,
        values: &ArrayRef,
        chosen: &BooleanBuffer,
        codes: &mut Vec<u32>,
    ) -> Result<(), BoardError> {
        let known = self.dictionary.take().filter(|known| Arc::ptr_eq(&known.values, values));
        let mut known =
            known.unwrap_or_else(|| Dictionary { values: values.clone(), codes: vec![NEW; values.len()] });
        let words = Words::of(keys).ok_or_else(|| BoardError::internal("keys that are no integers"))?;
        words::each_width!(&words, keys => codes.extend(keys.iter().map(|key| {
            key.to_usize().and_then(|key| known.codes.get(key)).copied().unwrap_or(NEW)
        })));
        let nulls = keys.nulls().filter(|nulls| nulls.null_count() > 0);
        let unknown = any_new(codes);
        for row in chosen.set_indices().filter(|_| unknown || nulls.is_some()) {
            let is_null = nulls.is_some_and(|nulls| nulls.is_null(row));
            if !is_null && codes.get(row) != Some(&NEW) {
                continue;
            }
            let key = words::each_width!(&words, keys => keys.get(row).and_then(|key| key.to_usize()));
            let code = match key.filter(|_| !is_null) {
                None => self.code_of_null()?,
                Some(key) => match known.codes.get(key) {
                    Some(code) if *code != NEW => *code,
                    _ => self.code_of(values, key)?,
                },
            };
            if let (Some(key), false) = (key, is_null)
                && let Some(place) = known.codes.get_mut(key)
            {
                *place = code;
            }
            if let Some(place) = codes.get_mut(row) {
                *place = code;
            }
        }
        self.dictionary = Some(known);
        Ok(())
    }

    fn code_of_null(&mut self) -> Result<u32, BoardError> {
        let data_type = self.data_type.clone().unwrap_or(DataType::Null);
        self.code_of(&arrow_array::new_null_array(&data_type, 1), 0)
    }

    /// The code of one value of an array without a dictionary.
    fn code_of(&mut self, values: &ArrayRef, row: usize) -> Result<u32, BoardError> {
        let mut codes = Vec::with_capacity(1);
        self.read(&values.slice(row, 1), &BooleanBuffer::new_set(1), &mut codes)?;
        codes.first().copied().ok_or_else(|| BoardError::internal("a value without code"))
    }
}

/// Whether a code is none: of all at a time, since most often none is.
pub fn any_new(codes: &[u32]) -> bool {
    codes.iter().fold(false, |any, code| any | (*code == NEW))
}

fn null_code(null: &mut Option<u32>, count: &mut usize) -> Result<u32, BoardError> {
    if let Some(code) = null {
        return Ok(*code);
    }
    let code = next(*count)?;
    *count += 1;
    *null = Some(code);
    Ok(code)
}

impl ByteCodes {
    fn code(&mut self, bytes: &[u8], count: &mut usize) -> Result<u32, BoardError> {
        if let Some(code) = self.codes.get(bytes) {
            return Ok(*code);
        }
        let code = next(*count)?;
        *count += 1;
        let bytes: Arc<[u8]> = bytes.into();
        self.codes.insert(bytes.clone(), code);
        self.values.push(bytes);
        Ok(code)
    }

    fn value(&self, code: u32) -> &[u8] {
        self.values.get(code as usize).map_or(&[], |bytes| bytes)
    }
}
