//! Rules: what can be said of an expression before an event is whole.

use std::ffi::c_char;

use crate::call::call;
use crate::error::Status;
use crate::handle;
use crate::program::Program;
use crate::text::{self, Text};

/// What is left of a program where a part of the event is not known yet, as JSON: `{"value": false}` where the unknown
/// parts do not matter, else `{"expression": "score > 0.5"}`. `event` is what is known, a JSON object; `unknown` a JSON
/// list of patterns of what is not: `["user.score", "items[*].price"]`. A program that is an error whatever the unknown
/// parts are gives that error. Any thread.
///
/// # Safety
/// `program` is null or a handle of this library; `event` has `event_length` bytes or ends with NUL; `unknown` has
/// `unknown_length` bytes of UTF-8 or ends with NUL; `result` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_program_partial_json(
    program: *const Program,
    event: *const c_char,
    event_length: usize,
    unknown: *const c_char,
    unknown_length: usize,
    result: *mut Text,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (program, event, unknown) = unsafe {
            (
                handle::get(program)?,
                text::bytes("event", event, event_length)?,
                text::text("unknown", unknown, unknown_length)?,
            )
        };
        // SAFETY: the caller's promise.
        unsafe { text::give(result, program.compiled.partial_json(event, unknown)?) }
    })
}

/// Bounds on the cost of an evaluation in the units of the budget, as JSON: `[2, 120]`, with null where there is no upper
/// one. `sizes` is a JSON object of the sizes of inputs by path, exact or as least and greatest: `{"tags": [0, 20],
/// "tags[]": 10}`, where `tags[]` is each element of `tags`; it may be empty. A size is bytes of text, elements of a list,
/// entries of a map. Any thread.
///
/// # Safety
/// `program` is null or a handle of this library; `sizes` has `length` bytes of UTF-8 or ends with NUL; `result` may be
/// written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn comptoir_program_cost(
    program: *const Program,
    sizes: *const c_char,
    length: usize,
    result: *mut Text,
) -> Status {
    call(|| {
        // SAFETY: the caller's promise.
        let (program, sizes) = unsafe { (handle::get(program)?, text::text("sizes", sizes, length)?) };
        // SAFETY: the caller's promise.
        unsafe { text::give(result, program.compiled.cost(sizes)?) }
    })
}
