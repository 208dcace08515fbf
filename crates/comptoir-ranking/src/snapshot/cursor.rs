use std::fmt;
use std::str::FromStr;

use super::error::SnapshotError;

/// Where the next page begins: a version, a board and a number of places to skip.
///
/// It carries the version, so that a reader who pages sees one version from the first page to the last and no item
/// twice. Its text form is for links and requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    pub(super) version: u64,
    pub(super) key: u64,
    pub(super) offset: u64,
}

impl Cursor {
    /// The version that it continues.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:x}-{:x}-{:x}", self.version, self.offset, self.key)
    }
}

impl FromStr for Cursor {
    type Err = SnapshotError;

    fn from_str(text: &str) -> Result<Self, SnapshotError> {
        let mut parts = text.split('-').map(|part| {
            let is_plain = part.len() <= 16 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_plain.then(|| u64::from_str_radix(part, 16).ok()).flatten()
        });
        let mut next = || parts.next().flatten();
        match (next(), next(), next(), parts.next()) {
            (Some(version), Some(offset), Some(key), None) => Ok(Self { version, key, offset }),
            _ => Err(SnapshotError::CursorSyntax { text: text.to_owned() }),
        }
    }
}
