//! Structures of Arrow's C data interface, made from the bytes of a fuzzer.

use std::ffi::{CString, c_char, c_void};
use std::ptr::{null, null_mut};
use std::sync::OnceLock;

/// Bytes of a buffer: enough for every length that is tried, of values of 32 bytes.
const BUFFER: usize = 1 << 15;
/// Elements of an array, at most.
const MOST: u8 = 200;
/// Children and buffers that a pointer leads to, whatever number is said.
const ROOM: usize = 16;

const FORMATS: [&str; 44] = [
    "l",
    "u",
    "i",
    "g",
    "tsu:UTC",
    "d:18,4",
    "tdD",
    "b",
    "z",
    "U",
    "Z",
    "vu",
    "vz",
    "c",
    "C",
    "s",
    "S",
    "I",
    "L",
    "e",
    "f",
    "n",
    "tdm",
    "tts",
    "ttm",
    "ttu",
    "ttn",
    "tss:",
    "tsm:Asia/Shanghai",
    "tsn:",
    "tDs",
    "tiM",
    "d:9,2,32",
    "d:18,4,64",
    "d:38,10,256",
    "w:8",
    "+l",
    "+L",
    "+s",
    "+m",
    "+w:2",
    "+r",
    "+vl",
    "d:99,-9",
];

/// Numbers from the fuzzer; zeros when there are no more.
pub struct Bytes<'b>(std::slice::Iter<'b, u8>);

impl<'b> Bytes<'b> {
    pub fn new(bytes: &'b [u8]) -> Self {
        Self(bytes.iter())
    }

    pub fn next(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    /// A number, or in one of sixteen cases a lie.
    fn said(&mut self, truth: i64) -> i64 {
        match self.next() {
            0..240 => truth,
            240..244 => truth - 1,
            244..246 => -1,
            246..248 => i64::MIN,
            248..250 => i64::MAX,
            250..252 => 0,
            _ => truth + 1,
        }
    }
}

#[repr(C)]
pub struct Schema {
    format: *const c_char,
    name: *const c_char,
    metadata: *const c_char,
    flags: i64,
    n_children: i64,
    children: *mut *mut Schema,
    dictionary: *mut Schema,
    release: Option<unsafe extern "C" fn(*mut Schema)>,
    private_data: *mut c_void,
}

#[repr(C)]
pub struct Array {
    length: i64,
    null_count: i64,
    offset: i64,
    n_buffers: i64,
    n_children: i64,
    buffers: *const *const c_void,
    children: *mut *mut Array,
    dictionary: *mut Array,
    pub release: Option<unsafe extern "C" fn(*mut Array)>,
    private_data: *mut c_void,
}

/// A table with columns of these names.
pub fn table(bytes: &mut Bytes<'_>, names: &[&str]) -> (Schema, Array) {
    let length = i64::from(bytes.next() % MOST);
    let columns = names.iter().map(|name| column(bytes, name, length, 0)).collect();
    structure(bytes, ("+s", ""), length, columns)
}

/// Releases a schema, as the one who made it.
pub fn release(schema: &mut Schema) {
    if let Some(release) = schema.release {
        unsafe { release(schema) };
    }
}

fn column(bytes: &mut Bytes<'_>, name: &str, length: i64, depth: u8) -> (Schema, Array) {
    let format = FORMATS[usize::from(bytes.next()) % FORMATS.len()];
    let count = match format {
        _ if depth > 2 => 0,
        "+l" | "+L" | "+w:2" | "+vl" | "+m" => 1,
        "+s" | "+r" => 2,
        _ => 0,
    };
    let longer = if format == "+w:2" { 2 * length + 2 } else { length };
    let children = (0..count).map(|_| column(bytes, "item", longer, depth + 1)).collect();
    let (mut schema, mut array) = structure(bytes, (format, name), length, children);
    if matches!(format, "c" | "i" | "S" | "l") && bytes.next() < 32 && depth == 0 {
        let (values, dictionary) = column(bytes, "values", length, 3);
        schema.dictionary = Box::into_raw(Box::new(values));
        array.dictionary = Box::into_raw(Box::new(dictionary));
    }
    (schema, array)
}

fn structure(
    bytes: &mut Bytes<'_>,
    (format, name): (&str, &str),
    length: i64,
    children: Vec<(Schema, Array)>,
) -> (Schema, Array) {
    let count = i64::try_from(children.len()).unwrap_or(0);
    let (types, arrays): (Vec<Schema>, Vec<Array>) = children.into_iter().unzip();
    let texts = [format, name].map(|text| CString::new(text).unwrap_or_default());
    let [format_text, name_text] = [texts[0].as_ptr(), texts[1].as_ptr()];
    let owned = Box::leak(Owned::new(types, Vec::new(), texts.into()));
    let schema = Schema {
        format: format_text,
        name: name_text,
        metadata: null(),
        flags: i64::from(bytes.next() % 8),
        n_children: count,
        children: owned.children.as_mut_ptr(),
        dictionary: null_mut(),
        release: Some(release_schema),
        private_data: std::ptr::from_mut(owned).cast(),
    };
    let buffers = buffers(bytes, format, length);
    let said = i64::try_from(buffers.len()).unwrap_or(0);
    let owned = Box::leak(Owned::new(arrays, buffers, Vec::new()));
    let array = Array {
        length: bytes.said(length),
        null_count: bytes.said(-1),
        offset: bytes.said(0),
        n_buffers: bytes.said(said),
        n_children: bytes.said(count),
        buffers: owned.buffers.as_ptr(),
        children: owned.children.as_mut_ptr(),
        dictionary: null_mut(),
        release: Some(release_array),
        private_data: std::ptr::from_mut(owned).cast(),
    };
    (schema, array)
}

/// The buffers of a format, chosen among a few that live as long as the process.
fn buffers(bytes: &mut Bytes<'_>, format: &str, length: i64) -> Vec<*const c_void> {
    static MEMORY: OnceLock<Memory> = OnceLock::new();
    let memory = MEMORY.get_or_init(Memory::new);
    let validity = if bytes.next() < 128 { null() } else { at(&memory.ones) };
    let plain = &memory.plain[usize::from(bytes.next()) % memory.plain.len()];
    match format {
        "n" | "+r" => Vec::new(),
        "u" | "z" => vec![validity, at(&memory.narrow), at(&memory.text)],
        "U" | "Z" => vec![validity, at(&memory.wide), at(&memory.text)],
        // Views of nothing, and the lengths of no buffers of data.
        "vu" | "vz" => vec![validity, at(&memory.zeros), at(&memory.zeros)],
        "+l" | "+m" => vec![validity, at(&memory.narrow)],
        "+L" => vec![validity, at(&memory.wide)],
        "+vl" => vec![validity, at(&memory.zeros), at(&memory.zeros)],
        "+s" | "+w:2" => vec![validity],
        _ if length < 0 => vec![validity, null()],
        _ => vec![validity, at(plain)],
    }
}

/// Contents of buffers, aligned for every type.
struct Memory {
    zeros: Vec<u128>,
    ones: Vec<u128>,
    text: Vec<u128>,
    /// Offsets of 32 bits that rise by one.
    narrow: Vec<u128>,
    /// Offsets of 64 bits that rise by one.
    wide: Vec<u128>,
    plain: [Vec<u128>; 3],
}

impl Memory {
    fn new() -> Self {
        const WORDS: u128 = (BUFFER / 16) as u128;
        let of = |word: &dyn Fn(u128) -> u128| (0..WORDS).map(word).collect();
        Self {
            zeros: of(&|_| 0),
            ones: of(&|_| u128::MAX),
            text: of(&|_| u128::from_ne_bytes(*b"abcdefgh-1.5,01\"")),
            narrow: of(&|word| (0..4).map(|lane| (4 * word + lane) << (32 * lane)).sum()),
            wide: of(&|word| (0..2).map(|lane| (2 * word + lane) << (64 * lane)).sum()),
            plain: [of(&|word| word), of(&|word| word << 64 | 1), of(&|word| word.wrapping_mul(PRIME))],
        }
    }
}

/// Spreads small numbers over all bits.
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

fn at(words: &[u128]) -> *const c_void {
    words.as_ptr().cast()
}

/// What a structure owns, whatever it says of itself.
struct Owned<T> {
    children: [*mut T; ROOM],
    count: usize,
    buffers: [*const c_void; ROOM],
    texts: Vec<CString>,
}

impl<T> Owned<T> {
    fn new(children: Vec<T>, buffers: Vec<*const c_void>, texts: Vec<CString>) -> Box<Self> {
        let count = children.len();
        let mut owned = Self { children: [null_mut(); ROOM], count, buffers: [null(); ROOM], texts };
        for (place, child) in owned.children.iter_mut().zip(children) {
            *place = Box::into_raw(Box::new(child));
        }
        for (place, buffer) in owned.buffers.iter_mut().zip(buffers) {
            *place = buffer;
        }
        Box::new(owned)
    }

    fn take_children(&self) -> impl Iterator<Item = Box<T>> + '_ {
        self.children.iter().take(self.count).map(|child| unsafe { Box::from_raw(*child) })
    }
}

unsafe extern "C" fn release_schema(schema: *mut Schema) {
    let schema = unsafe { &mut *schema };
    let owned = unsafe { Box::from_raw(schema.private_data.cast::<Owned<Schema>>()) };
    let dictionary = (!schema.dictionary.is_null()).then(|| unsafe { Box::from_raw(schema.dictionary) });
    for mut child in owned.take_children().chain(dictionary) {
        release(&mut child);
    }
    schema.release = None;
}

unsafe extern "C" fn release_array(array: *mut Array) {
    let array = unsafe { &mut *array };
    let owned = unsafe { Box::from_raw(array.private_data.cast::<Owned<Array>>()) };
    let dictionary = (!array.dictionary.is_null()).then(|| unsafe { Box::from_raw(array.dictionary) });
    for mut child in owned.take_children().chain(dictionary) {
        if let Some(release) = child.release {
            unsafe { release(&raw mut *child) };
        }
    }
    array.release = None;
}
