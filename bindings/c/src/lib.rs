//! The C ABI of comptoir. `include/comptoir.h` is generated from it and is its documentation.
//!
//! Each function checks its arguments, runs inside `call::call`, which turns every fault and panic into a status, and
//! leaves the work to `comptoir-host`. Handles are checked before they are used (`handle`); text and tables cross in
//! `text` and `arrow`.
#![expect(unsafe_code, reason = "a C ABI reads and writes the memory of its callers")]

mod arrow;
mod board;
mod call;
mod callbacks;
mod costing;
mod decision;
mod error;
mod handle;
mod leaderboard;
mod pipeline;
mod prediction;
mod program;
mod publisher;
mod reader;
mod rule_set;
mod tensor;
mod text;
mod value;

// For the benchmark of the border, which calls what C calls.
#[doc(hidden)]
pub use program::{Program, comptoir_program_compile, comptoir_program_free, comptoir_program_test};
#[doc(hidden)]
pub use text::StringView;
#[doc(hidden)]
pub use value::{Value, ValueAs, ValueKind};

/// The version of the ABI: it grows when a function or structure changes in a way that programs notice.
pub const COMPTOIR_ABI_VERSION: u32 = 1;

/// The version of the ABI that the library has; compare it with `COMPTOIR_ABI_VERSION` of the header. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn comptoir_abi_version() -> u32 {
    COMPTOIR_ABI_VERSION
}

/// The version of the library, such as `0.1.0`. It is never freed. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn comptoir_version() -> *const std::ffi::c_char {
    const VERSION: &std::ffi::CStr =
        match std::ffi::CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
            Ok(version) => version,
            Err(_) => c"",
        };
    VERSION.as_ptr()
}
