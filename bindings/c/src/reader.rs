//! Ranking: reading published boards.

use std::ffi::c_char;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use comptoir::ranking::snapshot::{Item, ItemRef};
use comptoir_host::ranking::{BoardReader as Reader, OwnedPage};

use crate::call::{call, out};
use crate::error::Status;
use crate::handle::{self, opaque};
use crate::text::{self, StringView, Text};

/// Reads the boards of a directory. Any number of threads may use it at once; reading takes no lock.
pub struct BoardReader {
    _private: [u8; 0],
}
opaque!(BoardReader, 0x304, "board reader", Reader);

/// Frees a board reader; null is nothing to free. No thread may use it any more.
///
/// # Safety
/// It is null or a handle of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_board_reader_free(handle: *mut BoardReader) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { handle::free(handle) })
}

/// A page, which `comptoir_board_reader_page` fills. One thread at a time; a thread keeps one and uses it for each
/// request. What is read from it stays until it is filled again or freed, whatever is published meanwhile.
pub struct Page {
    _private: [u8; 0],
}
opaque!(Page, 0x305, "page", FilledPage);

/// Frees a page; null is nothing to free. No thread may use it any more.
///
/// # Safety
/// It is null or a handle of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_page_free(handle: *mut Page) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { handle::free(handle) })
}

/// A place on a board.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Entry {
    /// From 1.
    pub position: u64,
    /// Its score.
    pub score: f64,
    /// The item where the boards have text; null where they have numbers.
    pub item: StringView,
    /// The item where the boards have numbers.
    pub number: i64,
}

/// A page that is filled again and again.
#[derive(Default)]
pub struct FilledPage(Mutex<Filled>);

#[derive(Default)]
struct Filled {
    entries: Vec<Entry>,
    page: Option<OwnedPage>,
}

// SAFETY: the entries point into the page beside them, which is shared memory that is only read.
unsafe impl Send for Filled {}

/// Opens a directory and verifies its current version. Any thread.
///
/// # Safety
/// `directory` has `length` bytes of UTF-8 or ends with NUL; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_board_reader_open(
    directory: *const c_char,
    length: usize,
    result: *mut *mut BoardReader,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (directory, result) =
            unsafe { (text::text("directory", directory, length)?, out("result", result)?) };
        result.write(handle::make(Reader::open(Path::new(directory))?));
        Ok(())
    })
}

/// Makes a page that is yet to be filled. Any thread.
///
/// # Safety
/// `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_page_new(result: *mut *mut Page) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        unsafe { out("result", result)? }.write(handle::make(FilledPage::default()));
        Ok(())
    })
}

/// What page of which board.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct PageRequest {
    /// Name of the board.
    pub board: StringView,
    /// Values of its group as texts; null for a board without groups.
    pub group: *const StringView,
    /// How many.
    pub group_length: usize,
    /// Places to skip.
    pub offset: usize,
    /// The cursor of another page in place of an offset; empty for none. The page is then of the version of that one.
    pub cursor: StringView,
    /// Places at most.
    pub limit: usize,
}

/// Fills a page; `found` says whether there is such a board. Any thread, each with a page of its own.
///
/// # Safety
/// `reader` and `page` are null or handles of this library; the texts of `request` are readable; `found` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_board_reader_page(
    reader: *const BoardReader,
    request: *const PageRequest,
    page: *const Page,
    found: *mut bool,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (reader, page, found) =
            unsafe { (handle::get(reader)?, handle::get(page)?, out("found", found)?) };
        // SAFETY: the caller's promise.
        let requests = unsafe { crate::call::elements("request", request, 1) }?;
        let Some(PageRequest { board, group, group_length, offset, cursor, limit }) = requests.first() else {
            return Ok(());
        };
        // SAFETY: the caller's promise.
        let (board, group, cursor) = unsafe {
            (
                text::text("board", board.data, board.length)?,
                text::texts::<4>("group", *group, *group_length)?,
                text::text("cursor", cursor.data, cursor.length)?,
            )
        };
        let made = reader.page(board, &group, *offset, cursor, *limit)?;
        found.write(made.is_some());
        page.fill(made);
        Ok(())
    })
}

/// The places of a page: an array of `count` that belongs to the page.
///
/// # Safety
/// `page` is null or a handle of this library; `entries` and `count` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_page_entries(
    page: *const Page,
    entries: *mut *const Entry,
    count: *mut usize,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (page, entries, count) =
            unsafe { (handle::get(page)?, out("entries", entries)?, out("count", count)?) };
        let filled = page.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.write(filled.entries.as_ptr());
        count.write(filled.entries.len());
        Ok(())
    })
}

/// The version that a page shows, and how many places its board has; 0 where it is not filled. Each pointer may be null.
///
/// # Safety
/// `page` is null or a handle of this library; the others may be written unless they are null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_page_facts(
    page: *const Page,
    version: *mut u64,
    total: *mut usize,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let page = unsafe { handle::get(page) }?;
        let filled = page.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, places) = filled.page.as_ref().map_or((0, 0), |page| (page.version(), page.total()));
        if !version.is_null() {
            // SAFETY: the caller's promise.
            unsafe { out("version", version)? }.write(known);
        }
        if !total.is_null() {
            // SAFETY: the caller's promise.
            unsafe { out("total", total)? }.write(places);
        }
        Ok(())
    })
}

/// Where the next page begins; empty after the last place.
///
/// # Safety
/// `page` is null or a handle of this library; `cursor` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_page_next_cursor(page: *const Page, cursor: *mut Text) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let page = unsafe { handle::get(page) }?;
        let filled = page.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = filled.page.as_ref().and_then(OwnedPage::next_cursor).unwrap_or_default();
        // SAFETY: the caller's promise.
        unsafe { text::give(cursor, next) }
    })
}

/// The position of an item on a board, from 1; 0 where the item or the board is not there. `item` is text; where its data
/// is null, it is `number`. Any thread.
///
/// # Safety
/// `reader` is null or a handle of this library; the texts are readable; `group` has `group_length` texts; `position` may
/// be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_board_reader_rank_of(
    reader: *const BoardReader,
    board: StringView,
    group: *const StringView,
    group_length: usize,
    item: StringView,
    number: i64,
    position: *mut usize,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (reader, board, group, position) = unsafe {
            (
                handle::get(reader)?,
                text::text("board", board.data, board.length)?,
                text::texts::<4>("group", group, group_length)?,
                out("position", position)?,
            )
        };
        let item = match item.data.is_null() {
            true => Item::Int(number),
            // SAFETY: the caller's promise.
            false => Item::Text(unsafe { text::text("item", item.data, item.length) }?),
        };
        position.write(reader.rank_of(board, &group, item).unwrap_or(0));
        Ok(())
    })
}

/// The boards of the current version, as JSON: `[{"board": "top", "group": ["FR"], "places": 20}]`. Any thread.
///
/// # Safety
/// `reader` is null or a handle of this library; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_board_reader_boards(
    reader: *const BoardReader,
    result: *mut Text,
) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { text::give(result, handle::get(reader)?.boards()?) })
}

/// Version, age in seconds, watermark, number of boards and the last failure of following, as JSON. Any thread.
///
/// # Safety
/// As for `comptoir_board_reader_boards`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_board_reader_status(
    reader: *const BoardReader,
    result: *mut Text,
) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { text::give(result, handle::get(reader)?.status()?) })
}

/// Changes to the version that is current now; `changed`, which may be null, says whether it is another one. Where it
/// fails, the version so far stays. Any thread.
///
/// # Safety
/// `reader` is null or a handle of this library; `changed` may be written unless it is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_board_reader_refresh(
    reader: *const BoardReader,
    changed: *mut bool,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let is_other = unsafe { handle::get(reader) }?.refresh()?;
        if !changed.is_null() {
            // SAFETY: the caller's promise.
            unsafe { out("changed", changed)? }.write(is_other);
        }
        Ok(())
    })
}

/// Changes to new versions by itself, on a thread that looks for them every `interval_ms`; 0 ends it, and so does freeing
/// the reader. Any thread.
///
/// # Safety
/// `reader` is null or a handle of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_board_reader_follow(
    reader: *const BoardReader,
    interval_ms: u64,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        unsafe { handle::get(reader) }?.follow(Duration::from_millis(interval_ms));
        Ok(())
    })
}

impl FilledPage {
    fn fill(&self, page: Option<OwnedPage>) {
        let mut filled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        filled.entries.clear();
        if let Some(page) = &page {
            filled.entries.extend(page.entries().map(|entry| {
                let (item, number) = match entry.item {
                    ItemRef::Int(number) => (StringView::NONE, number),
                    ItemRef::Text(bytes) => (StringView::of_bytes(bytes), 0),
                };
                Entry { position: entry.position as u64, score: entry.score, item, number }
            }));
        }
        filled.page = page;
    }
}
