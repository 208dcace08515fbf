//! The C ABI of comptoir. `include/comptoir.h` is generated from it and is its documentation.
//!
//! Each function checks its arguments, runs inside `call::call`, which turns every fault and panic into a status, and
//! leaves the work to `comptoir-host`. Handles are checked before they are used (`handle`); text and tables cross in
//! `text` and `arrow`.
#![expect(unsafe_code, reason = "a C ABI reads and writes the memory of its callers")]

mod ahead;
mod arrow;
mod board;
mod call;
mod callbacks;
mod costing;
mod decision;
mod error;
mod handle;
mod leaderboard;
mod operate;
mod pipeline;
mod prediction;
mod program;
mod publisher;
mod reader;
mod rule_set;
mod slots;
mod tensor;
mod text;
mod value;

// What C calls, for the benchmark of the border and for the fuzz targets.
#[doc(hidden)]
pub mod abi {
    pub use crate::arrow::comptoir_stream_of_array;
    pub use crate::board::{
        Board, BoardBuilder, comptoir_board_builder_finish, comptoir_board_builder_free,
        comptoir_board_builder_new, comptoir_board_builder_push, comptoir_board_free, comptoir_board_table,
    };
    pub use crate::costing::{
        Valuation, comptoir_costing_policy, comptoir_costing_value, comptoir_valuation_free,
        comptoir_valuation_table,
    };
    pub use crate::error::{Status, comptoir_last_error};
    pub use crate::program::{
        Program, comptoir_program_compile, comptoir_program_eval_json, comptoir_program_eval_stream,
        comptoir_program_free, comptoir_program_test,
    };
    pub use crate::rule_set::{
        RuleSet, comptoir_rule_set_decide_stream, comptoir_rule_set_explain_json, comptoir_rule_set_free,
        comptoir_rule_set_read,
    };
    pub use crate::text::{StringView, Text, comptoir_text_free};
    pub use crate::value::{Value, ValueAs, ValueKind};
}

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
