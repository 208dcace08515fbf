//! Tables by Arrow's C structures and as bytes of Arrow's IPC format.

use std::ffi::c_char;
use std::path::Path;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use comptoir_host::{ipc, stream};

use crate::call::call;
use crate::error::Status;
use crate::text::{self, Text};

/// Makes a stream of one struct array, which is a table of one batch. The array is moved out of the caller's memory,
/// whatever else goes wrong; the schema is only read. No buffer is copied. Any thread.
///
/// # Safety
/// Each pointer is null, misaligned, or points to a structure as Arrow's C data interface says; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_stream_of_array(
    schema: *const FFI_ArrowSchema,
    array: *mut FFI_ArrowArray,
    result: *mut FFI_ArrowArrayStream,
) -> Status {
    // SAFETY: the caller's promise.
    call(|| unsafe { stream::give(stream::take_array(schema, array)?, result) })
}

/// Opens a file in Arrow's IPC format, with or without a footer (`.arrow`, `.arrows`, Feather 2), as a stream. It is read
/// whole. Any thread.
///
/// # Safety
/// `path` has `length` bytes of UTF-8 or ends with NUL; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_stream_read_file(
    path: *const c_char,
    length: usize,
    result: *mut FFI_ArrowArrayStream,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let path = unsafe { text::text("path", path, length) }?;
        // SAFETY: the caller's promise.
        unsafe { stream::give(ipc::read_file(Path::new(path))?, result) }
    })
}

/// Reads bytes in Arrow's IPC format as a stream. Any thread.
///
/// # Safety
/// `data` has `length` bytes; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_stream_read_bytes(
    data: *const c_char,
    length: usize,
    result: *mut FFI_ArrowArrayStream,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let bytes = unsafe { text::bytes("data", data, length) }?;
        // SAFETY: the caller's promise.
        unsafe { stream::give(ipc::read_bytes(bytes)?, result) }
    })
}

/// Writes the table of a stream as bytes of Arrow's IPC stream format: the same bytes in every host. The stream is moved
/// out of the caller's memory, whatever else goes wrong. Any thread.
///
/// # Safety
/// `table` is null, misaligned, or a stream as Arrow's C stream interface says; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_stream_write_bytes(
    table: *mut FFI_ArrowArrayStream,
    result: *mut Text,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let table = unsafe { stream::take(table) }?;
        // SAFETY: the caller's promise.
        unsafe { text::give(result, ipc::write_bytes(&table)?) }
    })
}
