//! Cells of text and integer columns as 128-bit keys: what interning and id checks compare instead of strings.
//!
//! A text of at most 15 bytes is its own key: the bytes, first byte lowest, and its length + 1 in the top byte. A
//! longer one has [`LONG`] in the top byte and 120 bits of a hash; equal keys of long texts are confirmed by their
//! bytes. An integer is shifted by 2^64. No cell has the key 0.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::ByteArrayType;
use arrow_array::{Array, ArrayRef, GenericByteArray, StringViewArray, downcast_integer_array};
use arrow_buffer::{ArrowNativeType, NullBuffer};
use arrow_schema::DataType;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::table::seeds;
use crate::error::Error;

/// The key of null.
pub(crate) const NULL_KEY: u128 = u128::MAX;
/// Top byte of the key of a text of more than 15 bytes.
pub(crate) const LONG: u8 = 0xFE;
/// Rows that are turned into keys at a time: few enough for the innermost cache.
pub(crate) const BLOCK: usize = 256;
/// Integers are shifted by this, so that keys of integers are positive and never 0.
const SHIFT: i128 = 1 << 64;
/// Codes of rows are 32 bits wide, and two values are reserved.
const MAX_ROWS: u64 = u32::MAX as u64 - 2;

/// A chunked column of text or integers, or dictionaries of either.
#[derive(Debug)]
pub(crate) struct KeyColumn {
    pub(crate) chunks: Vec<KeyChunk>,
    /// First row of every chunk, and the number of rows.
    offsets: Vec<usize>,
    pub(crate) form: Form,
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Only nulls.
    Null,
    Text,
    Integer,
}

#[derive(Debug)]
pub(crate) struct KeyChunk {
    array: ArrayRef,
    nulls: Option<NullBuffer>,
    /// For a dictionary, the keys of its values; shared between chunks with the same dictionary.
    pub(crate) dictionary: Option<Arc<[u128]>>,
}

impl KeyColumn {
    /// A view of the chunks of a column.
    ///
    /// # Errors
    /// `TYPES_COLUMN_TYPE` for columns that are neither text nor integers, and where chunks mix the two;
    /// `TYPES_TOO_MANY_ROWS` above 2^32 - 3 rows.
    pub(crate) fn new(arrays: &[ArrayRef], column: &str) -> Result<Self, Error> {
        let mut offsets = vec![0];
        let mut chunks: Vec<KeyChunk> = Vec::with_capacity(arrays.len());
        let mut form = Form::Null;
        let mut rows = 0;
        for array in arrays {
            let own = form_of(array.data_type()).ok_or_else(|| type_error(array, column))?;
            if own != Form::Null && form != Form::Null && own != form {
                return Err(type_error(array, column));
            }
            form = if own == Form::Null { form } else { own };
            chunks.push(KeyChunk::new(array, chunks.last()));
            rows += array.len();
            offsets.push(rows);
        }
        if rows as u64 > MAX_ROWS {
            return Err(Error::TooManyRows { rows: rows as u64, limit: MAX_ROWS }.in_column(column));
        }
        Ok(Self { chunks, offsets, form })
    }

    pub(crate) fn rows(&self) -> usize {
        self.offsets.last().copied().unwrap_or_default()
    }

    /// Whether the null masks leave no cell.
    pub(crate) fn is_all_null(&self) -> bool {
        self.chunks.iter().all(|chunk| chunk.null_count() == chunk.array.len())
    }

    pub(crate) fn has_nulls(&self) -> bool {
        self.chunks.iter().any(|chunk| chunk.null_count() > 0)
    }

    pub(crate) fn has_dictionary(&self) -> bool {
        self.chunks.iter().any(|chunk| chunk.dictionary.is_some())
    }

    /// Calls `visit` with every one of `rows` and its key.
    #[inline]
    pub(crate) fn for_each(&self, rows: Range<usize>, mut visit: impl FnMut(usize, u128)) {
        let outcome = self.blocks(rows, |row, keys| {
            (row..).zip(keys).for_each(|(row, key)| visit(row, *key));
            ControlFlow::Continue(())
        });
        debug_assert!(outcome.is_continue());
    }

    /// Calls `visit` with the first row and the keys of block after block of `rows`, until it breaks.
    pub(crate) fn blocks(
        &self,
        rows: Range<usize>,
        mut visit: impl FnMut(usize, &[u128]) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut buffer = [0_u128; BLOCK];
        for (chunk, base, part) in self.parts(rows) {
            let mut start = part.start;
            while start < part.end {
                let length = BLOCK.min(part.end - start);
                if let Some(keys) = buffer.get_mut(..length) {
                    chunk.keys(start, keys);
                    visit(base + start, keys)?;
                }
                start += length;
            }
        }
        ControlFlow::Continue(())
    }

    /// The chunks that `rows` touches, each with its first row in the column and its own rows in question.
    pub(crate) fn parts(&self, rows: Range<usize>) -> impl Iterator<Item = (&KeyChunk, usize, Range<usize>)> {
        self.chunks.iter().zip(self.offsets.windows(2)).filter_map(move |(chunk, bounds)| {
            let [first, end] = bounds else { return None };
            let part = rows.start.max(*first)..rows.end.min(*end);
            (part.start < part.end).then(|| (chunk, *first, part.start - first..part.end - first))
        })
    }

    /// The key of one row.
    pub(crate) fn key(&self, row: usize) -> u128 {
        self.locate(row).map_or(NULL_KEY, |(chunk, row)| chunk.key(row))
    }

    /// The bytes of the text in `row`; empty for null and for integers.
    pub(crate) fn bytes(&self, row: usize) -> &[u8] {
        self.locate(row).map_or(&[], |(chunk, row)| bytes_at(chunk.array.as_ref(), row))
    }

    fn locate(&self, row: usize) -> Option<(&KeyChunk, usize)> {
        let index = match self.chunks.len() {
            1 => 0,
            _ => self.offsets.partition_point(|first| *first <= row) - 1,
        };
        Some((self.chunks.get(index)?, row - self.offsets.get(index)?))
    }
}

impl KeyChunk {
    fn new(array: &ArrayRef, before: Option<&Self>) -> Self {
        let dictionary = array.as_any_dictionary_opt().map(|dictionary| {
            let values = dictionary.values();
            let same = before.filter(|before| {
                let other = before.array.as_any_dictionary_opt();
                other.is_some_and(|other| other.values().to_data().ptr_eq(&values.to_data()))
            });
            same.and_then(|before| before.dictionary.clone()).unwrap_or_else(|| {
                let mut keys = vec![0; values.len()];
                Self { array: Arc::clone(values), nulls: values.nulls().cloned(), dictionary: None }
                    .keys(0, &mut keys);
                keys.into()
            })
        });
        let nulls = match array.data_type() {
            DataType::Null => Some(NullBuffer::new_null(array.len())),
            _ => array.nulls().cloned(),
        };
        Self { array: Arc::clone(array), nulls, dictionary }
    }

    pub(crate) fn null_count(&self) -> usize {
        self.nulls.as_ref().map_or(0, NullBuffer::null_count)
    }

    pub(crate) fn nulls(&self) -> Option<&NullBuffer> {
        self.nulls.as_ref().filter(|nulls| nulls.null_count() > 0)
    }

    /// The bytes of the text in `row` of the chunk; empty for null and for integers.
    pub(crate) fn bytes(&self, row: usize) -> &[u8] {
        bytes_at(self.array.as_ref(), row)
    }

    pub(crate) fn array(&self) -> &dyn Array {
        self.array.as_ref()
    }

    /// The key of one row of the chunk.
    pub(crate) fn key(&self, row: usize) -> u128 {
        let mut key = [NULL_KEY];
        self.keys(row, &mut key);
        let [key] = key;
        key
    }

    /// The keys of the rows from `start` on.
    pub(crate) fn keys(&self, start: usize, keys: &mut [u128]) {
        let array = self.array.as_ref();
        match &self.dictionary {
            Some(values) => {
                self.dictionary_keys(start, keys.len(), |row, key| {
                    if let Some(slot) = keys.get_mut(row) {
                        // The key of a null row may be anything.
                        *slot = values.get(key).copied().unwrap_or(NULL_KEY);
                    }
                });
            }
            None => plain_keys(array, start, keys),
        }
        if let Some(nulls) = self.nulls() {
            for (row, key) in (start..).zip(keys) {
                if nulls.is_null(row) {
                    *key = NULL_KEY;
                }
            }
        }
    }

    /// Calls `visit` with every row (from 0 for `start`) and the position of its value in the dictionary.
    pub(crate) fn dictionary_keys(&self, start: usize, length: usize, mut visit: impl FnMut(usize, usize)) {
        let Some(dictionary) = self.array.as_any_dictionary_opt() else {
            return;
        };
        let keys = dictionary.keys();
        downcast_integer_array!(
            keys => {
                let part = keys.values().get(start..start + length).unwrap_or_default();
                part.iter().enumerate().for_each(|(row, key)| visit(row, key.as_usize()));
            },
            _ => {}
        );
    }
}

fn plain_keys(array: &dyn Array, start: usize, keys: &mut [u128]) {
    downcast_integer_array!(
        array => {
            let values = array.values().get(start..start + keys.len()).unwrap_or_default();
            keys.iter_mut().zip(values).for_each(|(key, value)| *key = shifted(i128::from(*value)));
        },
        DataType::Utf8 => byte_keys(array.as_string::<i32>(), start, keys),
        DataType::LargeUtf8 => byte_keys(array.as_string::<i64>(), start, keys),
        DataType::Utf8View => view_keys(array.as_string_view(), start, keys),
        _ => keys.fill(NULL_KEY),
    );
}

fn byte_keys<T: ByteArrayType<Native = str>>(array: &GenericByteArray<T>, start: usize, keys: &mut [u128]) {
    let (offsets, data) = (array.value_offsets(), array.value_data());
    let offsets = offsets.get(start..=start + keys.len()).unwrap_or_default();
    for (key, bounds) in keys.iter_mut().zip(offsets.windows(2)) {
        let [first, end] = bounds else { continue };
        *key = text_key(data, first.as_usize(), end.as_usize());
    }
}

fn view_keys(array: &StringViewArray, start: usize, keys: &mut [u128]) {
    let views = array.views().get(start..start + keys.len()).unwrap_or_default();
    for ((row, view), key) in (start..).zip(views).zip(keys) {
        // A view holds the length in its low 32 bits, and up to 12 bytes of text right behind it.
        let length = (*view & 0xFFFF_FFFF) as usize;
        *key = if length <= 12 {
            ((*view >> 32) & low_bytes(length)) | ((length as u128 + 1) << 120)
        } else {
            let text = if array.is_null(row) { "" } else { array.value(row) };
            text_key(text.as_bytes(), 0, text.len())
        };
    }
}

/// The key of the text `data[start..end]`.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the length is at most 15")]
pub(crate) fn text_key(data: &[u8], start: usize, end: usize) -> u128 {
    let length = end.saturating_sub(start);
    if length <= 15 {
        return load(data, start, length) | (u128::from(length as u8 + 1) << 120);
    }
    long_key(data.get(start..end).unwrap_or_default())
}

#[inline(never)]
fn long_key(bytes: &[u8]) -> u128 {
    (xxh3_128_with_seed(bytes, seeds()[0]) >> 8) | (u128::from(LONG) << 120)
}

/// Up to 16 bytes from `start` on, the first one lowest.
#[inline]
pub(crate) fn load(data: &[u8], start: usize, length: usize) -> u128 {
    if let Some(window) = data.get(start..).and_then(<[u8]>::first_chunk::<16>) {
        return u128::from_le_bytes(*window) & low_bytes(length);
    }
    let mut window = [0; 16];
    let bytes = data.get(start..start + length).unwrap_or_default();
    window.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    u128::from_le_bytes(window)
}

/// A mask of the low `length` bytes, up to 16; from a table, because a 128-bit shift costs more.
#[inline]
#[expect(clippy::indexing_slicing, reason = "the length is held within the table")]
fn low_bytes(length: usize) -> u128 {
    MASKS[length.min(16)]
}

static MASKS: [u128; 17] = masks();

#[expect(clippy::indexing_slicing, reason = "bounded by the length")]
const fn masks() -> [u128; 17] {
    let mut masks = [u128::MAX; 17];
    let mut length = 0;
    while length < 16 {
        masks[length] = (1 << (8 * length)) - 1;
        length += 1;
    }
    masks
}

#[inline]
#[expect(clippy::cast_sign_loss, reason = "64-bit integers shifted by 2^64 are positive")]
pub(crate) const fn shifted(value: i128) -> u128 {
    (value + SHIFT) as u128
}

/// Whether a key stands for a text that its hash only represents.
#[inline]
pub(crate) const fn is_long(key: u128) -> bool {
    (key >> 120) as u8 == LONG
}

fn bytes_at(array: &dyn Array, row: usize) -> &[u8] {
    if array.is_null(row) {
        return &[];
    }
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).as_bytes(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).as_bytes(),
        DataType::Utf8View => array.as_string_view().value(row).as_bytes(),
        DataType::Dictionary(..) => array.as_any_dictionary_opt().map_or(&[], |dictionary| {
            let keys = dictionary.keys();
            let key = downcast_integer_array!(keys => keys.value(row).as_usize(), _ => 0);
            bytes_at(dictionary.values().as_ref(), key)
        }),
        _ => &[],
    }
}

fn form_of(data_type: &DataType) -> Option<Form> {
    match data_type {
        DataType::Null => Some(Form::Null),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(Form::Text),
        DataType::Dictionary(_, value) if !matches!(**value, DataType::Dictionary(..)) => form_of(value),
        other => other.is_integer().then_some(Form::Integer),
    }
}

fn type_error(array: &ArrayRef, column: &str) -> Error {
    Error::ColumnType {
        column: column.to_owned(),
        expected: "text, integers or a dictionary of either, the same in every batch",
        found: super::type_name(array.data_type()),
        advice: String::new(),
    }
}
