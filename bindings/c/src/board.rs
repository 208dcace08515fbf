//! Ranking: boards from tables.

use std::ffi::c_char;

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use comptoir_host::ranking::{BoardBuilder as Builder, BoardTables};
use comptoir_host::stream;

use crate::call::{call, out};
use crate::error::Status;
use crate::handle::{self, opaque};
use crate::text::{self, Text};

/// Collects the rows of a board. Any number of threads may push at once; they take turns.
pub struct BoardBuilder {
    _private: [u8; 0],
}
opaque!(BoardBuilder, 0x301, "board builder", Builder);

/// Frees a board builder; null is nothing to free. No thread may use it any more.
///
/// # Safety
/// It is null or a handle of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_board_builder_free(handle: *mut BoardBuilder) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { handle::free(handle) })
}

/// A finished board. Any number of threads may read it at once.
pub struct Board {
    _private: [u8; 0],
}
opaque!(Board, 0x302, "board", BoardTables);

/// Frees a board; null is nothing to free. No thread may use it any more.
///
/// # Safety
/// It is null or a handle of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_board_free(handle: *mut Board) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { handle::free(handle) })
}

/// Makes a collector. `spec` is JSON or YAML, JSON beginning with `{`; `context` is JSON, such as `{"now":
/// "2024-11-11T00:00:00Z"}`, or empty. Any thread.
///
/// # Safety
/// The texts have their lengths in bytes of UTF-8 or end with NUL; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_board_builder_new(
    spec: *const c_char,
    spec_length: usize,
    context: *const c_char,
    context_length: usize,
    result: *mut *mut BoardBuilder,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (spec, context, result) = unsafe {
            (
                text::text("spec", spec, spec_length)?,
                text::text("context", context, context_length)?,
                out("result", result)?,
            )
        };
        result.write(handle::make(Builder::new(spec, context)?));
        Ok(())
    })
}

/// Adds the rows of a stream, a part at a time, on so many threads or, for 0, on all cores; the board does not depend on
/// the number. The stream is asked on this thread; its arrays are read, and may be released, on others before this returns.
/// The stream is moved out of the caller's memory, whatever else goes wrong; a builder that is finished does not read it. Where it fails after rows were taken the builder refuses all further calls (`RANKING_PUSH_FAILED`). Any thread.
///
/// # Safety
/// `builder` is null or a handle of this library; `rows` is null, misaligned or a stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_board_builder_push(
    builder: *const BoardBuilder,
    rows: *mut FFI_ArrowArrayStream,
    threads: usize,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let builder = unsafe { handle::get(builder) };
        match builder.and_then(|builder| builder.check_open().map(|()| builder)) {
            // SAFETY: the caller's promise.
            Ok(builder) => builder.push_parts(threads, |push| unsafe { stream::take_parts(rows, push) }),
            Err(fault) => {
                // SAFETY: the caller's promise.
                unsafe { stream::release(rows) }?;
                Err(fault)
            }
        }
    })
}

/// Adds what another collector of the same spec has seen, which is then of no more use. Any thread.
///
/// # Safety
/// Both are null or handles of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_board_builder_merge(
    builder: *const BoardBuilder,
    other: *const BoardBuilder,
) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { handle::get(builder)?.merge(handle::get(other)?) })
}

/// Makes the board of each group. The collector is then of no more use, but is still to be freed. Any thread.
///
/// # Safety
/// `builder` is null or a handle of this library; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_board_builder_finish(
    builder: *const BoardBuilder,
    result: *mut *mut Board,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (builder, result) = unsafe { (handle::get(builder)?, out("result", result)?) };
        result.write(handle::make(builder.finish()?));
        Ok(())
    })
}

/// The places of a board, as a stream that the caller releases. Any thread.
///
/// # Safety
/// `board` is null or a handle of this library; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_board_table(
    board: *const Board,
    result: *mut FFI_ArrowArrayStream,
) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { stream::give(handle::get(board)?.table()?, result) })
}

/// What became of the rows, as JSON. Any thread.
///
/// # Safety
/// `board` is null or a handle of this library; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_board_report(board: *const Board, result: *mut Text) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { text::give(result, handle::get(board)?.report()?) })
}

/// Why an item stands where it does, as JSON, in each group or, where `group` is a JSON list of texts, in that one. Any
/// thread.
///
/// # Safety
/// `board` is null or a handle of this library; the texts have their lengths in bytes of UTF-8 or end with NUL; `result`
/// may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_board_explain(
    board: *const Board,
    item: *const c_char,
    item_length: usize,
    group: *const c_char,
    group_length: usize,
    result: *mut Text,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (board, item, group) = unsafe {
            (
                handle::get(board)?,
                text::text("item", item, item_length)?,
                text::text("group", group, group_length)?,
            )
        };
        // SAFETY: the caller's promise.
        unsafe { text::give(result, board.explain(item, group)?) }
    })
}
