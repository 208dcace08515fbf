//! The one place that needs `unsafe`: a file as memory.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;

/// Maps a whole file for reading, with all its pages at once: whoever opens it verifies it, and page faults would take
/// longer than that.
///
/// The file must not be changed while it is mapped. Published files are not: a publisher writes under another name,
/// renames, and only ever deletes, which leaves the content to those who have it mapped.
pub fn map(file: &File) -> io::Result<memmap2::Mmap> {
    // SAFETY: the bytes stay as they are as long as nobody writes to a published file, which is what the format
    // promises; everything that is read from them is checked, so that even then only answers would be wrong. Whoever
    // truncates a published file makes its readers fault, as for any mapped file.
    unsafe { memmap2::MmapOptions::new().populate().map(file) }
}
