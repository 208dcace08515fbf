//! Several values in one byte array, which costs one crossing of the border: numbers of 4 or 8 bytes, little endian, and
//! bytes after their length in 4 bytes. `io.comptoir.Parts` is the other side.

use comptoir_host::Fault;

use crate::handle::Handle;

/// Writes parts.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

/// Reads parts.
#[derive(Debug)]
pub struct Reader<'p>(&'p [u8]);

impl Writer {
    /// The parts.
    pub fn finish(&self) -> &[u8] {
        &self.0
    }

    /// A number of 4 bytes.
    pub fn int(&mut self, number: i32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// A number of 8 bytes.
    pub fn long(&mut self, number: i64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// A count, as 8 bytes.
    pub fn count(&mut self, count: usize) {
        self.0.extend_from_slice(&(count as u64).to_le_bytes());
    }

    /// The bits of a floating-point number.
    pub fn double(&mut self, number: f64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// The two words of a number of 128 bits, the low one first.
    pub fn wide(&mut self, number: i128) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// Bytes after their length. Java has no longer arrays than a length of 4 bytes says.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.extend_from_slice(bytes);
    }

    /// Text as bytes.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }
}

impl<'p> Reader<'p> {
    /// A reader from the first part on.
    pub const fn new(parts: &'p [u8]) -> Self {
        Self(parts)
    }

    /// Whether all is read.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A number of 4 bytes.
    pub fn int(&mut self) -> Result<i32, Fault> {
        self.array().map(i32::from_le_bytes)
    }

    /// A count.
    pub fn count(&mut self) -> Result<usize, Fault> {
        usize::try_from(i64::from_le_bytes(self.array()?)).map_err(|_| broken())
    }

    /// An object of ours.
    pub fn handle<T: Send + Sync>(&mut self) -> Result<Handle<T>, Fault> {
        self.array().map(|address| Handle::of(i64::from_le_bytes(address)))
    }

    /// Bytes.
    pub fn bytes(&mut self) -> Result<&'p [u8], Fault> {
        let length = usize::try_from(self.int()?).map_err(|_| broken())?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or_else(broken)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// Text.
    pub fn text(&mut self) -> Result<&'p str, Fault> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Fault::argument("a text is not UTF-8"))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (array, rest) = self.0.split_first_chunk().ok_or_else(broken)?;
        self.0 = rest;
        Ok(*array)
    }
}

fn broken() -> Fault {
    Fault::internal("arguments that are packed in another way than is read")
}
