//! Published boards: an immutable file under a version, and readers that follow it.
//!
//! A [`Publisher`] writes a snapshot aside, syncs it, renames it and then moves `CURRENT` to it, so that a process that
//! dies at any point leaves the old or the new version, whole. A [`Reader`] in any process maps the file, verifies it
//! once, and answers from the map: no parsing, no copy, no lock. A file is never changed once it has its name; a
//! reader that still has an old version keeps it even after the publisher has deleted it.
//!
//! # What is promised
//!
//! - A publisher that dies at any point leaves the old version or the new one current, and the next one goes on from there.
//! - When [`Publisher::publish`] returns, the version has reached the disk; when it fails, the current version is as before.
//! - A file that is damaged, cut short, foreign or of a later format is refused with an error that says so. Every byte that
//!   is read lies under a checksum. A reader stays with the version that it has, and a rollback to such a file is refused.
//! - A version number never comes twice, and a rollback deletes nothing.
//! - The newest `keep` versions stay (at least one), and the current one.
//! - A page shows one version, and so do the pages after it by their [`Cursor`], over publications and rollbacks: no item
//!   comes twice. When the version is no longer kept, the cursor is refused.
//! - Readers wait for nobody: a change of version is one exchange of a pointer.
//!
//! # The file
//!
//! All numbers are little endian. After the header stands the table of sections, then each section at a multiple of 64
//! bytes. The header has a checksum over itself (with zero in its place) and the table, the table one for each section
//! (XXH3, 64 bits).
//!
//! | part | records |
//! |---|---|
//! | header, 128 bytes | magic `CMPTBRD1`; format, number of sections: u32; length of the file, version: u64; created, watermark: i64, microseconds since 1970; hash of the spec, hash of the rules: 32 bytes each; kind of items (0 integers, 1 texts), places asked of each board (0 not said): u32; checksum: u64 |
//! | table, 32 bytes each | kind, reserved: u32; offset, length, checksum: u64 |
//! | 1 buckets | u32: for each value of the highest bits of a key where its boards start, and the end; so many bits that there is about one board in each |
//! | 2 boards, 32 bytes each | key, start in the entries, start of its name in the heap: u64; number of entries, length of the name: u32; by key |
//! | 3 sequence | u32: the boards in the order in which they were given |
//! | 4 entries, 16 bytes each | item: i64, or for texts start (40 bits) and length (24 bits) in the heap; score: f64 |
//! | 5 order | u32: for each board its entries by item, as places within the board |
//! | 6 heap | bytes of names and texts; a name is the board, then each group value, with its length as u32 before it |
//!
//! The key of a board is XXH3 of the board's name with seed 0, then of each group value with the hash so far as seed.

#[cfg(feature = "arrow")]
pub mod arrow;
mod build;
#[cfg(feature = "arrow")]
mod cells;
mod cursor;
mod error;
mod format;
#[cfg(feature = "arrow")]
mod from_table;
mod group;
mod map;
mod open;
mod publish;
mod read;
mod reader;
#[cfg(test)]
mod tests;

pub use build::{Item, ItemKind, SnapshotBuilder};
pub use cursor::Cursor;
pub use error::SnapshotError;
#[cfg(feature = "arrow")]
pub use from_table::TableColumns;
pub use group::GroupValue;
#[cfg(feature = "arrow")]
pub(crate) use group::group_text;
pub use publish::Publisher;
pub use read::{Board, Entry, ItemRef};
pub use reader::{Follower, Page, Reader, Start};

pub use open::Snapshot;
