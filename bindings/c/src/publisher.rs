//! Ranking: publishing boards in a directory.

use std::ffi::c_char;
use std::path::Path;

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use comptoir_host::ranking::{BoardPublisher, Published};
use comptoir_host::{Fault, stream};

use crate::board::Board;
use crate::call::{call, elements, out};
use crate::error::Status;
use crate::handle::{self, opaque};
use crate::text;

/// Publishes boards in a directory. Any number of threads may use it at once; they take turns.
pub struct Publisher {
    _private: [u8; 0],
}
opaque!(Publisher, 0x303, "publisher", BoardPublisher);

/// Frees a publisher; null is nothing to free. No thread may use it any more.
///
/// # Safety
/// It is null or a handle of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_publisher_free(handle: *mut Publisher) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { handle::free(handle) })
}

/// Opens a directory for publishing, which is made if it is not there; `keep` of the newest versions stay. One publisher
/// has a directory at a time, until it is freed. Any thread.
///
/// # Safety
/// `directory` has `length` bytes of UTF-8 or ends with NUL; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_publisher_open(
    directory: *const c_char,
    length: usize,
    keep: usize,
    result: *mut *mut Publisher,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (directory, result) =
            unsafe { (text::text("directory", directory, length)?, out("result", result)?) };
        result.write(handle::make(BoardPublisher::open(Path::new(directory), keep)?));
        Ok(())
    })
}

/// Writes the next version of finished boards, each under the id of its spec, and makes it the current one. When it
/// returns, the version has reached the disk; where it fails, the current version is what it was. Any thread.
///
/// `watermark` is the moment up to which the input is complete, in microseconds since 1970, 0 where it is not known.
///
/// # Safety
/// `publisher` is null or a handle of this library; `boards` has `count` handles; `version` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_publisher_publish(
    publisher: *const Publisher,
    boards: *const *const Board,
    count: usize,
    watermark: i64,
    version: *mut u64,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (publisher, boards, version) = unsafe {
            (handle::get(publisher)?, elements("boards", boards, count)?, out("version", version)?)
        };
        // SAFETY: the caller's promise.
        let results = boards.iter().map(|board| unsafe { handle::get(*board) }.map(Published::Result));
        version.write(publisher.publish(&results.collect::<Result<Vec<_>, Fault>>()?, watermark)?);
        Ok(())
    })
}

/// Writes the next version from a table whose rows are places, and makes it the current one. `columns` is JSON: `{"board":
/// "top", "group": ["country"], "item": "sku", "score": "units"}`, and `position` where the table has one; without, items
/// stand by score, the highest first, then by item. The stream is moved out of the caller's memory, whatever else goes
/// wrong. Any thread.
///
/// # Safety
/// `publisher` is null or a handle of this library; `table` is null, misaligned or a stream; `columns` has `length` bytes
/// of UTF-8 or ends with NUL; `version` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_publisher_publish_stream(
    publisher: *const Publisher,
    table: *mut FFI_ArrowArrayStream,
    columns: *const c_char,
    length: usize,
    watermark: i64,
    version: *mut u64,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise. The stream first, so that it is moved in any case.
        let table = unsafe { stream::take(table) }?;
        // SAFETY: the caller's promise.
        let (publisher, columns, version) = unsafe {
            (handle::get(publisher)?, text::text("columns", columns, length)?, out("version", version)?)
        };
        version.write(publisher.publish(&[Published::Table(table, columns)], watermark)?);
        Ok(())
    })
}

/// Makes an earlier version the current one, after verifying it. Any thread.
///
/// # Safety
/// `publisher` is null or a handle of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_publisher_rollback(publisher: *const Publisher, version: u64) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { handle::get(publisher) }?.rollback(version))
}

/// The versions that are there, ascending: as many as fit into `capacity` places, and in `count` how many there are. Any
/// thread.
///
/// # Safety
/// `publisher` is null or a handle of this library; `versions` has `capacity` places; `count` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_publisher_versions(
    publisher: *const Publisher,
    versions: *mut u64,
    capacity: usize,
    count: *mut usize,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (publisher, count) = unsafe { (handle::get(publisher)?, out("count", count)?) };
        let known = publisher.versions()?;
        for (place, version) in known.iter().take(capacity).enumerate() {
            // SAFETY: the caller's promise: there are `capacity` places.
            unsafe { out("versions", versions.wrapping_add(place))? }.write(*version);
        }
        count.write(known.len());
        Ok(())
    })
}
